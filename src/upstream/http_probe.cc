// A request whose answer's status says how the endpoint is.
#include <algorithm>

#include "http/status.h"
#include "upstream/check_connection.h"

namespace weir::upstream {
namespace {

using http::HeaderId;
using Kind = CheckResult::Kind;

// Of an answer's body, where it must hold something.
constexpr size_t kMaxBody = 64 * 1024;

bool holds(const std::vector<HealthCheckSpec::StatusRange>& ranges, int status) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [status](const auto& range) { return status >= range.first && status < range.end; });
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool matches(const ServiceNameMatch& match, std::string name) {
  std::string text = match.text;
  if (match.ignore_case) {
    std::transform(name.begin(), name.end(), name.begin(), lower);
    std::transform(text.begin(), text.end(), text.begin(), lower);
  }
  switch (match.how) {
    case ServiceNameMatch::How::Exact: return name == text;
    case ServiceNameMatch::How::Prefix: return name.starts_with(text);
    case ServiceNameMatch::How::Suffix: return name.ends_with(text);
    case ServiceNameMatch::How::Contains: return name.find(text) != std::string::npos;
  }
  return false;
}

class HttpProbe final : public HealthProbe, private CheckConnection::Owner, private http::StreamReceiver {
 public:
  explicit HttpProbe(const ProbeParts& parts) : parts_(parts) {}
  ~HttpProbe() override { cancel(); }

  void check() override {
    waiting_ = true;
    status_ = 0;
    degraded_ = false;
    named_right_ = !parts_.check.service_name;
    body_.clear();
    if (connection_ != nullptr) return send();
    keep_ = parts_.check.reuse_connection;
    connection_ =
        std::make_unique<CheckConnection>(parts_, parts_.check.http2, static_cast<CheckConnection::Owner&>(*this));
    connection_->start();
  }

  void cancel() override {
    waiting_ = false;
    http::Stream* const stream = std::exchange(stream_, nullptr);
    if (stream != nullptr) stream->reset(http::ResetReason::LocalReset);
    drop();
  }

 private:
  // CheckConnection::Owner
  void onCheckConnected() override {
    if (waiting_) send();
  }
  void onCheckConnectionLost() override {
    stream_ = nullptr;
    drop();
    if (waiting_) finish(Kind::NetworkFailure);
  }
  // As Envoy: what is asked is still answered after a GOAWAY without an error; else it has failed.
  void onCheckGoAway(uint32_t code) override {
    keep_ = false;
    if (waiting_ && code == 0) return;
    cutOff();
  }
  // http::StreamReceiver
  void onHeaders(http::HeaderMap& headers, bool) override {
    status_ = http::parseStatus(headers.getOr(HeaderId::Status, "")).value_or(0);
    degraded_ = headers.get("x-envoy-degraded").has_value();
    if (parts_.check.service_name) {
      const std::string name(headers.get("x-envoy-upstream-healthchecked-cluster").value_or(""));
      named_right_ = matches(*parts_.check.service_name, name);
    }
  }
  void onBody(base::BufferChain& bytes, bool) override {
    if (!parts_.check.receive.empty() && body_.size() < kMaxBody) body_ += bytes.toString();
  }
  void onTrailers(http::HeaderMap&) override {}
  // A stream of HTTP/2 that was reset says nothing against its connection.
  void onReset(http::ResetReason, std::string_view) override {
    stream_ = nullptr;
    if (!keep_ || !connection_->codec().reusable()) drop();
    if (waiting_) finish(Kind::NetworkFailure);
  }
  void onComplete() override {
    stream_ = nullptr;
    if (!keep_ || !connection_->codec().reusable()) drop();
    if (waiting_) finish(judge());
  }

  void cutOff() {
    const bool failed = waiting_;
    cancel();
    if (failed) finish(Kind::NetworkFailure);
  }

  void send() {
    http::HeaderMap headers;
    headers.add(HeaderId::Method, parts_.check.method);
    headers.add(HeaderId::Path, parts_.check.path);
    headers.add(HeaderId::Scheme, connection_->scheme());
    headers.add(HeaderId::Authority, parts_.authority);
    headers.add("user-agent", "Envoy/HC");
    addHeaders(parts_.check.headers_to_add, headers);
    for (const std::string& name : parts_.check.headers_to_remove) headers.remove(name);
    if (!parts_.check.send.empty()) headers.set(HeaderId::ContentLength, std::to_string(parts_.check.send.size()));
    if (!connection_->codec().available()) return cutOff();  // The peer allows no stream at all.
    stream_ = &connection_->codec().newStream(*this);
    stream_->sendHeaders(headers, parts_.check.send.empty());
    if (parts_.check.send.empty() || stream_ == nullptr) return;
    base::BufferChain body(parts_.check.send);
    stream_->sendBody(body, true);
  }

  Kind judge() const {
    if (!holds(parts_.check.expected, status_)) {
      return holds(parts_.check.retriable, status_) ? Kind::RetriableFailure : Kind::Failure;
    }
    size_t from = 0;
    for (const std::string& piece : parts_.check.receive) {
      const size_t at = body_.find(piece, from);
      if (at == std::string::npos) return Kind::Failure;
      from = at + piece.size();
    }
    return named_right_ ? Kind::Success : Kind::Failure;
  }

  void finish(Kind kind) {
    waiting_ = false;
    const bool answered = kind == Kind::Success || kind == Kind::Failure;
    parts_.owner.onChecked(
        {.kind = kind,
         .degraded = degraded_ && kind == Kind::Success,
         .name_read = answered && parts_.check.service_name && holds(parts_.check.expected, status_)});
  }

  void drop() { CheckConnection::drop(connection_, parts_.loop); }

  const ProbeParts parts_;
  std::unique_ptr<CheckConnection> connection_;
  http::Stream* stream_ = nullptr;
  bool keep_ = true;  // The connection, for the next check.
  bool waiting_ = false;
  int status_ = 0;
  bool degraded_ = false;
  bool named_right_ = true;
  std::string body_;
};

}  // namespace

std::unique_ptr<HealthProbe> createHttpProbe(const ProbeParts& parts) { return std::make_unique<HttpProbe>(parts); }

}  // namespace weir::upstream
