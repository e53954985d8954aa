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

enum { PANEL_VECTORS = ERI_PANEL / LANES };

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
INLINE void store_some_bytes(uint8_t *p, vb bytes, size_t count) {
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

/// The same as bytes. SATURATED_BYTES(scaled, zero) of a variant rounds half to even, adds the zero point and brings what is over 255 to
/// 255, infinity too.
INLINE vb quantised_bytes(vf v, const i8_quantiser *q) {
#ifdef SATURATED_BYTES
  vf scaled = v * splat(q->inverse);
  return SATURATED_BYTES(scaled > splat(q->low) ? scaled : splat(q->low), q->zero);
#else
  return __builtin_convertvector(quantised(v, q), vb);
#endif
}

INLINE vf dequantised(vi q, eri_i8_scale scale) {
  return __builtin_convertvector(q - (vi)scale.zero, vf) * splat(scale.scale);
}

INLINE float floor_of(eri_activation activation) {
  return activation == ERI_ACTIVATION_RELU ? 0.0f : -__builtin_inff();
}
INLINE vf bounded(vf v, float floor) { return v < splat(floor) ? splat(floor) : v; }

// --- Epilogue ------------------------------------------------------------------------------------------------------

/// An epilogue as constants of one call. Without a residual the second floor is both activations'; a quantiser's lower bound takes the
/// second floor in, since a positive factor keeps signs.
typedef struct {
  const float *scale, *bias;
  float firstFloor, secondFloor;
  eri_i8_scale residualScale;
  i8_quantiser quantiser;
} i8_constants;

/// Where the channels of rows or pixels go and what is added to them; residuals are read only where there are some.
typedef struct {
  void *out;
  const void *residual;
} i8_place;

enum { NO_RESIDUAL, BYTES_RESIDUAL, FLOATS_RESIDUAL };

/// `count` channels from `n` on, a vector at most.
INLINE void finish_lanes(const bool toBytes, const int residual, const i8_constants *k, vf v, vf scale, vf bias, size_t n,
                         size_t count, const i8_place *place) {
  v = v * scale + bias;
  if (residual != NO_RESIDUAL) v = bounded(v, k->firstFloor);
  if (residual == BYTES_RESIDUAL) {
    v = v + dequantised(load_some_bytes((const uint8_t *)place->residual + n, count), k->residualScale);
  }
  if (residual == FLOATS_RESIDUAL) v = v + load_some_floats((const float *)place->residual + n, count);
  if (toBytes) {
    store_some_bytes((uint8_t *)place->out + n, quantised_bytes(v, &k->quantiser), count);
  } else {
    store_some_floats((float *)place->out + n, bounded(v, k->secondFloor), count);
  }
}

/// Finishes `channels` channels from `n` on of `rows` rows, whose sums are `stride` apart: int32 less `corrections` where there
/// are some, floats otherwise.
typedef void (*i8_finisher)(const i8_constants *k, const void *sums, size_t stride, const int32_t *corrections,
                            size_t rows, const i8_place *places, size_t n, size_t channels);

/// `vectors` vectors of channels from `c` on, each with `count` channels.
INLINE void finish_channels(const bool toBytes, const int residual, const int vectors, const i8_constants *k,
                            const void *sums, size_t stride, const int32_t *corrections, size_t rows,
                            const i8_place *places, size_t n, size_t c, size_t count) {
  vf scale[PANEL_VECTORS], bias[PANEL_VECTORS];
  vi correction[PANEL_VECTORS];
  UNROLL for (int j = 0; j < vectors; j++) {
    size_t at = c + (size_t)j * LANES;
    scale[j] = load_some_floats(k->scale + n + at, count);
    bias[j] = k->bias ? load_some_floats(k->bias + n + at, count) : splat(-0.0f);  // changes nothing
    correction[j] = corrections ? load_sums(corrections + at) : (vi)0;
  }
  for (size_t r = 0; r < rows; r++) {
    UNROLL for (int j = 0; j < vectors; j++) {
      size_t at = c + (size_t)j * LANES;
      vf v = corrections ? __builtin_convertvector(load_sums((const int32_t *)sums + r * stride + at) - correction[j], vf)
                         : load_floats((const float *)sums + r * stride + at);
      finish_lanes(toBytes, residual, k, v, scale[j], bias[j], n + at, count, &places[r]);
    }
  }
}

/// Whole panels, then what is left.
INLINE void finish_rows(const bool toBytes, const int residual, const i8_constants *constants, const void *sums,
                        size_t stride, const int32_t *corrections, size_t rows, const i8_place *places, size_t n,
                        size_t channels) {
  const i8_constants copy = *constants, *k = &copy;  // which no store can change: it stays in registers
  size_t c = 0;
  for (; c + ERI_PANEL <= channels; c += ERI_PANEL) {
    finish_channels(toBytes, residual, PANEL_VECTORS, k, sums, stride, corrections, rows, places, n, c, LANES);
  }
  for (; c < channels; c += LANES) {
    finish_channels(toBytes, residual, 1, k, sums, stride, corrections, rows, places, n, c, eri_minimum(channels - c, LANES));
  }
}

/// Every way to finish, as DO(name, to bytes, residual).
#define FOR_EVERY_FINISH(DO)                   \
  DO(to_bytes, true, NO_RESIDUAL)              \
  DO(to_bytes_with_bytes, true, BYTES_RESIDUAL)   \
  DO(to_bytes_with_floats, true, FLOATS_RESIDUAL) \
  DO(to_floats, false, NO_RESIDUAL)            \
  DO(to_floats_with_bytes, false, BYTES_RESIDUAL) \
  DO(to_floats_with_floats, false, FLOATS_RESIDUAL)

#define FINISHER(NAME, TO_BYTES, RESIDUAL)                                                                         \
  OUTLINE void finish_##NAME(const i8_constants *k, const void *sums, size_t stride, const int32_t *corrections,            \
                    size_t rows, const i8_place *places, size_t n, size_t channels) {                              \
    if (corrections) {                                                                                             \
      finish_rows(TO_BYTES, RESIDUAL, k, sums, stride, corrections, rows, places, n, channels);                    \
    } else {                                                                                                       \
      finish_rows(TO_BYTES, RESIDUAL, k, sums, stride, NULL, rows, places, n, channels);                           \
    }                                                                                                              \
  }
