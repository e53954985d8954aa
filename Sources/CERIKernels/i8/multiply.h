// Sums of products of rows of u8 with packed s8 weights. The variant gives
//   ROWS, PANELS        rows and panels of the micro-kernel
//   GRADES              ways to sum a panel's products; its grade is found when it is packed
//   VECTORS, sums_v     accumulators per panel and row, and their type
//   weights_v, load_weights(panel, j)   the weights that accumulator j takes of one quad of a panel
//   row_v, load_row(grade, p)           four values of a row as all weights meet them
//   add_products(grade, sums, row, weights)
//   store_sums(sums, int32[16])
//   SHIFT(grade)        what load_row subtracts from the values

/// Rows or pixels that share a sweep over the panels. Element tap * stride + row of `table` points to the row's `length` values
/// of one tap.
typedef struct {
  size_t rows, taps, length, stride;
} i8_block;

/// tile[rows][panels * 16] = sums of the block's rows from `row` on.
INLINE void multiply_tile(const int rows, const int panels, const int grade, const i8_block *block,
                          const uint8_t *const *table, const uint8_t *weights, size_t panelBytes, int32_t *tile) {
  sums_v sums[ROWS * PANELS * VECTORS];  // of constant size, to be kept in registers
  UNROLL for (int i = 0; i < rows * panels * VECTORS; i++) sums[i] = (sums_v){0};
  size_t quads = block->length / ERI_I8_QUAD, left = block->length % ERI_I8_QUAD;
  for (size_t tap = 0; tap < block->taps; tap++, table += block->stride) {
    const uint8_t *row[ROWS];
    UNROLL for (int r = 0; r < rows; r++) row[r] = table[r];
    for (size_t quad = 0; quad < quads; quad++, weights += ERI_I8_QUAD_BYTES) {
      weights_v w[PANELS * VECTORS];
      UNROLL for (int j = 0; j < panels * VECTORS; j++) {
        w[j] = load_weights(weights + (size_t)(j / VECTORS) * panelBytes, j % VECTORS);
      }
      UNROLL for (int r = 0; r < rows; r++) {
        row_v a = load_row(grade, row[r] + quad * ERI_I8_QUAD);
        UNROLL for (int j = 0; j < panels * VECTORS; j++) {
          sums[r * panels * VECTORS + j] = add_products(grade, sums[r * panels * VECTORS + j], a, w[j]);
        }
      }
    }
    if (left) {  // the padded weights are zero, so only reading past a row's end has to be avoided
      weights_v w[PANELS * VECTORS];
      UNROLL for (int j = 0; j < panels * VECTORS; j++) {
        w[j] = load_weights(weights + (size_t)(j / VECTORS) * panelBytes, j % VECTORS);
      }
      UNROLL for (int r = 0; r < rows; r++) {
        uint8_t rest[ERI_I8_QUAD] = {0};
        for (size_t i = 0; i < left; i++) rest[i] = row[r][quads * ERI_I8_QUAD + i];
        row_v a = load_row(grade, rest);
        UNROLL for (int j = 0; j < panels * VECTORS; j++) {
          sums[r * panels * VECTORS + j] = add_products(grade, sums[r * panels * VECTORS + j], a, w[j]);
        }
      }
      weights += ERI_I8_QUAD_BYTES;
    }
  }
  UNROLL for (int i = 0; i < rows * panels; i++) store_sums(sums + i * VECTORS, tile + i * ERI_PANEL);
}

OUTLINE void multiply_rows(const i8_block *block, int grade, const uint8_t *const *table, const uint8_t *weights,
                           int32_t *tile) {
#if GRADES > 1
  if (grade == 1) {
    multiply_tile(ROWS, 1, 1, block, table, weights, 0, tile);
    return;
  }
#endif
  (void)grade;
  multiply_tile(ROWS, 1, 0, block, table, weights, 0, tile);
}

/// One row, as a product with a vector has.
OUTLINE void multiply_one(const i8_block *block, int grade, const uint8_t *const *table, const uint8_t *weights,
                          int32_t *tile) {
#if GRADES > 1
  if (grade == 1) {
    multiply_tile(1, 1, 1, block, table, weights, 0, tile);
    return;
  }
#endif
  (void)grade;
  multiply_tile(1, 1, 0, block, table, weights, 0, tile);
}

