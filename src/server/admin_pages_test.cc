// The pages' forms and words, as Envoy 1.40 has them.
#include "server/admin_pages.h"

#include <gmock/gmock.h>

#include "base/log.h"
#include "server/admin_test_source.h"

namespace weir::server {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class Admin : public testing::Test {
 protected:
  AdminAnswer get(std::string_view target) { return asked("GET", target); }
  AdminAnswer post(std::string_view target) { return asked("POST", target); }
  AdminAnswer asked(std::string_view method, std::string_view target) {
    return answerAdmin({source_, stats_, source_.facts_.started + std::chrono::seconds(61)}, method, target);
  }

  FakeSource source_;
  stats::Store stats_;
};

TEST_F(Admin, ReadySaysTheStateAnd503UnlessLive) {
  EXPECT_EQ(get("/ready").status, 200);
  EXPECT_EQ(get("/ready?x").body, "LIVE\n");
  source_.state_ = ServerState::PreInitializing;
  EXPECT_EQ(get("/ready").status, 503);
  EXPECT_EQ(get("/ready").body, "PRE_INITIALIZING\n");
  source_.state_ = ServerState::Initializing;
  EXPECT_EQ(get("/ready").body, "INITIALIZING\n");
  source_.state_ = ServerState::Draining;
  EXPECT_EQ(get("/ready").body, "DRAINING\n");
}

TEST_F(Admin, ReadySaysWhatIsDegradedToWhomAsksForItAndIsLiveForLoadBalancers) {
  EXPECT_EQ(get("/ready?verbose").body, "LIVE\n");
  source_.degraded_ = {"degraded: plugin a: no file", "degraded: plugin b: no module"};
  EXPECT_EQ(get("/ready").body, "LIVE\n");
  EXPECT_EQ(get("/ready?verbose").body, "LIVE\ndegraded: plugin a: no file\ndegraded: plugin b: no module\n");
  EXPECT_EQ(get("/ready?verbose").status, 200);
}

TEST_F(Admin, AnUnknownPageIs404WithTheList) {
  for (const auto* target : {"/nothing", "/listeners/", "/stats/", "", "*", "/READY"}) {
    EXPECT_EQ(get(target).status, 404) << target;
    EXPECT_THAT(get(target).body, StartsWith("invalid path. admin commands are:\n  /: Admin home page\n")) << target;
  }
}

TEST_F(Admin, WhatChangesSomethingWantsAPost) {
  for (const auto* target :
       {"/quitquitquit", "/logging", "/reopen_logs", "/reset_counters", "/healthcheck/fail", "/healthcheck/ok"}) {
    const AdminAnswer answer = get(target);
    EXPECT_EQ(answer.status, 405) << target;
    EXPECT_EQ(answer.body, "Method GET not allowed, POST required.") << target;
    EXPECT_EQ(asked("HEAD", target).status, 405) << target;
    EXPECT_FALSE(answer.quit);
  }
  EXPECT_FALSE(source_.health_checks_failed_);
  EXPECT_EQ(post("/ready").status, 200);
}

TEST_F(Admin, QuittingIsLeftForAfterTheAnswer) {
  const AdminAnswer answer = post("/quitquitquit");
  EXPECT_EQ(answer.body, "OK\n");
  EXPECT_TRUE(answer.quit);
  EXPECT_FALSE(source_.quit_);
}

TEST_F(Admin, HealthChecksAreFailedAndPassed) {
  EXPECT_EQ(post("/healthcheck/fail").body, "OK\n");
  EXPECT_TRUE(source_.health_checks_failed_);
  EXPECT_EQ(post("/healthcheck/ok").body, "OK\n");
  EXPECT_FALSE(source_.health_checks_failed_);
}

TEST_F(Admin, ListenersAreShownAsBound) {
  source_.listeners_ = {{"front", *net::Address::parseIp("127.0.0.1", 8080)},
                        {"six", *net::Address::parseIp("::1", 81)},
                        {"local", *net::Address::unixSocket("/run/x.sock")}};
  EXPECT_EQ(get("/listeners").body, "front::127.0.0.1:8080\nsix::[::1]:81\nlocal::/run/x.sock\n");
  const AdminAnswer json = get("/listeners?format=json");
  EXPECT_EQ(json.content_type, "application/json");
  EXPECT_THAT(json.body,
              StartsWith("{\n \"listener_statuses\": [\n  {\n   \"name\": \"front\",\n   \"local_address\": {\n"
                         "    \"socket_address\": {\n     \"address\": \"127.0.0.1\",\n"
                         "     \"port_value\": 8080\n    }\n   }\n  },\n"));
  EXPECT_THAT(json.body, HasSubstr("\"pipe\": {\n     \"path\": \"/run/x.sock\"\n    }"));
}

TEST_F(Admin, ClustersAreShownWithTheirEndpoints) {
  ClusterStatus cluster{.name = "web",
                        .observability_name = "w",
                        .breakers = {.max_connections = 7},
                        .high_breakers = {},
                        .endpoints = {}};
  EndpointStatus endpoint;
  endpoint.address = *net::Address::parseIp("127.0.0.1", 80);
  endpoint.hostname = "localhost";
  endpoint.cx_active = 1;
  endpoint.rq_total = 4;
  cluster.endpoints.push_back(endpoint);
  source_.clusters_.push_back(cluster);
  EXPECT_EQ(get("/clusters").body,
            "web::observability_name::w\n"
            "web::default_priority::max_connections::7\n"
            "web::default_priority::max_pending_requests::1024\n"
            "web::default_priority::max_requests::1024\n"
            "web::default_priority::max_retries::3\n"
            "web::high_priority::max_connections::1024\n"
            "web::high_priority::max_pending_requests::1024\n"
            "web::high_priority::max_requests::1024\n"
            "web::high_priority::max_retries::3\n"
            "web::added_via_api::false\n"
            "web::127.0.0.1:80::cx_active::1\n"
            "web::127.0.0.1:80::cx_connect_fail::0\n"
            "web::127.0.0.1:80::cx_total::0\n"
            "web::127.0.0.1:80::rq_active::0\n"
            "web::127.0.0.1:80::rq_error::0\n"
            "web::127.0.0.1:80::rq_pending_active::0\n"
            "web::127.0.0.1:80::rq_success::0\n"
            "web::127.0.0.1:80::rq_timeout::0\n"
            "web::127.0.0.1:80::rq_total::4\n"
            "web::127.0.0.1:80::hostname::localhost\n"
            "web::127.0.0.1:80::health_flags::healthy\n"
            "web::127.0.0.1:80::weight::1\n"
            "web::127.0.0.1:80::region::\n"
            "web::127.0.0.1:80::zone::\n"
            "web::127.0.0.1:80::sub_zone::\n"
            "web::127.0.0.1:80::canary::false\n"
            "web::127.0.0.1:80::priority::0\n"
            "web::127.0.0.1:80::success_rate::-1\n"
            "web::127.0.0.1:80::local_origin_success_rate::-1\n");
  const std::string json = get("/clusters?format=json").body;
  EXPECT_THAT(json, StartsWith("{\n \"cluster_statuses\": [\n  {\n   \"name\": \"web\",\n   \"host_statuses\": [\n"));
  EXPECT_THAT(json, HasSubstr("{\n       \"value\": \"4\",\n       \"name\": \"rq_total\"\n      }"));
  EXPECT_THAT(json, HasSubstr("{\n       \"type\": \"GAUGE\",\n       \"name\": \"rq_active\"\n      }"));
  EXPECT_THAT(json, HasSubstr("\"weight\": 1,\n     \"hostname\": \"localhost\",\n     \"locality\": {}\n"));
}

TEST_F(Admin, ServerInfoTellsVersionStateUptimeOptionsAndNode) {
  source_.facts_.command_line = {{"concurrency", "2"}, {"config_path", "a\"b"}, {"drain_time", "600s"}};
  source_.facts_.bootstrap = R"({"admin": {"node": 1}, "node": {"id": "n}", "list": [1, {}]}, "x": true})";
  const AdminAnswer answer = get("/server_info");
  EXPECT_EQ(answer.content_type, "application/json");
  EXPECT_EQ(answer.body,
            "{\n \"version\": \"v1\",\n \"state\": \"LIVE\",\n \"uptime_current_epoch\": \"61s\",\n"
            " \"uptime_all_epochs\": \"61s\",\n \"hot_restart_version\": \"disabled\",\n \"command_line_options\": {\n"
            "  \"concurrency\": 2,\n  \"config_path\": \"a\\\"b\",\n  \"drain_time\": \"600s\"\n },\n"
            " \"node\": {\"id\": \"n}\", \"list\": [1, {}]}\n}\n");
}

