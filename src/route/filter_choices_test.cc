#include "route/filter_choices.h"

#include <gtest/gtest.h>

namespace weir::route {
namespace {

struct Own final : FilterSettings {};

FilterOverride off(std::string name) { return {std::move(name), true, nullptr}; }
FilterOverride on(std::string name, std::shared_ptr<const FilterSettings> settings = nullptr) {
  return {std::move(name), false, std::move(settings)};
}

TEST(FilterChoices, AreNumberZeroWhereNothingIsSaid) {
  FilterChoices choices;
  const FilterOverrides nothing;
  EXPECT_EQ(choices.add({&nothing, &nothing, &nothing}), 0U);
  EXPECT_EQ(choices.all().size(), 1U);
}

TEST(FilterChoices, TakeTheMostSpecificWordOnEachFilter) {
  FilterChoices choices;
  const FilterOverrides route{on("b")};
  const FilterOverrides host{off("b"), off("a")};
  const uint32_t choice = choices.add({&route, &host});
  ASSERT_EQ(choices.all()[choice].size(), 2U);
  EXPECT_EQ(choices.all()[choice][0].filter, "a");
  EXPECT_TRUE(choices.all()[choice][0].disabled);
  EXPECT_FALSE(choices.all()[choice][1].disabled);
}

TEST(FilterChoices, TakeTheMostSpecificSettingsEvenFromBelowAWordWithoutAny) {
  FilterChoices choices;
  const auto settings = std::make_shared<const Own>();
  const auto general = std::make_shared<const Own>();
  const FilterOverrides route{on("a")};
  const FilterOverrides host{on("a", settings)};
  const FilterOverrides config{on("a", general)};
  const uint32_t choice = choices.add({&route, &host, &config});
  EXPECT_EQ(choices.all()[choice][0].settings, settings);
}

TEST(FilterChoices, KeepEqualOnesOnce) {
  FilterChoices choices;
  const FilterOverrides one{off("a"), off("b")};
  const FilterOverrides other{off("b"), off("a")};
  EXPECT_EQ(choices.add({&one}), choices.add({&other}));
  EXPECT_EQ(choices.all().size(), 2U);
}

}  // namespace
}  // namespace weir::route
