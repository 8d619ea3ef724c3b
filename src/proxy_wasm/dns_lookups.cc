#include "proxy_wasm/dns_lookups.h"

#include <array>

#include "proxy_wasm/little_endian.h"
#include "proxy_wasm/root_context.h"
#include "proxy_wasm/vm.h"

namespace weir::proxy_wasm {
namespace {

void appendU32(uint32_t number, std::string& out) {
  char bytes[4];
  storeU32(bytes, number);
  out.append(bytes, sizeof(bytes));
}

// u32 count; count times {u32 seconds to live}; count times {"address:port", 0}. A failure is no bytes at all.
std::string encoded(const base::Result<net::Resolved>& resolved) {
  std::string out;
  if (!resolved.ok()) return out;
  appendU32(static_cast<uint32_t>(resolved->entries.size()), out);
  for (const auto& entry : resolved->entries) {
    appendU32(static_cast<uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(entry.ttl).count()), out);
  }
  for (const auto& entry : resolved->entries) out.append(entry.address.toString()).push_back('\0');
  return out;
}

}  // namespace

AbiStatus DnsLookups::begin(std::string_view name, uint32_t& token) {
  Vm& vm = root_.vm();
  if (lookups_.size() >= kMaxPending) {
    vm.code().calls_refused.add();
    return AbiStatus::InternalFailure;
  }
  token = vm.nextDnsToken();
  net::Resolver* const resolver = vm.environment().names != nullptr ? &vm.environment().names->resolver() : nullptr;
  if (resolver == nullptr) return AbiStatus::Ok;  // On trial.
  const uint32_t asked = token;
  lookups_.emplace(asked, Lookup{});
  auto query = resolver->resolve(name, net::LookupFamily::Auto,
                                 [this, asked](const base::Result<net::Resolved>& answer) { onAnswer(asked, answer); });
  if (const auto found = lookups_.find(asked); found != lookups_.end()) found->second.query = std::move(query);
  return AbiStatus::Ok;
}

void DnsLookups::onAnswer(uint32_t token, const base::Result<net::Resolved>& resolved) {
  const auto found = lookups_.find(token);
  if (found == lookups_.end()) return;
  found->second.answer = encoded(resolved);
  Vm& vm = root_.vm();
  vm.running() ? vm.defer({Vm::Action::Kind::DnsDone, &root_, token}) : deliver(token);
}

void DnsLookups::deliver(uint32_t token) {
  auto found = lookups_.extract(token);
  Vm& vm = root_.vm();
  if (found.empty() || vm.failed() || !vm.has(Callback::ResolveDns)) return;
  const std::string answer = std::move(*found.mapped().answer);
  answer_ = &answer;
  const std::array<uint32_t, 3> arguments{root_.id(), token, static_cast<uint32_t>(answer.size())};
  vm.call(Callback::ResolveDns, root_, arguments, vm.callbackLimit());
  answer_ = nullptr;
}

}  // namespace weir::proxy_wasm
