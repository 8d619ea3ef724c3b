#include "listener/tlv_metadata.h"

#include <algorithm>
#include <map>

#include "base/base64.h"
#include "base/utf8.h"
#include "base/wire.h"

namespace weir::listener {
namespace {

constexpr std::string_view kTypeUrl = "type.googleapis.com/envoy.data.core.v3.TlvsMetadata";

std::string asText(std::string_view bytes) {
  std::string out;
  while (!bytes.empty()) {
    const size_t length = base::utf8Length(bytes);
    if (length == 0) {
      out += '!';
      bytes.remove_prefix(1);
    } else {
      out += bytes.substr(0, length);
      bytes.remove_prefix(length);
    }
  }
  return out;
}

// An entry of a map field that has the number 1.
void putEntry(std::string_view key, std::string_view value, std::string& out) {
  std::string entry;
  base::putField(1, key, entry);
  base::putField(2, value, entry);
  base::putField(1, entry, out);
}

struct Noted {
  std::map<std::string, std::string> texts;
  std::map<std::string, std::string> bytes;
};

std::string structOf(const Noted& noted) {
  std::string out;
  for (const auto& [key, text] : noted.texts) {
    std::string value;
    base::putField(base::kStringValue, text, value);
    putEntry(key, value, out);
  }
  return out;
}

std::string anyOf(const Noted& noted) {
  std::string message;
  for (const auto& [key, bytes] : noted.bytes) putEntry(key, bytes, message);
  std::string out;
  base::putField(1, kTypeUrl, out);
  base::putField(2, message, out);
  return out;
}

}  // namespace

void noteTlvs(const std::vector<ProxyProtocolSpec::Rule>& rules, const std::vector<net::ProxyTlv>& tlvs,
              Findings& findings) {
  std::map<std::string, Noted> noted;  // By namespace.
  for (const net::ProxyTlv& tlv : tlvs) {
    const auto rule =
        std::find_if(rules.rbegin(), rules.rend(), [&](const auto& each) { return each.type == tlv.type; });
    if (rule == rules.rend()) continue;
    Noted& there = noted[rule->name_space];
    there.texts.emplace(rule->key, rule->base64 ? base::toBase64(tlv.value) : asText(tlv.value));
    there.bytes[rule->key] = tlv.value;
  }
  for (const auto& [name, values] : noted) {
    findings.metadata[name] = structOf(values);
    findings.typed_metadata[name] = anyOf(values);
  }
}

}  // namespace weir::listener
