#include "format/time_format.h"

#include <ctime>
#include <limits>

#include "format/tables.h"

namespace weir::format {
namespace {

// The calendar of the second that was last asked for. Local time follows the zone file: twice a second at most is dear
// enough to keep.
const std::tm& calendar(int64_t second, TimeFormat::Zone zone) {
  struct Cached {
    int64_t second = std::numeric_limits<int64_t>::min();
    std::tm parts{};
  };
  static thread_local Cached cached[2];
  Cached& entry = cached[static_cast<size_t>(zone)];
  if (entry.second != second) {
    const auto time = static_cast<std::time_t>(second);
    if (zone == TimeFormat::Zone::Utc) {
      gmtime_r(&time, &entry.parts);
    } else {
      localtime_r(&time, &entry.parts);
    }
    entry.second = second;
  }
  return entry.parts;
}

void putDigits(uint64_t value, int digits, std::string& out) {
  const size_t start = out.size();
  out.resize(start + static_cast<size_t>(digits));
  for (int i = digits - 1; i >= 0; --i, value /= 10)
    out[start + static_cast<size_t>(i)] = static_cast<char>('0' + value % 10);
}

void putFraction(uint64_t nanoseconds, int digits, std::string& out) {
  for (int i = digits; i < 9; ++i) nanoseconds /= 10;
  putDigits(nanoseconds, digits, out);
}

// The directives that log lines are made of, without strftime's detour through the locale.
bool putCommon(char directive, const std::tm& parts, std::string& out) {
  switch (directive) {
    case 'Y': putDigits(static_cast<uint64_t>(parts.tm_year + 1900), 4, out); return true;
    case 'm': putDigits(static_cast<uint64_t>(parts.tm_mon + 1), 2, out); return true;
    case 'd': putDigits(static_cast<uint64_t>(parts.tm_mday), 2, out); return true;
    case 'H': putDigits(static_cast<uint64_t>(parts.tm_hour), 2, out); return true;
    case 'M': putDigits(static_cast<uint64_t>(parts.tm_min), 2, out); return true;
    case 'S': putDigits(static_cast<uint64_t>(parts.tm_sec), 2, out); return true;
    default: return false;
  }
}

void putDirective(const std::string& directive, const std::tm& parts, std::string& out) {
  if (directive.size() == 2 && parts.tm_year >= 0 && parts.tm_year < 8100 && putCommon(directive[1], parts, out))
    return;
  char text[128];
  out.append(text, std::strftime(text, sizeof text, directive.c_str(), &parts));
}

constexpr std::string_view kDirectives = "aAbBcCdDeFgGhHIjmMpPrRSTuUVwWxXyYzZ";

bool isDigit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

base::Result<TimeFormat> TimeFormat::create(std::string_view pattern, Zone zone) {
  TimeFormat format;
  format.zone_ = zone;
  size_t at = 0;
  while (at < pattern.size()) {
    const std::string_view rest = pattern.substr(at);
    if (rest.front() == '\n' || rest.starts_with("%n")) return refused("a format of times holds a newline");
    if (rest.front() == '%') {
      at += format.parseDirective(rest);
    } else {
      format.addLiteral(rest.substr(0, 1));
      ++at;
    }
  }
  return format;
}

void TimeFormat::addLiteral(std::string_view text) {
  if (pieces_.empty() || pieces_.back().kind != Piece::Kind::Literal) pieces_.push_back({Piece::Kind::Literal, ""});
  pieces_.back().text += text;
}

// rest begins with '%'. How many characters were taken.
size_t TimeFormat::parseDirective(std::string_view rest) {
  const auto at = [&](size_t i) { return i < rest.size() ? rest[i] : '\0'; };
  if (at(1) == '%') return addLiteral("%"), 2;
  if (at(1) == 't') return addLiteral("\t"), 2;
  if (at(1) == 's') return pieces_.push_back({Piece::Kind::Epoch, ""}), 2;
  if (at(1) == 'f') return pieces_.push_back({Piece::Kind::Fraction, "", 9}), 2;
  if (isDigit(at(1)) && at(1) != '0' && at(2) == 'f') {
    return pieces_.push_back({Piece::Kind::Fraction, "", at(1) - '0'}), 3;
  }
  if (at(1) == 'E' && (isDigit(at(2)) || at(2) == '*') && at(3) == 'S') {
    const bool plain = at(2) == '0';
    if (plain) return pieces_.push_back({Piece::Kind::Directive, "%S"}), 4;
    return pieces_.push_back({Piece::Kind::SecondsWithFraction, "", at(2) == '*' ? 0 : at(2) - '0'}), 4;
  }
  if ((at(1) == 'E' && std::string_view("cCxXyY").find(at(2)) != std::string_view::npos && at(2) != '\0') ||
      (at(1) == 'O' && std::string_view("deHImMSuUVwWy").find(at(2)) != std::string_view::npos && at(2) != '\0')) {
    return pieces_.push_back({Piece::Kind::Directive, std::string(rest.substr(0, 3))}), 3;
  }
  if (at(1) != '\0' && kDirectives.find(at(1)) != std::string_view::npos) {
    return pieces_.push_back({Piece::Kind::Directive, std::string(rest.substr(0, 2))}), 2;
  }
  return addLiteral("%"), 1;
}

void TimeFormat::append(base::WallTime time, std::string& out) const {
  const auto second = std::chrono::floor<std::chrono::seconds>(time);
  const auto nanoseconds = static_cast<uint64_t>((time - second).count());
  const int64_t count = second.time_since_epoch().count();
  const std::tm& parts = calendar(count, zone_);
  for (const Piece& piece : pieces_) {
    switch (piece.kind) {
      case Piece::Kind::Literal: out += piece.text; break;
      case Piece::Kind::Directive: putDirective(piece.text, parts, out); break;
      case Piece::Kind::Epoch: putNumber(out, count); break;
      case Piece::Kind::Fraction: putFraction(nanoseconds, piece.digits, out); break;
      case Piece::Kind::SecondsWithFraction:
        putDigits(static_cast<uint64_t>(parts.tm_sec), 2, out);
        if (piece.digits > 0) {
          out += '.';
          putFraction(nanoseconds, piece.digits, out);
        } else if (nanoseconds > 0) {
          out += '.';
          putFraction(nanoseconds, 9, out);
          out.erase(out.find_last_not_of('0') + 1);
        }
        break;
    }
  }
}

// ---- %START_TIME% and %EMIT_TIME%

namespace {

using Parameter = RowWithParameter::Parameter;
constexpr std::string_view kLocalDefault = "%Y-%m-%dT%H:%M:%E3S%z";

template <TimeFormat::Zone kZone, bool kStart>
base::Result<Operator> createTime(const Command& command) {
  const std::string_view otherwise = kZone == TimeFormat::Zone::Utc ? TimeFormat::kDefault : kLocalDefault;
  auto format = TimeFormat::create(command.parameter.value_or(otherwise), kZone);
  if (!format.ok()) return std::move(format).error().in(command.name);
  return Operator{Operator::Kind::Text, [format = *std::move(format)](const Entry& entry, std::string& out) {
                    format.append(kStart ? entry.info.start : entry.now, out);
                    return true;
                  }};
}

constexpr auto kUtc = TimeFormat::Zone::Utc;
constexpr auto kLocal = TimeFormat::Zone::Local;
constexpr RowWithParameter kRows[] = {
    {"START_TIME", Parameter::Optional, false, createTime<kUtc, true>},
    {"START_TIME_LOCAL", Parameter::Optional, false, createTime<kLocal, true>},
    {"EMIT_TIME", Parameter::Optional, false, createTime<kUtc, false>},
    {"EMIT_TIME_LOCAL", Parameter::Optional, false, createTime<kLocal, false>},
};

}  // namespace

std::span<const RowWithParameter> timeRows() { return kRows; }

}  // namespace weir::format
