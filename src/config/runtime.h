// layered_runtime: keys that stand in place of what a configuration says by default.
//
// The layers are static, so what a key says is put into the messages once, before they are converted: converters see
// default values and know nothing of keys. A small value while a configuration is read; one thread.
#pragma once

#include <envoy/config/bootstrap/v3/bootstrap.pb.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "config/report.h"
#include "config/spec.h"

namespace weir::config {

class Runtime {
 public:
  // Later layers stand over earlier ones. Values that are neither texts nor numbers nor switches are faults.
  static Runtime read(const envoy::config::bootstrap::v3::LayeredRuntime& layers, const Place& place);

  // Null: no layer has the key.
  const google::protobuf::Value* find(const std::string& key) const;
  // Of a key that is a whole number of 0 to 1e15, or a text that is one; as Envoy: any other says nothing.
  std::optional<uint64_t> wholeNumber(const std::string& key) const;
  // Puts what keys say in place of default values, everywhere in message, into each Any too.
  void apply(google::protobuf::Message& message) const;
  // A notice for each key that nothing has asked for.
  void noteUnused() const;
  RuntimeDump dump() const { return dump_; }

 private:
  struct Entry {
    google::protobuf::Value value;
    Place place;
    mutable bool used = false;
  };
  void add(const std::string& key, const google::protobuf::Value& value, const Place& place);
  std::map<std::string, Entry> entries_;
  RuntimeDump dump_;
};

}  // namespace weir::config
