#include "proxy_wasm/plugin_on_worker.h"

#include "base/log.h"
#include "proxy_wasm/connection_context.h"
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

stats::Counter& counter(const LoadedPlugin& plugin, std::string_view what) {
  return plugin.stats().counter(fmt::format("wasm.{}.{}", plugin.spec.name, what));
}

}  // namespace

PluginOnWorker::PluginOnWorker(WorkerPlugins& worker, std::shared_ptr<const LoadedPlugin> plugin)
    : worker_(worker),
      name_(plugin->spec.name),
      plugin_(std::move(plugin)),
      reload_success_(counter(*plugin_, "vm_reload_success")),
      reload_failure_(counter(*plugin_, "vm_reload_failure")),
      reload_backoff_(counter(*plugin_, "vm_reload_backoff")) {
  if (codeIsHere() && !start()) ++useless_lives_;
}

std::unique_ptr<filter::Filter> PluginOnWorker::create() {
  if (!alive()) revive();
  if (alive()) return std::make_unique<StreamContext>(current_);
  if (open()) return nullptr;
  return std::make_unique<ClosedFilter>(plugin_->spec.failureDetails());
}

std::unique_ptr<tcp::Filter> PluginOnWorker::createForConnection() {
  if (!alive()) revive();
  if (alive()) return std::make_unique<ConnectionContext>(current_);
  return std::make_unique<AbsentFilter>(open());
}

template <typename Use>
void PluginOnWorker::withRoot(Use use) {
  if (!alive()) revive();
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
  if (alive()) return;
  if (!codeIsHere()) return;
  const base::MonotonicTime now = worker_.environment_.loop.now();
  if (current_ != nullptr) {
    useless_lives_ = current_->vm().served() > 0 ? 0 : useless_lives_ + 1;
    current_.reset();
    not_before_ = useless_lives_ > kFreeRevivals ? now + backoff() : now;
  }
  if (now < not_before_) {
    reload_backoff_.add();
    return;
  }
  if (start()) {
    reload_success_.add();
    return;
  }
  reload_failure_.add();
  ++useless_lives_;
  not_before_ = now + backoff();
}

bool PluginOnWorker::codeIsHere() {
  if (plugin_->code != nullptr) return true;
  auto complete = plugin_->late->get();
  if (complete == nullptr) return false;
  plugin_ = std::move(complete);
  useless_lives_ = 0;  // It has not had one.
  return true;
}

base::Result<std::shared_ptr<StartedPlugin>> PluginOnWorker::started(
    const std::shared_ptr<const LoadedPlugin>& plugin) {
  auto vm = worker_.acquireVm(plugin->code);
  if (!vm.ok()) return std::move(vm).error();
  return StartedPlugin::start(std::move(*vm), plugin, StartedPlugin::End::Told);
}

bool PluginOnWorker::start() {
  auto begun = started(plugin_);
  if (begun.ok()) {
    current_ = std::move(*begun);
    return true;
  }
  LOG(Wasm, Critical, "Plugin {} failed to load: {}", name_, begun.error().detail);
  return false;
}

void PluginOnWorker::renew() {
  const auto next = plugin_->successor != nullptr ? plugin_->successor->get() : nullptr;
  if (next == nullptr || next == plugin_ || next == refused_.lock()) return;
  auto begun = started(next);
  if (!begun.ok()) {  // It passed on trial; here it does not.
    refused_ = next;
    reload_failure_.add();
    LOG(Wasm, Error, "plugin {} stays as it is on this worker: {}", name_, begun.error().detail);
    return;
  }
  plugin_ = next;
  current_ = std::move(*begun);
  useless_lives_ = 0;
  not_before_ = {};
}

// As Envoy: the configured time, or up to half as much again.
base::Duration PluginOnWorker::backoff() {
  const base::Duration base = plugin_->spec.reload_backoff;
  const auto half = static_cast<uint64_t>(base.count() / 2);
  return base + base::Duration(static_cast<int64_t>(worker_.environment_.random.below(half + 1)));
}

}  // namespace weir::proxy_wasm
