// The floor of the benchmarks: what moving bytes costs when nobody looks at them.
//
//   floor forward LISTEN_PORT ORIGIN_PORT   one origin connection for each client connection, bytes copied both ways
//   floor origin PORT                       answers every request head with 12 bytes of body
//
// One thread, level-triggered epoll, read until a short read, write at once. A proxy that reads HTTP cannot cost less
// than the forwarder by much; how much more it costs is the figure that bench/run prints.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct Peer {
  int fd = -1;
  Peer* other = nullptr;
  std::string unsent;  // Towards fd.
  std::string head;    // Origin: the request as far as it has come.
  bool listener = false;
  bool dead = false;
};

int epoll_fd;
char buffer[64 * 1024];

void watch(Peer* peer, uint32_t events, int operation) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = peer;
  epoll_ctl(epoll_fd, operation, peer->fd, &event);
}

void noDelay(int fd) {
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

Peer* listenOn(int port) {
  auto* peer = new Peer;
  peer->listener = true;
  peer->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int one = 1;
  setsockopt(peer->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
  const sockaddr_in address = loopback(port);
  if (bind(peer->fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      listen(peer->fd, 4096) != 0) {
    std::perror("listen");
    std::exit(1);
  }
  watch(peer, EPOLLIN, EPOLL_CTL_ADD);
  return peer;
}

void send(Peer* to, std::string_view bytes) {
  if (to->unsent.empty()) {
    const ssize_t sent = ::send(to->fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) bytes.remove_prefix(static_cast<size_t>(sent));
    if (bytes.empty()) return;
    watch(to, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
  }
  to->unsent.append(bytes);
}

void sendRest(Peer* to) {
  const ssize_t sent = ::send(to->fd, to->unsent.data(), to->unsent.size(), MSG_NOSIGNAL);
  if (sent > 0) to->unsent.erase(0, static_cast<size_t>(sent));
  if (to->unsent.empty()) watch(to, EPOLLIN, EPOLL_CTL_MOD);
}

void closePair(Peer* peer, std::vector<Peer*>& dead) {
  for (Peer* each : {peer, peer->other}) {
    if (each == nullptr || each->dead) continue;
    each->dead = true;
    close(each->fd);
    dead.push_back(each);
  }
}

void accept(Peer* listener, int origin_port) {
  for (int i = 0; i < 64; ++i) {
    const int fd = accept4(listener->fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    noDelay(fd);
    auto* client = new Peer;
    client->fd = fd;
    if (origin_port > 0) {
      auto* origin = new Peer;
      origin->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const sockaddr_in address = loopback(origin_port);
      if (connect(origin->fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
        close(origin->fd);
        close(fd);
        delete origin;
        delete client;
        continue;
      }
      noDelay(origin->fd);
      fcntl(origin->fd, F_SETFL, O_NONBLOCK);
      origin->other = client;
      client->other = origin;
      watch(origin, EPOLLIN, EPOLL_CTL_ADD);
    }
    watch(client, EPOLLIN, EPOLL_CTL_ADD);
  }
}

// One answer for each request head; a body is skipped by its content-length.
void answer(Peer* client, std::string_view bytes) {
  static constexpr std::string_view kAnswer =
      "HTTP/1.1 200 OK\r\ncontent-length: 12\r\ncontent-type: text/plain\r\n\r\nhello world\n";
  client->head.append(bytes);
  std::string out;
  for (;;) {
    const size_t end = client->head.find("\r\n\r\n");
    if (end == std::string::npos) break;
    size_t body = 0;
    const size_t length = client->head.find("content-length: ");
    if (length < end) body = std::strtoul(client->head.c_str() + length + 16, nullptr, 10);
    if (client->head.size() < end + 4 + body) break;
    client->head.erase(0, end + 4 + body);
    out.append(kAnswer);
  }
  if (!out.empty()) send(client, out);
}

void read(Peer* peer, bool forward, std::vector<Peer*>& dead) {
  for (;;) {
    const ssize_t got = recv(peer->fd, buffer, sizeof(buffer), 0);
    if (got == 0 || (got < 0 && errno != EAGAIN)) return closePair(peer, dead);
    if (got < 0) return;
    const std::string_view bytes(buffer, static_cast<size_t>(got));
    forward ? send(peer->other, bytes) : answer(peer, bytes);
    if (static_cast<size_t>(got) < sizeof(buffer)) return;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bool forward = argc == 4 && std::strcmp(argv[1], "forward") == 0;
  const bool origin = argc == 3 && std::strcmp(argv[1], "origin") == 0;
  if (!forward && !origin) {
    std::fprintf(stderr, "usage: floor forward LISTEN_PORT ORIGIN_PORT | floor origin PORT\n");
    return 2;
  }
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  listenOn(std::atoi(argv[2]));
  epoll_event events[256];
  std::vector<Peer*> dead;
  for (;;) {
    const int count = epoll_wait(epoll_fd, events, 256, -1);
    for (int i = 0; i < count; ++i) {
      auto* peer = static_cast<Peer*>(events[i].data.ptr);
      if (peer->dead) continue;
      if (peer->listener) {
        accept(peer, forward ? std::atoi(argv[3]) : 0);
        continue;
      }
      if ((events[i].events & EPOLLOUT) != 0) sendRest(peer);
      if ((events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read(peer, forward, dead);
    }
    for (Peer* peer : dead) delete peer;
    dead.clear();
  }
}
