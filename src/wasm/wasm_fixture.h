// What the tests of this folder share: an engine, modules from text, and short ways to call.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include "wasm/instance.h"

namespace weir::wasm {

class WasmFixture : public ::testing::Test {
 protected:
  // More than any call here takes, however slow the machine.
  static constexpr base::Duration kLong = std::chrono::seconds(60);

  static FunctionType type(size_t params, size_t results) {
    return {std::vector(params, ValueType::I32), std::vector(results, ValueType::I32)};
  }

  Engine& engine() {
    if (engine_ == nullptr) engine_ = std::move(Engine::create(settings_).value());
    return *engine_;
  }

  std::shared_ptr<const Module> compiled(std::string_view wat) {
    auto module = engine().compileText(wat);
    EXPECT_TRUE(module.ok()) << module.error().detail;
    return *module;
  }

  base::Result<std::unique_ptr<Instance>> tryMake(std::shared_ptr<const Module> module, base::Duration limit = kLong) {
    return Instance::create(engine(), std::move(module), host_, limits_, limit);
  }

  std::unique_ptr<Instance> make(std::shared_ptr<const Module> module) {
    auto instance = tryMake(std::move(module));
    EXPECT_TRUE(instance.ok()) << instance.error().detail;
    return std::move(*instance);
  }
  std::unique_ptr<Instance> make(std::string_view wat) { return make(compiled(wat)); }

  base::Error refusalOf(std::string_view wat) {
    auto instance = tryMake(compiled(wat));
    EXPECT_FALSE(instance.ok());
    return instance.error();
  }

  // An i32 function that succeeds.
  static uint32_t call(Instance& instance, std::string_view name, std::vector<uint32_t> arguments) {
    const GuestFunction function = instance.function(name, type(arguments.size(), 1));
    EXPECT_TRUE(function) << name;
    const auto result = instance.call(function, arguments, kLong);
    EXPECT_TRUE(result.ok()) << result.error().detail;
    return result.ok() ? *result : 0;
  }

  EngineSettings settings_;
  InstanceLimits limits_;
  std::vector<HostImport> host_;

 private:
  std::unique_ptr<Engine> engine_;
};

}  // namespace weir::wasm
