// The queues through which plugins talk across VMs and workers: each has a name within a vm_id, and a number that holds
// for the whole process. Whoever knows the number may put in and take out; whoever registered the queue last is told of
// each entry, on its own worker's thread (abi.md 2.12).
//
// Thread-safe. A vm_id's queues live as long as some plugin code of that vm_id does.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "event/loop.h"
#include "proxy_wasm/abi.h"

namespace weir::proxy_wasm {

// How a VM hears of its queues from other threads. Made and closed on the VM's thread.
class QueueEar {
 public:
  using Told = std::function<void(uint32_t root, uint32_t token)>;
  // told runs on the loop's thread, never after close().
  QueueEar(event::Loop& loop, Told told) : loop_(&loop), told_(std::make_shared<const Told>(std::move(told))) {}
  // Nothing is told any more; after it the loop may go.
  void close();

 private:
  friend class SharedQueues;
  // done is called when it was told, or will never be.
  void tell(uint32_t root, uint32_t token, std::function<void()> done);

  std::mutex mutex_;
  event::Loop* loop_;                 // Null: closed.
  std::shared_ptr<const Told> told_;  // Tasks look for it: null when closed.
};

class SharedQueues : public std::enable_shared_from_this<SharedQueues> {
 public:
  // What the queues may hold. More is refused: registering with InternalFailure, an entry with NotFound, which is what
  // SDKs hand to the plugin as an error (Rust's panics on any other).
  static constexpr size_t kMaxQueues = 1024;            // Of one vm_id.
  static constexpr size_t kMaxEntries = 65536;          // In one queue.
  static constexpr size_t kMaxNoticesUnderWay = 65536;  // Of one queue: further entries are not told.

  // Keeps the queues of a vm_id. Held by its plugin code.
  class Share {
   public:
    Share(std::shared_ptr<SharedQueues> all, std::string vm_id) : all_(std::move(all)), vm_id_(std::move(vm_id)) {}
    ~Share() { all_->drop(vm_id_); }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    // The queue of that name in the share's own vm_id; it keeps what it holds. ear: who is told from now on; null: as
    // before (a plugin on trial). InternalFailure: there are kMaxQueues.
    AbiStatus add(std::string_view name, std::shared_ptr<QueueEar> ear, uint32_t root, uint32_t& token);
    // vm_id empty: the share's own. NotFound: there is no such queue.
    AbiStatus find(std::string_view vm_id, std::string_view name, uint32_t& token) const;
    // Of any vm_id. NotFound: no such queue, or it would hold more than kMaxEntries or most_bytes (full is set).
    AbiStatus put(uint32_t token, std::string_view value, size_t most_bytes, bool& full);
    // NotFound; Empty.
    AbiStatus take(uint32_t token, std::string& value);

   private:
    const std::shared_ptr<SharedQueues> all_;
    const std::string vm_id_;
  };
  std::shared_ptr<Share> share(const std::string& vm_id);

 private:
  struct Queue {
    std::deque<std::string> entries;
    size_t bytes = 0;
    size_t notices = 0;  // Under way.
    std::shared_ptr<QueueEar> ear;
    uint32_t root = 0;
  };
  using Names = std::map<std::string, uint32_t, std::less<>>;

  void drop(const std::string& vm_id);
  void noticeDone(uint32_t token);

  std::mutex mutex_;
  std::unordered_map<std::string, std::weak_ptr<Share>> shares_;
  std::unordered_map<std::string, Names> names_;  // By vm_id.
  std::unordered_map<uint32_t, Queue> queues_;    // By token.
  uint32_t next_token_ = 1;
};

}  // namespace weir::proxy_wasm
