// Winograd F(4×4, 3×3) on int16 with mixed tiles of 4 and 3. The variant gives
//   HALVES      int16 lanes of the input's transform
//   POINT_ROWS, POINT_PANELS  tiles and panels of the micro-kernel
//   POINT_COST  u8 products in the time of one int16 product
//   PAIR        channels that a lane of int32 sums at a time, 1 or 2
//   POINT_VECTORS, point_sums_v, point_weights_v, load_point_weights(panel row, j), point_row_v, load_point_row(p),
//   add_point_products(sums, row, weights), store_point_sums(sums, int32[16])
// Points 0, 1, -1, 2, -2 and infinity, numbered 0 to 5; tiles of 3 skip -2. G's rows are the powers of a point over
// N(p) = product over the other points q of p - q, for both sizes; Bᵀ of the smaller tile makes up for it with integers.

#define ROLLED _Pragma("clang loop unroll(disable)")

enum {
  SIDE = 6,
  SKIPPED = 4,
  LINE = 32,  // int16 of a cache line
  AHEAD = 3,  // tiles to the one whose pixels are fetched: they lie too far apart for the processor to expect them
  POINT_DEPTH = HALVES > ERI_I8_DEPTH ? HALVES : ERI_I8_DEPTH,  // channels of a block of V
};

typedef int16_t vh __attribute__((ext_vector_type(HALVES)));
typedef int16_t vh_unaligned __attribute__((ext_vector_type(HALVES), aligned(2), may_alias));
typedef uint8_t vq __attribute__((ext_vector_type(HALVES)));
typedef uint8_t vq_unaligned __attribute__((ext_vector_type(HALVES), aligned(1), may_alias));

// --- Weights -------------------------------------------------------------------------------------------------------

/// The largest value that an input's transform has at a point, over 255 and over tiles of both sizes: with an input in
/// [-z, 255 - z], Bᵀ d B at (i, j) stays within 255 times the sum of the positive or of the negative coefficients.
INLINE int32_t point_bound(int i, int j) {
  static const uint8_t positive[2][SIDE] = {{5, 2, 5, 3, 3, 5}, {6, 3, 3, 4, 0, 3}};
  static const uint8_t negative[2][SIDE] = {{5, 8, 5, 3, 3, 5}, {6, 9, 3, 4, 0, 3}};
  int32_t bound = 0;
  for (int a = 0; a < 2; a++) {
    for (int b = 0; b < 2; b++) {
      int32_t up = positive[a][i] * positive[b][j] + negative[a][i] * negative[b][j];
      int32_t down = positive[a][i] * negative[b][j] + negative[a][i] * positive[b][j];
      if (up > bound) bound = up;
      if (down > bound) bound = down;
    }
  }
  return bound;
}

/// Three weights at the six points, times 24.
INLINE void weights_to_points(const vi *w, vi *o) {
  vi sum = w[0] + w[2];
  o[0] = w[0] * 6;
  o[1] = (sum + w[1]) * -4;
  o[2] = (sum - w[1]) * -4;
  o[3] = w[0] + w[1] * 2 + w[2] * 4;
  o[4] = w[0] - w[1] * 2 + w[2] * 4;
  o[5] = w[2] * 24;
}

/// 576 GgGᵀ of LANES output channels, the taps being taps[9][16] from their column on.
INLINE void transform_weights(const int32_t *taps, vi *points) {
  vi half[3][SIDE];
  UNROLL for (int x = 0; x < 3; x++) {
    vi column[3] = {load_sums(taps + x * ERI_PANEL), load_sums(taps + (3 + x) * ERI_PANEL),
                    load_sums(taps + (6 + x) * ERI_PANEL)};
    weights_to_points(column, half[x]);
  }
  UNROLL for (int py = 0; py < SIDE; py++) {
    vi row[3] = {half[0][py], half[1][py], half[2][py]};
    weights_to_points(row, points + py * SIDE);
  }
}

