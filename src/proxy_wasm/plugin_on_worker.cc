#include "proxy_wasm/plugin_on_worker.h"

#include "base/log.h"
#include "proxy_wasm/connection_context.h"
#include "proxy_wasm/log_form.h"
#include "proxy_wasm/stream_context.h"

namespace weir::proxy_wasm {
namespace {

constexpr int kGrpcUnavailable = 14;

// Stands in for a plugin that does not run and must not be left out.
class ClosedFilter final : public filter::Filter {
 public:
  explicit ClosedFilter(std::string details) : details_(std::move(details)) {}
  void setHandle(filter::StreamHandle& handle) override { handle_ = &handle; }
  filter::HeadersAction onRequestHeaders(http::HeaderMap&, bool) override {
    handle_->sendLocalReply({503, "", std::move(details_), {}, kGrpcUnavailable});
    return filter::HeadersAction::StopAllAndWatermark;
  }
  filter::BodyAction onRequestBody(base::BufferChain&, bool) override { return filter::BodyAction::Continue; }
  filter::TrailersAction onRequestTrailers(http::HeaderMap&) override { return filter::TrailersAction::Continue; }
  filter::HeadersAction onResponseHeaders(http::HeaderMap&, bool) override { return filter::HeadersAction::Continue; }
  filter::BodyAction onResponseBody(base::BufferChain&, bool) override { return filter::BodyAction::Continue; }
  filter::TrailersAction onResponseTrailers(http::HeaderMap&) override { return filter::TrailersAction::Continue; }
  void onLog() override {}
  void onDestroy() override {}

 private:
  std::string details_;
  filter::StreamHandle* handle_ = nullptr;
};

// The same for a TCP connection: closes it, or lets it pass.
class AbsentFilter final : public tcp::Filter {
 public:
  explicit AbsentFilter(bool passes) : passes_(passes) {}
  void setHandle(tcp::ConnectionHandle& handle) override { handle_ = &handle; }
  tcp::Pass onNewConnection() override {
    if (passes_) return tcp::Pass::Continue;
    handle_->close(net::ByteStream::Close::Flush, "wasm_downstream_close");
    return tcp::Pass::Stop;
  }
  tcp::Pass onData(base::BufferChain&, bool) override { return tcp::Pass::Continue; }

