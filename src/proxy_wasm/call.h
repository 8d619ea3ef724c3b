// A call of a guest to the host: what a host function is given, and the only way in which it touches guest memory.
//
// Nothing of the guest is believed: each address is checked when it is used, and again after anything that may have run
// guest code (give() and allocate() do: the guest's allocator).
#pragma once

#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "proxy_wasm/abi.h"
#include "proxy_wasm/context.h"
#include "proxy_wasm/little_endian.h"
#include "proxy_wasm/vm.h"
#include "wasm/instance.h"

namespace weir::proxy_wasm {

class Call {
 public:
  Call(Vm& vm, wasm::Instance& guest) : vm_(vm), guest_(guest) {}

  Vm& vm() { return vm_; }
  wasm::Instance& guest() { return guest_; }
  Context& context() { return vm_.effective(); }
  // Null in a stream-less context.
  StreamContext* stream() { return context().stream(); }
  // Null while the module starts.
  RootContext* root() { return context().root(); }

  // A guest's bytes, valid until guest code runs.
  std::optional<std::string_view> read(uint32_t address, uint32_t size) {
    const auto view = guest_.view(address, size);
    if (!view) return std::nullopt;
    return std::string_view(reinterpret_cast<const char*>(view->data()), view->size());
  }
  bool write(uint32_t address, std::string_view bytes) {
    const auto view = guest_.view(address, static_cast<uint32_t>(bytes.size()));
    if (!view) return false;
    if (!bytes.empty()) std::memcpy(view->data(), bytes.data(), bytes.size());
    return true;
  }
  bool writable(uint32_t address, uint32_t size) { return guest_.view(address, size).has_value(); }
  bool writeU32(uint32_t address, uint32_t value) {
    const auto view = guest_.view(address, sizeof(value));
    if (!view) return false;
    storeU32(view->data(), value);
    return true;
  }
  bool writeU64(uint32_t address, uint64_t value) {
    const auto view = guest_.view(address, sizeof(value));
    if (!view) return false;
    storeU64(view->data(), value);
    return true;
  }

  // Room that the guest allocates for a value, and where it lies. nullopt: its allocator failed or lied.
  struct Room {
    uint32_t address;
    std::span<std::byte> bytes;
  };
  std::optional<Room> allocate(size_t size);
  // Hands the guest a copy of value, in memory that it allocates, and stores address and size where it wants them. An
  // empty value needs no memory: both are zero. value must not be guest memory.
  AbiStatus give(std::string_view value, uint32_t address_out, uint32_t size_out);
  AbiStatus storeRange(uint32_t address, size_t size, uint32_t address_out, uint32_t size_out);

 private:
  Vm& vm_;
  wasm::Instance& guest_;
};

}  // namespace weir::proxy_wasm
