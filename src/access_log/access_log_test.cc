#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "access_log/log.h"
#include "format/test_entry.h"

namespace weir::access_log {
namespace {

using format::TestEntry;

// A directory of its own that goes with the test.
struct Directory {
  Directory() {
    char name[] = "/tmp/weir-access-log-XXXXXX";
    path = mkdtemp(name);
  }
  ~Directory() { std::filesystem::remove_all(path); }
  std::string path;
};

std::string contents(const std::string& path) {
  std::ifstream file(path);
  std::stringstream all;
  all << file.rdbuf();
  return all.str();
}

// The writer's thread is another one: what it did is seen after a while, or never.
template <typename Condition>
bool soon(Condition condition) {
  for (int i = 0; i < 5000 && !condition(); ++i) usleep(1000);
  return condition();
}

struct Bench {
  std::unique_ptr<Logs> logs(std::vector<LogSpec> specs) {
    auto compiled = CompiledLogs::create(specs, writers);
    EXPECT_TRUE(compiled.ok()) << (compiled.ok() ? "" : compiled.error().detail);
    return std::make_unique<Logs>(compiled.ok() ? *compiled : nullptr, feeds);
  }
  uint64_t count(const char* name) { return store.counter(name).value(); }

  stats::Store store;
  Writers writers{store};
  base::ManualClock clock;
  event::Loop loop{clock};
  Feeds feeds{loop, {}};
  TestEntry test;
};

LogSpec toFile(const std::string& path, const std::string& text = "%RESPONSE_CODE%\n") {
  LogSpec spec;
  spec.sink.path = path;
  spec.format.text = text;
  return spec;
}

TEST(Logs, LinesReachTheFileWhenTheIntervalHasPassed) {
  Directory directory;
  Bench bench;
  const std::string path = directory.path + "/log";
  auto logs = bench.logs({toFile(path)});
  logs->write(bench.test.entry(), bench.test.random);
  logs->write(bench.test.entry(), bench.test.random);
  bench.clock.advance(std::chrono::seconds(9));
  bench.loop.runReady();
  EXPECT_EQ(bench.count("filesystem.flushed_by_timer"), 0u);
  bench.clock.advance(std::chrono::seconds(2));
  bench.loop.runReady();
  EXPECT_TRUE(soon([&] { return contents(path) == "503\n503\n"; }));
  EXPECT_EQ(bench.count("filesystem.flushed_by_timer"), 1u);
  EXPECT_EQ(bench.count("filesystem.write_buffered"), 2u);
}

TEST(Logs, ABigBlockIsHandedOverAtOnce) {
  Directory directory;
  Bench bench;
  const std::string path = directory.path + "/log";
  auto logs = bench.logs({toFile(path, std::string(70'000, 'x') + "\n")});
  logs->write(bench.test.entry(), bench.test.random);
  EXPECT_TRUE(soon([&] { return contents(path).size() == 70'001; }));
}

TEST(Logs, WhatIsLeftIsWrittenAtTheEnd) {
  Directory directory;
  const std::string path = directory.path + "/log";
  {
    Bench bench;
    bench.logs({toFile(path)})->write(bench.test.entry(), bench.test.random);
  }
  EXPECT_EQ(contents(path), "503\n");
}

TEST(Logs, TwoLogsOfOneFileShareItsWriter) {
  Directory directory;
  const std::string path = directory.path + "/log";
  {
    Bench bench;
    bench.logs({toFile(path, "a\n"), toFile(path, "b\n")})->write(bench.test.entry(), bench.test.random);
  }
  EXPECT_EQ(contents(path), "a\nb\n");
}

TEST(Logs, AFileThatCannotBeOpenedIsTheOperatorsError) {
  Bench bench;
  LogSpec spec = toFile("/no/such/directory/log");
  spec.where = "here";
  auto compiled = CompiledLogs::create({spec}, bench.writers);
  ASSERT_FALSE(compiled.ok());
  EXPECT_EQ(compiled.error().detail, "here: unable to open '/no/such/directory/log': No such file or directory");
}

TEST(Writer, AFullDiskCostsLinesAndIsCounted) {
  Bench bench;
  auto logs = bench.logs({toFile("/dev/full")});
  logs->write(bench.test.entry(), bench.test.random);
  bench.clock.advance(std::chrono::seconds(11));
  bench.loop.runReady();
  EXPECT_TRUE(soon([&] { return bench.count("filesystem.lines_dropped") == 1; }));
  EXPECT_EQ(bench.count("filesystem.write_failed"), 1u);
}

TEST(Writer, ASlowReaderCostsLinesAndNeverTheWorkersTime) {
  Directory directory;
  const std::string path = directory.path + "/pipe";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  const int reader = open(path.c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  {
    Bench bench;
    auto logs = bench.logs({toFile(path, std::string(1'000'000, 'x') + "\n")});
    for (int i = 0; i < 20; ++i) logs->write(bench.test.entry(), bench.test.random);
    // The pipe holds 64 KiB, the queue 16 MiB: the rest is lost.
    EXPECT_GE(bench.count("filesystem.lines_dropped"), 3u);
    EXPECT_LE(bench.store.gauge("filesystem.write_total_buffered").value(), 17'000'000);
  }
  close(reader);
}

TEST(Writer, AClosedPipeIsCountedAndKillsNobody) {
  std::signal(SIGPIPE, SIG_IGN);
  Directory directory;
  const std::string path = directory.path + "/pipe";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  const int reader = open(path.c_str(), O_RDONLY | O_NONBLOCK);
  Bench bench;
  auto logs = bench.logs({toFile(path)});
  close(reader);
  logs->write(bench.test.entry(), bench.test.random);
  bench.clock.advance(std::chrono::seconds(11));
  bench.loop.runReady();
  EXPECT_TRUE(soon([&] { return bench.count("filesystem.write_failed") == 1; }));
}

TEST(Writer, ReopensAFileThatWasMovedAway) {
  Directory directory;
  Bench bench;
  const std::string path = directory.path + "/log";
  auto logs = bench.logs({toFile(path)});
  const auto write = [&] {
    logs->write(bench.test.entry(), bench.test.random);
    bench.clock.advance(std::chrono::seconds(11));
    bench.loop.runReady();
  };
  write();
  ASSERT_TRUE(soon([&] { return contents(path) == "503\n"; }));
  std::filesystem::rename(path, path + ".1");
  bench.writers.reopenAll();
  write();
  EXPECT_TRUE(soon([&] { return contents(path) == "503\n"; }));
  EXPECT_EQ(contents(path + ".1"), "503\n");
}

// ---- Filters

bool passes(const FilterSpec& spec, TestEntry& test, base::Random& random) {
  auto filter = LogFilter::create(spec);
  EXPECT_TRUE(filter.ok());
  return filter->passes(test.entry(), random);
}
bool passes(const FilterSpec& spec) {
  TestEntry test;
  return passes(spec, test, test.random);
}

FilterSpec compared(FilterSpec::Kind kind, Comparison::Op op, uint32_t value) {
  FilterSpec spec;
  spec.kind = kind;
  spec.comparison = {op, value};
  return spec;
}

TEST(LogFilter, ComparesStatusAndDuration) {
  using Op = Comparison::Op;
  using Kind = FilterSpec::Kind;
  EXPECT_TRUE(passes(compared(Kind::StatusCode, Op::Equal, 503)));
  EXPECT_FALSE(passes(compared(Kind::StatusCode, Op::Equal, 200)));
  EXPECT_TRUE(passes(compared(Kind::StatusCode, Op::AtLeast, 500)));
  EXPECT_FALSE(passes(compared(Kind::StatusCode, Op::AtMost, 499)));
  EXPECT_TRUE(passes(compared(Kind::StatusCode, Op::NotEqual, 200)));
  EXPECT_TRUE(passes(compared(Kind::Duration, Op::AtLeast, 13)));
  EXPECT_FALSE(passes(compared(Kind::Duration, Op::AtLeast, 14)));
}

TEST(LogFilter, AndOrOfOthers) {
  FilterSpec both;
  both.kind = FilterSpec::Kind::And;
  both.parts = {compared(FilterSpec::Kind::StatusCode, Comparison::Op::Equal, 503),
                compared(FilterSpec::Kind::Duration, Comparison::Op::AtLeast, 1000)};
  EXPECT_FALSE(passes(both));
  both.kind = FilterSpec::Kind::Or;
  EXPECT_TRUE(passes(both));
}

TEST(LogFilter, FlagsAnyOrThoseNamed) {
  FilterSpec spec;
  spec.kind = FilterSpec::Kind::ResponseFlag;
  EXPECT_TRUE(passes(spec));
  spec.flags = uint64_t{1} << static_cast<int>(filter::ResponseFlag::NoRouteFound);
  EXPECT_FALSE(passes(spec));
  spec.flags |= uint64_t{1} << static_cast<int>(filter::ResponseFlag::UpstreamConnectionFailure);
  EXPECT_TRUE(passes(spec));
}

TEST(LogFilter, RequestHeader) {
  FilterSpec spec;
  spec.kind = FilterSpec::Kind::Header;
  spec.header.name = "x-a";
  EXPECT_TRUE(passes(spec));
  spec.header.name = "x-none";
  EXPECT_FALSE(passes(spec));
}

TEST(LogFilter, GrpcStatusAlsoOfOtherRequests) {
  FilterSpec spec;
  spec.kind = FilterSpec::Kind::GrpcStatus;
  spec.grpc_statuses = {14};
  EXPECT_TRUE(passes(spec));
  spec.exclude = true;
  EXPECT_FALSE(passes(spec));
}

TEST(LogFilter, SamplesByTheRequestsIdOrIndependently) {
  FilterSpec spec;
  spec.kind = FilterSpec::Kind::Runtime;
  spec.numerator = 95;
  TestEntry test;
  // 0x9d138c39 is 2635303993: 93 of a hundred.
  EXPECT_TRUE(passes(spec, test, test.random));
  spec.numerator = 30;
  EXPECT_FALSE(passes(spec, test, test.random));
  spec.independent = true;
  int passed = 0;
  for (int i = 0; i < 1000; ++i) passed += passes(spec, test, test.random) ? 1 : 0;
  EXPECT_NEAR(passed, 300, 60);
}

TEST(LogFilter, LogTypes) {
  FilterSpec spec;
  spec.kind = FilterSpec::Kind::LogType;
  spec.types = {format::LogType::DownstreamEnd};
  EXPECT_TRUE(passes(spec));
  spec.exclude = true;
  EXPECT_FALSE(passes(spec));
}

TEST(LogFilter, DynamicMetadata) {
  FilterSpec spec;
  spec.kind = FilterSpec::Kind::Metadata;
  spec.metadata.filter = "ns";
  spec.metadata.path = {"k"};
  spec.metadata.kind = MetadataMatch::Kind::String;
  spec.metadata.string.text = "v";
  TestEntry test;
  EXPECT_TRUE(passes(spec, test, test.random));  // There is none: as match_if_key_not_found says.
  spec.metadata.if_not_found = false;
  EXPECT_FALSE(passes(spec, test, test.random));
  test.info.dynamic_metadata["ns"] = format::wireEntry("k", format::wireText("v"));
  EXPECT_TRUE(passes(spec, test, test.random));
  spec.metadata.invert = true;
  EXPECT_FALSE(passes(spec, test, test.random));
}

// --- Logs that are no files ---

struct CountingConfig final : SinkConfig {};
struct CountingShared final : SharedSink {};
struct Counting final : Sink {
  explicit Counting(int& entries) : entries(entries) {}
  void write(const format::Entry&) override { ++entries; }
  int& entries;
};
struct CountingPlace final : SinkLoader, SinkOpener {
  base::Result<std::shared_ptr<const SharedSink>> load(const SinkConfig&) override {
    if (broken) return base::Error{base::Code::InvalidArgument, base::Side::Operator, base::Retry::No, "broken"};
    return std::shared_ptr<const SharedSink>(std::make_shared<const CountingShared>());
  }
  std::shared_ptr<Sink> open(const SharedSink&) override { return std::make_shared<Counting>(entries); }
  int entries = 0;
  bool broken = false;
};

LogSpec toCounting() {
  LogSpec spec;
  spec.other = std::make_shared<const CountingConfig>();
  spec.where = "here";
  return spec;
}

TEST(Logs, EntriesGoToSinksOfOthersAsTheirFilterSays) {
  Bench bench;
  CountingPlace place;
  LogSpec filtered = toCounting();
  filtered.filter = FilterSpec{};
  filtered.filter->kind = FilterSpec::Kind::StatusCode;
  filtered.filter->comparison = {Comparison::Op::AtLeast, 500};
  const auto compiled = CompiledLogs::create({toCounting(), filtered}, bench.writers, &place);
  ASSERT_TRUE(compiled.ok());
  const Logs logs(*compiled, bench.feeds, &place);
  EXPECT_FALSE(logs.empty());
  base::FastRandom random(1);
  bench.test.info.response_code = 200;
  logs.write(bench.test.entry(), random);
  EXPECT_EQ(place.entries, 1);
  bench.test.info.response_code = 503;
  logs.write(bench.test.entry(), random);
  EXPECT_EQ(place.entries, 3);
}

TEST(Logs, ASinkThatCannotBeLoadedIsAFaultWithItsPlace) {
  Bench bench;
  CountingPlace place;
  place.broken = true;
  const auto compiled = CompiledLogs::create({toCounting()}, bench.writers, &place);
  ASSERT_FALSE(compiled.ok());
  EXPECT_NE(compiled.error().detail.find("here"), std::string::npos);
}

}  // namespace
}  // namespace weir::access_log
