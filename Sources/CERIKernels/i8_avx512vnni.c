// AVX-512 with VNNI: a register holds four products of each of a panel's 16 columns; 6 × 64 accumulators in 24 of the 32 registers, which
// take fewer loads than 12 × 32 and leave more registers for pointers. AMX's variant differs in products of matrices and direct
// convolutions alone.
#include <string.h>

#include "i8_geometry.h"
#include "i8_variant.h"

#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma"))), apply_to = function)
#define VARIANT eri_i8_kernels_avx512vnni
#define VARIANT_NAME "avx512vnni"
#define LANES 16
#define POINT_COST 2
#define HALVES 32

// Conversion of a float over int32's range gives the sign bit alone, which counts as a large unsigned number.
#define SATURATED_BYTES(scaled, zero) \
  ((vb)_mm512_cvtusepi32_epi8(_mm512_add_epi32(_mm512_cvtps_epi32((__m512)(scaled)), _mm512_set1_epi32(zero))))

#include "i8/vector.h"

// --- u8 × s8 ---

#define ROWS 6
#define PANELS 4
#define VECTORS 1
#define SHIFT 0
typedef __m512i sums_v, weights_v, row_v;

INLINE weights_v load_weights(const uint8_t *panel, int j) {
  (void)j;
  return _mm512_loadu_si512(panel);
}
INLINE row_v load_row(const uint8_t *p) {
  int32_t quad;
  memcpy(&quad, p, sizeof(quad));
  return _mm512_set1_epi32(quad);
}
INLINE sums_v add_products(sums_v sums, row_v row, weights_v weights) {
  return _mm512_dpbusd_epi32(sums, row, weights);
}
INLINE void store_sums(const sums_v *sums, int32_t *to) { _mm512_storeu_si512(to, *sums); }

// --- s16 × s16 ---

#define PAIR 2
#define POINT_ROWS 8  // groups of tiles end at multiples of 8 more often than of 12
#define POINT_PANELS 2
#define POINT_VECTORS 1
typedef __m512i point_sums_v, point_weights_v, point_row_v;

INLINE point_weights_v load_point_weights(const int16_t *panel, int j) {
  (void)j;
  return _mm512_loadu_si512(panel);
}
INLINE point_row_v load_point_row(const int16_t *p) {
  int32_t pair;
  memcpy(&pair, p, sizeof(pair));
  return _mm512_set1_epi32(pair);
}
/// clang replaces the intrinsic by a product and an addition.
INLINE point_sums_v add_point_products(point_sums_v sums, point_row_v row, point_weights_v weights) {
  __asm__("vpdpwssd %2, %1, %0" : "+v"(sums) : "v"(row), "v"(weights));
  return sums;
}
INLINE void store_point_sums(const point_sums_v *sums, int32_t *to) { _mm512_storeu_si512(to, *sums); }

// --- Tables: four registers hold one, where the processor can permute bytes of two ---

__attribute__((target("avx512vbmi"))) static size_t look_up_permuting(const uint8_t *table, const uint8_t *from, uint8_t *to,
                                                                      size_t count) {
  __m512i quarters[4];
  for (int i = 0; i < 4; i++) quarters[i] = _mm512_loadu_si512(table + 64 * i);
  size_t i = 0;
  for (; i + 64 <= count; i += 64) {
    __m512i x = _mm512_loadu_si512(from + i);
    __m512i low = _mm512_permutex2var_epi8(quarters[0], x, quarters[1]);
    __m512i high = _mm512_permutex2var_epi8(quarters[2], x, quarters[3]);
    _mm512_storeu_si512(to + i, _mm512_mask_blend_epi8(_mm512_movepi8_mask(x), low, high));
  }
  return i;
}
INLINE size_t look_up(const uint8_t *table, const uint8_t *from, uint8_t *to, size_t count) {
  return __builtin_cpu_supports("avx512vbmi") ? look_up_permuting(table, from, to, count) : 0;
}
#define LOOK_UP look_up

#include "i8/kernels.h"

#pragma clang attribute pop

// --- AMX ---

#pragma clang attribute push( \
    __attribute__((target("amx-tile,amx-int8,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma"))), apply_to = function)

#include "i8/tiles.h"

const eri_i8_kernels eri_i8_kernels_amx = {
    .name = "amx",
    .pointCost = 16,
    .readsHalo = true,
    .gemm = gemm_in_tiles,
    .conv = conv_in_tiles,
    OTHER_KERNELS,
};

#pragma clang attribute pop
#endif
