// The connections of a worker's listener whose TLS handshake is under way.
//
// Nothing above them exists yet: the network filters are made when the handshake is complete. Each has until its
// timeout. Belongs to the worker's thread.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>

#include "event/loop.h"
#include "event/timer.h"
#include "filter/stream_info.h"
#include "net/byte_stream.h"
#include "tls/live.h"
#include "tls/stream.h"

namespace weir::server {

class Handshakes {
 public:
  // Where transport_socket_connect_timeout is not configured. Envoy has none then, and keeps a silent client for ever.
  static constexpr base::Duration kDefaultTimeout = std::chrono::seconds(10);

  enum class End : uint8_t { Done, Failed, Timeout };
  // Told once, not within begin(). stream is null unless Done; info has what TLS has settled.
  using OnEnd = std::function<void(End end, std::unique_ptr<net::ByteStream> stream, filter::ConnectionInfo info)>;

  explicit Handshakes(event::Loop& loop);
  ~Handshakes();

  // timeout: zero is none.
  void begin(tls::LiveServer& tls, base::Duration timeout, std::unique_ptr<net::ByteStream> stream,
             filter::ConnectionInfo info, OnEnd on_end);
  // Ends all; each is told Failed.
  void closeAll();
  size_t size() const { return pending_.size(); }

 private:
  class Pending;
  void finish(Pending& pending, End end);

  event::Loop& loop_;
  std::unordered_map<Pending*, std::unique_ptr<Pending>> pending_;
};

}  // namespace weir::server
