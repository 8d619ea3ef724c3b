// Configuration forms that Envoy dropped years ago and that public files still hold: 39 of 130 counted do.
//
// Each is rewritten into its present form before it is read, with one notice that says what to write instead.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/document.h"
#include "config/report.h"

namespace weir::config {

// `node` is about to be read as the message of that full name. Returns what to read instead, if it has a legacy form:
//   Cluster: v2 `hosts`; network and HTTP filters: untyped `config`, a router without typed_config.
std::optional<Node> modernForm(std::string_view message, const Node& node, const Place& place);

// The same for an Any (the full name of its field is given): the bare-string configuration of a plugin or VM.
std::optional<Node> modernAny(std::string_view field, const Node& node, const Place& place);

// The v3 name of a v2 type, with a notice; any other name as it is.
std::string modernType(std::string_view type, const Place& place);

}  // namespace weir::config
