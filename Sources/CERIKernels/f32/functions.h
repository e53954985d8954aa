// Activation functions on vectors. All coefficients are weighted minimax fits (Lawson's iteration on Chebyshev nodes,
// 40-digit reference values), rounded to float. Polynomials are summed in pairs (Estrin), which halves the chain of dependent
// operations.

/// 2^n for integers n in -126...127.
INLINE vf power_of_two(vi n) { return from_bits((n + 127) << 23); }

/// p 2^n in two steps, so that results beyond the normal range round once and overflow to infinity.
INLINE vf scale_by_power(vf p, vi n) {
  vi half = n >> 1;
  return p * power_of_two(half) * power_of_two(n - half);
}

/// The nearest integer of |x| < 2^22, as a float: adding 1.5 2^23 leaves no fraction bits.
INLINE vf nearest(vf x) {
  vf magic = splat(12582912.0f);
  vf shifted = x + magic;
  return shifted - magic;
}

/// e^x = 2^n e^r with n = round(x / ln 2), |r| <= ln 2 / 2 and e^r = 1 + r + r² q(r), q of degree 4 (fit: 3.1e-9 relative).
INLINE vf exponential(vf x) {
  x = x > splat(89.0f) ? splat(89.0f) : x;  // rounds to infinity; NaN stays
  x = x < splat(-105.0f) ? splat(-105.0f) : x;  // rounds to 0
  vf n = nearest(x * splat(1.44269504f));
  vf r = FMA(n, splat(-0.693359375f), x);  // ln 2 in 9 bits and a rest: the first product is exact
  r = FMA(n, splat(2.12194440e-4f), r);
  vf r2 = r * r;
  vf q = FMA(FMA(splat(0x1.6a234ep-10f), r, splat(0x1.123a6cp-7f)), r2, FMA(splat(0x1.5558f4p-5f), r, splat(0x1.555490p-3f)));
  q = FMA(q, r, splat(0x1.fffffcp-2f));
  vf p = FMA(r2, q, r) + splat(1.0f);
  return scale_by_power(p, __builtin_convertvector(n, vi));
}

INLINE vf sigmoid(vf x) { return splat(1.0f) / (splat(1.0f) + exponential(-x)); }

/// |x| < 0.625: x + x³ p(x²), p of degree 4 (fit: 4.4e-9 relative); else 1 - 2 / (e^2|x| + 1) with the sign of x.
INLINE vf hyperbolic_tangent(vf x) {
  vf size = from_bits(to_bits(x) & 0x7fffffff);
  vf far = splat(1.0f) - splat(2.0f) / (exponential(size + size) + splat(1.0f));
  far = from_bits(to_bits(far) | (to_bits(x) & (vi)(int)0x80000000));
  vf u = x * x;
  vf p = splat(-0x1.75e1a8p-8f);
  p = FMA(p, u, splat(0x1.522692p-6f));
  p = FMA(p, u, splat(-0x1.b83c58p-5f));
  p = FMA(p, u, splat(0x1.110726p-3f));
  p = FMA(p, u, splat(-0x1.555532p-2f));
  vf near = FMA(u * x, p, x);
  return size < splat(0.625f) ? near : far;
}

/// Φ(-t) for 0 <= t <= 20: 2^-g(t), where g(t) = -log2 Φ(-t) = 1 + t q(t), q of degree 9 fitted on 0...8 so that the error of
/// Φ(-t) is below 1.2e-8 sqrt(Φ(-t)); beyond 8 (Φ < 1e-15) g keeps rising, so the tail goes to 0.
INLINE vf normal_tail(vf t) {
  vf t2 = t * t, t4 = t2 * t2;
  vf q01 = FMA(splat(0x1.d63cb2p-2f), t, splat(0x1.26aecep+0f));
  vf q23 = FMA(splat(-0x1.c8355ap-8f), t, splat(0x1.adb470p-5f));
  vf q45 = FMA(splat(0x1.24f10cp-12f), t, splat(0x1.b8cd98p-18f));
  vf q67 = FMA(splat(0x1.79dd8ep-17f), t, splat(-0x1.44159cp-14f));
  vf q89 = FMA(splat(0x1.09a2f6p-25f), t, splat(-0x1.e33068p-21f));
  vf q = FMA(FMA(q89, t4, FMA(q67, t2, q45)), t4, FMA(q23, t2, q01));
  vf g = FMA(q, t, splat(1.0f));
  g = g > splat(160.0f) ? splat(160.0f) : g;  // 2^-160 rounds to 0; NaN stays
  vf n = nearest(-g);
  vf r = -g - n;
  // 2^r = 1 + r p(r), |r| <= 1/2, p of degree 5 (fit: 2.0e-9 relative).
  vf r2 = r * r, p01 = FMA(splat(0x1.ebfbdcp-3f), r, splat(0x1.62e430p-1f));
  vf p23 = FMA(splat(0x1.3b2d50p-7f), r, splat(0x1.c6aee6p-5f));
  vf p45 = FMA(splat(0x1.41fb2cp-13f), r, splat(0x1.5f3f32p-10f));
  vf p = FMA(FMA(p45, r2, p23), r2, p01);
  return scale_by_power(FMA(p, r, splat(1.0f)), __builtin_convertvector(n, vi));
}

/// |x|, at most 20: Φ(-20) rounds to 0, and infinity must not meet it. NaN stays.
INLINE vf normal_distance(vf x) {
  vf t = from_bits(to_bits(x) & 0x7fffffff);
  return t > splat(20.0f) ? splat(20.0f) : t;
}

/// x Φ(x).
INLINE vf gelu(vf x) {
  vf t = normal_distance(x);
  vf y = t * normal_tail(t);
  return x > splat(0.0f) ? x - y : -y;
}

/// x/2 (1 + tanh u) = x sigmoid(2 u), u = sqrt(2/π) (x + 0.044715 x³).
INLINE vf gelu_tanh(vf x) {
  vf u = x * FMA(x * x, splat(0.0713548163f), splat(1.59576912f));
  return x * sigmoid(u);
}

/// NaN stays NaN.
INLINE vf rectify(vf x) { return x < splat(0.0f) ? splat(0.0f) : x; }

/// y = activation(x) over `count` floats; y may be x. Each element's result is independent of its place.
OUTLINE void f32_activate(eri_activation activation, size_t count, const float *x, float *y) {
#define EACH(FUNCTION)                                                                    \
  _Pragma("clang loop unroll_count(2)") for (; i + LANES <= count; i += LANES) {          \
    store(y + i, FUNCTION(load(x + i)));                                                  \
  }                                                                                       \
  if (i < count) store_some(y + i, FUNCTION(load_some(x + i, count - i)), count - i);     \
  break
  size_t i = 0;
  switch (activation) {
    case ERI_ACTIVATION_IDENTITY:
      if (y != x) memcpy(y, x, count * sizeof(float));
      break;
    case ERI_ACTIVATION_RELU: EACH(rectify);
    case ERI_ACTIVATION_SIGMOID: EACH(sigmoid);
    case ERI_ACTIVATION_TANH: EACH(hyperbolic_tangent);
    case ERI_ACTIVATION_GELU: EACH(gelu);
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
