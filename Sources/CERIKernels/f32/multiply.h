// The micro-kernel: ROWS rows times PANELS panels of 16 columns, and the sweep of one block of rows over all panels.
// Every element is one chain of multiply-adds over taps and depth in order, whatever rows and panels it is computed
// with: so no result depends on how rows are split over calls.

/// acc[row * width + j] = Σ_tap Σ_i rows[tap * tapStride + row][i] b[tap * length + i][j], `width` vectors of the panels' columns wide.
/// Meanwhile the panels that follow are fetched, if asked for.
INLINE void accumulate(const int count, const int width, const bool fetch, size_t taps, size_t length, const float *const *rows,
                       size_t tapStride, const float *b, size_t panelStride, vf *acc) {
  UNROLL for (int i = 0; i < count * width; i++) acc[i] = splat(0.0f);
  for (size_t tap = 0; tap < taps; tap++, rows += tapStride) {
    const float *a[ROWS];
    UNROLL for (int r = 0; r < count; r++) a[r] = rows[r];
    _Pragma("clang loop unroll_count(4)") for (size_t i = 0; i < length; i++) {
      vf column[4 * VECTORS];
      if (fetch) __builtin_prefetch(b + width / VECTORS * panelStride);
      UNROLL for (int j = 0; j < width; j++) column[j] = load(b + j / VECTORS * panelStride + j % VECTORS * LANES);
      UNROLL for (int r = 0; r < count; r++) {
        vf x = splat(a[r][i]);
        UNROLL for (int j = 0; j < width; j++) acc[r * width + j] = FMA(x, column[j], acc[r * width + j]);
      }
      b += ERI_PANEL;
    }
  }
}

/// Where a block's rows go. `residual` holds one pointer per row, or is NULL. Pointers are to column 0.
typedef struct {
  float *const *out;
  const float *const *residual;
  const float *bias;
  eri_activation first, second;
} f32_target;

/// Any epilogue and any number of columns up to 16, from a tile in memory.
OUTLINE void finish_tile(float *tile, size_t rows, size_t row, size_t column, size_t columns, const f32_target *t) {
  if (t->bias) {
    vf bias[VECTORS];
    UNROLL for (size_t v = 0; v < VECTORS; v++) {
      size_t left = columns > v * LANES ? columns - v * LANES : 0;
      bias[v] = load_some(t->bias + column + v * LANES, left);
    }
    for (size_t r = 0; r < rows; r++) {
      UNROLL for (size_t v = 0; v < VECTORS; v++) {
        float *place = tile + r * ERI_PANEL + v * LANES;
        store(place, load(place) + bias[v]);
      }
    }
  }
  f32_activate(t->first, rows * ERI_PANEL, tile, tile);
  for (size_t r = 0; r < rows; r++) {
    float *from = tile + r * ERI_PANEL, *out = t->out[row + r] + column;
    for (size_t c = 0; c < columns; c += LANES) {
      vf value = load(from + c);
      if (t->residual) {
        value += load_some(t->residual[row + r] + column + c, columns - c);
        store(from + c, value);
      }
      if (t->second == ERI_ACTIVATION_IDENTITY) store_some(out + c, value, columns - c);
    }
  }
  if (t->second == ERI_ACTIVATION_IDENTITY) return;
  f32_activate(t->second, rows * ERI_PANEL, tile, tile);
  for (size_t r = 0; r < rows; r++) {
    for (size_t c = 0; c < columns; c += LANES) {
      store_some(t->out[row + r] + column + c, load(tile + r * ERI_PANEL + c), columns - c);
    }
  }
}

/// Functions that need registers of their own take the sums from memory.
INLINE void activate_sums(eri_activation activation, const int count, vf *acc) {
  if (activation == ERI_ACTIVATION_IDENTITY) return;
  if (activation == ERI_ACTIVATION_RELU) {
    UNROLL for (int i = 0; i < count; i++) acc[i] = rectify(acc[i]);
    return;
  }
  float sums[ROWS * 4 * ERI_PANEL];
  UNROLL for (int i = 0; i < count; i++) store(sums + i * LANES, acc[i]);
  f32_activate(activation, (size_t)count * LANES, sums, sums);
  UNROLL for (int i = 0; i < count; i++) acc[i] = load(sums + i * LANES);
}

