// Operators about what plugins did in a stream. weir's own: Envoy has none.
//
//   %WASM_CALLS(NAME)%               calls of callbacks
//   %WASM_DURATION(NAME:PRECISION)%  the time in them; in ms, us (the default) or ns
//   %WASM_FAULT(NAME)%               "unreachable:proxy_on_request_headers"
//
// Without NAME they tell of all plugins; a fault then has its plugin's name in front.
//
// Nothing where no plugin was called, or none died. Calls after the entry is written (proxy_on_done, proxy_on_delete)
// are not in it.
#include <utility>

#include "format/tables.h"

namespace weir::format {
namespace {

using filter::PluginUse;
using filter::PluginUses;
using Kind = Operator::Kind;
using Parameter = RowWithParameter::Parameter;

// Calls each(use) for the plugin of that name, or all. False: there is none.
template <typename Each>
bool eachOf(const Entry& entry, const std::string& name, Each each) {
  bool any = false;
  for (const PluginUse& use : entry.info.plugins) {
    if (use.calls == 0 || (!name.empty() && use.plugin != name)) continue;
    each(use);
    any = true;
  }
  return any;
}

base::Result<Operator> createCalls(const Command& command) {
  PluginUses::want();
  return Operator{
      Kind::Number, [name = std::string(command.parameter.value_or(""))](const Entry& entry, std::string& out) {
        uint64_t calls = 0;
        return eachOf(entry, name, [&](const PluginUse& use) { calls += use.calls; }) && putNumber(out, calls);
      }};
}

base::Result<Operator> createDuration(const Command& command) {
  const std::string_view text = command.parameter.value_or("");
  const size_t colon = text.rfind(':');
  const std::string_view precision = colon == text.npos ? "us" : text.substr(colon + 1);
  int64_t unit = 0;
  if (precision == "ms") unit = 1'000'000;
  if (precision == "us") unit = 1'000;
  if (precision == "ns") unit = 1;
  if (unit == 0) return refused("Invalid WASM_DURATION precision: " + std::string(precision));
  PluginUses::want();
  return Operator{Kind::Number,
                  [name = std::string(text.substr(0, colon)), unit](const Entry& entry, std::string& out) {
                    base::Duration time{};
                    return eachOf(entry, name, [&](const PluginUse& use) { time += use.time; }) &&
                           putNumber(out, time.count() / unit);
                  }};
}

// Faults are known whether somebody wants them or not.
base::Result<Operator> createFault(const Command& command) {
  return Operator{Kind::Text,
                  [name = std::string(command.parameter.value_or(""))](const Entry& entry, std::string& out) {
                    bool any = false;
                    for (const PluginUse& use : entry.info.plugins) {
                      if (use.fault.empty() || (!name.empty() && use.plugin != name)) continue;
                      if (std::exchange(any, true)) out += ',';
                      if (name.empty()) out.append(use.plugin) += ':';
                      out += use.fault;
                    }
                    return any;
                  }};
}

constexpr RowWithParameter kRows[] = {
    {"WASM_CALLS", Parameter::Optional, false, createCalls},
    {"WASM_DURATION", Parameter::Optional, false, createDuration},
    {"WASM_FAULT", Parameter::Optional, false, createFault},
};

}  // namespace

std::span<const RowWithParameter> pluginRows() { return kRows; }

}  // namespace weir::format
