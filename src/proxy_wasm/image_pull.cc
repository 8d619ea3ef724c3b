#include "proxy_wasm/image_pull.h"

#include <fmt/format.h>

#include <algorithm>

#include "http/characters.h"
#include "oci/archive.h"
#include "oci/challenge.h"
#include "oci/credentials.h"
#include "oci/manifest.h"
#include "proxy_wasm/kept_code.h"

namespace weir::proxy_wasm {
namespace {

using base::Code;
using base::Error;
using base::Retry;
using base::Side;

Error broken(std::string what) { return {Code::Malformed, Side::Upstream, Retry::No, std::move(what)}; }

std::string digestOf(std::string_view bytes) { return "sha256:" + sha256Of(bytes); }

std::string_view headerOf(const FetchAnswer& answer, std::string_view name) {
  for (const auto& [each, value] : answer.headers) {
    if (each == name) return value;
  }
  return "";
}

// All values of a field, as one (RFC 9110 5.3).
std::string joinedHeader(const FetchAnswer& answer, std::string_view name) {
  std::string joined;
  for (const auto& [each, value] : answer.headers) {
    if (each == name) joined += (joined.empty() ? "" : ", ") + value;
  }
  return joined;
}

// RFC 3986 3: of "https://host:port/path" the middle.
std::string hostOf(std::string_view uri) {
  const size_t begin = uri.find("://");
  if (begin == uri.npos) return "";
  uri.remove_prefix(begin + 3);
  return hostKey(uri.substr(0, uri.find_first_of("/?#")));
}

// Signed addresses have secrets behind the question mark.
std::string_view withoutQuery(std::string_view uri) { return uri.substr(0, uri.find('?')); }

bool isVisible(std::string_view uri) {
  return std::ranges::all_of(uri, [](char c) { return c > ' ' && c <= '~'; });
}

bool isRedirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool helpsToRepeat(int status) { return status == 0 || status == 408 || status == 429 || status >= 500; }

// A pull under way: it lives as long as a request of it does.
class Puller : public std::enable_shared_from_this<Puller> {
 public:
  using Pulled = std::function<void(base::Result<PulledImage>)>;
  Puller(ImagePull pull, const RegistrySettings& settings, const Fetch& fetch, Pulled pulled)
      : pull_(std::move(pull)),
        settings_(settings),
        fetch_(fetch),
        pulled_(std::move(pulled)),
        own_host_(hostKey(pull_.image.registry)) {}

  void begin() { askForManifest(pull_.image.reference(), &Puller::onManifest); }

 private:
  using Step = void (Puller::*)(FetchAnswer answer);

  // One resource, whatever lies before it.
  struct Asking {
    std::string uri;
    std::string accept;
    size_t max_bytes = 0;
    Step then = nullptr;
    int redirects = 0;
    bool challenged = false;
  };

  void askForManifest(const std::string& reference, Step then) {
    ask({.uri = resource("manifests", reference),
         .accept = std::string(oci::kManifestTypes),
         .max_bytes = oci::kMaxManifestBytes,
         .then = then});
  }
  std::string resource(std::string_view kind, std::string_view reference) const {
    return fmt::format("https://{}/v2/{}/{}/{}", pull_.image.registry, pull_.image.repository, kind, reference);
  }

  void ask(Asking asking) {
    asking_ = std::move(asking);
    send(asking_.uri, asking_.max_bytes, &Puller::onAnswer);
  }
  void send(const std::string& uri, size_t max_bytes, Step then);
  void onAnswer(FetchAnswer answer);
  void followRedirect(const FetchAnswer& answer);
  void answerChallenge(const FetchAnswer& answer);
  void onToken(FetchAnswer answer);

  void onManifest(FetchAnswer answer);
  void onPlatformManifest(FetchAnswer answer);
  void useManifest(const oci::Manifest& manifest);
  void onLayer(FetchAnswer answer);
  std::optional<Error> mismatch(const oci::Descriptor& expected, const FetchAnswer& answer) const;

  void fail(Error error) { pulled_(std::move(error)); }
  // Of the request under way.
  void failAt(std::string_view uri, Error error) {
    fail(std::move(error).in(fmt::format("GET {}", withoutQuery(uri))));
  }

