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
  uint32_t weight = 1;
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

  Membership(const ClusterSpec& spec, event::Loop& loop, net::Resolver& resolver, ClusterStats& stats,
             Listener& listener);
  // May tell the listener before it returns.
  void start();

 private:
  // A name that is asked for, or a fixed address.
  struct Target {
    Target(Membership& membership, const EndpointSpec& spec);
    const EndpointSpec& spec;
    std::unique_ptr<net::Resolver::Query> query;
    event::Timer refresh;
    std::vector<Member> members;
    bool answered = false;
  };

  void takeStatic();
  void ask(Target& target);
  void onAnswer(Target& target, base::Result<net::Resolved> answer);
  base::Duration nextRefresh(const base::Result<net::Resolved>& answer) const;
  void tell();

  const ClusterSpec& spec_;
  event::Loop& loop_;
  net::Resolver& resolver_;
  ClusterStats& stats_;
  Listener& listener_;
  std::vector<std::unique_ptr<Target>> targets_;
  size_t unanswered_ = 0;
};

}  // namespace weir::upstream
