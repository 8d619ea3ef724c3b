#include "server/admin_pages.h"

#include <algorithm>

#include "http/characters.h"
#include "http/path.h"

namespace weir::server {
namespace {

AdminAnswer done() { return {.body = "OK\n"}; }

AdminAnswer noCertificates(const AdminContext&, const AdminQuery&) {
  return {.content_type = kJson, .body = "{\n \"certificates\": []\n}\n"};
}

AdminAnswer failHealthChecks(const AdminContext& context, const AdminQuery&) {
  context.source.failHealthChecks(true);
  return done();
}

AdminAnswer passHealthChecks(const AdminContext& context, const AdminQuery&) {
  context.source.failHealthChecks(false);
  return done();
}

AdminAnswer quit(const AdminContext&, const AdminQuery&) { return {.body = "OK\n", .quit = true}; }

AdminAnswer reopenLogs(const AdminContext& context, const AdminQuery&) {
  context.source.reopenLogs();
  return done();
}

AdminAnswer noContention(const AdminContext&, const AdminQuery&) {
  return {.body = "Mutex contention tracing is not enabled. To enable, run Envoy with flag --enable-mutex-tracing."};
}

AdminAnswer hotRestartVersion(const AdminContext& context, const AdminQuery&) {
  return {.body = context.source.facts().hot_restart_version};
}

AdminAnswer resetCounters(const AdminContext& context, const AdminQuery&) {
  context.stats.resetCounters();
  return done();
}

constexpr AdminPage kPages[] = {
    {"/", false, "Admin home page", adminHome},
    {"/certs", false, "print certs on machine", noCertificates},
    {"/clusters", false, "upstream cluster status (format: text, json)", adminClusters},
    {"/config_dump", false, "dump current configuration", adminConfigDump},
    {"/contention", false, "dump current Envoy mutex contention stats (if enabled)", noContention},
    {"/drain_listeners", true, "drain listeners (graceful, skip_exit, inboundonly)", adminDrainListeners},
    {"/healthcheck/fail", true, "cause the server to fail health checks", failHealthChecks},
    {"/healthcheck/ok", true, "cause the server to pass health checks", passHealthChecks},
    {"/help", false, "print out list of admin commands", adminHelp},
    {"/hot_restart_version", false, "print the hot restart compatibility version", hotRestartVersion},
    {"/init_dump", false, "dump current Envoy init manager information", adminInitDump},
    {"/listeners", false, "print listener info (format: text, json)", adminListeners},
    {"/logging", true, "query/change logging levels (level, paths, or <name>=<level>)", adminLogging},
    {"/memory", false, "print current allocation/heap usage", adminMemory},
    {"/quitquitquit", true, "exit the server", quit},
    {"/ready", false, "print server state, return 200 if LIVE, otherwise return 503 (verbose: and what is degraded)",
     adminReady},
    {"/reopen_logs", true, "reopen access logs", reopenLogs},
    {"/reset_counters", true, "reset all counters to zero", resetCounters},
    {"/runtime", false, "print runtime values", adminRuntime},
    {"/server_info", false, "print server version/status information", adminServerInfo},
    {"/stats", false, "print server stats (format: text, json, prometheus; filter, usedonly, type)", adminStats},
    {"/stats/prometheus", false, "print server stats in prometheus format (filter, usedonly)", adminPrometheus},
};

// RFC 3986 2.1; a '%' that no two hexadecimal digits follow stands for itself.
std::string percentDecoded(std::string_view text) {
  std::string decoded;
  for (size_t at = 0; at < text.size(); ++at) {
    const int high = at + 2 < text.size() ? http::hexValue(text[at + 1]) : -1;
    const int low = at + 2 < text.size() ? http::hexValue(text[at + 2]) : -1;
    if (text[at] != '%' || high < 0 || low < 0) {
      decoded += text[at];
      continue;
    }
    decoded += static_cast<char>(high * 16 + low);
    at += 2;
  }
  return decoded;
}

}  // namespace

AdminQuery::AdminQuery(std::string_view query) {
  while (!query.empty()) {
    const std::string_view parameter = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(parameter.size() + 1, query.size()));
    if (parameter.empty()) continue;
    const size_t equals = std::min(parameter.find('='), parameter.size());
    parameters_.emplace_back(percentDecoded(parameter.substr(0, equals)),
                             percentDecoded(parameter.substr(std::min(equals + 1, parameter.size()))));
  }
}

std::optional<std::string_view> AdminQuery::get(std::string_view name) const {
  for (const auto& [key, value] : parameters_) {
    if (key == name) return value;
  }
  return std::nullopt;
}

std::span<const AdminPage> adminPages() { return kPages; }

AdminAnswer answerAdmin(const AdminContext& context, std::string_view method, std::string_view target) {
  const http::PathAndQuery parts = http::splitPath(target);
  for (const AdminPage& page : kPages) {
    if (page.path != parts.path) continue;
    if (page.changes && method != "POST") {
      return {.status = 405, .body = "Method " + std::string(method) + " not allowed, POST required."};
    }
    return page.answer(context, AdminQuery(parts.query));
  }
  AdminAnswer unknown = adminHelp(context, AdminQuery(""));
  unknown.status = 404;
  unknown.body.insert(0, "invalid path. ");
  return unknown;
}

}  // namespace weir::server
