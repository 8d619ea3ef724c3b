#include "net/dns.h"

#include <ares.h>
#include <sys/socket.h>

#include <algorithm>
#include <mutex>
#include <vector>

#include "base/check.h"
#include "base/log.h"
#include "event/timer.h"

namespace weir::net {
namespace {

// How often c-ares is reminded of its time-outs while it waits: it has no timers of its own.
constexpr base::Duration kLongestReminder = std::chrono::seconds(1);

void setUpLibraryOnce() {
  static std::once_flag once;
  std::call_once(once, [] { CHECK(ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS); });
}

class AresResolver;
class Handle;

// Lives until c-ares answers, because a single question cannot be taken back; the caller's handle only points here, and
// each forgets the other.
struct Question {
  AresResolver& resolver;
  std::string name;
  LookupFamily family;
  Resolver::OnAnswer on_answer;
  bool second_family = false;
  bool* answered = nullptr;  // While resolve() stands above: there is no handle yet.
  Handle* handle = nullptr;  // Null afterwards: dropped.
};

class Handle final : public Resolver::Query {
 public:
  explicit Handle(Question& question) : question_(&question) { question.handle = this; }
  ~Handle() override {
    if (question_ != nullptr) question_->handle = nullptr;
  }
  void onAnswered() { question_ = nullptr; }

 private:
  Question* question_;
};

class AresResolver final : public Resolver {
 public:
  AresResolver(event::Loop& loop, const std::string& servers, base::Duration timeout);
  ~AresResolver() override;
  std::unique_ptr<Query> resolve(std::string_view name, LookupFamily family, OnAnswer on_answer) override;

 private:
  // One of c-ares' sockets, watched.
  struct Socket final : event::IoHandler, event::Deferred {
    Socket(AresResolver& resolver, int fd) : resolver(resolver), fd(fd) {}
    void onIo(uint32_t events) override { resolver.onIo(fd, events); }
    AresResolver& resolver;
    int fd;
  };

  void ask(Question* question);
  static void onAresAnswer(void* argument, int status, int timeouts, ares_addrinfo* found);
  void onAnswer(Question* question, int status, ares_addrinfo* found);
  static void onSocketState(void* argument, ares_socket_t fd, int readable, int writable);
  void watch(int fd, uint32_t interest);
  void onIo(int fd, uint32_t events);
  void onReminder();
  void armReminder();

