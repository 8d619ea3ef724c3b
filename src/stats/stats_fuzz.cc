// Stat names come from plugins and filters from admin clients: every page must be made whatever they hold.
#include <cstddef>
#include <cstdint>

#include "stats/stats.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weir::stats;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t end = std::min(text.find('\n'), size);
  Store store;
  const std::string name(text.substr(std::min(end + 1, size)));
  store.counter("wasmcustom." + name).add();
  store.gauge(name).set(-1);
  store.histogram("cluster." + name).record(size);
  const Store::View view{.filter = std::string(text.substr(0, end)), .used_only = true, .kind = Store::Kind::All};
  (void)store.text(view);
  (void)store.json({});
  (void)store.prometheus({});
  return 0;
}
