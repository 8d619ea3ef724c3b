#include "exchange/client_certificate.h"

#include <gtest/gtest.h>

namespace weir::exchange {
namespace {

using Forward = ClientCertificateSpec::Forward;

struct ClientCertificateTest : ::testing::Test {
  ClientCertificateTest() {
    tls.peer_certificate_presented = true;
    tls.local.uri_sans = {"spiffe://x/me"};
    tls.peer.sha256 = "abcd";
    tls.peer.subject = "CN=client,O=a";
    tls.peer.pem_urlencoded = "PEM";
    tls.peer.chain_pem_urlencoded = "PEMPEM";
    tls.peer.uri_sans = {"spiffe://x/you"};
    tls.peer.dns_sans = {"a", "b"};
  }
  std::string header(const net::TlsInfo* of) {
    http::HeaderMap request;
    if (!before.empty()) request.add("x-forwarded-client-cert", before);
    setClientCertificateHeader(spec, of, request);
    return std::string(request.get("x-forwarded-client-cert").value_or("none"));
  }
  ClientCertificateSpec spec;
  net::TlsInfo tls;
  std::string before = "Hash=old";
};

TEST_F(ClientCertificateTest, IsRemovedUnlessConfigured) {
  EXPECT_EQ(header(&tls), "none");
  EXPECT_EQ(header(nullptr), "none");
}

TEST_F(ClientCertificateTest, IsForwardedOnlyOverMutualTlsOrAlways) {
  spec.forward = Forward::ForwardOnly;
  EXPECT_EQ(header(&tls), "Hash=old");
  EXPECT_EQ(header(nullptr), "none");
  tls.peer_certificate_presented = false;
  EXPECT_EQ(header(&tls), "none");
  spec.forward = Forward::AlwaysForwardOnly;
  EXPECT_EQ(header(nullptr), "Hash=old");
}

TEST_F(ClientCertificateTest, IsSetInPlaceOfWhatCame) {
  spec.forward = Forward::SanitizeSet;
  EXPECT_EQ(header(&tls), "By=spiffe://x/me;Hash=abcd");
}

TEST_F(ClientCertificateTest, IsAppendedWithAllDetails) {
  spec = {Forward::AppendForward, true, true, true, true, true};
  EXPECT_EQ(header(&tls),
            "Hash=old,By=spiffe://x/me;Hash=abcd;Cert=\"PEM\";Chain=\"PEMPEM\";Subject=\"CN=client,O=a\";"
            "URI=spiffe://x/you;DNS=a;DNS=b");
  before.clear();
  tls.peer.uri_sans.clear();
  spec = {Forward::AppendForward, true, false, false, true, false};
  EXPECT_EQ(header(&tls), "By=spiffe://x/me;Hash=abcd;Subject=\"CN=client,O=a\";URI=");
}

}  // namespace
}  // namespace weir::exchange
