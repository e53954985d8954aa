// General matrix multiply on packed panels of 16 columns.

/// One panel: `columns` (at most 16) columns of B, element (k, n) at b[k * strideK + n * strideN], the rest zero.
OUTLINE void pack_panel(const float *b, size_t strideK, size_t strideN, size_t k, size_t columns, float *panel) {
  size_t i = 0;
  if (strideK == 1) {
    for (; i + LANES <= k; i += LANES) {
      for (size_t n = 0; n < ERI_PANEL; n += LANES) {
        vf block[LANES];
        UNROLL for (int r = 0; r < LANES; r++) {
          block[r] = n + (size_t)r < columns ? load(b + (n + (size_t)r) * strideN + i) : splat(0.0f);
        }
        transpose_lanes(block);
        UNROLL for (int r = 0; r < LANES; r++) store(panel + (i + (size_t)r) * ERI_PANEL + n, block[r]);
      }
    }
  } else if (strideN == 1 && columns == ERI_PANEL) {
    for (; i < k; i++) {
      UNROLL for (int v = 0; v < VECTORS; v++) {
        store(panel + i * ERI_PANEL + v * LANES, load(b + i * strideK + v * LANES));
      }
    }
  }
  for (; i < k; i++) {
    UNROLL for (int v = 0; v < VECTORS; v++) store(panel + i * ERI_PANEL + v * LANES, splat(0.0f));
    for (size_t n = 0; n < columns; n++) panel[i * ERI_PANEL + n] = b[i * strideK + n * strideN];
  }
}

static void f32_gemm_pack(const float *b, size_t strideK, size_t strideN, size_t k, size_t n, float *packed) {
  for (size_t column = 0; column < n; column += ERI_PANEL) {
    pack_panel(b + column * strideN, strideK, strideN, k, eri_minimum(n - column, ERI_PANEL), packed + column * k);
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
