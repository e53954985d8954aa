// Vectors of LANES floats. The including file defines LANES, ROWS (rows of the micro-kernel) and FMA(a, b, c) = a b + c.

#define INLINE static inline __attribute__((always_inline))
#define OUTLINE static __attribute__((noinline))
#define UNROLL _Pragma("clang loop unroll(full)")
#define ROLLED _Pragma("clang loop unroll(disable)")

enum { VECTORS = ERI_PANEL / LANES };  // vectors of a panel's row

typedef float vf __attribute__((ext_vector_type(LANES)));
typedef int vi __attribute__((ext_vector_type(LANES)));
typedef float vf_unaligned __attribute__((ext_vector_type(LANES), aligned(4), may_alias));

INLINE vf load(const float *p) { return *(const vf_unaligned *)p; }
INLINE void store(float *p, vf v) { *(vf_unaligned *)p = v; }
INLINE vf splat(float x) { return (vf)x; }
INLINE vf from_bits(vi v) { return __builtin_bit_cast(vf, v); }
INLINE vi to_bits(vf v) { return __builtin_bit_cast(vi, v); }

/// Keeps what comes after the sums' last additions behind them: a compiler that mixes steps of a sum runs out of registers. A variant
/// may define HOLD_ONE(v).
#ifdef HOLD_ONE
#define HOLD(SUMS, COUNT) UNROLL for (int held = 0; held < (COUNT); held++) HOLD_ONE((SUMS)[held])
#else
#define HOLD(SUMS, COUNT)
#endif

/// 0, 1, 2, …
INLINE vi lane_numbers(void) {
#if LANES == 4
  return (vi){0, 1, 2, 3};
#elif LANES == 8
  return (vi){0, 1, 2, 3, 4, 5, 6, 7};
#else
  return (vi){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
#endif
}

/// The first `count` floats, then zeros: what a row's tail has left over. A whole vector if `count` allows. A variant may define
/// LOAD_FIRST(p, count) and STORE_FIRST(p, v, count) for fewer than LANES.
INLINE vf load_some(const float *p, size_t count) {
  if (count >= LANES) return load(p);
#ifdef LOAD_FIRST
  return LOAD_FIRST(p, count);
#else
  float lanes[LANES] = {0};
  for (size_t i = 0; i < count; i++) lanes[i] = p[i];
  return load(lanes);
#endif
}
INLINE void store_some(float *p, vf v, size_t count) {
  if (count >= LANES) {
    store(p, v);
    return;
  }
#ifdef STORE_FIRST
  STORE_FIRST(p, v, count);
#else
  float lanes[LANES];
  store(lanes, v);
  for (size_t i = 0; i < count; i++) p[i] = lanes[i];
#endif
}

/// The first `count` lanes, the others zero.
INLINE vf first_lanes(vf v, size_t count) { return lane_numbers() < (int)count ? v : splat(0.0f); }

/// The greater, or `b` where either is NaN.
INLINE vf maximum(vf a, vf b) { return a > b ? a : b; }
INLINE vf minimum(vf a, vf b) { return a < b ? a : b; }

/// Reduces the lanes by halves, the same order in every call.
#if LANES == 16
#define FOUR_LANES(v, OPERATION)                \
  __auto_type eight = OPERATION((v).lo, (v).hi); \
  __auto_type four = OPERATION(eight.lo, eight.hi)
#elif LANES == 8
#define FOUR_LANES(v, OPERATION) __auto_type four = OPERATION((v).lo, (v).hi)
#else
#define FOUR_LANES(v, OPERATION) __auto_type four = (v)
#endif
#define BY_HALVES(v, OPERATION)                \
  FOUR_LANES(v, OPERATION);                    \
  __auto_type two = OPERATION(four.lo, four.hi); \
  return OPERATION(two[0], two[1])
#define PLUS(a, b) ((a) + (b))
#define GREATER(a, b) ((a) > (b) ? (a) : (b))
INLINE float sum_lanes(vf v) { BY_HALVES(v, PLUS); }
INLINE float maximum_lanes(vf v) { BY_HALVES(v, GREATER); }

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
  vf t[16], u[16];
  UNROLL for (int i = 0; i < 16; i += 2) {  // pairs of rows: columns 0 1, then 2 3 of each quarter
    t[i] = __builtin_shufflevector(r[i], r[i + 1], 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29);
    t[i + 1] = __builtin_shufflevector(r[i], r[i + 1], 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
  }
  UNROLL for (int i = 0; i < 16; i += 4) {  // fours of rows: u[i + j] holds column j of each quarter
    UNROLL for (int j = 0; j < 2; j++) {
      u[i + 2 * j] = __builtin_shufflevector(t[i + j], t[i + j + 2], 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29);
      u[i + 2 * j + 1] =
          __builtin_shufflevector(t[i + j], t[i + j + 2], 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
    }
  }
  UNROLL for (int j = 0; j < 4; j++) {  // columns j, j + 4, j + 8 and j + 12, a quarter from each four of rows
    vf a = __builtin_shufflevector(u[j], u[j + 4], 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27);
    vf b = __builtin_shufflevector(u[j], u[j + 4], 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31);
    vf c = __builtin_shufflevector(u[j + 8], u[j + 12], 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27);
    vf d = __builtin_shufflevector(u[j + 8], u[j + 12], 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31);
    r[j] = __builtin_shufflevector(a, c, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
    r[j + 4] = __builtin_shufflevector(b, d, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
    r[j + 8] = __builtin_shufflevector(a, c, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
    r[j + 12] = __builtin_shufflevector(b, d, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
  }
#endif
}
