// How a registry says who may ask: WWW-Authenticate (RFC 9110 11.6.1), and the tokens that its token service gives.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "oci/image_name.h"

namespace weir::oci {

struct Challenge {
  enum class Scheme : uint8_t { Unknown, Basic, Bearer };
  Scheme scheme = Scheme::Unknown;
  std::string realm;    // Of Bearer: where tokens are to be had.
  std::string service;  // Of Bearer.
  std::string scope;    // Of Bearer.
};

// The best challenge of the field's value, which may hold several: Bearer, else Basic.
Challenge readChallenge(std::string_view field);

// Where a token to pull the image is to be had.
std::string tokenUri(const Challenge& challenge, const ImageName& image);

// The token in the service's answer. Error: there is none, or it cannot stand in a header.
base::Result<std::string> readToken(std::string_view json);

// What a registry answered with an error: "status 404 (MANIFEST_UNKNOWN: manifest unknown)", of a body that is JSON as
// the OCI distribution specification has it; or with the beginning of another body. One line, of bounded length.
std::string errorWords(int status, std::string_view body);

}  // namespace weir::oci
