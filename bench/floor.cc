// The floor of the benchmarks: what moving bytes costs when nobody looks at them.
//
//   floor forward LISTEN_PORT ORIGIN_PORT   one origin connection for each client connection, bytes copied both ways
//   floor origin PORT                       answers every request with 12 bytes of body, or what its target asks for:
//                                           body=N in it: N bytes; /echo: the request's body; /head: the request's head
//
// One thread, level-triggered epoll, read until a short read, write at once. A proxy that reads HTTP cannot cost less
// than the forwarder by much; how much more it costs is the figure that bench/run prints.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct Peer {
  int fd = -1;
  Peer* other = nullptr;
  std::string unsent;  // Towards fd.
  size_t sent = 0;     // Of unsent.
  // Origin: the request as far as it has come, and what it will be answered.
  std::string head;
  size_t body_left = 0;
  bool in_body = false;
  bool echo = false;
  std::string answer;
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

// While bytes wait for a peer, the other one is not read.
void send(Peer* to, std::string_view bytes) {
  if (to->unsent.empty()) {
    const ssize_t sent = ::send(to->fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) bytes.remove_prefix(static_cast<size_t>(sent));
    if (bytes.empty()) return;
    watch(to, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
    if (to->other != nullptr) watch(to->other, to->other->unsent.empty() ? 0U : EPOLLOUT, EPOLL_CTL_MOD);
  }
  to->unsent.append(bytes);
}

void sendRest(Peer* to) {
  const ssize_t sent = ::send(to->fd, to->unsent.data() + to->sent, to->unsent.size() - to->sent, MSG_NOSIGNAL);
  if (sent > 0) to->sent += static_cast<size_t>(sent);
  if (to->sent < to->unsent.size()) return;
  to->unsent.clear();
  to->sent = 0;
  watch(to, EPOLLIN, EPOLL_CTL_MOD);
  if (to->other != nullptr) watch(to->other, to->other->unsent.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
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

// The value of content-length, in the spellings that proxies use.
size_t contentLength(std::string_view head) {
  static constexpr std::string_view kCommon = "ontent-";
  for (size_t at = head.find(kCommon); at != std::string_view::npos; at = head.find(kCommon, at + 1)) {
    const std::string_view rest = head.substr(at + kCommon.size());
    if (rest.starts_with("length:") || rest.starts_with("Length:")) return std::strtoul(rest.data() + 7, nullptr, 10);
  }
  return 0;
}

std::string withHead(std::string_view body) {
  return "HTTP/1.1 200 OK\r\ncontent-length: " + std::to_string(body.size()) + "\r\ncontent-type: text/plain\r\n\r\n" +
         std::string(body);
}

const std::string& answerOf(size_t size) {
  static std::map<size_t, std::string> made;
  std::string& answer = made[size];
  if (answer.empty()) answer = withHead(std::string(size, 'x'));
  return answer;
}

// Decides on the answer when the head has come. /echo collects the body first.
void readHead(Peer* client, std::string_view head) {
  static const std::string kHello = withHead("hello world\n");
  const std::string_view target = head.substr(0, head.find("\r\n"));
  const size_t size = target.find("body=");
  client->body_left = contentLength(head);
  client->in_body = true;
  client->echo = target.find(" /echo") != std::string_view::npos;
  if (client->echo) {
    client->answer.clear();
  } else if (target.find(" /head") != std::string_view::npos) {
    client->answer = withHead(head);
  } else {
    client->answer =
        size == std::string_view::npos ? kHello : answerOf(std::strtoul(target.data() + size + 5, nullptr, 10));
  }
}

// One answer for each request, when all of it has come.
void answer(Peer* client, std::string_view bytes) {
  for (;;) {
    if (!client->in_body) {
      client->head.append(bytes);
      const size_t end = client->head.find("\r\n\r\n");
      if (end == std::string::npos) return;
      readHead(client, std::string_view(client->head).substr(0, end + 4));
      bytes.remove_prefix(bytes.size() - (client->head.size() - end - 4));
      client->head.clear();
    }
    const std::string_view body = bytes.substr(0, std::min(bytes.size(), client->body_left));
    if (client->echo) client->answer.append(body);
    bytes.remove_prefix(body.size());
    client->body_left -= body.size();
    if (client->body_left > 0) return;
    client->in_body = false;
    send(client, client->echo ? withHead(client->answer) : client->answer);
    if (bytes.empty()) return;
  }
}

void read(Peer* peer, bool forward, std::vector<Peer*>& dead) {
  for (;;) {
    const ssize_t got = recv(peer->fd, buffer, sizeof(buffer), 0);
    if (got == 0 || (got < 0 && errno != EAGAIN)) return closePair(peer, dead);
    if (got < 0) return;
    const std::string_view bytes(buffer, static_cast<size_t>(got));
    forward ? send(peer->other, bytes) : answer(peer, bytes);
    if (static_cast<size_t>(got) < sizeof(buffer)) return;
    if (forward && !peer->other->unsent.empty()) return;
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
