// Who tells that files have changed; tests tell it themselves.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "event/file_watch.h"

namespace weir::xds {

class Watcher {
 public:
  // Destroying it ends the watching.
  class Watch {
   public:
    virtual ~Watch() = default;
  };
  virtual ~Watcher() = default;
  // A file, or a directory of which every entry counts.
  virtual base::Result<std::unique_ptr<Watch>> watch(const std::string& path, std::function<void()> on_change) = 0;
};

// By the system's events. files must outlive it.
std::unique_ptr<Watcher> createWatcher(event::FileWatch& files);

}  // namespace weir::xds
