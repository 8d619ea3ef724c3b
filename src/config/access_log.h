// Access logs and the formats they share with header values and local replies.
#pragma once

#include <envoy/config/accesslog/v3/accesslog.pb.h>
#include <envoy/config/core/v3/substitution_format_string.pb.h>

#include <vector>

#include "access_log/spec.h"
#include "config/convert.h"

namespace weir::config {

// access_log of a connection manager, a TCP proxy, a listener or the admin endpoint.
std::vector<access_log::LogSpec> convertAccessLogs(
    const google::protobuf::RepeatedPtrField<envoy::config::accesslog::v3::AccessLog>& logs, const Place& place,
    Conversion& conversion);
access_log::FilterSpec convertLogFilter(const envoy::config::accesslog::v3::AccessLogFilter& filter,
                                        const Place& place);
// Also checks that it compiles.
format::FormatSpec convertFormat(const envoy::config::core::v3::SubstitutionFormatString& format, const Place& place,
                                 const Conversion& conversion);

}  // namespace weir::config
