// What both roles of a connection share: an nghttp2 session, its streams, and the order in which things happen.
//
// Every entry from outside opens a Work; when the outermost one ends, what has been queued is sent, streams that have
// ended are told so, and blocked senders hear that there is room. So nothing is sent or told from within an nghttp2
// callback but message parts as they are received, and a stream is destroyed only when no function of it runs.
//
// A stream lives from its HEADERS (or newStream()) until nghttp2 has closed it and its receiver was told the end or has
// let go.
#pragma once

#include <nghttp2/nghttp2.h>

#include <memory>
#include <optional>
#include <vector>

#include "http2/codec.h"
#include "http2/frame_backlog.h"
#include "http2/frame_meter.h"
#include "http2/metadata.h"
#include "http2/stream.h"

namespace weir::http2 {

class Session {
 public:
  enum class Role : uint8_t { Server, Client };

  Session(http::Wire& wire, Owner& owner, const Settings& settings, Stats& stats, const base::Clock& clock, Role role);
  virtual ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

 protected:
  friend class Stream;
  struct Callbacks;  // session_callbacks.cc
  friend struct Callbacks;

  class Work {
   public:
    explicit Work(Session& session) : session_(session) { ++session_.depth_; }
    ~Work() { session_.leave(); }
    Work(const Work&) = delete;
    Work& operator=(const Work&) = delete;

   private:
    Session& session_;
  };

  // What a fault ends the connection with.
  struct Fault {
    uint32_t code = 0;
    std::string_view detail;
  };

  // --- Roles
  virtual Stream* onNewRequest(int32_t id) {
    (void)id;
    return nullptr;
  }
  virtual void onHead(Stream& stream, http::HeaderMap& headers, bool end_stream) = 0;
  virtual void onStreamGone(Stream& stream) { (void)stream; }
  virtual void onGoAwayReceived(uint32_t code) { (void)code; }
  virtual void onSettingsReceived() {}
  // GOAWAY was sent or has come: that nothing is left to do is no fault.
  virtual bool leaving() const = 0;
  // More streams than were allowed: nghttp2 has refused this one.
  virtual void onRefused(int32_t id) { (void)id; }
  // HEADERS or DATA for a stream that is not open.
  virtual void onFrameOfClosedStream(int32_t id) { (void)id; }
  virtual void onPingAnswered(uint64_t mark) {
    (void)mark;
    owner_.onPingAnswered();
  }

  // --- Receiving (receiving.cc)
  base::Result<void> feed(base::BufferChain& bytes);
  int onField(Stream& stream, std::string_view name, std::string_view value);
  void onBlock(Stream& stream, bool end_stream);
  void onData(Stream& stream, std::string_view bytes);
  void onDataFrame(Stream& stream, bool end_stream);
  bool takesMetadata(const Stream& stream) const;
  void onMetadataPart(Stream& stream, std::string_view bytes);
  void onMetadataFrame(Stream& stream, uint8_t flags);
  void refuseMetadata(Stream& stream, uint32_t code, std::string_view fault);
  uint64_t maxHeldMetadata() const;
  void deliver(Stream& stream);
  void afterEnd(Stream& stream);
  void deliverWaiting();
  void giveBack(Stream& stream, size_t delivered);
  void dropReceived(Stream& stream);
  void endConnection(Fault fault);
  void countFlood(Flood flood);

  // --- Sending (sending.cc)
  void submitHeaders(Stream& stream, const http::HeaderMap& headers, bool end_stream);
  virtual void submitHead(Stream& stream, const http::HeaderMap& headers, nghttp2_data_provider* body) = 0;
  static nghttp2_data_provider bodyOf(Stream& stream);
  ssize_t nextData(Stream& stream, size_t room, uint32_t* flags);
  void putData(Stream& stream, const uint8_t* frame_header, size_t size);
  void addBody(Stream& stream, base::BufferChain& bytes, bool end_stream);
  void addMetadata(Stream& stream, const http::Metadata& metadata);
  void submitMetadata(Stream& stream);
  ssize_t packMetadata(Stream& stream, uint8_t* to, size_t room);
  void dropUnsentMetadata(Stream& stream);
  void wakeSender(Stream& stream);
  void judgeSender(Stream& stream);
  static void countHeadersSent(Stream& stream, const nghttp2_frame& frame);
  void onFrameSent(const nghttp2_frame& frame);
  void sendQueued();
  bool outboundFlood();

  // --- Streams and the end (session.cc)
  Stream& addStream(int32_t id);
  void onStreamClosed(Stream& stream, uint32_t code);
  void countOver(std::optional<http::ResetReason> reset = {});
  void settle(Stream& stream);
  void remove(Stream& stream);
  void letGo(Stream& stream, http::ResetReason reason);
  void endEarly(Stream& stream);
  void loseAll(std::string_view detail, http::ResetReason reason = http::ResetReason::ConnectionTermination);
  bool ourFault(const Stream& stream) const;
  static bool overLimit(const Stream& stream);
  void leave();
  void ping(uint64_t mark);
  void blockWire() { wire_blocked_ = true; }
  void drainWire();
  bool over() const;

  http::Wire& wire_;
  Owner& owner_;
  const Settings settings_;
  Stats& stats_;
  const base::Clock& clock_;
  const Role role_;
  nghttp2_session* library_ = nullptr;

  std::vector<std::unique_ptr<Stream>> streams_;
  std::vector<std::unique_ptr<Stream>> dead_;  // Until the outermost Work ends.
  std::vector<Stream*> ended_;                 // Closed while sending: to be told.
  size_t told_streams_ = 0;                    // Those with a receiver.
  size_t blocked_streams_ = 0;
  size_t pending_ = 0;  // Bytes of all streams' out.
  size_t held_header_bytes_ = 0;
  const http::Metadata::Held held_metadata_ = std::make_shared<size_t>(0);  // Bytes: see http/metadata.h.
  size_t unsent_metadata_ = 0;                                              // Bytes of all streams' metadata_out.

  FrameMeter meter_;
  FieldWriter writer_;
  MetadataWriter metadata_writer_;
  base::BufferChain out_;  // Frames on their way to the wire.
  uint64_t put_ = 0;       // Bytes given to the wire.
  FrameBacklog all_frames_;
  FrameBacklog control_frames_;
  std::optional<Fault> fault_;
  int depth_ = 0;
  bool more_ = false;       // Something was queued by what leave() told.
  bool receiving_ = false;  // Within nghttp2_session_mem_recv().
  bool sending_ = false;    // Within nghttp2_session_send().
  bool wire_blocked_ = false;
  bool lost_ = false;  // The connection is gone.
};

}  // namespace weir::http2
