#include "proxy_wasm/shared_data.h"

#include <gtest/gtest.h>

namespace weir::proxy_wasm {
namespace {

TEST(SharedData, IsRefusedAboveItsBudgetAndKeepsWhatIsThere) {
  SharedData data;
  const auto space = data.space("vm");
  const std::string half(400, 'x');
  EXPECT_EQ(space->set("a", half, 0, 1000), AbiStatus::Ok);
  EXPECT_EQ(space->set("b", half, 0, 1000), AbiStatus::InternalFailure);
  std::string value;
  uint32_t cas = 0;
  EXPECT_EQ(space->get("b", value, cas), AbiStatus::NotFound);
  EXPECT_EQ(space->get("a", value, cas), AbiStatus::Ok);
  EXPECT_EQ(value, half);
}

TEST(SharedData, WhatIsReplacedCountsNoMore) {
  SharedData data;
  const auto space = data.space("vm");
  for (int i = 0; i < 100; ++i) EXPECT_EQ(space->set("a", std::string(500, 'x'), 0, 1000), AbiStatus::Ok);
  EXPECT_EQ(space->set("a", std::string(2000, 'x'), 0, 1000), AbiStatus::InternalFailure);
  EXPECT_EQ(space->set("a", "", 0, 1000), AbiStatus::Ok);
  EXPECT_EQ(space->set("b", std::string(500, 'x'), 0, 1000), AbiStatus::Ok);
}

TEST(SharedData, ManySmallKeysCountToo) {
  SharedData data;
  const auto space = data.space("vm");
  int taken = 0;
  while (taken < 1000 && space->set("k" + std::to_string(taken), "", 0, 2000) == AbiStatus::Ok) ++taken;
  EXPECT_LT(taken, 20);
}

}  // namespace
}  // namespace weir::proxy_wasm
