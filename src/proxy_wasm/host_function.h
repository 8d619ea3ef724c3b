// How a C++ function becomes an import of a guest.
//
//   AbiStatus setTickPeriod(Call& call, uint32_t milliseconds);
//   hostFunction<"env.proxy_set_tick_period_milliseconds", setTickPeriod>()
//
// The Wasm type is read off the C++ one: uint32_t is i32, uint64_t is i64. What the guest passes arrives in a Call and
// as numbers; the status goes back. Around it: what may not be called now traps, and the trace of calls is written.
#pragma once

#include <algorithm>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/log.h"
#include "proxy_wasm/call.h"
#include "proxy_wasm/log_form.h"

namespace weir::proxy_wasm {

// From when on a function may be called: while a module starts or allocates only few may (abi.md 1.2).
enum class Callable : uint8_t { InCallbacks, AlsoAtStart, Always };

struct HostFunctionEntry {
  std::string_view name;  // With the module: "env.proxy_log".
  wasm::FunctionType type;
  wasm::HostFunction function;
  std::string_view plainName() const { return name.substr(name.find('.') + 1); }
};

template <size_t N>
struct FixedName {
  char text[N];
  constexpr FixedName(const char (&from)[N]) { std::copy_n(from, N, text); }  // NOLINT: implicit on purpose
  constexpr std::string_view view() const { return {text, N - 1}; }
};

namespace host_function_detail {

template <typename T>
constexpr wasm::ValueType valueType() {
  static_assert(std::is_same_v<T, uint32_t> || std::is_same_v<T, uint64_t>);
  return std::is_same_v<T, uint32_t> ? wasm::ValueType::I32 : wasm::ValueType::I64;
}

template <typename T>
T argument(const wasm::RawValue& slot) {
  if constexpr (std::is_same_v<T, uint32_t>) return static_cast<uint32_t>(slot.i32);
  if constexpr (std::is_same_v<T, uint64_t>) return static_cast<uint64_t>(slot.i64);
}

// Not allowed now: the guest traps, as on V8.
bool restricted(wasm::Instance& guest);

template <auto kFunction>
struct Signature;

template <typename R, typename... A, R (*kFunction)(Call&, A...)>
struct Signature<kFunction> {
  static wasm::FunctionType type() {
    wasm::FunctionType type{{valueType<A>()...}, {}};
    if constexpr (!std::is_void_v<R>) type.results.push_back(wasm::ValueType::I32);
    return type;
  }

  template <size_t... I>
  static void run(Call& call, wasm::RawValue* slots, std::index_sequence<I...>) {
    if constexpr (std::is_void_v<R>) {
      kFunction(call, argument<A>(slots[I])...);
    } else {
      const auto result = static_cast<int32_t>(kFunction(call, argument<A>(slots[I])...));
      slots[0].i32 = result;  // In the place of the first argument.
    }
  }

  static constexpr size_t kArguments = sizeof...(A);

  template <size_t... I>
  static std::vector<uint64_t> arguments(const wasm::RawValue* slots, std::index_sequence<I...>) {
    return {uint64_t{argument<A>(slots[I])}...};
  }
};

template <FixedName kName, auto kFunction, Callable kCallable>
bool enter(void* context, wasm::Instance& guest, wasm::RawValue* slots) {
  using S = Signature<kFunction>;
  constexpr auto kIndices = std::make_index_sequence<S::kArguments>();
  Vm& vm = *static_cast<Vm*>(context);
  if constexpr (kCallable != Callable::Always) {
    const bool callable =
        vm.phase() == Vm::Phase::Callback || (kCallable == Callable::AlsoAtStart && vm.phase() == Vm::Phase::Start);
    if (!callable) [[unlikely]]
      return restricted(guest);
  }
  const bool tracing = base::logEnabled(base::LogComponent::Wasm, base::LogLevel::Trace);
  if (tracing) [[unlikely]]
    traceCall("[vm->host]", kName.view(), S::arguments(slots, kIndices));
  Call call(vm, guest);
  S::run(call, slots, kIndices);
  if (tracing) [[unlikely]] {
    S::type().results.empty() ? traceReturn("[vm<-host]", kName.view())
                              : traceReturn("[vm<-host]", kName.view(), static_cast<uint32_t>(slots[0].i32));
  }
  // The guest's allocator may have ended the guest meanwhile; then its caller ends, too.
  return !vm.failed();
}

}  // namespace host_function_detail

template <FixedName kName, auto kFunction, Callable kCallable = Callable::InCallbacks>
HostFunctionEntry hostFunction() {
  static constexpr FixedName kText = kName;
  return {kText.view(), host_function_detail::Signature<kFunction>::type(),
          host_function_detail::enter<kName, kFunction, kCallable>};
}

}  // namespace weir::proxy_wasm