static void i8_winograd_pack(const int8_t *weights, size_t inputChannels, size_t outputChannels, void *packed) {
  size_t depth = eri_round_up(inputChannels, ERI_I8_DEPTH), panels = eri_ceil_div(outputChannels, ERI_PANEL);
  float *factors = packed;
  int16_t *data = (int16_t *)(void *)((uint8_t *)packed + eri_i8_winograd_factors(outputChannels));
  for (size_t panel = 0; panel < panels; panel++) {
    size_t columns = eri_minimum(outputChannels - panel * ERI_PANEL, ERI_PANEL);
    int32_t largest[ERI_WINOGRAD_POINTS][ERI_PANEL] = {{0}};
    int64_t sums[ERI_WINOGRAD_POINTS][ERI_PANEL] = {{0}};
    float shrink[ERI_WINOGRAD_POINTS][ERI_PANEL];
    // The factors need all weights of a channel, so the transform is done twice.
    for (int pass = 0; pass < 2; pass++) {
      for (size_t i = 0; i < depth; i++) {
        int32_t taps[9 * ERI_PANEL] = {0};
        for (size_t n = 0; n < columns && i < inputChannels; n++) {
          const int8_t *source = weights + ((panel * ERI_PANEL + n) * inputChannels + i) * 9;
          for (size_t tap = 0; tap < 9; tap++) taps[tap * ERI_PANEL + n] = source[tap];
        }
        for (size_t n = 0; n < ERI_PANEL; n += LANES) {
          vi points[ERI_WINOGRAD_POINTS];
          transform_weights(taps + n, points);
          for (size_t p = 0; p < ERI_WINOGRAD_POINTS; p++) {
            if (pass == 0) {
              for (size_t lane = 0; lane < LANES; lane++) {
                int32_t u = points[p][lane] < 0 ? -points[p][lane] : points[p][lane];
                if (u > largest[p][n + lane]) largest[p][n + lane] = u;
                sums[p][n + lane] += u;
              }
            } else {
              vf scaled = __builtin_convertvector(points[p], vf) * load_floats(&shrink[p][n]);
              vi rounded = __builtin_bit_cast(vi, scaled + splat(12582912.0f)) - (vi)0x4b400000;
              int16_t *to = data + ((p * panels + panel) * depth + i / PAIR * PAIR) * ERI_PANEL + i % PAIR;
              for (size_t lane = 0; lane < LANES; lane++) to[(n + lane) * PAIR] = (int16_t)rounded[lane];
            }
          }
        }
      }
      for (size_t p = 0; p < ERI_WINOGRAD_POINTS && pass == 0; p++) {
        double most = 2147480000.0 / (255.0 * point_bound((int)p / SIDE, (int)p % SIDE)) - 0.5 * (double)inputChannels;
        for (size_t n = 0; n < ERI_PANEL; n++) {
          double factor = 1;
          if (largest[p][n] > 0) {
            double whole = 32766.9 / largest[p][n], within = most / (double)sums[p][n];
            factor = whole < within ? whole : within;
          }
          shrink[p][n] = (float)factor;
          factors[p * panels * ERI_PANEL + panel * ERI_PANEL + n] = 1.0f / (shrink[p][n] * 576.0f);
        }
      }
    }
  }
}

// --- Input ---------------------------------------------------------------------------------------------------------

/// size + 2 inputs at the points of a tile of `size`.
INLINE void to_points(const int size, const vh *d, vh *o) {
  vh odd = d[3] - d[1], even = d[4] - d[2];
  if (size == 4) {
    vh a = d[4] - d[2] * 4, b = d[3] - d[1] * 4;
    o[0] = (d[0] - d[2]) * 4 + even;
    o[1] = a + b;
    o[2] = a - b;
    o[3] = even + odd * 2;
    o[4] = even - odd * 2;
    o[5] = (d[5] - d[3]) - odd * 4;
  } else {
    vh rise = d[3] - d[2];
    o[0] = (d[0] - d[2]) * 4 + odd * 2;
    o[1] = (rise - d[1] * 2) * 3;
    o[2] = rise - (d[2] - d[1]) * 2;
    o[3] = odd * 4;
    o[5] = even - odd * 2;
  }
}

