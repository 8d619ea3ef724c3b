#include "net/listener.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <system_error>

#include "base/check.h"

namespace weir::net {
namespace {

base::Error systemError(const std::string& what, int error) {
  return {base::Code::Io, base::Side::Operator, base::Retry::No, what + ": " + std::generic_category().message(error)};
}

bool setOption(const Fd& socket, int level, int option, int value) {
  return setsockopt(socket.get(), level, option, &value, sizeof value) == 0;
}

base::Result<void> setOptions(const Fd& socket, const Address& address, const ListenOptions& options) {
  if (!address.isIp()) return base::Ok{};
  bool ok = setOption(socket, SOL_SOCKET, SO_REUSEADDR, 1);
  if (options.reuse_port) ok = ok && setOption(socket, SOL_SOCKET, SO_REUSEPORT, 1);
  if (address.family() == AF_INET6) ok = ok && setOption(socket, IPPROTO_IPV6, IPV6_V6ONLY, options.v6_only);
  if (options.no_delay) ok = ok && setOption(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  if (!ok) return systemError("cannot set options of a socket for " + address.toString(), errno);
  return base::Ok{};
}

// A socket's file outlives its process. Anything else of that name is not ours to remove.
void removeStaleFile(const Address& address) {
  if (address.family() != AF_UNIX) return;
  const std::string path = address.ip();
  struct stat info {};
  if (path.starts_with('@') || stat(path.c_str(), &info) != 0 || !S_ISSOCK(info.st_mode)) return;
  unlink(path.c_str());
}

Address boundAddress(const Fd& socket) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (getsockname(socket.get(), reinterpret_cast<sockaddr*>(&storage), &length) != 0) return {};
  return Address::fromSockaddr(reinterpret_cast<const sockaddr*>(&storage), length);
}

// RFC 793 resets and firewalls: the connection died in the queue. The next one may be well.
bool onlyThisConnection(int error) {
  return error == ECONNABORTED || error == EINTR || error == EPROTO || error == EPERM || error == ENETDOWN ||
         error == ENETUNREACH || error == EHOSTDOWN || error == EHOSTUNREACH || error == ENOPROTOOPT || error == ENONET;
}

}  // namespace

Address Listener::addressOf(const Fd& socket) { return boundAddress(socket); }

base::Result<std::unique_ptr<Listener>> Listener::bind(event::Loop& loop, const Address& address,
                                                       const ListenOptions& options, Acceptor& acceptor) {
  auto socket = bindSocket(address, options);
  if (!socket.ok()) return std::move(socket).error();
  return adopt(loop, *std::move(socket), options, acceptor);
}

base::Result<Fd> Listener::bindSocket(const Address& address, const ListenOptions& options) {
  Fd socket(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.open()) return systemError("cannot make a socket for " + address.toString(), errno);
  base::Result<void> set = setOptions(socket, address, options);
  if (!set.ok()) return std::move(set).error();
  removeStaleFile(address);
  if (::bind(socket.get(), address.sockaddrPtr(), address.length()) != 0) {
    return systemError("cannot bind " + address.toString(), errno);
  }
  if (address.family() == AF_UNIX && options.unix_mode != 0 && address.ip()[0] != '@' &&
      chmod(address.ip().c_str(), static_cast<mode_t>(options.unix_mode)) != 0) {
    return systemError("cannot set the mode of " + address.toString(), errno);
  }
  return socket;
}

base::Result<void> Listener::listen(const Fd& socket, const ListenOptions& options) {
  if (::listen(socket.get(), options.backlog) == 0) return base::Ok{};
  return systemError("cannot listen on " + addressOf(socket).toString(), errno);
}

base::Result<std::unique_ptr<Listener>> Listener::adopt(event::Loop& loop, Fd socket, const ListenOptions& options,
                                                        Acceptor& acceptor) {
  const Address address = boundAddress(socket);
  if (address.family() == AF_UNSPEC) return systemError("an inherited descriptor is no bound socket", errno);
  return std::unique_ptr<Listener>(new Listener(loop, std::move(socket), options, acceptor));
}

Listener::Listener(event::Loop& loop, Fd socket, const ListenOptions& options, Acceptor& acceptor)
    : loop_(loop),
      socket_(std::move(socket)),
      address_(boundAddress(socket_)),
      options_(options),
      acceptor_(acceptor),
      rest_(loop, [this] { setInterest(!paused_); }) {}

Listener::~Listener() {
  if (watched_) loop_.unwatch(socket_.get());
}

base::Result<void> Listener::start() {
  CHECK(!watched_);
  if (auto listening = listen(socket_, options_); !listening.ok()) return listening;
  base::Result<void> watched = loop_.watch(socket_.get(), paused_ ? 0u : uint32_t{event::kReadable}, *this);
  watched_ = watched.ok();
  return watched;
}

void Listener::onIo(uint32_t) {
  event::Lifeline::Sight sight(lifeline_);
  for (int i = 0; i < kMostAcceptedPerTurn; ++i) {
    if (!acceptOne() || !sight.alive() || paused_) return;
  }
}

bool Listener::acceptOne() {
  if (!socket_.open()) return false;
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  Fd accepted(accept4(socket_.get(), reinterpret_cast<sockaddr*>(&storage), &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (accepted.open()) {
    acceptor_.onAccepted(std::move(accepted),
                         Address::fromSockaddr(reinterpret_cast<const sockaddr*>(&storage), length));
    return true;
  }
  if (onlyThisConnection(errno)) return true;
  if (errno != EAGAIN && errno != EWOULDBLOCK) rest(errno);
  return false;
}

void Listener::rest(int error) {
  setInterest(false);
  rest_.arm(kRestAfterExhaustion);
  acceptor_.onAcceptFailed({base::Code::Io, base::Side::Self, base::Retry::Yes,
                            "cannot accept on " + address_.toString() + ": " + std::generic_category().message(error)});
}

void Listener::setInterest(bool accepting) {
  if (watched_) loop_.setInterest(socket_.get(), accepting ? uint32_t{event::kReadable} : 0u, *this);
}

void Listener::pause() {
  if (std::exchange(paused_, true)) return;
  setInterest(false);
}

void Listener::resume() {
  if (!std::exchange(paused_, false) || rest_.armed()) return;
  setInterest(true);
}

void Listener::abandon() {
  if (!socket_.open()) return;
  rest_.disarm();
  if (std::exchange(watched_, false)) loop_.unwatch(socket_.get());
  socket_.reset();
}

void Listener::close() {
  if (!socket_.open()) return;
  rest_.disarm();
  const bool listening = watched_;
  if (watched_) loop_.unwatch(socket_.get());
  watched_ = false;
  event::Lifeline::Sight sight(lifeline_);
  for (int i = 0; listening && i < options_.backlog && acceptOne(); ++i) {
    if (!sight.alive()) return;
  }
  if (!sight.alive()) return;
  rest_.disarm();
  socket_.reset();
}

}  // namespace weir::net
