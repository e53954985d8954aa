// AVX2. vpmaddubsw adds two products of u8 and s8 in int16 and saturates.
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
#define SATURATES
typedef __m256i row_v;

INLINE row_v load_row(const uint8_t *p) {
  int32_t quad;
  memcpy(&quad, p, sizeof(quad));
  return _mm256_set1_epi32(quad);
}
INLINE sums_v pair_products(row_v row, weights_v weights) { return _mm256_maddubs_epi16(row, weights); }
INLINE sums_v pair_signed(row_v row, weights_v weights) {
  row = _mm256_xor_si256(row, _mm256_set1_epi8(-128));
  return _mm256_maddubs_epi16(_mm256_abs_epi8(row), _mm256_sign_epi8(weights, row));
}
INLINE sums_v add_pairs(sums_v a, sums_v b) { return _mm256_add_epi16(a, b); }
INLINE sums_v widen_pairs(sums_v sums, sums_v pairs) {
  sums = _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  // Keeps the order: clang would otherwise work on products of several quads at a time, for which there are not enough registers.
  __asm__ volatile("" : "+x"(sums));
  return sums;
}

#include "i8/kernels.h"

#pragma clang attribute pop
#endif
