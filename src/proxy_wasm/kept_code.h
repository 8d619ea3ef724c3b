// Code that was fetched, kept on disk from one start to the next: modules by their SHA-256, and for images which module
// their name meant when they were pulled last.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "wasm/module_cache.h"

namespace weir::proxy_wasm {

// 64 small hex digits.
std::string sha256Of(std::string_view bytes);

class KeptCode {
 public:
  // An image as it was pulled last.
  struct Image {
    std::string digest;  // "sha256:..." of its manifest or index.
    std::string sha256;  // Of the module in it.
  };

  // Nothing: nothing is kept, and nothing found.
  explicit KeptCode(std::optional<wasm::ModuleCache> disk) : disk_(std::move(disk)) {}

  // Null: it is not there, or not what it was.
  std::shared_ptr<const std::string> find(const std::string& sha256) const;
  // False: it could not be kept, for the reason that was logged.
  bool keep(const std::string& sha256, const std::string& code) const;

  // name: any text.
  std::optional<Image> findImage(const std::string& name) const;
  void keepImage(const std::string& name, const Image& image) const;

 private:
  bool put(const std::string& file, std::string_view content) const;
  std::optional<std::string> read(const std::string& file) const;

  std::optional<wasm::ModuleCache> disk_;
};

}  // namespace weir::proxy_wasm
