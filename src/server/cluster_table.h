// The clusters there are: those of the bootstrap, and those that CDS and EDS files tell of. Main thread.
//
// A response is taken as a whole: what is new or changed is put on every worker, what is gone is removed there. A
// cluster of the bootstrap stays as it is, whatever CDS says (as Envoy).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "server/admin_source.h"
#include "server/crew.h"
#include "server/transports.h"
#include "xds/subscription.h"

namespace weir::server {

class ClusterTable {
 public:
  // What is told before the workers run waits for them; what the bootstrap and the first CDS response say they begin
  // with (initial()).
  ClusterTable(const xds::Subscription::Environment& environment, Crew& crew, Transports& transports);

  // What makes the filters of a cluster ready, called when all clusters of the bootstrap are known, or before one of
  // CDS is taken. Not given: they are left as they are.
  void loadFiltersBy(std::function<base::Result<void>(upstream::ClusterSpec&)> load) {
    load_filters_ = std::move(load);
  }
  // Faults: of filters that cannot be.
  std::vector<base::Error> addStatic(const std::vector<upstream::ClusterSpec>& specs,
                                     const std::vector<std::string>& dumps);
  // Reads the file for the first time, within the call.
  void follow(const base::FileSource& cds);
  // No response changes anything any more.
  void stop();
  // From here on changes go to the workers.
  std::vector<upstream::ClusterSpec> begin();

  bool knows(std::string_view name) const { return entries_.find(name) != entries_.end(); }
  std::vector<upstream::ClusterSpec> specs() const;
  void describe(DiscoveryStatus& status) const;

 private:
  struct Entry {
    upstream::ClusterSpec spec;
    std::string bytes;
    ResourceStatus status;
    std::unique_ptr<xds::Subscription> endpoints;  // EDS.
    std::shared_ptr<const upstream::Assignment> assignment;
    std::string assignment_dump;
  };

  base::Result<void> loadFilters(upstream::ClusterSpec& spec);
  std::vector<std::string> take(config::Discovered& resources);
  void put(config::Resource<upstream::ClusterSpec>& resource, const std::string& version);
  void followEndpoints(Entry& entry);
  std::vector<std::string> takeEndpoints(const std::string& cluster, config::Discovered& resources);
  void assign(Entry& entry, upstream::Assignment assignment);
  void letGo(const upstream::ClusterSpec& spec);

  const xds::Subscription::Environment environment_;
  Crew& crew_;
  Transports& transports_;
  std::function<base::Result<void>(upstream::ClusterSpec&)> load_filters_;
  std::unique_ptr<xds::Subscription> cds_;
  std::map<std::string, Entry, std::less<>> entries_;
  // TLS contexts of clusters that were replaced or removed. They follow files on this thread, so they must end here,
  // when the workers have let go of them.
  std::vector<std::shared_ptr<tls::LiveClient>> leaving_;
  bool begun_ = false;
  stats::Counter& added_;
  stats::Counter& modified_;
  stats::Counter& removed_;
  stats::Counter& updated_;
  stats::Gauge& active_;
};

}  // namespace weir::server
