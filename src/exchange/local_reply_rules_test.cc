#include "exchange/local_reply_rules.h"

#include <gtest/gtest.h>

namespace weir::exchange {
namespace {

access_log::FilterSpec status(uint32_t value) {
  access_log::FilterSpec spec;
  spec.kind = access_log::FilterSpec::Kind::StatusCode;
  spec.comparison.value = value;
  return spec;
}

struct Rules : testing::Test {
  const route::Mutations* rewrite(filter::LocalReply& reply) {
    rules = *LocalReplyRules::create(spec);
    return rules->rewrite(reply, info, {.info = info}, random);
  }
  LocalReplySpec spec;
  std::shared_ptr<const LocalReplyRules> rules;
  filter::StreamInfo info;
  base::FastRandom random{1};
};

TEST_F(Rules, TheFirstMapperThatFitsChangesStatusAndBody) {
  spec.mappers.push_back({status(500), 501, "a", std::nullopt, {}});
  spec.mappers.push_back({status(404), 410, "gone", std::nullopt, {{.name = "x", .value = "y"}}});
  spec.mappers.push_back({status(404), 499, "never", std::nullopt, {}});
  filter::LocalReply reply{404, "was", "", {}, -1};
  const route::Mutations* added = rewrite(reply);
  EXPECT_EQ(reply.status, 410);
  EXPECT_EQ(reply.body, "gone");
  EXPECT_EQ(info.response_code, 410);
  ASSERT_NE(added, nullptr);
  http::HeaderMap headers;
  added->apply(headers, {.info = info});
  EXPECT_EQ(headers.get("x"), "y");
}

TEST_F(Rules, WithoutAFittingMapperOnlyTheFormatCounts) {
  spec.mappers.push_back({status(500), 501, "a", std::nullopt, {}});
  spec.body_format.emplace().text = "%RESPONSE_CODE%: %LOCAL_REPLY_BODY%";
  filter::LocalReply reply{404, "was", "", {}, -1};
  EXPECT_EQ(rewrite(reply), nullptr);
  EXPECT_EQ(reply.body, "404: was");
  EXPECT_EQ(reply.headers.at(0).second, "text/plain");
}

TEST_F(Rules, AMappersFormatComesBeforeTheCommonOne) {
  spec.mappers.push_back({status(404), std::nullopt, std::nullopt, format::FormatSpec{}, {}});
  spec.mappers[0].body_format->kind = format::FormatSpec::Kind::Json;
  spec.body_format.emplace().text = "never";
  filter::LocalReply reply{404, "was", "", {{"content-type", "text/x"}}, -1};
  rewrite(reply);
  EXPECT_EQ(reply.body, "{}\n");
  EXPECT_EQ(reply.headers.at(0).second, "application/json");
}

}  // namespace
}  // namespace weir::exchange
