#include "server/admin_pages.h"

namespace weir::server {
namespace {

using Kind = stats::Store::Kind;

std::optional<Kind> kindNamed(std::string_view name) {
  if (name == "All") return Kind::All;
  if (name == "Counters") return Kind::Counters;
  if (name == "Gauges") return Kind::Gauges;
  if (name == "Histograms") return Kind::Histograms;
  return std::nullopt;
}

stats::Store::View viewOf(const AdminQuery& query) {
  stats::Store::View view;
  view.filter = query.get("filter").value_or("");
  view.used_only = query.has("usedonly");
  return view;
}

AdminAnswer page(base::Result<std::string> made, std::string_view content_type) {
  if (!made.ok()) return {.status = 400, .body = std::move(made).error().detail};
  return {.content_type = content_type, .body = *std::move(made)};
}

}  // namespace

AdminAnswer adminStats(const AdminContext& context, const AdminQuery& query) {
  stats::Store::View view = viewOf(query);
  const std::optional<Kind> kind = kindNamed(query.get("type").value_or("All"));
  if (!kind) return {.status = 400, .body = "invalid &type= param"};
  view.kind = *kind;
  const std::string_view format = query.get("format").value_or("text");
  if (format == "json") return page(context.stats.json(view), kJson);
  if (format == "prometheus") return page(context.stats.prometheus(view), AdminAnswer().content_type);
  if (format == "text") return page(context.stats.text(view), AdminAnswer().content_type);
  return {.status = 400, .body = "usage: /stats?format=(json|prometheus|text)\n\n"};
}

AdminAnswer adminPrometheus(const AdminContext& context, const AdminQuery& query) {
  return page(context.stats.prometheus(viewOf(query)), AdminAnswer().content_type);
}

}  // namespace weir::server
