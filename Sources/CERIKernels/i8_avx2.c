// AVX2. vpmaddubsw adds two products of u8 and s8 in int16 and saturates: 2 · 255 · 127 does not fit. Two ways to stay exact:
// grade 1, where each pair of weights has |w| + |w'| <= 128 (255 · 128 fits), multiplies as it is; grade 0 subtracts 128 from the
// values, and multiplies their magnitudes (at most 128) with weights that take their signs (2 · 128 · 127 fits).
#include <string.h>

#include "i8_geometry.h"
#include "i8_variant.h"

#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#define VARIANT eri_i8_kernels_avx2
#define VARIANT_NAME "avx2"
#define LANES 8
#define POINT_COST 1.6f  // against weights of 7 bits
#define HALVES 16

#include "i8/vector.h"

#define DOT_HALVES(sums, pairs, weights) _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, weights))

#include "i8/shared_256.h"

// --- u8 × s8 ---

#define ROWS 4
#define PANELS 1
#define GRADES 2
#define SHIFT(grade) ((grade) == 1 ? 0 : 128)
typedef struct {
  __m256i values, magnitudes;
} row_v;

INLINE row_v load_row(int grade, const uint8_t *p) {
  int32_t quad;
  memcpy(&quad, p, sizeof(quad));
  __m256i values = _mm256_set1_epi32(quad);
  if (grade == 1) return (row_v){values, values};
  values = _mm256_xor_si256(values, _mm256_set1_epi8(-128));
  return (row_v){values, _mm256_abs_epi8(values)};
}
INLINE sums_v add_products(int grade, sums_v sums, row_v row, weights_v weights) {
  if (grade != 1) weights = _mm256_sign_epi8(weights, row.values);
  __m256i pairs = _mm256_maddubs_epi16(row.magnitudes, weights);
  sums = _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  __asm__("" : "+x"(sums));
  return sums;
}

#include "i8/kernels.h"

#pragma clang attribute pop
#endif
