// Facts about clusters that come and go while requests are under way.
#include "upstream/test_upstream.h"

namespace weir::upstream {
namespace {

struct ClustersTest : UpstreamTest {
  void put(const ClusterSpec& spec) {
    clusters->put(spec, [this] { ++activated; });
  }
  int activated = 0;
};

TEST_F(ClustersTest, AClusterThatIsPutIsFoundOnceItsFirstEndpointsAreKnown) {
  make(staticSpec());
  ClusterSpec named = staticSpec();
  named.name = "named";
  named.discovery = Discovery::StrictDns;
  named.assignment.endpoints[0].host = "a.test";
  put(named);
  turns();
  EXPECT_EQ(clusters->find("named"), nullptr);
  resolver.answer("a.test", {"10.0.0.9"});
  turns();
  EXPECT_EQ(activated, 1);
  ASSERT_NE(clusters->find("named"), nullptr);
  EXPECT_EQ(clusters->all().size(), 2u);
}

TEST_F(ClustersTest, TheOldClusterServesUntilTheNewOneOfItsNameIsWarm) {
  make(staticSpec({8001}));
  ClusterSpec named = staticSpec({8002});
  named.discovery = Discovery::StrictDns;
  named.assignment.endpoints[0].host = "a.test";
  put(named);
  turns();
  EXPECT_EQ(clusters->find("c"), cluster);
  resolver.answer("a.test", {"10.0.0.9"});
  turns();
  EXPECT_NE(clusters->find("c"), cluster);
  EXPECT_EQ(clusters->find("c")->spec().discovery, Discovery::StrictDns);
}

TEST_F(ClustersTest, ARequestUnderWayEndsOnTheClusterThatWasTakenAway) {
  make(staticSpec());
  Requester requester;
  {
    const ClusterUse use(*cluster);
    requester.ask(*cluster);
    turns();
    clusters->remove("c");
    turns();
    EXPECT_EQ(clusters->find("c"), nullptr);
    EXPECT_FALSE(connector.last().ended);
    connector.last().answer("late");
    turns();
    EXPECT_TRUE(requester.complete);
    EXPECT_EQ(requester.body, "late");
  }
  turns();
  EXPECT_TRUE(connector.last().ended);
  EXPECT_EQ(gauge("upstream_cx_active"), 0);
}

TEST_F(ClustersTest, WhoUsesARemovedClusterMayStillAskItForAConnection) {
  make(staticSpec());
  Requester requester;
  ClusterUse use(*cluster);
  clusters->remove("c");
  turns();
  requester.ask(*cluster);
  turns();
  connector.last().answer();
  turns();
  EXPECT_TRUE(requester.complete);
  use = ClusterUse();
  turns();
  EXPECT_EQ(gauge("upstream_cx_active"), 0);
}

TEST_F(ClustersTest, IdleConnectionsOfARemovedClusterAreClosed) {
  make(staticSpec());
  roundTrip();
  EXPECT_EQ(gauge("upstream_cx_active"), 1);
  clusters->remove("c");
  turns();
  EXPECT_EQ(gauge("upstream_cx_active"), 0);
  EXPECT_TRUE(connector.last().ended);
}

TEST_F(ClustersTest, AClusterThatIsRemovedWhileItWarmsIsNeverTold) {
  make(staticSpec());
  ClusterSpec named = staticSpec();
  named.name = "named";
  put(named);
  clusters->remove("named");
  turns();
  EXPECT_EQ(activated, 0);
  EXPECT_EQ(clusters->find("named"), nullptr);
  put(named);
  put(named);
  turns();
  EXPECT_EQ(activated, 1);
}

}  // namespace
}  // namespace weir::upstream
