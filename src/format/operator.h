// One operator of the format language: "%REQ(X?Y):Z%" is the command REQ with parameter "X?Y" and length Z.
//
// Operators are found and checked once, when the configuration is loaded. Afterwards they only append to a buffer:
// immutable, shared by all workers, and free of allocation unless the buffer has to grow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "format/entry.h"

namespace weir::format {

struct Command {
  std::string_view name;
  std::optional<std::string_view> parameter;  // What stands in parentheses, without them.
  std::optional<size_t> length;
};

// Appends the value; false: there is none, and nothing was appended.
using Append = std::function<bool(const Entry&, std::string& out)>;

struct Operator {
  // What the value is in a JSON log, where it is all that a string consists of.
  enum class Kind : uint8_t {
    Text,
    Number,  // Appended as JSON has it.
    Json,    // append_json gives a JSON value; in text a string stands without its quotes.
  };
  Kind kind = Kind::Text;
  Append append;
  Append append_json = {};
};

// Error (side Operator): no such command, one that weir does not have, a wrong parameter; named in the detail.
base::Result<Operator> createOperator(const Command& command);

}  // namespace weir::format
