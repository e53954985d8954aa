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

/// Adds the products of one quad, `at` values into the rows.
INLINE void multiply_quad(const int rows, const int panels, const uint8_t *const *row, size_t at, const uint8_t *weights,
                          size_t panelBytes, sums_v *sums) {
  const int vectors = panels * VECTORS;
  weights_v w[PANELS * VECTORS];
  UNROLL for (int j = 0; j < vectors; j++) w[j] = load_weights(weights + (size_t)(j / VECTORS) * panelBytes, j % VECTORS);
  UNROLL for (int r = 0; r < rows; r++) {
    row_v a = load_row(row[r] + at);
    UNROLL for (int j = 0; j < vectors; j++) sums[r * vectors + j] = add_products(sums[r * vectors + j], a, w[j]);
  }
}

/// Adds the products of the block's rows from `table` on to sums[rows][panels][VECTORS].
INLINE void multiply_taps(const int rows, const int panels, const i8_block *block, const uint8_t *const *table,
                          const uint8_t *weights, size_t panelBytes, sums_v *sums) {
  size_t whole = block->length / ERI_I8_QUAD * ERI_I8_QUAD, left = block->length - whole;
  for (size_t tap = 0; tap < block->taps; tap++, table += block->stride) {
    const uint8_t *row[ROWS];
    UNROLL for (int r = 0; r < rows; r++) row[r] = table[r];
    for (size_t at = 0; at < whole; at += ERI_I8_QUAD, weights += ERI_I8_QUAD_BYTES) {
      multiply_quad(rows, panels, row, at, weights, panelBytes, sums);
    }
    if (left) {
      uint8_t rest[ROWS][ERI_I8_QUAD];
      UNROLL for (int r = 0; r < rows; r++) {
        rest_of_row(row[r] + whole, left, rest[r]);
        row[r] = rest[r];
      }
      multiply_quad(rows, panels, row, 0, weights, panelBytes, sums);
      weights += ERI_I8_QUAD_BYTES;
    }
  }
}

/// tile[rows][panels * 16] = sums of the block's rows from `table` on. Arrays have the most elements that any call needs, since a size that
/// depends on a parameter would keep them in memory.
INLINE void multiply_tile(const int rows, const int panels, const i8_block *block, const uint8_t *const *table,
                          const uint8_t *weights, size_t panelBytes, int32_t *tile) {
  sums_v sums[ROWS * PANELS * VECTORS];
  UNROLL for (int i = 0; i < rows * panels * VECTORS; i++) sums[i] = (sums_v){0};
  multiply_taps(rows, panels, block, table, weights, panelBytes, sums);
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
#if PANELS > 2
OUTLINE void multiply_two(const i8_block *block, const uint8_t *const *table, const uint8_t *weights, size_t panelBytes,
                          int32_t *tile) {
  multiply_tile(ROWS, 2, block, table, weights, panelBytes, tile);
}
#endif

/// A whole tile, finished from the registers: the next tile's products begin meanwhile.
INLINE void multiply_finished(const bool toBytes, const int residual, const i8_block *block, const uint8_t *const *table,
                              const uint8_t *weights, size_t panelBytes, const int32_t *corrections, const i8_constants *k,
                              const i8_place *places, size_t n) {
  const bool whole = VECTORS == PANEL_VECTORS;  // each lane is one column's sum, and may begin at what is subtracted
  sums_v sums[ROWS * PANELS * VECTORS];
  UNROLL for (int i = 0; i < ROWS * PANELS * VECTORS; i++) {
    sums[i] = whole ? __builtin_bit_cast(sums_v, -load_sums(corrections + i % (PANELS * VECTORS) * LANES)) : (sums_v){0};
  }
  multiply_taps(ROWS, PANELS, block, table, weights, panelBytes, sums);
  const i8_constants copy = *k;  // which no store can change: it stays in registers
  const int vectors = PANELS * PANEL_VECTORS;
  vf scale[PANELS * PANEL_VECTORS], bias[PANELS * PANEL_VECTORS];
  vi correction[PANELS * PANEL_VECTORS];
  UNROLL for (int j = 0; j < vectors; j++) {
    size_t at = n + (size_t)j * LANES;
    scale[j] = load_floats(k->scale + at);
    bias[j] = k->bias ? load_floats(k->bias + at) : splat(-0.0f);  // changes nothing
    correction[j] = whole ? (vi)0 : load_sums(corrections + j * LANES);
  }
  UNROLL for (int r = 0; r < ROWS; r++) {
    int32_t row[PANELS * ERI_PANEL];
    UNROLL for (int i = 0; i < PANELS; i++) store_sums(sums + (r * PANELS + i) * VECTORS, row + i * ERI_PANEL);
    UNROLL for (int j = 0; j < vectors; j++) {
      vf v = __builtin_convertvector(load_sums(row + j * LANES) - correction[j], vf);
      finish_lanes(toBytes, residual, &copy, v, scale[j], bias[j], n + (size_t)j * LANES, LANES, &places[r]);
    }
  }
}

typedef void (*i8_multiplier)(const i8_block *block, const uint8_t *const *table, const uint8_t *weights, size_t panelBytes,
                              const int32_t *corrections, const i8_constants *k, const i8_place *places, size_t n);
#define MULTIPLIER(NAME, TO_BYTES, RESIDUAL)                                                                                      \
  OUTLINE void multiply_##NAME(const i8_block *block, const uint8_t *const *table, const uint8_t *weights, size_t panelBytes,     \
                               const int32_t *corrections, const i8_constants *k, const i8_place *places, size_t n) {             \
    multiply_finished(TO_BYTES, RESIDUAL, block, table, weights, panelBytes, corrections, k, places, n);                          \
  }
FOR_EVERY_FINISH(MULTIPLIER)

#define MULTIPLIER_AT(NAME, TO_BYTES, RESIDUAL) [TO_BYTES][RESIDUAL] = multiply_##NAME,
static const i8_multiplier multipliers[2][3] = {FOR_EVERY_FINISH(MULTIPLIER_AT)};

/// The sums of a tile of the block's rows, which begin at `table`, with `count` panels.
INLINE void multiply_some(const i8_block *block, size_t row, const uint8_t *const *table, const i8_weights *weights,
                          size_t panel, size_t count, int32_t *tile) {
  const uint8_t *data = weights->data + panel * weights->panelBytes;
  (void)row, (void)count;
  if (block->rows == 1) {
    multiply_one(block, table, data, tile);
    return;
  }
#if PANELS > 2
  if (count == 2) {
    multiply_two(block, table, data, weights->panelBytes, tile);
    return;
  }
#endif
#if PANELS > 1
  if (count > 1) {
    multiply_panels(block, table, data, weights->panelBytes, tile);
    return;
  }
#endif
  multiply_rows(block, table, data, tile);
}
