#include "access_log/log.h"

#include "base/check.h"

namespace weir::access_log {

base::Result<std::shared_ptr<const CompiledLogs>> CompiledLogs::create(const std::vector<LogSpec>& specs,
                                                                       Writers& writers, SinkLoader* loader) {
  auto compiled = std::make_shared<CompiledLogs>();
  for (const LogSpec& spec : specs) {
    auto log = compile(spec, writers, loader);
    if (!log.ok()) return std::move(log).error().in(spec.where);
    compiled->logs_.push_back(*std::move(log));
  }
  return std::shared_ptr<const CompiledLogs>(std::move(compiled));
}

base::Result<CompiledLogs::One> CompiledLogs::compile(const LogSpec& spec, Writers& writers, SinkLoader* loader) {
  auto format = format::Format::create(spec.format);
  if (!format.ok()) return std::move(format).error();
  One log{*std::move(format), {}, {}, {}};
  if (spec.filter) {
    auto filter = LogFilter::create(*spec.filter);
    if (!filter.ok()) return std::move(filter).error();
    log.filter = *std::move(filter);
  }
  if (spec.other == nullptr) {
    auto writer = writers.get(spec.sink);
    if (!writer.ok()) return std::move(writer).error();
    log.writer = *std::move(writer);
    return log;
  }
  CHECK(loader != nullptr);
  auto other = loader->load(*spec.other);
  if (!other.ok()) return std::move(other).error();
  log.other = *std::move(other);
  return log;
}

Logs::Logs(std::shared_ptr<const CompiledLogs> compiled, Feeds& feeds, SinkOpener* opener)
    : compiled_(std::move(compiled)) {
  if (compiled_ == nullptr) return;
  for (const auto& log : compiled_->logs_) {
    CHECK(log.other == nullptr || opener != nullptr);
    ends_.push_back(log.other == nullptr ? End{feeds.get(log.writer), nullptr}
                                         : End{nullptr, opener->open(*log.other)});
  }
}

void Logs::write(const format::Entry& entry, base::Random& random) const {
  for (size_t i = 0; i < ends_.size(); ++i) {
    const CompiledLogs::One& log = compiled_->logs_[i];
    if (log.filter && !log.filter->passes(entry, random)) continue;
    if (ends_[i].sink != nullptr) {
      ends_[i].sink->write(entry);
      continue;
    }
    Feed& feed = *ends_[i].feed;
    log.format.append(entry, feed.block());
    feed.lineAdded();
  }
}

}  // namespace weir::access_log
