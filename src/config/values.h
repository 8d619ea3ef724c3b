// Small values that several converters read.
#pragma once

#include <fmt/format.h>
#include <google/protobuf/wrappers.pb.h>

#include "base/clock.h"
#include "config/convert.h"

namespace weir::config {

// A negative duration is a fault and counts as zero; what does not fit is cut to about 292 years.
base::Duration convertDuration(const google::protobuf::Duration& duration, const Place& place);

// nullopt for zero, by which Envoy switches a timeout off.
std::optional<base::Duration> convertTimeout(const google::protobuf::Duration& duration, const Place& place);

// An IP address with port, or a Unix socket. A host name is a fault.
std::optional<net::Address> convertAddress(const envoy::config::core::v3::Address& address, const Place& place);

// Serialised, in a form that the same content always has; empty if there is none.
std::string serialized(const google::protobuf::Message& message);

// As JSON with Envoy's field names; "{}" if it has no such form.
std::string dumped(const google::protobuf::Message& message);

// The bytes a DataSource names; a file that cannot be read or a variable that is not set is a fault.
std::string readDataSource(const envoy::config::core::v3::DataSource& source, const Place& place,
                           const LoadOptions& options);

std::optional<std::string> environmentVariable(const std::string& name, const LoadOptions& options);

// The message in an Any, or a fault that names what was expected.
template <typename T>
std::optional<T> unpack(const google::protobuf::Any& any, const Place& place, std::string_view what) {
  T message;
  const std::string& expected = T::descriptor()->full_name();
  if (any.type_url().empty()) {
    place.fault(FaultKind::Rule,
                fmt::format("{} is required: a mapping with \"@type\": type.googleapis.com/{}", what, expected));
    return std::nullopt;
  }
  if (any.Is<T>() && any.UnpackTo(&message)) return message;
  const std::string& url = any.type_url();
  place.fault(FaultKind::Type,
              fmt::format("expected {} of type {}, got {}", what, expected, url.substr(url.rfind('/') + 1)));
  return std::nullopt;
}

}  // namespace weir::config
