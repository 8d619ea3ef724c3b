#include "wasm/private_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/random.h"

namespace weir::wasm {
namespace {

constexpr std::string_view kPassing = "new.";

bool oursAlone(const struct stat& status) { return status.st_uid == ::geteuid() && (status.st_mode & 077) == 0; }

base::Error notOurs(const std::string& what) {
  return {base::Code::Refused, base::Side::Operator, base::Retry::No,
          what + " must belong to this user and be closed to others"};
}

}  // namespace

bool writeAll(int file, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return true;
}

base::Error systemError(std::string what) {
  const int number = errno;
  return {number == ENOENT ? base::Code::NotFound : base::Code::Io, base::Side::Operator, base::Retry::No,
          std::move(what) + ": " + std::system_category().message(number)};
}

base::Result<Descriptor> openPrivateDirectory(const std::string& path) {
  std::error_code ignored;  // Whatever goes wrong shows again below, with the path that matters.
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return systemError(path);
  Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat status;
  if (!directory || ::fstat(directory.get(), &status) != 0) return systemError(path);
  if (!oursAlone(status)) return notOurs(path);
  return directory;
}

base::Result<Descriptor> openPrivateFile(int directory, const std::string& name) {
  // Not blocking: a FIFO in the file's place must not hang the start.
  Descriptor file(::openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status;
  if (!file || ::fstat(file.get(), &status) != 0) return systemError(name);
  if (!S_ISREG(status.st_mode) || !oursAlone(status)) return notOurs(name);
  return file;
}

base::Result<std::string> writeAside(int directory, std::initializer_list<std::span<const std::byte>> parts) {
  uint64_t number = 0;
  base::secureRandom(std::as_writable_bytes(std::span(&number, 1)));
  std::string name = fmt::format("{}{:016x}", kPassing, number);
  const Descriptor file(::openat(directory, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) return systemError(name);
  for (const auto part : parts) {
    if (writeAll(file.get(), part)) continue;
    base::Error error = systemError(name);
    ::unlinkat(directory, name.c_str(), 0);
    return error;
  }
  return name;
}

bool isPassingName(std::string_view name) { return name.starts_with(kPassing); }

}  // namespace weir::wasm
