#include "oci/credentials.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/base64.h"
#include "oci/json.h"

namespace weir::oci {
namespace {

base::Error fault(std::string what) {
  return {base::Code::InvalidArgument, base::Side::Operator, base::Retry::No, std::move(what)};
}

// "https://index.docker.io/v1/" is what docker login writes for Docker Hub.
std::string plainName(std::string_view key) {
  if (const size_t scheme = key.find("://"); scheme != key.npos) key.remove_prefix(scheme + 3);
  while (key.ends_with('/')) key.remove_suffix(1);
  const size_t slash = key.find('/');
  std::string registry(key.substr(0, slash));
  if (registry == "docker.io" || registry == "index.docker.io") registry = "registry-1.docker.io";
  const std::string_view path = slash == key.npos ? std::string_view() : key.substr(slash);
  if (path == "/v1" || path == "/v2") return registry;
  return registry.append(path);
}

bool isBase64(std::string_view text) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
  return !text.empty() && text.find_first_not_of(kLetters) == text.npos;
}

base::Result<std::string> basicOf(const Json::Property& entry) {
  std::string basic = textOf(entry.value, "auth");
  const std::string user = textOf(entry.value, "username");
  if (basic.empty() && !user.empty()) basic = base::toBase64(user + ":" + textOf(entry.value, "password"));
  if (basic.empty()) return fault(fmt::format("auths.{}: has no auth, and no username and password", entry.name));
  if (!isBase64(basic)) return fault(fmt::format("auths.{}: auth is not base64 of user:password", entry.name));
  return basic;
}

bool fits(std::string_view name, std::string_view image) {
  return image.starts_with(name) && (image.size() == name.size() || image[name.size()] == '/');
}

}  // namespace

base::Result<Credentials> Credentials::parse(std::string_view json) {
  const auto document = format::readJson(json);
  if (!document) return fault("not JSON");
  for (const char* helper : {"credsStore", "credHelpers"}) {
    if (member(*document, helper) == nullptr) continue;
    return fault(fmt::format("{}: programs that give credentials are not run; write them under auths", helper));
  }
  const Json* auths = member(*document, "auths");
  const auto* entries = auths == nullptr ? nullptr : std::get_if<Json::Object>(&auths->value);
  if (entries == nullptr) return fault("has no auths");
  Credentials credentials;
  for (const Json::Property& entry : *entries) {
    auto basic = basicOf(entry);
    if (!basic.ok()) return std::move(basic).error();
    credentials.entries_.push_back({plainName(entry.name), *std::move(basic)});
  }
  return credentials;
}

base::Result<Credentials> Credentials::readFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fault(fmt::format("{}: {}", path, std::strerror(errno)));
  std::string text(kMaxFileBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > kMaxFileBytes) return fault(fmt::format("{}: over {} bytes", path, kMaxFileBytes));
  auto credentials = parse(text);
  if (credentials.ok()) return credentials;
  return std::move(credentials).error().in(path);
}

std::string_view Credentials::basicFor(const ImageName& image) const {
  const std::string name = image.registry + "/" + image.repository;
  const Entry* best = nullptr;
  for (const Entry& entry : entries_) {
    if (fits(entry.name, name) && (best == nullptr || entry.name.size() > best->name.size())) best = &entry;
  }
  return best == nullptr ? std::string_view() : std::string_view(best->basic);
}

}  // namespace weir::oci
