#include "tls/live.h"

#include <fmt/core.h>

#include <set>

#include "base/log.h"

namespace weir::tls {
namespace {

std::vector<std::string> secretNames(const CommonSpec& spec) {
  std::vector<std::string> names;
  for (const SecretReference& secret : spec.certificate_secrets) names.push_back(secret.name);
  if (spec.validation_secret) names.push_back(spec.validation_secret->name);
  return names;
}

}  // namespace

SecretStats::SecretStats(stats::Store& store, const std::string& prefix)
    : update_attempt(store.counter(prefix + "update_attempt")),
      update_success(store.counter(prefix + "update_success")),
      update_rejected(store.counter(prefix + "update_rejected")),
      update_failure(store.counter(prefix + "update_failure")),
      key_rotation_failed(store.counter(prefix + "key_rotation_failed")) {}

Live::Live(const CommonSpec& spec, stats::Store& store, const std::string& prefix, std::string_view factory,
           std::string_view not_ready, Following following)
    : stats_(std::make_shared<Stats>(store, prefix + "ssl.")),
      updated_(store.counter(fmt::format("{}{}.ssl_context_update_by_sds", prefix, factory))),
      not_ready_(store.counter(fmt::format("{}{}.{}", prefix, factory, not_ready))),
      following_(std::move(following)),
      name_(prefix.substr(0, prefix.size() - 1)),
      resolved_(spec) {
  for (const std::string& name : secretNames(spec)) secrets_.emplace_back(store, "sds." + name + ".");
}

base::Result<void> Live::resolve(CommonSpec& spec) const {
  if (spec.certificate_secrets.empty() && !spec.validation_secret) return base::Ok{};
  return following_.resolve(spec);
}

base::Result<void> Live::begin() {
  const bool has_secrets = !secrets_.empty();
  auto made = make();
  for (SecretStats& secret : secrets_) {
    secret.update_attempt.add();
    (made.ok() ? secret.update_success : secret.update_rejected).add();
  }
  if (made.ok() && has_secrets) updated_.add();
  if (!made.ok() && !has_secrets) return made;
  if (!made.ok()) LOG(Config, Warning, "{}: connections wait for their secret: {}", name_, made.error().detail);
  follow();
  return base::Ok{};
}

// What is watched may change with what was read: a secret can name other files.
void Live::follow() {
  const CommonSpec& spec = resolved_;
  if (following_.files == nullptr) return;
  std::set<std::string> wanted;
  for (std::string& file : filesOf(spec)) wanted.insert(std::move(file));
  const auto secret = [&wanted](const SecretReference& reference) {
    wanted.insert(reference.watched_directory.empty() ? reference.path : reference.watched_directory);
  };
  for (const SecretReference& reference : spec.certificate_secrets) secret(reference);
  if (spec.validation_secret) secret(*spec.validation_secret);
  paths_.clear();
  for (const std::string& path : wanted) {
    auto watched = following_.files->watch(path, [this] { onChange(); });
    if (watched.ok()) {
      paths_.push_back(std::move(*watched));
    } else {
      LOG(Config, Warning, "{}: {}; changes there will not be seen", name_, watched.error().detail);
    }
  }
}

void Live::onChange() {
  for (SecretStats& secret : secrets_) secret.update_attempt.add();
  const auto made = make();
  for (SecretStats& secret : secrets_) (made.ok() ? secret.update_success : secret.update_rejected).add();
  if (made.ok()) {
    if (!secrets_.empty()) updated_.add();
    LOG(Config, Info, "{}: certificates were read again", name_);
    follow();
  } else {
    for (SecretStats& secret : secrets_) secret.key_rotation_failed.add();
    LOG(Config, Warning, "{}: changed certificates are refused, the last good ones stay: {}", name_,
        made.error().detail);
  }
}

// --- The two sides ---

LiveServer::LiveServer(ServerSpec spec, stats::Store& store, const std::string& prefix, const base::Clock& clock,
                       Following following)
    : Live(spec, store, prefix, "server_ssl_socket_factory", "downstream_context_secrets_not_ready",
           std::move(following)),
      server_spec_(std::move(spec)),
      tickets_(std::make_shared<TicketKeys>(clock)) {}

base::Result<std::shared_ptr<LiveServer>> LiveServer::create(ServerSpec spec, stats::Store& store,
                                                             const std::string& prefix, const base::Clock& clock,
                                                             Following following) {
  std::shared_ptr<LiveServer> live(new LiveServer(std::move(spec), store, prefix, clock, std::move(following)));
  if (auto begun = live->begin(); !begun.ok()) return std::move(begun).error();
  return live;
}

base::Result<void> LiveServer::make() {
  ServerSpec spec = server_spec_;
  if (auto resolved = resolve(spec); !resolved.ok()) return resolved;
  auto context = ServerContext::create(spec, stats(), tickets_);
  if (!context.ok()) return std::move(context).error();
  resolved_ = spec;
  current_.set(std::move(*context));
  return base::Ok{};
}

LiveClient::LiveClient(ClientSpec spec, stats::Store& store, const std::string& prefix, Following following)
    : Live(spec, store, prefix, "client_ssl_socket_factory", "upstream_context_secrets_not_ready",
           std::move(following)),
      client_spec_(std::move(spec)) {}

base::Result<std::shared_ptr<LiveClient>> LiveClient::create(ClientSpec spec, stats::Store& store,
                                                             const std::string& prefix, Following following) {
  std::shared_ptr<LiveClient> live(new LiveClient(std::move(spec), store, prefix, std::move(following)));
  if (auto begun = live->begin(); !begun.ok()) return std::move(begun).error();
  return live;
}

base::Result<void> LiveClient::make() {
  ClientSpec spec = client_spec_;
  if (auto resolved = resolve(spec); !resolved.ok()) return resolved;
  auto context = ClientContext::create(spec, stats());
  if (!context.ok()) return std::move(context).error();
  resolved_ = spec;
  current_.set(std::move(*context));
  return base::Ok{};
}

}  // namespace weir::tls
