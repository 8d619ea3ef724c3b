#include "speakers.h"

#include <cstring>

#include "base/check.h"

namespace weir::bench {
namespace {

// What a browser sends with a GET: half a dozen fields, some 300 bytes.
struct Field {
  std::string_view name;
  std::string_view value;
};
constexpr std::string_view kAuthority = "www.example.com";
constexpr std::string_view kPath = "/api/v1/items?id=42&sort=asc";
constexpr Field kFields[] = {
    {"user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0"},
    {"accept", "text/html,application/xhtml+xml,*/*;q=0.8"},
    {"accept-language", "en-US,en;q=0.5"},
    {"accept-encoding", "gzip, deflate, br"},
    {"x-custom", "some value"},
    {"cookie", "session=0123456789abcdef"},
};
constexpr std::string_view kBody = "hello world\n";
constexpr std::string_view kAnswer =
    "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 12\r\n"
    "date: Sun, 06 Nov 1994 08:49:37 GMT\r\nserver: origin\r\n\r\nhello world\n";

// --- HTTP/1.1

class Http1Client final : public Client {
 public:
  Http1Client() {
    request_ = "GET " + std::string(kPath) + " HTTP/1.1\r\nhost: " + std::string(kAuthority) + "\r\n";
    for (const Field& field : kFields) {
      request_ += std::string(field.name) + ": " + std::string(field.value) + "\r\n";
    }
    request_ += "\r\n";
  }
  std::string_view request() override { return request_; }
  bool answered() override {
    if (!heard().ends_with(kBody)) return false;
    CHECK(heard().starts_with("HTTP/1.1 200 OK\r\n"));
    forget(heard().size());
    return true;
  }

 private:
  std::string request_;
};

// --- HTTP/2: RFC 9113 for the frames, RFC 7541 for the header block.

enum FrameType : uint8_t { kData = 0, kHeaders = 1, kReset = 3, kSettings = 4, kGoAway = 7, kWindowUpdate = 8 };
constexpr uint8_t kEndStream = 1;
constexpr uint8_t kAck = 1;
constexpr uint8_t kEndHeaders = 4;
constexpr size_t kFrameHead = 9;
constexpr size_t kStreamAt = 5;

std::string bigEndian(uint32_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i));
  return text;
}

std::string frame(FrameType type, uint8_t flags, uint32_t stream, std::string_view payload) {
  return bigEndian(static_cast<uint32_t>(payload.size()), 3) + static_cast<char>(type) + static_cast<char>(flags) +
         bigEndian(stream, 4) + std::string(payload);
}

std::string lengthAnd(std::string_view text) {
  CHECK(text.size() < 127);
  return static_cast<char>(text.size()) + std::string(text);
}

// All fields are put in the dynamic table by the first request, as a browser does, and named by number from then on.
std::string firstBlock() {
  constexpr char kMethodGet = '\x82';
  constexpr char kSchemeHttp = '\x86';
  constexpr char kNewAuthority = '\x41';
  constexpr char kNewPath = '\x44';
  constexpr char kNewName = '\x40';
  std::string block{kMethodGet, kSchemeHttp};
  block += kNewAuthority + lengthAnd(kAuthority) + kNewPath + lengthAnd(kPath);
  for (const Field& field : kFields) block += kNewName + lengthAnd(field.name) + lengthAnd(field.value);
  return block;
}

std::string furtherBlock() {
  constexpr size_t kFirstDynamic = 62;
  const size_t made = std::size(kFields) + 2;
  std::string block{'\x82', '\x86'};
  for (size_t i = 0; i < made; ++i) block += static_cast<char>(0x80 | (kFirstDynamic + made - 1 - i));
  return block;
}

class Http2Client final : public Client {
 public:
  std::string_view opening() override { return opening_; }
  std::string_view request() override {
    if (stream_ == 0) {
      stream_ = 1;
      return first_;
    }
    stream_ += 2;
    const uint32_t number = __builtin_bswap32(stream_);
    std::memcpy(further_.data() + kStreamAt, &number, sizeof number);
    return further_;
  }
  bool answered() override {
    bool ended = false;
    while (heard().size() >= kFrameHead) {
      const auto byte = [&](size_t at) { return static_cast<uint8_t>(heard()[at]); };
      const size_t size = byte(0) << 16 | byte(1) << 8 | byte(2);
      if (heard().size() < kFrameHead + size) break;
      CHECK(byte(3) != kGoAway && byte(3) != kReset);
      if (byte(3) == kHeaders) CHECK(byte(kFrameHead) == 0x88);  // :status 200, and the first field.
      ended |= byte(3) == kData && (byte(4) & kEndStream) != 0;
      forget(kFrameHead + size);
    }
    return ended;
  }

 private:
  static constexpr uint32_t kWindow = 0x7fffffff;
  const std::string opening_ = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" +
                               frame(kSettings, 0, 0, bigEndian(4, 2) + bigEndian(1 << 20, 4)) +
                               frame(kWindowUpdate, 0, 0, bigEndian(kWindow - 65535, 4));
  const std::string first_ = frame(kSettings, kAck, 0, "") + frame(kHeaders, kEndStream | kEndHeaders, 1, firstBlock());
  std::string further_ = frame(kHeaders, kEndStream | kEndHeaders, 0, furtherBlock());
  uint32_t stream_ = 0;
};

}  // namespace

void Client::onWritten(const base::BufferChain& bytes) {
  CHECK(size_ + bytes.size() <= heard_.size());
  bytes.copyTo({heard_.data() + size_, bytes.size()}, 0);
  size_ += bytes.size();
}

void Client::forget(size_t bytes) {
  size_ -= bytes;
  std::memmove(heard_.data(), heard_.data() + bytes, size_);
}

std::unique_ptr<Client> http1Client() { return std::make_unique<Http1Client>(); }
std::unique_ptr<Client> http2Client() { return std::make_unique<Http2Client>(); }

// --- The origin

class Origin::End final : public Speaker {
 public:
  explicit End(Origin& origin) : origin_(origin) {}
  void onWritten(const base::BufferChain& bytes) override {
    CHECK(size_ + bytes.size() <= origin_.head_.size());
    bytes.copyTo({origin_.head_.data() + size_, bytes.size()}, 0);
    size_ += bytes.size();
    const std::string_view head(origin_.head_.data(), size_);
    if (!head.ends_with("\r\n\r\n")) return;
    CHECK(head.starts_with("GET "));
    origin_.head_size_ = size_;
    size_ = 0;
    ++origin_.requests_;
    wire->say(kAnswer);
  }
  Wire* wire = nullptr;

 private:
  Origin& origin_;
  size_t size_ = 0;
};

Origin::Origin(event::Loop& loop) : loop_(loop) {}

Origin::~Origin() = default;

std::unique_ptr<net::ByteStream> Origin::connect(const net::Address& to, base::Duration) {
  ends_.push_back(std::make_unique<End>(*this));
  auto wire = std::make_unique<Wire>(loop_, *ends_.back(), *net::Address::parseIp("127.0.0.1", 40000), to);
  wire->beginConnecting();
  ends_.back()->wire = wire.get();
  return wire;
}

}  // namespace weir::bench
