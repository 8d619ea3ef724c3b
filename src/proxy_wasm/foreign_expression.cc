// expr_create, expr_evaluate, expr_delete. Expressions belong to the VM; the attributes are those of the context of the
// running callback, whichever the guest has chosen, as in Envoy.
#include "base/log.h"
#include "proxy_wasm/expression_attributes.h"
#include "proxy_wasm/foreign.h"

namespace weir::proxy_wasm {
namespace {

std::optional<uint32_t> tokenIn(std::string_view arguments) {
  if (arguments.size() != sizeof(uint32_t)) return std::nullopt;
  return loadU32(arguments.data());
}

}  // namespace

AbiStatus createExpression(Call& call, std::string_view arguments, std::string& result) {
  auto expression = cel::Expression::create(arguments);
  if (!expression.ok()) {
    LOG(Wasm, Debug, "expr_create: {}", expression.error().detail);
    return AbiStatus::BadArgument;
  }
  const auto token = call.vm().expressions().keep(std::move(*expression));
  if (!token) return AbiStatus::InternalFailure;
  result.resize(sizeof(*token));
  storeU32(result.data(), *token);
  return AbiStatus::Ok;
}

AbiStatus evaluateExpression(Call& call, std::string_view arguments, std::string& result) {
  const auto token = tokenIn(arguments);
  if (!token) return AbiStatus::BadArgument;
  const cel::Expression* const expression = call.vm().expressions().find(*token);
  if (expression == nullptr) return AbiStatus::NotFound;
  ExpressionAttributes attributes(call.vm().current());
  const cel::Value value = expression->evaluate(attributes);
  if (value.isError()) {
    LOG(Wasm, Debug, "expr_evaluate: {}", value.text());
    return AbiStatus::InternalFailure;
  }
  const AbiStatus status = toProperty(value, result);
  if (status != AbiStatus::Ok) result.clear();
  return status;
}

// As Envoy: of an expression that is not there, too.
AbiStatus deleteExpression(Call& call, std::string_view arguments, std::string&) {
  const auto token = tokenIn(arguments);
  if (!token) return AbiStatus::BadArgument;
  call.vm().expressions().drop(*token);
  return AbiStatus::Ok;
}

}  // namespace weir::proxy_wasm
