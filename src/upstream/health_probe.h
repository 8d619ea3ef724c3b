// One endpoint asked how it is: by HTTP/1.1 or HTTP/2, by gRPC's health service, or by bytes over TCP. Keeps its
// connection from one check to the next where the configuration lets it.
#pragma once

#include <memory>

#include "event/loop.h"
#include "upstream/cluster.h"
#include "upstream/health_verdict.h"

namespace weir::upstream {

class HealthProbe {
 public:
  class Owner {
   public:
    // Told once for each check(), possibly within it. The owner must not destroy the probe in this call.
    virtual void onChecked(const CheckResult& result) = 0;

   protected:
    ~Owner() = default;
  };

  virtual ~HealthProbe() = default;
  virtual void check() = 0;
  // Gives the check under way up, and the connection: its result is not told.
  virtual void cancel() = 0;
  // The same for one that was not answered in time, after which others follow.
  virtual void expire() { cancel(); }
};

struct ProbeParts {
  event::Loop& loop;
  Connector& connector;
  const ClusterSpec& cluster;
  ClusterStats& stats;
  const HealthCheckSpec& check;
  std::shared_ptr<const Endpoint> target;  // Where it is checked.
  std::string authority;                   // For HTTP and gRPC.
  HealthProbe::Owner& owner;
};
std::unique_ptr<HealthProbe> createHttpProbe(const ProbeParts& parts);
std::unique_ptr<HealthProbe> createTcpProbe(const ProbeParts& parts);
std::unique_ptr<HealthProbe> createGrpcProbe(const ProbeParts& parts);

}  // namespace weir::upstream
