// What a guest's call acts on: the VM itself, a plugin's root, or a stream. Each has an id that the guest knows it by.
//
// A context answers for what exists in it; what does not exist in a kind of context is answered here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/buffer.h"
#include "filter/stream_info.h"
#include "http/header_map.h"
#include "proxy_wasm/abi.h"

namespace weir::proxy_wasm {

class ConnectionContext;
class RootContext;
class StreamContext;
class Vm;

// A buffer as host functions see it: a body, or a text that lies still. Both absent: empty.
struct BufferView {
  base::BufferChain* chain = nullptr;
  std::string_view text;
  bool writable = false;
  size_t size() const { return chain != nullptr ? chain->size() : text.size(); }
};

class Context {
 public:
  // Takes the next free id of the VM.
  explicit Context(Vm& vm);
  // The VM's own context: id 0, no plugin. Current while the module starts.
  struct OfVm {};
  Context(Vm& vm, OfVm);
  virtual ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  uint32_t id() const { return id_; }
  Vm& vm() const { return vm_; }
  // The plugin's root; null only for the VM's own context.
  virtual RootContext* root() { return nullptr; }
  // Null unless this is a stream's context.
  virtual StreamContext* stream() { return nullptr; }
  // Null unless this is a TCP connection's context.
  virtual ConnectionContext* connection() { return nullptr; }
  // What is known of the stream or connection that this context is of, or (in a log) is being told of; null without
  // one.
  virtual const filter::StreamInfo* info() const { return nullptr; }
  // The same where the guest may change it: its filter state.
  virtual filter::StreamInfo* ownInfo() { return nullptr; }
  // What stands between "wasm log" and the colon.
  virtual std::string_view logPrefix() const { return {}; }

  // The map as it may be read and written now; null if it may not.
  virtual const http::HeaderMap* readableMap(HeaderMapType type);
  virtual http::HeaderMap* writableMap(HeaderMapType type);
  // True while proxy_on_log runs: absent maps are then missing rather than misused (abi.md 1.5).
  virtual bool logging() const { return false; }
  // nullopt: there is no such buffer now.
  virtual std::optional<BufferView> buffer(BufferType type);

 protected:
  // Gives the id up: the guest cannot reach this context any more, and nothing deferred for it will happen.
  void leave();
  // The VM has failed, and this stream or connection felt it: its access log tells what the guest died of.
  void noteFault();
  void noteFault(std::string_view what);

  Vm& vm_;
  uint32_t id_ = 0;

 private:
  friend class Vm;
  uint32_t pending_effects_ = 0;  // A bit for each kind that waits for the guest's return (Vm::defer).
};

}  // namespace weir::proxy_wasm