/// One tile of high × wide outputs: its (high + 2) × (wide + 2) inputs of HALVES channels to all points. `pointStride` in int16. Loops
/// over columns and rows of points stay loops: unrolled, they need the addresses of more streams than there are registers. The bytes
/// `ahead` of the inputs are fetched meanwhile.
INLINE void transform_input(const int high, const int wide, const uint8_t *in, size_t rowStride, size_t pixelStride,
                            ptrdiff_t ahead, int16_t zero, int16_t *v, size_t pointStride) {
  vh half[SIDE][SIDE];
  // Only at point 1 does the inputs' zero leave anything: the coefficients' sum is -6 there, and 0 elsewhere.
  const vh zeros = (vh)(int16_t)(6 * zero);
  ROLLED for (int x = 0; x < wide + 2; x++, in += pixelStride) {
    vh column[SIDE], points[SIDE];
    const uint8_t *from = in;
    UNROLL for (int y = 0; y < high + 2; y++, from += rowStride) {
      column[y] = __builtin_convertvector(*(const vq_unaligned *)from, vh);
      __builtin_prefetch(from + ahead);
    }
    to_points(high, column, points);
    points[1] += zeros;
    UNROLL for (int p = 0; p < SIDE; p++) {
      if (high == 4 || p != SKIPPED) half[p][x] = points[p];
    }
  }
  ROLLED for (int py = 0; py < SIDE; py++, v += SIDE * pointStride) {
    if (high < 4 && py == SKIPPED) continue;
    vh points[SIDE];
    to_points(wide, half[py], points);
    int16_t *to = v;
    UNROLL for (int px = 0; px < SIDE; px++, to += pointStride) {
      if (wide == 4 || px != SKIPPED) *(vh_unaligned *)to = points[px];
    }
  }
}

/// All channels of a tile to its row of V: [tile / POINT_ROWS][block of channels][POINT_ROWS][POINT_DEPTH], so that the micro-kernel's
/// tiles lie at constant distances.
OUTLINE void tile_to_points(const eri_tile *tile, const eri_tile *later, const eri_i8_image *input, int32_t zero, int16_t *v,
                            size_t pointStride) {
  size_t channels = input->channels, line = (input->width + 2 * input->halo) * channels;
  // The tile's inputs begin one pixel before its outputs and may reach over the halo where the last tile is larger than what is left.
  size_t rows = eri_minimum(tile->high + 2, input->height - tile->y + 2);
  size_t columns = eri_minimum(tile->wide + 2, input->width - tile->x + 2);
  const uint8_t *in = pixel_at(input, tile->image, tile->y, tile->x) - line - channels;
  const uint8_t *end = input->data + (tile->image + 1) * (input->height + 2 * input->halo) * line;
  // Behind the channels may be anything of the image, since the weights there are 0.
  size_t inside = (size_t)(end - in) - (rows - 1) * line - (columns - 1) * channels;
  bool whole = rows == tile->high + 2 && columns == tile->wide + 2;
  const ptrdiff_t toLater = pixel_at(input, later->image, later->y, later->x) - pixel_at(input, tile->image, tile->y, tile->x);
  for (size_t c = 0; c < eri_round_up(channels, ERI_I8_DEPTH); c += HALVES) {
    const uint8_t *source = in + c;
    size_t rowStride = line, pixelStride = channels;
    ptrdiff_t ahead = toLater;
    uint8_t copy[SIDE * SIDE * HALVES];
    if (!whole || c + HALVES > inside) {
      size_t left = c < channels ? eri_minimum(channels - c, HALVES) : 0;
      memset(copy, zero, sizeof(copy));
      for (size_t y = 0; y < rows; y++) {
        for (size_t x = 0; x < columns; x++) {
          const uint8_t *from = in + y * line + x * channels + c;
          for (size_t i = 0; i < left; i++) copy[(y * SIDE + x) * HALVES + i] = from[i];
        }
      }
      source = copy;
      rowStride = SIDE * HALVES;
      pixelStride = HALVES;
      ahead = 0;
    }
    int16_t *to = v + c / POINT_DEPTH * (POINT_ROWS * POINT_DEPTH) + c % POINT_DEPTH;
    ERI_FOR_TILE_SIZE(4, 3, tile, transform_input, source, rowStride, pixelStride, ahead, (int16_t)zero, to, pointStride)
  }
}

