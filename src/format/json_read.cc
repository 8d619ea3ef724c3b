#include "format/json_read.h"

#include <charconv>
#include <cmath>

#include "base/utf8.h"

namespace weir::format {
namespace {

constexpr int kMaxDepth = 16;

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}
  std::optional<JsonSpec> whole() {
    auto value = this->value(0);
    skipBlanks();
    return value && rest_.empty() ? value : std::nullopt;
  }

 private:
  void skipBlanks() {
    const size_t begin = rest_.find_first_not_of(" \t\r\n");
    rest_.remove_prefix(begin == std::string_view::npos ? rest_.size() : begin);
  }
  bool take(std::string_view expected) {
    skipBlanks();
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }
  std::optional<JsonSpec> value(int depth);
  std::optional<JsonSpec> object(int depth);
  std::optional<JsonSpec> list(int depth);
  std::optional<std::string> string();
  std::optional<unsigned> codeUnit();
  bool escape(std::string& out);

  std::string_view rest_;
};

std::optional<JsonSpec> Reader::value(int depth) {
  if (depth > kMaxDepth) return std::nullopt;
  if (take("{")) return object(depth);
  if (take("[")) return list(depth);
  if (take("true")) return JsonSpec{true};
  if (take("false")) return JsonSpec{false};
  if (take("null")) return JsonSpec{};
  if (rest_.starts_with('"')) {
    auto text = string();
    return text ? std::optional(JsonSpec{*std::move(text)}) : std::nullopt;
  }
  double number = 0;
  const auto parsed = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
  if (parsed.ec != std::errc() || !std::isfinite(number)) return std::nullopt;
  rest_.remove_prefix(static_cast<size_t>(parsed.ptr - rest_.data()));
  return JsonSpec{number};
}

std::optional<JsonSpec> Reader::object(int depth) {
  JsonSpec::Object members;
  if (take("}")) return JsonSpec{std::move(members)};
  do {
    skipBlanks();
    auto name = string();
    if (!name || !take(":")) return std::nullopt;
    auto member = value(depth + 1);
    if (!member) return std::nullopt;
    members.push_back({*std::move(name), *std::move(member)});
  } while (take(","));
  return take("}") ? std::optional(JsonSpec{std::move(members)}) : std::nullopt;
}

std::optional<JsonSpec> Reader::list(int depth) {
  JsonSpec::List items;
  if (take("]")) return JsonSpec{std::move(items)};
  do {
    auto item = value(depth + 1);
    if (!item) return std::nullopt;
    items.push_back(*std::move(item));
  } while (take(","));
  return take("]") ? std::optional(JsonSpec{std::move(items)}) : std::nullopt;
}

std::optional<std::string> Reader::string() {
  if (!rest_.starts_with('"')) return std::nullopt;
  rest_.remove_prefix(1);
  std::string out;
  while (!rest_.empty()) {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    if (c == '"') return out;
    if (static_cast<unsigned char>(c) < 0x20) return std::nullopt;
    if (c != '\\') {
      out += c;
    } else if (!escape(out)) {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

// The four digits of an escape.
std::optional<unsigned> Reader::codeUnit() {
  unsigned unit = 0;
  if (rest_.size() < 4 || std::from_chars(rest_.data(), rest_.data() + 4, unit, 16).ptr != rest_.data() + 4) {
    return std::nullopt;
  }
  rest_.remove_prefix(4);
  return unit;
}

// What follows a backslash.
bool Reader::escape(std::string& out) {
  if (rest_.empty()) return false;
  const char c = rest_.front();
  rest_.remove_prefix(1);
  constexpr std::string_view kShort = "\"\\/bfnrt";
  constexpr std::string_view kMeaning = "\"\\/\b\f\n\r\t";
  if (const size_t at = kShort.find(c); at != std::string_view::npos) return out += kMeaning[at], true;
  const auto unit = c == 'u' ? codeUnit() : std::nullopt;
  if (!unit) return false;
  unsigned point = *unit;
  if (point >= 0xd800 && point < 0xe000) {  // RFC 8259 7: two halves make a character.
    if (point >= 0xdc00 || !rest_.starts_with("\\u")) return false;
    rest_.remove_prefix(2);
    const auto low = codeUnit();
    if (!low || *low < 0xdc00 || *low >= 0xe000) return false;
    point = 0x10000 + ((point - 0xd800) << 10) + (*low - 0xdc00);
  }
  return base::appendUtf8(point, out);
}

}  // namespace

std::optional<JsonSpec> readJson(std::string_view text) { return Reader(text).whole(); }

}  // namespace weir::format
