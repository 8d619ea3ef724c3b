#include "proxy_wasm/stats_report.h"

#include <gmock/gmock.h>

#include <cstring>

namespace weir::proxy_wasm {
namespace {

// "kind name value growth" of each entry; the counts and sizes of the blocks must be right.
std::vector<std::string> entries(const std::string& report) {
  std::vector<std::string> found;
  const auto u32 = [&](size_t at) {
    uint32_t value = 0;
    std::memcpy(&value, report.data() + at, sizeof(value));
    return value;
  };
  const auto u64 = [&](size_t at) {
    uint64_t value = 0;
    std::memcpy(&value, report.data() + at, sizeof(value));
    return value;
  };
  size_t at = 0;
  while (at < report.size()) {
    const size_t end = at + u32(at);
    const uint32_t kind = u32(at + 4), count = u32(at + 8);
    at += 12;
    for (uint32_t i = 0; i < count; ++i) {
      const size_t size = u32(at);
      const std::string name = report.substr(at + 4, size);
      at = (at + 4 + size + 7) / 8 * 8;
      found.push_back(std::to_string(kind) + " " + name + " " + std::to_string(u64(at)));
      at += 8;
      if (kind != 1) continue;
      found.back() += " " + std::to_string(u64(at));
      at += 8;
    }
    EXPECT_EQ(at, end);
    at = end;
  }
  return found;
}

TEST(StatsReports, TellsWhatIsInUseAndHowMuchItGrew) {
  stats::Store store;
  store.counter("a").add(2);
  store.counter("unused");
  store.gauge("level").set(7);
  store.gauge("untouched");
  StatsReports reports(store);
  EXPECT_THAT(entries(reports.next()), testing::ElementsAre("1 a 2 2", "2 level 7"));
  store.counter("a").add(3);
  store.counter("a longer name").add(1);
  EXPECT_THAT(entries(reports.next()), testing::ElementsAre("1 a 5 3", "1 a longer name 1 1", "2 level 7"));
  EXPECT_THAT(entries(reports.next()), testing::ElementsAre("1 a 5 0", "1 a longer name 1 0", "2 level 7"));
}

TEST(StatsReports, ACounterThatWasResetHasNotGrown) {
  stats::Store store;
  store.counter("a").add(5);
  StatsReports reports(store);
  reports.next();
  store.resetCounters();
  store.counter("a").add(1);
  EXPECT_THAT(entries(reports.next()), testing::ElementsAre("1 a 1 0"));
}

TEST(StatsReports, WithoutStatisticsThereAreTwoEmptyBlocks) {
  stats::Store store;
  EXPECT_EQ(StatsReports(store).next().size(), 24u);
}

}  // namespace
}  // namespace weir::proxy_wasm
