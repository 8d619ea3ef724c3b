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

// "%%" stands for "%"; anything else after a '%' would be an operator.
base::Result<std::string> plainText(const std::string& value) {
  std::string text;
  for (size_t at = 0; at < value.size(); ++at) {
    if (value[at] == '%' && (at + 1 == value.size() || value[++at] != '%')) {
      return refused("header value '" + value + "': operators are not supported, and a '%' is written '%%'");
    }
    text += value[at];
  }
  if (!http::validValue(text)) return refused("header value '" + value + "' holds bytes that no header can have");
  return text;
}

bool overwrites(Action action) {
  return action == Action::OverwriteIfExistsOrAdd || action == Action::OverwriteIfExists;
}

}  // namespace

base::Result<Mutations> Mutations::create(const std::vector<HeaderValueOption>& add,
                                          const std::vector<std::string>& remove) {
  Mutations mutations;
  for (const std::string& name : remove) {
    if (auto checked = checkName(name); !checked.ok()) return std::move(checked).error();
    mutations.remove_.push_back(name);
  }
  for (const HeaderValueOption& option : add) {
    if (auto checked = checkName(option.name); !checked.ok()) return std::move(checked).error();
    auto text = plainText(option.value);
    if (!text.ok()) return std::move(text).error();
    if (text->empty() && !option.keep_empty_value) continue;
    mutations.add_.push_back(option);
    mutations.add_.back().value = *std::move(text);
  }
  return mutations;
}

void Mutations::apply(http::HeaderMap& headers) const {
  for (const std::string& name : remove_) headers.remove(name);
  if (add_.empty()) return;
  // Which options apply, decided before any of them changes the headers; beyond 64 the order of work decides.
  uint64_t applies = 0;
  const auto wanted = [&](const HeaderValueOption& option) {
    if (option.action == Action::AddIfAbsent) return !headers.get(option.name);
    return option.action != Action::OverwriteIfExists || headers.get(option.name).has_value();
  };
  for (size_t i = 0; i < add_.size() && i < 64; ++i) applies |= uint64_t{wanted(add_[i])} << i;
  const auto chosen = [&](size_t i) { return i < 64 ? (applies >> i & 1) != 0 : wanted(add_[i]); };
  for (size_t i = 0; i < add_.size(); ++i) {
    if (overwrites(add_[i].action) && chosen(i)) headers.set(add_[i].name, add_[i].value);
  }
  for (size_t i = 0; i < add_.size(); ++i) {
    if (!overwrites(add_[i].action) && chosen(i)) headers.add(add_[i].name, add_[i].value);
  }
}

}  // namespace weir::route
