// Connecting is a success already, unless there are bytes to send and to wait for.
#include "upstream/health_probe.h"

namespace weir::upstream {
namespace {

// More than any sensible answer to a check; what comes before it is not kept.
constexpr size_t kMaxAnswer = 64 * 1024;

class TcpProbe final : public HealthProbe, private net::ByteStream::Receiver {
 public:
  explicit TcpProbe(const ProbeParts& parts) : parts_(parts) {}
  ~TcpProbe() override { cancel(); }

  void check() override {
    received_.clear();
    waiting_ = true;
    if (stream_ != nullptr) return send();
    stream_ = parts_.connector.connectTo(*parts_.target, {.check = true}, parts_.check.timeout);
    stream_->start(*this);
  }
  void cancel() override {
    waiting_ = false;
    close();
  }

 private:
  void onConnected() override { send(); }
  void onBytes(base::BufferChain& bytes) override {
    received_ += bytes.toString();
    bytes.clear();
    if (!waiting_) return;
    if (complete()) return finish(CheckResult::Kind::Success);
    if (received_.size() > kMaxAnswer) finish(CheckResult::Kind::NetworkFailure);
  }
  void onEnd() override { lost(); }
  void onClosed(const base::Error&) override { lost(); }

  void send() {
    if (!parts_.check.send.empty()) {
      base::BufferChain out(parts_.check.send);
      stream_->write(out);
    }
    if (parts_.check.receive.empty() && waiting_) finish(CheckResult::Kind::Success);
  }

  // All pieces, in their order, with anything between them.
  bool complete() const {
    size_t from = 0;
    for (const std::string& piece : parts_.check.receive) {
      const size_t at = received_.find(piece, from);
      if (at == std::string::npos) return false;
      from = at + piece.size();
    }
    return true;
  }

  void lost() {
    close();
    if (waiting_) finish(CheckResult::Kind::NetworkFailure);
  }

  void finish(CheckResult::Kind kind) {
    waiting_ = false;
    if (!parts_.check.reuse_connection || kind != CheckResult::Kind::Success || parts_.check.receive.empty()) close();
    parts_.owner.onChecked({.kind = kind});
  }

  void close() {
    if (stream_ == nullptr) return;
    stream_->close(net::ByteStream::Close::Now);
    // Callers stand in it.
    parts_.loop.destroyLater(std::make_unique<Last>(std::move(stream_)));
  }

  struct Last final : event::Deferred {
    explicit Last(std::unique_ptr<net::ByteStream> stream) : stream(std::move(stream)) {}
    std::unique_ptr<net::ByteStream> stream;
  };

  const ProbeParts parts_;
  std::unique_ptr<net::ByteStream> stream_;
  std::string received_;
  bool waiting_ = false;
};

}  // namespace

std::unique_ptr<HealthProbe> createTcpProbe(const ProbeParts& parts) { return std::make_unique<TcpProbe>(parts); }

}  // namespace weir::upstream
