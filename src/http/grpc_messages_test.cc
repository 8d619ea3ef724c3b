#include "http/grpc_messages.h"

#include <gtest/gtest.h>

namespace weir::http {
namespace {

using Fault = GrpcMessages::Fault;

std::string framed(std::string_view message) {
  return grpcPrefix(static_cast<uint32_t>(message.size())).append(message);
}

// The messages in a body that comes in pieces of that size, separated by |.
std::string read(std::string_view body, size_t piece, Fault expected = Fault::None) {
  GrpcMessages messages(300);
  std::string out;
  for (; !body.empty(); body.remove_prefix(std::min(piece, body.size()))) {
    base::BufferChain bytes(body.substr(0, piece));
    messages.add(bytes);
    while (const auto message = messages.next())
      out += (message->compressed ? "~" : "") + message->bytes.toString() + "|";
  }
  EXPECT_EQ(messages.fault(), expected);
  return out;
}

TEST(GrpcMessages, ArePrefixedByTheirLength) {
  EXPECT_EQ(grpcPrefix(0), std::string(5, '\0'));
  EXPECT_EQ(grpcPrefix(0x01020304), std::string("\0\x01\x02\x03\x04", 5));
}

TEST(GrpcMessages, AreTheSameHoweverTheBodyIsCut) {
  const std::string body = framed("one") + framed("") + framed(std::string(300, 'x')) + "\1" + framed("two").substr(1);
  const std::string expected = "one||" + std::string(300, 'x') + "|~two|";
  for (const size_t piece : {1, 2, 4, 5, 7, 1000}) EXPECT_EQ(read(body, piece), expected) << piece;
}

TEST(GrpcMessages, AreNotGivenBeforeTheyAreWhole) {
  EXPECT_EQ(read(framed("one") + framed("two").substr(0, 7), 3), "one|");
  EXPECT_EQ(read(framed("one").substr(0, 4), 1), "");
}

TEST(GrpcMessages, EndAtWhatIsNone) {
  EXPECT_EQ(read(framed("one") + "\2" + framed("two"), 1000, Fault::BadFlag), "one|");
  EXPECT_EQ(read(grpcPrefix(301) + framed("two"), 1000, Fault::TooLong), "");
}

}  // namespace
}  // namespace weir::http
