// For tests: a filter that does what the test says.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "filter/filter.h"

namespace weir::filter {

// Does what the test says, and writes down what it was told.
class ScriptedFilter final : public Filter {
 public:
  ScriptedFilter(std::string name, std::vector<std::string>& log) : name_(std::move(name)), log_(log) {}
  void setHandle(StreamHandle& handle) override { handle_ = &handle; }
  HeadersAction onRequestHeaders(http::HeaderMap&, bool end) override {
    note("headers", end);
    if (in_headers) in_headers();
    return headers;
  }
  BodyAction onRequestBody(base::BufferChain& bytes, bool end) override {
    note("body[" + bytes.toString() + "]", end);
    if (in_body) in_body(bytes, end);
    return body;
  }
  TrailersAction onRequestTrailers(http::HeaderMap&) override {
    log_.push_back(name_ + " trailers");
    return trailers;
  }
  HeadersAction onResponseHeaders(http::HeaderMap& map, bool end) override {
    note("response " + std::string(map.getOr(http::HeaderId::Status, "")), end);
    if (in_response) in_response();
    return response_headers;
  }
  BodyAction onResponseBody(base::BufferChain& bytes, bool end) override {
    note("response body[" + bytes.toString() + "]", end);
    if (in_response_body) in_response_body(bytes, end);
    return response_body;
  }
  TrailersAction onResponseTrailers(http::HeaderMap&) override {
    log_.push_back(name_ + " response trailers");
    return TrailersAction::Continue;
  }
  void onRequestMetadata(http::Metadata& metadata) override {
    log_.push_back(name_ + " metadata " + metadata.fields().begin()->first);
    if (in_metadata) in_metadata();
  }
  void onResponseMetadata(http::Metadata& metadata) override {
    log_.push_back(name_ + " response metadata " + metadata.fields().begin()->first);
    if (in_response_metadata) in_response_metadata();
  }
  void onLog() override { log_.push_back(name_ + " log"); }
  void onDestroy() override { log_.push_back(name_ + " destroy"); }

  StreamHandle& handle() { return *handle_; }
  HeadersAction headers = HeadersAction::Continue;
  BodyAction body = BodyAction::Continue;
  TrailersAction trailers = TrailersAction::Continue;
  HeadersAction response_headers = HeadersAction::Continue;
  BodyAction response_body = BodyAction::Continue;
  std::function<void()> in_metadata;
  std::function<void()> in_response_metadata;
  std::function<void()> in_headers;
  std::function<void()> in_response;
  std::function<void(base::BufferChain&, bool)> in_response_body;
  std::function<void(base::BufferChain&, bool)> in_body;

 private:
  void note(const std::string& what, bool end) { log_.push_back(name_ + " " + what + (end ? " end" : "")); }
  std::string name_;
  std::vector<std::string>& log_;
  StreamHandle* handle_ = nullptr;
};

// Makes them: prepare is told each as it is made, and which it is.
class ScriptedFactory final : public FilterFactory {
 public:
  ScriptedFactory(std::string name, std::vector<std::string>& log) : name_(std::move(name)), log_(log) {}
  std::unique_ptr<Filter> create() override {
    auto filter = std::make_unique<ScriptedFilter>(name_, log_);
    ++made;
    last = filter.get();
    if (prepare) prepare(*filter);
    return filter;
  }
  const std::string& name() const override { return name_; }

  std::function<void(ScriptedFilter&)> prepare;
  ScriptedFilter* last = nullptr;
  size_t made = 0;

 private:
  std::string name_;
  std::vector<std::string>& log_;
};

}  // namespace weir::filter
