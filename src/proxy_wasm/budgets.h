// What plugins may use, and who says so: weir's own numbers, the bootstrap's weir.plugins.v1.PluginLimits, the command
// line; for all plugins, or for those of a name. docs/budgets.md has each limit with its names and what happens at it.
//
// Values; no thread of their own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace weir::proxy_wasm {

struct Budgets {
  base::Duration stream_callback = std::chrono::milliseconds(200);
  base::Duration start = std::chrono::seconds(10);
  base::Duration pause = std::chrono::minutes(10);    // Of a stream that only the guest can let go on; 0: no limit.
  size_t memory_bytes = size_t{64} << 20;             // Linear memory of one instance.
  uint64_t log_bytes_per_second = uint64_t{8} << 20;  // Of all VMs of one code; 0: no limit.
  size_t shared_data_bytes = size_t{16} << 20;        // Keys and values of one vm_id.
  size_t body_bytes = size_t{1} << 20;    // What it may have kept of a message, where the listener's limit is less.
  size_t queue_bytes = size_t{16} << 20;  // In one shared queue.
  size_t pending_calls = 1024;            // HTTP callouts of one plugin on one worker.
  size_t pending_grpc = 4096;             // gRPC calls and streams of one plugin on one worker.
  size_t metrics = 10'000;                // Of one VM.
  bool instance_per_stream = false;       // Instead of one per worker that all streams share.
  size_t instances = 4096;                // Of one plugin on one worker that live at the same time, one per stream.
  bool other_plugins = false;  // Whether contexts of other plugins in the same VM can be made the effective one.

  bool operator==(const Budgets&) const = default;
  // All numbers; equal for equal budgets.
  std::string text() const;
};

// What one place says: nothing is no word.
struct BudgetChange {
  std::optional<base::Duration> stream_callback{};
  std::optional<base::Duration> start{};
  std::optional<base::Duration> pause{};
  std::optional<size_t> memory_bytes{};
  std::optional<uint64_t> log_bytes_per_second{};
  std::optional<size_t> shared_data_bytes{};
  std::optional<size_t> body_bytes{};
  std::optional<size_t> queue_bytes{};
  std::optional<size_t> pending_calls{};
  std::optional<size_t> pending_grpc{};
  std::optional<size_t> metrics{};
  std::optional<bool> instance_per_stream{};
  std::optional<size_t> instances{};
  std::optional<bool> other_plugins{};

  void applyTo(Budgets& budgets) const;
};

// The words of one place, the configuration or the command line.
struct BudgetRules {
  BudgetChange defaults;
  std::map<std::string, BudgetChange, std::less<>> by_plugin;
};

class BudgetTable {
 public:
  BudgetTable() = default;
  BudgetTable(BudgetRules configuration, BudgetRules command_line)
      : configuration_(std::move(configuration)), command_line_(std::move(command_line)) {}

  // Of the plugins of that name: a word by name before one for all, the command line before the configuration.
  Budgets of(std::string_view plugin) const;

 private:
  BudgetRules configuration_;
  BudgetRules command_line_;
};

}  // namespace weir::proxy_wasm
