// AArch64 with the dot-product instructions. Values less 128 are signed, as weights are; 6 × 16 accumulators in 24 of the 32 registers.
#include <string.h>

#include "i8_geometry.h"
#include "i8_variant.h"

#if defined(__aarch64__)
#include <arm_neon.h>

#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)

#define VARIANT eri_i8_kernels_neondot
#define VARIANT_NAME "neondot"
#define LANES 4
#define POINT_COST 4
#define HALVES 8

#include "i8/vector.h"

// --- u8 × s8 ---

#define ROWS 6
#define PANELS 1
#define VECTORS 4
#define SHIFT 128
typedef int32x4_t sums_v;
typedef int8x16_t weights_v, row_v;  // [4 columns][4]

INLINE weights_v load_weights(const uint8_t *panel, int j) { return vld1q_s8((const int8_t *)panel + 16 * j); }
INLINE row_v load_row(const uint8_t *p) {
  uint32_t quad;
  memcpy(&quad, p, sizeof(quad));
  return vreinterpretq_s8_u32(vdupq_n_u32(quad ^ 0x80808080u));
}
INLINE sums_v add_products(sums_v sums, row_v row, weights_v weights) {
  return vdotq_s32(sums, weights, row);
}
INLINE void store_sums(const sums_v *sums, int32_t *to) {
  for (int j = 0; j < 4; j++) vst1q_s32(to + 4 * j, sums[j]);
}

#include "i8/shared_neon.h"

#include "i8/kernels.h"

#pragma clang attribute pop
#endif
