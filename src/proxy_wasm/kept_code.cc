#include "proxy_wasm/kept_code.h"

#include <unistd.h>

#include <algorithm>
#include <span>

#include "base/log.h"
#include "oci/image_name.h"
#include "wasm/digest.h"

namespace weir::proxy_wasm {
namespace {

constexpr size_t kHexDigits = 64;

// The file, without the cache's seal at its end.
std::string readWhole(int file) {
  std::string content;
  char piece[65536];
  for (ssize_t got; (got = ::pread(file, piece, sizeof(piece), static_cast<off_t>(content.size()))) > 0;) {
    content.append(piece, static_cast<size_t>(got));
  }
  content.resize(content.size() - std::min(content.size(), sizeof(wasm::Sha256)));
  return content;
}

std::string moduleFile(const std::string& sha256) { return sha256 + ".wasm"; }
std::string imageFile(const std::string& name) { return sha256Of(name) + ".image"; }

}  // namespace

std::string sha256Of(std::string_view bytes) {
  return wasm::hex(wasm::sha256(std::as_bytes(std::span(bytes.data(), bytes.size()))));
}

std::shared_ptr<const std::string> KeptCode::find(const std::string& sha256) const {
  auto content = read(moduleFile(sha256));
  if (!content || sha256Of(*content) != sha256) return nullptr;
  return std::make_shared<const std::string>(*std::move(content));
}

bool KeptCode::keep(const std::string& sha256, const std::string& code) const { return put(moduleFile(sha256), code); }

// "<digest> <sha256> <name>"
std::optional<KeptCode::Image> KeptCode::findImage(const std::string& name) const {
  const auto content = read(imageFile(name));
  if (!content) return std::nullopt;
  const size_t blank = content->find(' ');
  if (blank == std::string::npos || content->size() < blank + 1 + kHexDigits) return std::nullopt;
  Image image{content->substr(0, blank), content->substr(blank + 1, kHexDigits)};
  const bool whole = content->substr(blank + 1 + kHexDigits) == " " + name;
  return whole && oci::isDigest(image.digest) ? std::optional(std::move(image)) : std::nullopt;
}

void KeptCode::keepImage(const std::string& name, const Image& image) const {
  put(imageFile(name), image.digest + " " + image.sha256 + " " + name);
}

bool KeptCode::put(const std::string& file, std::string_view content) const {
  if (!disk_) return false;
  const auto put = disk_->put(file, std::as_bytes(std::span(content.data(), content.size())));
  if (!put.ok()) LOG(Wasm, Warning, "plugin code cannot be kept: {}", put.error().detail);
  return put.ok();
}

std::optional<std::string> KeptCode::read(const std::string& file) const {
  if (!disk_) return std::nullopt;
  const auto found = disk_->find(file);
  if (found.found != wasm::ModuleCache::Found::Hit) return std::nullopt;
  return readWhole(found.file.get());
}

}  // namespace weir::proxy_wasm
