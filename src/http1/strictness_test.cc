// Requests and responses that two parsers could read differently, each with what it must come to, however it is split.
#include <gtest/gtest.h>

#include <memory>

#include "http1/codec.h"
#include "http1/recording.h"

namespace weir::http1 {
namespace {

class OneStream final : public http::ServerCodec::Events {
 public:
  http::StreamReceiver& onNewStream(http::Stream& stream) override {
    EXPECT_EQ(streams++, 0);
    return receiver;
  }
  void onPauseConnection() override {}
  void onResumeConnection() override {}

  RecordingReceiver receiver;
  int streams = 0;
};

struct Outcome {
  int malformed_status = 0;  // 0: well-formed as far as it went.
  bool finished = false;
  std::string log;
};

// What a server codec makes of input that comes in pieces: [0, cut), then step bytes at a time.
Outcome serve(std::string_view input, size_t cut, size_t step, const ServerSettings& settings) {
  RecordingWire wire;
  OneStream events;
  const auto codec = createServerCodec(wire, events, settings);
  base::BufferChain in;
  bool ok = true;
  while (!input.empty() && ok) {
    const size_t size = std::min(std::exchange(cut, step), input.size());
    in.append(input.substr(0, size));
    input.remove_prefix(size);
    ok = codec->receive(in).ok();
  }
  EXPECT_TRUE(wire.text.empty());
  EXPECT_TRUE(ok) << "receive() fails only when nobody is there to answer";
  return {events.receiver.malformed_status, codec->finished(), events.receiver.log()};
}

Outcome serveInEveryWay(std::string_view input, const ServerSettings& settings = {}) {
  const Outcome whole = serve(input, input.size(), input.size(), settings);
  EXPECT_EQ(serve(input, 1, 1, settings).log, whole.log) << "byte by byte";
  for (size_t cut = 1; cut < input.size() && input.size() < 2000; ++cut) {
    EXPECT_EQ(serve(input, cut, input.size(), settings).log, whole.log) << "cut at " << cut;
  }
  return whole;
}

struct Row {
  const char* name;
  std::string input;
  int status;  // 0: must be taken.
};

const std::string kGet = "GET / HTTP/1.1\r\nHost: h\r\n";
const std::string kPost = "POST / HTTP/1.1\r\nHost: h\r\n";
const std::string kChunked = kPost + "Transfer-Encoding: chunked\r\n\r\n";

std::string get(const std::string& fields) { return kGet + fields + "\r\n"; }
std::string line(const std::string& request_line) { return request_line + "\r\nHost: h\r\n\r\n"; }
std::string host(const std::string& value) { return "GET / HTTP/1.1\r\nHost: " + value + "\r\n\r\n"; }
std::string nul(const std::string& text) {
  std::string out = text;
  out[out.find('@')] = '\0';
  return out;
}

std::string repeated(const std::string& text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

void expectRows(const std::vector<Row>& rows, const ServerSettings& settings = {}) {
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(serveInEveryWay(row.input, settings).malformed_status, row.status);
  }
}

TEST(Strictness, OfMessageLength) {
  expectRows({
      {"one length", kPost + "Content-Length: 5\r\n\r\nhello", 0},
      {"length zero", kPost + "Content-Length: 0\r\n\r\n", 0},
      {"length with leading zeros", kPost + "Content-Length: 005\r\n\r\nhello", 0},
      {"both lengths", kPost + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"both lengths, other order", kPost + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400},
      {"two equal lengths", kPost + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400},
      {"two different lengths", kPost + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400},
      {"list of lengths", kPost + "Content-Length: 5, 5\r\n\r\nhello", 400},
      {"length with a plus", kPost + "Content-Length: +5\r\n\r\nhello", 400},
      {"length with a minus", kPost + "Content-Length: -5\r\n\r\nhello", 400},
      {"length in hexadecimal", kPost + "Content-Length: 0x5\r\n\r\nhello", 400},
      {"length with an underscore", kPost + "Content-Length: 1_0\r\n\r\nhello", 400},
      {"length with a point", kPost + "Content-Length: 5.0\r\n\r\nhello", 400},
      {"length with a blank within", kPost + "Content-Length: 1 0\r\n\r\nhello", 400},
      {"quoted length", kPost + "Content-Length: \"5\"\r\n\r\nhello", 400},
      {"empty length", kPost + "Content-Length: \r\n\r\n", 400},
      {"length of 2^63", kPost + "Content-Length: 9223372036854775808\r\n\r\n", 400},
      {"length of 2^64 + 5", kPost + "Content-Length: 18446744073709551621\r\n\r\nhello", 400},
      {"length with a vertical tab",
       kPost + "Content-Length: \x0b"
               "5\r\n\r\nhello",
       400},
      {"length of other digits", kPost + "Content-Length: \xd9\xa5\r\n\r\nhello", 400},
  });
}

TEST(Strictness, OfTransferCodings) {
  expectRows({
      {"chunked", kChunked + "0\r\n\r\n", 0},
      {"chunked in capitals", kPost + "TRANSFER-ENCODING: CHUNKED\r\n\r\n0\r\n\r\n", 0},
      {"chunked with blanks around", kPost + "Transfer-Encoding: \tchunked \r\n\r\n0\r\n\r\n", 0},
      {"gzip", kPost + "Transfer-Encoding: gzip\r\n\r\n", 501},
      {"identity", kPost + "Transfer-Encoding: identity\r\n\r\n", 501},
      {"chunked not last", kPost + "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 501},
      {"gzip and chunked", kPost + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
      {"chunked twice in a list", kPost + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 501},
      {"chunked in two fields", kPost + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       400},
      {"chunked, then identity", kPost + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
       400},
      {"empty coding", kPost + "Transfer-Encoding:\r\n\r\n", 501},
      {"chunked with a comma", kPost + "Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n", 501},
      {"chunked with a parameter", kPost + "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n", 501},
      {"quoted chunked", kPost + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", 501},
      {"xchunked", kPost + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501},
      {"chunked behind a vertical tab",
       kPost + "Transfer-Encoding: \x0b"
               "chunked\r\n\r\n0\r\n\r\n",
       400},
      {"folded chunked", kPost + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 400},
      {"space before the colon", kPost + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400},
  });
}

TEST(Strictness, OfChunks) {
  expectRows({
      {"chunks", kChunked + "5\r\nhello\r\n0\r\n\r\n", 0},
      {"leading zeros", kChunked + "0005\r\nhello\r\n000\r\n\r\n", 0},
      {"letters of both cases", kChunked + "aA\r\n" + std::string(170, 'x') + "\r\n0\r\n\r\n", 0},
      {"extension", kChunked + "5;name=\"value\"\r\nhello\r\n0;x\r\n\r\n", 0},
      {"trailer", kChunked + "0\r\nX-T: 1\r\n\r\n", 0},
      {"no digit", kChunked + "\r\nhello\r\n0\r\n\r\n", 400},
      {"no hexadecimal digit", kChunked + "5g\r\nhello\r\n0\r\n\r\n", 400},
      {"plus", kChunked + "+5\r\nhello\r\n0\r\n\r\n", 400},
      {"minus", kChunked + "-5\r\nhello\r\n0\r\n\r\n", 400},
      {"0x", kChunked + "0x5\r\nhello\r\n0\r\n\r\n", 400},
      {"underscore", kChunked + "0_5\r\nhello\r\n0\r\n\r\n", 400},
      {"space before", kChunked + " 5\r\nhello\r\n0\r\n\r\n", 400},
      {"space behind", kChunked + "5 \r\nhello\r\n0\r\n\r\n", 400},
      {"tab before an extension", kChunked + "5\t;x\r\nhello\r\n0\r\n\r\n", 400},
      {"overflow", kChunked + "10000000000000005\r\nhello\r\n0\r\n\r\n", 400},
      {"sixteen f", kChunked + "ffffffffffffffff\r\nhello", 400},
      {"many zeros", kChunked + std::string(100, '0') + "\r\n\r\n", 400},
      {"bare LF behind the size", kChunked + "5\nhello\r\n0\r\n\r\n", 400},
      {"bare CR behind the size", kChunked + "5\rhello\r\n0\r\n\r\n", 400},
      {"bare LF in an extension", kChunked + "5;a\nb\r\nhello\r\n0\r\n\r\n", 400},
      {"NUL in an extension", nul(kChunked + "5;a@b\r\nhello\r\n0\r\n\r\n"), 400},
      {"data too long", kChunked + "3\r\nhello\r\n0\r\n\r\n", 400},
      {"data too short", kChunked + "6\r\nhello\r\n0\r\n\r\n", 400},
      {"bare LF behind the data", kChunked + "5\r\nhello\n0\r\n\r\n", 400},
      {"bare CR behind the data", kChunked + "5\r\nhello\rx0\r\n\r\n", 400},
      {"nothing behind the data", kChunked + "5\r\nhello0\r\n\r\n", 400},
      {"bare LF ends the trailers", kChunked + "0\r\nX-T: 1\r\n\n", 400},
      {"bare LF instead of trailers", kChunked + "0\r\n\n", 400},
      {"space before the colon of a trailer", kChunked + "0\r\nX-T : 1\r\n\r\n", 400},
      {"trailer without a name", kChunked + "0\r\n: 1\r\n\r\n", 400},
      {"NUL in a trailer", nul(kChunked + "0\r\nX-T: @\r\n\r\n"), 400},
      {"extensions over 16 KiB", kChunked + "1;" + std::string(17 * 1024, 'x') + "\r\n", 400},
      {"extensions over 16 KiB in all", kChunked + repeated("1;" + std::string(1000, 'x') + "\r\na\r\n", 17), 400},
      {"trailers over the limit", kChunked + "0\r\nX-T: " + std::string(61 * 1024, 'x') + "\r\n\r\n", 431},
      {"too many trailers", kChunked + "0\r\n" + repeated("X: 1\r\n", 101) + "\r\n", 431},
  });
}

TEST(Strictness, OfFields) {
  expectRows({
      {"plain", get("X-A: 1\r\n"), 0},
      {"no value", get("X-A:\r\n"), 0},
      {"blanks around the value", get("X-A: \t 1 \t\r\n"), 0},
      {"tab within the value", get("X-A: a\tb\r\n"), 0},
      {"obs-text", get("X-A: caf\xc3\xa9\r\n"), 0},
      {"space before the colon", get("X-A : 1\r\n"), 400},
      {"tab before the colon", get("X-A\t: 1\r\n"), 400},
      {"space within the name", get("X A: 1\r\n"), 400},
      {"no colon", get("X-A\r\n"), 400},
      {"empty name", get(": 1\r\n"), 400},
      {"parenthesis in the name", get("X(A): 1\r\n"), 400},
      {"high byte in the name", get("X\xe9: 1\r\n"), 400},
      {"NUL in the name", nul(get("X@: 1\r\n")), 400},
      {"pseudo header", get(":path: /other\r\n"), 400},
      {"NUL in the value", nul(get("X-A: a@b\r\n")), 400},
      {"control byte in the value",
       get("X-A: a\x01"
           "b\r\n"),
       400},
      {"escape byte in the value",
       get("X-A: a\x1b"
           "b\r\n"),
       400},
      {"DEL in the value", get("X-A: a\x7f\r\n"), 400},
      {"bare CR in the value", get("X-A: a\rb\r\n"), 400},
      {"bare CR before CRLF", get("X-A: a\r\r\n"), 400},
      {"bare LF in the value", get("X-A: a\nb\r\n"), 400},
      {"bare LF ends a field", get("X-A: a\nX-B: b\r\n"), 400},
      {"folded with a space", get("X-A: a\r\n b\r\n"), 400},
      {"folded with a tab", get("X-A: a\r\n\tb\r\n"), 400},
      {"first field folded", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400},
      {"bare LF ends the head", kGet + "\n", 400},
      {"bare LF everywhere", "GET / HTTP/1.1\nHost: h\n\n", 400},
      {"CR LF LF", "GET / HTTP/1.1\r\nHost: h\r\n\n", 400},
  });
}

TEST(Strictness, OfRequestLines) {
  expectRows({
      {"empty lines first", "\r\n\r\n" + get(""), 0},
      {"too many empty lines first", "\r\n\r\n\r\n\r\n\r\n" + get(""), 400},
      {"bare LF first", "\n" + get(""), 400},
      {"space first", " " + get(""), 400},
      {"two spaces before the target", line("GET  / HTTP/1.1"), 400},
      {"two spaces before the version", line("GET /  HTTP/1.1"), 400},
      {"space at the end", line("GET / HTTP/1.1 "), 400},
      {"tab", line("GET\t/ HTTP/1.1"), 400},
      {"tab before the version", line("GET /\tHTTP/1.1"), 400},
      {"space in the target", line("GET /a b HTTP/1.1"), 400},
      {"no target", line("GET HTTP/1.1"), 426},
      {"no version", line("GET /"), 426},
      {"no version and no fields", "GET /\r\n", 426},
      {"method alone", line("GET"), 400},
      {"bad method", line("G@T / HTTP/1.1"), 400},
      {"method in small letters", line("get / HTTP/1.1"), 400},
      {"unknown method", line("BREW / HTTP/1.1"), 400},
      {"WebDAV method", line("PROPFIND / HTTP/1.1"), 0},
      {"HTTP/1.0", line("GET / HTTP/1.0"), 426},
      {"HTTP/1.2", line("GET / HTTP/1.2"), 426},
      {"HTTP/2.0", line("GET / HTTP/2.0"), 426},
      {"HTTP/0.9", line("GET / HTTP/0.9"), 426},
      {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
      {"http in small letters", line("GET / http/1.1"), 400},
      {"HTTP/1.10", line("GET / HTTP/1.10"), 400},
      {"HTTP/1", line("GET / HTTP/1"), 400},
      {"HTTP/+1.1", line("GET / HTTP/+1.1"), 400},
      {"XTTP/1.1", line("GET / XTTP/1.1"), 400},
      {"bare CR", line("GET /\rx HTTP/1.1"), 400},
      {"bare LF", "GET / HTTP/1.1\nHost: h\r\n\r\n", 400},
      {"NUL in the target", nul(line("GET /@ HTTP/1.1")), 400},
      {"control byte in the target", line("GET /\x01 HTTP/1.1"), 400},
      {"DEL in the target", line("GET /\x7f HTTP/1.1"), 400},
      {"UTF-8 in the target", line("GET /\xc3\xa9 HTTP/1.1"), 400},
      {"a TLS client", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11), 400},
  });
}

TEST(Strictness, OfTargetsAndHosts) {
  expectRows({
      {"absolute form", line("GET http://other/x HTTP/1.1"), 0},
      {"absolute form without a path", line("GET http://other HTTP/1.1"), 0},
      {"asterisk", line("OPTIONS * HTTP/1.1"), 0},
      {"asterisk for another method", line("GET * HTTP/1.1"), 400},
      {"no slash", line("GET a HTTP/1.1"), 400},
      {"query alone", line("GET ?a HTTP/1.1"), 400},
      {"fragment", line("GET /a#b HTTP/1.1"), 400},
      {"unknown scheme", line("GET ftp://other/x HTTP/1.1"), 400},
      {"absolute form with a user", line("GET http://u@other/ HTTP/1.1"), 400},
      {"absolute form without an authority", line("GET http:///x HTTP/1.1"), 400},
      {"absolute form with a bad port", line("GET http://other:99999/ HTTP/1.1"), 400},
      {"absolute form without Host", "GET http://other/x HTTP/1.1\r\n\r\n", 400},
      {"CONNECT", line("CONNECT h:80 HTTP/1.1"), 0},  // Whether it may be had is for the layer above to say.
      {"CONNECT without a port", line("CONNECT h HTTP/1.1"), 400},
      {"CONNECT with a path", line("CONNECT /path HTTP/1.1"), 400},
      {"CONNECT with a URL", line("CONNECT http://h:80/ HTTP/1.1"), 400},
      {"CONNECT with a user", line("CONNECT u@h:80 HTTP/1.1"), 400},
      {"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
      {"two Hosts", host("h\r\nHost: h"), 400},
      {"empty Host", host(""), 0},
      {"Host with a port", host("h:80"), 0},
      {"Host with an IPv6 address", host("[::1]:80"), 0},
      {"list of Hosts", host("a,b"), 400},
      {"Host with a user", host("u@h"), 400},
      {"Host with a space", host("a b"), 400},
      {"Host with a slash", host("a/b"), 400},
      {"Host with a bad port", host("h:8x"), 400},
      {"Host with too great a port", host("h:65536"), 400},
      {"Host with UTF-8", host("caf\xc3\xa9"), 400},
      {"Host with a query", host("h?x"), 400},
  });
}

TEST(Strictness, OfConnectionAndUpgrade) {
  expectRows({
      {"close", get("Connection: close\r\n"), 0},
      {"names a field", get("Connection: X-A\r\nX-A: 1\r\n"), 0},
      {"names x-forwarded-for", get("Connection: close, X-Forwarded-For\r\n"), 400},
      {"names x-forwarded-proto", get("Connection: x-forwarded-proto\r\n"), 400},
      {"names host", get("Connection: Host\r\n"), 400},
      {"names content-length", kPost + "Connection: content-length\r\nContent-Length: 0\r\n\r\n", 400},
      {"names a pseudo header", get("Connection: :path\r\n"), 400},
      {"names ten", get("Connection: a,b,c,d,e,f,g,h,i,j\r\n"), 400},
      {"upgrade to WebSocket", get("Connection: upgrade\r\nUpgrade: websocket\r\n"), 0},
      {"upgrade with a body", get("Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n"), 400},
      {"upgrade with chunks", get("Connection: upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n"), 400},
      {"upgrade to h2c", get("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAM\r\n"), 0},
      {"upgrade without Connection", get("Upgrade: websocket\r\n"), 0},
  });
}

TEST(Strictness, OfSizes) {
  expectRows({
      {"100 fields", kGet + repeated("X: 1\r\n", 99) + "\r\n", 0},
      {"101 fields", kGet + repeated("X: 1\r\n", 100) + "\r\n", 431},
      {"59 KiB in a field", get("X: " + std::string(59 * 1024, 'x') + "\r\n"), 0},
      {"61 KiB in a field", get("X: " + std::string(61 * 1024, 'x') + "\r\n"), 431},
      {"a target of 61 KiB", line("GET /" + std::string(61 * 1024, 'x') + " HTTP/1.1"), 431},
      {"a method without an end", std::string(61 * 1024, 'x'), 431},
      {"a head without an end", kGet + "X: " + std::string(61 * 1024, 'x'), 431},
      {"many small fields", kGet + repeated("X-Name: " + std::string(700, 'x') + "\r\n", 95), 431},
  });
}

TEST(Strictness, OfHttp10) {
  ServerSettings settings;
  settings.accept_http_10 = true;
  expectRows(
      {
          {"HTTP/1.0", line("GET / HTTP/1.0"), 0},
          {"no Host", "GET / HTTP/1.0\r\n\r\n", 400},
          {"chunked", "POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
          {"HTTP/1.2", line("GET / HTTP/1.2"), 426},
      },
      settings);
}

TEST(Strictness, DropsWhatFollowsAMalformedRequest) {
  const Outcome outcome = serveInEveryWay(get("bad\r\n") + get(""));
  EXPECT_EQ(outcome.log, "malformed(400 http1.codec_error)");
  EXPECT_FALSE(outcome.finished) << "the answer is still to come";
}

TEST(Strictness, NamesFaultsAsEnvoyDoes) {
  const auto detail = [](const std::string& input) { return serveInEveryWay(input).log; };
  EXPECT_EQ(detail(get(repeated("X: 1\r\n", 101))), "malformed(431 http1.too_many_headers)");
  EXPECT_EQ(detail(kPost + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
            "malformed(400 http1.content_length_and_chunked_not_allowed)");
  EXPECT_EQ(detail(kPost + "Transfer-Encoding: gzip\r\n\r\n"), "malformed(501 http1.invalid_transfer_encoding)");
  EXPECT_EQ(detail("GET / HTTP/1.1\r\n\r\n"), "malformed(400 missing_host_header)");
  EXPECT_EQ(detail(line("GET / HTTP/1.0")), "malformed(426 low_version)");
  EXPECT_EQ(detail(host("a b")), "malformed(400 http.invalid_authority)");
  EXPECT_EQ(detail(get("Connection: x-forwarded-for\r\n")), "malformed(400 http1.connection_header_rejected)");
}

// The client side: what an upstream may not answer. The connection is never used again.
std::string ask(std::string_view input, size_t step, const std::string& method = "GET") {
  RecordingWire wire;
  RecordingReceiver receiver;
  const auto codec = createClientCodec(wire, {});
  http::Stream& stream = codec->newStream(receiver);
  http::HeaderMap request;
  request.add(http::HeaderId::Method, method);
  request.add(http::HeaderId::Path, "/");
  request.add(http::HeaderId::Authority, "h");
  stream.sendHeaders(request, true);
  base::BufferChain in;
  bool ok = true;
  while (!input.empty() && ok) {
    in.append(input.substr(0, step));
    input.remove_prefix(std::min(step, input.size()));
    ok = codec->receive(in).ok();
  }
  return receiver.log() + (codec->reusable() ? "" : " | not reusable");
}

std::string askInEveryWay(std::string_view input, const std::string& method = "GET") {
  const std::string whole = ask(input, input.size(), method);
  EXPECT_EQ(ask(input, 1, method), whole) << "byte by byte";
  EXPECT_EQ(ask(input, 7, method), whole) << "in sevens";
  return whole;
}

TEST(Strictness, OfResponses) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::vector<std::pair<const char*, std::string>> rows = {
      {"both lengths", ok + "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {"two lengths", ok + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nok"},
      {"negative length", ok + "Content-Length: -1\r\n\r\n"},
      {"unknown coding", ok + "Transfer-Encoding: gzip\r\n\r\n"},
      {"chunked in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {"bad chunk", ok + "Transfer-Encoding: chunked\r\n\r\nx\r\n"},
      {"status 99", "HTTP/1.1 099 x\r\n\r\n"},
      {"status 600", "HTTP/1.1 600 x\r\n\r\n"},
      {"status 1000", "HTTP/1.1 1000 x\r\n\r\n"},
      {"no status", "HTTP/1.1 OK\r\n\r\n"},
      {"HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n"},
      {"HTTP/1.2", "HTTP/1.2 200 OK\r\n\r\n"},
      {"HTTP/0.9", "hello\r\n\r\n"},
      {"ICY", "ICY 200 OK\r\n\r\n"},
      {"empty line first", "\r\n" + ok + "\r\n"},
      {"bare LF", "HTTP/1.1 200 OK\nContent-Length: 0\n\n"},
      {"bare CR in a value", ok + "X: a\rSet-Cookie: evil\r\n\r\n"},
      {"bare CR in the reason", "HTTP/1.1 200 O\rK\r\n\r\n"},
      {"folded field", ok + "X: a\r\n b\r\n\r\n"},
      {"NUL", nul(ok + "X: @\r\n\r\n")},
      {"204 with a length", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello"},
      {"204 in chunks", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {"unasked 101", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"},
      {"too many 1xx", repeated("HTTP/1.1 100 Continue\r\n\r\n", 101)},
      {"head too large", ok + "X: " + std::string(61 * 1024, 'x')},
      {"too many fields", ok + repeated("X: 1\r\n", 101) + "\r\n"},
  };
  for (const auto& [name, input] : rows) {
    SCOPED_TRACE(name);
    const std::string log = askInEveryWay(input);
    EXPECT_NE(log.find("reset(protocol error"), std::string::npos) << log.substr(0, 300);
    EXPECT_EQ(log.find("complete"), std::string::npos) << log.substr(0, 300);
    EXPECT_NE(log.find("not reusable"), std::string::npos);
  }
}

}  // namespace
}  // namespace weir::http1
