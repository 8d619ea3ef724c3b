#include "xds/watcher.h"

namespace weir::xds {
namespace {

class SystemWatcher final : public Watcher {
 public:
  explicit SystemWatcher(event::FileWatch& files) : files_(files) {}
  base::Result<std::unique_ptr<Watch>> watch(const std::string& path, std::function<void()> on_change) override {
    auto watched = files_.watch(path, std::move(on_change));
    if (!watched.ok()) return std::move(watched).error();
    return std::unique_ptr<Watch>(std::make_unique<SystemWatch>(*std::move(watched)));
  }

 private:
  struct SystemWatch final : Watch {
    explicit SystemWatch(std::unique_ptr<event::FileWatch::Path> path) : path(std::move(path)) {}
    std::unique_ptr<event::FileWatch::Path> path;
  };
  event::FileWatch& files_;
};

}  // namespace

std::unique_ptr<Watcher> createWatcher(event::FileWatch& files) { return std::make_unique<SystemWatcher>(files); }

}  // namespace weir::xds
