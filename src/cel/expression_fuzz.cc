// Any text is an expression or is refused; an expression has a value, within its limits.
#include <cstdint>
#include <cstdlib>

#include "cel/testing.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto expression = weir::cel::Expression::create(text);
  if (!expression.ok()) return 0;
  weir::cel::TableOfAttributes attributes;
  attributes.values["request.path"] = weir::cel::Value::string("/a?b");
  attributes.values["request.size"] = weir::cel::Value(int64_t{3});
  const weir::cel::Value value = expression->evaluate(attributes);
  if (value.weight() > 2 * weir::cel::Expression::kMaxBytes) std::abort();
  return 0;
}
