// Rows and elements: normalisation, softmax, binary functions, transposition.

/// Σ f(x[i]) over a row in four interleaved vector sums; `BODY` computes `value` from the vector `v` of `some` floats.
#define SUM_ROW(RESULT, X, COUNT, BODY)                                                     \
  do {                                                                                      \
    vf sums[4] = {splat(0.0f), splat(0.0f), splat(0.0f), splat(0.0f)};                      \
    size_t at = 0;                                                                          \
    for (; at + 4 * LANES <= (COUNT); at += 4 * LANES) {                                    \
      UNROLL for (size_t j = 0; j < 4; j++) {                                               \
        vf v = load((X) + at + j * LANES), value;                                           \
        BODY;                                                                               \
        sums[j] += value;                                                                   \
      }                                                                                     \
    }                                                                                       \
    for (; at < (COUNT); at += LANES) {                                                     \
      vf v = load_some((X) + at, (COUNT)-at), value;                                        \
      BODY;                                                                                 \
      sums[0] += (COUNT)-at >= LANES ? value : first_lanes(value, (COUNT)-at);              \
    }                                                                                       \
    RESULT = sum_lanes((sums[0] + sums[1]) + (sums[2] + sums[3]));                          \
  } while (0)

static void f32_layer_norm(size_t rows, size_t dimension, const float *x, const float *gain, const float *bias,
                           float epsilon, bool unbiased, float *y) {
  for (size_t row = 0; row < rows; row++, x += dimension, y += dimension) {
    float sum, squares;
    SUM_ROW(sum, x, dimension, value = v);
    float mean = sum / (float)dimension;
    vf center = splat(mean);
    SUM_ROW(squares, x, dimension, vf d = v - center; value = d * d);
    float scale = unbiased ? 1.0f / (sqrtf(squares / ((float)dimension - 1.0f)) + epsilon)
                           : 1.0f / sqrtf(squares / (float)dimension + epsilon);
    for (size_t i = 0; i < dimension; i += LANES) {
      size_t left = dimension - i;
      vf normal = (load_some(x + i, left) - center) * splat(scale);
      store_some(y + i, FMA(normal, load_some(gain + i, left), load_some(bias + i, left)), left);
    }
  }
}

/// y = e^(x - top) over whole vectors of x <= top; the sums of their lanes. y may be x.
INLINE vf exponentials_below(float top, size_t count, const float *x, float *y) {
  vf sum = splat(0.0f);
  for (size_t i = 0; i < count; i += LANES) {
    vf v = decay(load(x + i) - splat(top));
    store(y + i, v);
    sum += v;
  }
  return sum;
}

/// y = e^(x - max), over `count` floats; returns the sum. y may be x. -infinity gives 0.
INLINE float exponentials(size_t count, const float *x, float *y) {
  vf greatest = splat(-__builtin_inff());
  size_t whole = count / LANES * LANES, left = count - whole;
  for (size_t i = 0; i < whole; i += LANES) greatest = maximum(load(x + i), greatest);
  vf rest = lane_numbers() < (int)left ? load_some(x + whole, left) : splat(-__builtin_inff());
  if (left) greatest = maximum(rest, greatest);
  float top = maximum_lanes(greatest);
  vf sum = exponentials_below(top, whole, x, y);
  if (left) {
    vf v = decay(rest - splat(top));
    store_some(y + whole, v, left);
    sum += first_lanes(v, left);
  }
  return sum_lanes(sum);
}
INLINE void scale_row(size_t count, float scale, float *y) {
  for (size_t i = 0; i < count; i += LANES) {
    store_some(y + i, load_some(y + i, count - i) * splat(scale), count - i);
  }
}

static void f32_softmax(size_t rows, size_t dimension, const float *x, float *y) {
  for (size_t row = 0; row < rows; row++, x += dimension, y += dimension) {
    float sum = exponentials(dimension, x, y);
    scale_row(dimension, 1.0f / sum, y);
  }
}

static void f32_binary(eri_binary function, size_t count, const float *a, size_t aStep, const float *b, size_t bStep,
                       float *y) {
#define EACH(OPERATOR)                                                                                           \
  for (size_t i = 0; i < count; i += LANES) {                                                                    \
    size_t left = count - i;                                                                                     \
    vf left_hand = aStep ? load_some(a + i, left) : scalarA, right_hand = bStep ? load_some(b + i, left) : scalarB; \
    store_some(y + i, left_hand OPERATOR right_hand, left);                                                      \
  }                                                                                                              \
  break
  if (!count) return;
  vf scalarA = splat(a[0]), scalarB = splat(b[0]);
  switch (function) {
    case ERI_BINARY_ADD: EACH(+);
    case ERI_BINARY_SUBTRACT: EACH(-);
    case ERI_BINARY_MULTIPLY: EACH(*);
    case ERI_BINARY_DIVIDE: EACH(/);
  }
#undef EACH
}

static void f32_scale_shift(size_t rows, size_t columns, const float *x, const float *scale, const float *shift,
                            float *y) {
  for (size_t row = 0; row < rows; row++, x += columns, y += columns) {
    for (size_t i = 0; i < columns; i += LANES) {
      size_t left = columns - i;
      store_some(y + i, FMA(load_some(x + i, left), load_some(scale + i, left), load_some(shift + i, left)), left);
    }
  }
}

/// Below 2²³ adding and taking away that much leaves a magnitude without fraction, rounded to nearest, ties to even; above, none has one.
static void f32_round_to_grid(const eri_f32_grid *grid, size_t count, const float *x, float *y) {
  vf magic = splat(8388608.0f), low = splat(grid->low), high = splat(grid->high);
  for (size_t i = 0; i < count; i += LANES) {
    size_t left = count - i;
    vf scaled = load_some(x + i, left) * splat(grid->inverse);
    scaled = scaled >= low ? scaled : low;
    scaled = scaled <= high ? scaled : high;
    vf magnitude = __builtin_elementwise_abs(scaled), whole = (magnitude + magic) - magic;
    magnitude = magnitude < magic ? whole : magnitude;
    store_some(y + i, splat(grid->scale) * (scaled < splat(0.0f) ? splat(0.0f) - magnitude : magnitude), left);
  }
}

static void f32_transpose(size_t rows, size_t columns, const float *x, size_t xStride, float *y, size_t yStride) {
  size_t wholeRows = rows / LANES * LANES, wholeColumns = columns / LANES * LANES;
  for (size_t r = 0; r < wholeRows; r += LANES) {
    for (size_t c = 0; c < wholeColumns; c += LANES) {
      vf block[LANES];
      UNROLL for (size_t i = 0; i < LANES; i++) block[i] = load(x + (r + i) * xStride + c);
      transpose_lanes(block);
      UNROLL for (size_t i = 0; i < LANES; i++) store(y + (c + i) * yStride + r, block[i]);
    }
    for (size_t c = wholeColumns; c < columns; c++) {
      for (size_t i = 0; i < LANES; i++) y[c * yStride + r + i] = x[(r + i) * xStride + c];
    }
  }
  for (size_t c = 0; c < columns; c++) {
    for (size_t r = wholeRows; r < rows; r++) y[c * yStride + r] = x[r * xStride + c];
  }
}
