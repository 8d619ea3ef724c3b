#include "server/restart_child.h"

#include <fmt/core.h>

#include <charconv>

#include "base/log.h"

namespace weir::server {

base::Result<std::unique_ptr<RestartChild>> RestartChild::connect(const std::string& name) {
  auto socket = connectForRestart(name, kAnswerTime);
  if (!socket.ok()) return std::move(socket).error();
  if (!isTrustedPeer(*socket)) {
    return base::Error{base::Code::Refused, base::Side::Operator, base::Retry::No, name + " is another user's"};
  }
  std::unique_ptr<RestartChild> child(new RestartChild(*std::move(socket)));
  if (auto greeted = child->greet(); !greeted.ok()) return std::move(greeted).error();
  if (auto taken = child->takeAll(); !taken.ok()) return std::move(taken).error();
  return child;
}

base::Result<RestartMessage> RestartChild::ask(const std::string& question) {
  if (auto sent = sendMessage(parent_, question); !sent.ok()) return std::move(sent).error();
  auto answer = receiveMessage(parent_);
  if (!answer.ok() || !answer->text.starts_with("refused ")) return answer;
  return base::Error{base::Code::Refused, base::Side::Operator, base::Retry::No, answer->text.substr(8)};
}

base::Result<void> RestartChild::greet() {
  auto answer = ask(fmt::format("hello {}", kRestartProtocol));
  if (!answer.ok()) return std::move(answer).error();
  if (answer->text.starts_with(fmt::format("hello {} ", kRestartProtocol))) return base::Ok{};
  return base::Error{base::Code::Unsupported, base::Side::Operator, base::Retry::No, "it speaks another protocol"};
}

base::Result<void> RestartChild::takeAll() {
  for (size_t i = 0;; ++i) {
    auto answer = ask(fmt::format("listener {}", i));
    if (!answer.ok()) return std::move(answer).error();
    if (!answer->text.starts_with("listener ")) break;
    sockets_.push_back({answer->text.substr(9), std::move(answer->descriptors)});
  }
  auto admin = ask("admin");
  if (!admin.ok()) return std::move(admin).error();
  if (admin->text.starts_with("admin ")) admin_ = {admin->text.substr(6), std::move(admin->descriptors)};
  return base::Ok{};
}

std::vector<net::Fd> RestartChild::take(const std::string& key, size_t workers) {
  for (auto at = sockets_.begin(); at != sockets_.end(); ++at) {
    if (at->key != key) continue;
    std::vector<net::Fd> taken = std::move(at->sockets);
    sockets_.erase(at);
    // More than there are workers: nobody would accept on them here.
    if (taken.size() > workers) taken.resize(workers);
    return taken;
  }
  return {};
}

net::Fd RestartChild::takeAdmin(const net::Address& address) {
  Sockets admin = std::move(admin_);
  if (admin.key != address.toString() || admin.sockets.empty()) return {};
  return std::move(admin.sockets.front());
}

void RestartChild::drainParent() {
  if (const auto told = ask("drain"); !told.ok()) {
    LOG(Main, Warning, "hot restart: the process before this one does not drain: {}", told.error().detail);
  }
}

bool RestartChild::takeCounters(stats::Store& stats) {
  for (;;) {
    const auto answer = ask("counters");
    if (!answer.ok()) return false;
    std::string_view lines = std::string_view(answer->text).substr(std::min<size_t>(answer->text.find('\n') + 1, 9));
    if (lines.empty()) return true;
    while (!lines.empty()) {
      const std::string_view line = lines.substr(0, lines.find('\n'));
      lines.remove_prefix(std::min(line.size() + 1, lines.size()));
      uint64_t amount = 0;
      const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), amount);
      const std::string_view name(end, static_cast<size_t>(line.data() + line.size() - end));
      if (error == std::errc() && name.size() > 1) stats.counter(name.substr(1)).add(amount);
    }
  }
}

void RestartChild::endParent() { [[maybe_unused]] const auto told = ask("end"); }

}  // namespace weir::server
