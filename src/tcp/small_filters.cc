#include "tcp/small_filters.h"

#include <functional>

namespace weir::tcp {
namespace {

class Factory final : public FilterFactory {
 public:
  explicit Factory(std::function<std::unique_ptr<Filter>()> make) : make_(std::move(make)) {}
  std::unique_ptr<Filter> create() override { return make_(); }

 private:
  const std::function<std::unique_ptr<Filter>()> make_;
};

class Echo final : public Filter {
 public:
  void setHandle(ConnectionHandle& handle) override { client_ = &handle; }
  Pass onNewConnection() override { return Pass::Continue; }
  Pass onData(base::BufferChain& bytes, bool end) override {
    client_->write(bytes, end);
    return Pass::Stop;
  }
  // What is sent back waits here as long as the client does not read; it must not send more meanwhile.
  void onBlocked() override { client_->pauseReading(); }
  void onDrained() override { client_->resumeReading(); }

 private:
  ConnectionHandle* client_ = nullptr;
};

class DirectResponse final : public Filter {
 public:
  explicit DirectResponse(const std::string& response) : response_(response) {}
  void setHandle(ConnectionHandle& handle) override { client_ = &handle; }
  Pass onNewConnection() override {
    client_->info().response_code_details = "direct_response";
    base::BufferChain bytes(response_);
    client_->write(bytes, true);
    client_->close(net::ByteStream::Close::Flush);
    return Pass::Stop;
  }
  Pass onData(base::BufferChain& bytes, bool /*end*/) override {
    bytes.clear();
    return Pass::Stop;
  }

 private:
  const std::string& response_;
  ConnectionHandle* client_ = nullptr;
};

class SniCluster final : public Filter {
 public:
  void setHandle(ConnectionHandle& handle) override { client_ = &handle; }
  Pass onNewConnection() override {
    filter::StreamInfo& info = client_->info();
    const std::string& name = info.connection->requested_server_name;
    if (!name.empty()) info.keepFilterState("envoy.tcp_proxy.cluster", name);
    return Pass::Continue;
  }
  Pass onData(base::BufferChain& /*bytes*/, bool /*end*/) override { return Pass::Continue; }

 private:
  ConnectionHandle* client_ = nullptr;
};

}  // namespace

std::unique_ptr<FilterFactory> echo() {
  return std::make_unique<Factory>([] { return std::make_unique<Echo>(); });
}

std::unique_ptr<FilterFactory> directResponse(const DirectResponseSpec& spec) {
  return std::make_unique<Factory>([response = std::make_shared<const std::string>(spec.response)] {
    return std::make_unique<DirectResponse>(*response);
  });
}

std::unique_ptr<FilterFactory> sniCluster() {
  return std::make_unique<Factory>([] { return std::make_unique<SniCluster>(); });
}

}  // namespace weir::tcp
