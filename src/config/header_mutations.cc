#include "config/header_mutations.h"

#include "config/names.h"
#include "config/values.h"
#include "format/text_format.h"

namespace weir::config {
namespace {

using envoy::config::core::v3::HeaderValueOption;

// Host and pseudo-headers decide where a request goes; they have fields of their own.
bool mayChange(const std::string& name) { return !name.starts_with(':') && lowerCase(name) != "host"; }

route::HeaderValueOption convertOption(const HeaderValueOption& option, const Place& place) {
  using Action = route::HeaderValueOption::Action;
  route::HeaderValueOption result;
  result.name = option.header().key();
  result.value = option.header().value();
  result.keep_empty_value = option.keep_empty_value();
  if (!mayChange(result.name)) {
    place.field("header").field("key").fault(FaultKind::Rule, ":-prefixed or host headers may not be modified");
  }
  if (auto compiled = format::TextFormat::create(result.value); !compiled.ok()) {
    place.field("header").field("value").fault(FaultKind::Rule, compiled.error().detail);
  }
  if (option.has_append() && option.append_action() != HeaderValueOption::APPEND_IF_EXISTS_OR_ADD) {
    place.field("append").fault(FaultKind::Conflict, "only one of append and append_action may be set");
  }
  switch (option.append_action()) {
    case HeaderValueOption::ADD_IF_ABSENT: result.action = Action::AddIfAbsent; break;
    case HeaderValueOption::OVERWRITE_IF_EXISTS_OR_ADD: result.action = Action::OverwriteIfExistsOrAdd; break;
    case HeaderValueOption::OVERWRITE_IF_EXISTS: result.action = Action::OverwriteIfExists; break;
    default: break;
  }
  if (option.has_append() && !option.append().value()) result.action = Action::OverwriteIfExistsOrAdd;
  return result;
}

}  // namespace

std::vector<route::HeaderValueOption> convertOptions(
    const google::protobuf::RepeatedPtrField<HeaderValueOption>& options, const Place& place) {
  std::vector<route::HeaderValueOption> result;
  for (int i = 0; i < options.size(); i++) {
    result.push_back(convertOption(options.Get(i), place.item(static_cast<size_t>(i))));
  }
  return result;
}

std::vector<std::string> convertRemovals(const google::protobuf::RepeatedPtrField<std::string>& names,
                                         const Place& place) {
  for (int i = 0; i < names.size(); i++) {
    if (mayChange(names.Get(i))) continue;
    place.item(static_cast<size_t>(i)).fault(FaultKind::Rule, ":-prefixed or host headers may not be removed");
  }
  return {names.begin(), names.end()};
}

}  // namespace weir::config
