// Sums of products by AMX's tiles of 16 rows of 64 bytes, for whole blocks; smaller ones take the quads of registers. A panel's quads are
// a tile of weights as they lie: 16 quads of 16 columns. A step is a tile's depth, 64 values. Copies of taps lie side by side without
// padding, so that taps of few channels fill their steps; what the last step of a panel reads beyond its quads meets zeros.
#include <immintrin.h>

enum { TILE = 16, STEP = ERI_I8_STEP, STEP_WEIGHTS = STEP / ERI_I8_QUAD * ERI_I8_QUAD_BYTES };

/// Sums of two tiles of rows and two panels.
typedef struct {
  int32_t sums[2 * TILE][2 * ERI_PANEL] __attribute__((aligned(64)));
} i8_tiles;

/// A tile of the block's rows, from `first` on.
typedef struct {
  size_t first;
  const uint8_t *rows, *rest;
} i8_strip;

/// What is summed: of each tap, at its offset from a strip's rows, which lie `stride` apart, `whole` steps; then at most one of which all
/// rows lie in the strip's rest.
typedef struct {
  const size_t *offsets;
  size_t taps, whole, stride;
} i8_steps;

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

INLINE void multiply_step(const int strips, const int panels, const uint8_t *first, const uint8_t *second, size_t stride,
                          const uint8_t *weights, size_t panelBytes) {
  _tile_loadd(6, weights, ERI_I8_QUAD_BYTES);
  _tile_loadd(4, first, stride);
  _tile_dpbusd(0, 4, 6);
  if (panels > 1) {
    _tile_loadd(7, weights + panelBytes, ERI_I8_QUAD_BYTES);
    _tile_dpbusd(1, 4, 7);
  }
  if (strips > 1) {
    _tile_loadd(5, second, stride);
    _tile_dpbusd(2, 5, 6);
    if (panels > 1) _tile_dpbusd(3, 5, 7);
  }
}

/// Sums whose rows from `row` on are not finished yet, and where they go.
typedef struct {
  const i8_tiles *tiles;
  const int32_t *corrections;
  const i8_place *places;
  size_t n, columns, row, end;
} i8_unfinished;

INLINE void finish_tile_rows(const bool toBytes, const int residual, const i8_constants *k, const i8_unfinished *before, size_t begin,
                             size_t end, const vf *scale, const vf *bias, const vi *correction) {
  for (size_t r = begin; r < end; r++) {
    UNROLL for (int j = 0; j < 2; j++) {
      size_t at = (size_t)j * LANES;
      vf v = __builtin_convertvector(load_sums(before->tiles->sums[r] + at) - correction[j], vf);
      finish_lanes(toBytes, residual, k, v, scale[j], bias[j], before->n + at, LANES, &before->places[r]);
    }
  }
}

/// Sums of one or two strips and panels; between their steps the sums before, of whole panels, are finished, which take other units of the
/// processor.
INLINE void multiply_strips(const bool toBytes, const int residual, const int strips, const int panels, const i8_steps *steps,
                            const i8_strip *strip, const uint8_t *weights, size_t panelBytes, i8_tiles *to, const i8_unfinished *before,
                            const i8_constants *constants) {
  const i8_constants copy = *constants;  // which no store can change: it stays in registers
  size_t row = before->row, end = before->end;
  vf scale[2] = {(vf)0, (vf)0}, bias[2] = {splat(-0.0f), splat(-0.0f)};  // which changes nothing
  vi correction[2] = {(vi)0, (vi)0};
  UNROLL for (size_t j = 0; j < 2 && row < end; j++) {
    scale[j] = load_floats(copy.scale + before->n + j * LANES);
    if (copy.bias) bias[j] = load_floats(copy.bias + before->n + j * LANES);
    correction[j] = load_sums(before->corrections + j * LANES);
  }
  const i8_strip *other = strip + strips - 1;
  size_t count = steps->taps * steps->whole, each = eri_ceil_div(end - row, count ? count : 1);
  _tile_zero(0);
  if (panels > 1) _tile_zero(1);
  if (strips > 1) _tile_zero(2);
  if (strips > 1 && panels > 1) _tile_zero(3);
  for (size_t tap = 0; tap < steps->taps; tap++) {
    const uint8_t *rows = strip->rows + steps->offsets[tap], *otherRows = other->rows + steps->offsets[tap];
    for (size_t i = 0; i < steps->whole; i++, weights += STEP_WEIGHTS) {
      multiply_step(strips, panels, rows + i * STEP, otherRows + i * STEP, steps->stride, weights, panelBytes);
      size_t stop = eri_minimum(row + each, end);
      finish_tile_rows(toBytes, residual, &copy, before, row, stop, scale, bias, correction);
      row = stop;
    }
  }
  if (strip->rest) multiply_step(strips, panels, strip->rest, other->rest, STEP, weights, panelBytes);
  finish_tile_rows(toBytes, residual, &copy, before, row, end, scale, bias, correction);
  const size_t stride = sizeof(to->sums[0]);
  _tile_stored(0, to->sums[0], stride);
  if (panels > 1) _tile_stored(1, to->sums[0] + ERI_PANEL, stride);
  if (strips > 1) _tile_stored(2, to->sums[TILE], stride);
  if (strips > 1 && panels > 1) _tile_stored(3, to->sums[TILE] + ERI_PANEL, stride);
}

