// Gradients of activations, and the products and sums of elements.

INLINE vf sigmoid_slope(vf x, vf y) {
  (void)x;
  return y * (splat(1.0f) - y);
}
INLINE vf tanh_slope(vf x, vf y) {
  (void)x;
  return FMA(-y, y, splat(1.0f));
}
INLINE vf exp_slope(vf x, vf y) {
  (void)x;
  return y;
}
/// Φ(x) + x φ(x), φ(x) = e^(-x²/2) / √(2π).
INLINE vf gelu_slope(vf x, vf y) {
  (void)y;
  vf t = normal_distance(x), tail = normal_tail(t);
  vf density = exponential(t * t * splat(-0.5f)) * splat(0.398942280f);
  vf product = t * density;
  return x > splat(0.0f) ? splat(1.0f) - tail + product : tail - product;
}
/// With s = sigmoid(2 u): s + x s (1 - s) 2 u', where 2 u = x (1.5957691 + 0.0713548 x²).
INLINE vf gelu_tanh_slope(vf x, vf y) {
  (void)y;
  vf size = from_bits(to_bits(x) & 0x7fffffff);
  vf bounded = size > splat(20.0f) ? (x > splat(0.0f) ? splat(20.0f) : splat(-20.0f)) : x;  // the slope is 0 or 1 from there on
  vf square = bounded * bounded;
  vf s = sigmoid(bounded * FMA(square, splat(0.0713548163f), splat(1.59576912f)));
  vf inner = bounded * FMA(square, splat(0.214064449f), splat(1.59576912f));
  return FMA(inner * s, splat(1.0f) - s, s);
}

static void activation_gradient(eri_activation activation, size_t count, const float *x, const float *y, const float *dy,
                                float *dx, bool accumulate) {
#define SLOPES(SLOPE, X, Y)                                                                            \
  EACH_VECTOR(count, put(dx + at, SLOPE(X, Y) * load_some(dy + at, left), left, accumulate));          \
  break
#define FROM_X(SLOPE) SLOPES(SLOPE, load_some(x + at, left), splat(0.0f))
#define FROM_Y(SLOPE) SLOPES(SLOPE, splat(0.0f), load_some(y + at, left))
  switch (activation) {
    case ERI_ACTIVATION_IDENTITY: EACH_VECTOR(count, put(dx + at, load_some(dy + at, left), left, accumulate)); break;
    case ERI_ACTIVATION_RELU:  // chosen, not multiplied: nothing of an infinite gradient passes
      EACH_VECTOR(count, {
        vf slope = load_some(dy + at, left);
        put(dx + at, load_some(y + at, left) > splat(0.0f) ? slope : splat(0.0f), left, accumulate);
      });
      break;
    case ERI_ACTIVATION_SIGMOID: FROM_Y(sigmoid_slope);
    case ERI_ACTIVATION_TANH: FROM_Y(tanh_slope);
    case ERI_ACTIVATION_GELU: FROM_X(gelu_slope);
    case ERI_ACTIVATION_GELU_TANH: FROM_X(gelu_tanh_slope);
    case ERI_ACTIVATION_EXP: FROM_Y(exp_slope);
  }
#undef SLOPES
#undef FROM_X
#undef FROM_Y
}

static void scaled(size_t count, float scale, const float *x, float *y, bool accumulate) {
  EACH_VECTOR(count, put(y + at, load_some(x + at, left) * splat(scale), left, accumulate));
}

static void product(size_t count, const float *a, const float *b, float *y, bool accumulate) {
  EACH_VECTOR(count, put(y + at, load_some(a + at, left) * load_some(b + at, left), left, accumulate));
}

static void average(size_t count, float weight, const float *x, float *y) {
  EACH_VECTOR(count, {
    vf old = load_some(y + at, left);
    store_some(y + at, FMA(splat(weight), load_some(x + at, left) - old, old), left);
  });
}
