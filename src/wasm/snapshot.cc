#include "wasm/snapshot.h"

#include "wasm/engine_snapshot.h"
#include "wasm/failure.h"
#include "wasm/guest_instance.h"
#include "wasm/native_code.h"

namespace weir::wasm {
namespace {

const uint8_t* dataOf(std::span<const std::byte> bytes) { return reinterpret_cast<const uint8_t*>(bytes.data()); }

// Without native code: that is of the module as it is.
std::span<const std::byte> plain(std::span<const std::byte> module) {
  const auto native = findNativeCode(module);
  return native ? native->module : module;
}

base::Result<std::vector<std::byte>> given(const ErrorHandle& error, const OwnedBytes& bytes) {
  if (error) return base::Error{base::Code::InvalidArgument, base::Side::Operator, base::Retry::No, causeOf(*error)};
  return copyOf(bytes);
}

}  // namespace

base::Result<std::vector<std::byte>> instrumented(Engine& engine, std::span<const std::byte> given_module) {
  const std::span<const std::byte> module = plain(given_module);
  if (auto valid = engine.validate(module); !valid.ok()) return std::move(valid).error();
  OwnedBytes bytes;
  const ErrorHandle error(weir_snapshot_instrument(dataOf(module), module.size(), bytes.out()));
  return given(error, bytes);
}

base::Result<std::vector<std::byte>> snapshotOf(std::span<const std::byte> given_module, Instance& instance) {
  const std::span<const std::byte> module = plain(given_module);
  auto& guest = static_cast<GuestInstance&>(instance);
  OwnedBytes bytes;
  const ErrorHandle error(
      weir_snapshot_take(dataOf(module), module.size(), guest.store(), &guest.handle(), bytes.out()));
  return given(error, bytes);
}

}  // namespace weir::wasm
