// body: reads, replaces, prepends to and appends to request and response bodies, as its configuration says.
//
// One rule a line: request|response prepend|append|replace TEXT. Empty lines and lines with # first are skipped.

#include "lines.h"
#include "proxy_wasm.h"

namespace guest {
namespace {

enum class Verb { Prepend, Append, Replace };

struct Edit {
  Verb verb;
  std::string text;
};

using Edits = std::vector<Edit>;

// The three edits are one call: what stands in [start, start + count) gives way to the text.
Action rewrite(const char* side, const Edits& edits, const Buffer& body, size_t size, bool end_of_stream) {
  if (edits.empty()) return Action::Continue;
  if (!end_of_stream) return Action::Pause;  // The proxy keeps what came so far; the last call sees the whole.
  info(std::string(side) + " body was: " + body.get(0, size));
  for (const Edit& edit : edits) {
    switch (edit.verb) {
      case Verb::Prepend:
        body.set(0, 0, edit.text);
        size += edit.text.size();
        break;
      case Verb::Append:
        body.set(size, 0, edit.text);
        size += edit.text.size();
        break;
      case Verb::Replace:
        body.set(0, size, edit.text);
        size = edit.text.size();
        break;
    }
  }
  return Action::Continue;
}

struct Rules {
  Edits request;
  Edits response;

  bool add(std::string_view line) {
    const std::string_view side = takeWord(line);
    const std::string_view verb = takeWord(line);
    if (side != "request" && side != "response") return false;
    if (verb != "prepend" && verb != "append" && verb != "replace") return false;
    if (line.empty()) return false;
    const Verb kind = verb == "prepend" ? Verb::Prepend : verb == "append" ? Verb::Append : Verb::Replace;
    (side == "request" ? request : response).push_back({kind, std::string(line)});
    return true;
  }
};

class BodyStream : public Stream {
 public:
  explicit BodyStream(const Rules& rules) : rules_(rules) {}

 private:
  // The length is about to change. Without content-length the proxy frames the new body itself; this is the last moment
  // to say so, because headers leave before the body.
  Action onRequestHeaders(bool end_of_stream) override {
    if (!end_of_stream && !rules_.request.empty()) Headers::Request.remove("content-length");
    return Action::Continue;
  }

  Action onRequestBody(size_t size, bool end_of_stream) override {
    return rewrite("request", rules_.request, Buffer::RequestBody, size, end_of_stream);
  }

  Action onResponseHeaders(bool end_of_stream) override {
    if (!end_of_stream && !rules_.response.empty()) Headers::Response.remove("content-length");
    return Action::Continue;
  }

  Action onResponseBody(size_t size, bool end_of_stream) override {
    return rewrite("response", rules_.response, Buffer::ResponseBody, size, end_of_stream);
  }

  const Rules& rules_;
};

class BodyPlugin : public Plugin {
  bool configure(std::string_view configuration) override {
    while (const auto line = takeLine(configuration)) {
      if (line->empty() || line->front() == '#') continue;
      if (!rules_.add(*line)) {
        error("not a rule: " + std::string(*line));
        return false;
      }
    }
    return true;
  }

  std::unique_ptr<Stream> newStream() override { return std::make_unique<BodyStream>(rules_); }

  Rules rules_;
};

}  // namespace

std::unique_ptr<Plugin> makePlugin() { return std::make_unique<BodyPlugin>(); }

}  // namespace guest
