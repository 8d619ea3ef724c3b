// A plugin's Redis calls on one worker (Higress' proxy_redis_init and proxy_redis_call), with what the guest may read
// of an answer. Belongs to the plugin's root, on which all of them are told.
//
// A plugin has connections of its own: what it does to them (AUTH, SELECT, SUBSCRIBE) is no other plugin's business.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "proxy_wasm/abi.h"
#include "redis/client.h"

namespace weir::proxy_wasm {

class RootContext;

class RedisCalls final : private redis::Receiver {
 public:
  // Name and parameters of a cluster, user and password together.
  static constexpr size_t kMaxSettings = 64 * 1024;

  explicit RedisCalls(RootContext& root) : root_(root) {}
  ~RedisCalls() { cancelAll(); }

  // cluster: a name, and parameters behind a '?', of which "db" counts. For connections that are made from now on.
  // BadArgument: nobody of that name, or too long.
  AbiStatus configure(std::string_view cluster, std::string_view user, std::string_view password,
                      base::Duration timeout);
  // command: one, as it goes to the server. BadArgument: nobody of that name, or not one command. InternalFailure: it
  // failed at once, or as many calls as the budget has are under way; nothing will be told.
  AbiStatus begin(std::string_view cluster, std::string_view command, uint32_t& token);
  // Tells the guest what has come of a call.
  void deliver(uint32_t token);
  size_t pending() const { return calls_.size(); }
  void cancelAll();

  // What is being told to the guest; null at other times, and when it is a failure.
  base::BufferChain* answer() const { return answer_; }

 private:
  void tell(uint32_t token);
  // redis::Receiver
  void onAnswer(uint32_t token, base::BufferChain answer) override;
  void onFailure(uint32_t token) override { onEnded(token); }

  void onEnded(uint32_t token);
  redis::Client& clientOf(std::string_view cluster);

  RootContext& root_;
  std::map<std::string, redis::Client, std::less<>> clients_;  // By the cluster's name.
  std::unordered_map<uint32_t, std::optional<base::BufferChain>> calls_;
  base::BufferChain* answer_ = nullptr;
};

}  // namespace weir::proxy_wasm
