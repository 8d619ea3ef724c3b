// The attributes that an expression may ask for, in a context: the properties of property.h by the names that Envoy's
// expressions know, with their types.
#pragma once

#include "cel/expression.h"
#include "proxy_wasm/context.h"
#include "proxy_wasm/property.h"

namespace weir::proxy_wasm {

class ExpressionAttributes final : public cel::Attributes {
 public:
  explicit ExpressionAttributes(Context& context) : context_(context) {}
  bool knows(std::string_view name) override;
  Found find(std::span<const std::string> names, cel::Value& out) override;

 private:
  cel::Value typed(const PropertyValue& value, std::span<const std::string> names) const;
  cel::Value state(std::string_view bytes, std::string_view name) const;
  Context& context_;
};

// A value as the ABI has properties (abi.md 2.15). SerializationFailure: it has no such form.
AbiStatus toProperty(const cel::Value& value, std::string& out);

}  // namespace weir::proxy_wasm
