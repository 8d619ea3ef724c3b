// Facts about the headers of answers that the proxy makes itself.
#include "filter/local_reply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::filter {
namespace {

using testing::Optional;

TEST(LocalReply, DescribesItsBody) {
  const http::HeaderMap headers = localReplyHeaders({403, "no", "why", {{"x-a", "1"}}, -1}, false);
  EXPECT_THAT(headers.get(":status"), Optional(std::string_view("403")));
  EXPECT_THAT(headers.get("content-length"), Optional(std::string_view("2")));
  EXPECT_THAT(headers.get("content-type"), Optional(std::string_view("text/plain")));
  EXPECT_THAT(headers.get("x-a"), Optional(std::string_view("1")));
}

TEST(LocalReply, KeepsAContentTypeThatItWasGivenAndJudgesTheLengthItself) {
  const http::HeaderMap headers =
      localReplyHeaders({200, "{}", "", {{"content-type", "application/json"}, {"content-length", "99"}}, -1}, false);
  EXPECT_THAT(headers.get("content-type"), Optional(std::string_view("application/json")));
  EXPECT_THAT(headers.get("content-length"), Optional(std::string_view("2")));
}

TEST(LocalReply, TellsAGrpcClientInTrailersOnlyForm) {
  const http::HeaderMap headers = localReplyHeaders({503, "50% gone", "", {}, -1}, true);
  EXPECT_THAT(headers.get(":status"), Optional(std::string_view("200")));
  EXPECT_THAT(headers.get("grpc-status"), Optional(std::string_view("14")));
  EXPECT_THAT(headers.get("grpc-message"), Optional(std::string_view("50%25 gone")));
  EXPECT_FALSE(headers.get("content-length"));
}

}  // namespace
}  // namespace weir::filter
