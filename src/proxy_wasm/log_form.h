// How plugins' log lines and failures read: in Envoy's form, because tools match it.
//
//   wasm log my_plugin my_root_id my_vm_id: text
//   Function: proxy_on_request_headers failed: unreachable
//   Proxy-Wasm plugin in-VM backtrace:
//     0:  0x2c01a - __rust_start_panic
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "base/log.h"

namespace weir::proxy_wasm {

class Context;

// " name root_id vm_id", without what is empty.
std::string logPrefix(std::initializer_list<std::string_view> parts);
// A guest's own line, if its budget allows. level is the ABI's (0 trace to 5 critical), which is ours.
void logFromGuest(const Context& context, base::LogLevel level, std::string_view text);
// What is logged, and told to the operator, when a guest call has failed.
std::string failureText(std::string_view function, std::string_view why, std::string_view backtrace);
// Without the guest's frames, for pages and other lines.
inline std::string_view firstLine(std::string_view text) { return text.substr(0, text.find('\n')); }

// The trace of calls across the border, at trace level of component wasm:
//   [host->vm] proxy_on_tick(1)      [host<-vm] proxy_on_tick return: 0
//   [vm->host] env.proxy_done()      [vm<-host] env.proxy_done return: 1
void traceCall(std::string_view direction, std::string_view function, std::span<const uint64_t> arguments);
void traceReturn(std::string_view direction, std::string_view function, uint64_t result);
void traceReturn(std::string_view direction, std::string_view function);

}  // namespace weir::proxy_wasm
