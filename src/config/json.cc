// JSON text to Node. RFC 8259, with positions; recursion is bounded by kMaxDepth.
#include <fmt/format.h>

#include "base/utf8.h"
#include "config/document.h"

namespace weir::config {
namespace {

void appendUtf8(uint32_t point, std::string& out) {
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xC0 | (point >> 6));
    out += static_cast<char>(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    out += static_cast<char>(0xE0 | (point >> 12));
    out += static_cast<char>(0x80 | ((point >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (point & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (point >> 18));
    out += static_cast<char>(0x80 | ((point >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((point >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (point & 0x3F));
  }
}

class JsonReader {
 public:
  JsonReader(std::string_view text, uint16_t source, Report& report) : text_(text), source_(source), report_(report) {}

  bool readDocument(Node& out) {
    skipSpace();
    if (atEnd()) return fail("the document is empty");
    if (!readValue(out, 1)) return false;
    skipSpace();
    return atEnd() || fail("expected the end of the document");
  }

 private:
  bool atEnd() const { return at_ >= text_.size(); }
  char peek() const { return atEnd() ? '\0' : text_[at_]; }
  Position here() const { return {source_, line_, static_cast<uint32_t>(at_ - line_start_ + 1)}; }

  bool fail(std::string_view expected, FaultKind kind = FaultKind::Syntax) {
    report_.faultAt(kind, here(), fmt::format("not JSON: {}", expected));
    return false;
  }

  void skipSpace() {
    for (; !atEnd(); ++at_) {
      const char c = text_[at_];
      if (c == '\n') {
        line_++;
        line_start_ = at_ + 1;
      } else if (c != ' ' && c != '\t' && c != '\r') {
        return;
      }
    }
  }

  bool readValue(Node& out, size_t depth) {
    if (depth > kMaxDepth) return fail(fmt::format("nested deeper than {} levels", kMaxDepth), FaultKind::Limit);
    out.position = here();
    switch (peek()) {
      case '{': return readMap(out, depth);
      case '[': return readList(out, depth);
      case '"': out.kind = Node::Kind::String; return readString(out.text);
      case 't': return readWord("true", Node::Kind::Bool, out);
      case 'f': return readWord("false", Node::Kind::Bool, out);
      case 'n': return readWord("null", Node::Kind::Null, out);
      default: return readNumber(out);
    }
  }

  bool readWord(std::string_view word, Node::Kind kind, Node& out) {
    if (text_.substr(at_, word.size()) != word) return fail("expected a value");
    at_ += word.size();
    out.kind = kind;
    if (kind == Node::Kind::Bool) out.text = word;
    return true;
  }

  size_t readDigits() {
    const size_t start = at_;
    while (peek() >= '0' && peek() <= '9') at_++;
    return at_ - start;
  }

  bool readNumber(Node& out) {
    const size_t start = at_;
    if (peek() == '-') at_++;
    const size_t first = at_;
    if (readDigits() == 0) return fail("expected a value");
    if (text_[first] == '0' && at_ - first > 1) return fail("a number begins with 0");
    if (peek() == '.') {
      at_++;
      if (readDigits() == 0) return fail("expected digits after the point");
    }
    if (peek() == 'e' || peek() == 'E') {
      at_++;
      if (peek() == '+' || peek() == '-') at_++;
      if (readDigits() == 0) return fail("expected digits in the exponent");
    }
    out.kind = Node::Kind::Number;
    out.text = text_.substr(start, at_ - start);
    return true;
  }

  bool readList(Node& out, size_t depth) {
    out.kind = Node::Kind::List;
    at_++;
    skipSpace();
    if (peek() == ']') return at_++, true;
    while (true) {
      skipSpace();
      if (!readValue(out.items.emplace_back(), depth + 1)) return false;
      skipSpace();
      if (peek() == ']') return at_++, true;
      if (peek() != ',') return fail("expected ',' or ']'");
      at_++;
    }
  }

  bool readMap(Node& out, size_t depth) {
    out.kind = Node::Kind::Map;
    at_++;
    skipSpace();
    if (peek() == '}') return at_++, true;
    while (true) {
      skipSpace();
      Node::Member& member = out.members.emplace_back();
      member.position = here();
      if (peek() != '"') return fail("expected a key in quotes");
      if (!readString(member.key)) return false;
      skipSpace();
      if (peek() != ':') return fail("expected ':'");
      at_++;
      skipSpace();
      if (!readValue(member.value, depth + 1)) return false;
      skipSpace();
      if (peek() == '}') return at_++, true;
      if (peek() != ',') return fail("expected ',' or '}'");
      at_++;
    }
  }

  bool readString(std::string& out) {
    for (at_++; !atEnd(); at_++) {
      const char c = text_[at_];
      if (c == '"') {
        if (!base::isUtf8(out)) return fail("a string that is not UTF-8");
        return at_++, true;
      }
      if (static_cast<unsigned char>(c) < 0x20) return fail("a control character in a string");
      if (c != '\\') {
        out += c;
        continue;
      }
      at_++;
      if (!readEscape(out)) return false;
    }
    return fail("a string does not end");
  }

  // at_ stands on the character after the backslash, and afterwards on the last one of the escape.
  bool readEscape(std::string& out) {
    static constexpr std::string_view kFrom = "\"\\/bfnrt";
    static constexpr std::string_view kTo = "\"\\/\b\f\n\r\t";
    if (const size_t index = kFrom.find(peek()); !atEnd() && index != std::string_view::npos) {
      out += kTo[index];
      return true;
    }
    uint32_t point = 0;
    if (peek() != 'u' || !readHex(point)) return fail("an unknown escape");
    if (point >= 0xDC00 && point < 0xE000) return fail("half of a surrogate pair");
    if (point >= 0xD800 && point < 0xDC00) {
      uint32_t low = 0;
      at_++;
      if (peek() != '\\') return fail("half of a surrogate pair");
      at_++;
      if (peek() != 'u' || !readHex(low) || low < 0xDC00 || low >= 0xE000) return fail("half of a surrogate pair");
      point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
    }
    appendUtf8(point, out);
    return true;
  }

  bool readHex(uint32_t& out) {
    out = 0;
    for (int i = 0; i < 4; i++) {
      at_++;
      const char c = peek();
      const int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) return false;
      out = out * 16 + static_cast<uint32_t>(digit);
    }
    return true;
  }

  std::string_view text_;
  uint16_t source_;
  Report& report_;
  size_t at_ = 0;
  uint32_t line_ = 1;
  size_t line_start_ = 0;
};

}  // namespace

bool readJson(std::string_view text, uint16_t source, Report& report, Node& out) {
  if (text.size() > kMaxDocumentBytes) {
    report.faultAt(FaultKind::Limit, {source, 0, 0}, fmt::format("larger than {} bytes", kMaxDocumentBytes));
    return false;
  }
  return JsonReader(text, source, report).readDocument(out);
}

}  // namespace weir::config
