// Attention of one head, and attention pooling.

/// Scales the scores of one query with the keys from `firstKey` on and bars all but the keys begin..<end; returns the greatest.
INLINE float scale_scores(float *row, size_t firstKey, size_t width, float scale, size_t begin, size_t end) {
  vf greatest = splat(-__builtin_inff());
  for (size_t j = 0; j < width; j += LANES) {
    size_t key = firstKey + j;
    vf v = load(row + j) * splat(scale);
    if (key < begin || key + LANES > end) {
      vi lanes = lane_numbers();
      int skipped = begin > key ? (int)eri_minimum(begin - key, LANES) : 0;
      int seen = end > key ? (int)eri_minimum(end - key, LANES) : 0;
      v = lanes >= skipped ? v : splat(-__builtin_inff());
      v = lanes < seen ? v : splat(-__builtin_inff());
    }
    store(row + j, v);
    greatest = maximum(v, greatest);
  }
  return maximum_lanes(greatest);
}

/// K becomes panels of 16 keys, V panels of 16 value columns; ROWS queries at a time then take two sweeps of the micro-kernel
/// with a softmax between. Sums run from the first key panel a block of queries may see; keys a query may not see weigh 0.
static void f32_attention(size_t queries, size_t keys, size_t keyDimension, size_t valueDimension, float scale,
                          size_t before, size_t after, const float *q, size_t qStride, const float *k, size_t kStride,
                          const float *v, size_t vStride, float *out, size_t outStride, float *scratch) {
  size_t padded = eri_round_up(keys, ERI_PANEL);
  float *keyPanels = eri_align(scratch);
  float *valuePanels = keyPanels + padded * keyDimension;
  float *scores = valuePanels + eri_round_up(valueDimension, ERI_PANEL) * keys;
  f32_gemm_pack(k, 1, kStride, keyDimension, keys, keyPanels);
  f32_gemm_pack(v, vStride, 1, keys, valueDimension, valuePanels);

  const float *queryRows[ROWS], *weightRows[ROWS];
  float *scoreRows[ROWS], *outRows[ROWS];
  for (size_t begin = 0; begin < queries; begin += ROWS) {
    size_t count = eri_minimum(queries - begin, ROWS), last = begin + count - 1;
    size_t firstKey = begin > before ? (begin - before) / ERI_PANEL * ERI_PANEL : 0;
    size_t endKey = after < keys && last + after < keys ? last + after + 1 : keys;
    if (firstKey >= endKey) firstKey = 0;
    size_t width = eri_round_up(endKey - firstKey, ERI_PANEL);
    for (size_t i = 0; i < count; i++) {
      queryRows[i] = q + (begin + i) * qStride;
      scoreRows[i] = scores + i * padded;
      weightRows[i] = scoreRows[i];
      outRows[i] = out + (begin + i) * outStride;
    }
    for (size_t d = 0; d < keyDimension; d += ERI_LINE) {
      fetch_rows(q + (begin + count) * qStride + d, eri_minimum(ROWS, queries - begin - count), qStride);
    }
    f32_block products = {count, 1, keyDimension, 0, width, keyDimension * ERI_PANEL};
    f32_target toScores = {scoreRows, NULL, NULL, ERI_ACTIVATION_IDENTITY, ERI_ACTIVATION_IDENTITY};
    multiply_block(&products, queryRows, keyPanels + firstKey * keyDimension, &toScores);
    // One step for all rows at a time: a row's steps wait for each other's last results.
    float tops[ROWS];
    vf rowSums[ROWS];
    for (size_t i = 0; i < count; i++) {
      size_t query = begin + i;
      size_t allowedBegin = query > before ? query - before : 0;
      size_t allowedEnd = after < keys && query + after < keys ? query + after + 1 : keys;
      tops[i] = scale_scores(scoreRows[i], firstKey, width, scale, allowedBegin, allowedEnd);
    }
    for (size_t i = 0; i < count; i++) rowSums[i] = exponentials_below(tops[i], width, scoreRows[i], scoreRows[i]);
    for (size_t i = 0; i < count; i++) {
      vf factor = splat(1.0f / sum_lanes(rowSums[i]));
      for (size_t j = 0; j < width; j += LANES) store(scoreRows[i] + j, load(scoreRows[i] + j) * factor);
    }
    f32_block sums = {count, 1, endKey - firstKey, 0, valueDimension, keys * ERI_PANEL};
    f32_target toOut = {outRows, NULL, NULL, ERI_ACTIVATION_IDENTITY, ERI_ACTIVATION_IDENTITY};
    multiply_block(&sums, weightRows, valuePanels + firstKey * ERI_PANEL, &toOut);
  }
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
