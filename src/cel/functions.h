// The functions that an expression may call. Which one a name and a number of arguments mean is found when it is
// parsed; whether the arguments are of the right types, when it is evaluated.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "cel/value.h"

namespace weir::cel {

enum class Function : uint8_t {
  Size,
  StartsWith,
  EndsWith,
  Contains,
  Matches,
  ToInt,
  ToUint,
  ToDouble,
  ToString,
  ToBytes,
  ToBool,
  ToDuration,
  ToTimestamp,
  Dyn,
  Type,
  FullYear,
  Month,
  Date,
  DayOfMonth,
  DayOfWeek,
  DayOfYear,
  Hours,
  Minutes,
  Seconds,
  Milliseconds,
};

// on_value: as in x.name(...), where x is one of the arguments.
std::optional<Function> findFunction(std::string_view name, size_t arguments, bool on_value);

// An error if the arguments are not of the right types. None of them is an error or a path.
Value call(Function function, std::span<const Value> arguments);

// The families of functions. Null: it is none of them.
Value convert(Function function, const Value& value);
Value readClock(Function function, std::span<const Value> arguments);

// RFC 3339; Go's form "1h2m3.5s". Error if it is none, or beyond what nanoseconds in 64 bits can say.
Value parseTimestamp(std::string_view text);
Value parseDuration(std::string_view text);
std::string timestampText(int64_t nanoseconds);
std::string durationText(int64_t nanoseconds);

}  // namespace weir::cel
