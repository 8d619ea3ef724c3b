#include "access_log/feed.h"

#include <utility>

namespace weir::access_log {

Feed::Feed(event::Loop& loop, std::shared_ptr<Writer> writer, const FlushRules& rules)
    : writer_(std::move(writer)), rules_(rules), timer_(loop, [this] {
        writer_->stats().flushed_by_timer.add();
        handOver();
      }) {}

Feed::~Feed() { handOver(); }

void Feed::lineAdded() {
  writer_->stats().write_buffered.add();
  ++lines_;
  if (block_.size() >= rules_.min_size) return handOver();
  if (!timer_.armed()) timer_.arm(rules_.interval);
}

void Feed::handOver() {
  timer_.disarm();
  if (block_.empty()) return;
  writer_->handOver(std::exchange(block_, {}), std::exchange(lines_, 0));
}

std::shared_ptr<Feed> Feeds::get(const std::shared_ptr<Writer>& writer) {
  std::erase_if(feeds_, [](const auto& entry) { return entry.second.expired(); });
  std::weak_ptr<Feed>& known = feeds_[writer.get()];
  auto feed = known.lock();
  if (feed == nullptr) known = feed = std::make_shared<Feed>(loop_, writer, rules_);
  return feed;
}

}  // namespace weir::access_log
