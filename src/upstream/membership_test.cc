#include "upstream/membership.h"

#include <gtest/gtest.h>

#include "upstream/test_upstream.h"

namespace weir::upstream {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct MembershipTest : UpstreamTest {
  ClusterSpec named(Discovery discovery, std::vector<std::string> names = {"a.test"}) {
    ClusterSpec spec;
    spec.name = "c";
    spec.discovery = discovery;
    spec.dns_family = DnsFamily::V4Only;
    for (const std::string& name : names) {
      EndpointSpec& endpoint = spec.assignment.endpoints.emplace_back();
      endpoint.host = name;
      endpoint.port = 80;
    }
    return spec;
  }
  std::vector<std::string> members() {
    std::vector<std::string> addresses;
    for (const Endpoint* endpoint : cluster->endpoints()) addresses.push_back(endpoint->address.toString());
    return addresses;
  }
};

TEST_F(MembershipTest, StaticMembersAreThereAtOnceAndReadinessIsToldFromTheLoop) {
  make(staticSpec({1, 2}));
  EXPECT_THAT(members(), ElementsAre("10.0.0.1:1", "10.0.0.1:2"));
  EXPECT_FALSE(ready);
  turns();
  EXPECT_TRUE(ready);
  EXPECT_EQ(gauge("membership_total"), 2);
  EXPECT_EQ(count("membership_change"), 1u);
  EXPECT_EQ(resolver.questions, 0);
}

TEST_F(MembershipTest, ReadinessIsToldWithoutAnyCluster) {
  auto none = createClusters({}, {loop, random, store}, [this] { ready = true; });
  turns();
  EXPECT_TRUE(ready);
  EXPECT_EQ(none->find("c"), nullptr);
}

TEST_F(MembershipTest, WithoutMembersThereIsNoEndpoint) {
  make(named(Discovery::StrictDns));
  Requester requester;
  requester.ask(*cluster);
  EXPECT_EQ(requester.failure, AcquireFailure::NoEndpoint);
  EXPECT_EQ(count("upstream_cx_none_healthy"), 1u);
}

TEST_F(MembershipTest, ReadinessWaitsForEveryNameAlsoForOneThatFails) {
  make(named(Discovery::StrictDns, {"a.test", "b.test"}));
  turns();
  EXPECT_EQ(resolver.families[0], net::LookupFamily::V4Only);
  resolver.answer("a.test", {"10.0.0.1"});
  turns();
  EXPECT_FALSE(ready);
  resolver.fail("b.test", base::Code::Unavailable);
  turns();
  EXPECT_TRUE(ready);
  EXPECT_EQ(count("update_attempt"), 2u);
  EXPECT_EQ(count("update_success"), 1u);
  EXPECT_EQ(count("update_failure"), 1u);
}

TEST_F(MembershipTest, StrictTakesEveryAddressOfEveryNameOnceAndFollowsChanges) {
  make(named(Discovery::StrictDns, {"a.test", "b.test"}));
  resolver.answer("a.test", {"10.0.0.1", "10.0.0.2"});
  resolver.answer("b.test", {"10.0.0.2", "10.0.0.3"});
  EXPECT_THAT(members(), ElementsAre("10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"));
  EXPECT_EQ(cluster->endpoints()[0]->hostname, "a.test");
  passes(5s);
  resolver.answer("a.test", {"10.0.0.4"});
  EXPECT_THAT(members(), ElementsAre("10.0.0.4:80", "10.0.0.2:80", "10.0.0.3:80"));
  EXPECT_EQ(gauge("membership_healthy"), 3);
}

TEST_F(MembershipTest, AFailureKeepsTheLastAnswerAndAsksAgain) {
  make(named(Discovery::StrictDns));
  resolver.answer("a.test", {"10.0.0.1"});
  passes(5s);
  resolver.fail("a.test", base::Code::Unavailable);
  EXPECT_THAT(members(), ElementsAre("10.0.0.1:80"));
  passes(5s);
  EXPECT_EQ(resolver.questions, 3);
}

TEST_F(MembershipTest, ANameThatIsGoneEmptiesAStrictClusterAndNotALogicalOne) {
  make(named(Discovery::StrictDns));
  resolver.answer("a.test", {"10.0.0.1"});
  passes(5s);
  resolver.fail("a.test", base::Code::NotFound);
  EXPECT_THAT(members(), IsEmpty());
  make(named(Discovery::LogicalDns));
  resolver.answer("a.test", {"10.0.0.1"});
  passes(5s);
  resolver.fail("a.test", base::Code::NotFound);
  EXPECT_THAT(members(), ElementsAre("10.0.0.1:80"));
}

TEST_F(MembershipTest, TheTimeToLiveSaysWhenToAskAgainWhereItIsRespected) {
  ClusterSpec spec = named(Discovery::StrictDns);
  make(spec);
  resolver.answer("a.test", {"10.0.0.1"}, 60s);
  passes(5s);
  EXPECT_EQ(resolver.questions, 2);
  spec.respect_dns_ttl = true;
  make(spec);
  resolver.answer("a.test", {"10.0.0.1"}, 60s);
  passes(59s);
  EXPECT_EQ(resolver.questions, 3);
  passes(1s);
  EXPECT_EQ(resolver.questions, 4);
}

TEST_F(MembershipTest, AMemberThatStaysKeepsItsConnectionsAndOneThatGoesEndsWithItsRequests) {
  make(named(Discovery::StrictDns));
  resolver.answer("a.test", {"10.0.0.1", "10.0.0.2"});
  Requester stays, goes;
  stays.ask(*cluster);
  goes.ask(*cluster);
  turns();
  ASSERT_EQ(goes.endpoint, "10.0.0.2:80");
  passes(5s);
  resolver.answer("a.test", {"10.0.0.1"});
  turns();
  EXPECT_FALSE(connector.peer(0).ended);
  EXPECT_FALSE(connector.peer(1).ended);
  connector.peer(0).answer();
  connector.peer(1).answer("last");
  turns();
  EXPECT_EQ(goes.body, "last");
  EXPECT_FALSE(connector.peer(0).ended);
  EXPECT_TRUE(connector.peer(1).ended);
  EXPECT_EQ(gauge("upstream_cx_active"), 1);
}

TEST_F(MembershipTest, AMemberThatGoesClosesItsIdleConnectionsAtOnceAndServesWhoWaits) {
  make(named(Discovery::StrictDns));
  resolver.answer("a.test", {"10.0.0.1"});
  roundTrip();
  connector.at_once = false;
  Requester waiting, also;
  waiting.ask(*cluster);  // Takes the idle one.
  also.ask(*cluster);
  passes(5s);
  resolver.answer("a.test", {"10.0.0.2"});
  connector.last().client->connectSucceeds();
  turns();
  EXPECT_TRUE(also.granted);
  connector.peer(0).answer();
  connector.peer(1).answer();
  turns();
  EXPECT_TRUE(waiting.complete && also.complete);
  EXPECT_EQ(gauge("upstream_cx_active"), 0);
}

TEST_F(MembershipTest, LogicalHasOneEndpointAndKeepsItsConnectionsWhenTheAddressChanges) {
  make(named(Discovery::LogicalDns, {"a.test", "ignored.test"}));
  resolver.answer("a.test", {"10.0.0.1", "10.0.0.2"});
  EXPECT_THAT(members(), ElementsAre("10.0.0.1:80"));
  roundTrip();
  passes(5s);
  resolver.answer("a.test", {"10.0.0.9"});
  EXPECT_THAT(members(), ElementsAre("10.0.0.9:80"));
  Requester old_connection, new_connection;
  old_connection.ask(*cluster);
  EXPECT_TRUE(old_connection.reused);
  EXPECT_EQ(old_connection.endpoint, "10.0.0.1:80");
  new_connection.ask(*cluster);
  turns();
  EXPECT_EQ(new_connection.endpoint, "10.0.0.9:80");
}

TEST_F(MembershipTest, ClustersMayEndWithQuestionsOpen) {
  make(named(Discovery::StrictDns));
  clusters.reset();
  EXPECT_TRUE(resolver.asked.empty());
  passes(1min);
  EXPECT_FALSE(ready);
}

TEST_F(MembershipTest, UnixPathsAndMetadataReachTheEndpoint) {
  ClusterSpec spec;
  spec.name = "c";
  spec.metadata = "of cluster";
  EndpointSpec& endpoint = spec.assignment.endpoints.emplace_back();
  endpoint.unix_path = "/run/x.sock";
  endpoint.hostname = "h";
  endpoint.metadata = "of endpoint";
  make(spec);
  EXPECT_THAT(members(), ElementsAre("/run/x.sock"));
  EXPECT_EQ(cluster->endpoints()[0]->hostname, "h");
  EXPECT_EQ(*cluster->endpoints()[0]->metadata, "of endpoint");
  EXPECT_EQ(*cluster->metadata(), "of cluster");
}

}  // namespace
}  // namespace weir::upstream
