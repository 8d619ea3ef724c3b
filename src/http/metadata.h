// What a METADATA frame says: an extension of Envoy's to HTTP/2, names and values that a stream's peers tell each other
// beside its message, at any point of it. Nothing is known of them and nothing checked: they may hold any bytes.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace weir::http {

// Moved from hand to hand. Flow control knows nothing of it; so that a peer cannot make us keep any amount, what it has
// told is counted with its connection for as long as it is kept somewhere.
class Metadata {
 public:
  // A field's weight beside its bytes, as RFC 9113 6.5.2 has it for headers.
  static constexpr size_t kFieldOverhead = 32;
  // Bytes that are kept; shared by whoever counts them and all that is counted.
  using Held = std::shared_ptr<size_t>;
  using Fields = std::map<std::string, std::string, std::less<>>;

  Metadata() = default;
  explicit Metadata(Held held) : held_(std::move(held)) {}
  Metadata(Metadata&& other) noexcept
      : fields_(std::move(other.fields_)), held_(std::move(other.held_)), bytes_(std::exchange(other.bytes_, 0)) {}
  Metadata& operator=(Metadata&& other) noexcept {
    std::swap(fields_, other.fields_);
    std::swap(held_, other.held_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Metadata() {
    if (held_ != nullptr) *held_ -= bytes_;
  }
  // Counted like this one.
  Metadata clone() const {
    Metadata copy(held_);
    for (const auto& [name, value] : fields_) copy.add(name, value);
    return copy;
  }

  // As Envoy: of equal names the first counts.
  void add(std::string_view name, std::string_view value) {
    if (fields_.find(name) != fields_.end()) return;
    const size_t more = name.size() + value.size() + kFieldOverhead;
    bytes_ += more;
    if (held_ != nullptr) *held_ += more;
    fields_.emplace(name, value);
  }

  const Fields& fields() const { return fields_; }
  size_t size() const { return fields_.size(); }
  bool empty() const { return fields_.empty(); }
  size_t bytes() const { return bytes_; }

 private:
  Fields fields_;
  Held held_;
  size_t bytes_ = 0;
};

}  // namespace weir::http