  const ImagePull pull_;
  const RegistrySettings settings_;
  const Fetch fetch_;
  const Pulled pulled_;
  const std::string own_host_;
  std::string basic_;          // Credentials, once they are asked for.
  std::string authorization_;  // What goes with every request to the registry from then on.
  std::string token_uri_;
  Asking asking_;
  std::string image_digest_;
  oci::Descriptor expected_;
};

void Puller::send(const std::string& uri, size_t max_bytes, Step then) {
  if (!isVisible(uri)) return failAt(asking_.uri, broken("the registry sends us to what is no address"));
  const std::string host = hostOf(uri);
  const bool own = host == own_host_;
  const auto other = settings_.hosts.find(host);
  if (!own && other == settings_.hosts.end()) {
    return fail({Code::Refused, Side::Upstream, Retry::No,
                 fmt::format("the registry sends us to {}, and no --oci-host says by which cluster '{}' is reached",
                             withoutQuery(uri), host)});
  }
  FetchRequest request{
      .cluster = own ? pull_.cluster : other->second, .uri = uri, .timeout = pull_.timeout, .max_bytes = max_bytes};
  const bool for_token = then == &Puller::onToken;
  if (!for_token) request.headers.emplace_back("accept", asking_.accept);
  if (for_token && !basic_.empty()) request.headers.emplace_back("authorization", "Basic " + basic_);
  // Not to storage elsewhere: its addresses are signed, and it must not learn of our credentials.
  if (!for_token && own && !authorization_.empty()) request.headers.emplace_back("authorization", authorization_);
  fetch_(std::move(request),
         [self = shared_from_this(), then](FetchAnswer answer) { (self.get()->*then)(std::move(answer)); });
}

void Puller::onAnswer(FetchAnswer answer) {
  constexpr int kOk = 200, kUnauthorized = 401;
  if (answer.status == kOk) return (this->*asking_.then)(std::move(answer));
  if (isRedirect(answer.status)) return followRedirect(answer);
  if (answer.status == kUnauthorized && !asking_.challenged) return answerChallenge(answer);
  const Code code = answer.too_large ? Code::TooLarge : answer.status == 404 ? Code::NotFound : Code::Refused;
  const Retry retry = !answer.too_large && helpsToRepeat(answer.status) ? Retry::Yes : Retry::No;
  failAt(asking_.uri, {code, Side::Upstream, retry,
                       answer.status == 0 ? answer.reason : oci::errorWords(answer.status, answer.body)});
}

void Puller::followRedirect(const FetchAnswer& answer) {
  if (++asking_.redirects > kMaxRedirects) {
    return failAt(asking_.uri, broken(fmt::format("more than {} redirections", kMaxRedirects)));
  }
  const std::string_view location = headerOf(answer, "location");
  if (location.starts_with('/') && !location.starts_with("//")) {
    asking_.uri = asking_.uri.substr(0, asking_.uri.find('/', asking_.uri.find("://") + 3)).append(location);
  } else if (!hostOf(location).empty()) {
    asking_.uri = location;
  } else {
    return failAt(asking_.uri, broken(fmt::format("status {} without a location", answer.status)));
  }
  send(asking_.uri, asking_.max_bytes, &Puller::onAnswer);
}

// The registry wants to know who asks. One answer to that for each resource: a second 401 is final.
void Puller::answerChallenge(const FetchAnswer& answer) {
  asking_.challenged = true;
  if (!settings_.credentials_file.empty()) {
    const auto credentials = oci::Credentials::readFile(settings_.credentials_file);
    if (!credentials.ok()) return fail(Error(credentials.error()).in("--oci-credentials"));
    basic_ = credentials->basicFor(pull_.image);
  }
  const oci::Challenge challenge = oci::readChallenge(joinedHeader(answer, "www-authenticate"));
  if (challenge.scheme == oci::Challenge::Scheme::Bearer) {
    token_uri_ = oci::tokenUri(challenge, pull_.image);
    return send(token_uri_, kMaxTokenBytes, &Puller::onToken);
  }
  if (challenge.scheme != oci::Challenge::Scheme::Basic || basic_.empty()) {
    return failAt(asking_.uri, {Code::Refused, Side::Upstream, Retry::No,
                                fmt::format("{}; there are no credentials for {} (--oci-credentials)",
                                            oci::errorWords(answer.status, answer.body), pull_.image.registry)});
  }
  authorization_ = "Basic " + basic_;
  send(asking_.uri, asking_.max_bytes, &Puller::onAnswer);
}

void Puller::onToken(FetchAnswer answer) {
  constexpr int kOk = 200;
  if (answer.status != kOk) {
    const Retry retry = helpsToRepeat(answer.status) ? Retry::Yes : Retry::No;
    std::string why = answer.status == 0 ? answer.reason : oci::errorWords(answer.status, answer.body);
    if (basic_.empty())
      why += fmt::format("; there are no credentials for {} (--oci-credentials)", pull_.image.registry);
    return failAt(token_uri_, {Code::Refused, Side::Upstream, retry, std::move(why)});
  }
  auto token = oci::readToken(answer.body);
  if (!token.ok()) return failAt(token_uri_, std::move(token).error());
  authorization_ = "Bearer " + *token;
  send(asking_.uri, asking_.max_bytes, &Puller::onAnswer);
}

void Puller::onManifest(FetchAnswer answer) {
  image_digest_ = digestOf(answer.body);
  const std::string& wanted = pull_.image.digest;
  if (!wanted.empty() && image_digest_ != wanted) {
    return failAt(asking_.uri, broken(fmt::format("its digest is {}, and not {}", image_digest_, wanted)));
  }
  if (image_digest_ == pull_.known_digest) return pulled_(PulledImage{.digest = image_digest_, .unchanged = true});
  const auto manifest = oci::readManifest(answer.body, headerOf(answer, "content-type"));
  if (!manifest.ok()) return failAt(asking_.uri, manifest.error());
  if (!manifest->index) return useManifest(*manifest);

  const auto chosen = oci::chooseManifest(*manifest);
  if (!chosen.ok()) return failAt(asking_.uri, chosen.error());
  expected_ = *chosen;
  askForManifest(expected_.digest, &Puller::onPlatformManifest);
}

void Puller::onPlatformManifest(FetchAnswer answer) {
  if (auto wrong = mismatch(expected_, answer)) return failAt(asking_.uri, *std::move(wrong));
  const auto manifest = oci::readManifest(answer.body, headerOf(answer, "content-type"));
  if (!manifest.ok()) return failAt(asking_.uri, manifest.error());
  if (manifest->index) return failAt(asking_.uri, broken("an index within an index"));
  useManifest(*manifest);
}

void Puller::useManifest(const oci::Manifest& manifest) {
  const auto layer = oci::chooseLayer(manifest);
  if (!layer.ok()) return failAt(asking_.uri, layer.error());
  expected_ = *layer;
  ask({.uri = resource("blobs", expected_.digest),
       .accept = "*/*",
       .max_bytes = expected_.size,
       .then = &Puller::onLayer});
}

void Puller::onLayer(FetchAnswer answer) {
  if (auto wrong = mismatch(expected_, answer)) return failAt(asking_.uri, *std::move(wrong));
  auto module = oci::moduleIn(expected_.media_type, std::move(answer.body));
  if (!module.ok()) return failAt(asking_.uri, std::move(module).error());
  pulled_(PulledImage{.digest = image_digest_, .module = *std::move(module)});
}

std::optional<Error> Puller::mismatch(const oci::Descriptor& expected, const FetchAnswer& answer) const {
  if (answer.body.size() != expected.size) {
    return broken(fmt::format("it has {} bytes, and not {}", answer.body.size(), expected.size));
  }
  const std::string digest = digestOf(answer.body);
  if (digest == expected.digest) return std::nullopt;
  return broken(fmt::format("its digest is {}, and not {}", digest, expected.digest));
}

}  // namespace

std::string hostKey(std::string_view host) {
  std::string key(host);
  std::ranges::transform(key, key.begin(), http::toLower);
  return key;
}

void pullImage(ImagePull pull, const RegistrySettings& settings, const Fetch& fetch,
               std::function<void(base::Result<PulledImage>)> pulled) {
  std::make_shared<Puller>(std::move(pull), settings, fetch, std::move(pulled))->begin();
}

}  // namespace weir::proxy_wasm
