// CEL (github.com/google/cel-spec), as far as plugins ask questions about requests with it: every operator, list, map
// and macro, the standard functions on texts, times and durations. Messages cannot be made, and named time zones are
// not known.
//
// Bounded in every direction: the text (kMaxText), its nesting (kMaxDepth), the steps of an evaluation and the bytes
// that it makes.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "base/result.h"
#include "cel/value.h"

namespace weir::cel {

struct Tree;

// What an expression may ask about.
class Attributes {
 public:
  enum class Found : uint8_t {
    Value,
    Absent,
    Family,  // There is something, whose members can be asked for, but no value.
  };
  // Whether names that begin with this one are attributes.
  virtual bool knows(std::string_view name) = 0;
  virtual Found find(std::span<const std::string> names, Value& out) = 0;

 protected:
  ~Attributes() = default;
};

class Expression {
 public:
  static constexpr uint32_t kMaxSteps = 100'000;
  static constexpr size_t kMaxBytes = 1024 * 1024;

  // Error: what is wrong with it, and where.
  static base::Result<Expression> create(std::string_view text);
  Expression(Expression&&) noexcept;
  Expression& operator=(Expression&&) noexcept;
  ~Expression();

  // An error (of CEL: no such attribute, no such overload, a limit) is a Value of that kind. A family of attributes is
  // a Path.
  Value evaluate(Attributes& attributes) const;

 private:
  explicit Expression(std::unique_ptr<const Tree> tree);
  std::unique_ptr<const Tree> tree_;
};

}  // namespace weir::cel
