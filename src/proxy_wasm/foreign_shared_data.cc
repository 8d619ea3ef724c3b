// What plugins can do with shared data beyond Envoy's two calls: messages of weir/plugins/v1/shared_data.proto.
#include <chrono>

#include "base/wire.h"
#include "proxy_wasm/foreign.h"
#include "proxy_wasm/plugin_code.h"

namespace weir::proxy_wasm {
namespace {

constexpr unsigned kNoStrings = 0;  // Keys and values are bytes.

// What is zero is left out, as in proto3.
void put(uint32_t field, uint64_t number, std::string& out) {
  if (number != 0) base::putField(field, number, out);
}

// A life that is not over is one of a millisecond at least; one beyond a hundred years has no end.
constexpr std::chrono::hours kLongestLife{24 * 365 * 100};
base::Duration life(uint64_t milliseconds) {
  const auto most = std::chrono::duration_cast<std::chrono::milliseconds>(kLongestLife).count();
  if (milliseconds >= static_cast<uint64_t>(most)) return {};
  return std::chrono::milliseconds(milliseconds);
}
uint64_t left(base::Duration life) { return life == base::Duration() ? 0 : base::milliseconds(life) + 1; }

const base::Clock& clockOf(Call& call) { return call.vm().environment().clock; }
SharedData::Space& spaceOf(Call& call) { return *call.vm().code().shared_data; }

}  // namespace

AbiStatus setSharedDataFor(Call& call, std::string_view arguments, std::string& result) {
  const ForeignMessage fields = readForeignMessage(arguments, kNoStrings);
  if (!fields.well_formed) return AbiStatus::BadArgument;
  const PluginCode& code = call.vm().code();
  using If = SharedData::Write::If;
  SharedData::Write how{
      .cas = fields.number32(3), .life = life(fields.number(4)), .most_bytes = code.budgets.shared_data_bytes};
  if (how.cas != 0) how.condition = If::Cas;
  if (fields.number(5) != 0) how.condition = If::New;
  uint32_t cas = 0;
  const AbiStatus status = spaceOf(call).set(fields.texts[1], fields.texts[2], how, clockOf(call), &cas);
  if (status == AbiStatus::InternalFailure) code.shared_data_refused.add();
  if (status == AbiStatus::Ok) put(1, cas, result);
  return status;
}

AbiStatus deleteSharedData(Call& call, std::string_view arguments, std::string&) {
  const ForeignMessage fields = readForeignMessage(arguments, kNoStrings);
  if (!fields.well_formed) return AbiStatus::BadArgument;
  return spaceOf(call).erase(fields.texts[1], fields.number32(2), clockOf(call));
}

AbiStatus listSharedData(Call& call, std::string_view arguments, std::string& result) {
  const ForeignMessage fields = readForeignMessage(arguments, kNoStrings);
  if (!fields.well_formed) return AbiStatus::BadArgument;
  const size_t most = fields.number32(3) == 0 ? SharedData::Space::kMostListed : fields.number32(3);
  const SharedData::List list = spaceOf(call).list(fields.texts[1], fields.texts[2], most, clockOf(call));
  for (const SharedData::Listed& each : list.entries) {
    std::string entry;
    base::putField(1, each.key, entry);
    put(2, each.cas, entry);
    put(3, each.size, entry);
    put(4, left(each.left), entry);
    base::putField(1, entry, result);
  }
  put(2, list.more ? 1 : 0, result);
  return AbiStatus::Ok;
}

AbiStatus boundSharedData(Call& call, std::string_view arguments, std::string& result) {
  const ForeignMessage fields = readForeignMessage(arguments, kNoStrings);
  if (!fields.well_formed) return AbiStatus::BadArgument;
  const auto most = [](uint64_t given) { return given == 0 ? SIZE_MAX : static_cast<size_t>(given); };
  spaceOf(call).bound([&](SharedData::Bounds& bounds) {
    if (fields.numbers[1]) bounds.bytes = most(fields.number(1));
    if (fields.numbers[2]) bounds.entries = most(fields.number32(2));
    if (fields.numbers[3]) bounds.evict = fields.number(3) != 0;
  });
  const SharedData::Use use = spaceOf(call).use(clockOf(call));
  put(1, use.bytes, result);
  put(2, use.entries, result);
  put(3, use.evicted, result);
  put(4, use.expired, result);
  return AbiStatus::Ok;
}

}  // namespace weir::proxy_wasm
