// For tests: a plugin whose guest calls the cluster "web" from its request headers.
#pragma once

#include <string>
#include <vector>

#include "proxy_wasm/fake_upstream.h"
#include "proxy_wasm/guest_fixture.h"

namespace weir::proxy_wasm {

class CallingPluginTest : public PluginTest {
 protected:
  ~CallingPluginTest() override {
    if (stream_.filter != nullptr) stream_.finish();
    factory_.reset();
    worker_.reset();
    loop_.runReady();  // Calls that are over go before the cluster that they use.
  }
  // Starts the guest with a stream that has had its headers; what it logged.
  std::vector<std::string> run(const GuestText& guest, std::string name = "plugin") {
    worker_->setClusters(&cluster_);
    start(spec(guest, std::move(name)));
    stream_ = stream();
    stream_.requestHeaders();
    return lines();
  }

  FakeUpstream cluster_{stats_};
  Stream stream_;
};

}  // namespace weir::proxy_wasm
