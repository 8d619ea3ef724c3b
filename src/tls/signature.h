// Signatures over a text, for who has a key and no certificate: RSA (PKCS #1 v1.5) and ECDSA, over a digest.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weir::tls {

// Longer keys are not used: what they cost is a worker's time.
inline constexpr int kMaxKeyBits = 8192;

// One of the two forms.
struct KeyText {
  std::string_view der;
  std::string_view pem;
};

// digest: "sha1", "sha224", "sha256", "sha384" or "sha512", in any case. The errors' details are Envoy's texts.
// key: a SubjectPublicKeyInfo; what follows it in der is left alone. Error: it is not its signature, or could not be
// checked.
base::Result<void> verifySignature(std::string_view digest, const KeyText& key, std::string_view signature,
                                   std::string_view text);
// key: PKCS #8.
base::Result<std::string> sign(std::string_view digest, const KeyText& key, std::string_view text);

}  // namespace weir::tls
