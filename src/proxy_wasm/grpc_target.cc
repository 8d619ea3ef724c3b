#include "proxy_wasm/grpc_target.h"

#include "base/wire.h"

namespace weir::proxy_wasm {
namespace {

using base::WireField;

// envoy.config.core.v3.GrpcService, its EnvoyGrpc and HeaderValue, by their numbers. The timeout (3) is the call's own
// affair, as in Envoy.
enum Service : uint32_t { kEnvoyGrpc = 1, kGoogleGrpc = 2, kInitialMetadata = 5, kServiceRetryPolicy = 6 };
enum Client : uint32_t { kClusterName = 1, kAuthority, kRetryPolicy, kMaxMessage, kSkipEnvoyHeaders };
enum Header : uint32_t { kKey = 1, kValue, kRawValue };

std::string_view textOf(std::string_view message, uint32_t number) {
  const auto field = base::lastField(message, number, WireField::Kind::Bytes);
  return field ? field->bytes : std::string_view();
}

bool readClient(std::string_view client, GrpcTarget& target) {
  base::WireReader reader(client);
  while (const auto field = reader.next()) {
    const bool bytes = field->kind == WireField::Kind::Bytes;
    if (field->number == kClusterName && bytes) target.cluster = field->bytes;
    if (field->number == kAuthority && bytes) target.authority = field->bytes;
    if (field->number == kRetryPolicy && bytes) target.unsupported = "retry_policy";
    if (field->number == kSkipEnvoyHeaders && !bytes) target.skip_envoy_headers = field->value != 0;
    if (field->number != kMaxMessage || !bytes) continue;
    const auto limit = base::lastField(field->bytes, 1, WireField::Kind::Varint);
    target.max_message = limit ? static_cast<uint32_t>(limit->value) : 0;
  }
  return !reader.malformed();
}

// The later of two values of one name counts.
void addMetadata(std::string_view header, GrpcTarget& target) {
  const std::string_view name = textOf(header, kKey);
  const std::string_view raw = textOf(header, kRawValue);
  const std::string_view value = raw.empty() ? textOf(header, kValue) : raw;
  const auto same = [&](const auto& entry) { return entry.first == name; };
  std::erase_if(target.metadata, same);
  target.metadata.emplace_back(name, value);
}

}  // namespace

GrpcTarget readGrpcTarget(std::string_view bytes) {
  GrpcTarget target;
  bool named = false;
  bool well_formed = true;
  base::WireReader reader(bytes);
  while (const auto field = reader.next()) {
    if (field->kind != WireField::Kind::Bytes) continue;
    if (field->number == kInitialMetadata) addMetadata(field->bytes, target);
    if (field->number == kServiceRetryPolicy) target.unsupported = "retry_policy";
    if (field->number == kGoogleGrpc) target.unsupported = "google_grpc";
    if (field->number == kEnvoyGrpc) well_formed = readClient(field->bytes, target) && well_formed;
    named = named || field->number == kEnvoyGrpc || field->number == kGoogleGrpc;
  }
  if (named && well_formed && !reader.malformed()) return target;
  GrpcTarget name;
  name.cluster = bytes;
  name.by_name = true;
  return name;
}

}  // namespace weir::proxy_wasm
