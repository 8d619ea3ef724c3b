#include "access_log/log.h"

namespace weir::access_log {

base::Result<std::shared_ptr<const CompiledLogs>> CompiledLogs::create(const std::vector<LogSpec>& specs,
                                                                       Writers& writers) {
  auto compiled = std::make_shared<CompiledLogs>();
  for (const LogSpec& spec : specs) {
    auto format = format::Format::create(spec.format);
    if (!format.ok()) return std::move(format).error().in(spec.where);
    std::optional<LogFilter> filter;
    if (spec.filter) {
      auto created = LogFilter::create(*spec.filter);
      if (!created.ok()) return std::move(created).error().in(spec.where);
      filter = *std::move(created);
    }
    auto writer = writers.get(spec.sink);
    if (!writer.ok()) return std::move(writer).error().in(spec.where);
    compiled->logs_.push_back({*std::move(format), std::move(filter), *std::move(writer)});
  }
  return std::shared_ptr<const CompiledLogs>(std::move(compiled));
}

Logs::Logs(std::shared_ptr<const CompiledLogs> compiled, Feeds& feeds) : compiled_(std::move(compiled)) {
  if (compiled_ == nullptr) return;
  for (const auto& log : compiled_->logs_) feeds_.push_back(feeds.get(log.writer));
}

void Logs::write(const format::Entry& entry, base::Random& random) const {
  for (size_t i = 0; i < feeds_.size(); ++i) {
    const CompiledLogs::One& log = compiled_->logs_[i];
    if (log.filter && !log.filter->passes(entry, random)) continue;
    log.format.append(entry, feeds_[i]->block());
    feeds_[i]->lineAdded();
  }
}

}  // namespace weir::access_log
