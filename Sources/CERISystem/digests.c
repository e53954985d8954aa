// SHA-256 (FIPS 180-4) and CRC32C (RFC 3720, appendix B.4), in portable C and with the processor's instructions.
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64

#include "eri_system.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#if defined(__x86_64__) || defined(__i386__)
#define ERI_X86 1
#define ERI_NATIVE 1
#include <cpuid.h>
#include <immintrin.h>
#elif defined(__aarch64__) && defined(__ARM_NEON)
#define ERI_ARM64 1
#define ERI_NATIVE 1
#include <arm_acle.h>
#include <arm_neon.h>
#include <sys/auxv.h>
// HWCAP bits of the Linux ABI (asm/hwcap.h), whose header a libc may lack.
#define HWCAP_SHA2_BIT (1ul << 6)
#define HWCAP_CRC32_BIT (1ul << 7)
#endif

// --- The processor ---------------------------------------------------------------------------------------------

#ifdef ERI_NATIVE
enum { FEATURES_KNOWN = 1, FEATURE_SHA256 = 2, FEATURE_CRC32C = 4 };

static int detect_features(void) {
  int features = FEATURES_KNOWN;
#ifdef ERI_X86
  unsigned a, b, c, d;
  bool vectors = false;
  if (__get_cpuid(1, &a, &b, &c, &d)) {
    vectors = (c & bit_SSSE3) && (c & bit_SSE4_1) && (d & bit_SSE2);
    if (c & bit_SSE4_2) features |= FEATURE_CRC32C;
  }
  if (vectors && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA)) features |= FEATURE_SHA256;
#elif defined(ERI_ARM64)
  unsigned long capabilities = getauxval(AT_HWCAP);
  if (capabilities & HWCAP_SHA2_BIT) features |= FEATURE_SHA256;
  if (capabilities & HWCAP_CRC32_BIT) features |= FEATURE_CRC32C;
#endif
  return features;
}

// cpuid costs tens of microseconds under a hypervisor, so the answer is kept; threads that race for it find the same.
static bool has_feature(int feature) {
  static atomic_int known;
  int features = atomic_load_explicit(&known, memory_order_relaxed);
  if (features == 0) {
    features = detect_features();
    atomic_store_explicit(&known, features, memory_order_relaxed);
  }
  return (features & feature) != 0;
}
#endif

// --- SHA-256 ---------------------------------------------------------------------------------------------------

// Feeds whole blocks of 64 bytes to the state.
typedef void (*sha256_blocks)(uint32_t state[8], const uint8_t *bytes, size_t blocks);

static const uint32_t initialState[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static const _Alignas(16) uint32_t roundConstants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static inline uint32_t rotate_right(uint32_t x, unsigned bits) { return x >> bits | x << (32 - bits); }

static inline uint32_t load_big_endian(const uint8_t *bytes) {
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static inline void store_big_endian(uint8_t *bytes, uint32_t value) {
  for (int i = 0; i < 4; i += 1) bytes[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void sha256_portable(uint32_t state[8], const uint8_t *bytes, size_t blocks) {
  for (; blocks > 0; blocks -= 1, bytes += 64) {
    uint32_t w[64];
    for (int t = 0; t < 16; t += 1) w[t] = load_big_endian(bytes + 4 * t);
    for (int t = 16; t < 64; t += 1) {
      uint32_t s0 = rotate_right(w[t - 15], 7) ^ rotate_right(w[t - 15], 18) ^ w[t - 15] >> 3;
      uint32_t s1 = rotate_right(w[t - 2], 17) ^ rotate_right(w[t - 2], 19) ^ w[t - 2] >> 10;
      w[t] = w[t - 16] + s0 + w[t - 7] + s1;
    }
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (int t = 0; t < 64; t += 1) {
      uint32_t s1 = rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25);
      uint32_t t1 = h + s1 + ((e & f) ^ (~e & g)) + roundConstants[t] + w[t];
      uint32_t s0 = rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22);
      uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
      h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
  }
}

#ifdef ERI_X86
// The instructions keep the state as (A, B, E, F) and (C, D, G, H), highest lane first, and do two rounds each.
__attribute__((target("sha,sse4.1,ssse3")))
static void sha256_native(uint32_t state[8], const uint8_t *bytes, size_t blocks) {
  const __m128i bigEndian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  __m128i low = _mm_loadu_si128((const __m128i *)state);          // D C B A
  __m128i high = _mm_loadu_si128((const __m128i *)(state + 4));   // H G F E
  __m128i cdab = _mm_shuffle_epi32(low, 0xb1);
  __m128i efgh = _mm_shuffle_epi32(high, 0x1b);
  __m128i abef = _mm_alignr_epi8(cdab, efgh, 8);
  __m128i cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);
  for (; blocks > 0; blocks -= 1, bytes += 64) {
    const __m128i abefBefore = abef, cdghBefore = cdgh;
    __m128i w[4];
    for (int i = 0; i < 4; i += 1) {
      w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(bytes + 16 * i)), bigEndian);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < 16; i += 1) {
      __m128i sum = _mm_add_epi32(w[i % 4], _mm_load_si128((const __m128i *)(roundConstants + 4 * i)));
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));
      if (i < 12) {
        // Words 16 + 4i … 19 + 4i take the place of the oldest four.
        __m128i next = _mm_sha256msg1_epu32(w[i % 4], w[(i + 1) % 4]);
        next = _mm_add_epi32(next, _mm_alignr_epi8(w[(i + 3) % 4], w[(i + 2) % 4], 4));
        w[i % 4] = _mm_sha256msg2_epu32(next, w[(i + 3) % 4]);
      }
    }
    abef = _mm_add_epi32(abef, abefBefore);
    cdgh = _mm_add_epi32(cdgh, cdghBefore);
  }
  __m128i feba = _mm_shuffle_epi32(abef, 0x1b);
  __m128i dchg = _mm_shuffle_epi32(cdgh, 0xb1);
  _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(feba, dchg, 0xf0));
  _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}
