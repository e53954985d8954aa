// Loops over vectors, and vectors of doubles for sums that run over a batch.

/// Runs the body for every vector of `COUNT` elements: element `at` is its first, and `left` (LANES, or fewer at the end) may
/// be read and written.
#define EACH_VECTOR(COUNT, ...)                                                               \
  do {                                                                                        \
    size_t at = 0;                                                                            \
    _Pragma("clang loop unroll_count(2)") for (; at + LANES <= (COUNT); at += LANES) {        \
      const size_t left = LANES;                                                              \
      __VA_ARGS__;                                                                            \
    }                                                                                         \
    if (at < (COUNT)) {                                                                       \
      const size_t left = (COUNT)-at;                                                         \
      __VA_ARGS__;                                                                            \
    }                                                                                         \
  } while (0)

/// The sum over `COUNT` elements of an expression in `at` and `left`, in four interleaved vector sums.
#define SUM_EACH(RESULT, COUNT, ...)                                        \
  do {                                                                      \
    vf partial[4] = {splat(0.0f), splat(0.0f), splat(0.0f), splat(0.0f)};   \
    size_t begin = 0;                                                       \
    for (; begin + 4 * LANES <= (COUNT); begin += 4 * LANES) {              \
      UNROLL for (size_t j = 0; j < 4; j++) {                               \
        const size_t at = begin + j * LANES, left = LANES;                  \
        partial[j] += (__VA_ARGS__);                                        \
      }                                                                     \
    }                                                                       \
    for (; begin < (COUNT); begin += LANES) {                               \
      const size_t at = begin, left = (COUNT)-begin;                        \
      vf value = (__VA_ARGS__);                                             \
      partial[0] += left >= LANES ? value : first_lanes(value, left);       \
    }                                                                       \
    RESULT = sum_lanes((partial[0] + partial[1]) + (partial[2] + partial[3])); \
  } while (0)

/// Half a vector's lanes as doubles: both fill a register.
typedef double vd __attribute__((ext_vector_type(LANES / 2)));
typedef double vd_unaligned __attribute__((ext_vector_type(LANES / 2), aligned(8), may_alias));

/// LANES doubles.
typedef struct {
  vd low, high;
} doubles;

INLINE doubles widen(vf v) { return (doubles){__builtin_convertvector(v.lo, vd), __builtin_convertvector(v.hi, vd)}; }
INLINE doubles load_doubles(const double *p, size_t count) {
  double lanes[LANES] = {0};
  if (count < LANES) {
    for (size_t i = 0; i < count; i++) lanes[i] = p[i];
    p = lanes;
  }
  return (doubles){*(const vd_unaligned *)p, *(const vd_unaligned *)(p + LANES / 2)};
}
INLINE void store_doubles(double *p, doubles v, size_t count) {
  double lanes[LANES], *to = count < LANES ? lanes : p;
  *(vd_unaligned *)to = v.low;
  *(vd_unaligned *)(to + LANES / 2) = v.high;
  for (size_t i = 0; count < LANES && i < count; i++) p[i] = lanes[i];
}
INLINE void add(doubles *sum, doubles v) {
  sum->low += v.low;
  sum->high += v.high;
}
INLINE void add_product(doubles *sum, doubles a, doubles b) {
  sum->low = FMA(a.low, b.low, sum->low);
  sum->high = FMA(a.high, b.high, sum->high);
}
INLINE double sum_doubles(doubles v) {
  double lanes[LANES];
  store_doubles(lanes, v, LANES);
  UNROLL for (int half = LANES / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; i++) lanes[i] += lanes[i + half];
  }
  return lanes[0];
}

/// Writes `v`, or adds it to what is there.
INLINE void put(float *p, vf v, size_t left, bool accumulate) {
  store_some(p, accumulate ? load_some(p, left) + v : v, left);
}
