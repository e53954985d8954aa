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
