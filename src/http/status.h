// Status codes and their reason phrases.
#pragma once

#include <optional>
#include <string_view>

namespace weir::http {

// The phrase of the registered codes, as Envoy writes it; "Unknown" for others. RFC 9110 15.
std::string_view reasonPhrase(int status);

// Three digits from 100 to 599, else nullopt.
std::optional<int> parseStatus(std::string_view text);

}  // namespace weir::http
