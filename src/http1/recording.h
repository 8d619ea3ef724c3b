// For tests: an application and a wire that write down, as text, what a codec told them.
#pragma once

#include <string>
#include <vector>

#include "http/codec.h"

namespace weir::http1 {

class RecordingWire final : public http::Wire {
 public:
  void send(base::BufferChain& bytes) override {
    text += bytes.toString();
    bytes.clear();
  }
  std::string text;
};

inline std::string describe(const http::HeaderMap& headers) {
  std::string out;
  for (const auto& entry : headers) out.append(entry.name).append("=").append(entry.value).append(";");
  return out;
}

// Events read like "headers(:authority=h;:path=/;:method=GET;) end". Body parts that follow each other are joined, so
// that the record does not depend on how the input was split.
class RecordingReceiver : public http::StreamReceiver {
 public:
  void onHeaders(http::HeaderMap& headers, bool end_stream) override {
    events.push_back("headers(" + describe(headers) + ")" + (end_stream ? " end" : ""));
  }
  void onBody(base::BufferChain& bytes, bool end_stream) override {
    if (!bytes.empty()) {
      const bool follows = !events.empty() && events.back().starts_with("body(");
      if (!follows) events.push_back("body()");
      events.back().insert(events.back().size() - 1, bytes.toString());
    }
    if (end_stream) events.push_back("end");
  }
  void onTrailers(http::HeaderMap& trailers) override { events.push_back("trailers(" + describe(trailers) + ")"); }
  void onInformational(http::HeaderMap& headers) override {
    events.push_back("informational(" + describe(headers) + ")");
  }
  void onMalformed(int status, const base::Error& why) override {
    malformed_status = status;
    events.push_back("malformed(" + std::to_string(status) + " " + why.detail + ")");
  }
  void onReset(http::ResetReason reason, std::string_view detail) override {
    events.push_back("reset(" + std::string(http::name(reason)) + ", " + std::string(detail) + ")");
  }
  void onComplete() override { events.push_back("complete"); }
  void onSendBlocked() override { events.push_back("blocked"); }
  void onSendDrained() override { events.push_back("drained"); }

  std::string log() const {
    std::string out;
    for (const std::string& event : events) out.append(out.empty() ? "" : " | ").append(event);
    return out;
  }

  std::vector<std::string> events;
  int malformed_status = 0;
};

}  // namespace weir::http1
