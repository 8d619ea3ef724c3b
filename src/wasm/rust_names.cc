#include "wasm/rust_names.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <utility>

namespace weir::wasm {
namespace {

constexpr size_t kLongest = 1024;  // Of what comes out.
constexpr int kDeepest = 64;
constexpr int kMostSteps = 4096;  // References back could make a short name a very long one.

// By letter, 'a' to 'z'; RFC 2603, <basic-type>.
constexpr std::array<std::string_view, 26> kBasicTypes = {
    "i8",   "bool", "char", "f64", "str", "f32", "",    "u8", "isize", "usize", "",    "i32", "u32",
    "i128", "u128", "_",    "",    "",    "i16", "u16", "()", "...",   "",      "i64", "u64", "!"};

// Reads by the RFC's grammar, a function for each rule, and writes as it goes. After a fault all is skipped.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::optional<std::string> read() {
    path();
    return failed_ ? std::nullopt : std::optional(std::move(out_));
  }

 private:
  // Counts a step, and how deep it is.
  class Level {
   public:
    explicit Level(Reader& reader) : reader_(reader) {
      if (++reader_.depth_ > kDeepest || ++reader_.steps_ > kMostSteps) reader_.failed_ = true;
    }
    ~Level() { --reader_.depth_; }

   private:
    Reader& reader_;
  };

  char next() {
    if (at_ >= text_.size()) failed_ = true;
    return failed_ ? '\0' : text_[at_++];
  }
  bool take(char wanted) {
    if (failed_ || at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  void put(std::string_view text) {
    if (out_.size() + text.size() > kLongest) failed_ = true;
    if (!failed_) out_ += text;
  }

  // Base 62: "_" is 0, "0_" is 1.
  uint64_t number62() {
    if (take('_')) return 0;
    uint64_t value = 0;
    for (int digits = 0; digits < 12; ++digits) {
      const char c = next();
      if (c == '_') return value + 1;
      value *= 62;
      if (c >= '0' && c <= '9') {
        value += static_cast<uint64_t>(c - '0');
      } else if (c >= 'a' && c <= 'z') {
        value += static_cast<uint64_t>(c - 'a') + 10;
      } else if (c >= 'A' && c <= 'Z') {
        value += static_cast<uint64_t>(c - 'A') + 36;
      } else {
        failed_ = true;
      }
    }
    failed_ = true;
    return 0;
  }
  uint64_t disambiguator() { return take('s') ? number62() + 1 : 0; }

  std::string_view plainIdentifier() {
    take('u');  // Then it is in Punycode, and stays so.
    size_t size = 0;
    if (!take('0')) {  // A number has no zeros in front: the one behind this is another.
      const auto [after, fault] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), size);
      if (failed_ || fault != std::errc()) failed_ = true;
      if (failed_) return {};
      at_ = static_cast<size_t>(after - text_.data());
    }
    take('_');
    if (size > text_.size() - at_) failed_ = true;
    if (failed_) return {};
    at_ += size;
    return text_.substr(at_ - size, size);
  }

  // Goes on reading at an earlier place, and comes back.
  template <typename Rule>
  void back(Rule rule) {
    const size_t here = at_ - 1;
    const uint64_t there = number62();
    if (there >= here) failed_ = true;
    if (failed_) return;
    const size_t after = at_;
    at_ = static_cast<size_t>(there);
    rule();
    at_ = after;
  }

