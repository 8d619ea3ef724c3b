// Parts of a TLS configuration, and the secrets that are kept in files of their own.
#pragma once

#include "config/convert.h"
#include "tls/spec.h"

namespace weir::config {

// A file is named, not read; what is inline or in the environment is taken.
tls::Source convertSource(const envoy::config::core::v3::DataSource& source, const Place& place,
                          const LoadOptions& options);
tls::CertificateSpec convertCertificate(
    const envoy::extensions::transport_sockets::tls::v3::TlsCertificate& certificate, const Place& place,
    const LoadOptions& options);
tls::ValidationSpec convertValidation(
    const envoy::extensions::transport_sockets::tls::v3::CertificateValidationContext& context, const Place& place,
    const LoadOptions& options);

}  // namespace weir::config
