// WASI preview 1 in its Proxy-Wasm meaning, under both module names.
#include "proxy_wasm/guest_fixture.h"
#include "proxy_wasm/host_functions.h"

namespace weir::proxy_wasm {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class WasiTest : public PluginTest {
 protected:
  std::vector<std::string> run(std::string_view imports, std::string_view body,
                               std::map<std::string, std::string> environment = {}) {
    GuestText guest;
    guest.import(imports).onConfigure(std::string(body) + "(i32.const 1)");
    PluginSpec plugin = spec(guest);
    plugin.vm.environment = std::move(environment);
    start(plugin);
    std::vector<std::string> logged = rawLines();
    for (std::string& line : logged) {
      const size_t log = line.find(" wasm log root vm: ");
      if (log != line.npos) line.replace(log, sizeof(" wasm log root vm: ") - 1, " ");
    }
    return logged;
  }
};

// Two pieces, "ab" and "c\n": iovecs at 100.
constexpr std::string_view kPieces =
    "(i32.store (i32.const 100) (i32.const 120)) (i32.store (i32.const 104) (i32.const 2))"
    "(i32.store (i32.const 108) (i32.const 122)) (i32.store (i32.const 112) (i32.const 2))"
    "(i32.store (i32.const 120) (i32.const 0x0a636261))";

TEST_F(WasiTest, WritesToTheLogOneLineACall) {
  for (const char* module : {"wasi_snapshot_preview1", "wasi_unstable"}) {
    const std::string import =
        fmt::format("(import \"{}\" \"fd_write\" (func $write (param i32 i32 i32 i32) (result i32)))", module);
    const auto write = [](int fd) {
      return fmt::format("(call $status (call $write (i32.const {}) (i32.const 100) (i32.const 2) (i32.const 16)))",
                         fd);
    };
    EXPECT_THAT(
        run(import, std::string(kPieces) + write(1) + "(call $status (i32.load (i32.const 16)))" + write(2) + write(3)),
        ElementsAre("info abc", "info = 0", "info = 4", "error abc", "info = 0", "info = 8"));
    EXPECT_THAT(run(import,
                    "(call $status (call $write (i32.const 1) (i32.const -4) (i32.const 2) (i32.const 16)))"
                    "(call $status (call $write (i32.const 1) (i32.const 100) (i32.const -1) (i32.const 16)))"),
                ElementsAre("info = 21", "info = 21"));
  }
}

TEST_F(WasiTest, GivesTheConfiguredEnvironment) {
  EXPECT_THAT(
      run("(import \"wasi_snapshot_preview1\" \"environ_sizes_get\" (func $sizes (param i32 i32) (result i32)))"
          "(import \"wasi_snapshot_preview1\" \"environ_get\" (func $environ (param i32 i32) (result i32)))",
          "(call $status (call $sizes (i32.const 100) (i32.const 104)))"
          "(call $status (i32.load (i32.const 100))) (call $status (i32.load (i32.const 104)))"
          "(call $status (call $environ (i32.const 200) (i32.const 300)))"
          "(i32.store (i32.const 8) (i32.load (i32.const 204))) (i32.store (i32.const 12) (i32.const 3)) (call $text)",
          {{"A", "1"}, {"B", "x"}}),
      ElementsAre("info = 0", "info = 2", "info = 8", "info = 0", "info B=x"));
}

TEST_F(WasiTest, GivesTheHostsClocks) {
  EXPECT_THAT(
      run("(import \"wasi_snapshot_preview1\" \"clock_time_get\" (func $clock (param i32 i64 i32) (result i32)))",
          "(call $status (call $clock (i32.const 0) (i64.const 1) (i32.const 16)))"
          "(call $status (i32.wrap_i64 (i64.div_u (i64.load (i32.const 16)) (i64.const 1000000000))))"
          "(call $status (call $clock (i32.const 1) (i64.const 1) (i32.const 16)))"
          "(call $status (i32.wrap_i64 (i64.div_u (i64.load (i32.const 16)) (i64.const 1000000000))))"
          "(call $status (call $clock (i32.const 2) (i64.const 1) (i32.const 16)))"),
      ElementsAre("info = 0", "info = 1700000000", "info = 0", "info = 1000", "info = 58"));
}

TEST_F(WasiTest, GivesRandomBytesUpToALimit) {
  EXPECT_THAT(run("(import \"wasi_snapshot_preview1\" \"random_get\" (func $random (param i32 i32) (result i32)))",
                  "(call $status (call $random (i32.const 100) (i32.const 65536)))"
                  "(call $status (call $random (i32.const 100) (i32.const 65537)))"
                  "(call $status (call $random (i32.const -1) (i32.const 2)))"),
              ElementsAre("info = 0", "info = 28", "info = 21"));
}

TEST_F(WasiTest, ReturnsFromProcExit) {
  EXPECT_THAT(run("(import \"wasi_snapshot_preview1\" \"proc_exit\" (func $exit (param i32)))",
                  "(call $exit (i32.const 3)) (call $status (i32.const 5))"),
              ElementsAre("error proc_exit(3)", "info = 5"));
}

// The whole table links: each function once, by the type it has in the table.
TEST_F(WasiTest, LinksEveryFunctionUnderBothNames) {
  std::string imports;
  size_t count = 0;
  const auto types = [](const std::vector<wasm::ValueType>& values) {
    std::string text;
    for (const wasm::ValueType value : values) text += value == wasm::ValueType::I64 ? " i64" : " i32";
    return text;
  };
  for (const auto group : {wasiFunctions, wasiFileFunctions}) {
    for (const HostFunctionEntry& entry : group()) {
      ++count;
      for (const char* module : {"wasi_snapshot_preview1", "wasi_unstable"}) {
        imports +=
            fmt::format("(import \"{}\" \"{}\" (func (param{})", module, entry.plainName(), types(entry.type.params));
        imports += entry.type.results.empty() ? "))" : "(result i32)))";
      }
    }
  }
  EXPECT_EQ(count, 45u);
  EXPECT_THAT(run(imports, ""), IsEmpty());
}

TEST_F(WasiTest, SaysThatThereAreNoFiles) {
  EXPECT_THAT(
      run("(import \"wasi_snapshot_preview1\" \"path_open\" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) "
          "(result i32)))"
          "(import \"wasi_snapshot_preview1\" \"fd_prestat_get\" (func $prestat (param i32 i32) (result i32)))"
          "(import \"wasi_snapshot_preview1\" \"fd_fdstat_get\" (func $fdstat (param i32 i32) (result i32)))"
          "(import \"wasi_snapshot_preview1\" \"poll_oneoff\" (func $poll (param i32 i32 i32 i32) (result i32)))",
          "(call $status (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i64.const "
          "0) "
          "(i64.const 0) (i32.const 0) (i32.const 0)))"
          "(call $status (call $prestat (i32.const 3) (i32.const 16)))"
          "(call $status (call $fdstat (i32.const 1) (i32.const 16)))"
          "(call $status (i32.wrap_i64 (i64.load (i32.const 24))))"
          "(call $status (call $fdstat (i32.const 0) (i32.const 16)))"
          "(call $status (call $poll (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16)))"),
      ElementsAre("info = 44", "info = 8", "info = 0", "info = 64", "info = 8", "info = 0"));
}

}  // namespace
}  // namespace weir::proxy_wasm
