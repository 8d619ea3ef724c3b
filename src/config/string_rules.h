// The rules of protoc-gen-validate for strings and bytes; part of rules.h.
#pragma once

#include <validate/validate.pb.h>

#include <string>

#include "config/report.h"

namespace weir::config {

inline void breach(const Place& place, std::string message) { place.fault(FaultKind::Rule, std::move(message)); }

void checkString(const validate::StringRules& rules, const std::string& value, const Place& place);
void checkBytes(const validate::BytesRules& rules, const std::string& value, const Place& place);

}  // namespace weir::config
