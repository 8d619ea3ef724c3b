#include "proxy_wasm/redis_calls.h"

#include <array>

#include "proxy_wasm/root_context.h"
#include "proxy_wasm/vm.h"

namespace weir::proxy_wasm {
namespace {

// proxy_on_redis_call_response tells these.
enum class Outcome : uint32_t { Ok, NetworkError };

std::string_view nameIn(std::string_view cluster) { return cluster.substr(0, cluster.find('?')); }

// "web?db=2&x=y": what stands for that parameter, as it is; empty if it does not.
std::string_view parameterIn(std::string_view cluster, std::string_view name) {
  while (cluster.find_first_of("?&") != std::string_view::npos) {
    cluster.remove_prefix(cluster.find_first_of("?&") + 1);
    const std::string_view parameter = cluster.substr(0, cluster.find('&'));
    if (parameter.starts_with(name) && parameter.substr(name.size()).starts_with('=')) {
      return parameter.substr(name.size() + 1);
    }
  }
  return {};
}

}  // namespace

AbiStatus RedisCalls::configure(std::string_view cluster, std::string_view user, std::string_view password,
                                base::Duration timeout) {
  Vm& vm = root_.vm();
  const std::string_view name = nameIn(cluster);
  if (!vm.environment().clusters.knows(name)) return AbiStatus::BadArgument;
  if (cluster.size() + user.size() + password.size() > kMaxSettings) return AbiStatus::BadArgument;
  if (vm.environment().loop == nullptr) return AbiStatus::Ok;  // On trial.
  redis::Options options{std::string(user), std::string(password), std::string(parameterIn(cluster, "db"))};
  if (timeout > base::Duration::zero()) options.timeout = timeout;
  clientOf(name).configure(std::move(options));
  return AbiStatus::Ok;
}

AbiStatus RedisCalls::begin(std::string_view cluster_text, std::string_view command, uint32_t& token) {
  Vm& vm = root_.vm();
  ClusterAccess& clusters = vm.environment().clusters;
  const std::string_view name = nameIn(cluster_text);
  if (!clusters.knows(name) || !redis::isOneCommand(command)) return AbiStatus::BadArgument;
  if (!root_.admitCall()) return AbiStatus::InternalFailure;
  token = vm.nextRedisCallToken();
  upstream::Cluster* const cluster = clusters.find(name);
  if (cluster == nullptr || vm.environment().loop == nullptr) return AbiStatus::Ok;  // On trial.
  calls_.emplace(token, std::nullopt);
  root_.recount();
  if (clientOf(name).send(*cluster, command, token)) return AbiStatus::Ok;
  calls_.erase(token);
  return AbiStatus::InternalFailure;
}

redis::Client& RedisCalls::clientOf(std::string_view cluster) {
  const auto found = clients_.find(cluster);
  if (found != clients_.end()) return found->second;
  return clients_
      .try_emplace(std::string(cluster), *root_.vm().environment().loop, static_cast<redis::Receiver&>(*this))
      .first->second;
}

void RedisCalls::onAnswer(uint32_t token, base::BufferChain answer) {
  const auto found = calls_.find(token);
  if (found == calls_.end()) return;
  found->second = std::move(answer);
  onEnded(token);
}

void RedisCalls::onEnded(uint32_t token) {
  Vm& vm = root_.vm();
  vm.running() ? vm.defer({Vm::Action::Kind::RedisDone, &root_, token}) : deliver(token);
}

void RedisCalls::deliver(uint32_t token) {
  tell(token);
  root_.answered();
}

void RedisCalls::tell(uint32_t token) {
  auto found = calls_.extract(token);
  Vm& vm = root_.vm();
  if (found.empty() || vm.failed() || !vm.has(Callback::RedisCallResponse)) return;
  std::optional<base::BufferChain>& answer = found.mapped();
  const Outcome outcome = answer ? Outcome::Ok : Outcome::NetworkError;
  const std::array<uint32_t, 4> arguments{root_.id(), token, static_cast<uint32_t>(outcome),
                                          answer ? static_cast<uint32_t>(answer->size()) : 0};
  if (!answer) root_.setStatus(static_cast<uint32_t>(AbiStatus::BrokenConnection), "reset");
  answer_ = answer ? &*answer : nullptr;
  vm.call(Callback::RedisCallResponse, root_, arguments, vm.callbackLimit());
  answer_ = nullptr;
  root_.clearStatusMessage();
}

void RedisCalls::cancelAll() {
  calls_.clear();
  for (auto& [name, client] : clients_) client.cancelAll();
}

}  // namespace weir::proxy_wasm
