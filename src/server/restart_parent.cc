#include "server/restart_parent.h"

#include <fmt/core.h>
#include <poll.h>
#include <sys/socket.h>

#include <charconv>

#include "base/log.h"

namespace weir::server {
namespace {

size_t numberIn(std::string_view text) {
  size_t number = SIZE_MAX;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

RestartParent::RestartParent(event::Loop& loop, net::Fd socket, Owner& owner, stats::Store& stats, uint32_t epoch)
    : loop_(loop), socket_(std::move(socket)), owner_(owner), stats_(stats), epoch_(epoch) {}

RestartParent::~RestartParent() {
  if (successor_.open()) loop_.unwatch(successor_.get());
  loop_.unwatch(socket_.get());
}

base::Result<std::unique_ptr<RestartParent>> RestartParent::open(event::Loop& loop, net::Fd socket, Owner& owner,
                                                                 stats::Store& stats, uint32_t epoch) {
  std::unique_ptr<RestartParent> parent(new RestartParent(loop, std::move(socket), owner, stats, epoch));
  auto watched = loop.watch(parent->socket_.get(), event::kReadable, *parent);
  if (!watched.ok()) return std::move(watched).error();
  return parent;
}

// Level-triggered: whichever of the two sockets it was is asked again.
void RestartParent::onIo(uint32_t) {
  if (successor_.open()) serve();
  accept();
}

void RestartParent::accept() {
  net::Fd peer(accept4(socket_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!peer.open()) return;
  if (!isTrustedPeer(peer)) {
    LOG(Main, Warning, "hot restart: another user's process was turned away");
    return;
  }
  if (successor_.open()) {
    // Its greeting is read first: closing with that unread would turn the refusal into a reset.
    pollfd greeting{peer.get(), POLLIN, 0};
    if (::poll(&greeting, 1, 100) == 1) [[maybe_unused]]
      const auto heard = receiveMessage(peer);
    [[maybe_unused]] const auto told = sendMessage(peer, "refused another process is restarting this one");
    return;
  }
  successor_ = std::move(peer);
  if (!loop_.watch(successor_.get(), event::kReadable, *this).ok()) successor_.reset();
}

void RestartParent::serve() {
  while (successor_.open()) {
    auto question = receiveMessage(successor_);
    if (question.ok()) {
      answer(question->text);
      continue;
    }
    if (question.error().code != base::Code::Unavailable) forget();
    return;
  }
}

void RestartParent::answer(const std::string& question) {
  if (question == fmt::format("hello {}", kRestartProtocol)) {
    greeted_ = true;
    return say(fmt::format("hello {} {}", kRestartProtocol, epoch_));
  }
  if (!greeted_) {
    say(fmt::format("refused this process speaks protocol {}", kRestartProtocol));
    return forget();
  }
  if (question.starts_with("listener ")) return sayListener(numberIn(std::string_view(question).substr(9)));
  if (question == "counters") return sayCounters();
  if (question == "admin") {
    const Owner::Listening admin = owner_.admin();
    return say("admin " + admin.key, admin.descriptors);
  }
  if (question == "drain") {
    LOG(Main, Info, "hot restart: the successor serves; draining");
    drained_ = true;
    owner_.onSuccessorServes();
    return say("ok");
  }
  if (question == "end") {
    ending_ = true;
    say("ok");
    LOG(Main, Info, "hot restart: the successor asks this process to end");
    return owner_.onSuccessorWantsEnd();
  }
  say("refused unknown question");
}

void RestartParent::sayListener(size_t index) {
  const std::vector<Owner::Listening> listening = owner_.listening();
  if (index >= listening.size()) return say("end");
  if (listening[index].descriptors.size() > kMaxRestartDescriptors) return say("listener ");
  say("listener " + listening[index].key, listening[index].descriptors);
}

// What came since it was last asked, as much as one message holds; nothing more: all has been told.
void RestartParent::sayCounters() {
  std::string text = "counters\n";
  stats_.eachCounter([&](const std::string& name, uint64_t value) {
    uint64_t& told = told_[name];
    if (value <= told || name.find('\n') != std::string::npos) return;
    const std::string line = fmt::format("{} {}\n", value - told, name);
    if (text.size() + line.size() > kMaxRestartText) return;
    text += line;
    told = value;
  });
  say(text);
}

void RestartParent::say(std::string_view text, const std::vector<int>& descriptors) {
  if (!successor_.open()) return;
  if (const auto said = sendMessage(successor_, text, descriptors); !said.ok()) forget();
}

void RestartParent::forget() {
  loop_.unwatch(successor_.get());
  successor_.reset();
  greeted_ = false;
  if (!drained_ || ending_) return;
  drained_ = false;
  owner_.onSuccessorLost();
  LOG(Main, Warning, "hot restart: the successor has gone before its time; serving again");
}

}  // namespace weir::server
