#include "proxy_wasm/image_pull.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <deque>
#include <fstream>

#include "oci/manifest.h"
#include "proxy_wasm/kept_code.h"

namespace weir::proxy_wasm {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kCode = std::string("\0asm", 4) + "...";

std::string digestOf(std::string_view bytes) { return "sha256:" + sha256Of(bytes); }

std::string manifestOf(std::string_view code, std::string_view type = "application/wasm") {
  return fmt::format(R"({{"schemaVersion":2,"layers":[{{"mediaType":"{}","digest":"{}","size":{}}}]}})", type,
                     digestOf(code), code.size());
}

std::string headerOf(const FetchRequest& request, std::string_view name) {
  for (const auto& [each, value] : request.headers) {
    if (each == name) return value;
  }
  return "";
}

// A registry of the test's making: what is not among its answers is 404.
struct ImagePullTest : ::testing::Test {
  void SetUp() override { has("r/v2/team/p/manifests/1", manifestOf(kCode)), hasBlob(kCode); }

  void has(const std::string& address, std::string body) {
    answers["https://" + address] = FetchAnswer{.status = 200, .body = std::move(body)};
  }
  void hasBlob(const std::string& bytes) { has("r/v2/team/p/blobs/" + digestOf(bytes), bytes); }

  Fetch fetch() {
    return [this](FetchRequest request, std::function<void(FetchAnswer)> answered) {
      asked.push_back(request.cluster + " " + request.uri);
      authorizations.push_back(headerOf(request, "authorization"));
      FetchAnswer answer{.status = 404};
      if (const auto found = answers.find(request.uri); found != answers.end()) answer = found->second;
      // Who has no credentials of the wanted kind is told so.
      if (!wanted.empty() && request.uri.starts_with("https://r/") && headerOf(request, "authorization") != wanted) {
        answer = {.status = 401, .headers = {{"www-authenticate", challenge}}};
      }
      if (answer.body.size() > request.max_bytes) answer = {.reason = "too much", .too_large = true};
      pending.push_back([answered = std::move(answered), answer = std::move(answer)] { answered(answer); });
    };
  }

  // The module, or "error: ...".
  std::string pull(const std::string& uri = "oci://r/team/p:1", const std::string& known = "") {
    std::optional<base::Result<PulledImage>> result;
    pullImage(
        {.image = *oci::parseImageName(uri), .cluster = "c", .timeout = std::chrono::seconds(1), .known_digest = known},
        settings, fetch(), [&](base::Result<PulledImage> image) { result = std::move(image); });
    EXPECT_FALSE(result.has_value()) << "told within the call";
    for (int i = 0; i < 100 && !pending.empty(); ++i) {
      const auto next = std::move(pending.front());
      pending.pop_front();
      next();
    }
    if (!result) return "never told";
    if (!result->ok()) {
      error = result->error();
      return "error: " + error.detail;
    }
    image = **result;
    return image.unchanged ? "unchanged" : image.module;
  }

  void knowsPassword() {
    char path[] = "/tmp/weir-credentials-XXXXXX";
    const int file = ::mkstemp(path);
    ::close(file);
    std::ofstream(path) << R"({"auths": {"r": {"auth": "dTpw"}}})";
    settings.credentials_file = path;
  }
  ~ImagePullTest() override {
    if (!settings.credentials_file.empty()) ::unlink(settings.credentials_file.c_str());
  }

