// Whose breakers are open on which workers, and why: what the workers tell and the admin endpoint shows. Written to
// only when a breaker opens or closes.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace weir::proxy_wasm {

// Any thread.
class BreakerBoard {
 public:
  // cause: of the last death, in a line.
  void onOpened(const std::string& plugin, std::string cause);
  void onClosed(const std::string& plugin);
  // For people, a line for each plugin.
  std::vector<std::string> lines() const;

 private:
  struct Open {
    int workers = 0;
    std::string cause;
  };
  mutable std::mutex mutex_;
  std::map<std::string, Open> open_;  // By plugin's name.
};

}  // namespace weir::proxy_wasm
