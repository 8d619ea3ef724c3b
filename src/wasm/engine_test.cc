#include "wasm/engine.h"

#include <gmock/gmock.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "wasm/wasm_fixture.h"

namespace weir::wasm {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
namespace fs = std::filesystem;

class EngineTest : public WasmFixture {};

TEST_F(EngineTest, ReadsImportsAndExportsWithTheirTypesInTheirOrder) {
  const auto module = compiled(R"((module
    (import "env" "f" (func (param i32 i64) (result f64)))
    (import "env" "g" (global i32))
    (import "env" "v" (func (param v128 funcref)))
    (func (export "typed") (param (ref func)))
    (memory (export "memory") 1)
    (func (export "proxy_abi_version_0_2_1"))
    (func (export "malloc") (param i32) (result i32) local.get 0)))");
  ASSERT_THAT(module->imports(), SizeIs(3));
  EXPECT_EQ(module->imports()[0].module, "env");
  EXPECT_EQ(module->imports()[0].name, "f");
  EXPECT_EQ(toString(module->imports()[0].type), "i32 i64 -> f64");
  EXPECT_FALSE(module->imports()[1].is_function);
  EXPECT_TRUE(module->imports()[1].is_global);
  EXPECT_EQ(module->imports()[2].type.params[0], ValueType::Other);
  ASSERT_THAT(module->exports(), SizeIs(4));
  EXPECT_EQ(toString(module->exports()[0].type), "unknown -> void");
  EXPECT_TRUE(module->exports()[1].is_memory);
  EXPECT_EQ(module->exports()[2].name, "proxy_abi_version_0_2_1");
  EXPECT_EQ(toString(module->exports()[2].type), "void -> void");
  ASSERT_NE(module->findFunction("malloc"), nullptr);
  EXPECT_EQ(module->findFunction("memory"), nullptr);
  EXPECT_EQ(module->findFunction("absent"), nullptr);
}

constexpr std::array<unsigned char, 8> kEmptyModule{0, 'a', 's', 'm', 1, 0, 0, 0};

TEST_F(EngineTest, TheDigestIsTheSha256OfTheBytes) {
  const auto module = engine().compile(std::as_bytes(std::span(kEmptyModule)));
  ASSERT_TRUE(module.ok());
  EXPECT_EQ((*module)->digest(), "93a44bbb96c751218e4c00d479e4c14358122a389acca16205b1e4d0dc5f9476");
}

TEST_F(EngineTest, AModuleInUseIsHandedOutAgain) {
  const auto first = compiled("(module)");
  EXPECT_EQ(compiled("(module)"), first);
  EXPECT_EQ(engine().stats().compiled, 1u);
}

TEST_F(EngineTest, GarbageIsRefusedWithWords) {
  for (const std::string_view garbage : {"", "garbage", "\177ELF and more", "(module)"}) {
    const auto module = engine().compile(std::as_bytes(std::span(garbage)));
    ASSERT_FALSE(module.ok()) << garbage;
    EXPECT_EQ(module.error().code, base::Code::Malformed);
    EXPECT_EQ(module.error().side, base::Side::Operator);
    EXPECT_THAT(module.error().detail, ::testing::StartsWith("Failed to load Wasm module: "));
    EXPECT_GT(module.error().detail.size(), 35u) << module.error().detail;
  }
  EXPECT_THAT(engine().compileText("(module (func (result i32)))").error().detail, HasSubstr("type mismatch"));
}

TEST_F(EngineTest, AModuleAboveTheSizeLimitIsRefused) {
  settings_.max_module_bytes = 7;
  const auto module = engine().compile(std::as_bytes(std::span(kEmptyModule)));
  ASSERT_FALSE(module.ok());
  EXPECT_EQ(module.error().code, base::Code::TooLarge);
  EXPECT_THAT(module.error().detail, HasSubstr("8 bytes are above the limit of 7 bytes"));
}

TEST_F(EngineTest, TakesWhatCompilersEmitAndRefusesTheRest) {
  EXPECT_TRUE(engine().compileText("(module (func (result i32 i32) i32.const 1 i32.const 2))").ok());
  EXPECT_TRUE(engine().compileText("(module (func (param v128) local.get 0 drop))").ok());
  EXPECT_TRUE(engine().compileText("(module (func (param i32) (result i32) local.get 0 i32.extend8_s))").ok());
  EXPECT_TRUE(
      engine()
          .compileText("(module (table 1 funcref) (func (table.fill (i32.const 0) (ref.null func) (i32.const 1))))")
          .ok());
  EXPECT_TRUE(
      engine().compileText("(module (memory 1) (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 1))))").ok());
  EXPECT_FALSE(engine().compileText("(module (memory i64 1))").ok());
  EXPECT_FALSE(engine().compileText("(module (memory 1 1 shared))").ok());
  EXPECT_FALSE(engine().compileText("(module (memory 1) (memory 1))").ok());
  EXPECT_FALSE(engine().compileText("(module (import \"env\" \"e\" (func (param externref))))").ok());
  EXPECT_FALSE(engine().compileText("(module (type (struct (field i32))) (func (param (ref 0))))").ok());
  EXPECT_FALSE(engine().compileText("(component)").ok());
}

