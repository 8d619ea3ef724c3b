#include "server/server.h"

#include <csignal>

#include "base/log.h"
#include "event/signals.h"
#include "event/timer.h"
#include "server/assembly.h"
#include "server/worker.h"

namespace weir::server {
namespace {

enum class State : uint8_t { Initializing, Live, Draining, Stopped };

class RunningServer final : public Server, private Worker::Owner {
 public:
  explicit RunningServer(Options options)
      : options_(std::move(options)), loop_(base::systemClock()), drain_timer_(loop_, [this] { onDrainTimeout(); }) {}

  std::vector<base::Error> setUp(config::Bootstrap bootstrap);
  int run() override;

 private:
  // Worker::Owner, on the worker's thread.
  void onWorkerReady(uint32_t index) override {
    loop_.post([this] { workerReady(); });
  }
  void onWorkerEmpty(uint32_t index) override {
    loop_.post([this, index] { workerEmpty(index); });
  }
  void workerReady();
  void workerEmpty(uint32_t index);
  void onSignal(int signal);
  void drain();
  void onDrainTimeout();
  void end();

  const Options options_;
  event::Loop loop_;
  std::unique_ptr<event::Signals> signals_;
  event::Timer drain_timer_;
  Shared shared_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<bool> empty_;
  uint32_t ready_ = 0;
  State state_ = State::Initializing;
};

std::vector<base::Error> RunningServer::setUp(config::Bootstrap bootstrap) {
  event::blockSignals();
  std::vector<base::Error> faults = assemble(std::move(bootstrap), options_, shared_);
  if (!faults.empty()) return faults;
  for (uint32_t i = 0; i < options_.workers; ++i) {
    workers_.push_back(std::make_unique<Worker>(i, shared_, static_cast<Worker::Owner&>(*this)));
    faults = workers_.back()->bind();
    if (!faults.empty()) return faults;
  }
  empty_.assign(workers_.size(), false);
  auto signals = event::Signals::open(loop_, [this](int signal) { onSignal(signal); });
  if (!signals.ok()) return {std::move(signals).error()};
  signals_ = std::move(*signals);
  return {};
}

int RunningServer::run() {
  for (const auto& worker : workers_) worker->start();
  loop_.run();
  for (const auto& worker : workers_) worker->stop();
  for (const auto& worker : workers_) worker->join();
  workers_.clear();
  LOG(Main, Info, "exiting");
  return 0;
}

void RunningServer::workerReady() {
  if (++ready_ < workers_.size() || state_ != State::Initializing) return;
  state_ = State::Live;
  for (const auto& worker : workers_) worker->beginAccepting();
  for (const auto& listener : shared_.listeners) {
    LOG(Main, Info, "listener '{}' on {}", listener->spec.name, listener->address.toString());
  }
  LOG(Main, Info, "all clusters initialized; {} worker{} serving", workers_.size(), workers_.size() == 1 ? "" : "s");
}

void RunningServer::onSignal(int signal) {
  if (signal == SIGHUP || signal == SIGUSR1) return;  // As Envoy: nothing to reopen or reload by these.
  if (state_ == State::Draining) {
    LOG(Main, Warning, "a second signal: ending at once");
    return end();
  }
  LOG(Main, Info, "caught {}: draining", signal == SIGTERM ? "SIGTERM" : "SIGINT");
  drain();
}

void RunningServer::drain() {
  if (state_ == State::Draining || state_ == State::Stopped) return;
  state_ = State::Draining;
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

void RunningServer::end() {
  state_ = State::Stopped;
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
