// x-forwarded-client-cert: what the upstream is told of the client's certificate, and of what proxies before told.
#pragma once

#include "exchange/spec.h"
#include "http/header_map.h"
#include "net/tls_info.h"

namespace weir::exchange {

// Removes, keeps, sets or extends the header as configured. tls: null without TLS, and then only ALWAYS_FORWARD_ONLY
// keeps what is there.
void setClientCertificateHeader(const ClientCertificateSpec& spec, const net::TlsInfo* tls, http::HeaderMap& request);

}  // namespace weir::exchange
