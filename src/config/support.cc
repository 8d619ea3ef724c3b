#include "config/support.h"

#include <fmt/format.h>

#include <array>
#include <unordered_map>

namespace weir::config {

std::span<const SupportSection> supportSections() {
  static const std::array kSections{
      SupportSection{"Bootstrap and admin", &bootstrapSupport()},
      SupportSection{"Listeners", &listenerSupport()},
      SupportSection{"Network filters", &networkFilterSupport()},
      SupportSection{"HTTP connection manager", &httpManagerSupport()},
      SupportSection{"HTTP/2", &http2Support()},
      SupportSection{"Access logs and formats", &accessLogSupport()},
      SupportSection{"Routes", &routeSupport()},
      SupportSection{"Retries", &retrySupport()},
      SupportSection{"Clusters", &clusterSupport()},
      SupportSection{"TLS", &tlsSupport()},
      SupportSection{"Plugins", &pluginSupport()},
      SupportSection{"Configuration by files (xDS)", &discoverySupport()},
      SupportSection{"Types used in several places", &commonSupport()},
  };
  return kSections;
}

const MessageSupport* findSupport(std::string_view message) {
  static const std::unordered_map<std::string_view, const MessageSupport*> kByName = [] {
    std::unordered_map<std::string_view, const MessageSupport*> index;
    for (const SupportSection& section : supportSections()) {
      for (const MessageSupport& table : *section.tables) index[table.message] = &table;
    }
    return index;
  }();
  const auto found = kByName.find(message);
  return found == kByName.end() ? nullptr : found->second;
}

std::string supportAsMarkdown() {
  std::string out;
  for (const SupportSection& section : supportSections()) {
    out += fmt::format("### {}\n\n| message | field | support |\n|---|---|---|\n", section.title);
    for (const MessageSupport& table : *section.tables) {
      if (table.whole) out += fmt::format("| `{}` | all | yes |\n", table.message);
      std::string read;
      for (const FieldSupport& field : table.fields) {
        if (field.effect == FieldSupport::Effect::Read)
          read += fmt::format("{}`{}`", read.empty() ? "" : " ", field.field);
      }
      if (!read.empty()) out += fmt::format("| `{}` | {} | yes |\n", table.message, read);
      for (const FieldSupport& field : table.fields) {
        if (field.effect == FieldSupport::Effect::Read) continue;
        const bool none = field.effect == FieldSupport::Effect::None;
        out += fmt::format("| `{}` | `{}` | {}: {} |\n", table.message, field.field,
                           none ? "accepted, without effect" : "refused", field.reason);
      }
    }
    out += "\n";
  }
  return out;
}

}  // namespace weir::config
