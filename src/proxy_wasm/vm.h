// One VM: one Wasm instance on one worker, with the contexts that live in it. Plugins of equal VM identity share it.
//
// Every entry into the guest goes through call(). While a guest runs, what host functions want to do to streams is
// queued (Action); it is done when the outermost call has returned, so that no filter, chain or other callback ever
// runs beneath a guest's frame.
//
// A trap, a deadline or a refusal ends the VM: from then on every call gives nullopt at once. The observer is told
// once, and streams that wait for the guest are ended, or let go, by their failure policy.
//
// Owned by the plugins started in it and, through them, by their streams.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "event/loop.h"
#include "event/timer.h"
#include "net/dns.h"
#include "proxy_wasm/context.h"
#include "proxy_wasm/custom_metrics.h"
#include "proxy_wasm/kept_expressions.h"
#include "proxy_wasm/module_shape.h"
#include "proxy_wasm/plugin_code.h"
#include "stats/gauge_share.h"
#include "upstream/cluster.h"
#include "wasm/instance.h"

namespace weir::proxy_wasm {

class Vm;

// Which clusters a plugin's callouts reach.
class ClusterAccess {
 public:
  virtual bool knows(std::string_view cluster) = 0;
  // Null for a known cluster: calls to it are taken and never answered, as in the canary.
  virtual upstream::Cluster* find(std::string_view cluster) = 0;

 protected:
  ~ClusterAccess() = default;
};

// Whom plugins ask for names' addresses.
class NameAccess {
 public:
  virtual net::Resolver& resolver() = 0;

 protected:
  ~NameAccess() = default;
};

class VmObserver {
 public:
  // Within the call that failed: only take note.
  virtual void onVmFailed(Vm& vm) = 0;
  // Nobody owns it any more: it keeps itself until the answers that it waits for have come.
  virtual void onVmWaits(Vm& vm) = 0;

 protected:
  ~VmObserver() = default;
};

struct VmEnvironment {
  event::Loop* loop = nullptr;  // Null in the canary: no timers.
  const base::Clock& clock;
  ClusterAccess& clusters;
  VmObserver* observer = nullptr;
  NameAccess* names = nullptr;  // Null in the canary: no answers.
  size_t contexts = 1024;       // About how many live at the same time; a power of two. Grows with need.
};

class Vm : public std::enable_shared_from_this<Vm> {
 public:
  // Instantiates and runs the module's start functions. Error: what failed, in the words of the log.
  static base::Result<std::shared_ptr<Vm>> create(std::shared_ptr<const PluginCode> code,
                                                  const VmEnvironment& environment);
  ~Vm();

  const PluginCode& code() const { return *code_; }
  const ModuleShape& shape() const { return code_->shape; }
  // For a snapshot of what it has become.
  wasm::Instance& instance() { return *instance_; }
  const VmEnvironment& environment() const { return environment_; }
  CustomMetrics& metrics() { return metrics_; }
  bool failed() const { return failed_; }
  // Why it failed; empty while it lives.
  const std::string& failure() const { return failure_; }
  bool running() const { return depth_ > 0; }
  // Streams that this VM served from beginning to end.
  uint64_t served() const { return served_; }
  void countServed() { ++served_; }
  bool has(Callback callback) const { return shape().has(callback); }

  // Calls a callback with `current` as the current context. nullopt: the VM has failed, now or before. An absent
  // callback must not be called: ask has() first.
  std::optional<uint32_t> call(Callback callback, Context& current, std::span<const uint32_t> arguments,
                               base::Duration limit);
  // Asks the guest for memory of exactly that size; nullopt if its allocator failed, lied or trapped.
  std::optional<uint32_t> allocate(uint32_t size);
  // What it died of, as access logs have it: "unreachable:proxy_on_request_headers"; empty while it lives.
  const std::string& fault() const { return fault_; }
  // For stream callbacks and everything else that happens while traffic flows.
  base::Duration callbackLimit() const { return code_->budgets.stream_callback; }
  base::Duration startLimit() const { return code_->budgets.start; }

  // The context that host functions act on: the one the guest has chosen for this callback, or the callback's own.
  Context& effective();
  // The context of the running callback, whatever the guest has chosen.
  Context& current() { return *current_; }
  // False: there is no context of that id in this VM, or it is another plugin's and the budget does not have that.
  bool setEffective(uint32_t id);

  // What the guest may call now; narrower while it starts or allocates (abi.md 1.2).
  enum class Phase : uint8_t { Callback, Start, Allocate };
  Phase phase() const { return phase_; }

  // Effects that wait until the guest has returned.
  struct Action {
    enum class Kind : uint8_t {
      LocalReply,
      ContinueRequest,
      ContinueResponse,
      CloseStream,
      InjectResponse,
      SetBufferLimit,
      ContinueReading,
      CloseConnection,
      CallDone,
      GrpcCame,
      DnsDone,
      RedisDone,
      RootDone
    };
    Kind kind;
    Context* context;
    uint32_t token = 0;
  };
  void defer(Action action);

