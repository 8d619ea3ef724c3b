#include "http/characters.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace weir::http {

#ifdef __SSE2__
namespace {

// A bit for each of the bytes that is a control byte.
inline int wrongOnes(__m128i bytes) {
  // Unsigned min: a byte up to 0x1f equals itself; bytes from 0x80 on do not.
  const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
  const __m128i tab = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t'));
  const __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
  return _mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(tab, low), del));
}

}  // namespace
#endif

const char* findControl(const char* from, const char* end) {
#ifdef __SSE2__
  for (; end - from >= 16; from += 16) {
    const int found = wrongOnes(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
    if (found != 0) return from + __builtin_ctz(static_cast<unsigned>(found));
  }
  if (end - from >= 8) {
    const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
    const int found = wrongOnes(bytes) & 0xff;
    if (found != 0) return from + __builtin_ctz(static_cast<unsigned>(found));
    from += 8;
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
