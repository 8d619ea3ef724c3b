#include "wasm/module_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/random.h"
#include "wasm/digest.h"
#include "wasm/private_file.h"

namespace weir::wasm {
namespace {

constexpr char kKeyFile[] = "key";
constexpr time_t kForgottenAfter = 3600;  // A file written aside and never renamed: its writer is gone.

// The whole file as bytes, for as long as this lives.
class Mapping {
 public:
  Mapping(int file, size_t size) : size_(size) {
    address_ = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    if (address_ != MAP_FAILED) ::munmap(address_, size_);
  }
  explicit operator bool() const { return address_ != MAP_FAILED; }
  std::span<const std::byte> bytes() const { return {static_cast<const std::byte*>(address_), size_}; }

 private:
  void* address_;
  size_t size_;
};

struct Stored {
  std::string name;
  uint64_t size;
  time_t used;
};

std::vector<Stored> list(int directory) {
  std::vector<Stored> result;
  Descriptor copy(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  DIR* stream = copy ? ::fdopendir(copy.get()) : nullptr;
  if (stream == nullptr) return result;
  copy.release();
  while (const dirent* item = ::readdir(stream)) {
    struct stat status;
    if (::fstatat(directory, item->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(status.st_mode)) continue;
    result.push_back({item->d_name, static_cast<uint64_t>(status.st_size), status.st_mtime});
  }
  ::closedir(stream);
  return result;
}

}  // namespace

base::Result<ModuleCache> ModuleCache::open(const std::string& directory, const Limits& limits) {
  auto opened = openPrivateDirectory(directory);
  if (!opened.ok()) return std::move(opened).error();
  const auto key = readOrMakeKey(opened->get());
  if (!key.ok()) return key.error();
  return ModuleCache(std::move(*opened), *key, limits);
}

base::Result<ModuleCache::Key> ModuleCache::readOrMakeKey(int directory) {
  Key key;
  const auto file = openPrivateFile(directory, kKeyFile);
  if (file.ok()) {
    if (::read(file->get(), key.data(), key.size()) == static_cast<ssize_t>(key.size())) return key;
    ::unlinkat(directory, kKeyFile, 0);  // Cut short: made anew, and all entries with it.
  } else if (file.error().code != base::Code::NotFound) {
    return file.error();
  }

  base::secureRandom(key);
  const auto written = writeAside(directory, {key});
  if (!written.ok()) return written.error();
  const bool linked = ::linkat(directory, written->c_str(), directory, kKeyFile, 0) == 0;
  const int reason = errno;
  ::unlinkat(directory, written->c_str(), 0);
  if (linked) return key;
  errno = reason;
  if (reason != EEXIST) return systemError(kKeyFile);
  return readOrMakeKey(directory);  // Another process was quicker: its key is the key.
}

// The name is sealed too, so that no entry passes for another. It has a fixed length: nothing is ambiguous.
ModuleCache::Seal ModuleCache::sealOf(const std::string& name, std::span<const std::byte> content) const {
  std::vector<std::byte> message;
  const auto named = std::as_bytes(std::span(name));
  const Sha256 digest = sha256(content);
  message.insert(message.end(), digest.begin(), digest.end());
  message.insert(message.end(), named.begin(), named.end());
  return hmacSha256(key_, message);
}

bool ModuleCache::verify(int file, const std::string& name) const {
  struct stat status;
  if (::fstat(file, &status) != 0) return false;
  const auto size = static_cast<uint64_t>(status.st_size);
  if (size <= sizeof(Seal) || size > limits_.entry_bytes + sizeof(Seal)) return false;
  const Mapping mapping(file, size);
  if (!mapping) return false;
  const auto content = mapping.bytes().first(size - sizeof(Seal));
  return equalInConstantTime(sealOf(name, content), mapping.bytes().last(sizeof(Seal)));
}

ModuleCache::Lookup ModuleCache::find(const std::string& name) const {
  auto file = openPrivateFile(directory_.get(), name);
  if (!file.ok()) {
    return {
        .found = file.error().code == base::Code::NotFound ? Found::Missing : Found::Rejected, .file = {}, .path = {}};
  }
  if (!verify(file->get(), name)) return {.found = Found::Rejected, .file = {}, .path = {}};
  ::futimens(file->get(), nullptr);  // Used now.
  // Not by name: between the check and the use another file could take the name.
  std::string path = fmt::format("/proc/self/fd/{}", file->get());
  return {.found = Found::Hit, .file = std::move(*file), .path = std::move(path)};
}

base::Result<void> ModuleCache::put(const std::string& name, std::span<const std::byte> content) const {
  if (content.size() > limits_.entry_bytes) {
    return base::Error{base::Code::TooLarge, base::Side::Operator, base::Retry::No, name + " is too large to be kept"};
  }
  const Seal seal = sealOf(name, content);
  const auto written = writeAside(directory_.get(), {content, seal});
  if (!written.ok()) return written.error();
  if (::renameat(directory_.get(), written->c_str(), directory_.get(), name.c_str()) != 0) {
    base::Error error = systemError(name);
    ::unlinkat(directory_.get(), written->c_str(), 0);
    return error;
  }
  shrink();
  return base::Ok{};
}

void ModuleCache::shrink() const {
  std::vector<Stored> entries;
  const time_t now = std::time(nullptr);
  uint64_t total = 0;
  for (Stored& stored : list(directory_.get())) {
    if (stored.name == kKeyFile) continue;
    if (isPassingName(stored.name)) {
      if (stored.used + kForgottenAfter < now) ::unlinkat(directory_.get(), stored.name.c_str(), 0);
      continue;
    }
    total += stored.size;
    entries.push_back(std::move(stored));
  }
  std::ranges::sort(entries, {}, &Stored::used);
  // The newest stays, whatever its size.
  for (size_t i = 0; i + 1 < entries.size() && total > limits_.total_bytes; ++i) {
    LOG(Wasm, Debug, "compiled module {} removed from the cache", entries[i].name);
    if (::unlinkat(directory_.get(), entries[i].name.c_str(), 0) == 0) total -= entries[i].size;
  }
}

}  // namespace weir::wasm