  void path() {
    const Level level(*this);
    switch (next()) {
      case 'C': disambiguator(); return put(plainIdentifier());
      case 'N': return nested();
      case 'M': implPath(); return inAngles([this] { type(); });
      case 'X': implPath(); [[fallthrough]];
      case 'Y': return inAngles([this] { type(), put(" as "), path(); });
      case 'I': return path(), genericArguments();
      case 'B': return back([this] { path(); });
      default: failed_ = true;
    }
  }
  void nested() {
    const char space = next();
    path();
    const uint64_t which = disambiguator();
    const std::string_view name = plainIdentifier();
    if (space >= 'A' && space <= 'Z') {
      const std::string_view kind = space == 'C' ? "closure" : space == 'S' ? "shim" : "special";
      return put(fmt::format("::{{{}{}{}#{}}}", kind, name.empty() ? "" : ":", name, which));
    }
    if (!name.empty()) put("::"), put(name);
  }
  template <typename Rule>
  void inAngles(Rule rule) {
    put("<");
    rule();
    put(">");
  }
  // Where an impl stands is not told.
  void implPath() {
    disambiguator();
    const size_t before = out_.size();
    path();
    if (!failed_) out_.resize(before);
  }

  // Calls rule until the list ends, with commas between what it wrote.
  template <typename Rule>
  void list(Rule rule) {
    bool first = true;
    while (!failed_ && !take('E')) {
      const size_t before = out_.size();
      if (!first) put(", ");
      const size_t begin = out_.size();
      rule();
      if (failed_) return;
      if (out_.size() == begin) {
        out_.resize(before);
      } else {
        first = false;
      }
    }
  }
  void genericArguments() {
    inAngles([this] {
      list([this] {
        const Level level(*this);
        if (take('L')) {
          number62();
        } else if (take('K')) {
          constant();
        } else {
          type();
        }
      });
    });
  }

  void type() {
    const Level level(*this);
    const char c = next();
    if (c >= 'a' && c <= 'z') {
      const std::string_view name = kBasicTypes[static_cast<size_t>(c - 'a')];
      if (name.empty()) failed_ = true;
      return put(name);
    }
    switch (c) {
      case 'A': return put("["), type(), put("; "), constant(), put("]");
      case 'S': return put("["), type(), put("]");
      case 'T': return put("("), list([this] { type(); }), put(")");
      case 'R': return reference("&");
      case 'Q': return reference("&mut ");
      case 'P': return put("*const "), type();
      case 'O': return put("*mut "), type();
      case 'F': return function();
      case 'D': return dynamic();
      case 'B': return back([this] { type(); });
      default: --at_; return path();
    }
  }
  void reference(std::string_view kind) {
    if (take('L')) number62();
    put(kind);
    type();
  }
  void binder() {
    if (take('G')) number62();
  }
  void function() {
    binder();
    if (take('U')) put("unsafe ");
    if (take('K') && !take('C')) plainIdentifier();
    put("fn(");
    list([this] { type(); });
    put(")");
    if (take('u')) return;
    put(" -> ");
    type();
  }
  void dynamic() {
    binder();
    put("dyn ");
    bool first = true;
    while (!failed_ && !take('E')) {
      if (!std::exchange(first, false)) put(" + ");
      const Level level(*this);
      path();
      while (take('p')) put("<"), put(plainIdentifier()), put(" = "), type(), put(">");
    }
    if (take('L')) number62();
  }

  // Integers, bool and char in hexadecimal digits; others have no form.
  void constant() {
    const Level level(*this);
    if (take('p')) return put("_");
    if (take('B')) return back([this] { constant(); });
    next();  // Its type.
    if (take('n')) put("-");
    const size_t begin = at_;
    while (!failed_ && next() != '_') {
    }
    if (failed_) return;
    const std::string_view digits = text_.substr(begin, at_ - 1 - begin);
    uint64_t value = 0;
    const auto [after, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (after != digits.data() + digits.size()) failed_ = true;
    put(fault == std::errc() ? std::to_string(value) : "_");
  }

  const std::string_view text_;  // Without "_R": references count from there.
  size_t at_ = 0;
  int depth_ = 0;
  int steps_ = 0;
  bool failed_ = false;
  std::string out_;
};

}  // namespace

std::optional<std::string> readableRustName(std::string_view mangled) {
  if (!mangled.starts_with("_R")) return std::nullopt;
  return Reader(mangled.substr(2)).read();
}

}  // namespace weir::wasm
