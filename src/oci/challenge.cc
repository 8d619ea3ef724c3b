#include "oci/challenge.h"

#include <fmt/format.h>

#include <algorithm>

#include "oci/json.h"

namespace weir::oci {
namespace {

constexpr std::string_view kBlanks = " \t";

bool isTokenCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool equalsIgnoringCase(std::string_view a, std::string_view small) {
  return std::ranges::equal(a, small, [](char x, char y) { return (x >= 'A' && x <= 'Z' ? x + 32 : x) == y; });
}

// Reads the field from left to right; where it is malformed, the rest is left alone.
class Reader {
 public:
  explicit Reader(std::string_view field) : rest_(field) {}

  Challenge best() {
    Challenge best, current;
    while (true) {
      skip(" \t,");
      const std::string_view word = token();
      if (word.empty()) break;
      skip(kBlanks);
      if (!rest_.starts_with('=')) {  // A scheme: what came before is complete.
        keepBetter(best, current);
        current = Challenge();
        current.scheme = schemeOf(word);
        continue;
      }
      rest_.remove_prefix(1);
      skip(kBlanks);
      set(current, word, value());
    }
    keepBetter(best, current);
    return best;
  }

 private:
  static Challenge::Scheme schemeOf(std::string_view word) {
    if (equalsIgnoringCase(word, "bearer")) return Challenge::Scheme::Bearer;
    return equalsIgnoringCase(word, "basic") ? Challenge::Scheme::Basic : Challenge::Scheme::Unknown;
  }

  static void keepBetter(Challenge& best, const Challenge& other) {
    if (other.scheme > best.scheme) best = other;
  }

  static void set(Challenge& challenge, std::string_view name, std::string value) {
    if (equalsIgnoringCase(name, "realm")) challenge.realm = std::move(value);
    if (equalsIgnoringCase(name, "service")) challenge.service = std::move(value);
    if (equalsIgnoringCase(name, "scope")) challenge.scope = std::move(value);
  }

  void skip(std::string_view characters) {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(characters), rest_.size()));
  }

  std::string_view token() {
    const auto end = std::ranges::find_if_not(rest_, isTokenCharacter);
    const std::string_view found = rest_.substr(0, static_cast<size_t>(end - rest_.begin()));
    rest_.remove_prefix(found.size());
    return found;
  }

  std::string value() {
    if (!rest_.starts_with('"')) return std::string(token());
    std::string text;
    for (size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        rest_.remove_prefix(i + 1);
        return text;
      }
      if (rest_[i] == '\\' && i + 1 < rest_.size()) ++i;
      text += rest_[i];
    }
    rest_ = {};  // Without an end.
    return "";
  }

  std::string_view rest_;
};

void appendEncoded(std::string_view text, std::string& out) {
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~:/").find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
}

// For a log line.
std::string printable(std::string_view text) {
  constexpr size_t kMost = 200;
  std::string out(text.substr(0, kMost));
  for (char& c : out) {
    if (c < ' ' || c > '~') c = ' ';
  }
  return out;
}

}  // namespace

Challenge readChallenge(std::string_view field) { return Reader(field).best(); }

std::string tokenUri(const Challenge& challenge, const ImageName& image) {
  std::string uri = challenge.realm;
  uri += uri.find('?') == std::string::npos ? '?' : '&';
  uri += "service=";
  appendEncoded(challenge.service, uri);
  uri += "&scope=";
  appendEncoded(challenge.scope.empty() ? "repository:" + image.repository + ":pull" : challenge.scope, uri);
  return uri;
}

base::Result<std::string> readToken(std::string_view json) {
  const auto document = format::readJson(json);
  std::string token = document ? textOf(*document, "token") : "";
  if (document && token.empty()) token = textOf(*document, "access_token");
  const bool visible = std::ranges::all_of(token, [](char c) { return c > ' ' && c <= '~'; });
  if (!token.empty() && visible) return token;
  return base::Error{base::Code::Malformed, base::Side::Upstream, base::Retry::No, "the answer holds no token"};
}

std::string errorWords(int status, std::string_view body) {
  const auto document = format::readJson(body);
  const Json::List* errors = document ? listOf(*document, "errors") : nullptr;
  std::string words;
  if (errors != nullptr && !errors->empty()) {
    words = textOf(errors->front(), "code");
    if (const std::string message = textOf(errors->front(), "message"); !message.empty()) words += ": " + message;
  } else if (!document) {
    words = body.substr(0, body.find_first_of("\r\n"));
  }
  return words.empty() ? fmt::format("status {}", status) : fmt::format("status {} ({})", status, printable(words));
}

}  // namespace weir::oci
