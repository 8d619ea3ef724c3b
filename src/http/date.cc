#include "http/date.h"

#include <chrono>
#include <cstdint>
#include <cstring>
#include <limits>

namespace weir::http {
namespace {

constexpr size_t kLength = sizeof("Sun, 06 Nov 1994 08:49:37 GMT") - 1;

struct Cached {
  int64_t second = std::numeric_limits<int64_t>::min();
  char text[kLength];
};

void putDigits(char* to, unsigned value, int digits) {
  for (int i = digits - 1; i >= 0; --i, value /= 10) to[i] = static_cast<char>('0' + value % 10);
}

void format(std::chrono::sys_seconds second, char* to) {
  using std::chrono::floor;
  const auto day = floor<std::chrono::days>(second);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(second - day);
  std::memcpy(to, "Sun, 00 Jan 0000 00:00:00 GMT", kLength);
  std::memcpy(to, &"SunMonTueWedThuFriSat"[std::chrono::weekday(day).c_encoding() * 3], 3);
  putDigits(to + 5, static_cast<unsigned>(date.day()), 2);
  std::memcpy(to + 8, &"JanFebMarAprMayJunJulAugSepOctNovDec"[(static_cast<unsigned>(date.month()) - 1) * 3], 3);
  putDigits(to + 12, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  putDigits(to + 17, static_cast<unsigned>(time.hours().count()), 2);
  putDigits(to + 20, static_cast<unsigned>(time.minutes().count()), 2);
  putDigits(to + 23, static_cast<unsigned>(time.seconds().count()), 2);
}

}  // namespace

std::string_view imfDate(base::WallTime now) {
  static thread_local Cached cached;
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  const int64_t count = second.time_since_epoch().count();
  if (count != cached.second) {
    format(second, cached.text);
    cached.second = count;
  }
  return {cached.text, kLength};
}

}  // namespace weir::http