// --- Products ------------------------------------------------------------------------------------------------------

/// M[rows][panels * 16] = V U times the columns' factors for POINT_ROWS tiles; `steps` times ERI_I8_DEPTH channels, V's blocks being
/// [POINT_ROWS][POINT_DEPTH]. The weights at `next` are fetched meanwhile, `nextStep` further for each line that is multiplied. Arrays
/// have the most elements that any call needs, since a size that depends on a parameter would keep them in memory.
INLINE void multiply_points(const int panels, size_t steps, const int16_t *v, const int16_t *u, const int16_t *next,
                            size_t nextStep, size_t panelStride, const float *factors, float *m) {
  point_sums_v sums[POINT_ROWS * POINT_PANELS * POINT_VECTORS];
  const int vectors = panels * POINT_VECTORS;
  UNROLL for (int i = 0; i < POINT_ROWS * vectors; i++) sums[i] = (point_sums_v){0};
  for (size_t step = 0; step < steps; step++) {
    UNROLL for (int i = 0; i < ERI_I8_DEPTH; i += PAIR) {
      point_weights_v w[POINT_PANELS * POINT_VECTORS];
      UNROLL for (int j = 0; j < vectors; j++) {
        w[j] = load_point_weights(u + i * ERI_PANEL + (size_t)(j / POINT_VECTORS) * panelStride, j % POINT_VECTORS);
      }
      if (i * ERI_PANEL % LINE == 0) {
        UNROLL for (int j = 0; j < panels; j++) __builtin_prefetch(next + (size_t)j * panelStride);
        next += nextStep;
      }
      UNROLL for (int r = 0; r < POINT_ROWS; r++) {
        point_row_v a = load_point_row(v + r * POINT_DEPTH + i);
        UNROLL for (int j = 0; j < vectors; j++) {
          sums[r * vectors + j] = add_point_products(sums[r * vectors + j], a, w[j]);
        }
      }
    }
    bool within = (step + 1) * ERI_I8_DEPTH % POINT_DEPTH != 0;  // the same block
    v += within ? ERI_I8_DEPTH : POINT_ROWS * POINT_DEPTH - (POINT_DEPTH - ERI_I8_DEPTH);
    u += ERI_I8_DEPTH * ERI_PANEL;
  }
  vf factor[POINT_PANELS * PANEL_VECTORS];
  UNROLL for (int i = 0; i < panels * PANEL_VECTORS; i++) factor[i] = load_floats(factors + i * LANES);
  UNROLL for (int r = 0; r < POINT_ROWS; r++) {
    int32_t row[POINT_PANELS * ERI_PANEL];
    UNROLL for (int j = 0; j < panels; j++) store_point_sums(sums + (r * panels + j) * POINT_VECTORS, row + j * ERI_PANEL);
    UNROLL for (int i = 0; i < panels * PANEL_VECTORS; i++) {
      vf values = __builtin_convertvector(load_sums(row + i * LANES), vf) * factor[i];
      *(vf_unaligned *)(m + r * ERI_I8_STRIP + i * LANES) = values;
    }
  }
}

OUTLINE void multiply_panel_points(size_t steps, const int16_t *v, const int16_t *u, const int16_t *next, size_t nextStep,
                                   const float *factors, float *m) {
  multiply_points(1, steps, v, u, next, nextStep, 0, factors, m);
}
#if POINT_PANELS > 1
OUTLINE void multiply_strip_points(size_t steps, const int16_t *v, const int16_t *u, const int16_t *next, size_t nextStep,
                                   size_t panelStride, const float *factors, float *m) {
  multiply_points(POINT_PANELS, steps, v, u, next, nextStep, panelStride, factors, m);
}
#endif

/// What a group of tiles works on. Strides in elements.
typedef struct {
  size_t depth, panels, rowStride, vStride, mStride;
  eri_tile_group tiles;
  const float *factors;
  const int16_t *weights;
  int16_t *v;
  float *m;
} i8_group;

