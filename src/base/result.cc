#include "base/result.h"

namespace weir::base {

std::string_view name(Code code) {
  switch (code) {
    case Code::InvalidArgument: return "invalid argument";
    case Code::Malformed: return "malformed";
    case Code::TooLarge: return "too large";
    case Code::Unsupported: return "unsupported";
    case Code::NotFound: return "not found";
    case Code::Unavailable: return "unavailable";
    case Code::Refused: return "refused";
    case Code::Reset: return "reset";
    case Code::Timeout: return "timeout";
    case Code::Trap: return "trap";
    case Code::Deadline: return "deadline";
    case Code::Io: return "io";
    case Code::Internal: return "internal";
  }
  return "unknown";
}

std::string_view name(Side side) {
  switch (side) {
    case Side::Self: return "self";
    case Side::Client: return "client";
    case Side::Upstream: return "upstream";
    case Side::Plugin: return "plugin";
    case Side::Operator: return "operator";
  }
  return "unknown";
}

}  // namespace weir::base
