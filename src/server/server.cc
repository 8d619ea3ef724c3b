#include "server/server.h"

#include <malloc.h>

#include <csignal>
#include <fstream>

#include "base/buffer.h"
#include "base/log.h"
#include "base/random.h"
#include "config/discovery.h"
#include "event/file_watch.h"
#include "event/signals.h"
#include "event/timer.h"
#include "proxy_wasm/stats_report.h"
#include "server/admin.h"
#include "server/assembly.h"
#include "server/cluster_status.h"
#include "server/cluster_table.h"
#include "server/listener_table.h"
#include "server/restart_child.h"
#include "server/restart_parent.h"
#include "server/server_stats.h"
#include "server/upstream_filters.h"
#include "server/worker_crew.h"

namespace weir::server {
namespace {

constexpr int kBaseIdTries = 16;

// The name by which a successor finds us. A base id that is to be chosen is written to its file.
base::Result<net::Fd> claimBaseId(const RestartOptions& restart) {
  if (!restart.dynamic_base_id) {
    return listenForRestart(restartSocketName(restart.socket_path, restart.base_id, restart.epoch),
                            restart.socket_mode);
  }
  base::FastRandom random;
  for (int i = 0;; ++i) {
    const auto id = static_cast<uint32_t>(random.below(UINT32_MAX / 2));
    auto socket = listenForRestart(restartSocketName(restart.socket_path, id, 0), restart.socket_mode);
    if (!socket.ok() && i < kBaseIdTries) continue;
    if (!socket.ok() || restart.base_id_path.empty()) return socket;
    std::ofstream file(restart.base_id_path);
    file << id;
    if (file.flush()) return socket;
    return base::Error{base::Code::Io, base::Side::Operator, base::Retry::No,
                       "--base-id-path: cannot write '" + restart.base_id_path + "'"};
  }
}

class RunningServer final : public Server, private Worker::Owner, private AdminSource, private RestartParent::Owner {
 public:
  explicit RunningServer(Options options)
      : options_(std::move(options)),
        loop_(base::systemClock()),
        drain_timer_(loop_, [this] { onDrainTimeout(); }),
        listener_drain_timer_(loop_, [this] { stopAccepting(); }),
        interval_timer_(loop_, [this] { onStatsInterval(); }),
        parent_timer_(loop_, [this] { endParent(); }) {}

  std::vector<base::Error> setUp(config::Bootstrap bootstrap);
  int run() override;

 private:
  // AdminSource
  const ServerFacts& facts() const override { return facts_; }
  ServerState state() const override { return state_; }
  std::vector<ListenerStatus> listeners() const override { return listeners_->statuses(); }
  std::vector<ClusterStatus> clusters() override { return collectClusters(clusters_->specs(), crew_->workers()); }
  DiscoveryStatus discovery() const override;
  std::vector<std::string> degraded() override;
  void failHealthChecks(bool fail) override;
  void reopenLogs() override { shared_.log_writers->reopenAll(); }
  void drainListeners(const DrainRequest& request) override;
  void quit() override { end(); }
  // RestartParent::Owner
  std::vector<Listening> listening() const override;
  Listening admin() const override;
  void onSuccessorServes() override;
  void onSuccessorLost() override;
  void onSuccessorWantsEnd() override { end(); }

  std::vector<base::Error> joinRestart();
  void takeOver();
  void endParent();
  std::vector<base::Error> watchFiles();
  std::vector<base::Error> makeTables();
  base::Result<void> loadClusterFilters(upstream::ClusterSpec& spec);
  base::Result<void> openAdmin();
  base::Result<void> writeAdminAddress() const;
  config::DiscoverOutcome read(const std::string& path, config::ResourceKind kind) const;
  // Worker::Owner, on the worker's thread.
  void onWorkerReady(uint32_t index) override {
    loop_.post([this] { workerReady(); });
  }
  void onWorkerAccepting(uint32_t index) override {
    loop_.post([this] { workerAccepting(); });
  }
  void onListenerGone(std::shared_ptr<SharedListener> listener) override {
    loop_.post([this, listener = std::move(listener)] { listeners_->onListenerGone(listener); });
  }
  void onWorkerEmpty(uint32_t index) override {
    loop_.post([this, index] { workerEmpty(index); });
  }
  void workerReady();
  void beginAccepting();
  void fetch(proxy_wasm::FetchRequest request, std::function<void(proxy_wasm::FetchAnswer)> answered);
  void workerAccepting();
  void workerEmpty(uint32_t index);
  void onSignal(int signal);
  void drain();
  void stopAccepting();
  void onDrainTimeout();
  void onStatsInterval();
  void flushStats();
  void returnMemory();
  void end();

