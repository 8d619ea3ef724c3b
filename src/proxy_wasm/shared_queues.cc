#include "proxy_wasm/shared_queues.h"

namespace weir::proxy_wasm {

// --- Who is told ---

void QueueEar::close() {
  const std::lock_guard lock(mutex_);
  loop_ = nullptr;
  told_ = nullptr;
}

void QueueEar::tell(uint32_t root, uint32_t token, std::function<void()> done) {
  const std::lock_guard lock(mutex_);
  if (loop_ == nullptr) return done();
  loop_->post([told = std::weak_ptr<const Told>(told_), root, token, done = std::move(done)] {
    done();
    if (const auto alive = told.lock()) (*alive)(root, token);
  });
}

// --- The queues ---

std::shared_ptr<SharedQueues::Share> SharedQueues::share(const std::string& vm_id) {
  const std::lock_guard lock(mutex_);
  std::weak_ptr<Share>& place = shares_[vm_id];
  std::shared_ptr<Share> share = place.lock();
  if (share == nullptr) place = share = std::make_shared<Share>(shared_from_this(), vm_id);
  return share;
}

void SharedQueues::drop(const std::string& vm_id) {
  const std::lock_guard lock(mutex_);
  const auto known = shares_.find(vm_id);
  if (known != shares_.end() && !known->second.expired()) return;  // There is a new one already.
  if (known != shares_.end()) shares_.erase(known);
  const auto names = names_.extract(vm_id);
  if (names.empty()) return;
  for (const auto& [name, token] : names.mapped()) queues_.erase(token);
}

AbiStatus SharedQueues::Share::add(std::string_view name, std::shared_ptr<QueueEar> ear, uint32_t root,
                                   uint32_t& token) {
  const std::lock_guard lock(all_->mutex_);
  Names& names = all_->names_[vm_id_];
  auto found = names.find(name);
  if (found == names.end()) {
    if (names.size() >= kMaxQueues) return AbiStatus::InternalFailure;
    found = names.emplace(std::string(name), all_->next_token_++).first;
  }
  token = found->second;
  Queue& queue = all_->queues_[token];
  if (ear == nullptr) return AbiStatus::Ok;
  queue.ear = std::move(ear);
  queue.root = root;
  return AbiStatus::Ok;
}

AbiStatus SharedQueues::Share::find(std::string_view vm_id, std::string_view name, uint32_t& token) const {
  const std::lock_guard lock(all_->mutex_);
  const auto names = all_->names_.find(vm_id.empty() ? vm_id_ : std::string(vm_id));
  if (names == all_->names_.end()) return AbiStatus::NotFound;
  const auto found = names->second.find(name);
  if (found == names->second.end()) return AbiStatus::NotFound;
  token = found->second;
  return AbiStatus::Ok;
}

AbiStatus SharedQueues::Share::put(uint32_t token, std::string_view value, size_t most_bytes, bool& full) {
  std::shared_ptr<QueueEar> ear;
  uint32_t root = 0;
  {
    const std::lock_guard lock(all_->mutex_);
    const auto found = all_->queues_.find(token);
    if (found == all_->queues_.end()) return AbiStatus::NotFound;
    Queue& queue = found->second;
    full = queue.entries.size() >= kMaxEntries || queue.bytes + value.size() > most_bytes;
    if (full) return AbiStatus::NotFound;
    queue.entries.emplace_back(value);
    queue.bytes += value.size();
    if (queue.ear == nullptr || queue.notices >= kMaxNoticesUnderWay) return AbiStatus::Ok;
    ++queue.notices;
    ear = queue.ear;
    root = queue.root;
  }
  ear->tell(root, token, [all = all_, token] { all->noticeDone(token); });
  return AbiStatus::Ok;
}

void SharedQueues::noticeDone(uint32_t token) {
  const std::lock_guard lock(mutex_);
  const auto found = queues_.find(token);
  if (found != queues_.end()) --found->second.notices;
}

AbiStatus SharedQueues::Share::take(uint32_t token, std::string& value) {
  const std::lock_guard lock(all_->mutex_);
  const auto found = all_->queues_.find(token);
  if (found == all_->queues_.end()) return AbiStatus::NotFound;
  Queue& queue = found->second;
  if (queue.entries.empty()) return AbiStatus::Empty;
  value = std::move(queue.entries.front());
  queue.entries.pop_front();
  queue.bytes -= value.size();
  return AbiStatus::Ok;
}

}  // namespace weir::proxy_wasm
