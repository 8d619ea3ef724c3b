#include "config/values.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/json_util.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>

#include "config/support.h"

namespace weir::config {

base::Duration convertDuration(const google::protobuf::Duration& duration, const Place& place) {
  if (duration.seconds() < 0 || duration.nanos() < 0) {
    place.fault(FaultKind::Rule, "must not be negative");
    return base::Duration::zero();
  }
  static constexpr int64_t kMaxSeconds = std::numeric_limits<int64_t>::max() / 1'000'000'000 - 1;
  const int64_t seconds = std::min(duration.seconds(), kMaxSeconds);
  return std::chrono::seconds(seconds) + std::chrono::nanoseconds(duration.nanos());
}

std::optional<base::Duration> convertTimeout(const google::protobuf::Duration& duration, const Place& place) {
  const base::Duration value = convertDuration(duration, place);
  if (value == base::Duration::zero()) return std::nullopt;
  return value;
}

std::optional<net::Address> convertAddress(const envoy::config::core::v3::Address& address, const Place& place) {
  if (address.has_pipe()) {
    const Place here = place.field("pipe");
    base::Result<net::Address> result = net::Address::unixSocket(address.pipe().path());
    if (result.ok()) return *result;
    here.field("path").fault(FaultKind::Rule, result.error().detail);
    return std::nullopt;
  }
  if (!address.has_socket_address()) return std::nullopt;  // Reported by the rules.

  const auto& socket = address.socket_address();
  const Place here = place.field("socket_address");
  if (socket.address().empty() || socket.port_value() > 65535) return std::nullopt;  // As above.
  base::Result<net::Address> result =
      net::Address::parseIp(socket.address(), static_cast<uint16_t>(socket.port_value()));
  if (result.ok()) return *result;
  here.field("address").fault(FaultKind::Rule, fmt::format("expected an IP address, got '{}'", socket.address()));
  return std::nullopt;
}

std::string serialized(const google::protobuf::Message& message) {
  std::string out;
  {
    google::protobuf::io::StringOutputStream stream(&out);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);  // Maps in the order of their keys.
    message.SerializeToCodedStream(&coded);
  }
  return out;
}

std::optional<std::string> environmentVariable(const std::string& name, const LoadOptions& options) {
  if (options.environment) return options.environment(name);
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

namespace {

// Regular files only, and no more than this: a device or a pipe would never end.
constexpr size_t kMaxDataBytes = 64 * 1024 * 1024;

std::string readDataFile(const std::string& path, const Place& place) {
  struct stat info {};
  int reason = ::stat(path.c_str(), &info) == 0 ? 0 : errno;
  if (reason == 0 && S_ISREG(info.st_mode) && static_cast<size_t>(info.st_size) <= kMaxDataBytes) {
    std::ifstream file(path, std::ios::binary);
    std::string content(static_cast<size_t>(info.st_size), '\0');
    if (file.read(content.data(), info.st_size)) return content;
    reason = errno;
  }
  const std::string why = reason != 0              ? std::strerror(reason)
                          : !S_ISREG(info.st_mode) ? "no regular file"
                                                   : fmt::format("larger than {} bytes", kMaxDataBytes);
  place.fault(FaultKind::File, fmt::format("cannot read '{}': {}", path, why));
  return "";
}

}  // namespace

std::string dumped(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions print;
  print.preserve_proto_field_names = true;
  std::string json;
  return google::protobuf::util::MessageToJsonString(message, &json, print).ok() ? json : "{}";
}

std::string readDataSource(const envoy::config::core::v3::DataSource& source, const Place& place,
                           const LoadOptions& options) {
  if (!source.inline_string().empty()) return source.inline_string();
  if (!source.inline_bytes().empty()) return source.inline_bytes();
  if (!source.filename().empty()) return readDataFile(source.filename(), place.field("filename"));
  if (source.environment_variable().empty()) return "";
  if (const auto value = environmentVariable(source.environment_variable(), options)) return *value;
  place.field("environment_variable")
      .fault(FaultKind::File, fmt::format("the environment variable {} is not set", source.environment_variable()));
  return "";
}

const SupportTables& commonSupport() {
  static const SupportTables kTables{
      {"envoy.config.core.v3.Address", {{"socket_address"}, {"pipe"}}},
      {"envoy.config.core.v3.SocketAddress",
       {{"address"},
        {"port_value"},
        refused("protocol", "UDP is not served"),
        refused("named_port", "ports are numbers"),
        refused("resolver_name", "there are no custom resolvers")}},
      {"envoy.config.core.v3.Pipe", {{"path"}, refused("mode", "the socket's permissions follow the umask")}},
      {"envoy.config.core.v3.Metadata", {}, true},
      {"envoy.config.core.v3.DataSource",
       {{"filename"},
        {"inline_bytes"},
        {"inline_string"},
        {"environment_variable"},
        refused("watched_directory", "files are read once")}},
      {"envoy.config.core.v3.RuntimeFractionalPercent", {{"default_value"}, {"runtime_key"}}},
      {"envoy.type.v3.FractionalPercent", {{"numerator"}, {"denominator"}}},
      {"envoy.type.matcher.v3.RegexMatcher", {{"regex"}, noEffect("google_re2", "RE2 is the only engine")}},
      {"envoy.type.matcher.v3.RegexMatchAndSubstitute", {{"pattern"}, {"substitution"}}},
      {"envoy.type.matcher.v3.StringMatcher",
       {{"exact"}, {"prefix"}, {"suffix"}, {"safe_regex"}, {"contains"}, {"ignore_case"}}},
      {"envoy.type.v3.Int64Range", {{"start"}, {"end"}}},
      {"envoy.config.core.v3.TransportSocket", {{"name"}, {"typed_config"}}},
      {"envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer", {}},
  };
  return kTables;
}

}  // namespace weir::config
