// The rules that Envoy's .proto files carry (protoc-gen-validate: required, lengths, ranges, patterns), checked by
// reflection for any message.
#pragma once

#include <google/protobuf/message.h>

#include "config/report.h"

namespace weir::config {

// Checks the rules on the fields of this message; not those of the messages inside it. A field that breaks one is
// reported at its own path.
void checkRules(const google::protobuf::Message& message, const Place& place);

}  // namespace weir::config
