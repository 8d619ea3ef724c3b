// Whether this is built with AddressSanitizer, which wants to see each object's end, and reserves terabytes. GCC says
// so by a macro, clang by a feature.
#pragma once

namespace weir::base {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kAddressSanitizer = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr bool kAddressSanitizer = true;
#else
inline constexpr bool kAddressSanitizer = false;
#endif
#else
inline constexpr bool kAddressSanitizer = false;
#endif

}  // namespace weir::base
