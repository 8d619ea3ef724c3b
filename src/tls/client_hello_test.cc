#include "tls/client_hello.h"

#include <gtest/gtest.h>

#include "base/buffer.h"
#include "tls/session.h"

namespace weir::tls {
namespace {

// What OpenSSL sends first.
std::string helloOf(const std::string& name, const std::vector<std::string>& alpn) {
  stats::Store store;
  const auto stats = std::make_shared<Stats>(store, "x.");
  ClientSpec spec;
  spec.parameters.max = Version::Tls13;
  const auto context = ClientContext::create(spec, stats).value();
  const auto session = Session::client(context, name, "", alpn, nullptr);
  session->handshake();
  return session->out().toString();
}

TEST(ClientHelloTest, IsReadWithItsNamesAndLists) {
  ClientHello hello;
  ASSERT_EQ(readClientHello(helloOf("A.Example", {"h2", "http/1.1"}), hello), HelloOutcome::Found);
  EXPECT_EQ(hello.server_name, "a.example");
  EXPECT_EQ(hello.alpn, (std::vector<std::string>{"h2", "http/1.1"}));
  EXPECT_FALSE(hello.ciphers.empty());
  EXPECT_EQ(hello.versions, (std::vector<uint16_t>{0x0304, 0x0303}));
  EXPECT_EQ(hello.groups, (std::vector<uint16_t>{29, 23}));
  EXPECT_FALSE(hello.signatures.empty());
}

TEST(ClientHelloTest, EveryPrefixNeedsMore) {
  const std::string whole = helloOf("a.example", {"h2"});
  ClientHello hello;
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_EQ(readClientHello(whole.substr(0, length), hello), HelloOutcome::NeedMore) << length;
  }
}

// RFC 8446 5.1: a message may be spread over records.
TEST(ClientHelloTest, IsPutTogetherFromRecordsOfOneByte) {
  const std::string whole = helloOf("a.example", {});
  std::string spread;
  for (const char c : whole.substr(5)) spread += std::string("\x16\x03\x01\x00\x01", 5) + c;
  ClientHello hello;
  ASSERT_EQ(readClientHello(spread, hello), HelloOutcome::Found);
  EXPECT_EQ(hello.server_name, "a.example");
}

TEST(ClientHelloTest, PlainTextIsNone) {
  ClientHello hello;
  EXPECT_EQ(readClientHello("G", hello), HelloOutcome::NotTls);
  EXPECT_EQ(readClientHello("PRI * HTTP/2.0\r\n", hello), HelloOutcome::NotTls);
  EXPECT_EQ(readClientHello(std::string("\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00", 10), hello), HelloOutcome::NotTls);
}

TEST(ClientHelloTest, OneThatIsAnnouncedTooLongIsRefusedAtOnce) {
  ClientHello hello;
  EXPECT_EQ(readClientHello(std::string("\x16\x03\x01\x10\x00\x01\x01\x00\x00", 9), hello), HelloOutcome::TooLarge);
}

TEST(ClientHelloTest, ANameWithANulIsNone) {
  EXPECT_EQ(readServerName(std::string("\x00\x06\x00\x00\x03"
                                       "a\0b",
                                       8)),
            "");
  EXPECT_EQ(readServerName(std::string("\x00\x06\x00\x00\x03"
                                       "Abc",
                                       8)),
            "abc");
}

}  // namespace
}  // namespace weir::tls