/// All points of `count` panels from `panel` on.
OUTLINE void multiply_all_points(const i8_group *g, size_t panel, size_t count) {
  const size_t steps = g->depth / ERI_I8_DEPTH, panelStride = g->depth * ERI_PANEL;
  for (size_t p = 0; p < ERI_WINOGRAD_POINTS; p++) {
    eri_tile_rows rows = eri_rows_with_point(&g->tiles, p / SIDE == SKIPPED, p % SIDE == SKIPPED);
    const int16_t *weights = g->weights + (p * g->panels + panel) * panelStride;
    const float *factors = g->factors + (p * g->panels + panel) * ERI_PANEL;
    // The next point's weights lie too far for the processor to expect them: all tiles fetch them together.
    const size_t first = rows.begin / POINT_ROWS, calls = eri_ceil_div(rows.end, POINT_ROWS) - first;
    const size_t nextStep = calls == 0 ? 0 : eri_ceil_div(LINE, calls);
    const size_t ahead = p + 1 < ERI_WINOGRAD_POINTS ? g->panels * panelStride : 0;
    for (size_t call = 0; call < calls; call++) {
      const size_t row = (first + call) * POINT_ROWS, fetched = ahead + call * nextStep * (panelStride / LINE);
      const int16_t *v = g->v + p * g->vStride + row * g->rowStride;
      float *to = g->m + p * g->mStride + row * ERI_I8_STRIP;
      size_t done = 0;
#if POINT_PANELS > 1
      for (; done + POINT_PANELS <= count; done += POINT_PANELS) {
        const int16_t *u = weights + done * panelStride;
        multiply_strip_points(steps, v, u, u + fetched, nextStep, panelStride, factors + done * ERI_PANEL, to + done * ERI_PANEL);
      }
#endif
      for (; done < count; done++) {
        const int16_t *u = weights + done * panelStride;
        multiply_panel_points(steps, v, u, u + fetched, nextStep, factors + done * ERI_PANEL, to + done * ERI_PANEL);
      }
    }
  }
}

// --- Output --------------------------------------------------------------------------------------------------------

/// a + b * factor for a power of two: the product is exact, so that it makes no difference whether it is rounded.
INLINE vf add_multiple(vf a, vf b, float factor) {
#pragma STDC FP_CONTRACT ON
  return a + b * splat(factor);
}

/// The `size` outputs of a side from the values at its points, in this order of operations.
INLINE void from_points(const int size, const vf *m, vf *o) {
  vf sum = m[1] + m[2], difference = m[1] - m[2];
  if (size == 4) {
    vf even = m[3] + m[4], odd = m[3] - m[4];
    o[0] = (m[0] + sum) + even;
    o[1] = add_multiple(difference, odd, 2);
    o[2] = add_multiple(sum, even, 4);
    o[3] = add_multiple(difference, odd, 8) + m[5];
  } else {
    o[0] = (m[0] + sum) + m[3];
    o[1] = add_multiple(difference, m[3], 2);
    o[2] = add_multiple(sum, m[3], 4) + m[5];
  }
}

/// The columns of LANES channels of a tile from the values at its points, unrolled so that part of them stays in registers.
INLINE void columns_from_points(const int high, const int wide, const float *m, size_t pointStride, vf half[4][SIDE]) {
  UNROLL for (int px = 0; px < SIDE; px++, m += pointStride) {
    if (wide < 4 && px == SKIPPED) continue;
    vf points[SIDE], outputs[4];
    const float *from = m;
    UNROLL for (int py = 0; py < SIDE; py++, from += SIDE * pointStride) {
      if (high == 4 || py != SKIPPED) points[py] = load_floats(from);
    }
    from_points(high, points, outputs);
    UNROLL for (int y = 0; y < high; y++) half[y][px] = outputs[y];
  }
}

/// LANES channels of a tile: outputs[wide y + x][ERI_I8_STRIP].
INLINE void transform_to_floats(const int high, const int wide, const float *m, size_t pointStride, float *to) {
  vf half[4][SIDE];
  columns_from_points(high, wide, m, pointStride, half);
  ROLLED for (int y = 0; y < high; y++) {
    vf outputs[4];
    from_points(wide, half[y], outputs);
    UNROLL for (int x = 0; x < wide; x++, to += ERI_I8_STRIP) *(vf_unaligned *)to = outputs[x];
  }
}

