// Activation functions on vectors V of floats, with integers I. All coefficients are weighted minimax fits (Lawson's iteration on
// Chebyshev nodes, 40-digit reference values), rounded to float. Polynomials are summed in pairs (Estrin), which halves the chain of
// dependent operations.

#define SPLAT(x) ((V)(x))
#define AS_FLOATS(v) __builtin_bit_cast(V, v)
#define AS_BITS(v) __builtin_bit_cast(I, v)
#define OVERLOADED __attribute__((overloadable))

/// 2^n for integers n in -126...127.
INLINE OVERLOADED V power_of_two(I n) { return AS_FLOATS((n + 127) << 23); }

/// p 2^n in two steps, so that results beyond the normal range round once and overflow to infinity.
INLINE OVERLOADED V scale_by_power(V p, I n) {
  I half = n >> 1;
  return p * power_of_two(half) * power_of_two(n - half);
}

/// The nearest integer of |x| < 2^22, as a float: adding 1.5 2^23 leaves no fraction bits.
INLINE OVERLOADED V nearest(V x) {
  V magic = SPLAT(12582912.0f);
  V shifted = x + magic;
  return shifted - magic;
}

/// e^x = 2^n e^r with n = round(x / ln 2), |r| <= ln 2 / 2 and e^r = 1 + r + r² q(r), q of degree 4 (fit: 3.1e-9 relative).
INLINE OVERLOADED V exponential(V x) {
  x = x > SPLAT(89.0f) ? SPLAT(89.0f) : x;  // rounds to infinity; NaN stays
  x = x < SPLAT(-105.0f) ? SPLAT(-105.0f) : x;  // rounds to 0
  V n = nearest(x * SPLAT(1.44269504f));
  V r = FMA(n, SPLAT(-0.693359375f), x);  // ln 2 in 9 bits and a rest: the first product is exact
  r = FMA(n, SPLAT(2.12194440e-4f), r);
  V r2 = r * r;
  V q = FMA(FMA(SPLAT(0x1.6a234ep-10f), r, SPLAT(0x1.123a6cp-7f)), r2, FMA(SPLAT(0x1.5558f4p-5f), r, SPLAT(0x1.555490p-3f)));
  q = FMA(q, r, SPLAT(0x1.fffffcp-2f));
  V p = FMA(r2, q, r) + SPLAT(1.0f);
  return scale_by_power(p, __builtin_convertvector(n, I));
}

INLINE OVERLOADED V sigmoid(V x) { return SPLAT(1.0f) / (SPLAT(1.0f) + exponential(-x)); }

/// |x| < 0.625: x + x³ p(x²), p of degree 4 (fit: 4.4e-9 relative); else 1 - 2 / (e^2|x| + 1) with the sign of x.
INLINE OVERLOADED V hyperbolic_tangent(V x) {
  V size = AS_FLOATS(AS_BITS(x) & 0x7fffffff);
  V far = SPLAT(1.0f) - SPLAT(2.0f) / (exponential(size + size) + SPLAT(1.0f));
  far = AS_FLOATS(AS_BITS(far) | (AS_BITS(x) & (I)(int)0x80000000));
  V u = x * x;
  V p = SPLAT(-0x1.75e1a8p-8f);
  p = FMA(p, u, SPLAT(0x1.522692p-6f));
  p = FMA(p, u, SPLAT(-0x1.b83c58p-5f));
  p = FMA(p, u, SPLAT(0x1.110726p-3f));
  p = FMA(p, u, SPLAT(-0x1.555532p-2f));
  V near = FMA(u * x, p, x);
  return size < SPLAT(0.625f) ? near : far;
}

/// Φ(-t) for 0 <= t <= 20: 2^-g(t), where g(t) = -log2 Φ(-t) = 1 + t q(t), q of degree 9 fitted on 0...8 so that the error of
/// Φ(-t) is below 1.2e-8 sqrt(Φ(-t)); beyond 8 (Φ < 1e-15) g keeps rising, so the tail goes to 0.
INLINE OVERLOADED V normal_tail(V t) {
  V t2 = t * t, t4 = t2 * t2;
  V q01 = FMA(SPLAT(0x1.d63cb2p-2f), t, SPLAT(0x1.26aecep+0f));
  V q23 = FMA(SPLAT(-0x1.c8355ap-8f), t, SPLAT(0x1.adb470p-5f));
  V q45 = FMA(SPLAT(0x1.24f10cp-12f), t, SPLAT(0x1.b8cd98p-18f));
  V q67 = FMA(SPLAT(0x1.79dd8ep-17f), t, SPLAT(-0x1.44159cp-14f));
  V q89 = FMA(SPLAT(0x1.09a2f6p-25f), t, SPLAT(-0x1.e33068p-21f));
  V q = FMA(FMA(q89, t4, FMA(q67, t2, q45)), t4, FMA(q23, t2, q01));
  V g = FMA(q, t, SPLAT(1.0f));
  g = g > SPLAT(160.0f) ? SPLAT(160.0f) : g;  // 2^-160 rounds to 0; NaN stays
  V n = nearest(-g);
  V r = -g - n;
  // 2^r = 1 + r p(r), |r| <= 1/2, p of degree 5 (fit: 2.0e-9 relative).
  V r2 = r * r, p01 = FMA(SPLAT(0x1.ebfbdcp-3f), r, SPLAT(0x1.62e430p-1f));
  V p23 = FMA(SPLAT(0x1.3b2d50p-7f), r, SPLAT(0x1.c6aee6p-5f));
  V p45 = FMA(SPLAT(0x1.41fb2cp-13f), r, SPLAT(0x1.5f3f32p-10f));
  V p = FMA(FMA(p45, r2, p23), r2, p01);
  return scale_by_power(FMA(p, r, SPLAT(1.0f)), __builtin_convertvector(n, I));
}

/// |x|, at most 20: Φ(-20) rounds to 0, and infinity must not meet it. NaN stays.
INLINE OVERLOADED V normal_distance(V x) {
  V t = AS_FLOATS(AS_BITS(x) & 0x7fffffff);
  return t > SPLAT(20.0f) ? SPLAT(20.0f) : t;
}

/// x Φ(x).
INLINE OVERLOADED V gelu(V x) {
  V t = normal_distance(x);
  V y = t * normal_tail(t);
  return x > SPLAT(0.0f) ? x - y : -y;
}

/// x/2 (1 + tanh u) = x sigmoid(2 u), u = sqrt(2/π) (x + 0.044715 x³).
INLINE OVERLOADED V gelu_tanh(V x) {
  V u = x * FMA(x * x, SPLAT(0.0713548163f), SPLAT(1.59576912f));
  return x * sigmoid(u);
}

/// NaN stays NaN.
INLINE OVERLOADED V rectify(V x) { return x < SPLAT(0.0f) ? SPLAT(0.0f) : x; }

#undef SPLAT
#undef AS_FLOATS
#undef AS_BITS
#undef OVERLOADED
