// WASI preview 1 as Proxy-Wasm means it (abi.md 1.7): what does something. Files 1 and 2 are the log, the environment
// is the configuration's, clocks and randomness are the host's.
#include <algorithm>

#include "base/random.h"
#include "proxy_wasm/host_functions.h"
#include "proxy_wasm/wasi_errno.h"

namespace weir::proxy_wasm {
namespace {

using namespace wasi;

constexpr uint32_t kMaxRandom = 64 * 1024;
// One line may be this long; more is cut, so that a guest cannot make the host gather gigabytes.
constexpr size_t kMaxLine = 1024 * 1024;

// All pieces of one call are one line, without the newline at its end.
uint32_t fdWrite(Call& call, uint32_t fd, uint32_t iovecs, uint32_t count, uint32_t written_out) {
  if (!isLog(fd)) return kBadf;
  std::string& line = call.vm().scratch();
  line.clear();
  uint64_t written = 0;
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t at = iovecs + i * 8;
    if (at > UINT32_MAX) return kFault;
    const auto iovec = call.read(static_cast<uint32_t>(at), 8);
    if (!iovec) return kFault;
    const auto bytes = call.read(loadU32(iovec->data()), loadU32(iovec->data() + 4));
    if (!bytes) return kFault;
    written += bytes->size();
    line.append(bytes->substr(0, kMaxLine - std::min(kMaxLine, line.size())));
  }
  if (!call.writeU32(written_out, static_cast<uint32_t>(written))) return kFault;
  if (line.empty()) return kSuccess;
  if (line.ends_with('\n')) line.pop_back();
  logFromGuest(call.context(), fd == 1 ? base::LogLevel::Info : base::LogLevel::Error, line);
  return kSuccess;
}

uint32_t fdPwrite(Call& call, uint32_t fd, uint32_t iovecs, uint32_t count, uint64_t, uint32_t written_out) {
  return fdWrite(call, fd, iovecs, count, written_out);
}

uint32_t environSizesGet(Call& call, uint32_t count_out, uint32_t size_out) {
  const auto& environment = call.vm().code().spec.environment;
  size_t size = 0;
  for (const auto& [key, value] : environment) size += key.size() + value.size() + 2;
  const bool written = call.writeU32(count_out, static_cast<uint32_t>(environment.size())) &&
                       call.writeU32(size_out, static_cast<uint32_t>(size));
  return written ? kSuccess : kFault;
}

uint32_t environGet(Call& call, uint32_t pointers, uint32_t bytes) {
  for (const auto& [key, value] : call.vm().code().spec.environment) {
    std::string entry = key + "=" + value;
    entry.push_back('\0');
    if (!call.writeU32(pointers, bytes) || !call.write(bytes, entry)) return kFault;
    pointers += 4;
    bytes += static_cast<uint32_t>(entry.size());
  }
  return kSuccess;
}

uint32_t argsSizesGet(Call& call, uint32_t count_out, uint32_t size_out) {
  return call.writeU32(count_out, 0) && call.writeU32(size_out, 0) ? kSuccess : kFault;
}
uint32_t argsGet(Call&, uint32_t, uint32_t) { return kSuccess; }

uint32_t clockTimeGet(Call& call, uint32_t id, uint64_t, uint32_t out) {
  const base::Clock& clock = call.vm().environment().clock;
  if (id > 1) return kNotsup;
  const auto now = id == 0 ? clock.wall().time_since_epoch() : clock.monotonic().time_since_epoch();
  const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
  return call.writeU64(out, static_cast<uint64_t>(nanoseconds)) ? kSuccess : kFault;
}

uint32_t clockResGet(Call& call, uint32_t id, uint32_t out) {
  if (id > 1) return kNotsup;
  return call.writeU64(out, 1) ? kSuccess : kFault;
}

uint32_t randomGet(Call& call, uint32_t out, uint32_t size) {
  if (size > kMaxRandom) return kInval;
  const auto view = call.guest().view(out, size);
  if (!view) return kFault;
  base::secureRandom(*view);
  return kSuccess;
}

uint32_t schedYield(Call&) { return kSuccess; }

// Nothing is ever waited for: Go's runtime only wants to hear success.
uint32_t pollOneoff(Call& call, uint32_t, uint32_t, uint32_t, uint32_t count_out) {
  return call.writeU32(count_out, 0) ? kSuccess : kFault;
}

// Returns to the guest, whose toolchain put a trap behind the call.
void procExit(Call& call, uint32_t code) {
  logFromGuest(call.context(), base::LogLevel::Error, fmt::format("proc_exit({})", code));
}

}  // namespace

std::vector<HostFunctionEntry> wasiFunctions() {
  constexpr auto kStart = Callable::AlsoAtStart;
  constexpr auto kAlways = Callable::Always;
  return {hostFunction<"wasi_snapshot_preview1.fd_write", fdWrite, kAlways>(),
          hostFunction<"wasi_snapshot_preview1.fd_pwrite", fdPwrite, kStart>(),
          hostFunction<"wasi_snapshot_preview1.environ_sizes_get", environSizesGet, kStart>(),
          hostFunction<"wasi_snapshot_preview1.environ_get", environGet, kStart>(),
          hostFunction<"wasi_snapshot_preview1.args_sizes_get", argsSizesGet, kStart>(),
          hostFunction<"wasi_snapshot_preview1.args_get", argsGet, kStart>(),
          hostFunction<"wasi_snapshot_preview1.clock_time_get", clockTimeGet, kAlways>(),
          hostFunction<"wasi_snapshot_preview1.clock_res_get", clockResGet, kStart>(),
          hostFunction<"wasi_snapshot_preview1.random_get", randomGet, kStart>(),
          hostFunction<"wasi_snapshot_preview1.sched_yield", schedYield>(),
          hostFunction<"wasi_snapshot_preview1.poll_oneoff", pollOneoff, kAlways>(),
          hostFunction<"wasi_snapshot_preview1.proc_exit", procExit>()};
}

}  // namespace weir::proxy_wasm
