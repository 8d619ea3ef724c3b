#include "cli/compile.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "wasm/engine.h"
#include "wasm/native_code.h"

namespace weir::cli {
namespace {

struct Request {
  std::string key;
  std::string in;
  std::string out;
};

base::Error failed(const std::string& path, const char* what) {
  return {base::Code::Io, base::Side::Operator, base::Retry::No, fmt::format("{}: {}", path, what)};
}

// The whole file, or nothing: a proxy may be reading the one before.
base::Result<void> writeWhole(const std::string& path, std::span<const std::byte> bytes) {
  const std::string aside = path + ".new";
  std::ofstream file(aside, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) return failed(aside, "cannot be written");
  std::error_code error;
  std::filesystem::rename(aside, path, error);
  if (error) return failed(path, "cannot be written");
  return base::Ok{};
}

base::Result<void> carryOut(const Request& request) {
  const auto key = wasm::PrivateKey::read(request.key);
  if (!key.ok()) return key.error();
  std::ifstream file(request.in, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return failed(request.in, "cannot be read");
  const std::string module = std::move(text).str();
  const auto bytes = std::as_bytes(std::span(module.data(), module.size()));

  auto engine = wasm::Engine::create({});
  if (!engine.ok()) return std::move(engine).error();
  const auto code = (*engine)->makeNative(bytes);
  if (!code.ok()) return code.error();
  const auto whole = wasm::embedNativeCode(bytes, (*engine)->nativeName(), *code, *key);
  fmt::print("{}: {} bytes, of them {} of native code\n", request.out, whole.size(), code->size());
  return writeWhole(request.out, whole);
}

}  // namespace

int compile(std::vector<std::string> arguments) {
  CLI::App app("Compiles a plugin and embeds the native code, signed, in a copy of it.", "weir compile");
  Request request;
  app.add_option("--key", request.key, "PEM file of an Ed25519 private key (openssl genpkey -algorithm ed25519)")
      ->required();
  app.add_option("in", request.in, "The plugin (.wasm)")->required();
  app.add_option("out", request.out, "Where the plugin with its native code goes")->required();
  std::reverse(arguments.begin(), arguments.end());
  try {
    app.parse(arguments);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
  if (const auto done = carryOut(request); !done.ok()) {
    fmt::print(stderr, "weir compile: {}\n", done.error().detail);
    return 1;
  }
  return 0;
}

}  // namespace weir::cli
