// Points in time as text, after a pattern in strftime's language with Envoy's additions: %s (seconds since the epoch),
// %f and %1f to %9f (digits of the fraction), %E1S to %E9S and %E*S (seconds with a fraction).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace weir::format {

// Compiled once; append() is thread-safe and takes the calendar apart once per second and thread.
class TimeFormat {
 public:
  enum class Zone : uint8_t { Utc, Local };
  static constexpr std::string_view kDefault = "%Y-%m-%dT%H:%M:%E3SZ";

  // Error (side Operator): the text would hold a newline. What is no directive stands for itself.
  static base::Result<TimeFormat> create(std::string_view pattern, Zone zone);
  void append(base::WallTime time, std::string& out) const;

 private:
  struct Piece {
    enum class Kind : uint8_t { Literal, Directive, Epoch, Fraction, SecondsWithFraction };
    Kind kind;
    std::string text;  // A literal, or a directive for strftime.
    int digits = 0;    // Of the fraction; 0 after %E*S: as many as are not zero.
  };
  void addLiteral(std::string_view text);
  size_t parseDirective(std::string_view rest);

  Zone zone_ = Zone::Utc;
  std::vector<Piece> pieces_;
};

}  // namespace weir::format
