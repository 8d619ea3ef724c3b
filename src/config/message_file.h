// A file's message, whatever form it is written in.
#pragma once

#include <google/protobuf/message.h>

#include <string>

#include "config/report.h"

namespace weir::config {

// As Envoy: the form follows from the name (.pb, .pb_text, .json, .yaml), and what has no known ending is YAML, of
// which JSON is a part. Faults go to the report; false: the text could not be read as what it claims to be, so that
// nothing can be said about its content. allow_unknown: an unknown field is a notice.
bool readMessageFile(const std::string& path, bool allow_unknown, Report& report, google::protobuf::Message& out);

}  // namespace weir::config
