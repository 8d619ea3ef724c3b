// Who belongs to a cluster: fixed, or found out by asking for names again and again. As Envoy's cluster types:
// STRICT_DNS takes every address of every name as an endpoint; LOGICAL_DNS has one endpoint, at the first address of
// the last answer. A question that fails changes nothing; a name that does not exist any more has no addresses
// (strict), or keeps its last one (logical).
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "event/loop.h"
#include "event/timer.h"
#include "net/dns.h"
#include "upstream/cluster.h"

namespace weir::upstream {

struct Member {
  std::shared_ptr<const Endpoint> endpoint;
  uint32_t locality_weight = 0;
};

class Membership {
 public:
  class Listener {
   public:
    // All members there are now; may be the same as before.
    virtual void onMembers(const std::vector<Member>& members) = 0;
    // Every name has had its first answer or failure. Told once.
    virtual void onFirstAnswers() = 0;

   protected:
    ~Listener() = default;
  };

  // What is counted of questions and answers counts for the leading worker only: each asks for itself.
  Membership(const ClusterSpec& spec, const Environment& environment, net::Resolver& resolver, ClusterStats& stats,
             SharedCluster& shared, Listener& listener);
  // May tell the listener before it returns.
  void start();
  // For Discovery::Assigned; tells the listener within the call.
  void assign(const Assignment& assignment);

 private:
  // A name that is asked for, or a fixed address.
  struct Target {
    Target(Membership& membership, const EndpointSpec& spec);
    const EndpointSpec& spec;
    std::unique_ptr<net::Resolver::Query> query;
    event::Timer refresh;
    std::vector<Member> members;
    bool answered = false;
    uint32_t failures = 0;  // In a row.
  };

  void take(const std::vector<EndpointSpec>& endpoints);
  Member memberAt(const net::Address& address, const EndpointSpec& spec);
  void count(stats::Counter& counter) {
    if (leads_) counter.add();
  }
  void ask(Target& target);
  void onAnswer(Target& target, base::Result<net::Resolved> answer);
  uint32_t initialFlags(const EndpointSpec& endpoint) const;
  base::Duration nextRefresh(const Target& target, const base::Result<net::Resolved>& answer) const;
  base::Duration refreshAfter(const base::Result<net::Resolved>& answer) const;
  base::Duration jitter() const;
  void tell();

  const ClusterSpec& spec_;
  event::Loop& loop_;
  base::Random& random_;
  net::Resolver& resolver_;
  ClusterStats& stats_;
  SharedCluster& shared_;
  Listener& listener_;
  const bool leads_;
  bool assigned_ = false;
  std::vector<std::unique_ptr<Target>> targets_;
  size_t unanswered_ = 0;
};

}  // namespace weir::upstream
