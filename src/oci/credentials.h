// Credentials for registries, from a file in the shape of Docker's config.json:
//
//   {"auths": {"registry.example:5000": {"auth": "<base64 of user:password>"},
//              "ghcr.io/team": {"username": "...", "password": "..."}}}
//
// A name may be a registry's or one with the beginning of a repository; the longest that fits counts. Programs that
// give credentials (credsStore, credHelpers) are not run, and a file that names one is refused.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "oci/image_name.h"

namespace weir::oci {

class Credentials {
 public:
  static constexpr size_t kMaxFileBytes = 1024 * 1024;

  // Error (side Operator): what is wrong, without anything that is secret.
  static base::Result<Credentials> parse(std::string_view json);
  static base::Result<Credentials> readFile(const std::string& path);

  // What stands after "Basic " in a request for that image. Empty: there are no credentials for it.
  std::string_view basicFor(const ImageName& image) const;

 private:
  struct Entry {
    std::string name;   // registry, or registry/beginning/of/repository
    std::string basic;  // Base64.
  };
  std::vector<Entry> entries_;
};

}  // namespace weir::oci
