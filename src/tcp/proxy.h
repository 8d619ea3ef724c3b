// The TCP proxy: a network filter that carries a client's bytes to an endpoint of a cluster and back.
//
//   choose cluster -> connect (again, up to max_connect_attempts) -> carry both ways -> close
//
// As Envoy's: the client is not read before the upstream is there (but for max_early_data), each side's end is passed
// on and the other direction goes on, each side is read only as fast as the other takes it, and when one side is gone
// the other is closed after what was on its way.
#pragma once

#include <list>
#include <memory>
#include <string>

#include "access_log/log.h"
#include "base/random.h"
#include "event/timer.h"
#include "stats/stats.h"
#include "tcp/filter.h"
#include "tcp/spec.h"
#include "upstream/cluster.h"

namespace weir::tcp {

// tcp.<stat_prefix>.*, shared by all workers.
struct ProxyStats {
  ProxyStats(stats::Store& store, std::string_view stat_prefix);
  stats::Counter& downstream_cx_total;
  stats::Counter& downstream_cx_no_route;
  stats::Counter& downstream_cx_rx_bytes_total;
  stats::Counter& downstream_cx_tx_bytes_total;
  stats::Counter& downstream_flow_control_paused_reading_total;
  stats::Counter& downstream_flow_control_resumed_reading_total;
  stats::Counter& early_data_received_count_total;
  stats::Counter& idle_timeout;
  stats::Counter& max_downstream_connection_duration;
  stats::Counter& upstream_flush_total;
  stats::Gauge& upstream_flush_active;
  stats::Store& store;
};

// What all proxied connections of a filter chain share on one worker.
class ProxyFactory final : public FilterFactory {
 public:
  struct Environment {
    event::Loop& loop;
    base::Random& random;
    upstream::Clusters& clusters;
    access_log::Logs logs = {};
  };
  ProxyFactory(std::shared_ptr<const ProxySpec> spec, ProxyStats& stats, const Environment& environment);
  ~ProxyFactory() override;
  std::unique_ptr<Filter> create() override;

 private:
  friend class Proxy;
  class Departing;
  const std::string& chooseCluster();
  // Closes an upstream connection after its last bytes: its client's connection is over by then.
  void flush(std::unique_ptr<net::ByteStream> stream);

  const std::shared_ptr<const ProxySpec> spec_;
  ProxyStats& stats_;
  const Environment environment_;
  uint64_t total_weight_ = 0;
  std::list<std::unique_ptr<Departing>> departing_;
};

}  // namespace weir::tcp
