#include "http/codec.h"

namespace weir::http {

std::string_view name(Protocol protocol) {
  switch (protocol) {
    case Protocol::Http10: return "HTTP/1.0";
    case Protocol::Http11: return "HTTP/1.1";
    case Protocol::Http2: return "HTTP/2";
    case Protocol::Http3: return "HTTP/3";
  }
  return "";
}

// As Envoy words them in "upstream connect error ... reset reason: ".
std::string_view name(ResetReason reason) {
  switch (reason) {
    case ResetReason::LocalReset: return "local reset";
    case ResetReason::RemoteReset: return "remote reset";
    case ResetReason::ConnectionTermination: return "connection termination";
    case ResetReason::ConnectionFailure: return "remote connection failure";
    case ResetReason::Overflow: return "overflow";
    case ResetReason::ProtocolError: return "protocol error";
    case ResetReason::RefusedStream: return "remote refused stream reset";
  }
  return "";
}

}  // namespace weir::http
