// The admin pages, by Envoy's names and in Envoy's forms: a request's method and target in, an answer out. No I/O.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/admin_source.h"
#include "stats/stats.h"

namespace weir::server {

struct AdminAnswer {
  int status = 200;
  std::string_view content_type = "text/plain; charset=UTF-8";
  std::string body;
  bool quit = false;  // To be done once the answer is out.
};

// A query's parameters, percent-decoded, in order. A '+' stays one, as in Envoy: filters are regular expressions.
class AdminQuery {
 public:
  explicit AdminQuery(std::string_view query);
  // The first of that name.
  std::optional<std::string_view> get(std::string_view name) const;
  bool has(std::string_view name) const { return get(name).has_value(); }
  const std::vector<std::pair<std::string, std::string>>& all() const { return parameters_; }

 private:
  std::vector<std::pair<std::string, std::string>> parameters_;
};

struct AdminContext {
  AdminSource& source;
  stats::Store& stats;
  base::WallTime now;
};

struct AdminPage {
  std::string_view path;
  bool changes;  // Wants a POST.
  std::string_view about;
  AdminAnswer (*answer)(const AdminContext&, const AdminQuery&);
};
std::span<const AdminPage> adminPages();

// target: as the request line has it. An unknown page is 404, a page that changes something 405 for all but POST.
AdminAnswer answerAdmin(const AdminContext& context, std::string_view method, std::string_view target);

inline constexpr std::string_view kJson = "application/json";

// The pages; each in the source that bears its subject's name.
AdminAnswer adminHome(const AdminContext& context, const AdminQuery& query);
AdminAnswer adminHelp(const AdminContext& context, const AdminQuery& query);
AdminAnswer adminReady(const AdminContext& context, const AdminQuery& query);
AdminAnswer adminServerInfo(const AdminContext& context, const AdminQuery& query);
AdminAnswer adminConfigDump(const AdminContext& context, const AdminQuery& query);
AdminAnswer adminInitDump(const AdminContext& context, const AdminQuery& query);
AdminAnswer adminDrainListeners(const AdminContext& context, const AdminQuery& query);
AdminAnswer adminRuntime(const AdminContext& context, const AdminQuery& query);
AdminAnswer adminMemory(const AdminContext& context, const AdminQuery& query);
AdminAnswer adminListeners(const AdminContext& context, const AdminQuery& query);
AdminAnswer adminClusters(const AdminContext& context, const AdminQuery& query);
AdminAnswer adminLogging(const AdminContext& context, const AdminQuery& query);
AdminAnswer adminStats(const AdminContext& context, const AdminQuery& query);
AdminAnswer adminPrometheus(const AdminContext& context, const AdminQuery& query);

}  // namespace weir::server
