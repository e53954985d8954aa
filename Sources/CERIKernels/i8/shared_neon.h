// What the AArch64 variants share.

// --- s16 × s16: smlal of a panel's 16 columns with one channel of a tile ---
#define PAIR 1
#define POINT_ROWS 6
#define POINT_PANELS 1
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

// --- Tables: tbl takes 64 bytes of one and gives zero beyond, tbx leaves what was there ---

INLINE size_t look_up(const uint8_t *table, const uint8_t *from, uint8_t *to, size_t count) {
  uint8x16x4_t quarters[4];
  for (int part = 0; part < 4; part++) quarters[part] = vld1q_u8_x4(table + 64 * part);
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    uint8x16_t x = vld1q_u8(from + i), found = vqtbl4q_u8(quarters[0], x);
    UNROLL for (int part = 1; part < 4; part++) {
      found = vqtbx4q_u8(found, quarters[part], vsubq_u8(x, vdupq_n_u8((uint8_t)(64 * part))));
    }
    vst1q_u8(to + i, found);
  }
  return i;
}
#define LOOK_UP look_up
