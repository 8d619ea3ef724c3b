// HTTP/2 (RFC 9113) in both roles, by nghttp2, which only this folder sees.
//
// Messages look as http/codec.h says. As Envoy: the parts of a split cookie are joined, Host stands in for a missing
// ":authority" and is dropped beside one, a DATA frame is one onBody() whose end_stream is the frame's, and an extended
// CONNECT (RFC 8441) looks like the upgrade of HTTP/1 that it stands for, its 200 like 101, and the reverse for
// requests sent. Fields that only HTTP/1 knows (connection, transfer-encoding, keep-alive, proxy-connection, upgrade)
// are not written, nor names and values that may not stand on the wire.
//
// Flow control goes from end to end. A paused stream gives its peer no more window, so that at most the stream's window
// waits here; a server's connection window is given back with the streams', a client's at once, because a client's
// streams belong to many and must not stop each other. Sending, a stream tells onSendBlocked() as settings.h says.
//
// A message that breaks the rules of RFC 9113 8 resets its stream: its receiver hears onReset(ProtocolError), with
// Envoy's words. A request over a header limit is reset too, as Envoy does.
#pragma once

#include <memory>
#include <string_view>

#include "base/clock.h"
#include "http/codec.h"
#include "http2/settings.h"
#include "http2/stats.h"

namespace weir::http2 {

// The first bytes of a client's connection. RFC 9113 3.4.
inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// Whoever owns a codec's connection. Called from within the codec: must not destroy it.
class Owner {
 public:
  // The codec has something to do that must not be done further down the stack: call receive(), for which nothing new
  // need have come, at the end of this turn.
  virtual void onWorkWaiting() = 0;
  // A ping of ours was answered.
  virtual void onPingAnswered() {}
  // Client side: a stream is over, however it ended; before its receiver hears of it. The codec's state is settled.
  virtual void onStreamOver() {}
  // The same, of one that was reset, before onStreamOver(): by the peer (RemoteReset, RefusedStream), by us
  // (LocalReset, ProtocolError), or with its connection.
  virtual void onStreamReset(http::ResetReason reason) { (void)reason; }
  // Client side: the peer asks us to go (GOAWAY): available() and reusable() are false from now on. The code says why;
  // 0: nothing is wrong, and streams that it does not refuse will be answered.
  virtual void onGoAway(uint32_t code) { (void)code; }

 protected:
  ~Owner() = default;
};

class ServerCodec : public http::ServerCodec {
 public:
  virtual void ping() = 0;
};

class ClientCodec : public http::ClientCodec {
 public:
  virtual void ping() = 0;
  // How many streams it can have at a time, by what is known of the peer.
  virtual uint32_t capacity() const = 0;
};

// drain() tells the client to go with a first GOAWAY that refuses nothing, and with the final one when the client has
// answered a ping that was sent behind it; what it sent before is served. finished() holds when the streams are over
// then. receive() fails if the connection must end; GOAWAY with the reason has been put on the wire.
std::unique_ptr<ServerCodec> createServerCodec(http::Wire& wire, http::ServerCodec::Events& events, Owner& owner,
                                               const Settings& settings, Stats& stats, const base::Clock& clock);

// The preface goes out at once. newStream() may be called while available().
std::unique_ptr<ClientCodec> createClientCodec(http::Wire& wire, Owner& owner, const Settings& settings, Stats& stats,
                                               const base::Clock& clock);

}  // namespace weir::http2
