// A google.protobuf.Struct as JSON text.
#pragma once

#include <google/protobuf/struct.pb.h>

#include <string>

namespace weir::config {

// Without white space and with sorted keys, so that a plugin gets the same bytes at every start (protobuf's own writer
// follows the order of its hash map). Numbers in their shortest form; what JSON has no number for becomes a string.
std::string structAsJson(const google::protobuf::Struct& fields);

}  // namespace weir::config
