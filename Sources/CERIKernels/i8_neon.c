// AArch64's baseline. Values less 128 are signed, as weights are: smull multiplies them to int16, sadalp adds neighbours to int32. A
// register of sums holds halves of two columns.
#include <string.h>

#include "i8_geometry.h"
#include "i8_variant.h"

#if defined(__aarch64__)
#include <arm_neon.h>

#define VARIANT eri_i8_kernels_neon
#define VARIANT_NAME "neon"
#define LANES 4
#define POINT_COST 1
#define HALVES 8

#include "i8/vector.h"

// --- u8 × s8 ---

#define ROWS 2
#define PANELS 1
#define VECTORS 8
#define SHIFT 128
typedef int32x4_t sums_v;
typedef int8x8_t weights_v, row_v;  // [2 columns][4]

INLINE weights_v load_weights(const uint8_t *panel, int j) { return vld1_s8((const int8_t *)panel + 8 * j); }
INLINE row_v load_row(const uint8_t *p) {
  uint32_t quad;
  memcpy(&quad, p, sizeof(quad));
  return vreinterpret_s8_u32(vdup_n_u32(quad ^ 0x80808080u));
}
INLINE sums_v add_products(sums_v sums, row_v row, weights_v weights) {
  return vpadalq_s16(sums, vmull_s8(row, weights));
}
INLINE void store_sums(const sums_v *sums, int32_t *to) {
  for (int j = 0; j < 4; j++) vst1q_s32(to + 4 * j, vpaddq_s32(sums[2 * j], sums[2 * j + 1]));
}

#include "i8/shared_neon.h"

#include "i8/kernels.h"
#endif
