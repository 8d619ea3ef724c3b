#include "proxy_wasm/connection_context.h"

#include <array>

namespace weir::proxy_wasm {

using tcp::Pass;

namespace {

// Who ended a connection, in the guest's numbers.
enum class By : uint32_t { Unknown = 0, Local = 1, Remote = 2 };

}  // namespace

ConnectionContext::ConnectionContext(std::shared_ptr<StartedPlugin> plugin)
    : Context(plugin->vm()), plugin_(std::move(plugin)) {}
// Before the plugin, and with it perhaps the VM, goes.
ConnectionContext::~ConnectionContext() { leave(); }

Pass ConnectionContext::onNewConnection() {
  std::optional<uint32_t> result = 0;
  if (!enterGuest()) {
    result = std::nullopt;
  } else if (vm_.has(Callback::NewConnection)) {
    result = call(Callback::NewConnection, 0, 0, 1);
  }
  if (!result) return goesOnWithout(StreamType::Downstream) ? Pass::Continue : Pass::Stop;
  downstream_.stopped = *result != 0;
  return downstream_.stopped ? Pass::Stop : Pass::Continue;
}

Pass ConnectionContext::onData(base::BufferChain& bytes, bool end) { return data(StreamType::Downstream, bytes, end); }

// The upstream's connection is the TCP proxy's affair: its end is known here by the end of what it has sent, as in
// Envoy.
Pass ConnectionContext::onWrite(base::BufferChain& bytes, bool end) {
  const Pass pass = data(StreamType::Upstream, bytes, end);
  const bool told = end && handle_ != nullptr && created_ && !passing_ && !vm_.failed();
  if (told && vm_.has(Callback::UpstreamConnectionClose)) {
    call(Callback::UpstreamConnectionClose, static_cast<uint32_t>(By::Unknown), 0, 2);
  }
  return pass;
}

Pass ConnectionContext::data(StreamType direction, base::BufferChain& bytes, bool end) {
  if (!created_ || passing_) return Pass::Continue;
  const bool down = direction == StreamType::Downstream;
  const Callback callback = down ? Callback::DownstreamData : Callback::UpstreamData;
  Side& side = down ? downstream_ : upstream_;
  std::optional<uint32_t> result = 0;
  side.bytes = &bytes;
  if (vm_.failed()) {
    result = std::nullopt;
  } else if (vm_.has(callback)) {
    result = call(callback, static_cast<uint32_t>(bytes.size()), end ? 1 : 0, 3);
  }
  if (handle_ == nullptr) return Pass::Stop;
  if (!result) {
    side.bytes = nullptr;
    return goesOnWithout(direction) ? Pass::Continue : Pass::Stop;
  }
  side.stopped = *result != 0;
  if (!side.stopped) side.bytes = nullptr;
  return side.stopped ? Pass::Stop : Pass::Continue;
}

// As the specification, and unlike HTTP streams: done, log, delete.
void ConnectionContext::onClosed(tcp::Ending ending) {
  if (std::exchange(closing_, true)) return;
  downstream_ = upstream_ = {};
  const auto told = [this](Callback callback) { return created_ && !passing_ && !vm_.failed() && vm_.has(callback); };
  if (told(Callback::DownstreamConnectionClose)) {
    const bool ours = ending == tcp::Ending::Local || ending == tcp::Ending::Finished;
    const By by = ours ? By::Local : By::Remote;
    call(Callback::DownstreamConnectionClose, static_cast<uint32_t>(by), 0, 2);
  }
  for (const Callback callback : {Callback::Done, Callback::Log, Callback::Delete}) {
    if (told(callback)) call(callback, 0, 0, 1);
  }
  if (created_ && !vm_.failed()) vm_.countServed();
  leave();
  handle_ = nullptr;
}

bool ConnectionContext::enterGuest() {
  if (passing_ || vm_.failed()) return false;
  created_ = true;
  if (!vm_.has(Callback::ContextCreate)) return true;
  return call(Callback::ContextCreate, plugin_->root().id(), 0, 2).has_value();
}

std::optional<uint32_t> ConnectionContext::call(Callback callback, uint32_t a, uint32_t b, size_t count) {
  const std::array<uint32_t, 3> arguments{id(), a, b};
  const auto result = vm_.call(callback, *this, std::span(arguments).first(count), vm_.callbackLimit());
  if (!result) noteFault();
  return result;
}

std::optional<BufferView> ConnectionContext::buffer(BufferType type) {
  if (type != BufferType::NetworkDownstreamData && type != BufferType::NetworkUpstreamData) {
    return Context::buffer(type);
  }
  base::BufferChain* const bytes = type == BufferType::NetworkDownstreamData ? downstream_.bytes : upstream_.bytes;
  return BufferView{bytes, {}, bytes != nullptr};
}

// --- What the guest does to its connection ---

void ConnectionContext::askContinue() {
  if (handle_ != nullptr && !closing_) vm_.defer({Vm::Action::Kind::ContinueReading, this});
}

void ConnectionContext::askClose(StreamType direction) {
  if (handle_ == nullptr || closing_) return;
  closed_as_ = direction;
  vm_.defer({Vm::Action::Kind::CloseConnection, this});
}

void ConnectionContext::continueReading() {
  if (handle_ == nullptr || closing_) return;
  downstream_.stopped = false;
  handle_->continueReading();
}

void ConnectionContext::close() { closeAs(closed_as_); }

void ConnectionContext::closeAs(StreamType direction) {
  if (handle_ == nullptr || closing_) return;
  handle_->close(net::ByteStream::Close::Flush,
                 direction == StreamType::Upstream ? "wasm_upstream_close" : "wasm_downstream_close");
}

// --- The guest is dead ---

bool ConnectionContext::goesOnWithout(StreamType direction) {
  passing_ = true;
  noteFault();
  if (plugin_->root().spec().failsOpen()) return true;
  closeAs(direction);
  return false;
}

void ConnectionContext::onVmFailed() {
  const bool reading = downstream_.stopped, writing = upstream_.stopped;
  if (handle_ == nullptr || closing_ || passing_ || (!reading && !writing)) return;
  downstream_ = upstream_ = {};
  if (!goesOnWithout(reading ? StreamType::Downstream : StreamType::Upstream)) return;
  if (reading) handle_->continueReading();
  if (writing && handle_ != nullptr) handle_->continueWriting();
}

}  // namespace weir::proxy_wasm
