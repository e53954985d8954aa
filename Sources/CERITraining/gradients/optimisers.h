// Optimiser steps.

/// 1 - beta, where beta is the decimal fraction that was rounded to the float: 1 - 0.999f would be 5e-5 of itself away from the
/// 0.001 that the averages of a double-precision beta start with.
INLINE float complement(float beta) {
  for (double scale = 10; scale < 1e8; scale *= 10) {
    double decimal = round((double)beta * scale) / scale;
    if ((float)decimal == beta) return (float)(1 - decimal);
  }
  return (float)(1 - (double)beta);
}

static void adam(const eri_adam *s, size_t count, const float *gradient, float *weights, float *m, float *v) {
  vf rest1 = splat(complement(s->beta1)), rest2 = splat(complement(s->beta2)), beta2 = splat(s->beta2);
  vf root = splat(sqrtf(s->correction2)), step = splat(s->learningRate / s->correction1), epsilon = splat(s->epsilon);
  vf scale = splat(s->gradientScale), added = splat(s->decoupled ? 0.0f : s->weightDecay);
  vf kept = splat(s->decoupled ? (float)(1 - (double)s->learningRate * s->weightDecay) : 1.0f);
  EACH_VECTOR(count, {
    vf w = load_some(weights + at, left);
    vf g = FMA(added, w, load_some(gradient + at, left) * scale);
    vf oldM = load_some(m + at, left);
    vf newM = FMA(rest1, g - oldM, oldM);
    vf newV = FMA(rest2 * g, g, load_some(v + at, left) * beta2);
    vf divisor = __builtin_elementwise_sqrt(newV) / root + epsilon;
    store_some(m + at, newM, left);
    store_some(v + at, newV, left);
    store_some(weights + at, FMA(-step, newM / divisor, w * kept), left);
  });
}

static void sgd(const eri_sgd *s, size_t count, const float *gradient, float *weights, float *momentum) {
  vf scale = splat(s->gradientScale), decay = splat(s->weightDecay), step = splat(-s->learningRate);
  if (s->momentum == 0) {
    EACH_VECTOR(count, {
      vf w = load_some(weights + at, left);
      store_some(weights + at, FMA(step, FMA(decay, w, load_some(gradient + at, left) * scale), w), left);
    });
    return;
  }
  vf kept = splat(s->momentum);
  bool first = s->first;
  EACH_VECTOR(count, {
    vf w = load_some(weights + at, left);
    vf g = FMA(decay, w, load_some(gradient + at, left) * scale);
    vf moved = first ? g : FMA(kept, load_some(momentum + at, left), g);
    store_some(momentum + at, moved, left);
    store_some(weights + at, FMA(step, moved, w), left);
  });
}
