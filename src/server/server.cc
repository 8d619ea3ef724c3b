#include "server/server.h"

#include <csignal>
#include <fstream>

#include "base/log.h"
#include "event/signals.h"
#include "event/timer.h"
#include "server/admin.h"
#include "server/assembly.h"
#include "server/cluster_status.h"
#include "server/server_stats.h"
#include "server/worker.h"

namespace weir::server {
namespace {

class RunningServer final : public Server, private Worker::Owner, private AdminSource {
 public:
  explicit RunningServer(Options options)
      : options_(std::move(options)),
        loop_(base::systemClock()),
        drain_timer_(loop_, [this] { onDrainTimeout(); }),
        interval_timer_(loop_, [this] { onStatsInterval(); }) {}

  std::vector<base::Error> setUp(config::Bootstrap bootstrap);
  int run() override;

 private:
  // AdminSource
  const ServerFacts& facts() const override { return facts_; }
  ServerState state() const override { return state_; }
  std::vector<ListenerStatus> listeners() const override;
  std::vector<ClusterStatus> clusters() override { return collectClusters(shared_.bootstrap.clusters, workers_); }
  void failHealthChecks(bool fail) override;
  void reopenLogs() override { shared_.log_writers->reopenAll(); }
  void quit() override { end(); }

  base::Result<void> openAdmin();
  // Worker::Owner, on the worker's thread.
  void onWorkerReady(uint32_t index) override {
    loop_.post([this] { workerReady(); });
  }
  void onWorkerAccepting(uint32_t index) override {
    loop_.post([this] { workerAccepting(); });
  }
  void onWorkerEmpty(uint32_t index) override {
    loop_.post([this, index] { workerEmpty(index); });
  }
  void workerReady();
  void workerAccepting();
  void workerEmpty(uint32_t index);
  void onSignal(int signal);
  void drain();
  void onDrainTimeout();
  void onStatsInterval();
  void end();

