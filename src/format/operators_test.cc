// Every operator, in one table: what it says of the entry in test_entry.h.
#include <gtest/gtest.h>

#include "format/test_entry.h"

namespace weir::format {
namespace {

struct Row {
  const char* format;
  const char* expected;
};

constexpr Row kRows[] = {
    {"PROTOCOL", "HTTP/2"},
    {"UPSTREAM_PROTOCOL", "HTTP/1.1"},
    {"RESPONSE_CODE", "503"},
    {"RESPONSE_CODE_DETAILS", "via_upstream"},
    {"RESPONSE_CODE_DETAILS(ALLOW_WHITESPACES)", "via upstream"},
    {"CONNECTION_TERMINATION_DETAILS", "-"},
    {"RESPONSE_FLAGS", "UF,URX"},
    {"RESPONSE_FLAGS_LONG", "UpstreamConnectionFailure,UpstreamRetryLimitExceeded"},
    {"BYTES_RECEIVED", "11"},
    {"BYTES_SENT", "22"},
    {"BYTES_RETRANSMITTED", "0"},
    {"PACKETS_RETRANSMITTED", "0"},
    {"RESPONSE_HEADERS_BYTES", "21"},
    {"RESPONSE_TRAILERS_BYTES", "8"},
    {"DOWNSTREAM_WIRE_BYTES_SENT", "33"},
    {"DOWNSTREAM_WIRE_BYTES_RECEIVED", "44"},
    {"DOWNSTREAM_HEADER_BYTES_SENT", "5"},
    {"DOWNSTREAM_HEADER_BYTES_RECEIVED", "6"},
    {"DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_SENT", "7"},
    {"DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED", "8"},
    {"UPSTREAM_WIRE_BYTES_SENT", "100"},
    {"UPSTREAM_WIRE_BYTES_RECEIVED", "200"},
    {"UPSTREAM_HEADER_BYTES_SENT", "30"},
    {"UPSTREAM_HEADER_BYTES_RECEIVED", "40"},
    {"UPSTREAM_DECOMPRESSED_HEADER_BYTES_SENT", "31"},
    {"UPSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED", "41"},
    {"UPSTREAM_REQUEST_ATTEMPT_COUNT", "2"},
    {"ROUTE_NAME", "route"},
    {"VIRTUAL_CLUSTER_NAME", "-"},
    {"LOCAL_REPLY_BODY", "body"},
    {"ACCESS_LOG_TYPE", "DownstreamEnd"},
    {"CUSTOM_FLAGS", ""},
    {"TRACE_ID", "-"},
    {"SPAN_ID", "-"},
    {"STREAM_ID", "9d138c39-3714-4f32-9a91-8cf7a7e7353c"},
    {"DURATION", "13"},
    {"REQUEST_DURATION", "2"},
    {"REQUEST_TX_DURATION", "4"},
    {"RESPONSE_DURATION", "8"},
    {"RESPONSE_TX_DURATION", "4"},
    {"ROUNDTRIP_DURATION", "-"},
    {"DOWNSTREAM_HANDSHAKE_DURATION", "3"},
    {"UPSTREAM_CONNECTION_POOL_READY_DURATION", "1"},
    {"COMMON_DURATION(DS_RX_BEG:DS_TX_BEG:us)", "8500"},
    {"COMMON_DURATION(US_CX_BEG:US_CX_END)", "2"},
    {"COMMON_DURATION(US_TX_BEG:US_RX_END:ns)", "7000000"},
    {"COMMON_DURATION(US_RX_BODY_BEG:DS_TX_END:ms)", "-"},
    {"COMMON_DURATION(mine:DS_TX_END:ms)", "-"},
    {"WASM_CALLS", "7"},
    {"WASM_CALLS(auth)", "5"},
    {"WASM_CALLS(gone)", "-"},
    {"WASM_DURATION", "1241"},
    {"WASM_DURATION(auth:us)", "1234"},
    {"WASM_DURATION(auth:ns)", "1234567"},
    {"WASM_DURATION(:ms)", "1"},
    {"WASM_DURATION(gone)", "-"},
    {"WASM_FAULT", "auth:deadline:proxy_on_log,dead:stack:proxy_on_tick"},
    {"WASM_FAULT(auth)", "deadline:proxy_on_log"},
    {"WASM_FAULT(quiet)", "-"},
    {"DOWNSTREAM_REMOTE_ADDRESS", "203.0.113.77:0"},
    {"DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", "203.0.113.77"},
    {"DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(20)", "203.0.112.0/20"},
    {"DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(99)", "203.0.113.77/32"},
    {"DOWNSTREAM_REMOTE_PORT", "0"},
    {"DOWNSTREAM_DIRECT_REMOTE_ADDRESS", "192.168.7.9:5000"},
    {"DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT", "192.168.7.9"},
    {"DOWNSTREAM_DIRECT_REMOTE_PORT", "5000"},
    {"DOWNSTREAM_LOCAL_ADDRESS", "10.0.0.1:443"},
    {"DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", "10.0.0.1"},
    {"DOWNSTREAM_LOCAL_PORT", "443"},
    {"DOWNSTREAM_DIRECT_LOCAL_ADDRESS", "10.0.0.1:443"},
    {"DOWNSTREAM_DIRECT_LOCAL_PORT", "443"},
    {"DOWNSTREAM_LOCAL_ADDRESS_ENDPOINT_ID", ""},
    {"UPSTREAM_HOST", "10.1.10.23:8080"},
    {"UPSTREAM_HOST_NAME", "up.example:8080"},
    {"UPSTREAM_HOST_NAME_WITHOUT_PORT", "up.example"},
    {"UPSTREAM_HOSTS_ATTEMPTED", "10.1.10.22:8080,10.1.10.23:8080"},
    {"UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT", "10.1.10.22,10.1.10.23"},
    {"UPSTREAM_HOST_NAMES_ATTEMPTED", "10.1.10.22:8080,up.example:8080"},
    {"UPSTREAM_HOST_NAMES_ATTEMPTED_WITHOUT_PORT", "10.1.10.22,up.example"},
    {"UPSTREAM_CONNECTION_IDS_ATTEMPTED", "11,12"},
    {"UPSTREAM_CLUSTER", "web"},
    {"UPSTREAM_CLUSTER_RAW", "web"},
    {"UPSTREAM_LOCAL_ADDRESS", "10.1.0.1:40000"},
    {"UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT(16)", "10.1.0.0/16"},
    {"UPSTREAM_LOCAL_PORT", "40000"},
    {"UPSTREAM_REMOTE_ADDRESS", "10.1.10.23:8080"},
    {"UPSTREAM_REMOTE_PORT", "8080"},
    {"UPSTREAM_TRANSPORT_FAILURE_REASON", "-"},
    {"DOWNSTREAM_TRANSPORT_FAILURE_REASON", "-"},
    {"DOWNSTREAM_LOCAL_CLOSE_REASON", "-"},
    {"DOWNSTREAM_DETECTED_CLOSE_TYPE", "Normal"},
    {"CONNECTION_ID", "7"},
    {"UPSTREAM_CONNECTION_ID", "12"},
    {"FILTER_CHAIN_NAME", "chain"},
    {"DOWNSTREAM_TLS_VERSION", "TLSv1.3"},
    {"DOWNSTREAM_TLS_CIPHER", "TLS_AES_128_GCM_SHA256"},
    {"DOWNSTREAM_TLS_SESSION_ID", "-"},
    {"DOWNSTREAM_PEER_SUBJECT", "CN=client"},
    {"DOWNSTREAM_PEER_DNS_SAN", "a.example,b.example"},
    {"DOWNSTREAM_PEER_URI_SAN", "-"},
    {"DOWNSTREAM_PEER_CERT_V_START", "2023-11-14T22:13:20.000Z"},
    {"DOWNSTREAM_PEER_CERT_V_START(%Y)", "2023"},
    {"DOWNSTREAM_PEER_CERT_V_END", "-"},
    {"UPSTREAM_TLS_VERSION", "-"},
    {"UPSTREAM_PEER_CERT_V_END", "-"},
    {"REQUESTED_SERVER_NAME", "sni.example"},
    {"REQUESTED_SERVER_NAME(HOST_FIRST)", "host.example"},
    {"REQUESTED_SERVER_NAME(SNI_FIRST:HOST)", "sni.example"},
    {"COALESCE({\"operators\": [\"TRACE_ID\", {\"command\": \"REQ\", \"param\": \"x-a\"}]})", "first"},
    {"COALESCE({\"operators\":[{\"command\":\"REQ\",\"param\":\"x-a\",\"max_length\":3}]}):2", "fi"},
    {"COALESCE({\"operators\":[\"CUSTOM_FLAGS\"]})", "-"},
    {"REQ(:METHOD)", "GET"},
    {"REQ(X-A)", "first"},
    {"REQ(x-none?x-a):3", "fir"},
    {"REQ(x-none)", "-"},
    {"REQUEST_HEADER(x-a)", "first"},
    {"RESP(:status)", "503"},
    {"RESP(x-up)", "yes \"q\""},
    {"RESPONSE_HEADER(x-none)", "-"},
    {"TRAILER(x-trail)", "t"},
    {"RESPONSE_TRAILER(x-trail?x)", "t"},
    {"REQ_WITHOUT_QUERY(:path)", "/a/b"},
    {"PATH", "/a/b?q=1%202&empty=&q=3"},
    {"PATH(NQ)", "/a/b"},
    {"PATH(WQ:ORIG)", "-"},
    {"PATH(NQ:PATH):2", "/a"},
    {"QUERY_PARAM(q)", "1 2"},
    {"QUERY_PARAM(empty)", ""},
    {"QUERY_PARAM(none)", "-"},
    {"QUERY_PARAM(q):1", "1"},
    {"START_TIME", "2023-11-14T22:13:20.123Z"},
    {"START_TIME(%s.%6f)", "1700000000.123456"},
    {"EMIT_TIME(%S)", "21"},
    {"METADATA(ROUTE:ns)", "{\"k\":\"v\\\"x\",\"n\":1.5,\"o\":{\"x\":\"y\"}}"},
    {"METADATA(ROUTE:ns:k)", "v\"x"},
    {"METADATA(ROUTE:ns:k):1", "v"},
    {"METADATA(ROUTE:ns:o:x)", "y"},
    {"METADATA(ROUTE:ns:k:x)", "-"},
    {"METADATA(CLUSTER:ns)", "-"},
    {"METADATA(UPSTREAM_HOST:ns)", "-"},
    {"METADATA(LISTENER:ns)", "-"},
    {"METADATA(VIRTUAL_HOST:ns)", "-"},
    {"DYNAMIC_METADATA(ns:k)", "-"},
    {"CLUSTER_METADATA(ns:k)", "-"},
    {"UPSTREAM_METADATA(ns:k)", "-"},
    {"FILTER_STATE(wasm.x:PLAIN)", "state"},
    {"FILTER_STATE(wasm.x)", "\"state\""},
    {"FILTER_STATE(none)", "-"},
    {"UPSTREAM_FILTER_STATE(x)", "-"},
    {"GRPC_STATUS", "-"},
    {"GRPC_STATUS_NUMBER", "-"},
    {"ENVIRONMENT(no_such_variable_here)", "-"},
};

std::string run(const std::string& operation) {
  TestEntry test;
  auto format = TextFormat::create("%" + operation + "%");
  if (!format.ok()) return "refused: " + format.error().detail;
  std::string out;
  format->append(test.entry(), false, out);
  return out;
}

TEST(Operators, SayWhatIsKnownOfTheEntry) {
  for (const Row& row : kRows) EXPECT_EQ(run(row.format), row.expected) << row.format;
}

TEST(Operators, AreAbsentOrZeroWhereNothingIsKnown) {
  const filter::StreamInfo nothing;
  for (const Row& row : kRows) {
    auto format = TextFormat::create("%" + std::string(row.format) + "%");
    ASSERT_TRUE(format.ok()) << row.format;
    std::string out;
    format->append({.info = nothing}, false, out);
    EXPECT_TRUE(out == "-" || out == "0" || out.size() < 40) << row.format << " " << out;
  }
}

TEST(Operators, CiphersHaveOpenSslsNames) {
  TestEntry test;
  const auto name = [&](const char* standard) {
    auto tls = std::make_shared<net::TlsInfo>();
    tls->cipher = standard;
    test.connection.tls = tls;
    std::string out;
    TextFormat::create("%DOWNSTREAM_TLS_CIPHER%")->append(test.entry(), false, out);
    return out;
  };
  EXPECT_EQ(name("TLS_AES_256_GCM_SHA384"), "TLS_AES_256_GCM_SHA384");
  EXPECT_EQ(name("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"), "ECDHE-RSA-AES128-GCM-SHA256");
  EXPECT_EQ(name("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"), "ECDHE-ECDSA-CHACHA20-POLY1305");
  EXPECT_EQ(name("TLS_RSA_WITH_AES_256_CBC_SHA"), "AES256-SHA");
}

TEST(Operators, UniqueIdIsAUuid) { EXPECT_EQ(run("UNIQUE_ID").size(), 36u); }

TEST(Operators, GrpcStatusIsThatOfTrailersThenHeadersThenHttp) {
  TestEntry test;
  test.request.add("content-type", "application/grpc");
  const auto status = [&](const char* operation) {
    std::string out;
    TextFormat::create(operation)->append(test.entry(), false, out);
    return out;
  };
  EXPECT_EQ(status("%GRPC_STATUS%"), "Unavailable");
  test.response.add("grpc-status", "3");
  EXPECT_EQ(status("%GRPC_STATUS(SNAKE_STRING)%"), "INVALID_ARGUMENT");
  test.trailers.add("grpc-status", "1");
  EXPECT_EQ(status("%GRPC_STATUS%"), "Canceled");
  EXPECT_EQ(status("%GRPC_STATUS(NUMBER)% %GRPC_STATUS_NUMBER%"), "1 1");
  test.trailers.set("grpc-status", "99");
  EXPECT_EQ(status("%GRPC_STATUS%"), "99");
}

TEST(Operators, WrongParametersAreRefusedWithTheirName) {
  const Row kRefused[] = {
      {"FOO", "there is no operator %FOO%"},
      {"REQ", "REQ requires parameters"},
      {"REQ()", "REQ requires parameters"},
      {"REQ(a?b?c)", "More than 1 alternative header specified in token: a?b?c"},
      {"REQ(a b)", "'a b' is not a header name"},
      {"DURATION(x)", "DURATION does not take any parameters or length"},
      {"DURATION:3", "DURATION does not take any parameters or length"},
      {"START_TIME:3", "START_TIME does not allow length to be specified"},
      {"START_TIME(%n)", "START_TIME: a format of times holds a newline"},
      {"COMMON_DURATION(a:b:s)", "Invalid common duration precision: s"},
      {"WASM_DURATION(auth:s)", "Invalid WASM_DURATION precision: s"},
      {"WASM_CALLS:3", "WASM_CALLS does not allow length to be specified"},
      {"PATH(X)", "Invalid PATH option: 'X', only 'WQ'/'NQ' are allowed"},
      {"METADATA(X:y)", "X is not supported type of metadata"},
      {"GRPC_STATUS(X)", "GRPC_STATUS only supports CAMEL_STRING, SNAKE_STRING or NUMBER. Got: X"},
      {"REQUESTED_SERVER_NAME(X)",
       "Invalid REQUESTED_SERVER_NAME option: 'X', only 'SNI_ONLY'/'SNI_FIRST'/'HOST_FIRST' are allowed"},
      {"COALESCE(x)", "COALESCE requires a JSON object with \"operators\", a list of 1 to 32"},
      {"COALESCE({\"operators\":[\"FOO\"]})", "there is no operator %FOO%"},
      {"DYNAMIC_METADATA([\"a\"])",
       "DYNAMIC_METADATA: the form [\"namespace\", \"key\"] is deprecated; write namespace:key"},
      {"CEL(x)", "%CEL% is known to Envoy, but not implemented in weir yet: there are no CEL expressions"},
  };
  for (const Row& row : kRefused) EXPECT_EQ(run(row.format), "refused: " + std::string(row.expected));
}

}  // namespace
}  // namespace weir::format
