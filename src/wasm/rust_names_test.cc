#include "wasm/rust_names.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace weir::wasm {
namespace {

std::string readable(std::string_view mangled) { return readableRustName(mangled).value_or("none"); }

TEST(RustNames, PathsTypesAndGenericsAreReadable) {
  const std::pair<const char*, const char*> kNames[] = {
      {"_RNvCs1234_7mycrate3foo", "mycrate::foo"},
      {"_RNvNtCs1234_7mycrate3bar3baz", "mycrate::bar::baz"},
      {"_RNvMs1_NtNtCsdHhIpgkcIfN_4core3fmt8buildersNtB5_11DebugStruct9is_pretty",
       "<core::fmt::builders::DebugStruct>::is_pretty"},
      {"_RNvMNtCsi9YzqDQQz2q_5alloc6stringNtB2_6String13with_capacity", "<alloc::string::String>::with_capacity"},
      {"_RNCNvCsgStHSCytQ6I_7mycrate4main0B3_", "mycrate::main::{closure#0}"},
      {"_RNCNvCsgStHSCytQ6I_7mycrate4mains_0B3_", "mycrate::main::{closure#1}"},
      {"_RNCNCNvCs1_1c4main00B5_", "c::main::{closure#0}::{closure#0}"},
      {"_RINvNtC3std3mem8align_ofdE", "std::mem::align_of<f64>"},
      {"_RINvC1c1fRShQTmbEPzL_Kj1f_E", "c::f<&[u8], &mut (u32, bool), *const !, 31>"},
      {"_RINvC1c1fAhj4_FUKCllEuDNtC1c1Tp1xhEL_E", "c::f<[u8; 4], unsafe fn(i32, i32), dyn c::T<x = u8>>"},
      {"_RNvXs_C1cNtB4_1SNtB4_1T1m", "<c::S as c::T>::m"},
      {"_RNvYhNtC1c1T1m", "<u8 as c::T>::m"},
  };
  for (const auto& [mangled, expected] : kNames) EXPECT_EQ(readable(mangled), expected) << mangled;
}

TEST(RustNames, WhatIsNoNameIsNone) {
  for (const char* text : {"", "_R", "main", "_ZN4core3fmtE", "_RN", "_RNvC", "_RNvC9short",
                           "_RNvC1c99999999999999999999x", "_RB_", "_RNvB_1x", "_RNvCs_", "_RINvC1c1fKj1g_E", "_Rq"}) {
    EXPECT_EQ(readable(text), "none") << text;
  }
}

TEST(RustNames, NamesWithoutEndAreNone) {
  std::string deep = "_RNvC1c1f";
  for (int i = 0; i < 10000; ++i) deep.insert(2, "I");
  EXPECT_EQ(readable(deep), "none");
  // Each tuple has the one before it twice.
  std::string doubling = "_RINvC1c1f";
  size_t last = 0;
  for (int i = 0; i < 40; ++i) {
    const size_t here = doubling.size() - 2;
    doubling += i == 0
                    ? "TmmE"
                    : fmt::format("TB{}_B{}_E", static_cast<char>('0' + last % 10), static_cast<char>('0' + last % 10));
    last = here;
  }
  EXPECT_LE(readable(doubling + "E").size(), 1024u);
}

}  // namespace
}  // namespace weir::wasm
