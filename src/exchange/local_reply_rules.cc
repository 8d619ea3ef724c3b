#include "exchange/local_reply_rules.h"

#include <algorithm>

namespace weir::exchange {
namespace {

base::Result<void> compileFormat(const std::optional<format::FormatSpec>& spec, std::optional<format::Format>& out) {
  if (!spec) return base::Ok{};
  auto format = format::Format::create(*spec);
  if (!format.ok()) return std::move(format).error();
  out = *std::move(format);
  return base::Ok{};
}

// As Envoy: the type that a reply brings along stays, unless the format has one of its own.
void setContentType(filter::LocalReply& reply, const std::string& type) {
  const auto given = std::find_if(reply.headers.begin(), reply.headers.end(), [](const auto& header) {
    return http::equalsIgnoreCase(header.first, "content-type");
  });
  if (given == reply.headers.end()) {
    reply.headers.emplace_back("content-type", type);
  } else if (type != "text/plain") {
    given->second = type;
  }
}

}  // namespace

base::Result<LocalReplyRules::Mapper> LocalReplyRules::compile(const LocalReplyMapper& spec) {
  auto filter = access_log::LogFilter::create(spec.filter);
  if (!filter.ok()) return std::move(filter).error();
  auto headers = route::Mutations::create(spec.headers_to_add, {});
  if (!headers.ok()) return std::move(headers).error();
  Mapper mapper{*std::move(filter), spec.status, spec.body, std::nullopt, *std::move(headers)};
  if (auto done = compileFormat(spec.body_format, mapper.body_format); !done.ok()) return std::move(done).error();
  return mapper;
}

base::Result<std::shared_ptr<const LocalReplyRules>> LocalReplyRules::create(const LocalReplySpec& spec) {
  auto rules = std::make_shared<LocalReplyRules>();
  for (const LocalReplyMapper& mapper : spec.mappers) {
    auto compiled = compile(mapper);
    if (!compiled.ok()) return std::move(compiled).error();
    rules->mappers_.push_back(*std::move(compiled));
  }
  if (auto done = compileFormat(spec.body_format, rules->body_format_); !done.ok()) return std::move(done).error();
  return std::shared_ptr<const LocalReplyRules>(std::move(rules));
}

const route::Mutations* LocalReplyRules::rewrite(filter::LocalReply& reply, filter::StreamInfo& info,
                                                 format::Entry entry, base::Random& random) const {
  info.response_code = reply.status;
  const auto found = std::find_if(mappers_.begin(), mappers_.end(),
                                  [&](const Mapper& mapper) { return mapper.filter.passes(entry, random); });
  const format::Format* format = body_format_ ? &*body_format_ : nullptr;
  const route::Mutations* headers = nullptr;
  if (found != mappers_.end()) {
    if (found->status) reply.status = info.response_code = *found->status;
    if (found->body) reply.body = *found->body;
    if (found->body_format) format = &*found->body_format;
    headers = &found->headers;
  }
  if (format == nullptr) return headers;
  entry.local_reply_body = reply.body;
  std::string body;
  format->append(entry, body);
  reply.body = std::move(body);
  setContentType(reply, format->contentType());
  return headers;
}

}  // namespace weir::exchange
