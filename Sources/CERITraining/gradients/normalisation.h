// Gradients of normalisations.

static void batch_norm_gradient(size_t rows, size_t columns, const float *dy, const float *x, const float *a,
                                const float *b, const float *d, float *dx, bool accumulate) {
  for (size_t row = 0; row < rows; row++, dy += columns, x += columns, dx += columns) {
    EACH_VECTOR(columns, {
      vf value = FMA(load_some(b + at, left), load_some(x + at, left), load_some(d + at, left));
      put(dx + at, FMA(load_some(a + at, left), load_some(dy + at, left), value), left, accumulate);
    });
  }
}

/// What the gradient needs of one row of x: y = gain · (x - center) · scale + bias.
typedef struct {
  float center, scale;
  float slope;  // of the scale: ∂scale/∂x[i] = -slope · (x[i] - center)
} layer_norm_row;

INLINE layer_norm_row normalise_row(size_t dimension, const float *x, float epsilon, bool unbiased) {
  float sum, squares, count = (float)dimension;
  SUM_EACH(sum, dimension, load_some(x + at, left));
  layer_norm_row row = {.center = sum / count};
  vf center = splat(row.center);
  SUM_EACH(squares, dimension, (load_some(x + at, left) - center) * (load_some(x + at, left) - center));
  if (unbiased) {
    float deviation = sqrtf(squares / (count - 1.0f));
    row.scale = 1.0f / (deviation + epsilon);
    // Where all of a row is equal, x - center is 0, whatever the slope.
    row.slope = deviation > 0 ? row.scale * row.scale / (deviation * (count - 1.0f)) : 0.0f;
  } else {
    row.scale = 1.0f / sqrtf(squares / count + epsilon);
    row.slope = row.scale * row.scale * row.scale / count;
  }
  return row;
}

INLINE void layer_norm_sums(const layer_norm_row *norm, size_t dimension, const float *x, const float *dy,
                            double *gainSums, double *biasSums) {
  vf center = splat(norm->center), scale = splat(norm->scale);
  EACH_VECTOR(dimension, {
    doubles gain = load_doubles(gainSums + at, left), bias = load_doubles(biasSums + at, left);
    doubles g = widen(load_some(dy + at, left));
    add_product(&gain, g, widen((load_some(x + at, left) - center) * scale));
    add(&bias, g);
    store_doubles(gainSums + at, gain, left);
    store_doubles(biasSums + at, bias, left);
  });
}

INLINE void layer_norm_input(const layer_norm_row *norm, size_t dimension, const float *x, const float *gain,
                             const float *dy, float *dx, bool accumulate) {
  vf center = splat(norm->center);
  // Σ g and Σ g (x - center), g = gain dy: past the end g is 0, so no lane needs to be left out.
  vf sums[2] = {splat(0.0f), splat(0.0f)}, crossed[2] = {splat(0.0f), splat(0.0f)};
  size_t half = 0;
  EACH_VECTOR(dimension, {
    vf g = load_some(gain + at, left) * load_some(dy + at, left);
    sums[half] += g;
    crossed[half] = FMA(g, load_some(x + at, left) - center, crossed[half]);
    half ^= 1;
  });
  vf scale = splat(norm->scale), mean = splat(sum_lanes(sums[0] + sums[1]) / (float)dimension);
  vf slope = splat(norm->slope * sum_lanes(crossed[0] + crossed[1]));
  EACH_VECTOR(dimension, {
    vf g = FMA(load_some(gain + at, left), load_some(dy + at, left), -mean);
    put(dx + at, FMA(-slope, load_some(x + at, left) - center, g * scale), left, accumulate);
  });
}

static void layer_norm_gradient(size_t rows, size_t dimension, const float *x, const float *gain, float epsilon,
                                bool unbiased, const float *dy, float *dx, bool accumulate, double *gainSums,
                                double *biasSums) {
  for (size_t row = 0; row < rows; row++, x += dimension, dy += dimension) {
    layer_norm_row norm = normalise_row(dimension, x, epsilon, unbiased);
    if (gainSums) layer_norm_sums(&norm, dimension, x, dy, gainSums, biasSums);
    if (dx) layer_norm_input(&norm, dimension, x, gain, dy, dx + row * dimension, accumulate);
  }
}

static void softmax_gradient(size_t rows, size_t dimension, const float *p, const float *dp, float scale, float *dx) {
  for (size_t row = 0; row < rows; row++, p += dimension, dp += dimension, dx += dimension) {
    float dot;
    SUM_EACH(dot, dimension, load_some(p + at, left) * load_some(dp + at, left));
    EACH_VECTOR(dimension, {
      vf weight = load_some(p + at, left) * splat(scale);
      store_some(dx + at, weight * (load_some(dp + at, left) - splat(dot)), left);
    });
  }
}

static void weight_norm_gradient(size_t rows, size_t length, const float *v, const float *g, const float *dw, float *dv,
                                 float *dg, bool accumulate) {
  for (size_t row = 0; row < rows; row++, v += length, dw += length, dv += length) {
    double squares = dot_doubles(length, v, v), dot = dot_doubles(length, dw, v), norm = sqrt(squares);
    float slope = (float)(dot / norm);
    dg[row] = accumulate ? dg[row] + slope : slope;
    vf factor = splat((float)(g[row] / norm)), share = splat((float)(dot / squares));
    EACH_VECTOR(length, {
      put(dv + at, factor * FMA(-share, load_some(v + at, left), load_some(dw + at, left)), left, accumulate);
    });
  }
}

/// a = softmax(x w + bias), out = Σ a[i] x[i]: dx[i] = a[i] dout + ds[i] w, dw = Σ ds[i] x[i], where ds = a (da - Σ a da) and
/// da[i] = dout x[i].
static void attention_pool_gradient(const eri_kernels *kernels, size_t tokens, size_t dimension, const float *x,
                                    const float *weight, float bias, const float *dout, float *dx, bool accumulate,
                                    double *weightSums, float *scratch) {
  float *shares = scratch, *slopes = scratch + tokens;
  for (size_t token = 0; token < tokens; token++) {
    const float *row = x + token * dimension;
    SUM_EACH(shares[token], dimension, load_some(row + at, left) * load_some(weight + at, left));
    shares[token] += bias;
    SUM_EACH(slopes[token], dimension, load_some(row + at, left) * load_some(dout + at, left));
  }
  eri_f32_softmax(kernels, 1, tokens, shares, shares);
  softmax_gradient(1, tokens, shares, slopes, 1.0f, slopes);
  for (size_t token = 0; dx && token < tokens; token++) {
    vf share = splat(shares[token]), slope = splat(slopes[token]);
    float *row = dx + token * dimension;
    EACH_VECTOR(dimension, {
      vf value = FMA(share, load_some(dout + at, left), slope * load_some(weight + at, left));
      put(row + at, value, left, accumulate);
    });
  }
  if (!weightSums) return;
  EACH_VECTOR(dimension, {
    doubles sum = load_doubles(weightSums + at, left);
    for (size_t token = 0; token < tokens; token++) {
      add_product(&sum, widen(load_some(x + token * dimension + at, left)), widen(splat(slopes[token])));
    }
    store_doubles(weightSums + at, sum, left);
  });
}
