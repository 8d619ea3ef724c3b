#include "proxy_wasm/fetch.h"

#include <fmt/format.h>

namespace weir::proxy_wasm {

void pullFile(const RemoteSource& source, const Fetch& fetch, Pulled pulled) {
  FetchRequest request{.cluster = source.cluster, .uri = source.uri, .timeout = source.timeout};
  fetch(std::move(request), [pulled = std::move(pulled)](FetchAnswer answer) {
    constexpr int kOk = 200;
    if (answer.status == kOk && !answer.body.empty()) return pulled(std::move(answer.body));
    std::string why = answer.status == 0     ? answer.reason
                      : answer.status == kOk ? std::string("empty")
                                             : fmt::format("status {}", answer.status);
    pulled(base::Error{base::Code::Io, base::Side::Upstream, base::Retry::Yes, std::move(why)});
  });
}

}  // namespace weir::proxy_wasm
