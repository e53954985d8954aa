// Sums of quads of products, for variants that add four products of u8 and s8 exactly. The variant gives
//   ROWS, PANELS        rows and panels of the micro-kernel
//   VECTORS, sums_v     accumulators per panel and row, and their type
//   weights_v, load_weights(panel, j)   the weights that accumulator j takes of one quad of a panel
//   row_v, load_row(p)  four values of a row as all weights meet them
//   add_products(sums, row, weights)
//   store_sums(sums, int32[16])
//   SHIFT               what load_row subtracts from the values

/// These sums do not depend on it.
INLINE void find_largest(i8_block *block, const uint8_t *const *table) { (void)block, (void)table; }

/// tile[rows][panels * 16] = sums of the block's rows from `row` on. Arrays have the most elements that any call needs, since a size that
/// depends on a parameter would keep them in memory.
INLINE void multiply_tile(const int rows, const int panels, const i8_block *block, const uint8_t *const *table,
                          const uint8_t *weights, size_t panelBytes, int32_t *tile) {
  sums_v sums[ROWS * PANELS * VECTORS];
  const int vectors = panels * VECTORS;
  UNROLL for (int i = 0; i < rows * vectors; i++) sums[i] = (sums_v){0};
  size_t quads = block->length / ERI_I8_QUAD, left = block->length % ERI_I8_QUAD;
  for (size_t tap = 0; tap < block->taps; tap++, table += block->stride) {
    const uint8_t *row[ROWS];
    UNROLL for (int r = 0; r < rows; r++) row[r] = table[r];
    for (size_t quad = 0; quad < quads; quad++, weights += ERI_I8_QUAD_BYTES) {
      weights_v w[PANELS * VECTORS];
      UNROLL for (int j = 0; j < vectors; j++) {
        w[j] = load_weights(weights + (size_t)(j / VECTORS) * panelBytes, j % VECTORS);
      }
      UNROLL for (int r = 0; r < rows; r++) {
        row_v a = load_row(row[r] + quad * ERI_I8_QUAD);
        UNROLL for (int j = 0; j < vectors; j++) sums[r * vectors + j] = add_products(sums[r * vectors + j], a, w[j]);
      }
    }
    if (left) {
      weights_v w[PANELS * VECTORS];
      UNROLL for (int j = 0; j < vectors; j++) {
        w[j] = load_weights(weights + (size_t)(j / VECTORS) * panelBytes, j % VECTORS);
      }
      UNROLL for (int r = 0; r < rows; r++) {
        uint8_t rest[ERI_I8_QUAD];
        rest_of_row(row[r] + quads * ERI_I8_QUAD, left, rest);
        row_v a = load_row(rest);
        UNROLL for (int j = 0; j < vectors; j++) sums[r * vectors + j] = add_products(sums[r * vectors + j], a, w[j]);
      }
      weights += ERI_I8_QUAD_BYTES;
    }
  }
  UNROLL for (int i = 0; i < rows * panels; i++) store_sums(sums + i * VECTORS, tile + i * ERI_PANEL);
}

OUTLINE void multiply_rows(const i8_block *block, const uint8_t *const *table, const uint8_t *weights, int32_t *tile) {
  multiply_tile(ROWS, 1, block, table, weights, 0, tile);
}

/// One row, as a product with a vector has.
OUTLINE void multiply_one(const i8_block *block, const uint8_t *const *table, const uint8_t *weights, int32_t *tile) {
  multiply_tile(1, 1, block, table, weights, 0, tile);
}

#if PANELS > 1
OUTLINE void multiply_panels(const i8_block *block, const uint8_t *const *table, const uint8_t *weights,
                             size_t panelBytes, int32_t *tile) {
  multiply_tile(ROWS, PANELS, block, table, weights, panelBytes, tile);
}
#endif

/// The sums of a tile of the block's rows, which begin at `table`, with `count` panels.
INLINE void multiply_some(const i8_block *block, size_t row, const uint8_t *const *table, const i8_weights *weights,
                          size_t panel, size_t count, int32_t *tile) {
  const uint8_t *data = weights->data + panel * weights->panelBytes;
  (void)row, (void)count;
  if (block->rows == 1) {
    multiply_one(block, table, data, tile);
    return;
  }
#if PANELS > 1
  if (count > 1) {
    multiply_panels(block, table, data, weights->panelBytes, tile);
    return;
  }
#endif
  multiply_rows(block, table, data, tile);
}
