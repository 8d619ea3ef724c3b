#include "proxy_wasm/shared_data.h"

namespace weir::proxy_wasm {

AbiStatus SharedData::Space::get(std::string_view key, std::string& value, uint32_t& cas) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end()) return AbiStatus::NotFound;
  value = found->second.value;
  cas = found->second.cas;
  return AbiStatus::Ok;
}

AbiStatus SharedData::Space::set(std::string_view key, std::string_view value, uint32_t cas, size_t most_bytes) {
  const std::lock_guard lock(mutex_);
  auto found = entries_.find(key);
  const bool is_new = found == entries_.end();
  if (!is_new && cas != 0 && cas != found->second.cas) return AbiStatus::CasMismatch;
  const size_t before = is_new ? 0 : base::EntryBudget::costOf(key, found->second.value);
  if (!budget_.replace(before, base::EntryBudget::costOf(key, value), most_bytes)) return AbiStatus::InternalFailure;
  if (is_new) found = entries_.emplace(std::string(key), Entry()).first;  // As Envoy: cas does not matter then.
  found->second.value = value;
  found->second.cas = next_cas_++;
  if (next_cas_ == 0) next_cas_ = 1;  // 0 means "no cas".
  return AbiStatus::Ok;
}

std::shared_ptr<SharedData::Space> SharedData::space(const std::string& vm_id) {
  const std::lock_guard lock(mutex_);
  std::weak_ptr<Space>& place = spaces_[vm_id];
  std::shared_ptr<Space> space = place.lock();
  if (space == nullptr) {
    space = std::make_shared<Space>();
    place = space;
  }
  return space;
}

}  // namespace weir::proxy_wasm