#elif defined(ERI_ARM64)
__attribute__((target("sha2")))
static void sha256_native(uint32_t state[8], const uint8_t *bytes, size_t blocks) {
  uint32x4_t abcd = vld1q_u32(state), efgh = vld1q_u32(state + 4);
  for (; blocks > 0; blocks -= 1, bytes += 64) {
    const uint32x4_t abcdBefore = abcd, efghBefore = efgh;
    uint32x4_t w[4];
    for (int i = 0; i < 4; i += 1) w[i] = vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(bytes + 16 * i)));
#pragma clang loop unroll(full)
    for (int i = 0; i < 16; i += 1) {
      uint32x4_t sum = vaddq_u32(w[i % 4], vld1q_u32(roundConstants + 4 * i));
      uint32x4_t abcdOld = abcd;
      abcd = vsha256hq_u32(abcd, efgh, sum);
      efgh = vsha256h2q_u32(efgh, abcdOld, sum);
      if (i < 12) {
        // Words 16 + 4i … 19 + 4i take the place of the oldest four.
        w[i % 4] = vsha256su1q_u32(vsha256su0q_u32(w[i % 4], w[(i + 1) % 4]), w[(i + 2) % 4], w[(i + 3) % 4]);
      }
    }
    abcd = vaddq_u32(abcd, abcdBefore);
    efgh = vaddq_u32(efgh, efghBefore);
  }
  vst1q_u32(state, abcd);
  vst1q_u32(state + 4, efgh);
}
#endif

size_t eri_sha256_variant_count(void) {
#ifdef ERI_NATIVE
  return 2;
#else
  return 1;
#endif
}

// NULL if there is no such variant or this processor lacks its instructions.
static sha256_blocks sha256_function(size_t variant) {
  if (variant == 0) return sha256_portable;
#ifdef ERI_NATIVE
  if (variant == 1 && has_feature(FEATURE_SHA256)) return sha256_native;
#endif
  return NULL;
}

static sha256_blocks sha256_best(void) {
  sha256_blocks native = sha256_function(1);
  return native != NULL ? native : sha256_portable;
}

void eri_sha256_init(eri_sha256 *digest) {
  *digest = (eri_sha256){.byteCount = 0};
  memcpy(digest->state, initialState, sizeof initialState);
}

static void sha256_update(eri_sha256 *digest, const uint8_t *bytes, size_t count, sha256_blocks blocks) {
  if (count == 0) return;
  digest->byteCount += count;
  if (digest->blockCount > 0) {
    size_t room = 64 - digest->blockCount;
    size_t taken = count < room ? count : room;
    memcpy(digest->block + digest->blockCount, bytes, taken);
    digest->blockCount += (uint32_t)taken;
    bytes += taken;
    count -= taken;
    if (digest->blockCount < 64) return;
    blocks(digest->state, digest->block, 1);
    digest->blockCount = 0;
  }
  if (count >= 64) blocks(digest->state, bytes, count / 64);
  digest->blockCount = (uint32_t)(count % 64);
  memcpy(digest->block, bytes + count / 64 * 64, digest->blockCount);
}

static void sha256_final(eri_sha256 *digest, uint8_t out[32], sha256_blocks blocks) {
  // A one bit, zeros up to eight bytes short of a block's end, and the length in bits.
  uint8_t tail[128] = {0};
  memcpy(tail, digest->block, digest->blockCount);
  tail[digest->blockCount] = 0x80;
  size_t tailBlocks = digest->blockCount < 56 ? 1 : 2;
  uint64_t bits = digest->byteCount * 8;
  store_big_endian(tail + 64 * tailBlocks - 8, (uint32_t)(bits >> 32));
  store_big_endian(tail + 64 * tailBlocks - 4, (uint32_t)bits);
  blocks(digest->state, tail, tailBlocks);
  for (int i = 0; i < 8; i += 1) store_big_endian(out + 4 * i, digest->state[i]);
}

