#include "oci/image_name.h"

namespace weir::oci {
namespace {

constexpr std::string_view kScheme = "oci://";
constexpr std::string_view kAlgorithm = "sha256:";
constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kSmall = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kLarge = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr size_t kMaxRepository = 255;
constexpr size_t kMaxTag = 128;

bool consistsOf(std::string_view text, std::string_view characters) {
  return !text.empty() && text.find_first_not_of(characters) == text.npos;
}

base::Error fault(std::string what) {
  return {base::Code::InvalidArgument, base::Side::Operator, base::Retry::No, std::move(what)};
}

bool isRegistry(std::string_view text) {
  static const std::string kAllowed = std::string(kSmall).append(kLarge).append(kDigits).append(".-:[]");
  return consistsOf(text, kAllowed);
}

// Names of small letters and digits, with one of . _ - (or several) only within.
bool isRepository(std::string_view text) {
  static const std::string kAlphanumeric = std::string(kSmall).append(kDigits);
  static const std::string kAllowed = kAlphanumeric + "._-";
  if (text.size() > kMaxRepository) return false;
  while (true) {
    const size_t slash = text.find('/');
    const std::string_view name = text.substr(0, slash);
    if (!consistsOf(name, kAllowed) || kAlphanumeric.find(name.front()) == std::string::npos ||
        kAlphanumeric.find(name.back()) == std::string::npos) {
      return false;
    }
    if (slash == text.npos) return true;
    text.remove_prefix(slash + 1);
  }
}

bool isTag(std::string_view text) {
  static const std::string kAllowed = std::string(kSmall).append(kLarge).append(kDigits).append("._-");
  return text.size() <= kMaxTag && consistsOf(text, kAllowed) && text.front() != '.' && text.front() != '-';
}

void applyDockerHubsNames(ImageName& image) {
  if (image.registry == "docker.io" || image.registry == "index.docker.io") image.registry = "registry-1.docker.io";
  if (image.registry == "registry-1.docker.io" && image.repository.find('/') == std::string::npos) {
    image.repository.insert(0, "library/");
  }
}

}  // namespace

std::string ImageName::text() const {
  std::string text = registry + "/" + repository;
  if (!tag.empty()) text += ":" + tag;
  if (!digest.empty()) text += "@" + digest;
  return text;
}

bool isImageUri(std::string_view uri) { return uri.starts_with(kScheme); }

bool isDigest(std::string_view text) {
  constexpr size_t kHexDigits = 64;
  if (!text.starts_with(kAlgorithm)) return false;
  text.remove_prefix(kAlgorithm.size());
  return text.size() == kHexDigits && text.find_first_not_of("0123456789abcdef") == text.npos;
}

base::Result<ImageName> parseImageName(std::string_view uri) {
  if (!isImageUri(uri)) return fault("does not begin with oci://");
  std::string_view rest = uri.substr(kScheme.size());
  ImageName image;
  const size_t slash = rest.find('/');
  if (slash == rest.npos) return fault("must be oci://registry/repository, with :tag or @sha256:digest");
  image.registry = rest.substr(0, slash);
  rest.remove_prefix(slash + 1);
  if (const size_t at = rest.find('@'); at != rest.npos) {
    image.digest = rest.substr(at + 1);
    rest = rest.substr(0, at);
    if (!isDigest(image.digest)) return fault("the digest must be sha256: and 64 small hexadecimal digits");
  }
  const size_t colon = rest.find(':');
  if (colon != rest.npos) image.tag = rest.substr(colon + 1);
  if (colon == rest.npos && image.digest.empty()) image.tag = "latest";
  image.repository = rest.substr(0, colon);
  if (!isRegistry(image.registry)) return fault("'" + image.registry + "' is no registry: host or host:port");
  if (!isRepository(image.repository)) return fault("'" + image.repository + "' is no repository");
  if (colon != rest.npos && !isTag(image.tag)) return fault("'" + image.tag + "' is no tag");
  applyDockerHubsNames(image);
  return image;
}

}  // namespace weir::oci
