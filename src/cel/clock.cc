// Times and durations: how they are written, and what their parts are. Nanoseconds in 64 bits reach from 1677 to 2262.
#include <fmt/core.h>

#include <charconv>
#include <chrono>
#include <cmath>
#include <utility>

#include "cel/functions.h"

namespace weir::cel {
namespace {

using Kind = Value::Kind;
using namespace std::chrono;
using Nanoseconds = duration<int64_t, std::nano>;

Value none(std::string_view what) { return Value::error(fmt::format("no {}", what)); }

// Takes count digits off the front; nullopt: there are not so many.
std::optional<int> take(std::string_view& text, size_t count) {
  int number = 0;
  if (text.size() < count) return std::nullopt;
  for (size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    number = number * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return number;
}

bool takeSign(std::string_view& text, char sign) {
  if (text.empty() || text.front() != sign) return false;
  text.remove_prefix(1);
  return true;
}

// Nanoseconds of ".25"; more digits than nine are dropped.
int64_t takeFraction(std::string_view& text) {
  int64_t unit = 100'000'000, out = 0;
  for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1)) {
    out += (text.front() - '0') * unit;
    unit /= 10;
  }
  return out;
}

// "Z", "+02:00" and the like, as seconds east of Greenwich.
std::optional<int> takeOffset(std::string_view& text) {
  if (takeSign(text, 'Z') || takeSign(text, 'z')) return 0;
  const bool west = !text.empty() && text.front() == '-';
  if (!takeSign(text, '+') && !takeSign(text, '-')) return std::nullopt;
  const auto hour = take(text, 2);
  if (!hour || !takeSign(text, ':')) return std::nullopt;
  const auto minute = take(text, 2);
  if (!minute || *hour > 23 || *minute > 59) return std::nullopt;
  const int seconds = *hour * 3600 + *minute * 60;
  return west ? -seconds : seconds;
}

std::optional<int64_t> nanoseconds(int64_t seconds_count, int64_t fraction) {
  int64_t out = 0;
  if (__builtin_mul_overflow(seconds_count, int64_t{1'000'000'000}, &out)) return std::nullopt;
  if (__builtin_add_overflow(out, fraction, &out)) return std::nullopt;
  return out;
}

// East of Greenwich; nullopt: a zone that is not known, because only offsets and UTC are.
std::optional<int64_t> zoneOffset(std::string_view zone) {
  if (zone.empty() || zone == "UTC") return 0;
  const auto offset = takeOffset(zone);
  return offset && zone.empty() ? std::optional<int64_t>(*offset) : std::nullopt;
}

int64_t part(Function function, Nanoseconds since_epoch) {
  const auto day = floor<days>(since_epoch);
  const year_month_day date{sys_days(day)};
  const auto time = since_epoch - day;
  const auto new_year = sys_days(date.year() / January / 1);
  switch (function) {
    case Function::FullYear: return int{date.year()};
    case Function::Month: return unsigned{date.month()} - int64_t{1};
    case Function::Date: return unsigned{date.day()};
    case Function::DayOfMonth: return unsigned{date.day()} - int64_t{1};
    case Function::DayOfWeek: return weekday(sys_days(day)).c_encoding();
    case Function::DayOfYear: return (sys_days(day) - new_year).count();
    case Function::Hours: return duration_cast<hours>(time).count();
    case Function::Minutes: return duration_cast<minutes>(time).count() % 60;
    case Function::Seconds: return duration_cast<seconds>(time).count() % 60;
    default: return duration_cast<milliseconds>(time).count() % 1000;
  }
}

}  // namespace

Value parseTimestamp(std::string_view text) {
  const auto year_number = take(text, 4);
  if (!year_number || !takeSign(text, '-')) return none("time");
  const auto month_number = take(text, 2);
  if (!month_number || !takeSign(text, '-')) return none("time");
  const auto day_number = take(text, 2);
  if (!day_number || !(takeSign(text, 'T') || takeSign(text, 't'))) return none("time");
  const auto hour = take(text, 2);
  if (!hour || !takeSign(text, ':')) return none("time");
  const auto minute = take(text, 2);
  if (!minute || !takeSign(text, ':')) return none("time");
  const auto second = take(text, 2);
  if (!second) return none("time");
  const int64_t fraction = takeSign(text, '.') ? takeFraction(text) : 0;
  const auto offset = takeOffset(text);
  const year_month_day date{year(*year_number), month(static_cast<unsigned>(*month_number)),
                            day(static_cast<unsigned>(*day_number))};
  if (!offset || !text.empty() || !date.ok() || *hour > 23 || *minute > 59 || *second > 59) return none("time");
  const auto days_since = sys_days(date).time_since_epoch();
  const int64_t total = duration_cast<seconds>(days_since).count() + *hour * 3600 + *minute * 60 + *second - *offset;
  const auto out = nanoseconds(total, fraction);
  return out ? Value::timestamp(*out) : Value::error("out of range");
}

Value parseDuration(std::string_view text) {
  static constexpr std::pair<std::string_view, int64_t> kUnits[] = {{"ns", 1},
                                                                    {"us", 1'000},
                                                                    {"ms", 1'000'000},
                                                                    {"s", 1'000'000'000},
                                                                    {"m", 60'000'000'000},
                                                                    {"h", 3'600'000'000'000}};
  const bool negative = takeSign(text, '-');
  if (!negative) takeSign(text, '+');
  if (text == "0") return Value::duration(0);
  if (text.empty()) return none("duration");
  double total = 0;
  while (!text.empty()) {
    const size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
    double number = 0;
    const auto end = std::from_chars(text.data(), text.data() + digits, number);
    if (digits == 0 || end.ec != std::errc() || end.ptr != text.data() + digits) return none("duration");
    text.remove_prefix(digits);
    int64_t unit = 0;
    for (const auto& [name, size] : kUnits) {
      const bool longer = name.size() == 1 && text.size() > 1 && name == "m" && text[1] == 's';
      if (unit != 0 || longer || !text.starts_with(name)) continue;
      unit = size;
      text.remove_prefix(name.size());
    }
    if (unit == 0) return none("duration");
    total += number * static_cast<double>(unit);
  }
  if (total >= 0x1p63) return Value::error("out of range");
  const auto count = static_cast<int64_t>(std::llround(total));
  return Value::duration(negative ? -count : count);
}

// As protobuf writes it in JSON: the fraction in threes.
std::string durationText(int64_t count) {
  const bool negative = count < 0;
  const uint64_t magnitude = negative ? uint64_t{0} - static_cast<uint64_t>(count) : static_cast<uint64_t>(count);
  const uint64_t whole = magnitude / 1'000'000'000, fraction = magnitude % 1'000'000'000;
  std::string out = fmt::format("{}{}", negative ? "-" : "", whole);
  if (fraction != 0 && fraction % 1'000'000 == 0) {
    out += fmt::format(".{:03}", fraction / 1'000'000);
  } else if (fraction != 0 && fraction % 1'000 == 0) {
    out += fmt::format(".{:06}", fraction / 1'000);
  } else if (fraction != 0) {
    out += fmt::format(".{:09}", fraction);
  }
  return out + "s";
}

std::string timestampText(int64_t count) {
  const Nanoseconds since_epoch(count);
  const auto whole = floor<seconds>(since_epoch);
  const year_month_day date{sys_days(floor<days>(since_epoch))};
  std::string fraction = durationText((since_epoch - whole).count());  // "0.25s" or "0s"
  fraction = fraction.substr(1, fraction.size() - 2);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}Z", int{date.year()}, unsigned{date.month()},
                     unsigned{date.day()}, part(Function::Hours, since_epoch), part(Function::Minutes, since_epoch),
                     part(Function::Seconds, since_epoch), fraction);
}

Value readClock(Function function, std::span<const Value> arguments) {
  const Value& of = arguments[0];
  if (of.is(Kind::Duration)) {
    if (arguments.size() != 1) return Value::error("no matching overload");
    const Nanoseconds length(of.integer());
    switch (function) {
      case Function::Hours: return Value(int64_t{duration_cast<hours>(length).count()});
      case Function::Minutes: return Value(int64_t{duration_cast<minutes>(length).count()});
      case Function::Seconds: return Value(int64_t{duration_cast<seconds>(length).count()});
      case Function::Milliseconds: return Value(int64_t{duration_cast<milliseconds>(length).count() % 1000});
      default: return Value::error("no matching overload");
    }
  }
  if (!of.is(Kind::Timestamp)) return Value::error("no matching overload");
  int64_t local = of.integer();
  if (arguments.size() == 2) {
    if (!arguments[1].is(Kind::String)) return Value::error("no matching overload");
    const auto offset = zoneOffset(arguments[1].text());
    if (!offset) return Value::error("no such time zone");
    if (__builtin_add_overflow(local, *offset * 1'000'000'000, &local)) return Value::error("out of range");
  }
  return Value(part(function, Nanoseconds(local)));
}

}  // namespace weir::cel
