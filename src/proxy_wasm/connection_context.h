// A plugin's part in one TCP connection: the network filter that the chain sees, and the context that the guest sees
// (abi.md 3.8).
//
// "Downstream data" is what the client sends, "upstream data" what is sent to it. While the guest stops a direction,
// what comes adds to that direction's buffer, which stays in its reach. Only reading can be continued by a host call,
// as in Envoy; what is stopped towards the client is offered again with what comes next.
#pragma once

#include <memory>
#include <optional>

#include "proxy_wasm/context.h"
#include "proxy_wasm/started_plugin.h"
#include "tcp/filter.h"

namespace weir::proxy_wasm {

class ConnectionContext final : public Context, public tcp::Filter {
 public:
  explicit ConnectionContext(std::shared_ptr<StartedPlugin> plugin);
  ~ConnectionContext() override;

  // tcp::Filter
  void setHandle(tcp::ConnectionHandle& handle) override { handle_ = &handle; }
  tcp::Pass onNewConnection() override;
  tcp::Pass onData(base::BufferChain& bytes, bool end) override;
  tcp::Pass onWrite(base::BufferChain& bytes, bool end) override;
  void onClosed(tcp::Ending ending) override;

  // Context
  RootContext* root() override { return &plugin_->root(); }
  ConnectionContext* connection() override { return this; }
  const filter::StreamInfo* info() const override { return handle_ != nullptr ? &handle_->info() : nullptr; }
  filter::StreamInfo* ownInfo() override { return handle_ != nullptr ? &handle_->info() : nullptr; }
  std::string_view logPrefix() const override { return plugin_->root().streamLogPrefix(); }
  std::optional<BufferView> buffer(BufferType type) override;

  // For host functions. Each takes effect when the guest has returned.
  void askContinue();
  // direction: which one the guest named, for the log; either closes the client's connection.
  void askClose(StreamType direction);

  // Called by the VM when the guest has returned.
  void continueReading();
  void close();
  // The VM has failed: ends the connection, or lets it go, if it was waiting for the guest.
  void onVmFailed();

 private:
  bool enterGuest();
  std::optional<uint32_t> call(Callback callback, uint32_t a, uint32_t b, size_t count);
  tcp::Pass data(StreamType direction, base::BufferChain& bytes, bool end);
  // The VM failed before or in a callback. True: the connection goes on without the plugin; false: it is closed.
  bool goesOnWithout(StreamType direction);
  void closeAs(StreamType direction);

  // One direction.
  struct Side {
    base::BufferChain* bytes = nullptr;  // While the guest may see them.
    bool stopped = false;
  };

  const std::shared_ptr<StartedPlugin> plugin_;
  tcp::ConnectionHandle* handle_ = nullptr;  // Null after the end.
  Side downstream_;
  Side upstream_;
  StreamType closed_as_ = StreamType::Downstream;
  bool created_ = false;  // proxy_on_context_create was told.
  bool passing_ = false;  // What comes goes by: the plugin is out of this connection.
  bool closing_ = false;  // The end is being told.
};

}  // namespace weir::proxy_wasm
