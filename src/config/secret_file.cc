#include "config/secret_file.h"

#include <envoy/service/discovery/v3/discovery.pb.h>
#include <fmt/format.h>

#include "config/inspect.h"
#include "config/known_types.h"
#include "config/message_file.h"
#include "config/tls_values.h"

namespace weir::config {
namespace {

namespace v3 = envoy::extensions::transport_sockets::tls::v3;
using envoy::service::discovery::v3::DiscoveryResponse;

base::Error refusal(std::string detail) {
  return {base::Code::InvalidArgument, base::Side::Operator, base::Retry::No, std::move(detail)};
}

base::Error firstFault(Report& report) { return refusal(report.takeFaults().front().text()); }

// The secret of that name; a file that holds one alone need not name it, as with Envoy.
base::Result<v3::Secret> find(const DiscoveryResponse& response, const tls::SecretReference& reference) {
  std::optional<v3::Secret> found;
  for (const auto& resource : response.resources()) {
    v3::Secret secret;
    if (!resource.UnpackTo(&secret)) {
      return refusal(fmt::format("'{}' holds {} where Secrets are expected", reference.path, resource.type_url()));
    }
    if (secret.name() == reference.name) found = std::move(secret);
  }
  if (found) return *std::move(found);
  return refusal(fmt::format("'{}' holds no secret '{}'", reference.path, reference.name));
}

// Reads, checks and converts the secret; convert() gets the message and its place.
template <typename Convert>
base::Result<void> withSecret(const tls::SecretReference& reference, Convert convert) {
  if (reference.path.empty()) return base::Ok{};  // A static one: it is there already.
  linkKnownTypes();
  Report report;
  DiscoveryResponse response;
  if (!readMessageFile(reference.path, false, report, response) || !report.clean()) return firstFault(report);
  const Place place(report, "");
  for (int i = 0; i < response.resources_size(); i++) {
    v3::Secret secret;
    if (!response.resources(i).UnpackTo(&secret)) continue;  // Told by find().
    inspect(secret, place.item("resources", static_cast<size_t>(i)), false);
  }
  auto secret = find(response, reference);
  if (!secret.ok()) return std::move(secret).error();
  convert(*secret, place);
  if (!report.clean()) return firstFault(report);
  return base::Ok{};
}

}  // namespace

base::Result<void> resolveSecrets(tls::CommonSpec& spec) {
  const LoadOptions options;
  for (const tls::SecretReference& reference : spec.certificate_secrets) {
    auto done = withSecret(reference, [&](const v3::Secret& secret, const Place& place) {
      if (!secret.has_tls_certificate()) {
        return place.fault(FaultKind::Type, fmt::format("the secret '{}' is no tls_certificate", reference.name));
      }
      spec.certificates.push_back(convertCertificate(secret.tls_certificate(), place, options));
    });
    if (!done.ok()) return done;
  }
  if (!spec.validation_secret) return base::Ok{};
  return withSecret(*spec.validation_secret, [&](const v3::Secret& secret, const Place& place) {
    if (!secret.has_validation_context()) {
      return place.fault(FaultKind::Type,
                         fmt::format("the secret '{}' is no validation_context", spec.validation_secret->name));
    }
    const auto validation = convertValidation(secret.validation_context(), place, options);
    spec.validation = spec.validation ? tls::merged(*spec.validation, validation) : validation;
  });
}

}  // namespace weir::config