class CachedEngineTest : public WasmFixture {
 protected:
  CachedEngineTest() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    directory_ =
        fs::path(::testing::TempDir()) / (std::string("weir_cache_") + test->name() + std::to_string(::getpid()));
    fs::remove_all(directory_);
    settings_.cache_directory = directory_ / "sub";
  }
  ~CachedEngineTest() override { fs::remove_all(directory_); }

  // A new engine each time, as after a restart: compiles the module, sees it work, and says what it cost.
  EngineStats restart() {
    const auto engine = std::move(Engine::create(settings_).value());
    const auto module = engine->compileText(
        R"((module (memory (export "memory") 1) (data (i32.const 0) "x") (func (export "run") (result i32) i32.const 5)))");
    EXPECT_TRUE(module.ok());
    auto instance = Instance::create(*engine, *module, {}, {}, kLong);
    EXPECT_TRUE(instance.ok()) << instance.error().detail;
    EXPECT_EQ(call(**instance, "run", {}), 5u);
    return engine->stats();
  }

  std::vector<fs::path> entries() {
    std::vector<fs::path> result;
    for (const auto& item : fs::directory_iterator(settings_.cache_directory)) {
      if (item.path().filename() != "key") result.push_back(item.path());
    }
    return result;
  }

  static void flip(const fs::path& path, size_t offset) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(offset));
    const char byte = static_cast<char>(file.get() ^ 1);
    file.seekp(static_cast<std::streamoff>(offset));
    file.put(byte);
  }

  fs::path directory_;
};

TEST_F(CachedEngineTest, TheSecondStartTakesTheCompiledForm) {
  EXPECT_EQ(restart().compiled, 1u);
  ASSERT_THAT(entries(), SizeIs(1));
  const EngineStats second = restart();
  EXPECT_EQ(second.compiled, 0u);
  EXPECT_EQ(second.cache_hits, 1u);
  EXPECT_EQ(fs::status(settings_.cache_directory).permissions(), fs::perms::owner_all);
  EXPECT_EQ(fs::status(entries()[0]).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(CachedEngineTest, AnEntryWithAChangedByteIsCompiledAnewAndReplaced) {
  restart();
  const size_t size = fs::file_size(entries()[0]);
  for (const size_t offset : {size_t{0}, size / 2, size - 33, size - 1}) {
    flip(entries()[0], offset);
    const EngineStats after = restart();
    EXPECT_EQ(after.cache_rejected, 1u) << offset;
    EXPECT_EQ(after.compiled, 1u) << offset;
    EXPECT_EQ(restart().cache_hits, 1u) << offset;
  }
}

TEST_F(CachedEngineTest, ATruncatedEntryIsReplaced) {
  restart();
  for (const size_t size : {0, 32, 4096}) {
    fs::resize_file(entries()[0], size);
    EXPECT_EQ(restart().cache_rejected, 1u) << size;
    EXPECT_EQ(restart().cache_hits, 1u) << size;
  }
}

TEST_F(CachedEngineTest, AnEntryUnderAnotherNameIsRejected) {
  restart();
  const fs::path ours = entries()[0];
  {
    const auto engine = std::move(Engine::create(settings_).value());
    ASSERT_TRUE(engine->compileText("(module (func (export \"other\")))").ok());
  }
  for (const fs::path& entry : entries()) {
    if (entry != ours) fs::rename(entry, ours);
  }
  EXPECT_EQ(restart().cache_rejected, 1u);
}

TEST_F(CachedEngineTest, AnEntryMadeWithAnotherKeyIsRejected) {
  restart();
  fs::resize_file(fs::path(settings_.cache_directory) / "key", 5);  // Then a new one is made.
  EXPECT_EQ(restart().cache_rejected, 1u);
  EXPECT_EQ(restart().cache_hits, 1u);
}

TEST_F(CachedEngineTest, AnEntryThatOthersMayWriteIsRejected) {
  restart();
  fs::permissions(entries()[0], fs::perms::others_write, fs::perm_options::add);
  EXPECT_EQ(restart().cache_rejected, 1u);
  EXPECT_EQ(restart().cache_hits, 1u);
}

TEST_F(CachedEngineTest, ALinkInTheEntrysPlaceIsNotFollowed) {
  restart();
  const fs::path entry = entries()[0];
  fs::rename(entry, directory_ / "elsewhere");
  fs::create_symlink(directory_ / "elsewhere", entry);
  EXPECT_EQ(restart().cache_hits, 0u);
}

TEST_F(CachedEngineTest, ADirectoryThatOthersMayEnterIsNotUsed) {
  restart();
  fs::permissions(settings_.cache_directory, fs::perms::group_exec, fs::perm_options::add);
  const EngineStats after = restart();
  EXPECT_EQ(after.compiled, 1u);
  EXPECT_EQ(after.cache_hits, 0u);
}

}  // namespace
}  // namespace weir::wasm