/// Sums alone, of fewer strips or panels than two of each.
INLINE void multiply_alone(const int strips, const int panels, const i8_steps *steps, const i8_strip *strip, const uint8_t *weights,
                           size_t panelBytes, i8_tiles *to) {
  const i8_unfinished nothing = {.row = 0, .end = 0};
  const i8_constants none = {.scale = NULL};
  multiply_strips(false, NO_RESIDUAL, strips, panels, steps, strip, weights, panelBytes, to, &nothing, &none);
}
OUTLINE void multiply_two_by_one(const i8_steps *steps, const i8_strip *strip, const uint8_t *weights, i8_tiles *to) {
  multiply_alone(2, 1, steps, strip, weights, 0, to);
}
OUTLINE void multiply_one_by_two(const i8_steps *steps, const i8_strip *strip, const uint8_t *weights, size_t panelBytes, i8_tiles *to) {
  multiply_alone(1, 2, steps, strip, weights, panelBytes, to);
}
OUTLINE void multiply_one_by_one(const i8_steps *steps, const i8_strip *strip, const uint8_t *weights, i8_tiles *to) {
  multiply_alone(1, 1, steps, strip, weights, 0, to);
}

typedef void (*i8_tile_multiplier)(const i8_steps *steps, const i8_strip *strip, const uint8_t *weights, size_t panelBytes, i8_tiles *to,
                                   const i8_unfinished *before, const i8_constants *constants);
#define TILE_MULTIPLIER(NAME, TO_BYTES, RESIDUAL)                                                                                     \
  OUTLINE void multiply_tiles_##NAME(const i8_steps *steps, const i8_strip *strip, const uint8_t *weights, size_t panelBytes,         \
                                     i8_tiles *to, const i8_unfinished *before, const i8_constants *constants) {                      \
    multiply_strips(TO_BYTES, RESIDUAL, 2, 2, steps, strip, weights, panelBytes, to, before, constants);                              \
  }
FOR_EVERY_FINISH(TILE_MULTIPLIER)

#define TILE_MULTIPLIER_AT(NAME, TO_BYTES, RESIDUAL) [TO_BYTES][RESIDUAL] = multiply_tiles_##NAME,
static const i8_tile_multiplier tileMultipliers[2][3] = {FOR_EVERY_FINISH(TILE_MULTIPLIER_AT)};

INLINE void finish_rest(const i8_finish *finish, i8_unfinished *before) {
  if (before->row >= before->end) return;
  finish->rows(&finish->constants, before->tiles->sums[before->row], 2 * ERI_PANEL, before->corrections, before->end - before->row,
               before->places + before->row, before->n, before->columns);
  before->row = before->end;
}

/// Copies `count` bytes and zeros up to a whole step: what is too much is overwritten by the next tap or row.
INLINE void copy_steps(uint8_t *to, const uint8_t *from, size_t count) {
  size_t i = 0;
  for (; i + STEP <= count; i += STEP) _mm512_storeu_si512(to + i, _mm512_loadu_si512(from + i));
  if (i < count) _mm512_storeu_si512(to + i, _mm512_maskz_loadu_epi8(~0ull >> (STEP - (count - i)), from + i));
}

/// Copies the taps of the block's rows one after another to its stage.
INLINE void stage_rows(const i8_block *block, const uint8_t *const *table, size_t stride) {
  if (block->length % STEP == 0) {
    uint8_t *to = block->stage;
    for (size_t tap = 0; tap < block->taps; tap++) {
      const uint8_t *const *rows = table + tap * block->stride;
      for (size_t at = 0; at < block->length; at += STEP, to += STEP) {
        for (size_t r = 0; r < block->rows; r++) _mm512_storeu_si512(to + r * stride, _mm512_loadu_si512(rows[r] + at));
      }
    }
    return;
  }
  size_t tapBytes = eri_round_up(block->length, ERI_I8_QUAD);
  for (size_t r = 0; r < block->rows; r++) {
    uint8_t *to = block->stage + r * stride;
    for (size_t tap = 0; tap < block->taps; tap++, to += tapBytes) copy_steps(to, table[tap * block->stride + r], block->length);
    _mm512_storeu_si512(to, _mm512_setzero_si512());
  }
}

