#include "server/restart_message.h"

#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace weir::server {
namespace {

base::Error systemError(const std::string& what, int error) {
  const bool later = error == EAGAIN || error == EWOULDBLOCK;
  return {later ? base::Code::Unavailable : base::Code::Io, base::Side::Self, base::Retry::No,
          what + ": " + std::generic_category().message(error)};
}

// False: the name is too long.
bool addressOf(const std::string& name, sockaddr_un& address, socklen_t& length) {
  address = {};
  address.sun_family = AF_UNIX;
  if (name.empty() || name.size() >= sizeof address.sun_path) return false;
  std::memcpy(address.sun_path, name.data(), name.size());
  if (name[0] == '@') address.sun_path[0] = '\0';
  length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  return true;
}

base::Error tooLong(const std::string& name) {
  return {base::Code::InvalidArgument, base::Side::Operator, base::Retry::No, "--socket-path is too long: " + name};
}

constexpr size_t kControlSpace = CMSG_SPACE(sizeof(int) * kMaxRestartDescriptors);

void takeDescriptors(msghdr& header, std::vector<net::Fd>& out) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int descriptor = -1;
      std::memcpy(&descriptor, CMSG_DATA(part) + i * sizeof(int), sizeof descriptor);
      out.emplace_back(descriptor);
    }
  }
}

}  // namespace

std::string restartSocketName(const std::string& path, uint32_t base_id, uint32_t epoch) {
  return fmt::format("{}_{}_{}", path, base_id, epoch);
}

base::Result<net::Fd> listenForRestart(const std::string& name, int mode) {
  sockaddr_un address{};
  socklen_t length = 0;
  if (!addressOf(name, address, length)) return tooLong(name);
  net::Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.open()) return systemError("a socket for hot restart", errno);
  // A file outlives its process: if nobody answers there, it is nobody's.
  if (name[0] != '@' && !connectForRestart(name, std::chrono::seconds(1)).ok()) unlink(name.c_str());
  if (bind(socket.get(), reinterpret_cast<sockaddr*>(&address), length) != 0 || listen(socket.get(), 4) != 0) {
    return systemError("cannot bind " + name, errno);
  }
  if (name[0] != '@') chmod(name.c_str(), static_cast<mode_t>(mode));
  return socket;
}

base::Result<net::Fd> connectForRestart(const std::string& name, base::Duration timeout) {
  sockaddr_un address{};
  socklen_t length = 0;
  if (!addressOf(name, address, length)) return tooLong(name);
  net::Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!socket.open()) return systemError("a socket for hot restart", errno);
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(timeout).count();
  const timeval limit{micros / 1'000'000, micros % 1'000'000};
  setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (connect(socket.get(), reinterpret_cast<sockaddr*>(&address), length) != 0) {
    return systemError("cannot connect to " + name, errno);
  }
  return socket;
}

bool isTrustedPeer(const net::Fd& socket) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return false;
  return peer.uid == 0 || peer.uid == geteuid();
}

base::Result<void> sendMessage(const net::Fd& socket, std::string_view text, const std::vector<int>& descriptors) {
  if (text.size() > kMaxRestartText || descriptors.size() > kMaxRestartDescriptors) {
    return base::Error{base::Code::TooLarge, base::Side::Self, base::Retry::No, "a message of a hot restart"};
  }
  alignas(cmsghdr) std::array<char, kControlSpace> control{};
  iovec bytes{const_cast<char*>(text.data()), text.size()};
  msghdr header{};
  header.msg_iov = &bytes;
  header.msg_iovlen = 1;
  if (!descriptors.empty()) {
    const size_t size = sizeof(int) * descriptors.size();
    header.msg_control = control.data();
    header.msg_controllen = CMSG_SPACE(size);
    cmsghdr* part = CMSG_FIRSTHDR(&header);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(part), descriptors.data(), size);
  }
  if (sendmsg(socket.get(), &header, MSG_NOSIGNAL) < 0) return systemError("the other process takes nothing", errno);
  return base::Ok{};
}

base::Result<RestartMessage> receiveMessage(const net::Fd& socket) {
  alignas(cmsghdr) std::array<char, kControlSpace> control{};
  RestartMessage message;
  message.text.resize(kMaxRestartText);
  iovec bytes{message.text.data(), message.text.size()};
  msghdr header{};
  header.msg_iov = &bytes;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  const ssize_t got = recvmsg(socket.get(), &header, MSG_CMSG_CLOEXEC);
  if (got < 0) return systemError("the other process says nothing", errno);
  takeDescriptors(header, message.descriptors);
  if (got == 0) {
    return base::Error{base::Code::Reset, base::Side::Self, base::Retry::No, "the other process has gone"};
  }
  if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
    return base::Error{base::Code::TooLarge, base::Side::Self, base::Retry::No, "a message of a hot restart was cut"};
  }
  message.text.resize(static_cast<size_t>(got));
  return message;
}

}  // namespace weir::server
