// Envoy's words for what kept a request from its answer: the text that a local answer has for its body, and
// %RESPONSE_CODE_DETAILS%.
#pragma once

#include <string>
#include <string_view>

#include "upstream/cluster.h"

namespace weir::upstream {

// "upstream connect error ... reset reason: REASON".
std::string failureText(std::string_view reason, bool is_retry = false);
// The reason to name there; empty for NoEndpoint, which has a text of its own.
std::string_view reasonOf(AcquireFailure why);
constexpr std::string_view kNoEndpointText = "no healthy upstream";

// detail: what the transport said, if anything.
std::string failureDetails(AcquireFailure why, std::string_view detail);
std::string resetDetails(http::ResetReason reason, std::string_view detail, bool answer_began);

}  // namespace weir::upstream
