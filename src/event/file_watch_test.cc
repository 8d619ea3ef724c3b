#include "event/file_watch.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace weir::event {
namespace {

namespace fs = std::filesystem;

struct FileWatchTest : ::testing::Test {
  FileWatchTest() {
    std::string name = (fs::temp_directory_path() / "weir-watch-XXXXXX").string();
    directory = mkdtemp(name.data());
    watch = FileWatch::open(loop).value();
  }
  ~FileWatchTest() override {
    path.reset();
    watch.reset();
    fs::remove_all(directory);
  }
  void write(const std::string& name, const std::string& text) { std::ofstream(directory / name) << text; }
  void watchFile(const std::string& name) {
    path = watch->watch((directory / name).string(), [this] { ++told; }).value();
  }
  // The kernel queues its events before the call that causes them returns: two turns see them all.
  void settle(base::Duration by = FileWatch::kSettle) {
    loop.runReady();
    clock.advance(by + std::chrono::milliseconds(1));
    loop.runReady();
  }

  base::ManualClock clock;
  Loop loop{clock};
  fs::path directory;
  std::unique_ptr<FileWatch> watch;
  std::unique_ptr<FileWatch::Path> path;
  int told = 0;
};

TEST_F(FileWatchTest, TellsOfAFileThatIsMovedIntoPlace) {
  write("a", "1");
  watchFile("a");
  write("b", "2");
  settle();
  EXPECT_EQ(told, 0);
  fs::rename(directory / "b", directory / "a");
  settle();
  EXPECT_EQ(told, 1);
}

TEST_F(FileWatchTest, TellsOfAFileThatIsWrittenInPlaceOnce) {
  write("a", "1");
  watchFile("a");
  write("a", "2");
  write("a", "3");
  settle();
  EXPECT_EQ(told, 1);
  settle();
  EXPECT_EQ(told, 1);
}

TEST_F(FileWatchTest, TellsOfAFileThatWasNotThere) {
  watchFile("a");
  write("a", "1");
  settle();
  EXPECT_EQ(told, 1);
}

TEST_F(FileWatchTest, FollowsTheLinksOfAMountThatIsSwappedWhole) {
  fs::create_directory(directory / "..1");
  fs::create_directory(directory / "..2");
  write("..1/a", "1");
  write("..2/a", "2");
  fs::create_symlink("..1", directory / "..data");
  fs::create_symlink("..data/a", directory / "a");
  watchFile("a");
  for (const char* next : {"..2", "..1"}) {
    told = 0;
    fs::create_symlink(next, directory / "..tmp");
    fs::rename(directory / "..tmp", directory / "..data");
    settle();
    EXPECT_EQ(told, 1) << next;
  }
  write("..1/a", "3");
  settle();
  EXPECT_EQ(told, 2);
}

TEST_F(FileWatchTest, TellsOfEveryEntryOfADirectory) {
  watchFile("");
  write("new", "1");
  settle();
  EXPECT_EQ(told, 1);
}

TEST_F(FileWatchTest, FindsADirectoryThatWentAndCameBack) {
  fs::create_directory(directory / "sub");
  write("sub/a", "1");
  watchFile("sub/a");
  fs::remove_all(directory / "sub");
  settle();
  told = 0;
  fs::create_directory(directory / "sub");
  write("sub/a", "2");
  settle(FileWatch::kRetry);
  EXPECT_EQ(told, 1);
  write("sub/a", "3");
  settle();
  EXPECT_EQ(told, 2);
}

TEST_F(FileWatchTest, EndsWithItsHandleAlsoWithinTheCall) {
  write("a", "1");
  path = watch
             ->watch((directory / "a").string(),
                     [this] {
                       ++told;
                       path.reset();
                     })
             .value();
  write("a", "2");
  settle();
  write("a", "3");
  settle();
  EXPECT_EQ(told, 1);
}

TEST_F(FileWatchTest, ADirectoryThatIsNotThereIsTheOperatorsError) {
  const auto refused = watch->watch((directory / "none/a").string(), [] {});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().side, base::Side::Operator);
}

}  // namespace
}  // namespace weir::event
