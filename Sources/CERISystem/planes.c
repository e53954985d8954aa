// The filter of stored frames undone: bytes of equal rank come apart into elements again.
#include "eri_system.h"

#include <string.h>

// Words of the bytes of one element, which compilers widen, shift and join for many elements at a time.
#define JOIN(WORD, BITS)                                                                                          \
  static void join_##BITS(const uint8_t *restrict planes, size_t count, uint8_t *restrict target) {              \
    for (size_t index = 0; index < count; index += 1) {                                                           \
      WORD word = 0;                                                                                              \
      for (size_t plane = 0; plane < sizeof word; plane += 1) {                                                   \
        word |= (WORD)((WORD)planes[plane * count + index] << SHIFT(plane, sizeof word));                         \
      }                                                                                                           \
      memcpy(target + index * sizeof word, &word, sizeof word);                                                   \
    }                                                                                                             \
  }

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define SHIFT(plane, size) (8 * (plane))
#else
#define SHIFT(plane, size) (8 * ((size) - 1 - (plane)))
#endif

JOIN(uint16_t, 16)
JOIN(uint32_t, 32)
JOIN(uint64_t, 64)

void eri_planes_join(const uint8_t *planes, size_t count, size_t elementBytes, uint8_t *target) {
  switch (elementBytes) {
    case 2: join_16(planes, count, target); return;
    case 4: join_32(planes, count, target); return;
    case 8: join_64(planes, count, target); return;
    default: break;
  }
  for (size_t plane = 0; plane < elementBytes; plane += 1) {
    for (size_t index = 0; index < count; index += 1) target[index * elementBytes + plane] = planes[plane * count + index];
  }
}