 private:
  const bool passes_;
  tcp::ConnectionHandle* handle_ = nullptr;
};

// What the call that killed it has burnt by running into its deadline.
base::Duration burntBy(Vm& vm) {
  return vm.instance().faultKind() == wasm::FaultKind::Deadline ? vm.callbackLimit() : base::Duration::zero();
}

std::string whyOpen(const Breaker& breaker) {
  if (breaker.burnt() >= Breaker::kBurnable) {
    return fmt::format("calls have run into their deadline for {} ms", base::milliseconds(breaker.burnt()));
  }
  return fmt::format("{} instance(s) in a row died without being of use", breaker.useless());
}

stats::Counter& counter(const LoadedPlugin& plugin, std::string_view what) {
  return plugin.stats().counter(fmt::format("wasm.{}.{}", plugin.spec.name, what));
}

}  // namespace

PluginOnWorker::PluginOnWorker(WorkerPlugins& worker, std::shared_ptr<const LoadedPlugin> plugin)
    : worker_(worker),
      name_(plugin->spec.name),
      plugin_(std::move(plugin)),
      instances_(worker.environmentOfStreams()),
      reload_success_(counter(*plugin_, "vm_reload_success")),
      reload_failure_(counter(*plugin_, "vm_reload_failure")),
      reload_backoff_(counter(*plugin_, "vm_reload_backoff")),
      breaker_opened_(counter(*plugin_, "breaker_opened")),
      breaker_open_(plugin_->stats().gauge(fmt::format("wasm.{}.breaker_open", name_))) {
  if (codeIsHere() && plugin_->fresh == nullptr) start();
}

PluginOnWorker::~PluginOnWorker() {
  if (breaker_.state() != Breaker::State::Closed) worker_.environment_.breakers->onClosed(name_);
}

std::unique_ptr<filter::Filter> PluginOnWorker::create() {
  if (auto plugin = forStream()) return std::make_unique<StreamContext>(std::move(plugin));
  if (open()) return nullptr;
  return std::make_unique<ClosedFilter>(plugin_->spec.failureDetails());
}

std::unique_ptr<tcp::Filter> PluginOnWorker::createForConnection() {
  if (auto plugin = forStream()) return std::make_unique<ConnectionContext>(std::move(plugin));
  return std::make_unique<AbsentFilter>(open());
}

std::shared_ptr<StartedPlugin> PluginOnWorker::forStream() {
  if (perStream()) return admitted() ? instances_.make(plugin_) : nullptr;
  if (!alive()) startAgain();
  return alive() ? current_ : nullptr;
}

template <typename Use>
void PluginOnWorker::withRoot(Use use) {
  if (!alive()) startAgain();
  if (!alive()) return;
  const std::shared_ptr<StartedPlugin> here = current_;
  use(here->root());
  if (!here->vm().failed()) here->vm().countServed();
}

void PluginOnWorker::log(const format::Entry& entry) {
  withRoot([&](RootContext& root) { root.log(entry); });
}

void PluginOnWorker::tellStats(const std::string& report) {
  withRoot([&](RootContext& root) { root.tellStats(report); });
}

void PluginOnWorker::revive() {
  if (alive() || !codeIsHere()) return;
  if (plugin_->fresh != nullptr && current_ == nullptr) return;  // Nothing was told to it so far.
  startAgain();
}

void PluginOnWorker::startAgain() {
  if (!codeIsHere()) return;
  const base::MonotonicTime now = worker_.environment_.loop.now();
  if (current_ != nullptr) bury(now);
  if (!admitted()) return;
  if (start()) {
    reload_success_.add();
    breaker_.onStarted();
    if (breaker_.state() == Breaker::State::HalfOpen) probe_->arm(Breaker::kProbeEvery);
    return;
  }
  reload_failure_.add();
  const Breaker::State before = breaker_.state();
  breaker_.onFailedStart(now, backoff());
  tellBreaker(before);
}

bool PluginOnWorker::admitted() {
  if (breaker_.admits(worker_.environment_.loop.now())) return true;
  reload_backoff_.add();
  return false;
}

void PluginOnWorker::bury(base::MonotonicTime now) {
  const bool of_use = ofUse(now);
  const base::Duration burnt = burntBy(current_->vm());
  cause_ = firstLine(current_->vm().failure());
  current_.reset();
  const Breaker::State before = breaker_.state();
  breaker_.onDeath(of_use, burnt, now, backoff());
  tellBreaker(before);
}

void PluginOnWorker::onInstanceFailed(Vm& vm) {
  if (plugin_->fresh == nullptr) return;
  if (&vm.code() != plugin_->fresh->code.get() && &vm.code() != plugin_->code.get()) return;
  const base::Duration burnt = burntBy(vm);
  if (burnt == base::Duration::zero()) return;
  cause_ = firstLine(vm.failure());
  const Breaker::State before = breaker_.state();
  breaker_.onBurnt(burnt, worker_.environment_.loop.now(), backoff());
  tellBreaker(before);
}

bool PluginOnWorker::ofUse(base::MonotonicTime now) const {
  return current_->vm().served() > 0 || now - born_ >= Breaker::kLongLife;
}

void PluginOnWorker::tellBreaker(Breaker::State before) {
  if (breaker_.state() == Breaker::State::Closed && before != Breaker::State::Closed) tellClosed();
  if (breaker_.state() != Breaker::State::Open) return;
  event::Loop& loop = worker_.environment_.loop;
  if (probe_ == nullptr) probe_ = std::make_unique<event::Timer>(loop, [this] { onProbe(); });
  probe_->arm(breaker_.until() - loop.now());
  if (before == Breaker::State::Closed) tellOpened();
}

void PluginOnWorker::tellOpened() {
  breaker_opened_.add();
  breaker_open_.set(1);
  worker_.environment_.breakers->onOpened(name_, cause_);
  LOG(Wasm, Error,
      "plugin {}: its breaker is open on this worker, as {}; until the next one, in {} ms, its streams {}; the last "
      "died "
      "of: {}",
      name_, whyOpen(breaker_), base::milliseconds(breaker_.until() - worker_.environment_.loop.now()),
      open() ? "go on without it" : "are refused", cause_);
}

void PluginOnWorker::tellClosed() {
  probe_->disarm();
  breaker_open_.set(0);
  worker_.environment_.breakers->onClosed(name_);
  LOG(Wasm, Info, "plugin {}: its breaker is closed again on this worker; it had opened when an instance died of: {}",
      name_, cause_);
}

// The pause is over: by time, as nothing else may come that wants the plugin. Or it is half open. An instance for each
// stream needs no trial.
void PluginOnWorker::onProbe() {
  if (perStream() && current_ == nullptr) return closeBreaker();
  if (!alive()) return revive();
  if (breaker_.state() == Breaker::State::Closed) return;
  ofUse(worker_.environment_.loop.now()) ? closeBreaker() : probe_->arm(Breaker::kProbeEvery);
}

void PluginOnWorker::closeBreaker() {
  const Breaker::State before = breaker_.state();
  breaker_.close();
  tellBreaker(before);
}

// What an older version did is no fault of this one's.
void PluginOnWorker::forgetBreaker() {
  const Breaker::State before = breaker_.state();
  breaker_ = Breaker();
  tellBreaker(before);
}

bool PluginOnWorker::codeIsHere() {
  if (plugin_->code != nullptr) return true;
  auto complete = plugin_->late->get();
  if (complete == nullptr) return false;
  plugin_ = std::move(complete);
  return true;
}

base::Result<std::shared_ptr<StartedPlugin>> PluginOnWorker::started(
    const std::shared_ptr<const LoadedPlugin>& plugin) {
  auto vm = worker_.acquireVm(plugin->code);
  if (!vm.ok()) return std::move(vm).error();
  return StartedPlugin::start(std::move(*vm), plugin, std::make_shared<RootShare>(*plugin), StartedPlugin::End::Told);
}

bool PluginOnWorker::start() {
  auto begun = started(plugin_);
  if (begun.ok()) {
    current_ = std::move(*begun);
    born_ = worker_.environment_.loop.now();
    return true;
  }
  cause_ = firstLine(begun.error().detail);
  LOG(Wasm, Critical, "Plugin {} failed to load: {}", name_, begun.error().detail);
  return false;
}

void PluginOnWorker::renew() {
  const auto next = plugin_->successor != nullptr ? plugin_->successor->get() : nullptr;
  if (next == nullptr || next == plugin_ || next == refused_.lock()) return;
  if (next->fresh != nullptr) {
    plugin_ = next;
    current_.reset();
    return forgetBreaker();
  }
  auto begun = started(next);
  if (!begun.ok()) {  // It passed on trial; here it does not.
    refused_ = next;
    reload_failure_.add();
    LOG(Wasm, Error, "plugin {} stays as it is on this worker: {}", name_, begun.error().detail);
    return;
  }
  plugin_ = next;
  current_ = std::move(*begun);
  born_ = worker_.environment_.loop.now();
  forgetBreaker();
}

// As Envoy: the configured time, or up to half as much again.
base::Duration PluginOnWorker::backoff() {
  const base::Duration base = plugin_->spec.reload_backoff;
  const auto half = static_cast<uint64_t>(base.count() / 2);
  return base + base::Duration(static_cast<int64_t>(worker_.environment_.random.below(half + 1)));
}

}  // namespace weir::proxy_wasm
