// Weights of the convolution that a gradient with respect to the input is.

INLINE vf reversed_lanes(vf v) {
#if LANES == 4
  return __builtin_shufflevector(v, v, 3, 2, 1, 0);
#elif LANES == 8
  return __builtin_shufflevector(v, v, 7, 6, 5, 4, 3, 2, 1, 0);
#else
  vf r;
  for (int i = 0; i < LANES; i++) r[i] = v[LANES - 1 - i];
  return r;
#endif
}

INLINE void reverse_taps(const size_t taps, const float *from, float *to) {
  size_t tap = 0;
  for (; tap + LANES <= taps; tap += LANES) store(to + tap, reversed_lanes(load(from + taps - LANES - tap)));
  for (; tap < taps; tap++) to[tap] = from[taps - 1 - tap];
}

/// Few input channels at a time, so that every one's row of the result is written from its beginning to its end.
INLINE void reverse_group(const size_t taps, size_t outputs, size_t inputs, const float *weights, float *reversed) {
  enum { TOGETHER = 16 };
  for (size_t begin = 0; begin < inputs; begin += TOGETHER) {
    size_t end = eri_minimum(begin + TOGETHER, inputs);
    for (size_t o = 0; o < outputs; o++) {
      for (size_t i = begin; i < end; i++) {
        reverse_taps(taps, weights + (o * inputs + i) * taps, reversed + (i * outputs + o) * taps);
      }
    }
  }
}
static void conv_reverse_weights(const eri_kernels *kernels, size_t outputChannels, size_t groupInputs, size_t taps,
                                 size_t groups, const float *weights, float *reversed) {
  size_t outputs = outputChannels / groups;
  for (size_t group = 0; group < groups; group++) {
    const float *from = weights + group * outputs * groupInputs * taps;
    float *to = reversed + group * outputs * groupInputs * taps;
    switch (taps) {
      case 1: eri_f32_transpose(kernels, outputs, groupInputs, from, groupInputs, to, outputs); break;
      case 3: reverse_group(3, outputs, groupInputs, from, to); break;
      case 9: reverse_group(9, outputs, groupInputs, from, to); break;
      default: reverse_group(taps, outputs, groupInputs, from, to);
    }
  }
}
