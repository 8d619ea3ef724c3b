// A compiled format of either kind.
#pragma once

#include <string>
#include <variant>

#include "base/result.h"
#include "format/spec.h"

namespace weir::format {

class Format {
 public:
  // Error (side Operator): see TextFormat and JsonFormat.
  static base::Result<Format> create(const FormatSpec& spec);
  // JSON ends with a newline; text as it was written.
  void append(const Entry& entry, std::string& out) const;
  const std::string& contentType() const { return content_type_; }

 private:
  std::variant<TextFormat, JsonFormat> compiled_;
  bool omit_empty_ = false;
  std::string content_type_;
};

}  // namespace weir::format