FOR_EVERY_FINISH(FINISHER)

#define FINISHER_AT(NAME, TO_BYTES, RESIDUAL) [TO_BYTES][RESIDUAL] = finish_##NAME,
static const i8_finisher finishers[2][3] = {FOR_EVERY_FINISH(FINISHER_AT)};

/// What finishes the sums of one call.
typedef struct {
  i8_finisher rows;
  bool toBytes;
  int residual;
  i8_constants constants;
  size_t residualSize;  // of an element in bytes
} i8_finish;

INLINE i8_finish finish_of(const eri_i8_epilogue *e, bool toBytes) {
  float first = floor_of(e->first), second = floor_of(e->second);
  int residual = e->residualFloats ? FLOATS_RESIDUAL : e->residualBytes ? BYTES_RESIDUAL : NO_RESIDUAL;
  if (residual == NO_RESIDUAL && first > second) second = first;
  i8_finish finish = {finishers[toBytes][residual],
                      toBytes,
                      residual,
                      {e->scale, e->bias, first, second, e->residualScale, quantiser(e->outputInverse, e->outputZero)},
                      e->residualFloats ? sizeof(float) : 1};
  if (finish.constants.quantiser.low < second) finish.constants.quantiser.low = second;
  return finish;
}

/// The place `out` elements into the output, `residual` into the residual.
INLINE i8_place place_of(uint8_t *bytes, float *floats, const eri_i8_epilogue *e, size_t out, size_t residual) {
  i8_place place = {bytes ? (void *)(bytes + out) : (void *)(floats + out), NULL};
  if (e->residualBytes) place.residual = e->residualBytes + residual;
  if (e->residualFloats) place.residual = e->residualFloats + residual;
  return place;
}
