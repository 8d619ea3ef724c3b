// Operators that take a header, or a part of the request's target.
#include <algorithm>
#include <string>

#include "format/tables.h"
#include "http/characters.h"
#include "http/path.h"

namespace weir::format {
namespace {

using Kind = Operator::Kind;
using Parameter = RowWithParameter::Parameter;
using http::HeaderMap;
using Message = const HeaderMap* Entry::*;

// "X?Y": Y is taken where X is absent.
struct HeaderChoice {
  std::string main;
  std::string alternative;

  static base::Result<HeaderChoice> parse(std::string_view text) {
    const size_t mark = text.find('?');
    if (mark != std::string_view::npos && text.find('?', mark + 1) != std::string_view::npos) {
      return refused("More than 1 alternative header specified in token: " + std::string(text));
    }
    HeaderChoice choice;
    choice.main = text.substr(0, mark);
    if (mark != std::string_view::npos) choice.alternative = text.substr(mark + 1);
    for (std::string* name : {&choice.main, &choice.alternative}) {
      std::transform(name->begin(), name->end(), name->begin(),
                     [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
      const std::string_view bare = std::string_view(*name).substr(name->starts_with(':') ? 1 : 0);
      if (!name->empty() && !http::validName(bare)) return refused("'" + *name + "' is not a header name");
    }
    return choice;
  }

  std::optional<std::string_view> in(const HeaderMap* headers) const {
    if (headers == nullptr) return std::nullopt;
    auto value = headers->get(main);
    if (!value && !alternative.empty()) value = headers->get(alternative);
    return value;
  }
};

template <Message kMessage>
base::Result<Operator> createHeader(const Command& command) {
  auto choice = HeaderChoice::parse(*command.parameter);
  if (!choice.ok()) return std::move(choice).error();
  return Operator{Kind::Text, [choice = *std::move(choice), length = command.length](const Entry& e, std::string& out) {
                    const auto value = choice.in(e.*kMessage);
                    return value && put(out, cut(*value, length));
                  }};
}

// REQ_WITHOUT_QUERY, of the formatter extension of that name.
base::Result<Operator> createWithoutQuery(const Command& command) {
  auto choice = HeaderChoice::parse(*command.parameter);
  if (!choice.ok()) return std::move(choice).error();
  return Operator{Kind::Text, [choice = *std::move(choice), length = command.length](const Entry& e, std::string& out) {
                    const auto value = choice.in(e.request);
                    return value && put(out, cut(value->substr(0, value->find('?')), length));
                  }};
}

std::pair<std::string_view, std::string_view> splitOptions(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return {text, {}};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

// The part in front of the query, of the original path or of the present one.
base::Result<Operator> createPath(const Command& command) {
  const auto [part, source] = splitOptions(command.parameter.value_or(""));
  if (!part.empty() && part != "WQ" && part != "NQ") {
    return refused("Invalid PATH option: '" + std::string(part) + "', only 'WQ'/'NQ' are allowed");
  }
  if (!source.empty() && source != "ORIG" && source != "PATH" && source != "ORIG_OR_PATH") {
    return refused("Invalid PATH option: '" + std::string(source) + "', only 'ORIG'/'PATH'/'ORIG_OR_PATH' are allowed");
  }
  const bool with_query = part != "NQ";
  const bool original = source != "PATH";
  const bool present = source != "ORIG";
  return Operator{Kind::Text, [=, length = command.length](const Entry& entry, std::string& out) {
                    if (entry.request == nullptr) return false;
                    std::optional<std::string_view> path;
                    if (original) path = entry.request->get(http::HeaderId::EnvoyOriginalPath);
                    if (!path && present) path = entry.request->get(http::HeaderId::Path);
                    if (!path) return false;
                    if (!with_query) path = path->substr(0, path->find_first_of("?#"));
                    return put(out, cut(*path, length));
                  }};
}

// "%20" becomes a blank; what is no escape stays. At most `limit` bytes.
void appendDecoded(std::string_view text, size_t limit, std::string& out) {
  for (size_t i = 0; i < text.size() && limit > 0; ++i, --limit) {
    const bool escape =
        text[i] == '%' && i + 2 < text.size() && http::hexValue(text[i + 1]) >= 0 && http::hexValue(text[i + 2]) >= 0;
    if (!escape) {
      out += text[i];
      continue;
    }
    out += static_cast<char>(http::hexValue(text[i + 1]) * 16 + http::hexValue(text[i + 2]));
    i += 2;
  }
}

std::string_view queryOf(const Entry& entry) {
  if (entry.request == nullptr) return {};
  return http::splitPath(entry.request->getOr(http::HeaderId::Path, "")).query;
}

// The first parameter of that name; its value decoded, as in Envoy.
base::Result<Operator> createQueryParameter(const Command& command) {
  return Operator{
      Kind::Text,
      [name = std::string(*command.parameter), length = command.length](const Entry& entry, std::string& out) {
        std::string_view rest = queryOf(entry);
        while (!rest.empty()) {
          const std::string_view pair = rest.substr(0, rest.find('&'));
          rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
          if (pair.substr(0, pair.find('=')) != name) continue;
          const size_t equals = pair.find('=');
          const auto value = equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
          appendDecoded(value, length.value_or(value.size()), out);
          return true;
        }
        return false;
      }};
}

base::Result<Operator> createServerName(const Command& command) {
  const auto [mode, source] = splitOptions(command.parameter.value_or(""));
  if (!mode.empty() && mode != "SNI_ONLY" && mode != "SNI_FIRST" && mode != "HOST_FIRST") {
    return refused("Invalid REQUESTED_SERVER_NAME option: '" + std::string(mode) +
                   "', only 'SNI_ONLY'/'SNI_FIRST'/'HOST_FIRST' are allowed");
  }
  if (!source.empty() && source != "ORIG" && source != "HOST" && source != "ORIG_OR_HOST") {
    return refused("Invalid REQUESTED_SERVER_NAME option: '" + std::string(source) +
                   "', only 'ORIG'/'HOST'/'ORIG_OR_HOST' are allowed");
  }
  const bool by_host = mode == "SNI_FIRST" || mode == "HOST_FIRST";
  const bool host_first = mode == "HOST_FIRST";
  const bool original = source != "HOST";
  const bool present = source != "ORIG";
  return Operator{Kind::Text, [=](const Entry& entry, std::string& out) {
                    const auto sni = [&] {
                      return entry.info.connection != nullptr &&
                             putKnown(out, entry.info.connection->requested_server_name);
                    };
                    const auto host = [&] {
                      if (entry.request == nullptr) return false;
                      std::string_view name;
                      if (original) name = entry.request->get("x-envoy-original-host").value_or("");
                      if (name.empty() && present) name = entry.request->getOr(http::HeaderId::Authority, "");
                      return putKnown(out, name);
                    };
                    if (host_first) return host() || sni();
                    return sni() || (by_host && host());
                  }};
}

constexpr RowWithParameter kRows[] = {
    {"REQ", Parameter::Required, true, createHeader<&Entry::request>},
    {"REQUEST_HEADER", Parameter::Required, true, createHeader<&Entry::request>},
    {"RESP", Parameter::Required, true, createHeader<&Entry::response>},
    {"RESPONSE_HEADER", Parameter::Required, true, createHeader<&Entry::response>},
    {"TRAILER", Parameter::Required, true, createHeader<&Entry::trailers>},
    {"RESPONSE_TRAILER", Parameter::Required, true, createHeader<&Entry::trailers>},
    {"REQ_WITHOUT_QUERY", Parameter::Required, true, createWithoutQuery},
    {"PATH", Parameter::Optional, true, createPath},
    {"QUERY_PARAM", Parameter::Required, true, createQueryParameter},
    {"REQUESTED_SERVER_NAME", Parameter::Optional, false, createServerName},
};

}  // namespace

std::span<const RowWithParameter> headerRows() { return kRows; }

}  // namespace weir::format
