// What the variants of 256-bit registers on x86-64 share: a register holds products of 8 of a panel's columns.

// --- u8 × s8 ---

#define VECTORS 2
typedef __m256i sums_v, weights_v;

INLINE weights_v load_weights(const uint8_t *panel, int j) {
  return _mm256_loadu_si256((const __m256i *)(const void *)(panel + 32 * j));
}
INLINE void store_sums(const sums_v *sums, int32_t *to) {
  for (int j = 0; j < 2; j++) _mm256_storeu_si256((__m256i *)(void *)(to + 8 * j), sums[j]);
}

// --- s16 × s16: DOT_HALVES(sums, pairs, weights) ---

#define PAIR 2
#define POINT_ROWS 6
#define POINT_PANELS 1
#define POINT_VECTORS 2
typedef __m256i point_sums_v, point_weights_v, point_row_v;

INLINE point_weights_v load_point_weights(const int16_t *panel, int j) {
  return _mm256_loadu_si256((const __m256i *)(const void *)(panel + 16 * j));
}
INLINE point_row_v load_point_row(const int16_t *p) {
  int32_t pair;
  memcpy(&pair, p, sizeof(pair));
  return _mm256_set1_epi32(pair);
}
INLINE point_sums_v add_point_products(point_sums_v sums, point_row_v row, point_weights_v weights) {
  sums = DOT_HALVES(sums, row, weights);
  // Keeps the order: clang would otherwise work on products of several channels at a time, for which there are not enough registers.
  __asm__ volatile("" : "+x"(sums));
  return sums;
}
INLINE void store_point_sums(const point_sums_v *sums, int32_t *to) { store_sums(sums, to); }

// --- Tables: each of 16 bytes gives what falls into it, and zero elsewhere ---

/// Looks up 32 bytes at a time. A byte is less than 16 after its sixteenth's number is taken out of its upper half exactly where it falls
/// into that sixteenth; adding 0x70 with saturation sets the top bit of all others, for which vpshufb gives zero.
INLINE size_t look_up_shuffling(const uint8_t *table, const uint8_t *from, uint8_t *to, size_t count) {
  size_t i = 0;
  for (; i + 32 <= count; i += 32) {
    __m256i x = _mm256_loadu_si256((const __m256i *)(const void *)(from + i)), found = _mm256_setzero_si256();
    UNROLL for (int part = 0; part < 16; part++) {
      __m256i sixteenth = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)(table + 16 * part)));
      __m256i index = _mm256_adds_epu8(_mm256_xor_si256(x, _mm256_set1_epi8((char)(16 * part))), _mm256_set1_epi8(0x70));
      found = _mm256_or_si256(found, _mm256_shuffle_epi8(sixteenth, index));
    }
    _mm256_storeu_si256((__m256i *)(void *)(to + i), found);
  }
  return i;
}
#define LOOK_UP look_up_shuffling
