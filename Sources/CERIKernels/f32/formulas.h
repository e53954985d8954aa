// Activation functions on vectors V of floats, with integers I. All coefficients are weighted minimax fits (Lawson's iteration on
// Chebyshev nodes, 40-digit reference values), rounded to float. Polynomials are summed in pairs (Estrin) or in even and odd powers,
// which halves the chain of dependent operations.

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

/// e^r for |r| <= ln 2 / 2, r = x - n ln 2: 1 + r + r² q(r), q of degree 4 (fit: 3.1e-9 relative).
INLINE OVERLOADED V exponential_rest(V x, V n) {
  V r = FMA(n, SPLAT(-0.693359375f), x);  // ln 2 in 9 bits and a rest: the first product is exact
  r = FMA(n, SPLAT(2.12194440e-4f), r);
  V r2 = r * r;
  V q = FMA(FMA(SPLAT(0x1.6a234ep-10f), r, SPLAT(0x1.123a6cp-7f)), r2, FMA(SPLAT(0x1.5558f4p-5f), r, SPLAT(0x1.555490p-3f)));
  q = FMA(q, r, SPLAT(0x1.fffffcp-2f));
  return FMA(r2, q, r) + SPLAT(1.0f);
}

/// e^x = 2^n e^r with n = round(x / ln 2).
INLINE OVERLOADED V exponential(V x) {
  x = x > SPLAT(89.0f) ? SPLAT(89.0f) : x;  // rounds to infinity; NaN stays
  x = x < SPLAT(-105.0f) ? SPLAT(-105.0f) : x;  // rounds to 0
  V n = nearest(x * SPLAT(1.44269504f));
  return scale_by_power(exponential_rest(x, n), __builtin_convertvector(n, I));
}

/// e^x for x <= 0. Times 2^64 all results are normal numbers, so that n + 64 may be added to an exponent's bits.
INLINE OVERLOADED V decay(V x) {
  x = x < SPLAT(-105.0f) ? SPLAT(-105.0f) : x;  // rounds to 0; NaN stays
  V magic = SPLAT(12582912.0f + 64.0f), shifted = FMA(x, SPLAT(1.44269504f), magic);  // as in `nearest`; n + 64 in the low bits
  V p = exponential_rest(x, shifted - magic);
  return AS_FLOATS(AS_BITS(p) + (AS_BITS(shifted) << 23)) * SPLAT(0x1p-64f);
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

/// |x|, at most `most`. NaN stays.
INLINE OVERLOADED V distance(V x, float most) {
  V t = AS_FLOATS(AS_BITS(x) & 0x7fffffff);
  return t > SPLAT(most) ? SPLAT(most) : t;
}

/// -log2 Φ(-t) = 1 + t q(t) for 0 <= t <= 11.5, q of degree 9 fitted on 0...8 so that the error of Φ(-t) is below 1.2e-8 sqrt(Φ(-t));
/// beyond 8 (Φ < 1e-15) it keeps rising, to 161 at 11.5.
INLINE OVERLOADED V tail_exponent(V t) {
  V t2 = t * t;
  V even = FMA(SPLAT(-0x1.e33068p-21f), t2, SPLAT(-0x1.44159cp-14f));
  V odd = FMA(SPLAT(0x1.09a2f6p-25f), t2, SPLAT(0x1.79dd8ep-17f));
  even = FMA(even, t2, SPLAT(0x1.b8cd98p-18f));
  odd = FMA(odd, t2, SPLAT(0x1.24f10cp-12f));
  even = FMA(even, t2, SPLAT(0x1.adb470p-5f));
  odd = FMA(odd, t2, SPLAT(-0x1.c8355ap-8f));
  even = FMA(even, t2, SPLAT(0x1.26aecep+0f));
  odd = FMA(odd, t2, SPLAT(0x1.d63cb2p-2f));
  return FMA(FMA(odd, t, even), t, SPLAT(1.0f));
}

/// 2^(64 - g) for 0 <= g < 190, so that no result leaves the normal numbers and n = round(64 - g) may be added to an exponent's bits.
INLINE OVERLOADED V raised_power(V g) {
  V magic = SPLAT(12582912.0f + 64.0f), shifted = magic - g;  // as in `nearest`; n in the low bits
  V r = (magic - shifted) - g;
  // 2^r = 1 + r p(r), |r| <= 1/2, p of degree 5 (fit: 2.0e-9 relative).
  V r2 = r * r;
  V even = FMA(SPLAT(0x1.5f3f32p-10f), r2, SPLAT(0x1.c6aee6p-5f));
  V odd = FMA(SPLAT(0x1.41fb2cp-13f), r2, SPLAT(0x1.3b2d50p-7f));
  even = FMA(even, r2, SPLAT(0x1.62e430p-1f));
  odd = FMA(odd, r2, SPLAT(0x1.ebfbdcp-3f));
  V p = FMA(odd, r, even);
  return AS_FLOATS(AS_BITS(FMA(p, r, SPLAT(1.0f))) + (AS_BITS(shifted) << 23));
}

/// Φ(-t) for 0 <= t; 0 beyond 11.5.
INLINE OVERLOADED V normal_tail(V t) { return raised_power(tail_exponent(distance(t, 11.5f))) * SPLAT(0x1p-64f); }

/// |x|, at most 20: Φ(-20) rounds to 0, and infinity must not meet it. NaN stays.
INLINE OVERLOADED V normal_distance(V x) { return distance(x, 20.0f); }

/// x Φ(x) = max(x, 0) - |x| Φ(-|x|), from x and the exponent of Φ(-|x|).
INLINE OVERLOADED V gelu_exponent(V x) { return tail_exponent(distance(x, 11.5f)); }
INLINE OVERLOADED V gelu(V x, V exponent) {
  V positive = AS_FLOATS(AS_BITS(x) > 0 ? AS_BITS(x) : (I)0);
  return FMA(distance(x, 11.5f) * raised_power(exponent), SPLAT(-0x1p-64f), positive);
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
