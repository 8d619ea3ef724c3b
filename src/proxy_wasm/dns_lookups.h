// The names whose addresses a plugin has asked for (envoy_resolve_dns). Belongs to the plugin's root, on which the
// answers are told.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "net/dns.h"
#include "proxy_wasm/abi.h"

namespace weir::proxy_wasm {

class RootContext;

class DnsLookups {
 public:
  // How many one plugin may have under way on one worker.
  static constexpr size_t kMaxPending = 256;

  explicit DnsLookups(RootContext& root) : root_(root) {}

  // InternalFailure: there is no room. The answer is never told within this.
  AbiStatus begin(std::string_view name, uint32_t& token);
  // Tells the guest an answer that has come.
  void deliver(uint32_t token);
  // What is being told to the guest, in the ABI's form; null at other times.
  const std::string* answer() const { return answer_; }
  void cancelAll() { lookups_.clear(); }

 private:
  struct Lookup {
    std::unique_ptr<net::Resolver::Query> query;
    std::optional<std::string> answer;
  };
  void onAnswer(uint32_t token, const base::Result<net::Resolved>& resolved);

  RootContext& root_;
  std::unordered_map<uint32_t, Lookup> lookups_;
  const std::string* answer_ = nullptr;
};

}  // namespace weir::proxy_wasm
