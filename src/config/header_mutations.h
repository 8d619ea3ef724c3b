// Headers to add and to remove, by the same four lists in a route configuration, a virtual host, a route and a weighted
// cluster.
#pragma once

#include <google/protobuf/repeated_ptr_field.h>

#include <string>
#include <vector>

#include "config/convert.h"

namespace weir::config {

std::vector<route::HeaderValueOption> convertOptions(
    const google::protobuf::RepeatedPtrField<envoy::config::core::v3::HeaderValueOption>& options, const Place& place);
std::vector<std::string> convertRemovals(const google::protobuf::RepeatedPtrField<std::string>& names,
                                         const Place& place);

template <typename T>
route::HeaderMutations convertMutations(const T& message, const Place& place) {
  return {convertOptions(message.request_headers_to_add(), place.field("request_headers_to_add")),
          convertRemovals(message.request_headers_to_remove(), place.field("request_headers_to_remove")),
          convertOptions(message.response_headers_to_add(), place.field("response_headers_to_add")),
          convertRemovals(message.response_headers_to_remove(), place.field("response_headers_to_remove"))};
}

}  // namespace weir::config
