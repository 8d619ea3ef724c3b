// local_reply_config: how the operator wants the proxy's own answers to look.
#pragma once

#include <memory>
#include <vector>

#include "access_log/log_filter.h"
#include "base/result.h"
#include "exchange/spec.h"
#include "filter/filter.h"
#include "format/format.h"
#include "route/mutations.h"

namespace weir::exchange {

// Immutable, compiled from the spec once, shared by all workers.
class LocalReplyRules {
 public:
  // Error (side Operator): a format or expression that does not compile.
  static base::Result<std::shared_ptr<const LocalReplyRules>> create(const LocalReplySpec& spec);

  // Changes status and body as the first fitting mapper says, and gives the body the format that is configured.
  // info is that of entry: its response code becomes the reply's, first the given and then the changed one. The headers
  // that the mapper adds are for the caller to apply; null if there are none.
  const route::Mutations* rewrite(filter::LocalReply& reply, filter::StreamInfo& info, format::Entry entry,
                                  base::Random& random) const;

 private:
  struct Mapper {
    access_log::LogFilter filter;
    std::optional<int> status;
    std::optional<std::string> body;
    std::optional<format::Format> body_format;
    route::Mutations headers;
  };
  static base::Result<Mapper> compile(const LocalReplyMapper& spec);

  std::vector<Mapper> mappers_;
  std::optional<format::Format> body_format_;
};

}  // namespace weir::exchange
