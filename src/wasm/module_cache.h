// Compiled modules kept in a directory, so that the next start maps them instead of compiling.
//
// What is in there becomes machine code in this process, so nothing is believed: the directory and its files must be
// ours and closed to others, and every entry ends with an HMAC over its name and content, made with a key that lies
// beside the entries and never leaves the directory. An entry that does not verify is reported, to be made anew.
// Entries are written aside and renamed: a reader sees a whole entry or none. Processes may share a directory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "wasm/descriptor.h"

namespace weir::wasm {

class ModuleCache {
 public:
  struct Limits {
    uint64_t total_bytes = 1024ull * 1024 * 1024;  // Beyond it the entries used longest ago go.
    uint64_t entry_bytes = 256ull * 1024 * 1024;   // Larger ones are neither kept nor read.
  };

  // Creates the directory (0700) and the key (0600) if they are not there. Error (side Operator): why it cannot be
  // used.
  static base::Result<ModuleCache> open(const std::string& directory, const Limits& limits);

  enum class Found : uint8_t { Hit, Missing, Rejected };
  struct Lookup {
    Found found = Found::Missing;
    Descriptor file;   // With Hit: keeps open just the file that was verified, which the path below leads to.
    std::string path;  // With Hit.
  };

  // name: a file name without slashes. Thread-safe, as is put().
  Lookup find(const std::string& name) const;
  // Keeps the content under the name, replacing what was there; removes the oldest entries when there are too many.
  base::Result<void> put(const std::string& name, std::span<const std::byte> content) const;

 private:
  using Key = std::array<std::byte, 32>;
  using Seal = std::array<std::byte, 32>;

  ModuleCache(Descriptor directory, const Key& key, const Limits& limits)
      : directory_(std::move(directory)), key_(key), limits_(limits) {}
  static base::Result<Key> readOrMakeKey(int directory);
  Seal sealOf(const std::string& name, std::span<const std::byte> content) const;
  bool verify(int file, const std::string& name) const;
  void shrink() const;

  Descriptor directory_;
  Key key_;
  Limits limits_;
};

}  // namespace weir::wasm
