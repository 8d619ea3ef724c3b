#include "filter/set_metadata.h"

#include <utility>

#include "filter/merge_structs.h"

namespace weir::filter {
namespace {

class SetMetadata final : public Filter {
 public:
  SetMetadata(const SetMetadataSpec& spec, stats::Counter& denied) : spec_(spec), denied_(denied) {}

  void setHandle(StreamHandle& handle) override { handle_ = &handle; }
  HeadersAction onRequestHeaders(http::HeaderMap&, bool) override {
    StreamInfo& info = handle_->info();
    for (const SetMetadataSpec::Entry& entry : spec_.entries) {
      const auto there = info.dynamic_metadata.find(entry.name_space);
      if (there == info.dynamic_metadata.end()) {
        info.dynamic_metadata.emplace(entry.name_space, entry.fields);
      } else if (entry.allow_overwrite) {
        there->second = mergeStructs(there->second, entry.fields);
      } else {
        denied_.add();
      }
    }
    return HeadersAction::Continue;
  }
  BodyAction onRequestBody(base::BufferChain&, bool) override { return BodyAction::Continue; }
  TrailersAction onRequestTrailers(http::HeaderMap&) override { return TrailersAction::Continue; }
  HeadersAction onResponseHeaders(http::HeaderMap&, bool) override { return HeadersAction::Continue; }
  BodyAction onResponseBody(base::BufferChain&, bool) override { return BodyAction::Continue; }
  TrailersAction onResponseTrailers(http::HeaderMap&) override { return TrailersAction::Continue; }
  void onLog() override {}
  void onDestroy() override {}

 private:
  const SetMetadataSpec& spec_;
  stats::Counter& denied_;
  StreamHandle* handle_ = nullptr;
};

class Factory final : public FilterFactory {
 public:
  Factory(std::string name, const SetMetadataSpec& spec, stats::Counter& denied)
      : name_(std::move(name)), spec_(spec), denied_(denied) {}
  std::unique_ptr<Filter> create() override { return std::make_unique<SetMetadata>(spec_, denied_); }
  const std::string& name() const override { return name_; }

 private:
  const std::string name_;
  const SetMetadataSpec& spec_;
  stats::Counter& denied_;
};

}  // namespace

std::unique_ptr<FilterFactory> setMetadata(std::string name, const SetMetadataSpec& spec, stats::Counter& denied) {
  return std::make_unique<Factory>(std::move(name), spec, denied);
}

}  // namespace weir::filter
