// auth: asks an authorisation service about each request, and lets it pass or answers in its place.
//
// The configuration is the name of the cluster to ask. No `authorization` header: 401, without asking. The service says
// 200: the request goes on with `x-auth-user`. It fails or does not answer: 503. It says anything else: 403.

#include <cstring>

#include "lines.h"
#include "proxy_wasm.h"

namespace guest {
namespace {

constexpr std::string_view kDecisions = "auth.decisions";
constexpr uint32_t kTimeoutMilliseconds = 1000;

struct Settings {
  std::string cluster;
  uint32_t allowed = 0;
  uint32_t denied = 0;
};

// Another worker may count at the same time: the write is refused if the value changed since it was read.
uint64_t countDecision() {
  while (true) {
    const SharedData old = sharedData(kDecisions).value_or(SharedData());
    uint64_t count = 0;
    if (old.value.size() == sizeof count) std::memcpy(&count, old.value.data(), sizeof count);
    ++count;
    const std::string_view bytes(reinterpret_cast<const char*>(&count), sizeof count);
    if (setSharedData(kDecisions, bytes, old.version) != Status::CasMismatch) return count;
  }
}

class AuthStream : public Stream {
 public:
  explicit AuthStream(const Settings& settings) : settings_(settings) {}

 private:
  Action onRequestHeaders(bool) override {
    const std::string credentials = Headers::Request.get("authorization").value_or("");
    if (credentials.empty()) {
      deny(401, "no credentials\n", {{"www-authenticate", "Bearer"}});
      return Action::Pause;
    }
    const HeaderList question = {
        {":method", "GET"}, {":path", "/auth"}, {":authority", "auth"}, {"authorization", credentials}};
    const Status status =
        call(settings_.cluster, question, kTimeoutMilliseconds, [this](uint32_t headers) { decide(headers); });
    if (status != Status::Ok) {
      error("cannot ask " + settings_.cluster);
      deny(503, "authorisation is not available\n");
    }
    return Action::Pause;  // Until the answer comes.
  }

  void decide(uint32_t headers) {
    // No headers: the proxy could not ask. Out of time, or refused: the proxy answers 504 or 503 in its place.
    const std::string status = headers == 0 ? "503" : Headers::CallResponse.get(":status").value_or("");
    if (status.substr(0, 1) == "5") return deny(503, "authorisation is not available\n");
    if (status != "200") return deny(403, "not allowed\n");
    Headers::Request.replace("x-auth-user", Headers::CallResponse.get("x-auth-user").value_or(""));
    record("allowed", settings_.allowed);
    continueRequest();
  }

  Action onResponseHeaders(bool) override {
    if (decision_ > 0) Headers::Response.replace("x-auth-decision", std::to_string(decision_));
    return Action::Continue;
  }

  void deny(uint32_t code, std::string_view text, const HeaderList& headers = {}) {
    record("denied", settings_.denied);
    reply(code, text, headers);
  }

  // Counts the decision where an operator looks (a metric) and where every worker's plugin can see it (shared data).
  void record(const std::string& verdict, uint32_t metric) {
    incrementMetric(metric, 1);
    decision_ = countDecision();
    info("decision " + std::to_string(decision_) + ": " + verdict + ", path: " + property({"request", "path"}));
  }

  const Settings& settings_;
  uint64_t decision_ = 0;  // How many decisions had been made when this one was; shown to the client.
};

class AuthPlugin : public Plugin {
  bool configure(std::string_view configuration) override {
    settings_.cluster = std::string(takeLine(configuration).value_or(""));
    if (settings_.cluster.empty()) {
      error("the configuration must name the cluster to ask");
      return false;
    }
    const auto allowed = defineCounter("auth_allowed");
    const auto denied = defineCounter("auth_denied");
    if (!allowed || !denied) return false;
    settings_.allowed = *allowed;
    settings_.denied = *denied;
    return true;
  }

  std::unique_ptr<Stream> newStream() override { return std::make_unique<AuthStream>(settings_); }

  Settings settings_;
};

}  // namespace

std::unique_ptr<Plugin> makePlugin() { return std::make_unique<AuthPlugin>(); }

}  // namespace guest
