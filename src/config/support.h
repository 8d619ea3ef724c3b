// Which fields of Envoy's messages weir reads. What is in no table is refused with its path, so that nothing is ever
// silently ignored.
//
// Each converter states, beside its code, what it reads of each message. inspect() holds a whole configuration against
// these tables; docs/configuration.md prints them, and a test holds the page against them.
#pragma once

#include <google/protobuf/message.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/report.h"

namespace weir::config {

struct FieldSupport {
  enum class Effect : uint8_t {
    Read,
    None,     // Accepted; changes nothing here, for the reason given. Each use is a notice.
    Refused,  // As what is not listed, with a better message.
  };
  std::string_view field;
  Effect effect = Effect::Read;
  std::string_view reason = {};
};

constexpr FieldSupport noEffect(std::string_view field, std::string_view reason) {
  return {field, FieldSupport::Effect::None, reason};
}
constexpr FieldSupport refused(std::string_view field, std::string_view reason) {
  return {field, FieldSupport::Effect::Refused, reason};
}

struct MessageSupport {
  std::string_view message;  // Full name.
  std::vector<FieldSupport> fields;
  bool whole = false;  // Kept or read as it is, whatever is in it (metadata, a node).
};

using SupportTables = std::vector<MessageSupport>;

// One per converter, in the order of the documentation.
const SupportTables& bootstrapSupport();
const SupportTables& listenerSupport();
const SupportTables& networkFilterSupport();
const SupportTables& httpManagerSupport();
const SupportTables& http2Support();
const SupportTables& accessLogSupport();
const SupportTables& routeSupport();
const SupportTables& retrySupport();
const SupportTables& clusterSupport();
const SupportTables& tlsSupport();
const SupportTables& pluginSupport();
const SupportTables& commonSupport();
const SupportTables& discoverySupport();

struct SupportSection {
  std::string_view title;
  const SupportTables* tables;
};
std::span<const SupportSection> supportSections();

// nullptr: the message is not supported at all. google.protobuf.* are outside of the tables: always read whole.
const MessageSupport* findSupport(std::string_view message);

// The tables as the Markdown that docs/configuration.md holds.
std::string supportAsMarkdown();

}  // namespace weir::config
