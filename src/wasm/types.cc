#include "wasm/types.h"

namespace weir::wasm {
namespace {

// wasm_valtype_kind() would be shorter, but it aborts the process on types that wasm.h does not know (v128, typed
// references), which any module may use.
ValueType valueType(const wasm_valtype_t& type) {
  struct Known {
    ValueTypeHandle type;
    ValueType value;
  };
  static const Known known[] = {{ValueTypeHandle(wasm_valtype_new(WASM_I32)), ValueType::I32},
                                {ValueTypeHandle(wasm_valtype_new(WASM_I64)), ValueType::I64},
                                {ValueTypeHandle(wasm_valtype_new(WASM_F32)), ValueType::F32},
                                {ValueTypeHandle(wasm_valtype_new(WASM_F64)), ValueType::F64}};
  for (const Known& one : known) {
    if (wasmtime_wasm_valtype_equal(one.type.get(), &type)) return one.value;
  }
  return ValueType::Other;
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
