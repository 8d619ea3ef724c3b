#include "route/mutations.h"

#include <cstdint>

namespace weir::route {
namespace {

using Action = HeaderValueOption::Action;

base::Error refused(std::string detail) {
  return {base::Code::InvalidArgument, base::Side::Operator, base::Retry::No, std::move(detail)};
}

base::Result<void> checkName(const std::string& name) {
  if (name.starts_with(':') || http::equalsIgnoreCase(name, "host")) {
    return refused("header '" + name + "': ':'-prefixed and host headers may not be changed");
  }
  if (!http::validName(name)) return refused("'" + name + "' is not a header name");
  return base::Ok{};
}

bool overwrites(Action action) {
  return action == Action::OverwriteIfExistsOrAdd || action == Action::OverwriteIfExists;
}

}  // namespace

base::Result<Mutations::Addition> Mutations::compile(const HeaderValueOption& option) {
  if (auto checked = checkName(option.name); !checked.ok()) return std::move(checked).error();
  auto format = format::TextFormat::create(option.value);
  if (!format.ok()) return std::move(format).error().in("header '" + option.name + "'");
  Addition addition{option.name, "", std::nullopt, option.action, option.keep_empty_value};
  if (!format->isConstant()) {
    addition.format = *std::move(format);
    return addition;
  }
  for (const auto& piece : format->pieces()) addition.value += piece.text;
  if (!http::validValue(addition.value)) {
    return refused("header value '" + addition.value + "' holds bytes that no header can have");
  }
  return addition;
}

base::Result<Mutations> Mutations::create(const std::vector<HeaderValueOption>& add,
                                          const std::vector<std::string>& remove) {
  Mutations mutations;
  for (const std::string& name : remove) {
    if (auto checked = checkName(name); !checked.ok()) return std::move(checked).error();
    mutations.remove_.push_back(name);
  }
  for (const HeaderValueOption& option : add) {
    auto addition = compile(option);
    if (!addition.ok()) return std::move(addition).error();
    if (!addition->format && addition->value.empty() && !addition->keep_empty) continue;
    mutations.add_.push_back(*std::move(addition));
  }
  return mutations;
}

void Mutations::put(http::HeaderMap& headers, const Addition& addition, const format::Entry& entry) {
  std::string made;  // The operators may read the very headers that are changed: first the value, then the change.
  std::string_view value = addition.value;
  if (addition.format) {
    addition.format->append(entry, true, made);
    value = made;
    if (value.empty() && !addition.keep_empty) return;
  }
  overwrites(addition.action) ? headers.set(addition.name, value) : headers.add(addition.name, value);
}

void Mutations::apply(http::HeaderMap& headers, const format::Entry& entry) const {
  for (const std::string& name : remove_) headers.remove(name);
  if (add_.empty()) return;
  // Which options apply, decided before any of them changes the headers; beyond 64 the order of work decides.
  uint64_t applies = 0;
  const auto wanted = [&](const Addition& addition) {
    if (addition.action == Action::AddIfAbsent) return !headers.get(addition.name);
    return addition.action != Action::OverwriteIfExists || headers.get(addition.name).has_value();
  };
  for (size_t i = 0; i < add_.size() && i < 64; ++i) applies |= uint64_t{wanted(add_[i])} << i;
  const auto chosen = [&](size_t i) { return i < 64 ? (applies >> i & 1) != 0 : wanted(add_[i]); };
  for (const bool overwriting : {true, false}) {
    for (size_t i = 0; i < add_.size(); ++i) {
      if (overwrites(add_[i].action) == overwriting && chosen(i)) put(headers, add_[i], entry);
    }
  }
}

}  // namespace weir::route
