// headers: adds, replaces and removes request and response headers, as its configuration says.
//
// One rule a line: request|response add|replace|remove NAME [VALUE]. Empty lines and lines with # first are skipped.

#include "lines.h"
#include "proxy_wasm.h"

namespace guest {
namespace {

enum class Verb { Add, Replace, Remove };

struct Rule {
  Verb verb;
  std::string name;
  std::string value;
};

void apply(const std::vector<Rule>& rules, const Headers& headers) {
  for (const Rule& rule : rules) {
    switch (rule.verb) {
      case Verb::Add: headers.add(rule.name, rule.value); break;
      case Verb::Replace: headers.replace(rule.name, rule.value); break;
      case Verb::Remove: headers.remove(rule.name); break;
    }
  }
}

struct Rules {
  std::vector<Rule> request;
  std::vector<Rule> response;

  bool add(std::string_view line) {
    const std::string_view side = takeWord(line);
    const std::string_view verb = takeWord(line);
    const std::string_view name = takeWord(line);
    if (side != "request" && side != "response") return false;
    if (verb != "add" && verb != "replace" && verb != "remove") return false;
    if (name.empty() || (verb != "remove" && line.empty())) return false;
    const Verb kind = verb == "add" ? Verb::Add : verb == "replace" ? Verb::Replace : Verb::Remove;
    (side == "request" ? request : response).push_back({kind, std::string(name), std::string(line)});
    return true;
  }
};

class HeadersStream : public Stream {
 public:
  explicit HeadersStream(const Rules& rules) : rules_(rules) {}

 private:
  Action onRequestHeaders(bool) override {
    apply(rules_.request, Headers::Request);
    return Action::Continue;
  }

  Action onResponseHeaders(bool) override {
    apply(rules_.response, Headers::Response);
    return Action::Continue;
  }

  const Rules& rules_;
};

class HeadersPlugin : public Plugin {
  // Reads every rule once. A rule that does not parse refuses the whole configuration: half a rule set helps nobody.
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

  std::unique_ptr<Stream> newStream() override { return std::make_unique<HeadersStream>(rules_); }

  Rules rules_;
};

}  // namespace

std::unique_ptr<Plugin> makePlugin() { return std::make_unique<HeadersPlugin>(); }

}  // namespace guest
