"""What it runs on, which CPU is whose, and whether the machine is quiet."""
import os
import platform
import re
import resource
import time

CPUS = sorted(os.sched_getaffinity(0))
PROXY_CPU = CPUS[0]   # The proxy's alone.
CLIENT_CPU = CPUS[-1]  # Client and origin; and two workers have the first two CPUs.
QUIET = 0.05           # Of all CPU time: beyond it figures are worth little.
STEAL = 0.01           # Of all CPU time of a round: beyond it the round does not count.


def prepare():
    """Moves this process, and the clients that it starts, to the client's CPU; allows many descriptors."""
    os.sched_setaffinity(0, {CLIENT_CPU})
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limit in (max(hard, 65536), hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
            return
        except (ValueError, PermissionError, OSError):
            continue


def descriptors():
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def times():
    """Seconds of all CPUs since the machine's start: all, idle, stolen."""
    with open("/proc/stat") as file:
        fields = [int(each) / 100 for each in file.readline().split()[1:9]]
    return sum(fields), fields[3] + fields[4], fields[7]


def share(before, after, what):
    return (after[what] - before[what]) / max(1e-9, after[0] - before[0])


def busy(seconds=1.0):
    """The share of all CPU time that others use."""
    before = times()
    time.sleep(seconds)
    return 1 - share(before, times(), 1)


def describe():
    with open("/proc/cpuinfo") as file:
        model = re.search(r"model name\s*: (.*)", file.read())
    with open("/proc/meminfo") as file:
        memory = int(re.search(r"MemTotal:\s+(\d+)", file.read()).group(1)) / (1 << 20)
    virtual = ", a virtual machine" if "hypervisor" in open("/proc/cpuinfo").read() else ""
    return (f"{len(CPUS)} cores of {model.group(1).strip() if model else platform.machine()}{virtual}, {memory:.0f} GiB of memory, "
            f"Linux {re.match(r'[0-9.]+', platform.release()).group(0)}")
