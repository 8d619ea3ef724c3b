#include "path.h"

#include <algorithm>

#include "base/check.h"
#include "config/load.h"
#include "server/assembly.h"
#include "server/manager.h"

namespace weir::bench {
namespace {

constexpr int kTurnsAtMost = 100;

base::Error refused(std::string why) {
  return {base::Code::InvalidArgument, base::Side::Operator, base::Retry::No, std::move(why)};
}

}  // namespace

base::Result<std::unique_ptr<Path>> Path::create(const std::string& config_file, const std::string& cache) {
  std::unique_ptr<Path> path(new Path());
  if (auto loaded = path->load(config_file, cache); !loaded.ok()) return std::move(loaded).error();
  path->begin();
  return path;
}

base::Result<void> Path::load(const std::string& config_file, const std::string& cache) {
  config::LoadOptions from;
  from.config_path = config_file;
  config::LoadOutcome outcome = config::load(from);
  if (!outcome.bootstrap) return refused(outcome.faults.front().text());
  options_.module_cache = cache;
  std::vector<base::Error> faults = server::assemble(std::move(*outcome.bootstrap), options_, nullptr, shared_);
  if (!faults.empty()) return faults.front();
  const config::Bootstrap& bootstrap = shared_.bootstrap;
  shared_.knows_cluster = [&bootstrap](std::string_view name) {
    return std::any_of(bootstrap.clusters.begin(), bootstrap.clusters.end(),
                       [&](const upstream::ClusterSpec& cluster) { return cluster.name == name; });
  };
  if (bootstrap.listeners.empty()) return refused("no listener");
  listener_ = server::makeListener(bootstrap.listeners.front(), shared_, faults);
  if (!faults.empty()) return faults.front();
  if (listener_->chains.empty() || listener_->chains.front()->http == nullptr) return refused("no HTTP there");
  return base::Ok{};
}

// As a worker does (server/worker.cc), but for what connections stand on.
void Path::begin() {
  log_feeds_ = std::make_unique<access_log::Feeds>(loop_, shared_.log_flush);
  origin_ = std::make_unique<Origin>(loop_);
  clusters_ = upstream::createClusters(shared_.bootstrap.clusters,
                                       {.loop = loop_,
                                        .random = random_,
                                        .stats = *shared_.stats,
                                        .connector = origin_.get(),
                                        .shared = &shared_.clusters},
                                       [] {});
  plugins_ = std::make_unique<proxy_wasm::WorkerPlugins>(
      proxy_wasm::WorkerPlugins::Environment{loop_, random_, clusters_.get(), nullptr, &shared_.breakers});
  manager_ = server::makeManager(*listener_->chains.front()->http, shared_.local_ip, listener_->spec.buffer_limit,
                                 {loop_, random_, *clusters_, *plugins_, *log_feeds_});
  turn();
}

Path::~Path() {
  for (Line& line : lines_) {
    if (line.connection != nullptr) line.connection->closeNow();
  }
  turn();
  lines_.clear();
  manager_.reset();
  turn();
  if (plugins_ != nullptr) server::endPlugins(*plugins_, filters_, loop_);
  plugins_.reset();
  turn();
  clusters_.reset();
  turn();
}

void Path::turn() {
  clock_.advance(kTurn);
  loop_.runReady();
}

void Path::connect(std::unique_ptr<Client> client) {
  const auto number = static_cast<uint16_t>(lines_.size());
  filter::ConnectionInfo info;
  info.id = number + uint64_t{1};
  info.peer = *net::Address::parseIp("127.0.0.1", 50000 + number);
  info.local = *net::Address::parseIp("127.0.0.1", 10000);
  info.direct_peer = info.peer;
  info.direct_local = info.local;
  auto wire = std::make_unique<Wire>(loop_, *client, info.local, info.peer);
  Line line;
  line.wire = wire.get();
  exchange::ClientConnection::Owner& owner = *this;
  line.connection = std::make_unique<exchange::ClientConnection>(*manager_, owner, std::move(wire), std::move(info));
  line.client = std::move(client);
  line.connection->start();
  if (const std::string_view opening = line.client->opening(); !opening.empty()) line.wire->say(opening);
  lines_.push_back(std::move(line));
  turn();
}

void Path::exchange(uint64_t rounds) {
  for (uint64_t round = 0; round < rounds; ++round) {
    for (Line& line : lines_) {
      line.wire->say(line.client->request());
      line.waits = true;
    }
    size_t waiting = lines_.size();
    for (int turns = 0; waiting > 0; ++turns) {
      CHECK(turns < kTurnsAtMost);
      turn();
      for (Line& line : lines_) {
        if (!line.waits || !line.client->answered()) continue;
        line.waits = false;
        --waiting;
      }
    }
  }
}

void Path::onConnectionClosed(exchange::ClientConnection& connection) {
  for (Line& line : lines_) {
    if (line.connection.get() == &connection) loop_.destroyLater(std::move(line.connection));
  }
}

}  // namespace weir::bench
