// Operators of other kinds, and those that Envoy has and weir has not.
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdlib>

#include "format/json_text.h"
#include "format/tables.h"

namespace weir::format {

base::Result<Operator> createCommonDuration(const Command& command);      // durations.cc
base::Result<Operator> createCoalesce(const Command& command);            // coalesce.cc
base::Result<Operator> createClientValidFrom(const Command& command);     // tls.cc
base::Result<Operator> createClientValidUntil(const Command& command);    // tls.cc
base::Result<Operator> createUpstreamValidFrom(const Command& command);   // tls.cc
base::Result<Operator> createUpstreamValidUntil(const Command& command);  // tls.cc

namespace {

using Kind = Operator::Kind;
using Parameter = RowWithParameter::Parameter;

// ---- gRPC

struct GrpcName {
  std::string_view camel;
  std::string_view snake;
};
constexpr std::array<GrpcName, 17> kGrpcNames{{{"OK", "OK"},
                                               {"Canceled", "CANCELLED"},
                                               {"Unknown", "UNKNOWN"},
                                               {"InvalidArgument", "INVALID_ARGUMENT"},
                                               {"DeadlineExceeded", "DEADLINE_EXCEEDED"},
                                               {"NotFound", "NOT_FOUND"},
                                               {"AlreadyExists", "ALREADY_EXISTS"},
                                               {"PermissionDenied", "PERMISSION_DENIED"},
                                               {"ResourceExhausted", "RESOURCE_EXHAUSTED"},
                                               {"FailedPrecondition", "FAILED_PRECONDITION"},
                                               {"Aborted", "ABORTED"},
                                               {"OutOfRange", "OUT_OF_RANGE"},
                                               {"Unimplemented", "UNIMPLEMENTED"},
                                               {"Internal", "INTERNAL"},
                                               {"Unavailable", "UNAVAILABLE"},
                                               {"DataLoss", "DATA_LOSS"},
                                               {"Unauthenticated", "UNAUTHENTICATED"}}};

template <std::string_view GrpcName::*kForm>
base::Result<Operator> grpcNamed() {
  return Operator{Kind::Text, [](const Entry& entry, std::string& out) {
                    const auto status = grpcStatus(entry);
                    if (!status) return false;
                    if (*status < 0 || *status >= static_cast<int64_t>(kGrpcNames.size()))
                      return putNumber(out, *status);
                    return put(out, kGrpcNames[static_cast<size_t>(*status)].*kForm);
                  }};
}

base::Result<Operator> createGrpcNumber(const Command&) {
  return Operator{Kind::Number, [](const Entry& entry, std::string& out) {
                    const auto status = grpcStatus(entry);
                    return status && putNumber(out, *status);
                  }};
}

base::Result<Operator> createGrpcStatus(const Command& command) {
  const std::string_view form = command.parameter.value_or("CAMEL_STRING");
  if (form == "CAMEL_STRING") return grpcNamed<&GrpcName::camel>();
  if (form == "SNAKE_STRING") return grpcNamed<&GrpcName::snake>();
  if (form == "NUMBER") return createGrpcNumber(command);
  return refused("GRPC_STATUS only supports CAMEL_STRING, SNAKE_STRING or NUMBER. Got: " + std::string(form));
}

// ---- Others

base::Result<Operator> createCodeDetails(const Command& command) {
  const bool allow_blanks = command.parameter == "ALLOW_WHITESPACES";
  return Operator{Kind::Text, [allow_blanks](const Entry& entry, std::string& out) {
                    const std::string& details = entry.info.response_code_details;
                    if (details.empty()) return false;
                    if (allow_blanks) return put(out, details);
                    for (const char c : details) {
                      const bool blank = c == ' ' || (c >= '\t' && c <= '\r');
                      out += blank ? '_' : c;
                    }
                    return true;
                  }};
}

// Looked up once: a process's environment does not change.
base::Result<Operator> createEnvironment(const Command& command) {
  const char* value = std::getenv(std::string(*command.parameter).c_str());
  if (value == nullptr) return Operator{Kind::Text, [](const Entry&, std::string&) { return false; }};
  return Operator{Kind::Text, [text = std::string(cut(value, command.length))](const Entry&, std::string& out) {
                    return put(out, text);
                  }};
}

base::Result<Operator> createHostname(const Command&) {
  char name[256] = "";
  if (gethostname(name, sizeof name - 1) != 0) name[0] = '\0';
  return Operator{Kind::Text,
                  [text = std::string(name)](const Entry&, std::string& out) { return putKnown(out, text); }};
}

// "KEY", "KEY:PLAIN", "KEY:TYPED". What plugins keep is a string: TYPED gives it as JSON.
base::Result<Operator> createFilterState(const Command& command) {
  const std::string_view text = *command.parameter;
  const size_t colon = text.find(':');
  const std::string key(text.substr(0, colon));
  const std::string_view form = colon == std::string_view::npos ? "TYPED" : text.substr(colon + 1);
  if (key.empty()) return refused("Invalid filter state configuration, key cannot be empty.");
  if (form != "PLAIN" && form != "TYPED") {
    return refused("FILTER_STATE: '" + std::string(form) + "' is not supported, only PLAIN and TYPED are");
  }
  const auto find = [key](const Entry& entry) -> const std::string* {
    const auto found = entry.info.filter_state.find(key);
    return found == entry.info.filter_state.end() ? nullptr : &found->second;
  };
  if (form == "PLAIN") {
    return Operator{Kind::Text, [find, length = command.length](const Entry& entry, std::string& out) {
                      const std::string* value = find(entry);
                      return value != nullptr && put(out, cut(*value, length));
                    }};
  }
  const auto json = [find](const Entry& entry, std::string& out) {
    const std::string* value = find(entry);
    if (value != nullptr) appendJsonString(*value, out);
    return value != nullptr;
  };
  const auto bounded = [json, length = command.length](const Entry& entry, std::string& out) {
    const size_t before = out.size();
    if (!json(entry, out)) return false;
    if (length && out.size() - before > *length) out.resize(before + *length);
    return true;
  };
  return Operator{Kind::Json, bounded, json};
}

// Filters towards upstreams do not exist here: never set, as in Envoy outside of the router's own log.
base::Result<Operator> createUpstreamFilterState(const Command&) {
  return Operator{Kind::Text, [](const Entry&, std::string&) { return false; }};
}

constexpr RowWithParameter kRows[] = {
    {"RESPONSE_CODE_DETAILS", Parameter::Optional, false, createCodeDetails},
    {"COALESCE", Parameter::Required, true, createCoalesce},
    {"COMMON_DURATION", Parameter::Required, false, createCommonDuration},
    {"GRPC_STATUS", Parameter::Optional, false, createGrpcStatus},
    {"GRPC_STATUS_NUMBER", Parameter::None, false, createGrpcNumber},
    {"ENVIRONMENT", Parameter::Required, true, createEnvironment},
    {"HOSTNAME", Parameter::None, false, createHostname},
    {"FILTER_STATE", Parameter::Required, true, createFilterState},
    {"UPSTREAM_FILTER_STATE", Parameter::Required, true, createUpstreamFilterState},
    {"DOWNSTREAM_PEER_CERT_V_START", Parameter::Optional, false, createClientValidFrom},
    {"DOWNSTREAM_PEER_CERT_V_END", Parameter::Optional, false, createClientValidUntil},
    {"UPSTREAM_PEER_CERT_V_START", Parameter::Optional, false, createUpstreamValidFrom},
    {"UPSTREAM_PEER_CERT_V_END", Parameter::Optional, false, createUpstreamValidUntil},
};

constexpr MissingRow kMissing[] = {
    {"TLS_JA3_FINGERPRINT", "client hellos are not fingerprinted"},
    {"TLS_JA4_FINGERPRINT", "client hellos are not fingerprinted"},
    {"DOWNSTREAM_LOCAL_OTHERNAME_SAN", "other names in certificates are not read"},
    {"DOWNSTREAM_PEER_OTHERNAME_SAN", "other names in certificates are not read"},
    {"DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_256", "only the peer's own certificate is taken apart"},
    {"DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_1", "only the peer's own certificate is taken apart"},
    {"DOWNSTREAM_PEER_CHAIN_SERIALS", "only the peer's own certificate is taken apart"},
    {"DOWNSTREAM_PEER_ISSUER_FINGERPRINT_256", "only the peer's own certificate is taken apart"},
    {"DOWNSTREAM_PEER_ISSUER_SERIAL", "only the peer's own certificate is taken apart"},
    {"DOWNSTREAM_TLS_GROUP", "the group of the key exchange is not kept"},
    {"UPSTREAM_TLS_GROUP", "the group of the key exchange is not kept"},
    {"DOWNSTREAM_CX_RTT", "round-trip times are not asked for"},
    {"UPSTREAM_LOCAL_CLOSE_REASON", "it is not kept"},
    {"UPSTREAM_DETECTED_CLOSE_TYPE", "it is not kept"},
    {"QUERY_PARAMS", "use QUERY_PARAM or PATH"},
    {"PER_REQUEST_STATE", "use FILTER_STATE(key:PLAIN)"},
    {"FILE_CONTENT", "files are not read into formats"},
    {"SECRET", "there are no secrets for formats"},
    {"CEL", "there are no CEL expressions"},
    {"TYPED_CEL", "there are no CEL expressions"},
};

}  // namespace

std::span<const RowWithParameter> otherRows() { return kRows; }
std::span<const MissingRow> missingRows() { return kMissing; }

}  // namespace weir::format
