// Attention of one head, and attention pooling.

typedef struct {
  size_t queries, keys, keyDimension, valueDimension, before, after;
  float scale;
  const float *q, *k, *v, *keyPanels, *valuePanels;
  float *out, *scores;
  size_t qStride, kStride, vStride, outStride, scoreStride;
} f32_head;

/// Fetches 16 columns of rows of the head beside this one, which comes next where heads lie side by side: the processor does not expect
/// so short pieces of rows.
INLINE void fetch_beside(const float *rows, size_t stride, size_t dimension, size_t column, size_t begin, const int count) {
  if (stride < 2 * dimension || column >= dimension) return;
  UNROLL for (int r = 0; r < count; r++) __builtin_prefetch(rows + (begin + (size_t)r) * stride + dimension + column);
}

/// The keys begin..<end.
typedef struct {
  size_t begin, end;
} f32_keys;

/// What one query may see.
INLINE f32_keys keys_seen(const f32_head *h, size_t query) {
  f32_keys seen = {query > h->before ? query - h->before : 0, h->keys};
  if (h->after < h->keys && query + h->after < h->keys) seen.end = query + h->after + 1;
  return seen;
}

/// The lanes that `seen` holds of the keys from `key` on; the others give -infinity.
INLINE vf bar(vf score, size_t key, f32_keys seen) {
  int skipped = seen.begin > key ? (int)eri_minimum(seen.begin - key, LANES) : 0;
  int end = seen.end > key ? (int)eri_minimum(seen.end - key, LANES) : 0;
  vi lanes = lane_numbers();
  vf without = lanes >= skipped ? score : splat(-__builtin_inff());
  return lanes < end ? without : splat(-__builtin_inff());
}

/// Scores of `count` queries with the keys from `key` on, `width` vectors of them, go to scores[row][column]; `tops` holds the greatest.
INLINE void score(const int count, const int width, const f32_head *h, const float *const *rows, size_t begin, size_t key, size_t column,
                  vf *tops) {
  vf acc[ROWS * 4 * VECTORS];
  accumulate(count, width, false, 1, h->keyDimension, rows, 0, h->keyPanels + key * h->keyDimension, h->keyDimension * ERI_PANEL, acc);
  UNROLL for (int i = 0; i < count * width; i++) acc[i] *= splat(h->scale);
  // Later queries see no earlier keys.
  bool whole = keys_seen(h, begin + (size_t)count - 1).begin <= key && keys_seen(h, begin).end >= key + (size_t)width * LANES;
  if (!whole) {
    UNROLL for (int r = 0; r < count; r++) {
      f32_keys seen = keys_seen(h, begin + (size_t)r);
      UNROLL for (int j = 0; j < width; j++) acc[r * width + j] = bar(acc[r * width + j], key + (size_t)(j * LANES), seen);
    }
  }
  UNROLL for (int r = 0; r < count; r++) {
    UNROLL for (int j = 0; j < width; j++) {
      tops[r] = maximum(acc[r * width + j], tops[r]);
      store(h->scores + (size_t)r * h->scoreStride + column + (size_t)(j * LANES), acc[r * width + j]);
    }
  }
}

/// Value columns from `column` on, weighted by the scores' exponentials and divided by their sums.
INLINE void weigh(const int count, const int panels, const f32_head *h, const float *const *weights, const float *factors, size_t begin,
                  f32_keys seen, size_t column) {
  const int width = panels * VECTORS;
  vf acc[ROWS * 4 * VECTORS];
  accumulate(count, width, false, 1, seen.end - seen.begin, weights, 0, h->valuePanels + column * h->keys + seen.begin * ERI_PANEL,
             h->keys * ERI_PANEL, acc);
  UNROLL for (int r = 0; r < count; r++) {
    float *out = h->out + (begin + (size_t)r) * h->outStride + column;
    UNROLL for (int j = 0; j < width; j++) acc[r * width + j] *= splat(factors[r]);
    if (column + (size_t)panels * ERI_PANEL <= h->valueDimension) {
      UNROLL for (int j = 0; j < width; j++) store(out + j * LANES, acc[r * width + j]);
    } else {
      UNROLL for (int j = 0; j < width; j++) {
        size_t at = column + (size_t)(j * LANES);
        if (at < h->valueDimension) store_some(out + j * LANES, acc[r * width + j], h->valueDimension - at);
      }
    }
  }
}

