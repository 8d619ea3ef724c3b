// Any sequence of changes leaves the map in step with a plain list of pairs.
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "http/header_map.h"

namespace {

using Model = std::vector<std::pair<std::string, std::string>>;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = weir::http::toLower(c);
  return out;
}

void add(Model& model, const std::string& name, const std::string& value) {
  size_t at = model.size();
  while (name[0] == ':' && at > 0 && model[at - 1].first[0] != ':') --at;
  model.insert(model.begin() + static_cast<ptrdiff_t>(at), {name, value});
}

void compare(const weir::http::HeaderMap& map, const Model& model) {
  CHECK(map.size() == model.size());
  size_t bytes = 0;
  for (size_t i = 0; i < model.size(); ++i) {
    const auto& entry = map.entries()[i];
    CHECK(entry.name == model[i].first && entry.value == model[i].second);
    CHECK(entry.id == weir::http::wellKnownId(entry.name));
    CHECK(map.get(entry.name).has_value());
    bytes += entry.name.size() + entry.value.size();
  }
  CHECK(map.bytes() == bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  weir::http::HeaderMap map;
  Model model;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  // One change a line: an operation, a name and a value.
  for (size_t at = 0; at < input.size();) {
    const size_t end = std::min(input.find('\n', at), input.size());
    const std::string_view line = input.substr(at, end - at);
    at = end + 1;
    const size_t colon = line.find('=');
    if (line.size() < 3 || colon == std::string_view::npos || colon < 2) continue;
    const std::string_view name = line.substr(1, colon - 1);
    const std::string value(line.substr(colon + 1));
    const std::string stored = lower(name);
    switch (line[0] % 5) {
      case 0: map.add(name, value), add(model, stored, value); break;
      case 1:
        map.set(name, value);
        std::erase_if(model, [&](const auto& pair) { return pair.first == stored; });
        add(model, stored, value);
        break;
      case 2: CHECK(map.remove(name) == std::erase_if(model, [&](const auto& p) { return p.first == stored; })); break;
      case 3: map = map.clone(); break;
      default: {
        weir::http::HeaderMap moved = std::move(map);
        map = std::move(moved);
      }
    }
    compare(map, model);
  }
  return 0;
}
