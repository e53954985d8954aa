// Vectors of LANES floats. The including file defines LANES, ROWS (rows of the micro-kernel) and FMA(a, b, c) = a b + c.

#define INLINE static inline __attribute__((always_inline))
#define OUTLINE static __attribute__((noinline))
#define UNROLL _Pragma("clang loop unroll(full)")

enum { VECTORS = ERI_PANEL / LANES };  // vectors of a panel's row

typedef float vf __attribute__((ext_vector_type(LANES)));
typedef int vi __attribute__((ext_vector_type(LANES)));
typedef float vf_unaligned __attribute__((ext_vector_type(LANES), aligned(4), may_alias));

INLINE vf load(const float *p) { return *(const vf_unaligned *)p; }
INLINE void store(float *p, vf v) { *(vf_unaligned *)p = v; }
INLINE vf splat(float x) { return (vf)x; }
INLINE vf from_bits(vi v) { return __builtin_bit_cast(vf, v); }
INLINE vi to_bits(vf v) { return __builtin_bit_cast(vi, v); }

/// The first `count` floats, then zeros: what a row's tail has left over. A whole vector if `count` allows.
INLINE vf load_some(const float *p, size_t count) {
  if (count >= LANES) return load(p);
  float lanes[LANES] = {0};
  for (size_t i = 0; i < count; i++) lanes[i] = p[i];
  return load(lanes);
}
INLINE void store_some(float *p, vf v, size_t count) {
  if (count >= LANES) {
    store(p, v);
    return;
  }
  float lanes[LANES];
  store(lanes, v);
  for (size_t i = 0; i < count; i++) p[i] = lanes[i];
}

/// The first `count` lanes, the others zero.
INLINE vf first_lanes(vf v, size_t count) {
  float lanes[LANES];
  store(lanes, v);
  return load_some(lanes, count);
}

/// The greater, or `b` where either is NaN.
INLINE vf maximum(vf a, vf b) { return a > b ? a : b; }
INLINE vf minimum(vf a, vf b) { return a < b ? a : b; }

/// Sum of the lanes by halves, the same order in every call.
INLINE float sum_lanes(vf v) {
  float lanes[LANES];
  store(lanes, v);
  UNROLL for (int half = LANES / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; i++) lanes[i] += lanes[i + half];
  }
  return lanes[0];
}
INLINE float maximum_lanes(vf v) {
  float lanes[LANES];
  store(lanes, v);
  UNROLL for (int half = LANES / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; i++) lanes[i] = lanes[i] > lanes[i + half] ? lanes[i] : lanes[i + half];
  }
  return lanes[0];
}

/// Transposes LANES vectors in place.
INLINE void transpose_lanes(vf *r) {
#if LANES == 4
  vf a = __builtin_shufflevector(r[0], r[1], 0, 4, 1, 5), b = __builtin_shufflevector(r[0], r[1], 2, 6, 3, 7);
  vf c = __builtin_shufflevector(r[2], r[3], 0, 4, 1, 5), d = __builtin_shufflevector(r[2], r[3], 2, 6, 3, 7);
  r[0] = __builtin_shufflevector(a, c, 0, 1, 4, 5);
  r[1] = __builtin_shufflevector(a, c, 2, 3, 6, 7);
  r[2] = __builtin_shufflevector(b, d, 0, 1, 4, 5);
  r[3] = __builtin_shufflevector(b, d, 2, 3, 6, 7);
#elif LANES == 8
  vf t[8], u[8];
  UNROLL for (int i = 0; i < 8; i += 2) {  // pairs of rows: columns 0 1 4 5, then 2 3 6 7
    t[i] = __builtin_shufflevector(r[i], r[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
    t[i + 1] = __builtin_shufflevector(r[i], r[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
  }
  UNROLL for (int i = 0; i < 8; i += 4) {  // fours of rows: column j and j + 4
    u[i] = __builtin_shufflevector(t[i], t[i + 2], 0, 1, 8, 9, 4, 5, 12, 13);
    u[i + 1] = __builtin_shufflevector(t[i], t[i + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    u[i + 2] = __builtin_shufflevector(t[i + 1], t[i + 3], 0, 1, 8, 9, 4, 5, 12, 13);
    u[i + 3] = __builtin_shufflevector(t[i + 1], t[i + 3], 2, 3, 10, 11, 6, 7, 14, 15);
  }
  UNROLL for (int i = 0; i < 4; i++) {
    r[i] = __builtin_shufflevector(u[i], u[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    r[i + 4] = __builtin_shufflevector(u[i], u[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
#else
  float t[LANES][LANES];
  for (int i = 0; i < LANES; i++) store(t[i], r[i]);
  for (int i = 0; i < LANES; i++) {
    for (int j = 0; j < LANES; j++) r[i][j] = t[j][i];
  }
#endif
}
