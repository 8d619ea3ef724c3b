// Holds a configuration, as messages, against the API's own rules and against what weir reads.
#pragma once

#include <google/protobuf/message.h>

#include "config/report.h"

namespace weir::config {

// Walks everything that is set, into each Any too, and reports: fields that no table of support.h lists, breaches of
// the rules in the .proto files (rules.h), unknown fields of binary messages, deprecated fields (a notice).
// TypedStructs that came in binary form are replaced by what they stand for.
void inspect(google::protobuf::Message& message, const Place& place, bool allow_unknown);

}  // namespace weir::config