  event::Loop& loop_;
  event::Timer reminder_;
  ares_channel channel_ = nullptr;
  std::vector<std::unique_ptr<Socket>> sockets_;
  bool ending_ = false;
};

AresResolver::AresResolver(event::Loop& loop, const std::string& servers, base::Duration timeout)
    : loop_(loop), reminder_(loop, [this] { onReminder(); }) {
  setUpLibraryOnce();
  ares_options options{};
  options.sock_state_cb = &AresResolver::onSocketState;
  options.sock_state_cb_data = this;
  int mask = ARES_OPT_SOCK_STATE_CB;
  if (timeout > base::Duration::zero()) {
    options.timeout = static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count());
    options.tries = 1;
    mask |= ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES;
  }
  CHECK(ares_init_options(&channel_, &options, mask) == ARES_SUCCESS);
  if (!servers.empty() && ares_set_servers_ports_csv(channel_, servers.c_str()) != ARES_SUCCESS) {
    LOG(Dns, Error, "bad list of DNS servers: {}", servers);
  }
}

// c-ares answers every question (ARES_EDESTRUCTION) and closes its sockets.
AresResolver::~AresResolver() {
  ending_ = true;
  ares_destroy(channel_);
}

int aresFamily(const Question& question) {
  switch (question.family) {
    case LookupFamily::V4Only: return AF_INET;
    case LookupFamily::V6Only: return AF_INET6;
    case LookupFamily::Auto: return question.second_family ? AF_INET : AF_INET6;
    case LookupFamily::V4Preferred: return question.second_family ? AF_INET6 : AF_INET;
    case LookupFamily::All: return AF_UNSPEC;
  }
  return AF_UNSPEC;
}

Resolved entriesOf(const ares_addrinfo& found) {
  Resolved resolved;
  for (const ares_addrinfo_node* node = found.nodes; node != nullptr; node = node->ai_next) {
    const base::Duration ttl = std::chrono::seconds(std::max(node->ai_ttl, 0));
    resolved.entries.push_back({Address::fromSockaddr(node->ai_addr, node->ai_addrlen), ttl});
  }
  return resolved;
}

std::unique_ptr<Resolver::Query> AresResolver::resolve(std::string_view name, LookupFamily family, OnAnswer on_answer) {
  const base::Result<Address> literal = Address::parseIp(name, 0);
  if (literal.ok()) {
    Resolved resolved;
    resolved.entries.push_back({*literal, std::chrono::hours(24)});
    on_answer(std::move(resolved));
    return nullptr;
  }
  bool answered = false;
  auto* question = new Question{*this, std::string(name), family, std::move(on_answer)};
  question->answered = &answered;
  ask(question);
  if (answered) return nullptr;
  question->answered = nullptr;
  return std::make_unique<Handle>(*question);
}

void AresResolver::ask(Question* question) {
  ares_addrinfo_hints hints{};
  hints.ai_family = aresFamily(*question);
  hints.ai_socktype = SOCK_STREAM;  // One entry per address.
  hints.ai_flags = ARES_AI_NOSORT;  // Sorting opens a socket per address, and a balancer does not care.
  ares_getaddrinfo(channel_, question->name.c_str(), nullptr, &hints, &AresResolver::onAresAnswer, question);
  if (!ending_) armReminder();
}

void AresResolver::onAresAnswer(void* argument, int status, int, ares_addrinfo* found) {
  auto* question = static_cast<Question*>(argument);
  question->resolver.onAnswer(question, status, found);
  ares_freeaddrinfo(found);
}

void AresResolver::onAnswer(Question* question, int status, ares_addrinfo* found) {
  const bool wanted = question->answered != nullptr || question->handle != nullptr;
  Resolved resolved;
  if (status == ARES_SUCCESS && found != nullptr) resolved = entriesOf(*found);
  const bool may_try_other = question->family == LookupFamily::Auto || question->family == LookupFamily::V4Preferred;
  if (wanted && !ending_ && resolved.entries.empty() && may_try_other && !question->second_family) {
    question->second_family = true;
    return ask(question);
  }
  const std::unique_ptr<Question> last(question);
  if (question->handle != nullptr) question->handle->onAnswered();
  if (question->answered != nullptr) *question->answered = true;
  if (!wanted || ending_) return;
  if (!resolved.entries.empty()) return question->on_answer(std::move(resolved));
  const bool absent = status == ARES_SUCCESS || status == ARES_ENOTFOUND || status == ARES_ENODATA;
  question->on_answer(base::Error{
      absent ? base::Code::NotFound : base::Code::Unavailable, base::Side::Upstream, base::Retry::Yes,
      "cannot resolve " + question->name + ": " + ares_strerror(status == ARES_SUCCESS ? ARES_ENODATA : status)});
}

// --- c-ares' sockets and time-outs on the loop ---

void AresResolver::onSocketState(void* argument, ares_socket_t fd, int readable, int writable) {
  uint32_t interest = 0;
  if (readable) interest |= event::kReadable;
  if (writable) interest |= event::kWritable;
  static_cast<AresResolver*>(argument)->watch(fd, interest);
}

// No interest: c-ares is about to close the socket.
void AresResolver::watch(int fd, uint32_t interest) {
  const auto at = std::find_if(sockets_.begin(), sockets_.end(), [fd](const auto& socket) { return socket->fd == fd; });
  if (at == sockets_.end()) {
    if (interest == 0) return;
    auto socket = std::make_unique<Socket>(*this, fd);
    // Unwatched, the question ends by its time-out.
    if (loop_.watch(fd, interest, *socket).ok()) sockets_.push_back(std::move(socket));
    return;
  }
  if (interest != 0) return loop_.setInterest(fd, interest, **at);
  loop_.unwatch(fd);
  loop_.destroyLater(std::move(*at));
  sockets_.erase(at);
}

void AresResolver::onIo(int fd, uint32_t events) {
  const bool readable = events & ~uint32_t{event::kWritable};
  const bool writable = events & event::kWritable;
  ares_process_fd(channel_, readable ? fd : ARES_SOCKET_BAD, writable ? fd : ARES_SOCKET_BAD);
  armReminder();
}

void AresResolver::onReminder() {
  ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  armReminder();
}

void AresResolver::armReminder() {
  timeval longest{.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(kLongestReminder).count(), .tv_usec = 0};
  timeval wait{};
  if (sockets_.empty()) return reminder_.disarm();
  if (ares_timeout(channel_, &longest, &wait) == nullptr) return reminder_.disarm();
  reminder_.arm(std::chrono::seconds(wait.tv_sec) + std::chrono::microseconds(wait.tv_usec));
}

}  // namespace

std::unique_ptr<Resolver> createResolver(event::Loop& loop) {
  return std::make_unique<AresResolver>(loop, "", base::Duration::zero());
}

std::unique_ptr<Resolver> createResolver(event::Loop& loop, const std::string& servers, base::Duration timeout) {
  return std::make_unique<AresResolver>(loop, servers, timeout);
}

}  // namespace weir::net
