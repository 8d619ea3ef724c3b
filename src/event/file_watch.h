// Tells when files change: configuration, certificates, secrets.
//
// What counts as a change of a path: a file was moved into its place, written and closed, or created there; or a link
// that the path goes through was exchanged (Kubernetes mounts: certs/tls.crt -> ..data/tls.crt, where ..data is a link
// that is renamed into place). A removal is not told: there is nothing to read. Changes that follow one another are
// told once, when it has been quiet for kSettle, so that a certificate and its key are mostly seen together; half of a
// file may still be read where a writer pauses, so whoever reads must refuse what is broken and wait for the next
// change.
//
// inotify, by directories: what is not yet there may be watched if its directory is. On file systems without events
// (NFS, some FUSE) nothing is told.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "event/loop.h"
#include "event/timer.h"

namespace weir::event {

// One per loop is enough (the system allows a user 128 by default). Belongs to the loop's thread. Paths
// that outlive it tell nothing any more.
class FileWatch final : private IoHandler {
 public:
  static constexpr base::Duration kSettle = std::chrono::milliseconds(20);
  // Steady writers do not put it off for ever.
  static constexpr base::Duration kLongestSettle = std::chrono::milliseconds(500);
  // How often a directory that went away is looked for.
  static constexpr base::Duration kRetry = std::chrono::seconds(1);

  // A path that is watched; destroying it ends that, also within its own on_change.
  class Path {
   public:
    virtual ~Path() = default;
  };

  // An error is the system's (too many instances).
  static base::Result<std::unique_ptr<FileWatch>> open(Loop& loop);
  ~FileWatch();
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;

  // A file, or a directory, of which every entry counts. on_change runs on the loop's thread, never within this call.
  // An error is the operator's: the directory cannot be watched.
  base::Result<std::unique_ptr<Path>> watch(std::string path, std::function<void()> on_change);

 private:
  struct Watched;
  // Which entries of which directories make up a path now. An empty name: every entry.
  using Places = std::map<std::string, std::set<std::string>>;

  FileWatch(Loop& loop, int fd);
  void onIo(uint32_t events) override;
  void onChange(int watch, uint32_t mask, const std::string& name);
  void settle();
  static Places placesOf(const std::string& path);
  bool take(Watched& watched);
  bool listen(const std::string& directory);
  void dropUnused();

  Loop& loop_;
  int fd_;
  std::map<int, std::string> directories_;  // By inotify's number.
  std::vector<Watched*> watched_;
  bool settling_ = false;
  base::MonotonicTime first_change_{};
  Timer timer_;
};

}  // namespace weir::event
