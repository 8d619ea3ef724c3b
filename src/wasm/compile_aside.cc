#include "wasm/compile_aside.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/sanitizers.h"
#include "wasm/private_file.h"

extern char** environ;

namespace weir::wasm {
namespace {

constexpr int kWritten = 0;  // The child's exit codes: code,
constexpr int kRefused = 1;  // or what is wrong with the module.

base::Error failed(base::Code code, std::string detail) {
  return {code, base::Side::Operator, base::Retry::No, std::move(detail)};
}

base::Error notStarted(std::string_view what, int reason) {
  return failed(base::Code::Io, fmt::format("the compiling process: {}: {}", what, std::strerror(reason)));
}

// From its beginning.
std::vector<std::byte> readAll(int file) {
  std::vector<std::byte> bytes;
  std::byte piece[65536];
  for (ssize_t got; (got = ::pread(file, piece, sizeof(piece), static_cast<off_t>(bytes.size()))) > 0;) {
    bytes.insert(bytes.end(), piece, piece + got);
  }
  return bytes;
}

// Files without a name: nobody can put another content in their place.
base::Result<Descriptor> memoryFile(std::span<const std::byte> content) {
  Descriptor file(::memfd_create("weir-module", MFD_CLOEXEC));
  if (!file) return notStarted("memfd", errno);
  if (!writeAll(file.get(), content) || ::lseek(file.get(), 0, SEEK_SET) != 0) return notStarted("memfd", errno);
  return file;
}

base::Result<pid_t> spawn(std::vector<std::string> command, int in, int out) {
  std::vector<char*> arguments;
  for (std::string& each : command) arguments.push_back(each.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);  // The proxy blocks those that it reads.
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  pid_t child = -1;
  const int error = posix_spawn(&child, arguments[0], &files, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  if (error != 0) return notStarted(command[0], error);
  return child;
}

// Waits for its end; kills it when the time is over.
int await(pid_t child, base::Duration most) {
  const Descriptor end(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));  // glibc 2.36 has no pidfd_open for C++.
  if (end) {
    pollfd poll{end.get(), POLLIN, 0};
    int ready = 0;
    do {
      ready = ::poll(&poll, 1, static_cast<int>(base::milliseconds(most)));
    } while (ready < 0 && errno == EINTR);
    if (ready == 0) ::kill(child, SIGKILL);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return status;
}

}  // namespace

base::Result<std::vector<std::byte>> compileAside(const std::vector<std::string>& command,
                                                  std::span<const std::byte> bytes, const CompileLimits& limits) {
  auto in = memoryFile(bytes);
  auto out = memoryFile({});
  if (!in.ok()) return std::move(in).error();
  if (!out.ok()) return std::move(out).error();
  const auto seconds = std::max<int64_t>(std::chrono::ceil<std::chrono::seconds>(limits.cpu_time).count(), 1);
  const size_t megabytes = limits.memory_bytes >> 20;
  std::vector<std::string> whole = command;
  whole.push_back(std::to_string(seconds));
  whole.push_back(std::to_string(megabytes));
  auto child = spawn(std::move(whole), in->get(), out->get());
  if (!child.ok()) return std::move(child).error();
  const int status = await(*child, std::chrono::seconds(2 * seconds + 5));
  const auto told = [&] { return readAll(out->get()); };
  if (WIFEXITED(status) && WEXITSTATUS(status) == kWritten) return told();
  if (WIFEXITED(status) && WEXITSTATUS(status) == kRefused) {
    const auto words = told();
    return failed(base::Code::Malformed, std::string(reinterpret_cast<const char*>(words.data()), words.size()));
  }
  const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  const bool too_long = signal == SIGXCPU || signal == SIGKILL;
  return failed(base::Code::TooLarge,
                too_long
                    ? fmt::format("Failed to load Wasm module: to compile it takes more than the limit of {} s of "
                                  "processor time",
                                  seconds)
                    : fmt::format("Failed to load Wasm module: to compile it takes more than the limit of {} MiB of "
                                  "memory (signal {})",
                                  megabytes, signal));
}

int compileForParent(const std::string& seconds, const std::string& megabytes) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlim_t time = std::strtoull(seconds.c_str(), nullptr, 10);
  const rlimit cpu{time, time + 1};
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CPU, &cpu);
  setrlimit(RLIMIT_CORE, &no_core);
  if constexpr (!base::kAddressSanitizer) {
    const rlim_t size = std::strtoull(megabytes.c_str(), nullptr, 10) << 20;
    const rlimit memory{size, size};
    setrlimit(RLIMIT_AS, &memory);
  }
  const std::vector<std::byte> module = readAll(STDIN_FILENO);
  auto engine = Engine::create({});
  if (!engine.ok()) return kRefused + 1;
  const auto code = (*engine)->makeNative(module);
  if (!code.ok()) {
    const std::string& why = code.error().detail;
    return writeAll(STDOUT_FILENO, std::as_bytes(std::span(why.data(), why.size()))) ? kRefused : kRefused + 1;
  }
  return writeAll(STDOUT_FILENO, *code) ? kWritten : kRefused + 1;
}

}  // namespace weir::wasm