/// Tiles of `rows` rows, at least a tile's, that lie `stride` apart; a last one that would not be whole begins earlier.
INLINE size_t strips_of(const uint8_t *at, size_t rows, size_t stride, i8_strip *strips) {
  size_t count = 0;
  for (size_t row = 0; row < rows; row += TILE, count++) {
    size_t first = eri_minimum(row, rows - TILE);
    strips[count] = (i8_strip){first, at + first * stride, NULL};
  }
  return count;
}

/// Multiplies strips with all panels and finishes them.
OUTLINE void multiply_block_of_strips(const i8_steps *steps, const i8_strip *strips, size_t stripCount, size_t rows,
                                      const i8_weights *weights, int32_t inputZero, const i8_finish *finish, size_t firstChannel,
                                      const i8_place *places) {
  size_t panelBytes = weights->panelBytes;
  // What is multiplied, and what was before and is finished meanwhile, in turn.
  i8_tiles tiles[2];
  int32_t corrections[2][2 * ERI_PANEL] __attribute__((aligned(64)));
  i8_unfinished before = {.row = 0, .end = 0};
  size_t turn = 0, side = 0;
  for (size_t panel = 0, panels; panel < weights->panels; panel += panels, side ^= 1) {
    panels = eri_minimum(weights->panels - panel, 2);
    const uint8_t *data = weights->data + panel * panelBytes;
    size_t first = firstChannel + panel * ERI_PANEL, columns = eri_minimum(weights->columns - panel * ERI_PANEL, panels * ERI_PANEL);
    for (size_t j = 0; j < panels * ERI_PANEL; j++) corrections[side][j] = weights->sums[panel * ERI_PANEL + j] * inputZero;
    for (size_t strip = 0, count; strip < stripCount; strip += count, turn ^= 1) {
      // A strip that begins among the rows of the one before stands alone.
      bool pairs = strip + 1 < stripCount && strips[strip + 1].first == strips[strip].first + TILE;
      count = pairs ? 2 : 1;
      if (pairs && panels == 2) {
        tileMultipliers[finish->toBytes][finish->residual](steps, strips + strip, data, panelBytes, &tiles[turn], &before,
                                                           &finish->constants);
      } else {
        finish_rest(finish, &before);
        if (pairs) {
          multiply_two_by_one(steps, strips + strip, data, &tiles[turn]);
        } else if (panels == 2) {
          multiply_one_by_two(steps, strips + strip, data, panelBytes, &tiles[turn]);
        } else {
          multiply_one_by_one(steps, strips + strip, data, &tiles[turn]);
        }
      }
      size_t row = strips[strip].first;
      before = (i8_unfinished){&tiles[turn], corrections[side], places + row, first, columns, strip * TILE - row,
                               eri_minimum(count * TILE, rows - row)};
      if (columns < 2 * ERI_PANEL) finish_rest(finish, &before);
    }
  }
  finish_rest(finish, &before);
}

/// multiply_block's work; blocks of fewer rows than a tile has stay there. Rows of one tap are taken where they lie.
OUTLINE void multiply_in_tiles(i8_block *block, const uint8_t *const *table, const i8_weights *weights, int32_t inputZero,
                               const i8_finish *finish, size_t firstChannel, const i8_place *places) {
  if (block->rows < TILE) {
    multiply_block(block, table, weights, inputZero, finish, firstChannel, places);
    return;
  }
  i8_strip strips[ERI_I8_BLOCK / TILE];
  uint8_t rests[ERI_I8_BLOCK * STEP] __attribute__((aligned(64)));
  const size_t offset = 0;
  i8_steps steps = {&offset, 1, block->length / STEP, (size_t)(table[1] - table[0])};
  size_t left = block->stage ? 0 : block->length % STEP;
  const uint8_t *rows = table[0];
  if (block->stage) {
    steps.whole = eri_ceil_div(block->taps * eri_round_up(block->length, ERI_I8_QUAD), STEP);
    steps.stride = eri_i8_stage_stride(block->taps, block->length);
    rows = block->stage;
    stage_rows(block, table, steps.stride);
  }
  size_t count = strips_of(rows, block->rows, steps.stride, strips);
  for (size_t i = 0; i < count && left; i++) {
    uint8_t *rest = rests + i * TILE * STEP;
    for (size_t r = 0; r < TILE; r++) copy_steps(rest + r * STEP, table[strips[i].first + r] + steps.whole * STEP, left);
    strips[i].rest = rest;
  }
  multiply_block_of_strips(&steps, strips, count, block->rows, weights, inputZero, finish, firstChannel, places);
}

