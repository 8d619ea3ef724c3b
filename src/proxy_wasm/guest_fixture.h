// For tests: guests written in the text format, a worker to run them on, and what they log.
//
// A guest's callbacks write lines to the log: (call $event (i32.const 72) a b c) logs "H a b c", 72 being 'H'. Memory
// up to 4096 is the test's, data segments go there; everything that the host allocates lies above 65536.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "base/log.h"
#include "proxy_wasm/plugin.h"
#include "proxy_wasm/worker_plugins.h"

namespace weir::proxy_wasm {

// The text of a guest.
class GuestText {
 public:
  // Adds a callback (or any export); signature as "(param $id i32) (result i32)".
  GuestText& on(std::string name, std::string signature, std::string body) {
    exports_[std::move(name)] = std::move(signature) + " " + std::move(body);
    return *this;
  }
  GuestText& onRequestHeaders(std::string body) {
    return on("proxy_on_request_headers", "(param $id i32) (param $n i32) (param $end i32) (result i32)",
              std::move(body));
  }
  GuestText& onConfigure(std::string body) {
    return on("proxy_on_configure", "(param $id i32) (param $size i32) (result i32)", std::move(body));
  }
  GuestText& data(uint32_t at, std::string_view bytes) {
    std::string text;
    for (const unsigned char c : bytes) text += fmt::format("\\{:02x}", c);
    more_ += fmt::format("(data (i32.const {}) \"{}\")\n", at, text);
    return *this;
  }
  GuestText& more(std::string_view text) {
    more_ += text;
    return *this;
  }
  GuestText& import(std::string_view text) {
    imports_ += text;
    return *this;
  }
  GuestText& marker(std::string name) {
    marker_ = std::move(name);
    return *this;
  }
  GuestText& allocator(std::string body) {
    allocator_ = std::move(body);
    return *this;
  }
  // All stream and life-cycle callbacks, each logging its letter and its arguments.
  GuestText& everything();
  std::string text() const;

 private:
  std::map<std::string, std::string> exports_;
  std::string imports_;
  std::string more_;
  std::string marker_ = "proxy_abi_version_0_2_1";
  std::string allocator_ =
      "(local $at i32) (local.set $at (global.get $top))"
      "(global.set $top (i32.add (global.get $top) (local.get $size))) (local.get $at)";
};

// A stream as a chain would give it to one filter, with what the filter did to it.
class FakeStream final : public filter::StreamHandle {
 public:
  explicit FakeStream(event::Loop& loop) : loop_(loop) { info_.connection = &connection_; }

  event::Loop& loop() override { return loop_; }
  filter::StreamInfo& info() override { return info_; }
  http::HeaderMap* requestHeaders() override { return &request_headers; }
  http::HeaderMap* requestTrailers() override { return &request_trailers; }
  http::HeaderMap* responseHeaders() override { return &response_headers; }
  http::HeaderMap* responseTrailers() override { return &response_trailers; }
  base::BufferChain* requestBuffer() override { return &request_buffer; }
  base::BufferChain* responseBuffer() override { return &response_buffer; }
  void addToRequestBuffer(base::BufferChain& bytes) override { request_buffer.append(bytes); }
  void addToResponseBuffer(base::BufferChain& bytes) override { response_buffer.append(bytes); }
  http::HeaderMap& addRequestTrailers() override { return request_trailers; }
  http::HeaderMap& addResponseTrailers() override { return response_trailers; }
  void continueRequest() override { ++continued_requests; }
  void continueResponse() override { ++continued_responses; }
  void injectResponse(base::BufferChain& bytes, bool end) override {
    injected.push_back(bytes.toString() + (end ? "$" : ""));
  }
  bool responsePaused() const override { return response_paused; }
  void sendLocalReply(filter::LocalReply reply) override { replies.push_back(std::move(reply)); }
  void resetStream() override { ++resets; }
  void clearRouteCache() override { ++cleared_routes; }
  bool gone() const override { return false; }
  size_t bufferLimit() const override { return buffer_limit; }
  size_t configuredBufferLimit() const override { return configured_limit; }
  void setBufferLimit(size_t bytes) override { buffer_limit = bytes; }

  http::HeaderMap request_headers;
  http::HeaderMap request_trailers;
  http::HeaderMap response_headers;
  http::HeaderMap response_trailers;
  base::BufferChain request_buffer;
  base::BufferChain response_buffer;
  std::vector<filter::LocalReply> replies;
  std::vector<std::string> injected;  // With "$" where it was the last.
  bool response_paused = false;
  size_t configured_limit = 1024 * 1024;
  size_t buffer_limit = configured_limit;
  int continued_requests = 0;
  int continued_responses = 0;
  int resets = 0;
  int cleared_routes = 0;
  filter::ConnectionInfo connection_;

 private:
  event::Loop& loop_;
  filter::StreamInfo info_;
};

// A process with one worker. The engine and its modules live as long as the test program.
class PluginTest : public testing::Test {
 protected:
  PluginTest();
  ~PluginTest() override;

  // Another host, before anything is loaded.
  void useHost(PluginHost::Settings settings);
  static PluginSpec spec(const GuestText& guest, std::string name = "plugin");
  // Loads and starts; fails the test if either fails.
  void start(const PluginSpec& spec);
  void start(const GuestText& guest) { start(spec(guest)); }
  base::Result<std::shared_ptr<const LoadedPlugin>> load(const PluginSpec& spec) { return host_->load(spec); }

  // A filter with its stream.
  struct Stream {
    std::unique_ptr<FakeStream> handle;
    std::unique_ptr<filter::Filter> filter;
    filter::HeadersAction requestHeaders(bool end = true) {
      return filter->onRequestHeaders(handle->request_headers, end);
    }
    filter::BodyAction requestBody(std::string_view bytes, bool end) {
      base::BufferChain chain(bytes);
      const filter::BodyAction action = filter->onRequestBody(chain, end);
      left = chain.toString();
      return action;
    }
    filter::HeadersAction responseHeaders(bool end = true) {
      return filter->onResponseHeaders(handle->response_headers, end);
    }
    void finish() {
      filter->onLog();
      filter->onDestroy();
      filter.reset();
    }
    std::string left;  // What a body callback left in its piece.
  };
  Stream stream() { return stream(*factory_); }
  Stream stream(filter::FilterFactory& factory);

  // The lines logged since the last call, without the prefix "wasm log <plugin>: "; lines that are no plugin's in full.
  std::vector<std::string> lines();
  // The same, whole, with the level in front.
  std::vector<std::string> rawLines();

  stats::Store stats_;
  base::ManualClock clock_;
  event::Loop loop_{clock_};
  base::FastRandom random_{1};
  std::unique_ptr<PluginHost> host_;
  std::unique_ptr<WorkerPlugins> worker_;
  std::unique_ptr<filter::FilterFactory> factory_;

 private:
  std::streamoff read_to_ = 0;
};

}  // namespace weir::proxy_wasm