/// Applies the epilogue to accumulators and stores them; `columns` is 16 unless one panel at the right end is partial.
INLINE void finish(const int count, const int panels, vf *acc, size_t row, size_t column, size_t columns,
                   const f32_target *t) {
  const int width = panels * VECTORS;
  if (columns < ERI_PANEL) {
    float tile[ROWS * ERI_PANEL];
    UNROLL for (int p = 0; p < panels; p++) {
      UNROLL for (int r = 0; r < count; r++) {
        UNROLL for (int v = 0; v < VECTORS; v++) {
          store(tile + r * ERI_PANEL + v * LANES, acc[r * width + p * VECTORS + v]);
        }
      }
      finish_tile(tile, (size_t)count, row, column + (size_t)p * ERI_PANEL, columns, t);
    }
    return;
  }
  if (t->bias) {
    UNROLL for (int j = 0; j < width; j++) {
      vf bias = load(t->bias + column + j * LANES);
      UNROLL for (int r = 0; r < count; r++) acc[r * width + j] += bias;
    }
  }
  activate_sums(t->first, count * width, acc);
  if (t->residual) {
    UNROLL for (int r = 0; r < count; r++) {
      const float *residual = t->residual[row + (size_t)r] + column;
      UNROLL for (int j = 0; j < width; j++) acc[r * width + j] += load(residual + j * LANES);
    }
  }
  activate_sums(t->second, count * width, acc);
  UNROLL for (int r = 0; r < count; r++) {
    float *out = t->out[row + (size_t)r] + column;
    UNROLL for (int j = 0; j < width; j++) store(out + j * LANES, acc[r * width + j]);
  }
}

enum {
  BLOCK = ERI_BLOCK / ROWS * ROWS,  // rows or pixels of a block
  HALF = ROWS / 2,
};

/// The shape of one block: rows[tap * tapStride + row] points to `length` floats; panels lie `panelStride` floats apart.
typedef struct {
  size_t count, taps, length, tapStride, columns, panelStride;
} f32_block;

INLINE void multiply_rows(const int count, const int panels, const f32_block *k, const float *const *rows, size_t row,
                          const float *packed, size_t column, const bool last, const f32_target *t) {
  vf acc[ROWS * 4 * VECTORS];
  // Rows lie too far apart for the processor to expect the next one's outputs.
  UNROLL for (size_t r = 0; r < (size_t)count; r++) {
    UNROLL for (size_t p = 0; p < (size_t)panels; p++) {
      __builtin_prefetch(t->out[row + r] + column + p * ERI_PANEL, 1);
      if (t->residual) __builtin_prefetch(t->residual[row + r] + column + p * ERI_PANEL);
    }
  }
  // The last rows fetch the next panel, which the processor would expect only when it begins; before them it would push this one, which
  // is still needed, out of the cache.
  accumulate(count, panels * VECTORS, last, k->taps, k->length, rows + row, k->tapStride, packed + column / ERI_PANEL * k->panelStride,
             k->panelStride, acc);
  size_t left = k->columns - column;
  finish(count, panels, acc, row, column, left < ERI_PANEL ? left : ERI_PANEL, t);
}

/// `count` rows over all panels, `panels` at a time: few rows need more columns to keep the multipliers busy.
INLINE void multiply_rest(const int count, const int panels, const f32_block *k, const float *const *rows, size_t row,
                          const float *packed, const f32_target *t) {
  size_t column = 0, step = (size_t)panels * ERI_PANEL;
  if (panels > 1) {
    for (; column + step <= k->columns; column += step) multiply_rows(count, panels, k, rows, row, packed, column, true, t);
  }
  for (; column < k->columns; column += ERI_PANEL) multiply_rows(count, 1, k, rows, row, packed, column, true, t);
}

/// Fetches the rows of the next tile: later panels find them in cache, the first does not.
INLINE void fetch_tile(const float *const *rows, size_t length) {
  for (size_t r = 0; r < ROWS; r++) {
    for (size_t i = 0; i < length; i += ERI_LINE) __builtin_prefetch(rows[r] + i);
  }
}

/// The first `whole` rows, a multiple of ROWS, with the panels of `column`.
INLINE void multiply_whole(const int panels, const f32_block *k, const float *const *rows, size_t whole, const float *packed, size_t column,
                           const f32_target *t) {
  size_t row = 0;
  for (; row + ROWS < whole; row += ROWS) {
    if (column == 0 && k->taps == 1) fetch_tile(rows + row + ROWS, k->length);
    multiply_rows(ROWS, panels, k, rows, row, packed, column, false, t);
  }
  multiply_rows(ROWS, panels, k, rows, row, packed, column, true, t);
}

/// out[row] = epilogue(Σ_tap rows[tap][row] · packed), for a block of rows.
OUTLINE void multiply_block(const f32_block *k, const float *const *rows, const float *packed, const f32_target *t) {
  size_t whole = k->count / ROWS * ROWS, column = 0;
  // One panel alone may be narrower.
  for (; PANELS > 1 && whole && column + PANELS * ERI_PANEL <= k->columns; column += PANELS * ERI_PANEL) {
    multiply_whole(PANELS, k, rows, whole, packed, column, t);
  }
  for (; whole && column < k->columns; column += ERI_PANEL) multiply_whole(1, k, rows, whole, packed, column, t);
  size_t row = whole;
  for (; k->count - row >= HALF; row += HALF) multiply_rest(HALF, 2, k, rows, row, packed, t);
#if ROWS > 8
  for (; k->count - row >= 4; row += 4) multiply_rest(4, 2, k, rows, row, packed, t);
#endif
#if ROWS > 4
  for (; k->count - row >= 2; row += 2) multiply_rest(2, 2, k, rows, row, packed, t);
#endif
#if ROWS > 2
  for (; row < k->count; row++) multiply_rest(1, 4, k, rows, row, packed, t);
#endif
}
