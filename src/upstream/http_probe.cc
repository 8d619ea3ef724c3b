// A request whose answer's status says how the endpoint is.
#include <algorithm>

#include "event/lifeline.h"
#include "http/status.h"
#include "http1/codec.h"
#include "upstream/health_probe.h"

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

bool matches(const HealthCheckSpec::NameMatch& match, std::string name) {
  std::string text = match.text;
  if (match.ignore_case) {
    std::transform(name.begin(), name.end(), name.begin(), lower);
    std::transform(text.begin(), text.end(), text.begin(), lower);
  }
  switch (match.how) {
    case HealthCheckSpec::NameMatch::How::Exact: return name == text;
    case HealthCheckSpec::NameMatch::How::Prefix: return name.starts_with(text);
    case HealthCheckSpec::NameMatch::How::Suffix: return name.ends_with(text);
    case HealthCheckSpec::NameMatch::How::Contains: return name.find(text) != std::string::npos;
  }
  return false;
}

// A connection that checks go over, one after the other.
class CheckConnection final : public event::Deferred,
                              private net::ByteStream::Receiver,
                              private http::Wire,
                              private http1::ReadControl {
 public:
  class Owner {
   public:
    virtual void onCheckConnected() = 0;
    // It is closed; streams were told before. To be destroyed later.
    virtual void onCheckConnectionLost() = 0;

   protected:
    ~Owner() = default;
  };

  CheckConnection(const ProbeParts& parts, Owner& owner)
      : owner_(&owner),
        stream_(parts.connector.connectTo(*parts.target, "", parts.check.timeout, false)),
        codec_(http1::createClientCodec(*this, {}, this)) {}

  void start() { stream_->start(*this); }
  http::ClientCodec& codec() { return *codec_; }
  // Nothing is told any more.
  void close() {
    owner_ = nullptr;
    stream_->close(net::ByteStream::Close::Now);
  }

 private:
  void onConnected() override { owner_->onCheckConnected(); }
  void onBytes(base::BufferChain& received) override {
    if (!codec_->receive(received).ok()) lose("");
  }
  void onEnd() override {
    codec_->receiveEnd();
    lose("");
  }
  void onClosed(const base::Error& why) override { lose(why.detail); }
  void send(base::BufferChain& bytes) override { stream_->write(bytes); }
  void onPauseConnection() override { stream_->pauseReading(); }
  void onResumeConnection() override { stream_->resumeReading(); }
  void onStreamOver() override {}

  void lose(std::string_view detail) {
    if (owner_ == nullptr) return;
    codec_->connectionLost(detail);
    if (owner_ == nullptr) return;
    Owner* const owner = owner_;
    close();
    owner->onCheckConnectionLost();
  }

  Owner* owner_;  // Null once closed.
  std::unique_ptr<net::ByteStream> stream_;
  std::unique_ptr<http::ClientCodec> codec_;
};

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
    connection_ = std::make_unique<CheckConnection>(parts_, static_cast<CheckConnection::Owner&>(*this));
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
  void onReset(http::ResetReason, std::string_view) override {
    stream_ = nullptr;
    drop();
    if (waiting_) finish(Kind::NetworkFailure);
  }
  void onComplete() override {
    stream_ = nullptr;
    if (!parts_.check.reuse_connection || !connection_->codec().reusable()) drop();
    if (waiting_) finish(judge());
  }

  void send() {
    http::HeaderMap headers;
    headers.add(HeaderId::Method, parts_.check.method);
    headers.add(HeaderId::Path, parts_.check.path);
    headers.add(HeaderId::Scheme, "http");
    headers.add(HeaderId::Authority, parts_.authority);
    headers.add("user-agent", "Envoy/HC");
    for (const auto& [name, value] : parts_.check.headers_to_add) headers.set(name, value);
    for (const std::string& name : parts_.check.headers_to_remove) headers.remove(name);
    if (!parts_.check.send.empty()) headers.set(HeaderId::ContentLength, std::to_string(parts_.check.send.size()));
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

  // Callers stand in it.
  void drop() {
    if (connection_ == nullptr) return;
    connection_->close();
    parts_.loop.destroyLater(std::move(connection_));
  }

  const ProbeParts parts_;
  std::unique_ptr<CheckConnection> connection_;
  http::Stream* stream_ = nullptr;
  bool waiting_ = false;
  int status_ = 0;
  bool degraded_ = false;
  bool named_right_ = true;
  std::string body_;
};

}  // namespace

std::unique_ptr<HealthProbe> createHttpProbe(const ProbeParts& parts) { return std::make_unique<HttpProbe>(parts); }

}  // namespace weir::upstream
