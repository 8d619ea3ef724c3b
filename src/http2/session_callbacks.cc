// nghttp2's callbacks, and how the library is set up. They find the session and the stream, and call it.
#include <cstring>

#include "base/check.h"
#include "http2/recycled_memory.h"
#include "http2/session.h"

namespace weir::http2 {

struct Session::Callbacks {
  static Session& of(void* user) { return *static_cast<Session*>(user); }
  static Stream* streamOf(nghttp2_session* library, int32_t id) {
    return static_cast<Stream*>(nghttp2_session_get_stream_user_data(library, id));
  }
  static std::string_view text(const uint8_t* bytes, size_t size) {
    return {reinterpret_cast<const char*>(bytes), size};
  }

  static int onBeginHeaders(nghttp2_session* library, const nghttp2_frame* frame, void* user) {
    Session& session = of(user);
    if (frame->hd.type != NGHTTP2_HEADERS) return 0;
    const int32_t id = frame->hd.stream_id;
    Stream* stream = streamOf(library, id);
    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
      stream = session.onNewRequest(id);
      if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
      nghttp2_session_set_stream_user_data(library, id, stream);
      stream->fields.begin(FieldReader::Kind::Request);
      return 0;
    }
    if (stream == nullptr) {
      session.stats_.headers_cb_no_stream.add();
      return 0;
    }
    const bool trailers = session.role_ == Role::Server || stream->head_received;
    stream->fields.begin(trailers ? FieldReader::Kind::Trailers : FieldReader::Kind::Response);
    return 0;
  }

  static int onBeginFrame(nghttp2_session* library, const nghttp2_frame_hd* header, void* user) {
    if (header->type == NGHTTP2_HEADERS && streamOf(library, header->stream_id) == nullptr)
      of(user).onFrameOfClosedStream(header->stream_id);
    return 0;
  }

  static int onHeader(nghttp2_session* library, const nghttp2_frame* frame, const uint8_t* name, size_t name_size,
                      const uint8_t* value, size_t value_size, uint8_t, void* user) {
    Stream* stream = streamOf(library, frame->hd.stream_id);
    if (stream == nullptr || frame->hd.type != NGHTTP2_HEADERS) return 0;
    return of(user).onField(*stream, text(name, name_size), text(value, value_size));
  }

  static int onInvalidHeader(nghttp2_session* library, const nghttp2_frame* frame, const uint8_t*, size_t,
                             const uint8_t*, size_t, uint8_t, void*) {
    if (Stream* stream = streamOf(library, frame->hd.stream_id)) stream->fault = "http2.invalid.header.field";
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;  // Ends the stream with PROTOCOL_ERROR.
  }

  static int onInvalidFrame(nghttp2_session* library, const nghttp2_frame* frame, int code, void* user) {
    Session& session = of(user);
    const bool message = code == NGHTTP2_ERR_HTTP_HEADER || code == NGHTTP2_ERR_HTTP_MESSAGING;
    if (message) session.stats_.rx_messaging_error.add();
    if (code == NGHTTP2_ERR_REFUSED_STREAM) session.onRefused(frame->hd.stream_id);
    Stream* stream = streamOf(library, frame->hd.stream_id);
    if (stream != nullptr && stream->fault.empty()) {
      stream->fault =
          code == NGHTTP2_ERR_HTTP_HEADER ? "http2.invalid.header.field" : "http2.violation.of.messaging.rule";
    }
    if (message && !session.settings_.stream_error_on_invalid_message) {
      session.endConnection({NGHTTP2_PROTOCOL_ERROR, "http2.violation.of.messaging.rule"});
    }
    return 0;
  }

