// Dropout: which elements stay is a hash of the site's key and the element's index, so that the gradient needs no mask stored
// and no split of the elements changes it.

typedef uint32_t vu __attribute__((ext_vector_type(LANES)));

/// What one stretch of elements whose indices share their upper half starts its hash from.
typedef struct {
  uint32_t first, second;
} dropout_seed;

/// The finaliser of splitmix64 over the key and the upper half of the index: once per stretch, so 64-bit products cost nothing.
INLINE dropout_seed seed_of(uint64_t key, uint64_t upper) {
  uint64_t z = key + (upper + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  z ^= z >> 31;
  return (dropout_seed){(uint32_t)z, (uint32_t)(z >> 32)};
}

/// Two rounds of multiplication and shifting (the constants of the 32-bit hash of least bias known), with half of the seed
/// before each: without the second, masks of different keys would be each other's permutations.
INLINE vu hash(vu index, dropout_seed seed) {
  vu h = index ^ seed.first;
  h ^= h >> 16;
  h *= 0x21f0aaadu;
  h ^= seed.second;
  h ^= h >> 15;
  h *= 0xd35a2d97u;
  return h ^ (h >> 15);
}

static void dropout_apply(const eri_dropout *dropout, uint64_t first, size_t count, const float *x, float *y,
                          bool accumulate) {
  float bound = ceilf(dropout->rate * 16777216.0f);
  vi least = (vi)((int)bound - 1);
  vf scale = splat(1.0f / (1.0f - dropout->rate));
  vu lanes;
  UNROLL for (int i = 0; i < LANES; i++) lanes[i] = (uint32_t)i;
  while (count) {
    uint64_t rest = ((uint64_t)1 << 32) - (first & 0xffffffffu);  // to the next index with another upper half
    size_t stretch = rest < count ? (size_t)rest : count;
    dropout_seed seed = seed_of(dropout->key, first >> 32);
    vu start = lanes + (uint32_t)first;
    EACH_VECTOR(stretch, {
      vi top = __builtin_bit_cast(vi, hash(start + (uint32_t)at, seed) >> 8);
      vf value = load_some(x + at, left) * scale;
      put(y + at, top > least ? value : splat(0.0f), left, accumulate);
    });
    first += stretch;
    count -= stretch;
    x += stretch;
    y += stretch;
  }
}
