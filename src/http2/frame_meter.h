// Watches the frames that come in, before nghttp2 sees them, and says when they are a flood: frames that cost us work
// or memory and their sender nothing. RFC 9113 10.5.
//
// A flood is measured against what the connection does: streams opened, DATA frames sent, and for the kinds that a
// connection may well need without either, time. Of a client's frames those of empty payload, PRIORITY and
// WINDOW_UPDATE are judged by Envoy's formulas.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string_view>

#include "base/clock.h"
#include "http2/settings.h"

namespace weir::http2 {

enum class Flood : uint8_t {
  None,
  EmptyFrames,
  Priority,
  WindowUpdate,
  Ping,
  Settings,
  Reset,
  Unknown,
  Metadata,
  Continuation,
  TableSizeUpdates,
};

// A supply of frames that time fills up again.
class Allowance {
 public:
  Allowance(double burst, double per_second) : left_(burst), burst_(burst), per_second_(per_second) {}
  bool take(base::MonotonicTime now);
  void give(double amount) { left_ = left_ + amount > burst_ ? burst_ : left_ + amount; }

 private:
  double left_;
  const double burst_;
  const double per_second_;
  base::MonotonicTime filled_{};
};

class FrameMeter {
 public:
  // Pings beyond one for each DATA frame that was sent; gRPC measures the way by one for each batch of them.
  static constexpr double kPings = 1000, kPingsPerSecond = 50;
  static constexpr double kSettings = 100, kSettingsPerSecond = 1;
  static constexpr double kUnknown = 200, kUnknownPerSecond = 10;
  // METADATA, where it is allowed: and so many more for each HEADERS and each DATA frame that has come.
  static constexpr double kMetadata = 10'000, kMetadataPerSecond = 1'000;
  static constexpr double kMetadataPerHeaders = 10, kMetadataPerData = 1;
  // RST_STREAM frames beyond one for each stream that was opened.
  static constexpr uint64_t kSpareResets = 100;
  // RFC 7541 4.2: two can be needed.
  static constexpr int kMaxTableSizeUpdates = 2;
  // CONTINUATION frames of one block, beyond those that a block at the header limit fills.
  static constexpr uint32_t kMaxContinuations = 8;

  FrameMeter(const Settings& settings, const base::Clock& clock, bool of_client);

  struct Progress {
    Flood flood = Flood::None;
    size_t passed = 0;         // Bytes looked at: all, unless there is a flood, or
    int32_t unknown_data = 0;  // DATA for this stream comes, which is not open.
  };
  // Looks at the next bytes of the connection, however they are split. Stops short of a DATA frame for a stream that
  // is not open as far as is known before the bytes passed have been received; called again it goes on.
  Progress pass(std::string_view bytes, const std::function<bool(int32_t)>& is_open);
  void onDataSent();

 private:
  int32_t streamId(char last) const;
  bool unknownData(char last, const std::function<bool(int32_t)>& is_open);
  Flood onFrame();
  Flood onBlockFrame(uint8_t type, uint8_t flags, uint32_t length);
  Flood countEmpty(bool empty);
  Flood onPadding(uint8_t length);
  Flood lookAtBlock(std::string_view payload);
  bool tooManyContinuations(uint32_t length);

  const Settings& settings_;
  const base::Clock& clock_;
  const bool of_client_;
  uint32_t preface_left_;
  std::array<uint8_t, 9> header_{};
  uint32_t header_size_ = 0;
  uint32_t payload_left_ = 0;
  bool padding_comes_ = false;  // The next byte is the padding length of a DATA frame that does not end its stream.
  bool data_checked_ = false;   // Stopped before this frame's last header byte.

  // The header block being received.
  uint32_t skip_ = 0;  // Padding length and priority before it.
  bool in_prelude_ = false;
  bool in_update_ = false;  // Within the number of a table size update.
  int updates_ = 0;
  uint32_t continuations_ = 0;
  uint64_t block_bytes_ = 0;

  uint64_t streams_ = 0;
  uint64_t data_sent_ = 0;
  uint64_t resets_ = 0;
  uint64_t priorities_ = 0;
  uint64_t window_updates_ = 0;
  uint32_t empty_ = 0;
  Allowance pings_{kPings, kPingsPerSecond};
  Allowance settings_frames_{kSettings, kSettingsPerSecond};
  Allowance unknown_{kUnknown, kUnknownPerSecond};
  Allowance metadata_{kMetadata, kMetadataPerSecond};
};

}  // namespace weir::http2
