#include "cli/plugin_limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <vector>

namespace weir::cli {
namespace {

using proxy_wasm::BudgetChange;

constexpr uint64_t kHour = 3'600'000;
constexpr uint64_t kAny = uint64_t{1} << 40;

constexpr LimitFlag kLimitFlags[] = {
    {"call-ms", 1, kHour, "Most milliseconds of one plugin callback; default 200",
     [](BudgetChange& change, uint64_t value) { change.stream_callback = std::chrono::milliseconds(value); }},
    {"start-ms", 1, kHour, "Most milliseconds of a plugin's start and configure; default 10000",
     [](BudgetChange& change, uint64_t value) { change.start = std::chrono::milliseconds(value); }},
    {"pause-ms", 0, 24 * kHour, "Most milliseconds that a plugin holds a stream; 0: no limit; default 600000",
     [](BudgetChange& change, uint64_t value) { change.pause = std::chrono::milliseconds(value); }},
    {"memory-mb", 1, 4096, "Most MiB of memory of one plugin instance; default 64",
     [](BudgetChange& change, uint64_t value) { change.memory_bytes = value << 20; }},
    {"log-kb", 0, kAny, "Most KiB a second that a plugin logs; 0: no limit; default 8192",
     [](BudgetChange& change, uint64_t value) { change.log_bytes_per_second = value << 10; }},
    {"body-mb", 0, 4096, "Most MiB of a body that one plugin has kept above the listener's limit; default 1",
     [](BudgetChange& change, uint64_t value) { change.body_bytes = value << 20; }},
    {"shared-data-mb", 1, 65536, "Most MiB of shared data of one vm_id; default 16",
     [](BudgetChange& change, uint64_t value) { change.shared_data_bytes = value << 20; }},
    {"queue-mb", 1, 65536, "Most MiB in one shared queue; default 16",
     [](BudgetChange& change, uint64_t value) { change.queue_bytes = value << 20; }},
    {"calls", 0, 1'000'000, "Most HTTP callouts of one plugin under way on one worker; default 1024",
     [](BudgetChange& change, uint64_t value) { change.pending_calls = value; }},
    {"grpc-calls", 0, 1'000'000, "Most gRPC calls and streams of one plugin under way on one worker; default 4096",
     [](BudgetChange& change, uint64_t value) { change.pending_grpc = value; }},
    {"metrics", 0, 1'000'000, "Most metrics that one plugin instance defines; default 10000",
     [](BudgetChange& change, uint64_t value) { change.metrics = value; }},
    {"instance-per-stream", 0, 1, "1: each stream has an instance of its own; default 0",
     [](BudgetChange& change, uint64_t value) { change.instance_per_stream = value == 1; }},
    {"instances", 1, 1'000'000, "Most instances of one plugin for streams on one worker; default 4096",
     [](BudgetChange& change, uint64_t value) { change.instances = value; }},
    {"other-plugins", 0, 1, "1: a plugin reaches the contexts of others in its VM; default 0",
     [](BudgetChange& change, uint64_t value) { change.other_plugins = value == 1; }},
};

base::Error wrong(std::string detail) {
  return {base::Code::InvalidArgument, base::Side::Operator, base::Retry::No, std::move(detail)};
}

const LimitFlag* find(std::string_view key) {
  const auto* at = std::ranges::find_if(kLimitFlags, [&](const LimitFlag& flag) { return flag.key == key; });
  return at == std::end(kLimitFlags) ? nullptr : at;
}

std::string allKeys() {
  std::vector<std::string_view> keys;
  for (const LimitFlag& flag : kLimitFlags) keys.emplace_back(flag.key);
  return fmt::format("{}", fmt::join(keys, ", "));
}

std::optional<uint64_t> wholeNumber(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

base::Result<void> addWord(std::string_view word, BudgetChange& change) {
  const size_t equals = word.find('=');
  const LimitFlag* const flag = find(word.substr(0, equals));
  if (equals == word.npos || flag == nullptr) {
    return wrong(fmt::format("expected KEY=VALUE, KEY one of {}; found '{}'", allKeys(), word));
  }
  const auto value = wholeNumber(word.substr(equals + 1));
  if (!value || *value < flag->least || *value > flag->most) {
    return wrong(fmt::format("{} must be a number from {} to {}; found '{}'", flag->key, flag->least, flag->most,
                             word.substr(equals + 1)));
  }
  flag->put(change, *value);
  return base::Ok{};
}

}  // namespace

std::span<const LimitFlag> limitFlags() { return kLimitFlags; }

base::Result<void> addPluginLimit(std::string_view text, proxy_wasm::BudgetRules& rules) {
  const size_t colon = text.substr(0, text.find('=')).rfind(':');
  if (colon == text.npos || colon == 0) {
    return wrong(fmt::format("--plugin-limit: expected NAME:KEY=VALUE, found '{}'", text));
  }
  const std::string name(text.substr(0, colon));
  const auto known = rules.by_plugin.find(name);
  BudgetChange change = known == rules.by_plugin.end() ? BudgetChange() : known->second;
  for (std::string_view words = text.substr(colon + 1); !words.empty();) {
    const size_t comma = std::min(words.find(','), words.size());
    if (auto added = addWord(words.substr(0, comma), change); !added.ok()) {
      return std::move(added).error().in(fmt::format("--plugin-limit {}", name));
    }
    words.remove_prefix(std::min(comma + 1, words.size()));
  }
  rules.by_plugin.insert_or_assign(name, change);
  return base::Ok{};
}

}  // namespace weir::cli
