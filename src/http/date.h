// The form of dates in HTTP.
#pragma once

#include <string_view>

#include "base/clock.h"

namespace weir::http {

// RFC 9110 5.6.7 IMF-fixdate: "Sun, 06 Nov 1994 08:49:37 GMT". Formatted once per second and thread; the view is valid
// until the next call on this thread.
std::string_view imfDate(base::WallTime now);

}  // namespace weir::http
