// 256-bit VNNI: 6 × 16 accumulators in 12 of the 16 registers. ERI_I8_VNNI256 instantiates the same source with AVX-512's encoding
// of the two instructions, so that it can be tested on processors that have only that.
#include <string.h>

#include "i8_geometry.h"
#include "i8_variant.h"

#if defined(__x86_64__)
#include <immintrin.h>

#if defined(ERI_I8_VNNI256)
#pragma clang attribute push(__attribute__((target("avx2,fma,avx512f,avx512vl,avx512vnni"))), apply_to = function)
#define VARIANT ERI_I8_VNNI256
#define VARIANT_NAME "vnni256"
#define DOT_BYTES _mm256_dpbusd_epi32
#define ENCODING ""
#else
#pragma clang attribute push(__attribute__((target("avx2,fma,avxvnni"))), apply_to = function)
#define VARIANT eri_i8_kernels_avxvnni
#define VARIANT_NAME "avxvnni"
#define DOT_BYTES _mm256_dpbusd_avx_epi32
#define ENCODING "%{vex%} "
#endif

#define LANES 8
#define POINT_COST 2
#define HALVES 16

#include "i8/vector.h"

/// clang replaces the intrinsic by a product and an addition.
INLINE __m256i dot_halves(__m256i sums, __m256i pairs, __m256i weights) {
  __asm__(ENCODING "vpdpwssd %2, %1, %0" : "+x"(sums) : "x"(pairs), "x"(weights));
  return sums;
}
#define DOT_HALVES dot_halves

#include "i8/shared_256.h"

// --- u8 × s8 ---

#define ROWS 6
#define PANELS 1
#define SHIFT 0
typedef __m256i row_v;

INLINE row_v load_row(const uint8_t *p) {
  int32_t quad;
  memcpy(&quad, p, sizeof(quad));
  return _mm256_set1_epi32(quad);
}
INLINE sums_v add_products(sums_v sums, row_v row, weights_v weights) {
  return DOT_BYTES(sums, row, weights);
}

#include "i8/kernels.h"

#pragma clang attribute pop
#endif