  const Options options_;
  event::Loop loop_;
  std::unique_ptr<event::Signals> signals_;
  event::Timer drain_timer_;
  event::Timer listener_drain_timer_;        // /drain_listeners?graceful: the listeners close at its end.
  uint64_t given_back_ = 0;                  // BufferChain::bytesGivenBack() when memory was last returned.
  event::Timer interval_timer_;              // stats_flush_interval: histograms tell of whole intervals.
  event::Timer parent_timer_;                // --parent-shutdown-time-s
  std::unique_ptr<event::FileWatch> files_;  // Where the transports have none.
  Shared shared_;
  proxy_wasm::StatsReports reports_{*shared_.stats};
  std::unique_ptr<xds::Watcher> watcher_;
  std::unique_ptr<WorkerCrew> crew_;
  std::unique_ptr<ClusterTable> clusters_;
  std::unique_ptr<RouteSources> routes_;
  std::unique_ptr<ListenerTable> listeners_;
  std::vector<bool> empty_;
  uint32_t ready_ = 0;      // Workers whose clusters are there.
  uint32_t accepting_ = 0;  // Workers that listen.
  ServerFacts facts_;
  std::unique_ptr<ServerStats> stats_;
  std::unique_ptr<AdminEndpoint> admin_;
  std::unique_ptr<RestartChild> predecessor_;  // Hot restart: whom we take over from,
  net::Fd inherited_admin_;
  std::unique_ptr<RestartParent> successor_;  // and who may take over from us.
  ServerState state_ = ServerState::PreInitializing;
  bool health_failed_ = false;  // By /healthcheck/fail.
  bool draining_ = false;
  bool drain_inbound_only_ = false;
  bool told_to_accept_ = false;
  bool ended_ = false;
};

std::vector<base::Error> RunningServer::setUp(config::Bootstrap bootstrap) {
  event::blockSignals();
  facts_ = {options_.version, options_.command_line, bootstrap.dump, base::systemClock().wall()};
  facts_.runtime = bootstrap.runtime;
  std::vector<base::Error> faults = assemble(std::move(bootstrap), options_, options_.bind ? &loop_ : nullptr, shared_);
  if (!faults.empty()) return faults;
  stats_ = std::make_unique<ServerStats>(*shared_.stats, options_.workers);
  if (faults = watchFiles(); !faults.empty()) return faults;
  if (options_.bind && options_.restart.enabled) {
    if (faults = joinRestart(); !faults.empty()) return faults;
  }
  // Who takes over from a process that serves, or is only asked whether it could, had better not begin without a
  // plugin.
  shared_.plugins->goOnWithoutFaulty(options_.bind && !options_.plugin_strict_start && predecessor_ == nullptr);
  faults = makeTables();
  shared_.plugins->goOnWithoutFaulty(false);
  if (!faults.empty() || !options_.bind) return faults;
  empty_.assign(crew_->size(), false);
  auto signals = event::Signals::open(loop_, [this](int signal) { onSignal(signal); });
  if (!signals.ok()) return {std::move(signals).error()};
  signals_ = std::move(*signals);
  if (auto opened = openAdmin(); !opened.ok()) return {std::move(opened).error()};
  return {};
}

std::vector<base::Error> RunningServer::watchFiles() {
  event::FileWatch* files = shared_.transports->files();
  if (files == nullptr) {
    auto own = event::FileWatch::open(loop_);
    if (!own.ok()) return {std::move(own).error()};
    files_ = std::move(*own);
    files = files_.get();
  }
  watcher_ = xds::createWatcher(*files);
  return {};
}

// As Envoy: clusters first, those of files too; then the bootstrap's listeners, then those of files.
std::vector<base::Error> RunningServer::makeTables() {
  const config::Bootstrap& bootstrap = shared_.bootstrap;
  const xds::Subscription::Environment environment{
      loop_, *shared_.stats, *watcher_,
      [this](const std::string& path, config::ResourceKind kind) { return read(path, kind); }};
  crew_ = std::make_unique<WorkerCrew>(options_.workers, shared_, static_cast<Worker::Owner&>(*this),
                                       Worker::Drain{options_.drain_time, options_.drain_gradual});
  clusters_ = std::make_unique<ClusterTable>(environment, *crew_, *shared_.transports);
  routes_ = std::make_unique<RouteSources>(environment, *crew_, shared_.plugins.get());
  listeners_ = std::make_unique<ListenerTable>(environment, shared_, *crew_, *routes_);
  shared_.knows_cluster = [this](std::string_view name) { return clusters_->knows(name); };

  clusters_->loadFiltersBy([this](upstream::ClusterSpec& spec) { return loadClusterFilters(spec); });
  std::vector<base::Error> faults = clusters_->addStatic(bootstrap.clusters, bootstrap.cluster_dumps);
  if (options_.bind && bootstrap.cds) clusters_->follow(*bootstrap.cds);
  for (base::Error& fault :
       listeners_->addStatic(bootstrap.listeners, bootstrap.listener_dumps, options_.bind, predecessor_.get())) {
    faults.push_back(std::move(fault));
  }
  for (base::Error& fault : loadServices(shared_)) faults.push_back(std::move(fault));
  if (!faults.empty() || !options_.bind) return faults;
  if (bootstrap.lds) listeners_->follow(*bootstrap.lds, predecessor_.get());
  shared_.first_clusters = clusters_->begin();
  return {};
}

// No listener waits for the code of a cluster's plugin that is still to be fetched: until it has come, requests to the
// cluster are dealt with by the plugin's failure policy.
base::Result<void> RunningServer::loadClusterFilters(upstream::ClusterSpec& spec) {
  auto loaded = loadUpstreamFilters(spec.http_filters, *shared_.plugins);
  shared_.plugins->takeLate();
  return loaded;
}

config::DiscoverOutcome RunningServer::read(const std::string& path, config::ResourceKind kind) const {
  config::DiscoverOptions options;
  options.load = options_.load;
  options.secrets = shared_.bootstrap.secrets;
  options.layered_runtime = shared_.bootstrap.layered_runtime;
  options.allow_unknown_fields = !options_.reject_unknown_dynamic_fields;
  options.knows_cluster = shared_.knows_cluster;
  return config::discover(path, kind, options);
}

base::Result<void> RunningServer::openAdmin() {
  if (!shared_.bootstrap.admin.address) return base::Ok{};
  const net::Address& wanted = *shared_.bootstrap.admin.address;
  if (predecessor_ != nullptr) inherited_admin_ = predecessor_->takeAdmin(wanted);
  if (inherited_admin_.open()) return base::Ok{};  // The other process answers until we serve.
  auto admin = AdminEndpoint::open(loop_, wanted, *this, *shared_.stats);
  if (!admin.ok()) return std::move(admin).error();
  admin_ = std::move(*admin);
  return writeAdminAddress();
}

base::Result<void> RunningServer::writeAdminAddress() const {
  if (options_.admin_address_path.empty()) return base::Ok{};
  std::ofstream file(options_.admin_address_path);
  file << admin_->address().toString();
  if (file.flush()) return base::Ok{};
  return base::Error{base::Code::Io, base::Side::Operator, base::Retry::No,
                     "--admin-address-path: cannot write '" + options_.admin_address_path + "'"};
}

DiscoveryStatus RunningServer::discovery() const {
  DiscoveryStatus status;
  clusters_->describe(status);
  listeners_->describe(status);
  routes_->describe(status);
  return status;
}

std::vector<std::string> RunningServer::degraded() {
  std::vector<std::string> lines = shared_.plugins->degraded();
  for (std::string& line : shared_.breakers.lines()) lines.push_back(std::move(line));
  return lines;
}

// As Envoy: while failed, answers ask clients to go.
void RunningServer::failHealthChecks(bool fail) {
  health_failed_ = fail;
  if (state_ == ServerState::Live || state_ == ServerState::Draining) {
    if (!draining_) state_ = fail ? ServerState::Draining : ServerState::Live;
  }
  stats_->setState(state_);
  if (draining_) return;
  crew_->tell([fail](Worker& worker) { fail ? worker.askToGo(false) : worker.welcome(); });
}

void RunningServer::drainListeners(const DrainRequest& request) {
  if (draining_) return;
  drain_inbound_only_ = request.inbound_only;
  if (!request.graceful) return stopAccepting();
  crew_->tell([&](Worker& worker) { worker.askToGo(request.inbound_only); });
  if (!request.skip_exit) listener_drain_timer_.arm(options_.drain_time);
}

void RunningServer::stopAccepting() {
  LOG(Main, Info, "closing the {}listeners", drain_inbound_only_ ? "inbound " : "");
  if (!drain_inbound_only_) listeners_->stop();
  listeners_->releaseSockets(drain_inbound_only_);
  crew_->tell([this](Worker& worker) { worker.stopAccepting(drain_inbound_only_); });
}

int RunningServer::run() {
  interval_timer_.arm(shared_.bootstrap.stats_flush_interval);
  crew_->start();
  loop_.run();
  clusters_->stop();
  listeners_->stop();
  interval_timer_.disarm();  // Nobody is there any more, in the last turn, to be told.
  flushStats();
  crew_->end();
  loop_.runReady();  // What workers have told last.
  admin_.reset();
  LOG(Main, Info, "exiting");
  return 0;
}

void RunningServer::workerReady() {
  if (++ready_ < crew_->size() || draining_) return;
  shared_.first_clusters.clear();  // All have them.
  state_ = ServerState::Initializing;
  stats_->setState(state_);
  shared_.remote_code->begin(
      [this](proxy_wasm::FetchRequest request, auto answered) { fetch(std::move(request), std::move(answered)); });
  shared_.on_plugin_arrival = [this] { crew_->startLatePlugins(); };
  listeners_->whenWarm([this] { beginAccepting(); });
  if (listeners_->warm()) beginAccepting();
}

void RunningServer::beginAccepting() {
  if (std::exchange(told_to_accept_, true) || draining_) return;
  crew_->tell([](Worker& worker) { worker.beginAccepting(); });
}

// By the first worker: it has the clusters, as all have them.
void RunningServer::fetch(proxy_wasm::FetchRequest request, std::function<void(proxy_wasm::FetchAnswer)> answered) {
  if (crew_->workers().empty()) return;  // The last turn: who asks is about to end.
  crew_->workers().front()->fetch(std::move(request), [this, answered = std::move(answered)](auto answer) {
    loop_.post([answered, answer = std::move(answer)] { answered(answer); });
  });
}

// Live is said only when every worker listens: whoever waits for /ready must not be refused afterwards.
void RunningServer::workerAccepting() {
  if (++accepting_ < crew_->size() || draining_) return;
  state_ = health_failed_ ? ServerState::Draining : ServerState::Live;
  stats_->setState(state_);
  stats_->workers_started.set(1);
  listeners_->onAccepting();
  for (const ListenerStatus& listener : listeners_->statuses()) {
    LOG(Main, Info, "listener '{}' on {}", listener.name, listener.address.toString());
  }
  if (predecessor_ != nullptr) takeOver();
  LOG(Main, Info, "all clusters initialized; {} worker{} serving", crew_->size(), crew_->size() == 1 ? "" : "s");
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
  clusters_->stop();
  listeners_->stop();
  listeners_->releaseSockets();
  crew_->tell([](Worker& worker) { worker.drain(); });
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

// A burst of large bodies leaves its memory with the allocator, in pieces between what is still used.
void RunningServer::returnMemory() {
  constexpr uint64_t kWorthIt = 32 << 20;
  const uint64_t given = base::BufferChain::bytesGivenBack();
  if (given - given_back_ < kWorthIt) return;
  given_back_ = given;
  if (mallinfo2().fordblks > kWorthIt) malloc_trim(0);
}

void RunningServer::onStatsInterval() {
  if (predecessor_ != nullptr && !options_.restart.skip_parent_stats) predecessor_->takeCounters(*shared_.stats);
  shared_.stats->closeInterval();
  flushStats();
  returnMemory();
  interval_timer_.arm(shared_.bootstrap.stats_flush_interval);
}

void RunningServer::flushStats() {
  if (!shared_.stats_sinks.empty()) crew_->tellStats(reports_.next());
}

// --- Hot restart ---

// Who runs is asked for what it has before anything of ours is made; then we listen for who comes after us.
std::vector<base::Error> RunningServer::joinRestart() {
  const RestartOptions& restart = options_.restart;
  if (restart.epoch > 0) {
    auto joined = RestartChild::connect(restartSocketName(restart.socket_path, restart.base_id, restart.epoch - 1));
    if (joined.ok()) {
      predecessor_ = *std::move(joined);
    } else if (!restart.skip_without_parent) {
      return {std::move(joined).error().in(fmt::format("hot restart to epoch {}", restart.epoch))};
    }
  }
  auto socket = claimBaseId(restart);
  if (!socket.ok()) {
    if (restart.base_id_given || restart.epoch > 0) return {std::move(socket).error().in("hot restart")};
    LOG(Main, Info, "no hot restart of this process: another one has base id {} (see --base-id)", restart.base_id);
    return {};
  }
  auto successor = RestartParent::open(loop_, *std::move(socket), static_cast<RestartParent::Owner&>(*this),
                                       *shared_.stats, restart.epoch);
  if (!successor.ok()) return {std::move(successor).error()};
  successor_ = *std::move(successor);
  facts_.hot_restart_version = restartVersion();
  return {};
}

// All workers accept: the process before us need not any more.
void RunningServer::takeOver() {
  if (!options_.restart.skip_parent_stats) predecessor_->takeCounters(*shared_.stats);
  predecessor_->dropRest();
  predecessor_->drainParent();
  // After it has let go of the admin endpoint, so that nobody is told of the one and means the other.
  if (inherited_admin_.open()) {
    auto admin = AdminEndpoint::adopt(loop_, std::move(inherited_admin_), *this, *shared_.stats);
    if (admin.ok()) admin_ = std::move(*admin);
    if (admin_ != nullptr && !writeAdminAddress().ok()) LOG(Main, Warning, "--admin-address-path cannot be written");
  }
  parent_timer_.arm(options_.restart.parent_shutdown_time);
  LOG(Main, Info, "took over; the process before this one ends in {} s at the latest",
      std::chrono::duration_cast<std::chrono::seconds>(options_.restart.parent_shutdown_time).count());
}

void RunningServer::endParent() {
  if (!options_.restart.skip_parent_stats) predecessor_->takeCounters(*shared_.stats);
  predecessor_->endParent();
  predecessor_.reset();
}

std::vector<RestartParent::Owner::Listening> RunningServer::listening() const {
  std::vector<Listening> all;
  for (const ListenerTable::Sockets& sockets : listeners_->sockets()) {
    all.push_back({sockets.key, sockets.descriptors});
  }
  return all;
}

RestartParent::Owner::Listening RunningServer::admin() const {
  if (admin_ == nullptr) return {};
  return {shared_.bootstrap.admin.address->toString(), {admin_->descriptor()}};
}

void RunningServer::onSuccessorServes() {
  if (draining_) return;
  admin_.reset();
  listeners_->stop();
  listeners_->releaseSockets();
  crew_->tell([](Worker& worker) {
    worker.stopAccepting(false);
    worker.askToGo(false);
  });
}

void RunningServer::onSuccessorLost() {
  if (draining_) return;
  crew_->tell([](Worker& worker) { worker.welcome(); });
  listeners_->reopen();
  if (shared_.bootstrap.lds) listeners_->follow(*shared_.bootstrap.lds, nullptr);
  if (auto opened = openAdmin(); !opened.ok()) LOG(Main, Error, "{}", opened.error().detail);
}

void RunningServer::end() {
  ended_ = true;
  loop_.stop();
}

}  // namespace

std::string restartVersion() { return fmt::format("weir.{}.{}", kRestartProtocol, kMaxRestartText); }

Server::Outcome Server::create(config::Bootstrap bootstrap, Options options) {
  auto server = std::make_unique<RunningServer>(std::move(options));
  std::vector<base::Error> faults = server->setUp(std::move(bootstrap));
  if (!faults.empty()) return {nullptr, std::move(faults)};
  return {std::move(server), {}};
}

}  // namespace weir::server
