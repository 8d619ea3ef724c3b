// Access logs as configuration gives them, after envoy.config.accesslog.v3: plain data.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "access_log/sink.h"
#include "base/clock.h"
#include "format/entry.h"
#include "format/spec.h"
#include "route/spec.h"

namespace weir::access_log {

// How a number of the entry is compared. Configured as RuntimeUInt32; without runtime its default value holds.
struct Comparison {
  enum class Op : uint8_t { Equal, AtLeast, AtMost, NotEqual };
  Op op = Op::Equal;
  uint32_t value = 0;
};

// What a value of the dynamic metadata must be.
struct MetadataMatch {
  enum class Kind : uint8_t { Null, Number, Range, String, Bool, Present };
  std::string filter;
  std::vector<std::string> path;
  Kind kind = Kind::Present;
  double number = 0;  // Also the range's start.
  double range_end = 0;
  bool truth = true;
  route::StringMatch string;
  bool invert = false;
  bool if_not_found = true;  // match_if_key_not_found
};

// Which entries are written. A tree of conditions.
struct FilterSpec {
  enum class Kind : uint8_t {
    StatusCode,
    Duration,  // In milliseconds.
    NotHealthCheck,
    Runtime,
    And,
    Or,
    Header,
    ResponseFlag,
    GrpcStatus,
    Metadata,
    LogType,
  };
  Kind kind = Kind::NotHealthCheck;
  Comparison comparison;
  uint32_t numerator = 0;  // Of Runtime.
  uint32_t denominator = 100;
  bool independent = false;
  std::vector<FilterSpec> parts;  // Of And and Or.
  route::HeaderMatch header;
  uint64_t flags = 0;  // Of ResponseFlag, as StreamInfo::response_flags; 0: any.
  std::vector<int64_t> grpc_statuses;
  MetadataMatch metadata;
  std::vector<format::LogType> types;
  bool exclude = false;  // Of GrpcStatus and LogType.
};

struct SinkSpec {
  enum class Kind : uint8_t { File, Stdout, Stderr };
  Kind kind = Kind::File;
  std::string path;  // Of a file.
  bool operator==(const SinkSpec&) const = default;
};

struct LogSpec {
  SinkSpec sink;
  format::FormatSpec format;
  std::shared_ptr<const SinkConfig> other;  // Not null: entries go there, and neither to the sink above nor as text.
  std::optional<FilterSpec> filter;
  std::string where;  // Its path in the configuration, for messages.
};

// When entries are written beside the one at the end.
struct LogOptions {
  bool at_start = false;                   // flush_access_log_on_new_request, or on_start for TCP.
  bool at_connected = false;               // flush_access_log_on_connected, of TCP.
  bool at_tunnel = false;                  // flush_log_on_tunnel_successfully_established
  std::optional<base::Duration> interval;  // access_log_flush_interval
};

}  // namespace weir::access_log