/// Where the channels of a whole tile go as bytes, and the bytes that are added. Strides in bytes, and distances to what is fetched
/// meanwhile.
typedef struct {
  uint8_t *out;
  const uint8_t *residual;
  size_t rowStride, residualRowStride, pixelStride;
  ptrdiff_t ahead, residualAhead;
} i8_patch;

/// LANES channels from `n` on of a tile, those of the patch from `c` on.
INLINE void transform_to_bytes(const int high, const int wide, const int residual, const float *m, size_t pointStride,
                               const i8_patch *patch, size_t c, const i8_constants *constants, size_t n) {
  vf half[4][SIDE];
  columns_from_points(high, wide, m, pointStride, half);
  const i8_constants k = *constants;  // which no store can change: it stays in registers
  const vf scale = load_floats(k.scale + n), bias = k.bias ? load_floats(k.bias + n) : splat(-0.0f);
  uint8_t *out = patch->out + c;
  const uint8_t *from = residual == NO_RESIDUAL ? NULL : patch->residual + c;
  const size_t rowStride = patch->rowStride, residualRowStride = patch->residualRowStride, pixelStride = patch->pixelStride;
  const ptrdiff_t ahead = patch->ahead, residualAhead = patch->residualAhead;
  UNROLL for (int y = 0; y < high; y++, out += rowStride) {
    vf outputs[4];
    from_points(wide, half[y], outputs);
    UNROLL for (int x = 0; x < wide; x++) {
      i8_place place = {out + (size_t)x * pixelStride, residual == NO_RESIDUAL ? NULL : from + (size_t)x * pixelStride};
      finish_lanes(true, residual, &k, outputs[x], scale, bias, 0, LANES, &place);
      __builtin_prefetch(out + (size_t)x * pixelStride + ahead, 1);
      if (residual != NO_RESIDUAL) __builtin_prefetch(from + (size_t)x * pixelStride + residualAhead);
    }
    if (residual != NO_RESIDUAL) from += residualRowStride;
  }
}

/// `count` panels of a tile from the points to the output. The pixels of `later` are fetched meanwhile.
OUTLINE void tile_from_points(const eri_tile *tile, const eri_tile *later, const i8_group *g, size_t panel, size_t count,
                              const float *m, const eri_i8_output *output, const eri_i8_epilogue *e, const i8_finish *f) {
  size_t first = panel * ERI_PANEL, channels = eri_minimum(output->channels - first, count * ERI_PANEL);
  size_t rows = eri_minimum(tile->high, output->height - tile->y);
  size_t columns = eri_minimum(tile->wide, output->width - tile->x);
  i8_place place = place_at(output, e, tile->image, tile->y, tile->x);
  size_t step = output_step(output), residualStep = residual_step(output, e);
  size_t c = 0;
  if (rows == tile->high && columns == tile->wide && output->bytes && !e->residualFloats) {
    i8_place next = place_at(output, e, later->image, later->y, later->x);
    i8_patch patch = {.out = (uint8_t *)place.out + first,
                      .rowStride = (output->width + 2 * output->halo) * step,
                      .residualRowStride = (output->width + 2 * e->residualHalo) * residualStep,
                      .pixelStride = step,
                      .ahead = (uint8_t *)next.out - (uint8_t *)place.out};
    if (place.residual) {
      patch.residual = (const uint8_t *)place.residual + first;
      patch.residualAhead = (const uint8_t *)next.residual - (const uint8_t *)place.residual;
    }
    for (; c + LANES <= channels; c += LANES) {
      if (patch.residual) {
        ERI_FOR_TILE_SIZE(4, 3, tile, transform_to_bytes, BYTES_RESIDUAL, m + c, g->mStride, &patch, c, &f->constants, first + c)
      } else {
        ERI_FOR_TILE_SIZE(4, 3, tile, transform_to_bytes, NO_RESIDUAL, m + c, g->mStride, &patch, c, &f->constants, first + c)
      }
    }
    if (c >= channels) return;
  }
  i8_place places[16];
  for (size_t y = 0; y < rows; y++) {
    place_run(places + y * columns, columns, place_at(output, e, tile->image, tile->y + y, tile->x), step, residualStep);
  }
  float plain[16 * ERI_I8_STRIP] __attribute__((aligned(64)));
  for (size_t at = c; at < channels; at += LANES) {
    ERI_FOR_TILE_SIZE(4, 3, tile, transform_to_floats, m + at, g->mStride, plain + at)
  }
  for (size_t y = 1; y < rows && columns < tile->wide; y++) {  // the pixels side by side, as their places are
    memmove(plain + y * columns * ERI_I8_STRIP, plain + y * tile->wide * ERI_I8_STRIP, columns * ERI_I8_STRIP * sizeof(float));
  }
  f->rows(&f->constants, plain + c, ERI_I8_STRIP, NULL, rows * columns, places, first + c, channels - c);
}

