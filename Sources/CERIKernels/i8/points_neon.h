// Winograd's products on AArch64: smlal of a panel's 16 columns with one channel of a tile.
#define PAIR 1
#define POINT_ROWS 6
#define POINT_VECTORS 4
typedef int32x4_t point_sums_v;
typedef int16x4_t point_weights_v, point_row_v;

INLINE point_weights_v load_point_weights(const int16_t *panel, int j) { return vld1_s16(panel + 4 * j); }
INLINE point_row_v load_point_row(const int16_t *p) { return vld1_dup_s16(p); }
INLINE point_sums_v add_point_products(point_sums_v sums, point_row_v row, point_weights_v weights) {
  return vmlal_s16(sums, weights, row);
}
INLINE void store_point_sums(const point_sums_v *sums, int32_t *to) {
  for (int j = 0; j < 4; j++) vst1q_s32(to + 4 * j, sums[j]);
}
