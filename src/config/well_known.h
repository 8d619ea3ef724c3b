// Which messages of google.protobuf have a form of their own in JSON; part of message_reader.h.
#pragma once

#include <google/protobuf/descriptor.h>

#include "config/document.h"
#include "config/report.h"

namespace weir::config {

// StringValue, UInt32Value and so on: written as the bare value.
bool isWrapper(const google::protobuf::Descriptor& type);
// Is written as something else than a mapping of its fields, so that in an Any it stands in "value".
bool hasOwnForm(const google::protobuf::Descriptor& type);

// Reports that `expected` should stand where `node` does.
void wrongForm(const Place& place, std::string_view expected, const Node& node);

}  // namespace weir::config
