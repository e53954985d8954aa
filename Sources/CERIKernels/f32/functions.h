// Activation functions of single vectors and of several abreast: a formula is one chain of dependent operations, and processors look
// too few instructions ahead to begin the next vectors' chains meanwhile.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wpsabi"  // all are inlined: no vector is an argument

#define V vf
#define I vi
#include "formulas.h"
#undef V
#undef I

enum { ABREAST = 4 * LANES };
typedef float vf_abreast __attribute__((ext_vector_type(ABREAST)));
typedef int vi_abreast __attribute__((ext_vector_type(ABREAST)));
typedef float vf_abreast_unaligned __attribute__((ext_vector_type(ABREAST), aligned(4), may_alias));

INLINE vf_abreast load_abreast(const float *p) { return *(const vf_abreast_unaligned *)p; }
INLINE void store_abreast(float *p, vf_abreast v) { *(vf_abreast_unaligned *)p = v; }

#define V vf_abreast
#define I vi_abreast
#include "formulas.h"
#undef V
#undef I

/// y = gelu(x), y may be x. Processors overlap more vectors' chains if each of two loops takes a half of them.
OUTLINE void f32_gelu(size_t count, const float *x, float *y) {
  enum { CHUNK = 16 * ERI_PANEL };
  float exponents[CHUNK];
  while (count >= LANES) {
    size_t some = eri_minimum(count / LANES * LANES, CHUNK);
    for (size_t i = 0; i < some; i += LANES) store(exponents + i, gelu_exponent(load(x + i)));
    for (size_t i = 0; i < some; i += LANES) store(y + i, gelu(load(x + i), load(exponents + i)));
    count -= some;
    x += some;
    y += some;
  }
  if (!count) return;
  vf rest = load_some(x, count);
  store_some(y, gelu(rest, gelu_exponent(rest)), count);
}

/// y = activation(x) over `count` floats; y may be x. Each element's result is independent of its place.
OUTLINE void f32_activate(eri_activation activation, size_t count, const float *x, float *y) {
#define EACH(FUNCTION)                                                                                            \
  for (; i + ABREAST <= count; i += ABREAST) store_abreast(y + i, FUNCTION(load_abreast(x + i)));                 \
  for (; i + LANES <= count; i += LANES) store(y + i, FUNCTION(load(x + i)));                                     \
  if (i < count) store_some(y + i, FUNCTION(load_some(x + i, count - i)), count - i);                             \
  break
  size_t i = 0;
  switch (activation) {
    case ERI_ACTIVATION_IDENTITY:
      if (y != x) memcpy(y, x, count * sizeof(float));
      break;
    case ERI_ACTIVATION_RELU: EACH(rectify);
    case ERI_ACTIVATION_SIGMOID: EACH(sigmoid);
    case ERI_ACTIVATION_TANH: EACH(hyperbolic_tangent);
    case ERI_ACTIVATION_GELU: f32_gelu(count, x, y); break;
    case ERI_ACTIVATION_GELU_TANH: EACH(gelu_tanh);
    case ERI_ACTIVATION_EXP: EACH(exponential);
  }
#undef EACH
}

INLINE vf activated(eri_activation activation, vf x) {
  if (activation == ERI_ACTIVATION_IDENTITY) return x;
  if (activation == ERI_ACTIVATION_RELU) return rectify(x);
  float lanes[LANES];
  store(lanes, x);
  f32_activate(activation, LANES, lanes, lanes);
  return load(lanes);
}

#pragma clang diagnostic pop
