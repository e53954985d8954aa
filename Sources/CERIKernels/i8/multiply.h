// Sums of products of rows of u8 with packed s8 weights, by the variant's quads.h or saturating_quads.h.

/// The largest values with which a panel's products may be added in int16: two pairs, or one.
typedef struct {
  uint8_t two, one;
} i8_limits;

/// Rows or pixels that share a sweep over the panels. Element tap * stride + row of `table` points to the row's `length` values
/// of one tap. `largest` is the largest value of each tile of rows, where the sums depend on it. `stage` is room for copies of the rows;
/// without it they have one tap and lie equally far apart.
typedef struct {
  size_t rows, taps, length, stride;
  uint8_t *stage;
  uint8_t largest[ERI_I8_BLOCK];
} i8_block;

/// The packed weights of one group.
typedef struct {
  const int32_t *sums;
  const i8_limits *limits;
  const uint8_t *data;
  size_t panels, panelBytes, columns;
} i8_weights;

INLINE i8_weights weights_at(const eri_i8_layout *layout, const void *packed, size_t group, size_t columns) {
  const uint8_t *bytes = packed;
  return (i8_weights){(const int32_t *)(const void *)bytes + group * layout->panels * ERI_PANEL,
                      (const i8_limits *)(const void *)(bytes + layout->limits) + group * layout->panels,
                      bytes + layout->data + group * layout->panels * layout->panelBytes,
                      layout->panels,
                      layout->panelBytes,
                      columns};
}

/// The last values of a row, fewer than a quad, and zeros: the padded weights are zero, so only reading past a row's end has to be
/// avoided.
INLINE void rest_of_row(const uint8_t *row, size_t count, uint8_t *rest) {
  for (size_t i = 0; i < ERI_I8_QUAD; i++) rest[i] = i < count ? row[i] : 0;
}

#ifdef SATURATES
#include "saturating_quads.h"
#else
#include "quads.h"
#endif

/// Multiplies a block of rows with all panels and finishes them; `firstChannel` is the group's.
typedef void (*i8_block_multiplier)(i8_block *block, const uint8_t *const *table, const i8_weights *weights, int32_t inputZero,
                                    const i8_finish *finish, size_t firstChannel, const i8_place *places);

/// Rows beyond the block's repeat its last.
OUTLINE void multiply_block(i8_block *block, const uint8_t *const *table, const i8_weights *weights, int32_t inputZero,
                            const i8_finish *finish, size_t firstChannel, const i8_place *places) {
  int32_t tile[ROWS * PANELS * ERI_PANEL] __attribute__((aligned(64)));
  find_largest(block, table);
  for (size_t panel = 0, count; panel < weights->panels; panel += count) {
    count = block->rows == 1 ? 1 : eri_minimum(weights->panels - panel, PANELS);
    if (count > 2 && count < PANELS) count = 2;
    int32_t corrections[PANELS * ERI_PANEL] __attribute__((aligned(64)));
    for (size_t j = 0; j < count * ERI_PANEL; j++) {
      corrections[j] = weights->sums[panel * ERI_PANEL + j] * (inputZero - SHIFT);
    }
    size_t first = firstChannel + panel * ERI_PANEL, columns = eri_minimum(weights->columns - panel * ERI_PANEL, count * ERI_PANEL);
    for (size_t row = 0; row < block->rows; row += ROWS) {
      // A panel's channels of neighbouring rows lie apart, so that the processor does not expect them: they come meanwhile.
      for (size_t r = row; r < eri_minimum(row + ROWS, block->rows) && places[r].residual; r++) {
        const uint8_t *residual = (const uint8_t *)places[r].residual + first * finish->residualSize;
        for (size_t i = 0; i < columns * finish->residualSize; i += 64) __builtin_prefetch(residual + i);
      }
#ifndef SATURATES
      if (row + ROWS <= block->rows && columns == PANELS * ERI_PANEL) {
        multipliers[finish->toBytes][finish->residual](block, table + row, weights->data + panel * weights->panelBytes,
                                                       weights->panelBytes, corrections, &finish->constants, places + row, first);
        continue;
      }
#endif
      multiply_some(block, row, table + row, weights, panel, count, tile);
      finish->rows(&finish->constants, tile, count * ERI_PANEL, corrections, eri_minimum(block->rows - row, ROWS), places + row, first,
                   columns);
    }
  }
}

/// The largest value that keeps products with weights of these sums, of the positive ones or of the negative ones, within int16.
INLINE uint8_t limit_of(int32_t sum) { return sum * 255 <= INT16_MAX ? 255 : (uint8_t)(INT16_MAX / sum); }

/// Packs one panel: weight (tap, k, n) is source[tap * strideTap + k % run * strideK + k / run + n * strideN]; writes the columns' sums
/// and the limits too.
OUTLINE void pack_panel(const int8_t *source, size_t taps, size_t strideTap, size_t depth, size_t run, size_t strideK,
                        size_t columns, size_t strideN, uint8_t *data, int32_t *sums, i8_limits *limits) {
  int32_t one = 0, two = 0;  // the largest sums over one pair and over two
  for (size_t n = 0; n < ERI_PANEL; n++) sums[n] = 0;
  for (size_t tap = 0; tap < taps; tap++) {
    int32_t before[ERI_PANEL][ERI_I8_QUAD] = {{0}};  // sums of the pairs of the quad before: positive, negative
    for (size_t k = 0; k < depth; k += ERI_I8_QUAD, data += ERI_I8_QUAD_BYTES) {
      bool second = k / ERI_I8_QUAD % 2 == 1;
      for (size_t n = 0; n < ERI_PANEL; n++) {
        int32_t parts[ERI_I8_QUAD] = {0};
        for (size_t i = 0; i < ERI_I8_QUAD; i++) {
          bool inside = n < columns && k + i < depth;
          int32_t w = inside ? source[tap * strideTap + (k + i) % run * strideK + (k + i) / run + n * strideN] : 0;
          sums[n] += w;
          data[n * ERI_I8_QUAD + i] = (uint8_t)w;
          parts[i / 2 * 2 + (w < 0)] += w < 0 ? -w : w;
        }
        for (size_t i = 0; i < ERI_I8_QUAD; i++) {
          int32_t both = second ? parts[i] + before[n][i] : parts[i];
          one = parts[i] > one ? parts[i] : one;
          two = both > two ? both : two;
          before[n][i] = parts[i];
        }
      }
    }
  }
  *limits = (i8_limits){limit_of(two), limit_of(one)};
}
