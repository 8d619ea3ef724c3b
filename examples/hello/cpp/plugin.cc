// hello: writes every request header and both bodies to the proxy's log, and changes nothing.

#include "proxy_wasm.h"

namespace guest {
namespace {

// A body arrives in pieces. Pausing makes the proxy keep them, so that the last call sees the whole body.
Action showBody(const Buffer& body, size_t size, bool end_of_stream) {
  info("Body size: " + std::to_string(size));
  info(end_of_stream ? "End of stream: true" : "End of stream: false");
  if (!end_of_stream) return Action::Pause;
  info("BODY CONTENT: " + body.get(0, size));
  return Action::Continue;
}

class HelloStream : public Stream {
  Action onRequestHeaders(bool) override {
    for (const auto& [name, value] : Headers::Request.all()) info(name + ": " + value);
    return Action::Continue;
  }

  Action onRequestBody(size_t size, bool end_of_stream) override {
    info("OnHttpRequestBody");
    return showBody(Buffer::RequestBody, size, end_of_stream);
  }

  Action onResponseBody(size_t size, bool end_of_stream) override {
    info("OnHttpResponseBody");
    return showBody(Buffer::ResponseBody, size, end_of_stream);
  }
};

class HelloPlugin : public Plugin {
  std::unique_ptr<Stream> newStream() override { return std::make_unique<HelloStream>(); }
};

}  // namespace

std::unique_ptr<Plugin> makePlugin() { return std::make_unique<HelloPlugin>(); }

}  // namespace guest