/// The queries begin..<begin + count: two sweeps of the micro-kernel, `panels` at a time, with a softmax between. Sums run from the first
/// key panel that one of them may see; keys a query may not see weigh 0.
INLINE void attend(const int count, const int panels, const f32_head *h, size_t begin) {
  const size_t step = (size_t)panels * ERI_PANEL;
  f32_keys seen = {keys_seen(h, begin).begin / ERI_PANEL * ERI_PANEL, keys_seen(h, begin + (size_t)count - 1).end};
  if (seen.begin >= seen.end) seen.begin = 0;
  const float *queries[ROWS], *weights[ROWS];
  vf tops[ROWS];
  UNROLL for (int r = 0; r < count; r++) {
    queries[r] = h->q + (begin + (size_t)r) * h->qStride;
    weights[r] = h->scores + (size_t)r * h->scoreStride;
    tops[r] = splat(-__builtin_inff());
  }
  size_t following = begin + (size_t)count;
  for (size_t d = 0; d < h->keyDimension; d += ERI_LINE) {
    fetch_rows(h->q + following * h->qStride + d, eri_minimum((size_t)count, h->queries - following), h->qStride);
  }
  size_t width = eri_round_up(seen.end - seen.begin, LANES);
  for (size_t column = 0; column < width;) {
    size_t key = seen.begin + column;
    if (following <= h->keys) {
      fetch_beside(h->k, h->kStride, h->keyDimension, column, begin, count);
      fetch_beside(h->v, h->vStride, h->valueDimension, column, begin, count);
    }
    fetch_beside(h->q, h->qStride, h->keyDimension, column, begin, count);
    if (panels > 1 && width - column > step - ERI_PANEL) {
      score(count, panels * VECTORS, h, queries, begin, key, column, tops);
      column += step;
    } else if (VECTORS > 1 && width - column <= ERI_PANEL / 2) {
      score(count, (VECTORS + 1) / 2, h, queries, begin, key, column, tops);
      column += ERI_PANEL / 2;
    } else {
      score(count, VECTORS, h, queries, begin, key, column, tops);
      column += ERI_PANEL;
    }
  }
  UNROLL for (int r = 0; r < count; r++) {
    for (size_t d = 0; d < h->valueDimension; d += ERI_LINE) __builtin_prefetch(h->out + (begin + (size_t)r) * h->outStride + d, 1);
  }
  float factors[ROWS];
  vf sums[ROWS];
  UNROLL for (int r = 0; r < count; r++) {
    tops[r] = splat(maximum_lanes(tops[r]));
    sums[r] = splat(0.0f);
  }
  for (size_t j = 0; j < width; j += LANES) {
    UNROLL for (int r = 0; r < count; r++) {
      float *place = h->scores + (size_t)r * h->scoreStride + j;
      vf weight = decay(load(place) - tops[r]);
      store(place, weight);
      sums[r] += weight;
    }
  }
  UNROLL for (int r = 0; r < count; r++) factors[r] = 1.0f / sum_lanes(sums[r]);
  size_t column = 0;
  if (panels > 1) {
    for (; column + step <= h->valueDimension; column += step) weigh(count, panels, h, weights, factors, begin, seen, column);
  }
  for (; column < h->valueDimension; column += ERI_PANEL) weigh(count, 1, h, weights, factors, begin, seen, column);
}

enum { QUERIES = PANELS > 1 ? HALF : ROWS };  // at a time: two panels of more leave no registers to the softmax

/// K becomes panels of 16 keys, V panels of 16 value columns.
static void f32_attention(size_t queries, size_t keys, size_t keyDimension, size_t valueDimension, float scale,
                          size_t before, size_t after, const float *q, size_t qStride, const float *k, size_t kStride,
                          const float *v, size_t vStride, float *out, size_t outStride, float *scratch) {
  size_t padded = eri_round_up(keys, ERI_PANEL);
  float *keyPanels = eri_align(scratch);
  float *valuePanels = keyPanels + padded * keyDimension;
  f32_gemm_pack(k, 1, kStride, keyDimension, keys, keyPanels);
  f32_gemm_pack(v, vStride, 1, keys, valueDimension, valuePanels);
  f32_head head = {
      .queries = queries, .keys = keys, .keyDimension = keyDimension, .valueDimension = valueDimension,
      .before = before, .after = after, .scale = scale, .q = q, .k = k, .v = v, .keyPanels = keyPanels, .valuePanels = valuePanels, .out = out,
      .scores = valuePanels + eri_round_up(valueDimension, ERI_PANEL) * keys,
      .qStride = qStride, .kStride = kStride, .vStride = vStride, .outStride = outStride, .scoreStride = padded,
  };
  size_t begin = 0;
  for (; queries - begin >= QUERIES; begin += QUERIES) attend(QUERIES, PANELS, &head, begin);
  for (; QUERIES > HALF && queries - begin >= HALF; begin += HALF) attend(HALF, 2, &head, begin);
#if ROWS > 8
  for (; queries - begin >= 4; begin += 4) attend(4, 2, &head, begin);
#endif
#if ROWS > 4
  for (; queries - begin >= 2; begin += 2) attend(2, 2, &head, begin);
#endif
#if ROWS > 2
  for (; begin < queries; begin++) attend(1, 4, &head, begin);
#endif
}

static void f32_attention_pool(size_t tokens, size_t dimension, const float *x, const float *weight, float bias,
                               float *out, float *scratch) {
  for (size_t token = 0; token < tokens; token++) {
    const float *row = x + token * dimension;
    vf sum = splat(0.0f);
    for (size_t d = 0; d < dimension; d += LANES) {
      sum = FMA(load_some(row + d, dimension - d), load_some(weight + d, dimension - d), sum);
    }
    scratch[token] = sum_lanes(sum) + bias;
  }
  f32_softmax(1, tokens, scratch, scratch);
  for (size_t d = 0; d < dimension; d += LANES) {
    vf sum = splat(0.0f);
    for (size_t token = 0; token < tokens; token++) {
      sum = FMA(load_some(x + token * dimension + d, dimension - d), splat(scratch[token]), sum);
    }
    store_some(out + d, sum, dimension - d);
  }
}
