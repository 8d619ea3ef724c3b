// What the TLVs of a PROXY header become as dynamic metadata of their connection (ProxyProtocol.rules).
#pragma once

#include <vector>

#include "listener/filter.h"
#include "listener/spec.h"

namespace weir::listener {

// As Envoy: of several values for one key the first is noted as text, and the last, byte for byte, in the typed
// metadata (envoy.data.core.v3.TlvsMetadata).
void noteTlvs(const std::vector<ProxyProtocolSpec::Rule>& rules, const std::vector<net::ProxyTlv>& tlvs,
              Findings& findings);

}  // namespace weir::listener
