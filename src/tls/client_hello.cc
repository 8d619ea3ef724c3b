#include "tls/client_hello.h"

#include <algorithm>
#include <optional>

namespace weir::tls {
namespace {

constexpr uint8_t kHandshakeRecord = 22;
constexpr uint8_t kClientHelloMessage = 1;
constexpr size_t kRecordHeader = 5;
constexpr size_t kMessageHeader = 4;
constexpr size_t kLargestRecord = 16 * 1024;

// Takes numbers and vectors off the front; once something was missing, it stays failed.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : rest_(bytes) {}
  bool ok() const { return ok_; }
  bool empty() const { return rest_.empty(); }
  uint32_t number(size_t bytes) {
    uint32_t value = 0;
    for (const char c : take(bytes)) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }
  std::string_view take(size_t count) {
    ok_ = ok_ && count <= rest_.size();
    if (!ok_) return {};
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  // A vector behind its length.
  std::string_view vector(size_t length_bytes) { return take(number(length_bytes)); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

std::vector<uint16_t> numbers(std::string_view bytes) {
  std::vector<uint16_t> out;
  if (bytes.size() % 2 != 0) return out;
  Cursor cursor(bytes);
  while (!cursor.empty()) out.push_back(static_cast<uint16_t>(cursor.number(2)));
  return out;
}

// One length inside another, the inner filling the outer.
std::string_view onlyVector(std::string_view extension, size_t length_bytes) {
  Cursor cursor(extension);
  const std::string_view inner = cursor.vector(length_bytes);
  return cursor.ok() && cursor.empty() ? inner : std::string_view();
}

void readAlpn(std::string_view extension, ClientHello& hello) {
  Cursor names(onlyVector(extension, 2));
  while (names.ok() && !names.empty()) {
    const std::string_view name = names.vector(1);
    if (names.ok() && !name.empty()) hello.alpn.emplace_back(name);
  }
}

void readExtension(uint32_t type, std::string_view body, ClientHello& hello) {
  switch (type) {
    case 0: hello.server_name = readServerName(body); break;
    case 10: hello.groups = readNumberList(body); break;
    case 13: hello.signatures = readNumberList(body); break;
    case 16: readAlpn(body, hello); break;
    case 43: hello.versions = numbers(onlyVector(body, 1)); break;
    default: break;
  }
}

bool readMessage(std::string_view message, ClientHello& hello) {
  Cursor cursor(message);
  hello.legacy_version = static_cast<uint16_t>(cursor.number(2));
  cursor.take(32);   // random
  cursor.vector(1);  // legacy_session_id
  hello.ciphers = numbers(cursor.vector(2));
  cursor.vector(1);  // legacy_compression_methods
  if (!cursor.ok()) return false;
  if (cursor.empty()) return true;  // No extensions at all: TLS 1.2 and before.
  Cursor extensions(cursor.vector(2));
  if (!cursor.ok() || !cursor.empty()) return false;
  while (extensions.ok() && !extensions.empty()) {
    const uint32_t type = extensions.number(2);
    const std::string_view body = extensions.vector(2);
    if (extensions.ok()) readExtension(type, body, hello);
  }
  return extensions.ok();
}

uint32_t byteAt(std::string_view bytes, size_t at) { return static_cast<unsigned char>(bytes[at]); }

// Whether bytes can still become a record that holds a handshake.
bool recordPossible(std::string_view bytes) {
  if (!bytes.empty() && byteAt(bytes, 0) != kHandshakeRecord) return false;
  return bytes.size() < 2 || byteAt(bytes, 1) == 3;
}

// The message out of its records. NeedMore with what there is of it.
HelloOutcome joinRecords(std::string_view bytes, std::string& message) {
  while (true) {
    if (!recordPossible(bytes)) return HelloOutcome::NotTls;
    if (bytes.size() < kRecordHeader) return HelloOutcome::NeedMore;
    const size_t length = byteAt(bytes, 3) << 8 | byteAt(bytes, 4);
    if (length == 0 || length > kLargestRecord) return HelloOutcome::NotTls;
    message += bytes.substr(kRecordHeader, length);
    if (message.empty()) return HelloOutcome::NeedMore;
    if (byteAt(message, 0) != kClientHelloMessage) return HelloOutcome::NotTls;
    if (message.size() >= kMessageHeader) {
      const size_t wanted = kMessageHeader + (byteAt(message, 1) << 16 | byteAt(message, 2) << 8 | byteAt(message, 3));
      if (wanted > kLargestClientHello) return HelloOutcome::TooLarge;
      if (message.size() >= wanted) {
        message.resize(wanted);
        return HelloOutcome::Found;
      }
    }
    if (bytes.size() < kRecordHeader + length) return HelloOutcome::NeedMore;
    bytes.remove_prefix(kRecordHeader + length);
  }
}

}  // namespace

std::vector<uint16_t> readNumberList(std::string_view extension) { return numbers(onlyVector(extension, 2)); }

std::string readServerName(std::string_view extension) {
  Cursor names(onlyVector(extension, 2));
  const uint32_t type = names.number(1);
  const std::string_view name = names.vector(2);
  // RFC 6066 3: host_name is the only type there is; the name holds no NUL (it would end early in some readers).
  if (!names.ok() || type != 0 || name.find('\0') != std::string_view::npos) return {};
  std::string lower(name);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

HelloOutcome readClientHello(std::string_view bytes, ClientHello& hello) {
  std::string message;
  const HelloOutcome outcome = joinRecords(bytes.substr(0, 2 * kLargestClientHello), message);
  // One-byte records make a message six times as long; what has not ended by then never will.
  if (outcome == HelloOutcome::NeedMore && bytes.size() >= 2 * kLargestClientHello) return HelloOutcome::TooLarge;
  if (outcome != HelloOutcome::Found) return outcome;
  hello = {};
  return readMessage(std::string_view(message).substr(kMessageHeader), hello) ? HelloOutcome::Found
                                                                              : HelloOutcome::NotTls;
}

}  // namespace weir::tls