  static int onFrameReceived(nghttp2_session* library, const nghttp2_frame* frame, void* user) {
    Session& session = of(user);
    Stream* stream = frame->hd.stream_id == 0 ? nullptr : streamOf(library, frame->hd.stream_id);
    const bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
        if (stream == nullptr) break;
        stream->bytes_received += frame->hd.length + 9;
        stream->header_bytes_received += frame->hd.length + 9;
        session.onBlock(*stream, ends);
        break;
      case NGHTTP2_DATA:
        if (stream != nullptr) session.onDataFrame(*stream, ends);
        break;
      case NGHTTP2_RST_STREAM:
        if (stream == nullptr) break;  // As Envoy: of a stream that is over, it counts for nothing.
        session.stats_.rx_reset.add();
        stream->reset_by_peer = true;
        break;
      case NGHTTP2_SETTINGS:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) == 0) session.onSettingsReceived();
        break;
      case NGHTTP2_GOAWAY: session.onGoAwayReceived(frame->goaway.error_code); break;
      case NGHTTP2_PING: {
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) == 0) break;
        uint64_t mark = 0;
        std::memcpy(&mark, frame->ping.opaque_data, sizeof(mark));
        session.onPingAnswered(mark);
        break;
      }
      case kMetadataFrame:
        if (stream == nullptr) break;
        stream->bytes_received += frame->hd.length + 9;
        if (session.takesMetadata(*stream)) session.onMetadataFrame(*stream, frame->hd.flags);
        break;
      default: break;
    }
    return 0;
  }

  // Of METADATA, the only type of ours that nghttp2 tells us of.
  static int onExtensionChunk(nghttp2_session* library, const nghttp2_frame_hd* header, const uint8_t* bytes,
                              size_t size, void* user) {
    Session& session = of(user);
    Stream* stream = header->stream_id == 0 ? nullptr : streamOf(library, header->stream_id);
    if (stream != nullptr && session.takesMetadata(*stream)) session.onMetadataPart(*stream, text(bytes, size));
    return 0;
  }

  static int unpackExtension(nghttp2_session*, void** payload, const nghttp2_frame_hd*, void*) {
    *payload = nullptr;
    return 0;
  }

  static ssize_t packExtension(nghttp2_session* library, uint8_t* to, size_t room, const nghttp2_frame* frame,
                               void* user) {
    Stream* stream = streamOf(library, frame->hd.stream_id);
    if (stream == nullptr) return NGHTTP2_ERR_CANCEL;  // It has ended meanwhile.
    return of(user).packMetadata(*stream, to, room);
  }

  static int onDataChunk(nghttp2_session* library, uint8_t, int32_t id, const uint8_t* bytes, size_t size, void* user) {
    Session& session = of(user);
    if (Stream* stream = streamOf(library, id)) {
      session.onData(*stream, text(bytes, size));
    } else {
      nghttp2_session_consume(library, id, size);
    }
    return 0;
  }

  static int onStreamClose(nghttp2_session* library, int32_t id, uint32_t code, void* user) {
    Stream* stream = streamOf(library, id);
    if (stream == nullptr) return 0;
    nghttp2_session_set_stream_user_data(library, id, nullptr);
    of(user).onStreamClosed(*stream, code);
    return 0;
  }

  static ssize_t onSend(nghttp2_session*, const uint8_t* bytes, size_t size, int, void* user) {
    of(user).out_.append(text(bytes, size));
    return static_cast<ssize_t>(size);
  }

  static int onSendData(nghttp2_session*, nghttp2_frame*, const uint8_t* frame_header, size_t size,
                        nghttp2_data_source* source, void* user) {
    of(user).putData(*static_cast<Stream*>(source->ptr), frame_header, size);
    return 0;
  }

  static int onFrameSent(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    of(user).onFrameSent(*frame);
    return 0;
  }

  static ssize_t readBody(nghttp2_session*, int32_t, uint8_t*, size_t room, uint32_t* flags,
                          nghttp2_data_source* source, void* user) {
    return of(user).nextData(*static_cast<Stream*>(source->ptr), room, flags);
  }

  // Made once; immutable.
  static const nghttp2_session_callbacks* table() {
    static nghttp2_session_callbacks* const kTable = [] {
      nghttp2_session_callbacks* table = nullptr;
      CHECK(nghttp2_session_callbacks_new(&table) == 0);
      nghttp2_session_callbacks_set_on_begin_headers_callback(table, onBeginHeaders);
      nghttp2_session_callbacks_set_on_begin_frame_callback(table, onBeginFrame);
      nghttp2_session_callbacks_set_on_header_callback(table, onHeader);
      nghttp2_session_callbacks_set_on_invalid_header_callback(table, onInvalidHeader);
      nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(table, onInvalidFrame);
      nghttp2_session_callbacks_set_on_frame_recv_callback(table, onFrameReceived);
      nghttp2_session_callbacks_set_on_data_chunk_recv_callback(table, onDataChunk);
      nghttp2_session_callbacks_set_on_stream_close_callback(table, onStreamClose);
      nghttp2_session_callbacks_set_send_callback(table, onSend);
      nghttp2_session_callbacks_set_send_data_callback(table, onSendData);
      nghttp2_session_callbacks_set_on_frame_send_callback(table, Callbacks::onFrameSent);
      nghttp2_session_callbacks_set_on_extension_chunk_recv_callback(table, onExtensionChunk);
      nghttp2_session_callbacks_set_unpack_extension_callback(table, unpackExtension);
      nghttp2_session_callbacks_set_pack_extension_callback(table, packExtension);
      return table;
    }();
    return kTable;
  }
};