#if PANELS > 1
OUTLINE void multiply_panels(const i8_block *block, const uint8_t *const *table, const uint8_t *weights,
                             size_t panelBytes, int32_t *tile) {
  multiply_tile(ROWS, PANELS, 0, block, table, weights, panelBytes, tile);
}
#endif

/// The packed weights of one group.
typedef struct {
  const int32_t *sums, *grades;
  const uint8_t *data;
  size_t panels, panelBytes, columns;
} i8_weights;

INLINE i8_weights weights_at(const eri_i8_layout *layout, const void *packed, size_t group, size_t columns) {
  const uint8_t *bytes = packed;
  return (i8_weights){(const int32_t *)(const void *)bytes + group * layout->panels * ERI_PANEL,
                      (const int32_t *)(const void *)(bytes + layout->grades) + group * layout->panels,
                      bytes + layout->data + group * layout->panels * layout->panelBytes,
                      layout->panels,
                      layout->panelBytes,
                      columns};
}

/// Multiplies a block of rows with all panels and finishes them; `firstChannel` is the group's.
OUTLINE void multiply_block(const i8_block *block, const uint8_t *const *table, const i8_weights *weights,
                            int32_t inputZero, const i8_finish *finish, size_t firstChannel, const i8_place *places) {
  int32_t sums[ERI_I8_BLOCK * PANELS * ERI_PANEL] __attribute__((aligned(64)));
  // Rows beyond the block's repeat its last.
  size_t whole = eri_round_up(block->rows, ROWS);
  for (size_t panel = 0, count; panel < weights->panels; panel += count) {
    count = 1;
#if PANELS > 1
    if (panel + PANELS <= weights->panels && block->rows > 1) count = PANELS;
#endif
    const uint8_t *data = weights->data + panel * weights->panelBytes;
    int grade = weights->grades[panel];
    int32_t corrections[PANELS * ERI_PANEL] __attribute__((aligned(64)));
    for (size_t j = 0; j < count * ERI_PANEL; j++) {
      corrections[j] = weights->sums[panel * ERI_PANEL + j] * (inputZero - SHIFT(grade));
    }
    size_t columns = eri_minimum(weights->columns - panel * ERI_PANEL, count * ERI_PANEL);
    for (size_t row = 0; row < whole; row += ROWS) {
      int32_t *tile = sums + row * count * ERI_PANEL;
      if (block->rows == 1) {
        multiply_one(block, grade, table, data, tile);
#if PANELS > 1
      } else if (count > 1) {
        multiply_panels(block, table + row, data, weights->panelBytes, tile);
#endif
      } else {
        multiply_rows(block, grade, table + row, data, tile);
      }
    }
    finish->rows(&finish->constants, sums, count * ERI_PANEL, corrections, block->rows, places,
                 firstChannel + panel * ERI_PANEL, columns);
  }
}

/// Packs one panel: weight (tap, k, n) is source[tap * strideTap + k % run * strideK + k / run + n * strideN]; writes the columns' sums
/// too.
OUTLINE int32_t pack_panel(const int8_t *source, size_t taps, size_t strideTap, size_t depth, size_t run, size_t strideK,
                           size_t columns, size_t strideN, uint8_t *data, int32_t *sums) {
  bool safe = true;
  for (size_t n = 0; n < ERI_PANEL; n++) sums[n] = 0;
  for (size_t tap = 0; tap < taps; tap++) {
    for (size_t k = 0; k < depth; k += ERI_I8_QUAD, data += ERI_I8_QUAD_BYTES) {
      for (size_t n = 0; n < ERI_PANEL; n++) {
        int32_t w[ERI_I8_QUAD];
        for (size_t i = 0; i < ERI_I8_QUAD; i++) {
          bool inside = n < columns && k + i < depth;
          w[i] = inside ? source[tap * strideTap + (k + i) % run * strideK + (k + i) / run + n * strideN] : 0;
          sums[n] += w[i];
          data[n * ERI_I8_QUAD + i] = (uint8_t)w[i];
        }
        for (size_t i = 0; i < ERI_I8_QUAD; i += 2) {
          int32_t first = w[i] < 0 ? -w[i] : w[i], second = w[i + 1] < 0 ? -w[i + 1] : w[i + 1];
          safe = safe && first + second <= 128;
        }
      }
    }
  }
  return safe && GRADES > 1 ? 1 : 0;
}
