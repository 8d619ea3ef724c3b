#include "proxy_wasm/vm.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "base/log.h"
#include "proxy_wasm/connection_context.h"
#include "proxy_wasm/log_form.h"
#include "proxy_wasm/root_context.h"
#include "proxy_wasm/stream_context.h"

namespace weir::proxy_wasm {
namespace {

bool tracing() { return base::logEnabled(base::LogComponent::Wasm, base::LogLevel::Trace); }

}  // namespace

Vm::Vm(std::shared_ptr<const PluginCode> code, const VmEnvironment& environment)
    : code_(std::move(code)),
      environment_(environment),
      metrics_(code_->stats, code_->budgets.metrics),
      contexts_(environment_.contexts, nullptr),
      own_context_(*this, Context::OfVm()),
      memory_(code_->memory) {
  current_ = &own_context_;
  if (environment_.loop != nullptr) {
    publish_.emplace(*environment_.loop, [this] { publishStats(); });
  }
  code_->created.add();
  code_->active.add();
}

Vm::~Vm() {
  CHECK(depth_ == 0);
  if (queue_ear_ != nullptr) queue_ear_->close();
  roots_.clear();
  code_->active.sub();
}

base::Result<std::shared_ptr<Vm>> Vm::create(std::shared_ptr<const PluginCode> code, const VmEnvironment& environment) {
  std::shared_ptr<Vm> vm(new Vm(std::move(code), environment));
  if (auto started = vm->start(); !started.ok()) return std::move(started).error();
  return vm;
}

base::Result<void> Vm::start() {
  // The module's start section runs within create(): host functions must find themselves in the right phase.
  phase_ = Phase::Start;
  ++depth_;
  // Host functions get this VM; a restricted one keeps its own context, the name that it reports.
  auto instance = code_->blueprint->instantiate(this, {.memory_bytes = code_->budgets.memory_bytes}, startLimit());
  --depth_;
  phase_ = Phase::Callback;
  if (!instance.ok()) return std::move(instance).error();
  instance_ = std::move(*instance);

  statsChanged();
  if (!shape().start.empty()) {
    if (auto done = callStart(shape().start, {}, false); !done.ok()) return done;
  }
  if (shape().main.empty()) return base::Ok{};
  const std::array<uint32_t, 2> no_arguments{0, 0};
  return callStart(shape().main, std::span(no_arguments).first(shape().main == "main" ? 2 : 0), true);
}

base::Result<void> Vm::callStart(std::string_view name, std::span<const uint32_t> arguments, bool has_result) {
  const wasm::FunctionType type{std::vector(arguments.size(), wasm::ValueType::I32),
                                std::vector(has_result ? 1 : 0, wasm::ValueType::I32)};
  const wasm::GuestFunction function = instance_->function(name, type);
  if (enter(function, name, own_context_, Phase::Start, arguments, startLimit())) return base::Ok{};
  return base::Error{base::Code::Trap, base::Side::Plugin, base::Retry::No, failure_};
}

std::optional<uint32_t> Vm::call(Callback callback, Context& current, std::span<const uint32_t> arguments,
                                 base::Duration limit) {
  CHECK(has(callback));
  if (failed_) return std::nullopt;
  std::optional<uint32_t> result;
  // Not of those on trial: what is counted is traffic.
  const bool sampled = publish_ && current.root()->callStats().begin(callback);
  if (!unpublished_) statsChanged();
  if (sampled || filter::PluginUses::wanted()) [[unlikely]] {
    result = timed(callback, current, arguments, limit, sampled);
  } else {
    result = enter(functionOf(callback), name(callback), current, Phase::Callback, arguments, limit);
  }
  if (!result && publish_) [[unlikely]]
    current.root()->callStats().failed(callback);
  if (depth_ == 0 && !actions_.empty()) settle();
  return result;
}

const wasm::GuestFunction& Vm::functionOf(Callback callback) {
  wasm::GuestFunction& function = callbacks_[static_cast<size_t>(callback)];
  if (!function) [[unlikely]]
    function = instance_->function(shape().exported[static_cast<size_t>(callback)]);
  return function;
}

// The same with a look at the clock before and after it.
std::optional<uint32_t> Vm::timed(Callback callback, Context& current, std::span<const uint32_t> arguments,
                                  base::Duration limit, bool sampled) {
  const base::MonotonicTime began = environment_.clock.monotonic();
  const auto result = enter(functionOf(callback), name(callback), current, Phase::Callback, arguments, limit);
  const base::Duration took = environment_.clock.monotonic() - began;
  if (sampled) current.root()->callStats().took(callback, took);
  if (filter::PluginUses::wanted()) {
    // An answer that the root was told belongs to the stream that the guest chose for it, as SDKs do.
    Context* const chosen = last_effective_id_ != 0 ? find(last_effective_id_) : nullptr;
    filter::StreamInfo* const info = (chosen != nullptr ? *chosen : current).ownInfo();
    if (info != nullptr) {
      filter::PluginUse& use = info->plugins.of(current.root()->spec().name);
      ++use.calls;
      use.time += took;
    }
  }
  return result;
}

void Vm::statsChanged() {
  if (!publish_) return;
  unpublished_ = true;
  publish_->arm(kPublish);
}

void Vm::publishStats() {
  unpublished_ = false;
  const size_t memory = instance_->memorySize();
  memory_.set(static_cast<int64_t>(memory));
  for (const auto& root : roots_) root->publishStats(memory);
}

std::optional<uint32_t> Vm::allocate(uint32_t size) {
  if (!allocator_) [[unlikely]]
    allocator_ = instance_->function(shape().allocator);
  const std::array<uint32_t, 1> arguments{size};
  const auto address = enter(allocator_, "malloc", *current_, Phase::Allocate, arguments, callbackLimit());
  if (!address || *address == 0) return std::nullopt;
  return address;
}

std::optional<uint32_t> Vm::enter(const wasm::GuestFunction& function, std::string_view name, Context& current,
                                  Phase phase, std::span<const uint32_t> arguments, base::Duration limit) {
  if (failed_) return std::nullopt;
  if (tracing()) [[unlikely]] {
    traceCall("[host->vm]", name, std::vector<uint64_t>(arguments.begin(), arguments.end()));
  }
  Context* const outer = std::exchange(current_, &current);
  const uint32_t outer_effective = std::exchange(effective_id_, 0);
  const Phase outer_phase = std::exchange(phase_, phase);
  ++depth_;
  const auto result = instance_->call(function, arguments, limit);
  --depth_;
  last_effective_id_ = effective_id_;
  current_ = outer;
  effective_id_ = outer_effective;
  phase_ = outer_phase;
  if (!result.ok()) [[unlikely]] {
    fail(current, name, result.error());
    return std::nullopt;
  }
  if (tracing()) [[unlikely]] {
    function.has_result ? traceReturn("[host<-vm]", name, *result) : traceReturn("[host<-vm]", name);
  }
  return *result;
}

void Vm::fail(Context& current, std::string_view function, const base::Error& error) {
  if (failed_) return;  // The outer calls of a nested one fail with it.
  failed_ = true;
  countFault(current);
  fault_ = fmt::format("{}:{}", wasm::name(instance_->faultKind()), function);
  failure_ = failureText(function, error.detail, instance_->backtrace());
  clearActions();
  LOG(Wasm, Error, "plugin{}: {}", current.logPrefix(), failure_);
  if (environment_.observer != nullptr) environment_.observer->onVmFailed(*this);
  if (environment_.loop == nullptr) return;
  environment_.loop->post([weak = weak_from_this()] {
    if (const std::shared_ptr<Vm> vm = weak.lock()) vm->failWaitingStreams();
  });
}

const std::shared_ptr<QueueEar>& Vm::queueEar() {
  queues_asked_ = true;
  if (queue_ear_ == nullptr && environment_.loop != nullptr) {
    queue_ear_ = std::make_shared<QueueEar>(*environment_.loop,
                                            [this](uint32_t root, uint32_t token) { onQueueReady(root, token); });
  }
  return queue_ear_;
}

std::string_view Vm::boundTo() const {
  if (queues_asked_) return "it registers a shared queue";
  if (next_call_ != 0 || next_redis_call_ != 0) return "it makes a call";
  if (next_grpc_call_ != 0 || next_grpc_stream_ != 0) return "it makes a gRPC call";
  if (last_dns_ != kFirstDns) return "it looks for a name's address";
  if (!expressions_.empty()) return "it keeps expressions";
  return {};
}

void Vm::onQueueReady(uint32_t root, uint32_t token) {
  // One that was shut down in this turn is still found by its id; it has been told its end.
  const auto place = std::find_if(roots_.begin(), roots_.end(), [&](const auto& each) { return each->id() == root; });
  if (failed_ || place == roots_.end() || !has(Callback::QueueReady)) return;
  const std::shared_ptr<Vm> self = shared_from_this();  // The call may end the last plugin in it.
  const std::array<uint32_t, 2> arguments{root, token};
  call(Callback::QueueReady, **place, arguments, callbackLimit());
}

// Not those on trial, of which the reader of the log hears.
void Vm::countFault(Context& current) {
  RootContext* const root = current.root();
  if (environment_.loop == nullptr || root == nullptr) return;
  const std::string_view kind = wasm::name(instance_->faultKind());
  code_->stats.counter(fmt::format("wasm.{}.fault_{}", root->spec().name, kind)).add();
}

// A stream that goes on by itself learns at its next callback; one that waits for the guest would wait for ever.
void Vm::failWaitingStreams() {
  for (const auto& root : roots_) root->stop();
  std::vector<uint32_t> ids;
  for (const Context* context : contexts_) {
    if (context != nullptr) ids.push_back(context->id());
  }
  for (const uint32_t id : ids) {
    Context* const context = find(id);
    if (context != nullptr && context->stream() != nullptr) context->stream()->onVmFailed();
    if (context != nullptr && context->connection() != nullptr) context->connection()->onVmFailed();
  }
  abandonPending();
}

}  // namespace weir::proxy_wasm