  RegistrySettings settings;
  std::map<std::string, FetchAnswer> answers;
  std::string wanted, challenge;
  std::deque<std::function<void()>> pending;
  std::vector<std::string> asked, authorizations;
  PulledImage image;
  base::Error error;
};

TEST_F(ImagePullTest, AsksForTheManifestAndThenForTheLayer) {
  EXPECT_EQ(pull(), kCode);
  EXPECT_EQ(image.digest, digestOf(manifestOf(kCode)));
  EXPECT_THAT(asked,
              ElementsAre("c https://r/v2/team/p/manifests/1", "c https://r/v2/team/p/blobs/" + digestOf(kCode)));
}

TEST_F(ImagePullTest, EndsWithTheManifestWhereTheCopyIsStillRight) {
  EXPECT_EQ(pull("oci://r/team/p:1", digestOf(manifestOf(kCode))), "unchanged");
  EXPECT_EQ(asked.size(), 1U);
}

TEST_F(ImagePullTest, TakesTheManifestOfAnIndexByItsDigestAndSize) {
  const std::string manifest = manifestOf(kCode);
  const auto index = [&](size_t size) {
    return fmt::format(
        R"({{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{{"digest":"{}","size":{}}}]}})",
        digestOf(manifest), size);
  };
  has("r/v2/team/p/manifests/1", index(manifest.size()));
  has("r/v2/team/p/manifests/" + digestOf(manifest), manifest);
  EXPECT_EQ(pull(), kCode);
  EXPECT_EQ(image.digest, digestOf(index(manifest.size())));
  has("r/v2/team/p/manifests/1", index(manifest.size() + 1));
  EXPECT_THAT(pull(), HasSubstr(fmt::format("it has {} bytes, and not {}", manifest.size(), manifest.size() + 1)));
}

TEST_F(ImagePullTest, BelievesNoDocumentOfAnotherDigest) {
  has("r/v2/team/p/blobs/" + digestOf(kCode), std::string("\0asm", 4) + "###");
  EXPECT_THAT(pull(), HasSubstr("and not " + digestOf(kCode)));
  EXPECT_EQ(error.retry, base::Retry::No);
  const std::string other = digestOf("other");
  has("r/v2/team/p/manifests/" + other, manifestOf(kCode));
  EXPECT_THAT(pull("oci://r/team/p@" + other), HasSubstr("and not " + other));
}

TEST_F(ImagePullTest, SaysWhatTheRegistryAnswered) {
  answers["https://r/v2/team/p/manifests/1"] =
      FetchAnswer{.status = 404, .body = R"({"errors":[{"code":"NAME_UNKNOWN"}]})"};
  EXPECT_EQ(pull(), "error: GET https://r/v2/team/p/manifests/1: status 404 (NAME_UNKNOWN)");
  EXPECT_EQ(error.retry, base::Retry::No);
  answers["https://r/v2/team/p/manifests/1"] = {.status = 503};
  EXPECT_EQ(pull(), "error: GET https://r/v2/team/p/manifests/1: status 503");
  EXPECT_EQ(error.retry, base::Retry::Yes);
  answers["https://r/v2/team/p/manifests/1"] = {.reason = "there is no cluster 'c'"};
  EXPECT_EQ(pull(), "error: GET https://r/v2/team/p/manifests/1: there is no cluster 'c'");
}

TEST_F(ImagePullTest, HasALimitForEachAnswer) {
  has("r/v2/team/p/manifests/1", std::string(oci::kMaxManifestBytes + 1, ' '));
  EXPECT_THAT(pull(), HasSubstr("too much"));
  EXPECT_EQ(error.code, base::Code::TooLarge);
  has("r/v2/team/p/manifests/1", manifestOf(kCode));
  has("r/v2/team/p/blobs/" + digestOf(kCode), kCode + "more than the manifest says");
  EXPECT_THAT(pull(), HasSubstr("too much"));
}

TEST_F(ImagePullTest, GivesAPasswordWhereItIsAskedForOne) {
  knowsPassword();
  wanted = "Basic dTpw";
  challenge = "Basic realm=\"r\"";
  EXPECT_EQ(pull(), kCode);
  EXPECT_THAT(authorizations, ElementsAre("", "Basic dTpw", "Basic dTpw"));
  wanted = "Basic other";
  EXPECT_EQ(pull(), "error: GET https://r/v2/team/p/manifests/1: status 401");
}

TEST_F(ImagePullTest, SaysThatThereAreNoCredentials) {
  wanted = "Basic dTpw";
  challenge = "Basic realm=\"r\"";
  EXPECT_THAT(pull(), HasSubstr("status 401; there are no credentials for r (--oci-credentials)"));
}

TEST_F(ImagePullTest, FetchesATokenFromTheRegistryItself) {
  knowsPassword();
  wanted = "Bearer abc";
  challenge = "Bearer realm=\"https://R/token\",service=\"s\"";
  answers["https://R/token?service=s&scope=repository:team/p:pull"] =
      FetchAnswer{.status = 200, .body = R"({"token":"abc"})"};
  EXPECT_EQ(pull(), kCode);
  EXPECT_THAT(authorizations, ElementsAre("", "Basic dTpw", "Bearer abc", "Bearer abc"));
}

TEST_F(ImagePullTest, GoesToOtherHostsOnlyByTheClusterThatTheOperatorNames) {
  wanted = "Bearer abc";
  challenge = "Bearer realm=\"https://tokens/t\",service=\"s\"";
  answers["https://tokens/t?service=s&scope=repository:team/p:pull"] =
      FetchAnswer{.status = 200, .body = R"({"token":"abc"})"};
  EXPECT_EQ(pull(),
            "error: the registry sends us to https://tokens/t, and no --oci-host says by which cluster 'tokens' is "
            "reached");
  settings.hosts["tokens"] = "t";
  asked.clear();
  EXPECT_EQ(pull(), kCode);
  EXPECT_THAT(asked[1], HasSubstr("t https://tokens/t?"));
}

TEST_F(ImagePullTest, FollowsRedirectionsAndKeepsItsCredentialsToItself) {
  knowsPassword();
  wanted = "Basic dTpw";
  challenge = "Basic";
  settings.hosts["storage:9000"] = "s";
  answers["https://r/v2/team/p/blobs/" + digestOf(kCode)] =
      FetchAnswer{.status = 307, .headers = {{"location", "/moved"}}};
  answers["https://r/moved"] = FetchAnswer{.status = 302, .headers = {{"location", "http://Storage:9000/x?sig=1"}}};
  answers["http://Storage:9000/x?sig=1"] = FetchAnswer{.status = 200, .body = kCode};
  EXPECT_EQ(pull(), kCode);
  EXPECT_EQ(asked.back(), "s http://Storage:9000/x?sig=1");
  EXPECT_THAT(authorizations, ElementsAre("", "Basic dTpw", "Basic dTpw", "Basic dTpw", ""));
}

TEST_F(ImagePullTest, IsNotSentRoundAndRound) {
  answers["https://r/v2/team/p/manifests/1"] =
      FetchAnswer{.status = 307, .headers = {{"location", "/v2/team/p/manifests/1"}}};
  EXPECT_THAT(pull(), HasSubstr("more than 5 redirections"));
  EXPECT_EQ(asked.size(), 6U);
}

TEST_F(ImagePullTest, GoesToNoAddressThatIsNone) {
  for (const char* location :
       {"", "x", "//elsewhere/x", "https:///x", "/a b", "/a\r\nx: y", "https://r@evil/x", "ftp:x"}) {
    answers["https://r/v2/team/p/manifests/1"] = FetchAnswer{.status = 307, .headers = {{"location", location}}};
    asked.clear();
    EXPECT_THAT(pull(), HasSubstr("error: ")) << location;
    EXPECT_EQ(asked.size(), 1U) << location;
  }
}

}  // namespace
}  // namespace weir::proxy_wasm
