// Single values: a Node to a protobuf field that is not a message.
#pragma once

#include <google/protobuf/message.h>

#include <optional>
#include <string>

#include "config/document.h"

namespace weir::config {

// Sets, or for a repeated field appends, the value. A value that does not fit is reported at place and nothing is set.
// Without presence, a singular field keeps what it has when the new value is the type's zero (MergeFrom's rule).
void readScalar(const Node& node, google::protobuf::Message& message, const google::protobuf::FieldDescriptor& field,
                const Place& place);

// "1.5s" to seconds and nanoseconds, by protobuf's JSON rules; nullopt if it is none.
struct SecondsAndNanos {
  int64_t seconds = 0;
  int32_t nanos = 0;
};
std::optional<SecondsAndNanos> parseDuration(std::string_view text);

// Standard or URL-safe alphabet, padded or not; nullopt if it is none.
std::optional<std::string> decodeBase64(std::string_view text);

}  // namespace weir::config