TEST_F(Admin, ConfigDumpHoldsTheBootstrap) {
  source_.facts_.bootstrap = R"({"a": 1})";
  EXPECT_THAT(
      get("/config_dump").body,
      StartsWith("{\n \"configs\": [\n  {\n   \"@type\": \"type.googleapis.com/envoy.admin.v3.BootstrapConfigDump\",\n"
                 "   \"bootstrap\": {\"a\": 1},\n   \"last_updated\": \"2023-11-14T22:13:20.000Z\"\n  },\n"));
  EXPECT_EQ(get("/config_dump?mask=x").status, 400);
  EXPECT_EQ(get("/config_dump?resource=x").status, 404);
}

TEST_F(Admin, ConfigDumpShowsWhatFilesBroughtAndWhatWasRefused) {
  const base::WallTime when{std::chrono::seconds(1'700'000'000)};
  source_.discovery_.clusters_version = "c2";
  source_.discovery_.clusters = {{"web", "c1", R"({"name": "web"})", when, true},
                                 {"old", "", R"({"name": "old"})", when, false}};
  source_.discovery_.listeners = {{"main", "l1", R"({"name": "main"})", when, true},
                                  {"main", "l0", R"({"name": "main"})", when, true, true}};
  source_.discovery_.listeners_error = ResourceError{"l2", "no such port", when};
  const std::string all = get("/config_dump").body;
  EXPECT_THAT(all, HasSubstr("\"version_info\": \"c2\""));
  EXPECT_THAT(all, HasSubstr("\"static_clusters\""));
  EXPECT_THAT(all, HasSubstr("\"active_state\""));
  EXPECT_THAT(all, HasSubstr("\"draining_state\""));
  EXPECT_THAT(all, HasSubstr("\"details\": \"no such port\""));
  const std::string one = get("/config_dump?resource=dynamic_active_clusters").body;
  EXPECT_THAT(one, HasSubstr("envoy.admin.v3.ClustersConfigDump.DynamicCluster"));
  EXPECT_THAT(one, Not(HasSubstr("\"old\"")));
  EXPECT_THAT(get("/config_dump?name_regex=^old$").body, Not(HasSubstr("\"web\"")));
  EXPECT_EQ(get("/config_dump?name_regex=(").status, 400);
}

TEST_F(Admin, DrainListenersTakesItsParameters) {
  EXPECT_EQ(answerAdmin({source_, stats_, {}}, "GET", "/drain_listeners").status, 405);
  EXPECT_EQ(answerAdmin({source_, stats_, {}}, "POST", "/drain_listeners?skip_exit").status, 400);
  EXPECT_EQ(answerAdmin({source_, stats_, {}}, "POST", "/drain_listeners?graceful&inboundonly").status, 200);
  ASSERT_TRUE(source_.drained_);
  EXPECT_TRUE(source_.drained_->graceful);
  EXPECT_TRUE(source_.drained_->inbound_only);
}

TEST_F(Admin, StatsHaveTheirFormats) {
  stats_.counter("cluster.web.upstream_rq_total").add(3);
  stats_.gauge("server.live").set(1);
  EXPECT_EQ(get("/stats").body, "cluster.web.upstream_rq_total: 3\nserver.live: 1\n");
  EXPECT_EQ(get("/stats?type=Gauges").body, "server.live: 1\n");
  EXPECT_EQ(get("/stats?filter=^server%5C.l&usedonly").body, "server.live: 1\n");
  EXPECT_EQ(get("/stats?filter=rq_.%2B").body, get("/stats?filter=rq_.+").body);
  EXPECT_EQ(get("/stats?format=json&filter=live").body, "{\"stats\":[{\"name\":\"server.live\",\"value\":1}]}");
  EXPECT_EQ(get("/stats?format=json").content_type, "application/json");
  const std::string prometheus = "# TYPE envoy_server_live gauge\nenvoy_server_live{} 1\n";
  EXPECT_EQ(get("/stats/prometheus?filter=live").body, prometheus);
  EXPECT_EQ(get("/stats?format=prometheus&filter=live").body, prometheus);
  EXPECT_EQ(post("/reset_counters").body, "OK\n");
  EXPECT_EQ(get("/stats?usedonly").body, "server.live: 1\n");
}

TEST_F(Admin, StatsRefuseWhatTheyDoNotUnderstand) {
  EXPECT_EQ(get("/stats?filter=(").status, 400);
  EXPECT_EQ(get("/stats?filter=(").body, "Invalid re2 regex: missing ): (");
  EXPECT_EQ(get("/stats/prometheus?filter=(").status, 400);
  EXPECT_EQ(get("/stats?format=foo").status, 400);
  EXPECT_EQ(get("/stats?type=Foo").body, "invalid &type= param");
}

TEST_F(Admin, LoggingShowsAndChangesLevels) {
  using base::LogComponent;
  base::setLogLevel(base::LogLevel::Info);
  EXPECT_THAT(post("/logging").body, StartsWith("active loggers:\n  admin: info\n"));
  EXPECT_THAT(post("/logging?wasm=debug").body, HasSubstr("  wasm: debug\n"));
  EXPECT_EQ(base::logLevel(LogComponent::Admin), base::LogLevel::Info);
  post("/logging?paths=http:trace,router:error");
  EXPECT_EQ(base::logLevel(LogComponent::Http), base::LogLevel::Trace);
  EXPECT_EQ(base::logLevel(LogComponent::Router), base::LogLevel::Error);
  post("/logging?level=warning");
  EXPECT_EQ(base::logLevel(LogComponent::Http), base::LogLevel::Warning);
  EXPECT_EQ(post("/logging?level=").status, 200);
  EXPECT_EQ(post("/logging?paths=").status, 200);
  base::setLogLevel(base::LogLevel::Info);
}

TEST_F(Admin, AFaultyLevelChangesNothing) {
  base::setLogLevel(base::LogLevel::Info);
  const auto fault = [&](std::string_view target) {
    const AdminAnswer answer = post(target);
    EXPECT_EQ(answer.status, 400) << target;
    EXPECT_THAT(answer.body, HasSubstr("\n\nusage: /logging?<name>=<level> (change single level)\n"));
    EXPECT_EQ(base::logLevel(base::LogComponent::Wasm), base::LogLevel::Info) << target;
    return answer.body.substr(0, answer.body.find('\n'));
  };
  EXPECT_EQ(fault("/logging?level=loud"), "error: unknown logger level");
  EXPECT_EQ(fault("/logging?nothing=debug"), "error: unknown logger name");
  EXPECT_EQ(fault("/logging?wasm=loud"), "error: unknown logger level");
  EXPECT_EQ(fault("/logging?paths=wasm:debug,nosuch:debug"), "error: unknown logger name");
  EXPECT_EQ(fault("/logging?paths=wasm:debug,http:"), "error: empty logger name or empty logger level");
  EXPECT_EQ(fault("/logging?level=debug&wasm=debug"), "error: invalid number of parameters");
}

TEST_F(Admin, HelpAndHomeNameEveryPage) {
  const std::string help = get("/help").body;
  const AdminAnswer home = get("/");
  EXPECT_EQ(home.content_type, "text/html; charset=UTF-8");
  for (const AdminPage& page : adminPages()) {
    EXPECT_THAT(help, HasSubstr("\n  " + std::string(page.path) + (page.changes ? " (POST): " : ": ")));
    if (page.path == "/") continue;
    const std::string path(page.path.substr(1));
    EXPECT_THAT(home.body, HasSubstr(page.changes ? "action=\"" + path + "\"" : "href=\"" + path + "\""));
  }
  EXPECT_THAT(home.body, HasSubstr("&lt;name&gt;=&lt;level&gt;"));
  EXPECT_THAT(home.body, Not(HasSubstr("<name>")));
}

TEST_F(Admin, CertificatesAndMemoryAreJson) {
  EXPECT_EQ(get("/certs").body, "{\n \"certificates\": []\n}\n");
  EXPECT_THAT(get("/memory").body, StartsWith("{\n \"allocated\": \""));
}

TEST(AdminQuery, DecodesPercentAndKeepsPlus) {
  const AdminQuery query("a=1&&b=x%20y+z&c&%64=%zz%4&=e&a=2");
  EXPECT_EQ(query.get("a"), "1");
  EXPECT_EQ(query.get("b"), "x y+z");
  EXPECT_EQ(query.get("c"), "");
  EXPECT_EQ(query.get("d"), "%zz%4");
  EXPECT_EQ(query.get("e"), std::nullopt);
  EXPECT_EQ(query.all().size(), 6u);
}

}  // namespace
}  // namespace weir::server