  // Who is told of this VM's queues; null in the canary.
  const std::shared_ptr<QueueEar>& queueEar();

  // Why an instance that begins with this one's memory would not be like it: what the guest waits for, or keeps with
  // the host. Empty: it would be.
  std::string_view boundTo() const;

  // Tokens as Envoy counts them: the kind is in the last two bits (abi.md 2.9).
  uint32_t nextCallToken() { return next_call_ += 4; }
  uint32_t nextGrpcCallToken() { return (next_grpc_call_ += 4) | 1; }
  uint32_t nextGrpcStreamToken() { return (next_grpc_stream_ += 4) | 2; }
  uint32_t nextRedisCallToken() { return (next_redis_call_ += 4) | 3; }  // As in Higress.
  uint32_t nextDnsToken() { return ++last_dns_; }
  std::string& scratch() { return scratch_; }
  KeptExpressions& expressions() { return expressions_; }

  // A context's place among the ids; used by Context alone.
  uint32_t enroll(Context& context);
  void strike(Context& context);
  Context* find(uint32_t id);

  // Roots belong to the VM. shutDown() asks the root whether it is done and deletes it then, or when it says so later;
  // the VM stays until then.
  RootContext& addRoot(std::unique_ptr<RootContext> root);
  void shutDown(RootContext& root);
  // Deletes a root without telling the guest.
  void discard(RootContext& root);
  // The same when all its calls have been answered; the VM stays until then.
  void discardAnswered(RootContext& root);
  // Deletes what still waits for proxy_done: the worker ends.
  void abandonPending();
  bool pendingDone(const Context& context) const;

 private:
  Vm(std::shared_ptr<const PluginCode> code, const VmEnvironment& environment);
  base::Result<void> start();
  base::Result<void> callStart(std::string_view name, std::span<const uint32_t> arguments, bool has_result);
  std::optional<uint32_t> enter(const wasm::GuestFunction& function, std::string_view name, Context& current,
                                Phase phase, std::span<const uint32_t> arguments, base::Duration limit);
  std::optional<uint32_t> timed(Callback callback, Context& current, std::span<const uint32_t> arguments,
                                base::Duration limit, bool sampled);
  const wasm::GuestFunction& functionOf(Callback callback);
  void statsChanged();
  void publishStats();
  void fail(Context& current, std::string_view function, const base::Error& error);
  // wasm.<plugin>.fault_<kind>
  void countFault(Context& current);
  void settle();
  void clearActions();
  void perform(const Action& action);
  void forget(const Context& context);

  void onQueueReady(uint32_t root, uint32_t token);
  void failWaitingStreams();
  void finish(RootContext& root);
  void growTable();

  const std::shared_ptr<const PluginCode> code_;
  const VmEnvironment environment_;
  CustomMetrics metrics_;
  KeptExpressions expressions_;
  std::unique_ptr<wasm::Instance> instance_;
  std::array<wasm::GuestFunction, kCallbacks> callbacks_{};  // Each is looked for when it is first called.
  wasm::GuestFunction allocator_;

  std::vector<Context*> contexts_;  // By id & (size - 1); a live id whose place is taken is skipped.
  size_t live_contexts_ = 0;
  uint32_t next_id_ = 1;
  uint32_t next_call_ = 0;
  uint32_t next_grpc_call_ = 0;
  uint32_t next_grpc_stream_ = 0;
  uint32_t next_redis_call_ = 0;
  static constexpr uint32_t kFirstDns = 1;  // As in Envoy.
  uint32_t last_dns_ = kFirstDns;
  Context own_context_;
  std::vector<std::unique_ptr<RootContext>> roots_;
  std::vector<RootContext*> pending_done_;
  std::shared_ptr<Vm> keep_alive_;  // Set while a root has still to say that it is done.

  // Counters and gauges are brought up to date this long after the first call since the last time: busy workers write
  // to them seldom, idle ones never wake.
  static constexpr base::Duration kPublish = std::chrono::milliseconds(100);
  std::optional<event::Timer> publish_;  // None in the canary, which is not counted.
  bool unpublished_ = false;
  stats::GaugeShare memory_;

  std::shared_ptr<QueueEar> queue_ear_;
  bool queues_asked_ = false;
  Context* current_ = nullptr;
  uint32_t effective_id_ = 0;       // 0: the current context.
  uint32_t last_effective_id_ = 0;  // The same when the last call ended.
  Phase phase_ = Phase::Callback;
  int depth_ = 0;
  uint64_t served_ = 0;
  bool failed_ = false;
  bool settling_ = false;
  std::string failure_;
  std::string fault_;
  std::vector<Action> actions_;
  std::string scratch_;  // Reused by host functions that have to gather a value.
};

}  // namespace weir::proxy_wasm
