// What Higress has added to Envoy's foreign functions: a response's body from the plugin, and the log's level.
#include "base/log.h"
#include "proxy_wasm/foreign.h"
#include "proxy_wasm/stream_context.h"

namespace weir::proxy_wasm {

// InjectEncodedDataToFilterChainArguments{body, endstream}. Happens when the guest has returned, as
// proxy_inject_encoded_data_to_filter_chain does. Higress has two of these, since its first does not wait for the guest
// and its second, for a response's headers, does; here one serves both names.
AbiStatus injectIntoResponse(Call& call, std::string_view arguments, std::string&) {
  constexpr unsigned kBodyIsText = 1u << 1;
  const ForeignMessage message = readForeignMessage(arguments, kBodyIsText);
  if (!message.well_formed) return AbiStatus::BadArgument;
  StreamContext* const stream = call.stream();
  return stream == nullptr ? AbiStatus::Ok : stream->askInject(message.texts[1], message.number(2) != 0);
}

// What proxy_get_log_level says, as four bytes.
AbiStatus tellLogLevel(Call&, std::string_view, std::string& result) {
  result.resize(sizeof(uint32_t));
  storeU32(result.data(), static_cast<uint32_t>(base::logLevel(base::LogComponent::Wasm)));
  return AbiStatus::Ok;
}

}  // namespace weir::proxy_wasm