static void gemm_in_tiles(size_t m, size_t n, size_t k, const uint8_t *a, size_t lda, const void *packed, uint8_t *bytes,
                          float *floats, size_t ldc, const eri_i8_epilogue *e) {
  begin_tiles(m);
  gemm(multiply_in_tiles, m, n, k, a, lda, packed, bytes, floats, ldc, e);
  end_tiles(m);
}

/// Points the block's positions, from `position` on, to their pixels; those between the images' lines go to `nowhere`.
INLINE void place_positions(i8_place *places, size_t count, size_t position, size_t pitch, const eri_i8_output *output,
                            const eri_i8_epilogue *e, size_t image, size_t y0, uint8_t *nowhere) {
  for (size_t at = 0, run; at < count; at += run) {
    size_t y = (position + at) / pitch, x = (position + at) % pitch;
    if (x < output->width) {
      run = eri_minimum(count - at, output->width - x);
      place_run(places + at, run, place_at(output, e, image, y0 + y, x), output_step(output), residual_step(output, e));
    } else {
      run = eri_minimum(count - at, pitch - x);
      for (size_t i = 0; i < run; i++) places[at + i] = (i8_place){nowhere, nowhere};
    }
  }
}

/// Lines of one image whose halo holds all padding, read where they lie: one position of the image with its halo after another, so that a
/// tap lies equally far from each. The positions between the lines are computed for nothing.
INLINE void conv_lines(const eri_window *w, const eri_i8_image *input, const i8_weights *weights, const eri_i8_output *output,
                       const eri_i8_epilogue *e, const i8_finish *finish, size_t image, size_t y0, size_t lines, uint8_t *nowhere) {
  size_t channels = input->channels, pitch = input->width + 2 * input->halo, positions = (lines - 1) * pitch + output->width;
  size_t offsets[ERI_I8_TAPS], taps = 0;
  for (size_t ky = 0; ky < w->kernelHeight; ky++) {
    for (size_t kx = 0; kx < w->kernelWidth; kx++) offsets[taps++] = (ky * w->dilationHeight * pitch + kx * w->dilationWidth) * channels;
  }
  const uint8_t *start = pixel_at(input, image, y0, 0) - (w->padTop * pitch + w->padLeft) * channels;
  i8_steps steps = {offsets, taps, channels / STEP, channels};
  i8_strip strips[ERI_I8_BLOCK / TILE];
  i8_place places[ERI_I8_BLOCK];
  for (size_t at = 0, count; at < positions; at += count) {
    count = block_rows(positions - at);
    place_positions(places, count, at, pitch, output, e, image, y0, nowhere);
    size_t stripCount = strips_of(start + at * channels, count, channels, strips);
    multiply_block_of_strips(&steps, strips, stripCount, count, weights, e->inputZero, finish, 0, places);
  }
}

/// Tiles where the image lies, or copies.
static void conv_in_tiles(const eri_window *w, const eri_i8_image *input, const void *packed, const eri_i8_output *output,
                          const eri_i8_epilogue *e, size_t rowBegin, size_t rowEnd, void *scratch) {
  begin_tiles((rowEnd - rowBegin) * output->width);
  bool lies = eri_i8_window_lies(w, input->height, input->width, input->channels, input->halo, output->height, output->width);
  for (size_t row = rowBegin, lines; row < rowEnd; row += lines) {
    size_t image = row / output->height, y = row % output->height;
    lines = lies ? eri_minimum(rowEnd - row, output->height - y) : rowEnd - row;
    if (lies && (lines - 1) * (input->width + 2 * input->halo) + output->width >= TILE) {
      eri_i8_layout layout = eri_i8_conv_layout(w, input->channels, output->channels);
      i8_weights weights = weights_at(&layout, packed, 0, output->channels);
      i8_finish finish = finish_of(e, output->bytes != NULL);
      conv_lines(w, input, &weights, output, e, &finish, image, y, lines, eri_i8_align(scratch));
    } else {
      conv(multiply_in_tiles, w, input, packed, output, e, row, row + lines, scratch);
    }
  }
  end_tiles((rowEnd - rowBegin) * output->width);
}
