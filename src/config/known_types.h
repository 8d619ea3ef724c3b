// The extension messages that a configuration may name in an Any.
#pragma once

namespace weir::config {

// Keeps them in the program: nothing else refers to some of them, and then a static library leaves them out, and they
// could not be found by name. Cheap, may be called again.
void linkKnownTypes();

}  // namespace weir::config