nghttp2_data_provider Session::bodyOf(Stream& stream) {
  nghttp2_data_provider provider{};
  provider.source.ptr = &stream;
  provider.read_callback = Callbacks::readBody;
  return provider;
}

Session::Session(http::Wire& wire, Owner& owner, const Settings& settings, Stats& stats, const base::Clock& clock,
                 Role role)
    : wire_(wire),
      owner_(owner),
      settings_(settings),
      stats_(stats),
      clock_(clock),
      role_(role),
      meter_(settings_, clock, role == Role::Server) {
  nghttp2_option* options = nullptr;
  CHECK(nghttp2_option_new(&options) == 0);
  nghttp2_option_set_no_auto_window_update(options, 1);
  if (settings_.allow_metadata) nghttp2_option_set_user_recv_extension_type(options, kMetadataFrame);
  nghttp2_option_set_max_deflate_dynamic_table_size(options, settings_.hpack_table_size);
  nghttp2_option_set_max_outbound_ack(options, settings_.max_outbound_control_frames);
  // Judged by FrameMeter and ServerSession, which know more of the connection.
  nghttp2_option_set_max_continuations(options, FrameMeter::kMaxContinuations + settings_.max_headers_kb / 8);
  nghttp2_option_set_stream_reset_rate_limit(options, 100'000, 100'000);
  nghttp2_option_set_peer_max_concurrent_streams(options, settings_.max_concurrent_streams);
  nghttp2_mem memory = recycledMemory();  // Copied by the library.
  const auto make = role == Role::Server ? nghttp2_session_server_new3 : nghttp2_session_client_new3;
  const int made = make(&library_, Callbacks::table(), this, options, &memory);
  CHECK(made == 0);
  nghttp2_option_del(options);

  std::vector<nghttp2_settings_entry> entries{{NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, settings_.hpack_table_size},
                                              {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, settings_.stream_window}};
  if (role == Role::Server) {
    entries.push_back({NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, settings_.max_concurrent_streams});
    if (settings_.allow_connect) entries.push_back({NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1});
  } else {
    entries.push_back({NGHTTP2_SETTINGS_ENABLE_PUSH, 0});
  }
  nghttp2_submit_settings(library_, NGHTTP2_FLAG_NONE, entries.data(), entries.size());
  nghttp2_session_set_local_window_size(library_, NGHTTP2_FLAG_NONE, 0,
                                        static_cast<int32_t>(settings_.connection_window));
}

Session::~Session() {
  for (const auto& stream : streams_) {
    stats_.streams_active.sub();
    stats_.pending_send_bytes.sub(static_cast<int64_t>(stream->out.size()));
  }
  nghttp2_session_del(library_);
}

}  // namespace weir::http2
