#include "http/grpc.h"

#include <gtest/gtest.h>

namespace weir::http {
namespace {

TEST(Grpc, IsKnownByItsContentType) {
  HeaderMap request;
  EXPECT_FALSE(isGrpc(request));
  request.add("content-type", "application/grpc+proto");
  EXPECT_TRUE(isGrpc(request));
  request.set("content-type", "application/grpc");
  EXPECT_TRUE(isGrpc(request));
  request.set("content-type", "application/grpc-web");
  EXPECT_FALSE(isGrpc(request));
}

}  // namespace
}  // namespace weir::http
