// The headers or trailers of one message, in order, as plugins and routes see them: names in lower case, pseudo headers
// (":method", ":path", ":scheme", ":authority", ":status") as ordinary entries that come first.
//
// One flat array of entries over one arena of bytes. Well-known names carry an id, so that looking one up compares no
// strings. Removing leaves the others in order. Views returned stay valid until the map is destroyed, assigned to or
// cleared, also across other changes: the arena only grows (see footprint()). Not thread-safe. Movable, not copyable
// (see clone()). Arena and array come from a per-thread pool, so that a usual message costs no allocation.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/name_set.h"

namespace weir::http {

// Names the proxy itself reads or writes. Keep kWellKnownNames in header_map.cc in step.
enum class HeaderId : uint8_t {
  Unknown = 0,
  Method,
  Path,
  Scheme,
  Authority,
  Status,
  Protocol,  // Pseudo headers; they sort first on the wire of HTTP/2.
  Accept,
  AcceptEncoding,
  Connection,
  ContentLength,
  ContentType,
  Cookie,
  Date,
  Expect,
  GrpcMessage,
  GrpcStatus,
  Host,
  Http2Settings,
  KeepAlive,
  Location,
  Origin,
  ProxyConnection,
  Referer,
  RequestId,
  Server,
  Te,
  Trailer,
  TransferEncoding,
  Upgrade,
  UserAgent,
  Via,
  ForwardedFor,
  ForwardedProto,
  ForwardedHost,
  ForwardedPort,
  EnvoyInternal,
  EnvoyExternalAddress,
  EnvoyExpectedRqTimeoutMs,
  EnvoyUpstreamRqTimeoutMs,
  EnvoyUpstreamServiceTime,
  EnvoyOriginalPath,
  EnvoyAttemptCount,
  EnvoyDecoratorOperation,
  EnvoyRetryOn,
  EnvoyMaxRetries,
  EnvoyOverloaded,
  EnvoyDownstreamServiceCluster,
  EnvoyDownstreamServiceNode,
  Traceparent,
  GrpcTimeout,
  EnvoyUpstreamRqPerTryTimeoutMs,
  EnvoyUpstreamRqTimeoutAltResponse,
  EnvoyRetryGrpcOn,
  kCount,
};

std::string_view wellKnownName(HeaderId id);
// For any case of letters; Unknown if it is none of ours. One switch on length and a compare: no allocation.
HeaderId wellKnownId(std::string_view name);
inline bool isPseudo(std::string_view name) { return !name.empty() && name.front() == ':'; }

class HeaderMap {
 public:
  struct Entry {
    std::string_view name;  // Lower case.
    std::string_view value;
    HeaderId id = HeaderId::Unknown;
    // Name and value are known to be valid on the wire: a codec parsed them. Codecs check the others before they write.
    bool checked = false;
  };

  HeaderMap();
  ~HeaderMap();
  HeaderMap(HeaderMap&&) noexcept;
  HeaderMap& operator=(HeaderMap&&) noexcept;
  HeaderMap(const HeaderMap&) = delete;
  HeaderMap& operator=(const HeaderMap&) = delete;
  HeaderMap clone() const;

  // Appends an entry; the name is stored in lower case. A pseudo header goes behind the last pseudo header instead.
  // No validity check: see validName() and validValue().
  void add(std::string_view name, std::string_view value);
  void add(HeaderId id, std::string_view value);
  // As Envoy's setCopy: every entry of that name goes, and one with the value is appended.
  void set(std::string_view name, std::string_view value);
  void set(HeaderId id, std::string_view value);
  // The same with a value that is known to be valid on the wire (see Entry::checked).
  void addChecked(HeaderId id, std::string_view value);
  void setChecked(HeaderId id, std::string_view value);
  // How many entries went.
  size_t remove(std::string_view name);
  size_t remove(HeaderId id);
  void clear();

  // The first value of that name (any case of letters); nullopt if absent, empty view if present and empty.
  std::optional<std::string_view> get(std::string_view name) const;
  std::optional<std::string_view> get(HeaderId id) const;
  std::string_view getOr(HeaderId id, std::string_view otherwise) const { return get(id).value_or(otherwise); }
  bool has(HeaderId id) const;
  // All values of that name joined by ','; storage is used only when there is more than one.
  std::optional<std::string_view> joined(std::string_view name, std::string& storage) const;

  size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  const std::vector<Entry>& entries() const { return entries_; }
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }
  // Sum of name and value lengths.
  size_t bytes() const { return bytes_; }
  // Memory held for names and values, those of removed entries included: what a plugin that keeps on setting headers
  // makes grow. Whoever lets foreign code change headers should stop it at some multiple of the header limit.
  size_t footprint() const;

  // For codecs that have the bytes already in the arena: space that lives as long as the map.
  char* allocate(size_t bytes);
  // name must be lower case and id its id; both views must outlive the map (from allocate() or static), and be valid on
  // the wire: the entry counts as checked.
  void addStored(HeaderId id, std::string_view name, std::string_view value);
  // Puts another value, under the same conditions, in the place of entry number index.
  void replaceStored(size_t index, std::string_view value);

 private:
  struct Arena;
  struct ArenaPool;

  void append(const Entry& entry);
  // Of names that are none of ours.
  void addUnknown(std::string_view name, std::string_view value);
  size_t removeUnknown(std::string_view name);
  std::string_view store(std::string_view bytes);
  std::string_view storeLowerCase(std::string_view bytes);
  template <typename Matches>
  size_t removeIf(Matches matches);
  void takeArena();
  void giveArena();

  std::vector<Entry> entries_;
  size_t bytes_ = 0;
  uint64_t present_ = 0;  // Bit per well-known id that occurs (ids below 64), so that absence costs one test.
  Arena* arena_ = nullptr;
};

// RFC 9110 5.6.2: a token. Pseudo headers are not names in this sense.
bool validName(std::string_view name);
// RFC 9110 5.5: no CR, LF or NUL, no control bytes but tab; obs-text is allowed. No white space at either end.
bool validValue(std::string_view value);
// Whether the entry may be written with this value (its own, or what replaces it). One that came from the wire may.
bool validOnWire(const HeaderMap::Entry& entry, std::string_view value);

}  // namespace weir::http