void eri_sha256_update(eri_sha256 *digest, const void *bytes, size_t count) {
  sha256_update(digest, bytes, count, sha256_best());
}

void eri_sha256_final(eri_sha256 *digest, uint8_t out[32]) { sha256_final(digest, out, sha256_best()); }

bool eri_sha256_variant(size_t variant, const void *bytes, size_t count, uint8_t out[32]) {
  sha256_blocks blocks = sha256_function(variant);
  if (blocks == NULL) return false;
  eri_sha256 digest;
  eri_sha256_init(&digest);
  sha256_update(&digest, bytes, count, blocks);
  sha256_final(&digest, out, blocks);
  return true;
}

// --- CRC32C ----------------------------------------------------------------------------------------------------

// Continues a CRC without its initial and final inversion.
typedef uint32_t (*crc32c_bytes)(uint32_t crc, const uint8_t *bytes, size_t count);

// Table k holds the CRC of each byte followed by k zero bytes, so that eight bytes take eight independent look-ups.
static uint32_t crcTables[8][256];
static pthread_once_t crcTablesOnce = PTHREAD_ONCE_INIT;

static void make_crc_tables(void) {
  for (uint32_t byte = 0; byte < 256; byte += 1) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; bit += 1) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    crcTables[0][byte] = crc;
  }
  for (int k = 1; k < 8; k += 1) {
    for (int byte = 0; byte < 256; byte += 1) {
      uint32_t crc = crcTables[k - 1][byte];
      crcTables[k][byte] = crc >> 8 ^ crcTables[0][crc & 0xff];
    }
  }
}

static uint32_t crc32c_portable(uint32_t crc, const uint8_t *bytes, size_t count) {
  pthread_once(&crcTablesOnce, make_crc_tables);
  for (; count >= 8; bytes += 8, count -= 8) {
    crc ^= (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
    crc = crcTables[7][crc & 0xff] ^ crcTables[6][crc >> 8 & 0xff] ^ crcTables[5][crc >> 16 & 0xff] ^
          crcTables[4][crc >> 24] ^ crcTables[3][bytes[4]] ^ crcTables[2][bytes[5]] ^ crcTables[1][bytes[6]] ^
          crcTables[0][bytes[7]];
  }
  for (; count > 0; bytes += 1, count -= 1) crc = crc >> 8 ^ crcTables[0][(crc ^ *bytes) & 0xff];
  return crc;
}

#ifdef ERI_X86
__attribute__((target("sse4.2")))
static uint32_t crc32c_native(uint32_t crc, const uint8_t *bytes, size_t count) {
#ifdef __x86_64__
  for (; count >= 8; bytes += 8, count -= 8) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    crc = (uint32_t)_mm_crc32_u64(crc, word);
  }
#endif
  for (; count >= 4; bytes += 4, count -= 4) {
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    crc = _mm_crc32_u32(crc, word);
  }
  for (; count > 0; bytes += 1, count -= 1) crc = _mm_crc32_u8(crc, *bytes);
  return crc;
}
#elif defined(ERI_ARM64)
__attribute__((target("crc")))
static uint32_t crc32c_native(uint32_t crc, const uint8_t *bytes, size_t count) {
  for (; count >= 8; bytes += 8, count -= 8) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    crc = __crc32cd(crc, word);
  }
  for (; count > 0; bytes += 1, count -= 1) crc = __crc32cb(crc, *bytes);
  return crc;
}
#endif

size_t eri_crc32c_variant_count(void) {
#ifdef ERI_NATIVE
  return 2;
#else
  return 1;
#endif
}

// NULL if there is no such variant or this processor lacks its instructions.
static crc32c_bytes crc32c_function(size_t variant) {
  if (variant == 0) return crc32c_portable;
#ifdef ERI_NATIVE
  if (variant == 1 && has_feature(FEATURE_CRC32C)) return crc32c_native;
#endif
  return NULL;
}

uint32_t eri_crc32c(uint32_t crc, const void *bytes, size_t count) {
  crc32c_bytes native = crc32c_function(1);
  return ~(native != NULL ? native : crc32c_portable)(~crc, bytes, count);
}

bool eri_crc32c_variant(size_t variant, const void *bytes, size_t count, uint32_t *out) {
  crc32c_bytes function = crc32c_function(variant);
  if (function == NULL) return false;
  *out = ~function(~(uint32_t)0, bytes, count);
  return true;
}
