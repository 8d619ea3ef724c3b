#include "wasm/types.h"

namespace weir::wasm {
namespace {

ValueType valueType(const wasm_valtype_t& type) {
  switch (wasm_valtype_kind(&type)) {
    case WASM_I32: return ValueType::I32;
    case WASM_I64: return ValueType::I64;
    case WASM_F32: return ValueType::F32;
    case WASM_F64: return ValueType::F64;
    default: return ValueType::Other;
  }
}

std::vector<ValueType> valueTypes(const wasm_valtype_vec_t& types) {
  std::vector<ValueType> result;
  result.reserve(types.size);
  for (size_t i = 0; i < types.size; ++i) result.push_back(valueType(*types.data[i]));
  return result;
}

std::string_view name(ValueType type) {
  switch (type) {
    case ValueType::I32: return "i32";
    case ValueType::I64: return "i64";
    case ValueType::F32: return "f32";
    case ValueType::F64: return "f64";
    case ValueType::Other: break;
  }
  return "unknown";
}

std::string list(const std::vector<ValueType>& types) {
  if (types.empty()) return "void";
  std::string text;
  for (const ValueType type : types) {
    if (!text.empty()) text += ' ';
    text += name(type);
  }
  return text;
}

}  // namespace

std::string toString(const FunctionType& type) { return list(type.params) + " -> " + list(type.results); }

FunctionType functionType(const wasm_functype_t& type) {
  return {valueTypes(*wasm_functype_params(&type)), valueTypes(*wasm_functype_results(&type))};
}

uint64_t initialBytes(const wasm_externtype_t& type) {
  const wasm_memorytype_t* memory = wasm_externtype_as_memorytype_const(&type);
  if (memory == nullptr) return 0;
  return wasmtime_memorytype_minimum(memory) * wasmtime_memorytype_page_size(memory);
}

}  // namespace weir::wasm
