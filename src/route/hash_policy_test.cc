#include "route/hash_policy.h"

#include "base/hash.h"
#include "route/test_support.h"

namespace weir::route {
namespace {

using Kind = HashPolicy::Kind;

struct HashPoliciesTest : testing::Test {
  HashPolicy& add(Kind kind, std::string name = "") {
    specs.push_back({.kind = kind, .name = std::move(name)});
    return specs.back();
  }
  Hashed evaluate() {
    auto policies = HashPolicies::create(specs);
    EXPECT_TRUE(policies.ok());
    return policies->evaluate({headers, "10.0.0.1", "10.0.0.1:40000|10.0.0.2:80", state});
  }
  std::vector<HashPolicy> specs;
  http::HeaderMap headers = request("h", "/p?a=1&b=2&a=3");
  std::map<std::string, std::string, std::less<>> state;
};

TEST_F(HashPoliciesTest, HaveNothingToSayOfWhatIsNotThere) {
  add(Kind::Header, "x-k");
  add(Kind::QueryParameter, "c");
  add(Kind::Cookie, "k");
  add(Kind::FilterState, "wasm.k");
  EXPECT_EQ(evaluate().hash, std::nullopt);
}

TEST_F(HashPoliciesTest, HashAHeaderWhateverTheOrderOfItsValues) {
  add(Kind::Header, "x-k");
  headers.add("x-k", "one");
  EXPECT_EQ(evaluate().hash, base::xxHash64("one"));
  headers.add("x-k", "a");
  EXPECT_EQ(evaluate().hash, base::xxHash64("one", base::xxHash64("a")));
}

TEST_F(HashPoliciesTest, HashAHeaderRewritten) {
  add(Kind::Header, "x-k").header_rewrite = RegexRewrite{"^/(\\w+)/.*", "\\1"};
  headers.add("x-k", "/tenant/rest");
  EXPECT_EQ(evaluate().hash, base::xxHash64("tenant"));
}

TEST_F(HashPoliciesTest, HashTheFirstParameterOfThatName) {
  add(Kind::QueryParameter, "a");
  EXPECT_EQ(evaluate().hash, base::xxHash64("1"));
}

TEST_F(HashPoliciesTest, HashTheClient) {
  add(Kind::SourceIp);
  EXPECT_EQ(evaluate().hash, base::xxHash64("10.0.0.1"));
}

TEST_F(HashPoliciesTest, HashACookieAndMakeOneWhereThereIsNone) {
  auto& policy = add(Kind::Cookie, "k");
  policy.cookie_ttl = std::chrono::seconds(60);
  policy.cookie_path = "/p";
  policy.cookie_attributes = {{"SameSite", "Lax"}, {"Secure", ""}};
  const Hashed made = evaluate();
  ASSERT_EQ(made.set_cookies.size(), 1u);
  EXPECT_THAT(made.set_cookies[0], testing::StartsWith("k=\""));
  EXPECT_THAT(made.set_cookies[0], testing::EndsWith("\"; Max-Age=60; Path=/p; SameSite=Lax; Secure; HttpOnly"));
  // The client sends it back, and lands in the same place.
  headers.add("cookie", "x=1; k=" + made.set_cookies[0].substr(3, 16));
  EXPECT_EQ(evaluate().hash, made.hash);
  EXPECT_TRUE(evaluate().set_cookies.empty());
}

TEST_F(HashPoliciesTest, CombineInOrderAndEndAtATerminalOne) {
  add(Kind::QueryParameter, "a");
  add(Kind::QueryParameter, "b");
  const uint64_t a = base::xxHash64("1");
  EXPECT_EQ(evaluate().hash, ((a << 1) | (a >> 63)) ^ base::xxHash64("2"));
  specs[0].terminal = true;
  EXPECT_EQ(evaluate().hash, a);
  specs[0].name = "none";
  EXPECT_EQ(evaluate().hash, base::xxHash64("2"));
}

}  // namespace
}  // namespace weir::route
