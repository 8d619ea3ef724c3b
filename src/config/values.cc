#include "config/values.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <sstream>

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

std::string readDataSource(const envoy::config::core::v3::DataSource& source, const Place& place,
                           const LoadOptions& options) {
  if (!source.inline_string().empty()) return source.inline_string();
  if (!source.inline_bytes().empty()) return source.inline_bytes();
  if (!source.environment_variable().empty()) {
    if (const auto value = environmentVariable(source.environment_variable(), options)) return *value;
    place.field("environment_variable")
        .fault(FaultKind::File, fmt::format("the environment variable {} is not set", source.environment_variable()));
    return "";
  }
  if (source.filename().empty()) return "";
  std::ifstream file(source.filename(), std::ios::binary);
  std::ostringstream content;
  if (file && content << file.rdbuf()) return content.str();
  if (file && file.eof()) return "";  // An empty file: nothing to copy counts as failure.
  const int reason = errno;
  place.field("filename")
      .fault(FaultKind::File, fmt::format("cannot read '{}': {}", source.filename(), std::strerror(reason)));
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
      {"envoy.config.core.v3.RuntimeFractionalPercent",
       {{"default_value"}, noEffect("runtime_key", "there is no runtime; the default value holds")}},
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
