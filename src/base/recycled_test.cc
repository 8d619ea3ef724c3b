#include "base/recycled.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "base/sanitizers.h"

namespace weir::base {
namespace {

constexpr bool kKeeps = !kAddressSanitizer;

struct Small : Recycled {
  virtual ~Small() = default;
  char bytes[100];
};
struct Derived final : Small {
  char more[200];
};

TEST(Recycled, ThePlaceOfOneThatIsGoneServesTheNextOfAboutItsSize) {
  auto first = std::make_unique<Small>();
  const void* const place = first.get();
  first.reset();
  const auto second = std::make_unique<Small>();
  EXPECT_EQ(second.get() == place, kKeeps);
}

TEST(Recycled, AnObjectIsGivenBackBySizeOfWhatItIsAndNotOfItsBase) {
  std::unique_ptr<Small> derived = std::make_unique<Derived>();
  const void* const place = derived.get();
  derived.reset();
  const auto small = std::make_unique<Small>();
  EXPECT_NE(static_cast<const void*>(small.get()), place);
  EXPECT_EQ(static_cast<const void*>(std::make_unique<Derived>().get()) == place, kKeeps);
}

TEST(Recycled, WhatIsLargerThanTheLargestComesFromTheAllocator) {
  void* const large = Recycled::take(Recycled::kLargest + 1);
  std::memset(large, 1, Recycled::kLargest + 1);
  Recycled::give(large, Recycled::kLargest + 1);
}

TEST(Recycled, AThreadKeepsABoundedNumberAndFreesItAtItsEnd) {
  std::thread([] {
    std::vector<std::unique_ptr<Small>> many;
    for (size_t i = 0; i < 3 * Recycled::kKeptOfSize; ++i) many.push_back(std::make_unique<Small>());
  }).join();
}

TEST(Recycled, AVectorGrowsAndShrinksWithIt) {
  std::vector<int, RecyclingAllocator<int>> numbers;
  for (int i = 0; i < 5000; ++i) numbers.push_back(i);
  for (int i = 0; i < 5000; ++i) ASSERT_EQ(numbers[static_cast<size_t>(i)], i);
  numbers.clear();
  numbers.shrink_to_fit();
  EXPECT_EQ(numbers.capacity(), 0u);
}

}  // namespace
}  // namespace weir::base
