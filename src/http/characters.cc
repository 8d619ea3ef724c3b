#include "http/characters.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace weir::http {

const char* findControl(const char* from, const char* end) {
#ifdef __SSE2__
  const __m128i highest_control = _mm_set1_epi8(0x1f);
  const __m128i del = _mm_set1_epi8(0x7f);
  const __m128i tab = _mm_set1_epi8('\t');
  for (; end - from >= 16; from += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    // Unsigned min: a byte up to 0x1f equals itself; bytes from 0x80 on do not.
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, highest_control), bytes);
    const __m128i wrong = _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(bytes, tab), low), _mm_cmpeq_epi8(bytes, del));
    const int found = _mm_movemask_epi8(wrong);
    if (found != 0) return from + __builtin_ctz(static_cast<unsigned>(found));
  }
#endif
  while (from != end && !isControl(*from)) ++from;
  return from;
}

std::string_view trimBlanks(std::string_view text) {
  while (!text.empty() && isBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && isBlank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace weir::http
