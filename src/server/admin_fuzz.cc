// Targets come from whoever reaches the admin endpoint; the bootstrap's JSON is searched by hand.
#include <cstddef>
#include <cstdint>

#include "server/admin_json.h"
#include "server/admin_pages.h"
#include "server/admin_test_source.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weir::server;
  static FakeSource source;
  static weir::stats::Store stats;
  stats.counter("cluster.web.upstream_rq_total").add();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)memberOf(text, "node");
  // Not by POST: levels that a run sets would decide how much the next ones log.
  (void)answerAdmin({source, stats, weir::base::WallTime()}, "GET", text);
  return 0;
}
