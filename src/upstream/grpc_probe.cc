// A call of grpc.health.v1.Health/Check, whose answer says SERVING or something else. What counts as an answer, and
// what happens to the connection, is as in Envoy.
#include <optional>

#include "http/grpc.h"
#include "upstream/check_connection.h"
#include "upstream/health_message.h"

namespace weir::upstream {
namespace {

using http::HeaderId;
using Kind = CheckResult::Kind;

class GrpcProbe final : public HealthProbe, private CheckConnection::Owner, private http::StreamReceiver {
 public:
  explicit GrpcProbe(const ProbeParts& parts) : parts_(parts) {}
  ~GrpcProbe() override { cancel(); }

  void check() override {
    waiting_ = true;
    answer_ = {};
    verdict_.reset();
    if (connection_ != nullptr) return send();
    keep_ = parts_.check.reuse_connection;
    connection_ = std::make_unique<CheckConnection>(parts_, true, static_cast<CheckConnection::Owner&>(*this));
    connection_->start();
  }

  void cancel() override {
    waiting_ = false;
    resetStream();
    drop();
  }

  // The connection is not to blame, if there is one.
  void expire() override {
    waiting_ = false;
    resetStream();
    if (connection_ != nullptr && !connection_->connected()) keep_ = false;
    dropIfSpent();
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
  void onCheckGoAway(uint32_t code) override {
    keep_ = false;
    if (waiting_ && code == 0) return;
    const bool failed = waiting_;
    cancel();
    if (failed) finish(Kind::NetworkFailure);
  }

  // http::StreamReceiver
  void onHeaders(http::HeaderMap& headers, bool end_stream) override {
    const bool well = headers.getOr(HeaderId::Status, "") == "200";
    if (end_stream) return judge(well, headers);
    if (!well || !http::isGrpc(headers)) fail();
  }
  void onBody(base::BufferChain& bytes, bool end_stream) override {
    if (end_stream) {
      verdict_ = Kind::Failure;
    } else if (!answer_.read(bytes)) {
      fail();
    }
  }
  void onTrailers(http::HeaderMap& trailers) override { judge(true, trailers); }
  void onReset(http::ResetReason, std::string_view) override {
    stream_ = nullptr;
    dropIfSpent();
    if (waiting_) finish(verdict_.value_or(Kind::NetworkFailure));
  }
  void onComplete() override {
    stream_ = nullptr;
    dropIfSpent();
    if (waiting_) finish(verdict_.value_or(Kind::Failure));
  }

  // The status of the call has come.
  void judge(bool well, const http::HeaderMap& fields) {
    const bool called = well && fields.getOr(HeaderId::GrpcStatus, "") == "0";
    verdict_ = called && answer_.serving() ? Kind::Success : Kind::Failure;
  }
  // It will be no good answer, however it goes on.
  void fail() {
    resetStream();
    dropIfSpent();
    finish(Kind::Failure);
  }

  void send() {
    http::HeaderMap headers;
    headers.add(HeaderId::Method, "POST");
    headers.add(HeaderId::Scheme, connection_->scheme());
    headers.add(HeaderId::Path, "/grpc.health.v1.Health/Check");
    headers.add(HeaderId::Authority, parts_.authority);
    headers.add(HeaderId::Te, "trailers");
    headers.add(HeaderId::ContentType, "application/grpc");
    headers.add(HeaderId::UserAgent, "Envoy/HC");
    addHeaders(parts_.check.headers_to_add, headers);
    headers.set(HeaderId::GrpcTimeout, http::grpcTimeout(parts_.check.timeout));
    if (!connection_->codec().available()) return refuse();
    stream_ = &connection_->codec().newStream(*this);
    stream_->sendHeaders(headers, false);
    if (stream_ == nullptr) return;
    base::BufferChain body(healthRequest(parts_.check.grpc_service));
    stream_->sendBody(body, true);
  }

  // The peer allows no stream at all.
  void refuse() {
    drop();
    finish(Kind::NetworkFailure);
  }
  void finish(Kind kind) {
    waiting_ = false;
    parts_.owner.onChecked({.kind = kind});
  }

  void resetStream() {
    http::Stream* const stream = std::exchange(stream_, nullptr);
    if (stream != nullptr) stream->reset(http::ResetReason::LocalReset);
  }
  void dropIfSpent() {
    if (connection_ == nullptr) return;
    if (!keep_ || !connection_->codec().reusable()) drop();
  }
  void drop() { CheckConnection::drop(connection_, parts_.loop); }

  const ProbeParts parts_;
  std::unique_ptr<CheckConnection> connection_;
  http::Stream* stream_ = nullptr;
  bool keep_ = true;  // The connection, for the next check.
  bool waiting_ = false;
  HealthResponseReader answer_;
  std::optional<Kind> verdict_;  // What the answer says, which has ended.
};

}  // namespace

std::unique_ptr<HealthProbe> createGrpcProbe(const ProbeParts& parts) { return std::make_unique<GrpcProbe>(parts); }

}  // namespace weir::upstream
