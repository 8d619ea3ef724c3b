#include "wasm/module_cache.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <vector>

namespace weir::wasm {
namespace {

namespace fs = std::filesystem;

class ModuleCacheTest : public ::testing::Test {
 protected:
  ModuleCacheTest() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    directory_ =
        fs::path(::testing::TempDir()) / (std::string("weir_entries_") + test->name() + std::to_string(::getpid()));
    fs::remove_all(directory_);
  }
  ~ModuleCacheTest() override { fs::remove_all(directory_); }

  ModuleCache open(const ModuleCache::Limits& limits = {}) {
    return std::move(ModuleCache::open(directory_, limits).value());
  }

  // As if the file had been used at the given second.
  void age(const std::string& name, time_t second) {
    const timespec times[2] = {{second, 0}, {second, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, (directory_ / name).c_str(), times, 0), 0);
  }

  static std::vector<std::byte> bytes(size_t size) { return std::vector(size, std::byte{7}); }

  fs::path directory_;
};

TEST_F(ModuleCacheTest, FindsWhatWasPut) {
  const auto cache = open();
  EXPECT_EQ(cache.find("a").found, ModuleCache::Found::Missing);
  ASSERT_TRUE(cache.put("a", bytes(100)).ok());
  const auto lookup = cache.find("a");
  ASSERT_EQ(lookup.found, ModuleCache::Found::Hit);
  std::ifstream file(lookup.path, std::ios::binary);
  EXPECT_EQ(file.get(), 7);
}

TEST_F(ModuleCacheTest, TwoProcessesShareOneKey) {
  ASSERT_TRUE(open().put("a", bytes(10)).ok());
  EXPECT_EQ(open().find("a").found, ModuleCache::Found::Hit);
}

TEST_F(ModuleCacheTest, TheEntryUsedLongestAgoGoesFirst) {
  const auto cache = open({.total_bytes = 400, .entry_bytes = 300});
  ASSERT_TRUE(cache.put("a", bytes(100)).ok());
  ASSERT_TRUE(cache.put("b", bytes(100)).ok());
  age("a", 1000);
  age("b", 2000);
  EXPECT_EQ(cache.find("a").found, ModuleCache::Found::Hit);  // Used now: younger than b.
  ASSERT_TRUE(cache.put("c", bytes(150)).ok());
  EXPECT_EQ(cache.find("b").found, ModuleCache::Found::Missing);
  EXPECT_EQ(cache.find("a").found, ModuleCache::Found::Hit);
  EXPECT_EQ(cache.find("c").found, ModuleCache::Found::Hit);
}

TEST_F(ModuleCacheTest, AnEntryAboveItsLimitIsNotKept) {
  const auto cache = open({.total_bytes = 400, .entry_bytes = 50});
  EXPECT_EQ(cache.put("a", bytes(51)).error().code, base::Code::TooLarge);
  EXPECT_EQ(cache.find("a").found, ModuleCache::Found::Missing);
}

TEST_F(ModuleCacheTest, FilesOfAWriterThatDiedAreRemovedWhenOld) {
  const auto cache = open();
  std::ofstream(directory_ / "new.dead") << "x";
  std::ofstream(directory_ / "new.alive") << "x";
  age("new.dead", 1000);
  ASSERT_TRUE(cache.put("a", bytes(1)).ok());
  EXPECT_FALSE(fs::exists(directory_ / "new.dead"));
  EXPECT_TRUE(fs::exists(directory_ / "new.alive"));
}

TEST_F(ModuleCacheTest, AFifoInAnEntrysPlaceDoesNotHangTheStart) {
  const auto cache = open();
  ASSERT_EQ(::mkfifo((directory_ / "a").c_str(), 0600), 0);
  EXPECT_EQ(cache.find("a").found, ModuleCache::Found::Rejected);
}

TEST_F(ModuleCacheTest, ADirectoryThatCannotBeMadeIsAnErrorWithItsName) {
  std::ofstream(directory_) << "a file";
  const auto cache = ModuleCache::open(directory_, {});
  ASSERT_FALSE(cache.ok());
  EXPECT_EQ(cache.error().side, base::Side::Operator);
  EXPECT_THAT(cache.error().detail, ::testing::HasSubstr(directory_.string()));
}

}  // namespace
}  // namespace weir::wasm