  const Options options_;
  event::Loop loop_;
  std::unique_ptr<event::Signals> signals_;
  event::Timer drain_timer_;
  event::Timer interval_timer_;  // stats_flush_interval: histograms tell of whole intervals.
  Shared shared_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<bool> empty_;
  uint32_t ready_ = 0;      // Workers whose clusters are there.
  uint32_t accepting_ = 0;  // Workers that listen.
  ServerFacts facts_;
  std::unique_ptr<ServerStats> stats_;
  std::unique_ptr<AdminEndpoint> admin_;
  ServerState state_ = ServerState::PreInitializing;
  bool health_failed_ = false;  // By /healthcheck/fail.
  bool draining_ = false;
  bool ended_ = false;
};

std::vector<base::Error> RunningServer::setUp(config::Bootstrap bootstrap) {
  event::blockSignals();
  facts_ = {options_.version, options_.command_line, bootstrap.dump, base::systemClock().wall()};
  std::vector<base::Error> faults = assemble(std::move(bootstrap), options_, options_.bind ? &loop_ : nullptr, shared_);
  if (!faults.empty() || !options_.bind) return faults;
  stats_ = std::make_unique<ServerStats>(*shared_.stats, options_.workers, shared_.bootstrap);
  for (uint32_t i = 0; i < options_.workers; ++i) {
    workers_.push_back(std::make_unique<Worker>(i, shared_, static_cast<Worker::Owner&>(*this)));
    faults = workers_.back()->bind();
    if (!faults.empty()) return faults;
  }
  empty_.assign(workers_.size(), false);
  auto signals = event::Signals::open(loop_, [this](int signal) { onSignal(signal); });
  if (!signals.ok()) return {std::move(signals).error()};
  signals_ = std::move(*signals);
  if (auto opened = openAdmin(); !opened.ok()) return {std::move(opened).error()};
  return {};
}

base::Result<void> RunningServer::openAdmin() {
  if (!shared_.bootstrap.admin.address) return base::Ok{};
  auto admin = AdminEndpoint::open(loop_, *shared_.bootstrap.admin.address, *this, *shared_.stats);
  if (!admin.ok()) return std::move(admin).error();
  admin_ = std::move(*admin);
  if (options_.admin_address_path.empty()) return base::Ok{};
  std::ofstream file(options_.admin_address_path);
  file << admin_->address().toString();
  if (file.flush()) return base::Ok{};
  return base::Error{base::Code::Io, base::Side::Operator, base::Retry::No,
                     "--admin-address-path: cannot write '" + options_.admin_address_path + "'"};
}

std::vector<ListenerStatus> RunningServer::listeners() const {
  std::vector<ListenerStatus> out;
  for (const auto& listener : shared_.listeners) out.push_back({listener->spec.name, listener->address});
  return out;
}

void RunningServer::failHealthChecks(bool fail) {
  health_failed_ = fail;
  if (state_ == ServerState::Live || state_ == ServerState::Draining) {
    if (!draining_) state_ = fail ? ServerState::Draining : ServerState::Live;
  }
  stats_->setState(state_);
}

int RunningServer::run() {
  interval_timer_.arm(shared_.bootstrap.stats_flush_interval);
  for (const auto& worker : workers_) worker->start();
  loop_.run();
  for (const auto& worker : workers_) worker->stop();
  for (const auto& worker : workers_) worker->join();
  admin_.reset();
  workers_.clear();
  LOG(Main, Info, "exiting");
  return 0;
}

void RunningServer::workerReady() {
  if (++ready_ < workers_.size() || draining_) return;
  state_ = ServerState::Initializing;
  stats_->setState(state_);
  for (const auto& worker : workers_) worker->beginAccepting();
}

// Live is said only when every worker listens: whoever waits for /ready must not be refused afterwards.
void RunningServer::workerAccepting() {
  if (++accepting_ < workers_.size() || draining_) return;
  state_ = health_failed_ ? ServerState::Draining : ServerState::Live;
  stats_->setState(state_);
  stats_->workers_started.set(1);
  for (const auto& listener : shared_.listeners) {
    LOG(Main, Info, "listener '{}' on {}", listener->spec.name, listener->address.toString());
  }
  LOG(Main, Info, "all clusters initialized; {} worker{} serving", workers_.size(), workers_.size() == 1 ? "" : "s");
}

void RunningServer::onSignal(int signal) {
  if (signal == SIGHUP) return;  // As Envoy: nothing to reload by it.
  if (signal == SIGUSR1) return reopenLogs();
  if (draining_) {
    LOG(Main, Warning, "a second signal: ending at once");
    return end();
  }
  LOG(Main, Info, "caught {}: draining", signal == SIGTERM ? "SIGTERM" : "SIGINT");
  drain();
}

void RunningServer::drain() {
  if (draining_ || ended_) return;
  draining_ = true;
  state_ = ServerState::Draining;
  stats_->setState(state_);
  drain_timer_.arm(options_.drain_time);
  for (const auto& worker : workers_) worker->drain();
}

void RunningServer::workerEmpty(uint32_t index) {
  empty_[index] = true;
  for (const bool empty : empty_) {
    if (!empty) return;
  }
  end();
}

void RunningServer::onDrainTimeout() {
  LOG(Main, Warning, "the drain time is over: closing what is still open");
  end();
}

void RunningServer::onStatsInterval() {
  shared_.stats->closeInterval();
  interval_timer_.arm(shared_.bootstrap.stats_flush_interval);
}

void RunningServer::end() {
  ended_ = true;
  loop_.stop();
}

}  // namespace

Server::Outcome Server::create(config::Bootstrap bootstrap, Options options) {
  auto server = std::make_unique<RunningServer>(std::move(options));
  std::vector<base::Error> faults = server->setUp(std::move(bootstrap));
  if (!faults.empty()) return {nullptr, std::move(faults)};
  return {std::move(server), {}};
}

}  // namespace weir::server
