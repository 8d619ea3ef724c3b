// A server that only says what a test put into it.
#pragma once

#include "server/admin_source.h"

namespace weir::server {

class FakeSource final : public AdminSource {
 public:
  const ServerFacts& facts() const override { return facts_; }
  ServerState state() const override { return state_; }
  std::vector<ListenerStatus> listeners() const override { return listeners_; }
  std::vector<ClusterStatus> clusters() override { return clusters_; }
  DiscoveryStatus discovery() const override { return discovery_; }
  std::vector<std::string> degraded() override { return degraded_; }
  void drainListeners(const DrainRequest& request) override { drained_ = request; }
  void failHealthChecks(bool fail) override { health_checks_failed_ = fail; }
  void quit() override { quit_ = true; }

  ServerFacts facts_{"v1", {}, "{}", base::WallTime(std::chrono::seconds(1'700'000'000)), "disabled", {}};
  ServerState state_ = ServerState::Live;
  std::vector<ListenerStatus> listeners_;
  std::vector<ClusterStatus> clusters_;
  bool health_checks_failed_ = false;
  bool quit_ = false;
  std::vector<std::string> degraded_;
  DiscoveryStatus discovery_;
  std::optional<DrainRequest> drained_;
};

}  // namespace weir::server
