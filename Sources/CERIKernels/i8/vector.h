// Vectors of LANES floats or int32, and what is done to sums. Every operation is rounded on its own in every variant.
#pragma STDC FP_CONTRACT OFF

#define INLINE static inline __attribute__((always_inline))
#define OUTLINE static __attribute__((noinline))
#define UNROLL _Pragma("clang loop unroll(full)")

typedef float vf __attribute__((ext_vector_type(LANES)));
typedef int32_t vi __attribute__((ext_vector_type(LANES)));
typedef uint8_t vb __attribute__((ext_vector_type(LANES)));
typedef float vf_unaligned __attribute__((ext_vector_type(LANES), aligned(4), may_alias));
typedef int32_t vi_unaligned __attribute__((ext_vector_type(LANES), aligned(4), may_alias));
typedef uint8_t vb_unaligned __attribute__((ext_vector_type(LANES), aligned(1), may_alias));

INLINE vf splat(float x) { return (vf)x; }
INLINE vf load_floats(const float *p) { return *(const vf_unaligned *)p; }
INLINE vi load_sums(const int32_t *p) { return *(const vi_unaligned *)p; }
INLINE vi load_bytes(const uint8_t *p) { return __builtin_convertvector(*(const vb_unaligned *)p, vi); }

/// The first `count` elements, then zeros; a whole vector if `count` allows.
INLINE vf load_some_floats(const float *p, size_t count) {
  if (count >= LANES) return load_floats(p);
  float lanes[LANES] = {0};
  for (size_t i = 0; i < count; i++) lanes[i] = p[i];
  return load_floats(lanes);
}
INLINE vi load_some_bytes(const uint8_t *p, size_t count) {
  if (count >= LANES) return load_bytes(p);
  uint8_t lanes[LANES] = {0};
  for (size_t i = 0; i < count; i++) lanes[i] = p[i];
  return load_bytes(lanes);
}
INLINE void store_some_floats(float *p, vf v, size_t count) {
  if (count >= LANES) {
    *(vf_unaligned *)p = v;
    return;
  }
  float lanes[LANES];
  *(vf_unaligned *)lanes = v;
  for (size_t i = 0; i < count; i++) p[i] = lanes[i];
}
INLINE void store_some_bytes(uint8_t *p, vi v, size_t count) {
  vb bytes = __builtin_convertvector(v, vb);
  if (count >= LANES) {
    *(vb_unaligned *)p = bytes;
    return;
  }
  uint8_t lanes[LANES];
  *(vb_unaligned *)lanes = bytes;
  for (size_t i = 0; i < count; i++) p[i] = lanes[i];
}

/// How floats become bytes.
typedef struct {
  float inverse, low, high;
  int32_t zero;
} i8_quantiser;

INLINE i8_quantiser quantiser(float inverse, int32_t zero) {
  return (i8_quantiser){inverse, (float)-zero, (float)(255 - zero), zero};
}

/// clamp(round_half_even(v * inverse) + zero, 0, 255). Adding 1.5 · 2²³ leaves the rounded value in a float's low bits.
INLINE vi quantised(vf v, const i8_quantiser *q) {
  vf scaled = v * splat(q->inverse);
  scaled = scaled > splat(q->low) ? scaled : splat(q->low);
  scaled = scaled < splat(q->high) ? scaled : splat(q->high);
  vi bits = __builtin_bit_cast(vi, scaled + splat(12582912.0f));
  return bits - (vi)(0x4b400000 - q->zero);
}

INLINE vf dequantised(vi q, eri_i8_scale scale) {
  return __builtin_convertvector(q - (vi)scale.zero, vf) * splat(scale.scale);
}

INLINE float floor_of(eri_activation activation) {
  return activation == ERI_ACTIVATION_RELU ? 0.0f : -__builtin_inff();
}
INLINE vf bounded(vf v, float floor) { return v < splat(floor) ? splat(floor) : v; }

/// An epilogue as constants of one call.
typedef struct {
  const float *scale, *bias;
  float firstFloor, secondFloor;
  eri_i8_scale residualScale;
  i8_quantiser quantiser;
} i8_finish;

INLINE i8_finish finish_of(const eri_i8_epilogue *e) {
  return (i8_finish){e->scale,
                     e->bias,
                     floor_of(e->first),
                     floor_of(e->second),
                     e->residualScale,
                     quantiser(e->outputInverse, e->outputZero)};
}

/// Where one row's or pixel's channels go and what is added to them; pointers to channel 0, NULL for what is not there.
typedef struct {
  uint8_t *bytes;
  float *floats;
  const uint8_t *residualBytes;
  const float *residualFloats;
} i8_place;

/// Finishes `count` channels from `n` on, a vector at most.
INLINE void finish_lanes(const i8_finish *f, vf v, size_t n, size_t count, const i8_place *place) {
  v = v * load_some_floats(f->scale + n, count);
  if (f->bias) v = v + load_some_floats(f->bias + n, count);
  v = bounded(v, f->firstFloor);
  if (place->residualBytes) {
    v = v + dequantised(load_some_bytes(place->residualBytes + n, count), f->residualScale);
  } else if (place->residualFloats) {
    v = v + load_some_floats(place->residualFloats + n, count);
  }
  v = bounded(v, f->secondFloor);
  if (place->bytes) {
    store_some_bytes(place->bytes + n, quantised(v, &f->quantiser), count);
  } else {
    store_some_floats(place->floats + n, v, count);
  }
}
