#include "proxy_wasm/stats_report.h"

#include <array>
#include <string_view>

#include "proxy_wasm/little_endian.h"

namespace weir::proxy_wasm {
namespace {

enum class Kind : uint32_t { Counters = 1, Gauges = 2 };

void putU32(std::string& out, uint32_t value) {
  std::array<char, sizeof(value)> bytes;
  storeU32(bytes.data(), value);
  out.append(bytes.data(), bytes.size());
}

void putU64(std::string& out, uint64_t value) {
  std::array<char, sizeof(value)> bytes;
  storeU64(bytes.data(), value);
  out.append(bytes.data(), bytes.size());
}

// A block whose size and count are known when it is whole.
class Block {
 public:
  Block(std::string& out, Kind kind) : out_(out), begin_(out.size()) {
    putU32(out_, 0);
    putU32(out_, static_cast<uint32_t>(kind));
    putU32(out_, 0);
  }
  void add(std::string_view name, uint64_t value) {
    ++count_;
    putU32(out_, static_cast<uint32_t>(name.size()));
    out_ += name;
    out_.append((8 - out_.size() % 8) % 8, '\0');
    putU64(out_, value);
  }
  void finish() {
    storeU32(out_.data() + begin_, static_cast<uint32_t>(out_.size() - begin_));
    storeU32(out_.data() + begin_ + 2 * sizeof(uint32_t), count_);
  }

 private:
  std::string& out_;
  const size_t begin_;
  uint32_t count_ = 0;
};

}  // namespace

std::string StatsReports::next() {
  std::string report;
  Block counters(report, Kind::Counters);
  store_.eachCounter([&](const std::string& name, uint64_t value) {
    if (value == 0) return;
    uint64_t& told = told_[name];
    counters.add(name, value);
    putU64(report, value > told ? value - told : 0);
    told = value;
  });
  counters.finish();
  Block gauges(report, Kind::Gauges);
  store_.eachGauge([&](const std::string& name, int64_t value) { gauges.add(name, static_cast<uint64_t>(value)); });
  gauges.finish();
  return report;
}

}  // namespace weir::proxy_wasm
