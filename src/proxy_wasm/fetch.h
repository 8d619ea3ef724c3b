// Requests of the main thread to clusters of the configuration, as far as getting code needs them.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "proxy_wasm/spec.h"

namespace weir::proxy_wasm {

// A GET.
struct FetchRequest {
  std::string cluster;
  std::string uri;  // "https://host/path?query": what comes after the host is asked for.
  std::vector<std::pair<std::string, std::string>> headers = {};
  base::Duration timeout{};
  size_t max_bytes = 64 * 1024 * 1024;  // As the engine's largest module.
};

struct FetchAnswer {
  int status = 0;  // 0: there was none, for the reason given.
  std::string reason = {};
  bool too_large = false;                                         // With status 0: over max_bytes.
  std::vector<std::pair<std::string, std::string>> headers = {};  // Names in small letters.
  std::string body = {};
};

// Sends the request; the answer comes to the thread that asked, never within the call. No answer when the proxy ends.
using Fetch = std::function<void(FetchRequest request, std::function<void(FetchAnswer)> answered)>;

using Pulled = std::function<void(base::Result<std::string>)>;

// The bytes at an http:// or https:// URI. Error: what was answered.
void pullFile(const RemoteSource& source, const Fetch& fetch, Pulled pulled);

}  // namespace weir::proxy_wasm
