// Dynamic metadata: how values are merged, and the filter that writes them.
#include "filter/set_metadata.h"

#include <gmock/gmock.h>

#include "base/wire.h"
#include "filter/chain.h"
#include "filter/merge_structs.h"

namespace weir::filter {
namespace {

std::string text(std::string_view text) {
  std::string out;
  base::putField(base::kStringValue, text, out);
  return out;
}

std::string fields(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string out;
  for (const auto& [key, value] : entries) {
    std::string entry;
    base::putField(1, key, entry);
    base::putField(2, value, entry);
    base::putField(1, entry, out);
  }
  return out;
}

std::string nested(const std::string& inner) {
  std::string out;
  base::putField(base::kStructValue, inner, out);
  return out;
}

std::string list(const std::vector<std::string>& values) {
  std::string inner, out;
  for (const std::string& value : values) base::putField(1, value, inner);
  base::putField(base::kListValue, inner, out);
  return out;
}

TEST(MergeStructs, TakesWhatIsNewAndReplacesWhatIsThere) {
  EXPECT_EQ(mergeStructs(fields({{"b", text("1")}}), fields({{"a", text("2")}})),
            fields({{"a", text("2")}, {"b", text("1")}}));
  EXPECT_EQ(mergeStructs(fields({{"a", text("1")}}), fields({{"a", text("2")}})), fields({{"a", text("2")}}));
  EXPECT_EQ(mergeStructs(fields({{"a", text("1")}}), fields({{"a", nested("")}})), fields({{"a", nested("")}}));
  EXPECT_EQ(mergeStructs("", ""), "");
}

TEST(MergeStructs, AppendsToListsAndMergesStructs) {
  EXPECT_EQ(mergeStructs(fields({{"l", list({text("1")})}}), fields({{"l", list({text("2"), text("3")})}})),
            fields({{"l", list({text("1"), text("2"), text("3")})}}));
  EXPECT_EQ(mergeStructs(fields({{"s", nested(fields({{"x", text("1")}, {"y", text("1")}}))}}),
                         fields({{"s", nested(fields({{"y", text("2")}}))}})),
            fields({{"s", nested(fields({{"x", text("1")}, {"y", text("2")}}))}}));
}

TEST(MergeStructs, NeedsNoSenseInItsBytes) {
  EXPECT_EQ(mergeStructs("\xff\xff", fields({{"a", text("1")}})), fields({{"a", text("1")}}));
  std::string deep = text("x");
  for (int i = 0; i < 100; ++i) deep = nested(fields({{"a", deep}}));
  EXPECT_EQ(mergeStructs(fields({{"a", deep}}), fields({{"a", deep}})), fields({{"a", deep}}));
}

struct SetMetadataTest : testing::Test, Ends {
  void forwardRequestHeaders(http::HeaderMap&, bool) override { forwarded = true; }
  void forwardRequestBody(base::BufferChain&, bool) override {}
  void forwardRequestTrailers(http::HeaderMap&) override {}
  void forwardRequestMetadata(http::Metadata&) override {}
  void answerHeaders(http::HeaderMap&, bool) override {}
  void answerBody(base::BufferChain&, bool) override {}
  void answerTrailers(http::HeaderMap&) override {}
  void answerMetadata(http::Metadata&) override {}
  http::HeaderMap& makeLocalReply(const LocalReply&, base::BufferChain&) override { return headers; }
  void abandonUpstream() override {}
  void resetClientStream() override {}
  void pauseRequest() override {}
  void resumeRequest() override {}
  void pauseResponse() override {}
  void resumeResponse() override {}
  bool responsePaused() const override { return false; }
  void clearRouteCache() override {}
  event::Loop& loop() override { return loop_; }
  StreamInfo& info() override { return info_; }
  size_t bufferLimit() const override { return 100; }

  void passes(const SetMetadataSpec& spec) {
    const auto factory = setMetadata("m", spec, denied);
    Chain chain(*this);
    chain.add(factory->create());
    chain.requestHeaders(headers, true);
    EXPECT_TRUE(forwarded);
  }

  base::ManualClock clock;
  event::Loop loop_{clock};
  stats::Store store;
  stats::Counter& denied = store.counter("denied");
  StreamInfo info_;
  http::HeaderMap headers;
  bool forwarded = false;
};

TEST_F(SetMetadataTest, WritesItsEntriesInOrder) {
  passes({{{"n", false, fields({{"a", text("1")}})}, {"m", false, ""}}});
  EXPECT_EQ(info_.dynamic_metadata["n"], fields({{"a", text("1")}}));
  EXPECT_TRUE(info_.dynamic_metadata.contains("m"));
  EXPECT_EQ(denied.value(), 0u);
}

TEST_F(SetMetadataTest, OverwritesOnlyWhereItMay) {
  passes({{{"n", false, fields({{"a", text("1")}})}, {"n", false, fields({{"a", text("2")}})}}});
  EXPECT_EQ(info_.dynamic_metadata["n"], fields({{"a", text("1")}}));
  EXPECT_EQ(denied.value(), 1u);
  passes({{{"n", true, fields({{"b", text("3")}})}}});
  EXPECT_EQ(info_.dynamic_metadata["n"], fields({{"a", text("1")}, {"b", text("3")}}));
  EXPECT_EQ(denied.value(), 1u);
}

}  // namespace
}  // namespace weir::filter
