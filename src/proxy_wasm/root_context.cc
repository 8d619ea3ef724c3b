#include "proxy_wasm/root_context.h"

#include <array>

#include "base/log.h"
#include "proxy_wasm/callout.h"
#include "proxy_wasm/vm.h"

namespace weir::proxy_wasm {

RootContext::RootContext(Vm& vm, std::shared_ptr<const LoadedPlugin> plugin, std::shared_ptr<RootShare> share)
    : Context(vm), plugin_(std::move(plugin)), share_(std::move(share)), memory_(share_->memory) {
  ++share_->roots;
}

RootContext::~RootContext() {
  --share_->roots;
  share_->calls -= counted_calls_;
  share_->grpc_calls -= counted_grpc_;
}

base::Result<void> RootContext::start() {
  shown_configuration_ = &spec().configuration;
  if (vm_.has(Callback::ContextCreate)) {
    const std::array<uint32_t, 2> arguments{id(), 0};
    vm_.call(Callback::ContextCreate, *this, arguments, vm_.startLimit());
  }
  shown_configuration_ = nullptr;
  const auto size = [](const std::string& text) { return static_cast<uint32_t>(text.size()); };
  auto started = step(Callback::VmStart, size(vm_.code().spec.configuration), "proxy_on_vm_start returned false");
  if (!started.ok()) return started;

  shown_configuration_ = &spec().configuration;
  auto configured = step(Callback::Configure, size(spec().configuration), "proxy_on_configure returned false");
  shown_configuration_ = nullptr;
  return configured;
}

void RootContext::resume(const FreshStart& from) {
  vm_.metrics().adopt(from.metrics);
  declared_ = from.declared;
  if (from.tick_period > base::Duration::zero()) setTickPeriod(from.tick_period);
}

void RootContext::keepFor(FreshStart& later) const {
  later.metrics.adopt(vm_.metrics());
  later.declared = declared_;
  later.tick_period = tick_period_;
}

base::Result<void> RootContext::step(Callback callback, uint32_t argument, std::string_view otherwise) {
  const auto fault = [](std::string detail) {
    return base::Error{base::Code::Unavailable, base::Side::Plugin, base::Retry::No, std::move(detail)};
  };
  if (vm_.failed()) return fault(vm_.failure());
  if (!vm_.has(callback)) return base::Ok{};
  const std::array<uint32_t, 2> arguments{id(), argument};
  const auto result = vm_.call(callback, *this, arguments, vm_.startLimit());
  if (!result) return fault(vm_.failure());
  if (*result == 0) return fault(std::string(otherwise));
  return base::Ok{};
}

void RootContext::setTickPeriod(base::Duration period) {
  tick_period_ = period;
  event::Loop* const loop = vm_.environment().loop;
  if (loop == nullptr || !vm_.has(Callback::Tick)) return;
  if (period == base::Duration::zero()) {
    if (tick_ != nullptr) tick_->disarm();
    return;
  }
  if (tick_ == nullptr) tick_ = std::make_unique<event::Timer>(*loop, [this] { onTick(); });
  tick_->arm(period);
}

void RootContext::onTick() {
  const std::array<uint32_t, 1> arguments{id()};
  // The timer rests during the call, so that a new period set in it is not overruled here.
  if (!vm_.call(Callback::Tick, *this, arguments, vm_.callbackLimit())) return;
  if (tick_ != nullptr && !tick_->armed() && tick_period_ > base::Duration::zero()) tick_->arm(tick_period_);
}

bool RootContext::outlives() {
  if (vm_.failed() || !waitsForAnswers()) return false;
  outlives_ = true;
  return true;
}

void RootContext::answered() {
  recount();
  if (outlives_ && !waitsForAnswers()) vm_.discard(*this);
}

void RootContext::recount() {
  const size_t calls = calls_.size() + redis_.pending();
  share_->calls += calls - std::exchange(counted_calls_, calls);
  share_->grpc_calls += grpc_.pending() - std::exchange(counted_grpc_, grpc_.pending());
}

bool RootContext::admits(size_t under_way, size_t most) {
  if (under_way < most) return true;
  vm_.code().calls_refused.add();
  return false;
}

bool RootContext::admitCall() {
  recount();
  return admits(share_->calls, vm_.code().budgets.pending_calls);
}

bool RootContext::admitGrpc() {
  recount();
  return admits(share_->grpc_calls, vm_.code().budgets.pending_grpc);
}

AbiStatus RootContext::call(std::string_view cluster_name, upstream::HttpCallRequest request, uint32_t& token) {
  ClusterAccess& clusters = vm_.environment().clusters;
  if (!clusters.knows(cluster_name)) return AbiStatus::BadArgument;
  if (!admitCall()) return AbiStatus::InternalFailure;
  upstream::Cluster* const cluster = clusters.find(cluster_name);
  if (cluster == nullptr || vm_.environment().loop == nullptr) {
    token = vm_.nextCallToken();
    return AbiStatus::Ok;
  }
  token = vm_.nextCallToken();
  auto callout = std::make_unique<Callout>(*this, token);
  if (!callout->begin(*cluster, *vm_.environment().loop, std::move(request))) return AbiStatus::InternalFailure;
  calls_.emplace(token, std::move(callout));
  recount();
  return AbiStatus::Ok;
}

void RootContext::deliverCall(uint32_t token) {
  tellCall(token);
  answered();
}

void RootContext::tellCall(uint32_t token) {
  auto found = calls_.extract(token);
  if (found.empty()) return;
  std::unique_ptr<Callout> callout = std::move(found.mapped());
  Callout& call = *callout;
  // What ended may still stand in its own call: it goes at the end of the turn.
  vm_.environment().loop->destroyLater(std::move(callout));
  if (vm_.failed() || !vm_.has(Callback::HttpCallResponse)) return;

  std::array<uint32_t, 5> arguments{id(), token, 0, 0, 0};
  upstream::HttpCallResponse* const response = call.response();
  if (response != nullptr) {
    arguments[2] = static_cast<uint32_t>(response->headers.size());
    arguments[3] = static_cast<uint32_t>(response->body.size());
    arguments[4] = static_cast<uint32_t>(response->trailers.size());
  } else {
    setStatus(static_cast<uint32_t>(AbiStatus::BrokenConnection), "reset");
  }
  call_response_ = response;
  vm_.call(Callback::HttpCallResponse, *this, arguments, vm_.callbackLimit());
  call_response_ = nullptr;
  clearStatusMessage();
}

AbiStatus RootContext::declare(std::string_view property, const DeclaredProperty& how) {
  if (declared_.size() >= kMaxDeclaredProperties) return AbiStatus::InternalFailure;
  return declared_.emplace(property, how).second ? AbiStatus::Ok : AbiStatus::BadArgument;
}

const DeclaredProperty* RootContext::declared(std::string_view property) const {
  const auto found = declared_.find(property);
  return found == declared_.end() ? nullptr : &found->second;
}

void RootContext::log(const format::Entry& entry) {
  if (!vm_.has(Callback::Log)) return;
  const std::array<uint32_t, 1> arguments{id()};
  const format::Entry* const outer = std::exchange(entry_, &entry);
  vm_.call(Callback::Log, *this, arguments, vm_.callbackLimit());
  entry_ = outer;
}

void RootContext::tellStats(const std::string& report) {
  if (!vm_.has(Callback::StatsUpdate)) return;
  const std::array<uint32_t, 2> arguments{id(), static_cast<uint32_t>(report.size())};
  stats_report_ = &report;
  vm_.call(Callback::StatsUpdate, *this, arguments, vm_.callbackLimit());
  stats_report_ = nullptr;
}

std::optional<BufferView> RootContext::buffer(BufferType type) {
  if (type == BufferType::CallData && stats_report_ != nullptr) return BufferView{nullptr, *stats_report_, false};
  return Context::buffer(type);
}

const http::HeaderMap* RootContext::readableMap(HeaderMapType type) {
  if (entry_ == nullptr) return Context::readableMap(type);
  switch (type) {
    case HeaderMapType::RequestHeaders: return entry_->request;
    case HeaderMapType::ResponseHeaders: return entry_->response;
    case HeaderMapType::ResponseTrailers: return entry_->trailers;
    default: return Context::readableMap(type);
  }
}

void RootContext::publishStats(size_t memory) {
  share_->call_stats.publish();
  memory_.set(static_cast<int64_t>(memory));
}

void RootContext::stop() {
  tick_.reset();
  tick_period_ = {};
  for (auto& [token, callout] : calls_) callout->cancel();
  calls_.clear();
  grpc_.cancelAll();
  names_.cancelAll();
  redis_.cancelAll();
  recount();
}

}  // namespace weir::proxy_wasm
