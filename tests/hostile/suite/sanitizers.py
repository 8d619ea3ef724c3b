"""What is otherwise with a weir that was built with AddressSanitizer: how it is started, what it may keep, what it may say."""
import functools
import mmap
import os
import re

# Wasmtime owns the fault signals: a guest's trap is one of them. What was freed stays in quarantine: within a known bound.
QUARANTINE = 64  # MiB
OPTIONS = ("handle_segv=0:handle_sigill=0:handle_sigfpe=0:handle_sigbus=0:detect_stack_use_after_return=0:allow_user_segv_handler=1:"
           f"quarantine_size_mb={QUARANTINE}:")
REPORT = re.compile(r"==\d+==\s*ERROR: \w+Sanitizer|:\d+:\d+: runtime error: ")


@functools.cache
def within(program):
    """Whether the program has them."""
    with open(program, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        return text.find(b"__asan_init") >= 0


def environment(program):
    if not within(program):
        return os.environ
    return {**os.environ, "ASAN_OPTIONS": OPTIONS + os.environ.get("ASAN_OPTIONS", ""),
            "UBSAN_OPTIONS": "print_stacktrace=1:" + os.environ.get("UBSAN_OPTIONS", "")}


def report(log):
    """The first report in a program's log, as far as it tells what happened where; none: empty."""
    found = REPORT.search(log)
    return log[log.rfind("\n", 0, found.start()) + 1:][:3000] if found else ""
