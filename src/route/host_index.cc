#include "route/host_index.h"

#include <algorithm>
#include <array>

#include "http/characters.h"

namespace weir::route {
namespace {

base::Error refused(std::string detail) {
  return {base::Code::InvalidArgument, base::Side::Operator, base::Retry::No, std::move(detail)};
}

}  // namespace

base::Result<void> HostIndex::add(std::string_view domain, uint32_t virtual_host) {
  if (domain.empty()) return refused("a domain must not be empty");
  std::string name(domain);
  std::transform(name.begin(), name.end(), name.begin(), http::toLower);
  bool added = false;
  if (name == "*") {
    added = !any_;
    any_ = virtual_host;
  } else if (name.front() == '*') {
    added = suffixes_[name.size() - 1].emplace(name.substr(1), virtual_host).second;
  } else if (name.back() == '*') {
    name.pop_back();
    added = prefixes_[name.size()].emplace(name, virtual_host).second;
  } else {
    added = exact_.emplace(name, virtual_host).second;
  }
  if (!added) return refused("domain '" + std::string(domain) + "' is given twice");
  return base::Ok{};
}

std::optional<uint32_t> HostIndex::find(std::string_view host) const {
  if (exact_.empty() && suffixes_.empty() && prefixes_.empty()) return any_;
  // Host names have at most 253 bytes; what is longer, or ends up here with other bytes, may cost an allocation.
  std::array<char, 256> room;
  if (host.size() <= room.size()) {
    std::transform(host.begin(), host.end(), room.begin(), http::toLower);
    return findLower({room.data(), host.size()});
  }
  std::string name(host);
  std::transform(name.begin(), name.end(), name.begin(), http::toLower);
  return findLower(name);
}

std::optional<uint32_t> HostIndex::findLower(std::string_view host) const {
  if (const auto found = exact_.find(host); found != exact_.end()) return found->second;
  // The star stands for at least one byte: "*.foo.com" does not answer for ".foo.com".
  for (const auto& [length, names] : suffixes_) {
    if (length >= host.size()) continue;
    if (const auto found = names.find(host.substr(host.size() - length)); found != names.end()) return found->second;
  }
  for (const auto& [length, names] : prefixes_) {
    if (length >= host.size()) continue;
    if (const auto found = names.find(host.substr(0, length)); found != names.end()) return found->second;
  }
  return any_;
}

std::string_view withoutPort(std::string_view host) {
  const size_t colon = host.rfind(':');
  if (colon == host.npos) return host;
  const size_t bracket = host.rfind(']');
  if (bracket != host.npos && bracket > colon) return host;
  return host.substr(0, colon);
}

}  // namespace weir::route