static void i8_winograd(const eri_i8_image *input, const void *packed, const eri_i8_output *output,
                        const eri_i8_epilogue *e, size_t imageBegin, size_t imageEnd, size_t channelBegin,
                        size_t channelEnd, void *scratch) {
  eri_winograd_side vertical = eri_winograd_cut(ERI_WINOGRAD_TILE_4, output->height);
  eri_winograd_side horizontal = eri_winograd_cut(ERI_WINOGRAD_TILE_4, output->width);
  size_t perImage = vertical.count * horizontal.count, tiles = perImage * (imageEnd - imageBegin);
  size_t groupSize = eri_whole_rows(&vertical, &horizontal, eri_i8_winograd_group(input->channels, tiles), POINT_ROWS);
  size_t inputBytes = eri_i8_winograd_inputs(groupSize, input->channels), sumBytes = eri_i8_winograd_sums(groupSize);
  uint8_t *aligned = eri_i8_align(scratch);
  i8_group g = {.depth = eri_round_up(input->channels, ERI_I8_DEPTH),
                .panels = eri_ceil_div(output->channels, ERI_PANEL),
                .rowStride = eri_round_up(input->channels, POINT_DEPTH),
                .vStride = inputBytes / sizeof(int16_t),
                .mStride = sumBytes / sizeof(float),
                .factors = packed,
                .v = (int16_t *)(void *)aligned,
                .m = (float *)(void *)(aligned + ERI_WINOGRAD_POINTS * inputBytes)};
  g.weights = (const int16_t *)(const void *)((const uint8_t *)packed + eri_i8_winograd_factors(output->channels));
  i8_finish finish = finish_of(e, output->bytes != NULL);

  for (size_t begin = 0; begin < tiles; begin += groupSize) {
    size_t count = eri_minimum(groupSize, tiles - begin);
    eri_collect_tiles(&g.tiles, imageBegin * perImage + begin, count, &vertical, &horizontal);
    for (size_t i = 0; i < count; i++) {
      int16_t *v = g.v + i / POINT_ROWS * POINT_ROWS * g.rowStride + i % POINT_ROWS * POINT_DEPTH;
      tile_to_points(&g.tiles.list[i], &g.tiles.list[eri_minimum(i + AHEAD, count - 1)], input, e->inputZero, v, g.vStride);
    }
    // A strip of output channels at a time, so that its sums stay in cache.
    size_t strip = ERI_I8_STRIP / ERI_PANEL, panelEnd = eri_ceil_div(channelEnd, ERI_PANEL);
    for (size_t panel = channelBegin / ERI_PANEL; panel < panelEnd; panel += strip) {
      size_t some = eri_minimum(strip, panelEnd - panel);
      multiply_all_points(&g, panel, some);
      for (size_t i = 0; i < count; i++) {
        const eri_tile *later = &g.tiles.list[eri_minimum(i + AHEAD, count - 1)];
        tile_from_points(&g.tiles.list[i], later, &g, panel, some, g.m + i * ERI_I8_STRIP, output, e, &finish);
      }
    }
  }
}
