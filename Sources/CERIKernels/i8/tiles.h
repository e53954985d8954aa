// Sums of products by AMX's tiles of 16 rows of 64 bytes, for whole blocks; smaller ones take the quads of registers. A panel's quads are
// a tile of weights as they lie: 16 quads of 16 columns. A step is a tile's depth, 64 values. Steps go on from one tap to the next without
// padding, so that taps of few channels fill them; what the last step of a panel reads beyond its quads meets zeros.
#include <immintrin.h>

enum { TILE = 16, STEP = ERI_I8_STEP, STEP_WEIGHTS = STEP / ERI_I8_QUAD * ERI_I8_QUAD_BYTES };

/// Sums of two tiles of rows and two panels.
typedef struct {
  int32_t sums[2 * TILE][2 * ERI_PANEL] __attribute__((aligned(64)));
} i8_tiles;

/// A tile of the block's rows from `first` on: `whole` steps at `rows`, `stride` apart, then at most one of which all rows lie in `rest`.
typedef struct {
  size_t first;
  const uint8_t *rows, *rest;
  size_t stride, whole;
} i8_strip;

/// All eight tiles whole: four of sums, two of rows, two of panels.
INLINE void begin_tiles(size_t rows) {
  if (rows < TILE) return;
  struct {
    uint8_t palette, start, reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
  } shape = {.palette = 1};
  for (int i = 0; i < 8; i++) {
    shape.bytes[i] = STEP;
    shape.rows[i] = TILE;
  }
  _tile_loadconfig(&shape);
}
/// Threads that are switched from do not have to save tiles.
INLINE void end_tiles(size_t rows) {
  if (rows >= TILE) _tile_release();
}

INLINE void multiply_step(const int strips, const int panels, const uint8_t *first, size_t firstStride, const uint8_t *second,
                          size_t secondStride, const uint8_t *weights, size_t panelBytes) {
  _tile_loadd(6, weights, ERI_I8_QUAD_BYTES);
  _tile_loadd(4, first, firstStride);
  _tile_dpbusd(0, 4, 6);
  if (panels > 1) {
    _tile_loadd(7, weights + panelBytes, ERI_I8_QUAD_BYTES);
    _tile_dpbusd(1, 4, 7);
  }
  if (strips > 1) {
    _tile_loadd(5, second, secondStride);
    _tile_dpbusd(2, 5, 6);
    if (panels > 1) _tile_dpbusd(3, 5, 7);
  }
}

INLINE void multiply_strips(const int strips, const int panels, const i8_strip *strip, const uint8_t *weights, size_t panelBytes,
                            i8_tiles *to) {
  const i8_strip *other = strip + strips - 1;
  _tile_zero(0);
  if (panels > 1) _tile_zero(1);
  if (strips > 1) _tile_zero(2);
  if (strips > 1 && panels > 1) _tile_zero(3);
  for (size_t i = 0; i < strip->whole; i++, weights += STEP_WEIGHTS) {
    multiply_step(strips, panels, strip->rows + i * STEP, strip->stride, other->rows + i * STEP, other->stride, weights, panelBytes);
  }
  if (strip->rest) multiply_step(strips, panels, strip->rest, STEP, other->rest, STEP, weights, panelBytes);
  const size_t stride = sizeof(to->sums[0]);
  _tile_stored(0, to->sums[0], stride);
  if (panels > 1) _tile_stored(1, to->sums[0] + ERI_PANEL, stride);
  if (strips > 1) _tile_stored(2, to->sums[TILE], stride);
  if (strips > 1 && panels > 1) _tile_stored(3, to->sums[TILE] + ERI_PANEL, stride);
}

OUTLINE void multiply_two_by_two(const i8_strip *strip, const uint8_t *weights, size_t panelBytes, i8_tiles *to) {
  multiply_strips(2, 2, strip, weights, panelBytes, to);
}
OUTLINE void multiply_two_by_one(const i8_strip *strip, const uint8_t *weights, i8_tiles *to) {
  multiply_strips(2, 1, strip, weights, 0, to);
}
OUTLINE void multiply_one_by_two(const i8_strip *strip, const uint8_t *weights, size_t panelBytes, i8_tiles *to) {
  multiply_strips(1, 2, strip, weights, panelBytes, to);
}
OUTLINE void multiply_one_by_one(const i8_strip *strip, const uint8_t *weights, i8_tiles *to) {
  multiply_strips(1, 1, strip, weights, 0, to);
}

