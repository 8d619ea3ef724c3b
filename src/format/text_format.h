// A format string: text with operators in it, "%REQ(:METHOD)% %RESPONSE_CODE%"; "%%" stands for "%".
//
// Compiled once, when the configuration is loaded. append() runs per log line or header value, on any thread, and
// allocates only when the buffer has to grow.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "format/operator.h"

namespace weir::format {

// Envoy's default format of HTTP and TCP logs.
extern const std::string_view kDefaultFormat;

class TextFormat {
 public:
  struct Piece {
    std::string text;  // Where operation.append is empty.
    Operator operation;
    bool isText() const { return !operation.append; }
  };

  // Error (side Operator): what createOperator() refuses, or a '%' that begins no operator, with its position.
  static base::Result<TextFormat> create(std::string_view text);

  // Absent values become "-", or nothing with omit_empty.
  void append(const Entry& entry, bool omit_empty, std::string& out) const;

  // At most one piece of text and no operator: the same for every entry.
  bool isConstant() const;
  const std::vector<Piece>& pieces() const { return pieces_; }

 private:
  std::vector<Piece> pieces_;
};

}  // namespace weir::format
