// The Wasm engine: compiles modules and keeps compiled ones on disk. The only folder that sees Wasmtime; knows no HTTP.
//
// One Engine per process, shared by all threads; a Module may be used by any thread; an Instance (instance.h) belongs
// to one. The engine runs a ticking thread while some instance is inside a guest call, and for some 30 ticks after the
// last one (leaving a guest costs nothing), so that deadlines hold and an idle proxy has no wake-ups.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace weir::wasm {

enum class ValueType : uint8_t { I32, I64, F32, F64, Other };

struct FunctionType {
  std::vector<ValueType> params;
  std::vector<ValueType> results;
  bool operator==(const FunctionType&) const = default;
};
std::string toString(const FunctionType& type);  // "i32 i32 -> i32", "void -> void": as in Envoy's messages.

struct EngineSettings {
  std::string cache_directory;                         // Empty: compiled modules are not kept on disk. Created 0700.
  base::Duration tick = std::chrono::milliseconds(5);  // Resolution of deadlines.
  // A guest's native stack, host functions in between included; deeper recursion is a trap. Threads that run guests
  // need a stack well above it.
  size_t max_stack_bytes = 512 * 1024;
  size_t max_module_bytes = 64 * 1024 * 1024;  // Larger ones are refused before they are parsed.
  // Of snapshots, in the whole process, that live in a pool at the same time; more than these are mapped one by one.
  uint32_t pooled_instances = 256;
  // PEM file of the Ed25519 key by which native code in a module must be signed to be used; empty: none is.
  std::string native_key;
};

// Whether native code that a module carries may be used (native_code.h); if it carries none, if it is not signed by our
// key or not for this engine, the module is compiled as if it had none.
enum class Native : uint8_t { Ignored, Allowed };

// What a module is to the engine.
enum class Form : uint8_t {
  AsGiven,
  // One that was made by snapshotOf() (snapshot.h): made anew at each start, it is not kept on disk; its instances,
  // many and short-lived, come out of a pool.
  Snapshot,
};

// Where a function stands among a module's exports: found once, for all its instances.
struct ExportedFunction {
  static constexpr uint32_t kNone = UINT32_MAX;
  uint32_t index = kNone;
  uint8_t params = 0;
  bool has_result = false;
  explicit operator bool() const { return index != kNone; }
};

class Engine;

// A compiled module. Immutable, shared.
class Module {
 public:
  struct Import {
    std::string module;
    std::string name;
    bool is_function = false;
    FunctionType type;
    bool is_global = false;
  };
  struct Export {
    std::string name;
    bool is_function = false;
    bool is_memory = false;
    FunctionType type;
  };
  virtual ~Module() = default;
  virtual const std::vector<Import>& imports() const = 0;
  // In the module's own order (the first ABI marker decides).
  virtual const std::vector<Export>& exports() const = 0;
  const Export* findFunction(std::string_view name) const;
  // The exported function of exactly this type (only i32, up to 8 parameters, one result or none); empty if there is
  // none.
  ExportedFunction find(std::string_view name, const FunctionType& type) const;
  // Hex SHA-256 of the module's bytes.
  virtual const std::string& digest() const = 0;
};

struct EngineStats {
  uint64_t compiled = 0;        // Modules compiled from their bytes.
  uint64_t cache_hits = 0;      // Modules taken from the directory.
  uint64_t cache_rejected = 0;  // Entries found damaged, foreign or unusable, and replaced.
  uint64_t native = 0;          // Modules whose own native code was used.
  uint64_t native_refused = 0;  // Modules whose own native code was not, although it was allowed.
  uint64_t ticks = 0;           // Wake-ups of the ticking thread.
  uint64_t pool_resident = 0;   // Bytes that unused places of the pool keep in memory.
};

// Must outlive its instances; modules may outlive it.
class Engine {
 public:
  // A cache directory that cannot be used safely (not ours, open to others, read-only) is a warning, not an error.
  static base::Result<std::unique_ptr<Engine>> create(const EngineSettings& settings);
  virtual ~Engine() = default;

  // Compiles, or takes the compiled form from the cache (keyed by content, engine version and settings; a damaged entry
  // is compiled anew and replaced). A module that is still in use somewhere is handed out again. Error: side Operator,
  // with what is wrong with the module. Thread-safe.
  virtual base::Result<std::shared_ptr<const Module>> compile(std::span<const std::byte> bytes,
                                                              Native native = Native::Ignored,
                                                              Form form = Form::AsGiven) = 0;
  // Whether the bytes are a module that this engine can compile. Error: as compile() would have it.
  virtual base::Result<void> validate(std::span<const std::byte> bytes) = 0;
  // The module's native code, and the name of the engine that can use it: what embedNativeCode() takes.
  virtual base::Result<std::vector<std::byte>> makeNative(std::span<const std::byte> bytes) = 0;
  virtual std::string_view nativeName() const = 0;
  // The same for the text format, and the bytes that it stands for.
  base::Result<std::shared_ptr<const Module>> compileText(std::string_view wat);
  static base::Result<std::vector<std::byte>> bytesOf(std::string_view wat);
  // Thread-safe.
  virtual EngineStats stats() const = 0;
};

}  // namespace weir::wasm