/// Copies `count` bytes and zeros up to a whole step: what is too much is overwritten by the next tap or row.
INLINE void copy_steps(uint8_t *to, const uint8_t *from, size_t count) {
  size_t i = 0;
  for (; i + STEP <= count; i += STEP) _mm512_storeu_si512(to + i, _mm512_loadu_si512(from + i));
  if (i < count) _mm512_storeu_si512(to + i, _mm512_maskz_loadu_epi8(~0ull >> (STEP - (count - i)), from + i));
}

/// Copies the taps of the block's rows one after another to its stage.
INLINE void stage_rows(const i8_block *block, const uint8_t *const *table, size_t stride) {
  size_t tapBytes = eri_round_up(block->length, ERI_I8_QUAD);
  for (size_t r = 0; r < block->rows; r++) {
    uint8_t *to = block->stage + r * stride;
    for (size_t tap = 0; tap < block->taps; tap++, to += tapBytes) copy_steps(to, table[tap * block->stride + r], block->length);
    _mm512_storeu_si512(to, _mm512_setzero_si512());
  }
}

/// The block's tiles of rows. Rows where they lie begin earlier in a last tile that would not be whole; a stage has room for whole ones.
INLINE size_t strips_of(const i8_block *block, const uint8_t *const *table, uint8_t *rests, i8_strip *strips) {
  size_t count = 0, whole = block->length / STEP, left = block->length % STEP, stride = 0;
  if (block->stage) {
    stride = eri_i8_stage_stride(block->taps, block->length);
    whole = eri_ceil_div(block->taps * eri_round_up(block->length, ERI_I8_QUAD), STEP);
    stage_rows(block, table, stride);
  }
  for (size_t row = 0; row < block->rows; row += TILE, count++) {
    if (block->stage) {
      strips[count] = (i8_strip){row, block->stage + row * stride, NULL, stride, whole};
      continue;
    }
    size_t first = eri_minimum(row, block->rows - TILE);
    strips[count] = (i8_strip){first, table[first], NULL, (size_t)(table[1] - table[0]), whole};
    if (left) {
      uint8_t *rest = rests + count * TILE * STEP;
      for (size_t r = 0; r < TILE; r++) copy_steps(rest + r * STEP, table[first + r] + whole * STEP, left);
      strips[count].rest = rest;
    }
  }
  return count;
}

/// Multiplies a block of at least a tile's rows with all panels and finishes them.
OUTLINE void multiply_in_tiles(const i8_block *block, const uint8_t *const *table, const i8_weights *weights, int32_t inputZero,
                               const i8_finish *finish, size_t firstChannel, const i8_place *places) {
  i8_strip strips[ERI_I8_BLOCK / TILE];
  uint8_t rests[ERI_I8_BLOCK * STEP] __attribute__((aligned(64)));
  size_t stripCount = strips_of(block, table, rests, strips), panelBytes = weights->panelBytes;
  for (size_t panel = 0, panels; panel < weights->panels; panel += panels) {
    panels = eri_minimum(weights->panels - panel, 2);
    const uint8_t *data = weights->data + panel * panelBytes;
    int32_t corrections[2 * ERI_PANEL] __attribute__((aligned(64)));
    for (size_t j = 0; j < panels * ERI_PANEL; j++) corrections[j] = weights->sums[panel * ERI_PANEL + j] * inputZero;
    size_t first = firstChannel + panel * ERI_PANEL, columns = eri_minimum(weights->columns - panel * ERI_PANEL, panels * ERI_PANEL);
    for (size_t strip = 0, count; strip < stripCount; strip += count) {
      count = eri_minimum(stripCount - strip, 2);
      i8_tiles tiles;
      if (count == 2 && panels == 2) {
        multiply_two_by_two(strips + strip, data, panelBytes, &tiles);
      } else if (count == 2) {
        multiply_two_by_one(strips + strip, data, &tiles);
      } else if (panels == 2) {
        multiply_one_by_two(strips + strip, data, panelBytes, &tiles);
      } else {
        multiply_one_by_one(strips + strip, data, &tiles);
      }
      for (size_t i = 0; i < count; i++) {
        size_t row = (strip + i) * TILE, done = row - strips[strip + i].first;
        finish->rows(&finish->constants, tiles.sums[i * TILE + done], 2 * ERI_PANEL, corrections,
                     eri_minimum(TILE - done, block->rows - row), places + row, first, columns);
      }
    }
  }
}
