// Portable C: what every other variant's bits are compared with.
#include <string.h>

#include "i8_geometry.h"
#include "i8_variant.h"

#define VARIANT eri_i8_kernels_scalar
#define VARIANT_NAME "scalar"
#define LANES 4
#define POINT_COST 1
#define HALVES 8

#include "i8/vector.h"

// --- u8 × s8 ---

#define ROWS 2
#define PANELS 1
#define VECTORS 4
#define SHIFT 0
typedef vi sums_v;
typedef int8_t i8x16 __attribute__((ext_vector_type(16), aligned(1), may_alias));
typedef int8_t i8x4 __attribute__((ext_vector_type(4)));
typedef i8x16 weights_v;  // [4 columns][4]
typedef vi row_v;

INLINE weights_v load_weights(const uint8_t *panel, int j) { return *(const i8x16 *)(panel + 16 * j); }
INLINE row_v load_row(const uint8_t *p) {
  return (vi){p[0], p[1], p[2], p[3]};
}
INLINE sums_v add_products(sums_v sums, row_v row, weights_v weights) {
  i8x4 first = __builtin_shufflevector(weights, weights, 0, 4, 8, 12);
  i8x4 second = __builtin_shufflevector(weights, weights, 1, 5, 9, 13);
  i8x4 third = __builtin_shufflevector(weights, weights, 2, 6, 10, 14);
  i8x4 fourth = __builtin_shufflevector(weights, weights, 3, 7, 11, 15);
  sums += (vi)row[0] * __builtin_convertvector(first, vi) + (vi)row[1] * __builtin_convertvector(second, vi);
  return sums + (vi)row[2] * __builtin_convertvector(third, vi) + (vi)row[3] * __builtin_convertvector(fourth, vi);
}
INLINE void store_sums(const sums_v *sums, int32_t *to) {
  for (int j = 0; j < 4; j++) *(vi_unaligned *)(to + 4 * j) = sums[j];
}

// --- s16 × s16 ---

#define PAIR 1
#define POINT_ROWS 2
#define POINT_PANELS 1
#define POINT_VECTORS 4
typedef vi point_sums_v;
typedef vi point_weights_v;
typedef vi point_row_v;
typedef int16_t i16x4 __attribute__((ext_vector_type(4), aligned(2), may_alias));

INLINE point_weights_v load_point_weights(const int16_t *panel, int j) {
  return __builtin_convertvector(*(const i16x4 *)(panel + 4 * j), vi);
}
INLINE point_row_v load_point_row(const int16_t *p) { return (vi)(int32_t)*p; }
INLINE point_sums_v add_point_products(point_sums_v sums, point_row_v row, point_weights_v weights) {
  return sums + row * weights;
}
INLINE void store_point_sums(const point_sums_v *sums, int32_t *to) { store_sums(sums, to); }

#include "i8/kernels.h"
