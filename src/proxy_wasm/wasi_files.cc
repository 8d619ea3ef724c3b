// The rest of WASI preview 1: there are no files, directories or sockets, and each function says so in the way that
// toolchains' start-up code expects (abi.md 1.7).
#include <array>

#include "proxy_wasm/host_functions.h"
#include "proxy_wasm/wasi_errno.h"

namespace weir::proxy_wasm {
namespace {

using namespace wasi;
using U = uint32_t;
using UL = uint64_t;

template <Errno kAnswer, typename... A>
U answer(Call&, A...) {
  return kAnswer;
}

// Success for the log's files, "bad file" for others.
template <typename... A>
U onLog(Call&, U fd, A...) {
  return isLog(fd) ? kSuccess : kBadf;
}

U fdSeek(Call& call, U fd, UL, U, U) {
  LOG(Wasm, Trace, "wasm log{}: fd_seek({})", call.context().logPrefix(), fd);
  return kSuccess;
}

U fdTell(Call& call, U fd, U out) {
  if (!isLog(fd)) return kBadf;
  return call.writeU64(out, 0) ? kSuccess : kFault;
}

// fs_filetype and flags 0, and the right to write.
U fdFdstatGet(Call& call, U fd, U out) {
  if (!isLog(fd)) return kBadf;
  constexpr uint64_t kRightToWrite = 64;
  std::array<char, 24> stat{};
  storeU64(stat.data() + 8, kRightToWrite);
  return call.write(out, {stat.data(), stat.size()}) ? kSuccess : kFault;
}

U fdReaddir(Call& call, U, U, U, UL, U size_out) { return call.writeU32(size_out, 0) ? kNotdir : kFault; }
U fdRenumber(Call&, U from, U) { return isLog(from) ? kNotsup : kBadf; }
U pathReadlink(Call& call, U, U, U, U, U, U size_out) { return call.writeU32(size_out, 0) ? kNotsup : kFault; }

U sockRecv(Call& call, U, U, U, U, U size_out, U flags_out) {
  return call.writeU32(size_out, 0) && call.writeU32(flags_out, 0) ? kNotsup : kFault;
}
U sockSend(Call& call, U, U, U, U, U size_out) { return call.writeU32(size_out, 0) ? kNotsup : kFault; }

constexpr auto kClose = answer<kSuccess, U>;
constexpr auto kRead = answer<kNosys, U, U, U, U>;
constexpr auto kPread = answer<kNosys, U, U, U, UL, U>;
constexpr auto kSetFlags = answer<kNosys, U, U>;
constexpr auto kSetRights = onLog<UL, UL>;
constexpr auto kFilestat = answer<kBadf, U, U>;
constexpr auto kSetSize = onLog<UL>;
constexpr auto kSetTimes = onLog<UL, UL, U>;
constexpr auto kAdvise = answer<kSuccess, U, UL, UL, U>;
constexpr auto kAllocate = onLog<UL, UL>;
constexpr auto kSync = onLog<>;
constexpr auto kPrestatGet = answer<kBadf, U, U>;
constexpr auto kPrestatName = answer<kNosys, U, U, U>;
constexpr auto kPathOpen = answer<kNoent, U, U, U, U, U, UL, UL, U, U>;
constexpr auto kPath3 = answer<kNotsup, U, U, U>;
constexpr auto kPathFilestat = answer<kNotsup, U, U, U, U, U>;
constexpr auto kPathTimes = answer<kNotsup, U, U, U, U, UL, UL, U>;
constexpr auto kPathLink = answer<kNotsup, U, U, U, U, U, U, U>;
constexpr auto kPathRename = answer<kNotsup, U, U, U, U, U, U>;
constexpr auto kPathSymlink = answer<kNotsup, U, U, U, U, U>;
constexpr auto kAccept = answer<kNotsup, U, U, U>;
constexpr auto kShutdown = answer<kNotsup, U, U>;

template <FixedName kName, auto kFunction>
HostFunctionEntry atStart() {
  return hostFunction<kName, kFunction, Callable::AlsoAtStart>();
}

}  // namespace

std::vector<HostFunctionEntry> wasiFileFunctions() {
  return {hostFunction<"wasi_snapshot_preview1.fd_read", kRead>(),
          hostFunction<"wasi_snapshot_preview1.fd_seek", fdSeek>(),
          hostFunction<"wasi_snapshot_preview1.fd_close", kClose>(),
          hostFunction<"wasi_snapshot_preview1.path_open", kPathOpen>(),
          atStart<"wasi_snapshot_preview1.fd_pread", kPread>(),
          atStart<"wasi_snapshot_preview1.fd_tell", fdTell>(),
          atStart<"wasi_snapshot_preview1.fd_fdstat_get", fdFdstatGet>(),
          atStart<"wasi_snapshot_preview1.fd_fdstat_set_flags", kSetFlags>(),
          atStart<"wasi_snapshot_preview1.fd_fdstat_set_rights", kSetRights>(),
          atStart<"wasi_snapshot_preview1.fd_filestat_get", kFilestat>(),
          atStart<"wasi_snapshot_preview1.fd_filestat_set_size", kSetSize>(),
          atStart<"wasi_snapshot_preview1.fd_filestat_set_times", kSetTimes>(),
          atStart<"wasi_snapshot_preview1.fd_advise", kAdvise>(),
          atStart<"wasi_snapshot_preview1.fd_allocate", kAllocate>(),
          atStart<"wasi_snapshot_preview1.fd_datasync", kSync>(),
          atStart<"wasi_snapshot_preview1.fd_sync", kSync>(),
          atStart<"wasi_snapshot_preview1.fd_prestat_get", kPrestatGet>(),
          atStart<"wasi_snapshot_preview1.fd_prestat_dir_name", kPrestatName>(),
          atStart<"wasi_snapshot_preview1.fd_readdir", fdReaddir>(),
          atStart<"wasi_snapshot_preview1.fd_renumber", fdRenumber>(),
          atStart<"wasi_snapshot_preview1.path_filestat_get", kPathFilestat>(),
          atStart<"wasi_snapshot_preview1.path_filestat_set_times", kPathTimes>(),
          atStart<"wasi_snapshot_preview1.path_create_directory", kPath3>(),
          atStart<"wasi_snapshot_preview1.path_remove_directory", kPath3>(),
          atStart<"wasi_snapshot_preview1.path_unlink_file", kPath3>(),
          atStart<"wasi_snapshot_preview1.path_link", kPathLink>(),
          atStart<"wasi_snapshot_preview1.path_readlink", pathReadlink>(),
          atStart<"wasi_snapshot_preview1.path_rename", kPathRename>(),
          atStart<"wasi_snapshot_preview1.path_symlink", kPathSymlink>(),
          atStart<"wasi_snapshot_preview1.sock_accept", kAccept>(),
          atStart<"wasi_snapshot_preview1.sock_recv", sockRecv>(),
          atStart<"wasi_snapshot_preview1.sock_send", sockSend>(),
          atStart<"wasi_snapshot_preview1.sock_shutdown", kShutdown>()};
}

}  // namespace weir::proxy_wasm
