// Sums of quads of products where pairs of products are added in int16 and saturate. How many may be added before they are widened depends
// on the largest value of the rows, u8, and on the panel's weights, whose limits were found when they were packed:
//   two pairs, of neighbouring quads, where no value is over the panel's first limit
//   one pair, where none is over its second
//   elsewhere 128 is subtracted from the values, and their magnitudes (at most 128) meet weights that take their signs
//   (2 · 128 · 127 fits)
// So the sums are exact, and values that keep low are summed quicker. The variant gives
//   ROWS, VECTORS, sums_v, weights_v, load_weights(panel, j), store_sums(sums, int32[16]) as for quads.h, one panel at a time
//   row_v, load_row(p)        four values of a row
//   pair_products(row, w)     int16 sums of pairs of products, u8 by s8
//   pair_signed(row, w)       the same of the values less 128, for any values
//   add_pairs(pairs, pairs)   in int16
//   widen_pairs(sums, pairs)  adds neighbouring int16 to int32

#define PANELS 1
#define SHIFT 0

enum { ONE_PAIR, TWO_PAIRS, SIGNED_PAIRS };

/// The largest of `count` values.
INLINE uint8_t largest_value(const uint8_t *values, size_t count) {
  typedef uint8_t v32 __attribute__((ext_vector_type(32)));
  typedef uint8_t v32_unaligned __attribute__((ext_vector_type(32), aligned(1), may_alias));
  uint8_t largest = 0;
  if (count < 32) {
    for (size_t i = 0; i < count; i++) largest = values[i] > largest ? values[i] : largest;
    return largest;
  }
  v32 most = *(const v32_unaligned *)(values + count - 32);
  for (size_t i = 0; i + 32 < count; i += 32) most = __builtin_elementwise_max(most, (v32)*(const v32_unaligned *)(values + i));
  return __builtin_reduce_max(most);
}

OUTLINE void find_largest(i8_block *block, const uint8_t *const *table) {
  for (size_t row = 0; row < block->rows; row += ROWS) {
    uint8_t largest = 0;
    for (size_t tap = 0; tap < block->taps; tap++) {
      for (size_t r = row; r < eri_minimum(row + ROWS, block->rows); r++) {
        uint8_t value = largest_value(table[tap * block->stride + r], block->length);
        largest = value > largest ? value : largest;
      }
    }
    block->largest[row / ROWS] = largest;
  }
}

/// The sums of one quad.
INLINE void multiply_quad(const int rows, const int way, const uint8_t *const *row, size_t at, const uint8_t *weights,
                          sums_v *sums) {
  weights_v w[VECTORS];
  UNROLL for (int j = 0; j < VECTORS; j++) w[j] = load_weights(weights, j);
  UNROLL for (int r = 0; r < rows; r++) {
    row_v a = load_row(row[r] + at);
    UNROLL for (int j = 0; j < VECTORS; j++) {
      sums[r * VECTORS + j] = widen_pairs(sums[r * VECTORS + j], way == SIGNED_PAIRS ? pair_signed(a, w[j]) : pair_products(a, w[j]));
    }
  }
}

/// tile[rows][16] = sums of the block's rows. Arrays have the most elements that any call needs, since a size that depends on a
/// parameter would keep them in memory.
INLINE void multiply_tile(const int rows, const int way, const i8_block *block, const uint8_t *const *table,
                          const uint8_t *weights, const int32_t *columnSums, int32_t *tile) {
  sums_v sums[ROWS * VECTORS];
  UNROLL for (int i = 0; i < rows * VECTORS; i++) sums[i] = (sums_v){0};
  size_t whole = block->length / ERI_I8_QUAD * ERI_I8_QUAD, left = block->length - whole;
  for (size_t tap = 0; tap < block->taps; tap++, table += block->stride) {
    const uint8_t *row[ROWS];
    UNROLL for (int r = 0; r < rows; r++) row[r] = table[r];
    size_t at = 0;
    if (way == TWO_PAIRS) {
      for (; at + 2 * ERI_I8_QUAD <= whole; at += 2 * ERI_I8_QUAD, weights += 2 * ERI_I8_QUAD_BYTES) {
        UNROLL for (int r = 0; r < rows; r++) {
          row_v a = load_row(row[r] + at), b = load_row(row[r] + at + ERI_I8_QUAD);
          UNROLL for (int j = 0; j < VECTORS; j++) {
            sums_v pairs = add_pairs(pair_products(a, load_weights(weights, j)),
                                     pair_products(b, load_weights(weights + ERI_I8_QUAD_BYTES, j)));
            sums[r * VECTORS + j] = widen_pairs(sums[r * VECTORS + j], pairs);
          }
        }
      }
    }
    for (; at < whole; at += ERI_I8_QUAD, weights += ERI_I8_QUAD_BYTES) multiply_quad(rows, way, row, at, weights, sums);
    if (left) {
      uint8_t rest[ROWS][ERI_I8_QUAD];
      UNROLL for (int r = 0; r < rows; r++) {
        rest_of_row(row[r] + whole, left, rest[r]);
        row[r] = rest[r];
      }
      multiply_quad(rows, way, row, 0, weights, sums);
      weights += ERI_I8_QUAD_BYTES;
    }
  }
  UNROLL for (int r = 0; r < rows; r++) {
    store_sums(sums + r * VECTORS, tile + r * ERI_PANEL);
    if (way == SIGNED_PAIRS) {
      for (int n = 0; n < ERI_PANEL; n++) tile[r * ERI_PANEL + n] += 128 * columnSums[n];
    }
  }
}

#define TILE(NAME, COUNT, WAY)                                                                          \
  OUTLINE void NAME(const i8_block *block, const uint8_t *const *table, const uint8_t *weights,         \
                    const int32_t *columnSums, int32_t *tile) {                                         \
    multiply_tile(COUNT, WAY, block, table, weights, columnSums, tile);                                 \
  }
TILE(multiply_pairs, ROWS, ONE_PAIR)
TILE(multiply_two_pairs, ROWS, TWO_PAIRS)
TILE(multiply_signed, ROWS, SIGNED_PAIRS)
TILE(multiply_one_pairs, 1, ONE_PAIR)
TILE(multiply_one_two_pairs, 1, TWO_PAIRS)
TILE(multiply_one_signed, 1, SIGNED_PAIRS)

/// The sums of a tile of the block's rows, which begin at `table`, with a panel.
INLINE void multiply_some(const i8_block *block, size_t row, const uint8_t *const *table, const i8_weights *weights,
                          size_t panel, size_t count, int32_t *tile) {
  (void)count;
  const uint8_t *data = weights->data + panel * weights->panelBytes;
  const int32_t *columnSums = weights->sums + panel * ERI_PANEL;
  i8_limits limits = weights->limits[panel];
  uint8_t largest = block->largest[row / ROWS];
  bool one = block->rows == 1;
  if (largest <= limits.two) {
    (one ? multiply_one_two_pairs : multiply_two_pairs)(block, table, data, columnSums, tile);
  } else if (largest <= limits.one) {
    (one ? multiply_one_pairs : multiply_pairs)(block, table, data, columnSums, tile);
  } else {
    (one ? multiply_one_signed : multiply_signed)(block, table, data, columnSums, tile);
  }
}
