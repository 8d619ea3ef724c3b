// What may fail says so in its type: Result<T> holds a T or an Error.
//
// An Error says what went wrong (code), who is to blame (side), whether trying again can help (retry), and carries a
// sentence for people (detail). Status code, response flag, log level and metric are read off these in one table, so
// that no caller parses text. The world's trouble (a bad byte, a slow peer, a mad plugin) is an Error; a broken
// invariant of our own is a CHECK (check.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/check.h"

namespace weir::base {

enum class Code : uint8_t {
  InvalidArgument,  // A value that cannot be: a bad configuration field, a bad call.
  Malformed,        // Bytes that break the protocol they claim to follow.
  TooLarge,         // Over a limit that has a name.
  Unsupported,      // Understood, and not implemented.
  NotFound,
  Unavailable,  // Nobody there to serve it: no endpoint, pool full, plugin failed.
  Refused,      // The peer's system said no to a connection.
  Reset,        // The connection broke.
  Timeout,
  Trap,      // A guest did what no guest may do.
  Deadline,  // A guest used up its time.
  Io,        // The operating system said no; detail has its words.
  Internal,
};

// Who is to blame, and hence whose statistics it counts in and how loudly it is logged.
enum class Side : uint8_t { Self, Client, Upstream, Plugin, Operator };

enum class Retry : uint8_t { No, Yes };

struct Error {
  Code code = Code::Internal;
  Side side = Side::Self;
  Retry retry = Retry::No;
  std::string detail;

  // The same error seen from further out: "while loading plugin x: file not found".
  Error in(std::string_view context) && {
    detail.insert(0, std::string(context) + ": ");
    return std::move(*this);
  }
};

std::string_view name(Code code);
std::string_view name(Side side);

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit on purpose
  Result(Error error) : value_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit on purpose

  bool ok() const { return value_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & {
    CHECK(ok());
    return *std::get_if<0>(&value_);
  }
  const T& value() const& {
    CHECK(ok());
    return *std::get_if<0>(&value_);
  }
  T&& value() && {
    CHECK(ok());
    return std::move(*std::get_if<0>(&value_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  Error& error() & {
    CHECK(!ok());
    return *std::get_if<1>(&value_);
  }
  const Error& error() const& {
    CHECK(!ok());
    return *std::get_if<1>(&value_);
  }
  Error&& error() && {
    CHECK(!ok());
    return std::move(*std::get_if<1>(&value_));
  }

 private:
  std::variant<T, Error> value_;
};

struct Ok {};

// Success without a value: `return base::Ok{};`
template <>
class [[nodiscard]] Result<void> {
 public:
  Result(Ok) {}                                                  // NOLINT: implicit on purpose
  Result(Error error) : error_(std::move(error)), ok_(false) {}  // NOLINT: implicit on purpose

  bool ok() const { return ok_; }
  explicit operator bool() const { return ok_; }
  const Error& error() const& {
    CHECK(!ok_);
    return error_;
  }
  Error&& error() && {
    CHECK(!ok_);
    return std::move(error_);
  }

 private:
  Error error_;
  bool ok_ = true;
};

}  // namespace weir::base
