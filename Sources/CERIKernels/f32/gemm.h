// General matrix multiply on packed panels of 16 columns.

/// Fetches `count` rows of 16 floats: rows that lie far apart come too late otherwise.
INLINE void fetch_rows(const float *rows, size_t count, size_t stride) {
  for (size_t r = 0; r < count; r++) __builtin_prefetch(rows + r * stride);
}

/// One panel: `columns` (at most 16) columns of B, element (k, n) at b[k * strideK + n * strideN], the rest zero. The next `following`
/// columns are fetched.
OUTLINE void pack_panel(const float *b, size_t strideK, size_t strideN, size_t k, size_t columns, size_t following, float *panel) {
  size_t i = 0;
  if (strideK == 1) {
    for (; i + LANES <= k; i += LANES) {
      if (i % ERI_LINE == 0) fetch_rows(b + ERI_PANEL * strideN + i, following, strideN);
      for (size_t n = 0; n < ERI_PANEL; n += LANES) {
        vf block[LANES];
        if (n + LANES <= columns) {
          UNROLL for (int r = 0; r < LANES; r++) block[r] = load(b + (n + (size_t)r) * strideN + i);
        } else {
          UNROLL for (int r = 0; r < LANES; r++) {
            block[r] = n + (size_t)r < columns ? load(b + (n + (size_t)r) * strideN + i) : splat(0.0f);
          }
        }
        transpose_lanes(block);
        UNROLL for (int r = 0; r < LANES; r++) store(panel + (i + (size_t)r) * ERI_PANEL + n, block[r]);
      }
    }
  }
  for (; i < k; i++) {
    UNROLL for (int v = 0; v < VECTORS; v++) store(panel + i * ERI_PANEL + v * LANES, splat(0.0f));
    for (size_t n = 0; n < columns; n++) panel[i * ERI_PANEL + n] = b[i * strideK + n * strideN];
  }
}

/// Panels of a row-major matrix side by side, since a row's lines lie together and the rows far apart.
INLINE void copy_panels(const size_t panels, const float *b, size_t stride, size_t k, float *packed) {
  for (size_t i = 0; i < k; i++, b += stride) {
    UNROLL for (size_t p = 0; p < panels; p++) {
      __builtin_prefetch(b + 8 * stride + p * ERI_PANEL);
      UNROLL for (size_t v = 0; v < ERI_PANEL; v += LANES) {
        store(packed + (p * k + i) * ERI_PANEL + v, load(b + p * ERI_PANEL + v));
      }
    }
  }
}

static void f32_gemm_pack(const float *b, size_t strideK, size_t strideN, size_t k, size_t n, float *packed) {
  size_t column = 0;
  if (strideN == 1) {
    for (; column + 4 * ERI_PANEL <= n; column += 4 * ERI_PANEL) copy_panels(4, b + column, strideK, k, packed + column * k);
    for (; column + ERI_PANEL <= n; column += ERI_PANEL) copy_panels(1, b + column, strideK, k, packed + column * k);
  }
  for (; column < n; column += ERI_PANEL) {
    size_t columns = eri_minimum(n - column, ERI_PANEL), following = eri_minimum(n - column - columns, ERI_PANEL);
    pack_panel(b + column * strideN, strideK, strideN, k, columns, following, packed + column * k);
  }
}

static void f32_gemm(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *packed, float *c,
                     size_t ldc, const eri_f32_epilogue *epilogue) {
  const float *rows[ERI_BLOCK], *residual[ERI_BLOCK];
  float *out[ERI_BLOCK];
  f32_target target = {out, epilogue->residual ? residual : NULL, epilogue->bias, epilogue->first, epilogue->second};
  for (size_t begin = 0; begin < m; begin += BLOCK) {
    f32_block block = {eri_minimum(m - begin, BLOCK), 1, k, 0, n, k * ERI_PANEL};
    for (size_t i = 0; i < block.count; i++) {
      rows[i] = a + (begin + i) * lda;
      out[i] = c + (begin + i) * ldc;
      if (epilogue->residual) residual[i] = epilogue->residual + (begin + i) * epilogue->residualStride;
    }
    multiply_block(&block, rows, packed, &target);
  }
}
