#include "event/file_watch.h"

#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

namespace weir::event {
namespace {

namespace fs = std::filesystem;

constexpr uint32_t kChanges = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE;
constexpr uint32_t kGone = IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED;
constexpr int kMostLinks = 40;  // As the kernel's limit.

base::Error systemError(base::Side side, const std::string& what) {
  return {base::Code::Io, side, base::Retry::No, what + ": " + std::generic_category().message(errno)};
}

}  // namespace

struct FileWatch::Watched final : public Path {
  Watched(FileWatch& owner, std::string path, std::function<void()> on_change)
      : owner(&owner), path(std::move(path)), on_change(std::move(on_change)) {
    this->owner->watched_.push_back(this);
  }
  ~Watched() override {
    if (owner == nullptr) return;
    std::erase(owner->watched_, this);
    owner->dropUnused();
  }

  FileWatch* owner;  // Null when it is gone.
  const std::string path;
  const std::function<void()> on_change;
  Places places;
  bool changed = false;
  bool lost = false;  // One of its directories went away.
};

base::Result<std::unique_ptr<FileWatch>> FileWatch::open(Loop& loop) {
  const int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd < 0) return systemError(base::Side::Self, "inotify");
  std::unique_ptr<FileWatch> watch(new FileWatch(loop, fd));
  IoHandler& handler = *watch;
  if (auto watched = loop.watch(fd, kReadable, handler); !watched.ok()) {
    close(std::exchange(watch->fd_, -1));
    return std::move(watched).error();
  }
  return watch;
}

FileWatch::FileWatch(Loop& loop, int fd) : loop_(loop), fd_(fd), timer_(loop, [this] { settle(); }) {}

FileWatch::~FileWatch() {
  for (Watched* watched : watched_) watched->owner = nullptr;
  if (fd_ < 0) return;
  loop_.unwatch(fd_);
  close(fd_);
}

base::Result<std::unique_ptr<FileWatch::Path>> FileWatch::watch(std::string path, std::function<void()> on_change) {
  auto watched = std::make_unique<Watched>(*this, std::move(path), std::move(on_change));
  errno = 0;
  if (!take(*watched)) return systemError(base::Side::Operator, "cannot watch '" + watched->path + "'");
  return std::unique_ptr<Path>(std::move(watched));
}

// Every link on the way is a place where the path can change, and so is its end.
FileWatch::Places FileWatch::placesOf(const std::string& path) {
  Places places;
  fs::path at = "/";
  std::error_code failed;
  const fs::path whole = fs::absolute(path, failed);
  std::vector<fs::path> rest(whole.begin(), whole.end());
  std::reverse(rest.begin(), rest.end());
  int links = 0;
  while (!rest.empty()) {
    const fs::path part = std::move(rest.back());
    rest.pop_back();
    if (part.empty() || part == "." || part == "/") continue;
    const fs::path here = at / part;
    if (part != ".." && fs::is_symlink(here, failed) && ++links <= kMostLinks) {
      places[at.string()].insert(part.string());
      const fs::path target = fs::read_symlink(here, failed);
      if (target.is_absolute()) at = "/";
      const std::vector<fs::path> parts(target.begin(), target.end());
      rest.insert(rest.end(), parts.rbegin(), parts.rend());
      continue;
    }
    at = part == ".." ? at.parent_path() : here;
  }
  if (fs::is_directory(at, failed)) {
    places[at.string()].insert("");
  } else {
    places[at.parent_path().string()].insert(at.filename().string());
  }
  return places;
}

// False, with errno, if a directory cannot be watched.
bool FileWatch::take(Watched& watched) {
  watched.places = placesOf(watched.path);
  bool all = true;
  for (const auto& [directory, names] : watched.places) all = listen(directory) && all;
  watched.lost = !all;
  return all;
}

bool FileWatch::listen(const std::string& directory) {
  const int number = inotify_add_watch(fd_, directory.c_str(), kChanges | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR);
  if (number < 0) return false;
  directories_[number] = directory;
  return true;
}

void FileWatch::dropUnused() {
  for (auto at = directories_.begin(); at != directories_.end();) {
    const bool used = std::any_of(watched_.begin(), watched_.end(), [&](const Watched* watched) {
      return watched->places.find(at->second) != watched->places.end();
    });
    if (!used) inotify_rm_watch(fd_, at->first);
    at = used ? std::next(at) : directories_.erase(at);
  }
}

// A bounded part a turn: the rest stays readable.
void FileWatch::onIo(uint32_t) {
  alignas(inotify_event) std::array<char, 16 * 1024> room;
  const ssize_t got = read(fd_, room.data(), room.size());
  for (ssize_t at = 0; at < got;) {
    const auto* event = reinterpret_cast<const inotify_event*>(room.data() + at);
    onChange(event->wd, event->mask, event->len > 0 ? std::string(event->name) : std::string());
    at += static_cast<ssize_t>(sizeof(inotify_event)) + event->len;
  }
}

void FileWatch::onChange(int number, uint32_t mask, const std::string& name) {
  const auto at = directories_.find(number);
  const bool all = mask & IN_Q_OVERFLOW;  // Events were lost: everything may have changed.
  if (at == directories_.end() && !all) return;
  bool any = false;
  for (Watched* watched : watched_) {
    const auto place = all ? watched->places.begin() : watched->places.find(at->second);
    if (place == watched->places.end()) continue;
    const bool meant = all || (mask & kChanges && (place->second.contains("") || place->second.contains(name)));
    watched->changed |= meant;
    watched->lost |= (mask & kGone) != 0;
    any = any || meant || watched->lost;
  }
  if (mask & kGone && at != directories_.end()) {
    if (mask & IN_MOVE_SELF) inotify_rm_watch(fd_, number);  // It has another name now.
    directories_.erase(at);
  }
  if (!any) return;
  if (!std::exchange(settling_, true)) first_change_ = loop_.now();
  const base::Duration left = first_change_ + kLongestSettle - loop_.now();
  timer_.arm(std::min<base::Duration>(kSettle, left));
}

void FileWatch::settle() {
  settling_ = false;
  bool any_lost = false;
  std::vector<Watched*> changed;
  for (Watched* watched : watched_) {
    const bool was_lost = watched->lost;
    if (!watched->changed && !was_lost) continue;
    const Places before = watched->places;
    if (!take(*watched)) watched->places.insert(before.begin(), before.end());
    // What came back is new.
    if (watched->changed || (was_lost && !watched->lost)) changed.push_back(watched);
    any_lost |= watched->lost;
    watched->changed = false;
  }
  dropUnused();
  if (any_lost) timer_.arm(kRetry);
  for (Watched* watched : changed) {
    // An earlier one may have ended it.
    if (std::find(watched_.begin(), watched_.end(), watched) == watched_.end()) continue;
    const std::function<void()> on_change = watched->on_change;
    on_change();
  }
}

}  // namespace weir::event
