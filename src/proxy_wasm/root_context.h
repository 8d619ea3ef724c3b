// A plugin's root in a VM: lives as long as the plugin does on this worker. Holds what outlives streams: the
// configuration, the tick timer, and the callouts under way (also those that streams began: their answers come here).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "event/timer.h"
#include "format/entry.h"
#include "proxy_wasm/context.h"
#include "proxy_wasm/declared_property.h"
#include "proxy_wasm/dns_lookups.h"
#include "proxy_wasm/fresh_start.h"
#include "proxy_wasm/grpc_calls.h"
#include "proxy_wasm/loaded_plugin.h"
#include "proxy_wasm/redis_calls.h"
#include "proxy_wasm/root_share.h"
#include "stats/gauge_share.h"
#include "upstream/http_call.h"

namespace weir::proxy_wasm {

class Callout;

class RootContext final : public Context {
 public:
  RootContext(Vm& vm, std::shared_ptr<const LoadedPlugin> plugin, std::shared_ptr<RootShare> share);
  ~RootContext() override;

  RootContext* root() override { return this; }
  std::string_view logPrefix() const override { return share_->log_prefix; }
  std::string_view streamLogPrefix() const { return share_->stream_log_prefix; }
  const PluginSpec& spec() const { return plugin_->spec; }

  const filter::StreamInfo* info() const override { return entry_ != nullptr ? &entry_->info : nullptr; }
  const http::HeaderMap* readableMap(HeaderMapType type) override;
  bool logging() const override { return entry_ != nullptr; }
  std::optional<BufferView> buffer(BufferType type) override;

  // proxy_on_context_create, proxy_on_vm_start, proxy_on_configure. Error: the step that failed.
  base::Result<void> start();
  // Instead of start(): the guest is configured already, as when this was taken.
  void resume(const FreshStart& from);
  // The other way round: what the host knows of the guest that is configured here.
  void keepFor(FreshStart& later) const;
  // Its stream is over. True: calls are under way whose answers the guest is to have first; the VM discards it when the
  // last has come. gRPC streams and names do not count.
  bool outlives();
  // A call is over.
  void answered();

  // The configuration that may be read now: the plugin's own while it is being created and configured, else null.
  const std::string* shownConfiguration() const { return shown_configuration_; }

  // Zero stops the ticking.
  void setTickPeriod(base::Duration period);

  // Begins a call; the answer comes to the guest by token later. BadArgument: nobody of that name.
  // InternalFailure: it failed at once, or as many as the budget has are under way; no answer will come.
  AbiStatus call(std::string_view cluster, upstream::HttpCallRequest request, uint32_t& token);
  // The answer that is being told to the guest; null at other times.
  upstream::HttpCallResponse* callResponse() const { return call_response_; }
  // Tells the guest the answer of a callout that is complete.
  void deliverCall(uint32_t token);

  // The same for gRPC.
  GrpcCalls& grpc() { return grpc_; }

  // And for names.
  DnsLookups& names() { return names_; }

  // And for Redis.
  RedisCalls& redis() { return redis_; }
  // Room for one more HTTP or Redis call; if there is none, that is counted.
  bool admitCall();
  bool admitGrpc();
  // One has begun: brings the plugin's numbers of calls under way up to date.
  void recount();

  // What proxy_get_status gives: set by calls that end. As in Envoy the code stays, the message only while it is told.
  void setStatus(uint32_t code, std::string message) {
    status_code_ = code;
    status_message_ = std::move(message);
  }
  void clearStatusMessage() { status_message_.clear(); }
  uint32_t statusCode() const { return status_code_; }
  const std::string& statusMessage() const { return status_message_; }

  // As an access logger: tells the guest of an entry, which it can read while it is told.
  void log(const format::Entry& entry);

  // As a sink of statistics: tells the guest a report, which is in the buffer CallData meanwhile.
  void tellStats(const std::string& report);
  // Of a property that the plugin will set. BadArgument: it was declared before. InternalFailure: there are too many.
  AbiStatus declare(std::string_view property, const DeclaredProperty& how);
  // Null: it was not.
  const DeclaredProperty* declared(std::string_view property) const;

  // Calls are cancelled and the timer is stopped: the plugin is shut down, or its VM has failed.
  void stop();

  CallStats& callStats() { return share_->call_stats; }
  // Brings the plugin's counters up to date, and wasm.<plugin>.memory_bytes: the memory of the VMs that it runs in.
  void publishStats(size_t memory);

  // True once: for a warning that need not be repeated for every request.
  bool warnOnce() { return !std::exchange(warned_, true); }

 private:
  void onTick();
  void tellCall(uint32_t token);
  bool admits(size_t under_way, size_t most);
  bool waitsForAnswers() const { return !calls_.empty() || grpc_.waits() || redis_.pending() > 0; }
  base::Result<void> step(Callback callback, uint32_t argument, std::string_view otherwise);

  const std::shared_ptr<const LoadedPlugin> plugin_;
  const std::shared_ptr<RootShare> share_;
  const std::string* shown_configuration_ = nullptr;
  base::Duration tick_period_{};
  std::unique_ptr<event::Timer> tick_;
  std::unordered_map<uint32_t, std::unique_ptr<Callout>> calls_;
  upstream::HttpCallResponse* call_response_ = nullptr;
  const format::Entry* entry_ = nullptr;       // Being logged.
  const std::string* stats_report_ = nullptr;  // Being told.
  GrpcCalls grpc_{*this};
  DnsLookups names_{*this};
  RedisCalls redis_{*this};
  DeclaredProperties declared_;
  stats::GaugeShare memory_;
  uint32_t status_code_ = 0;
  std::string status_message_;
  bool warned_ = false;
  bool outlives_ = false;
  size_t counted_calls_ = 0;  // Of the share's.
  size_t counted_grpc_ = 0;
};

}  // namespace weir::proxy_wasm
