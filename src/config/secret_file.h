// Secrets by path: files that hold a DiscoveryResponse (or the list `resources` of one) with Secrets in it.
#pragma once

#include "base/result.h"
#include "tls/spec.h"

namespace weir::config {

// Puts the secrets that spec refers to into it and takes the references' place in its certificates and validation; the
// references stay, so that it can be done again on a fresh copy. Blocks on the files. An error is the operator's, with
// the file and the place in it: a file that cannot be read, a secret that is not there, a field that is not known.
base::Result<void> resolveSecrets(tls::CommonSpec& spec);

}  // namespace weir::config
