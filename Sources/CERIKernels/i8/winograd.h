// Winograd F(4×4, 3×3) on int16 with mixed tiles of 4 and 3. The variant gives
//   HALVES      int16 lanes of the input's transform
//   POINT_ROWS, POINT_PANELS  tiles and panels of the micro-kernel
//   POINT_COST  u8 products in the time of one int16 product
//   PAIR        channels that a lane of int32 sums at a time, 1 or 2
//   POINT_VECTORS, point_sums_v, point_weights_v, load_point_weights(panel row, j), point_row_v, load_point_row(p),
//   add_point_products(sums, row, weights), store_point_sums(sums, int32[16])
// Points 0, 1, -1, 2, -2 and infinity, numbered 0 to 5; tiles of 3 skip -2. G's rows are the powers of a point over
// N(p) = product over the other points q of p - q, for both sizes; Bᵀ of the smaller tile makes up for it with integers.

enum { SIDE = 6, SKIPPED = 4, LINE = 32 };  // int16 of a cache line

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
  if (size == 4) {
    vh a = d[4] - d[2] * 4, b = d[3] - d[1] * 4, c = d[4] - d[2], e = (d[3] - d[1]) * 2;
    o[0] = d[0] * 4 - d[2] * 5 + d[4];
    o[1] = a + b;
    o[2] = a - b;
    o[3] = c + e;
    o[4] = c - e;
    o[5] = d[1] * 4 - d[3] * 5 + d[5];
  } else {
    o[0] = (d[0] - d[2]) * 4 + (d[3] - d[1]) * 2;
    o[1] = (d[3] - d[2] - d[1] * 2) * 3;
    o[2] = d[3] - d[2] * 3 + d[1] * 2;
    o[3] = (d[3] - d[1]) * 4;
    o[5] = d[4] - d[2] + (d[1] - d[3]) * 2;
  }
}

/// One tile of high × wide outputs: its (high + 2) × (wide + 2) inputs of HALVES channels to all points. `pointStride` in int16.
INLINE void transform_input(const int high, const int wide, const uint8_t *in, size_t rowStride, size_t pixelStride,
                            int16_t zero, int16_t *v, size_t pointStride) {
  vh half[SIDE][SIDE];
  UNROLL for (int x = 0; x < wide + 2; x++) {
    vh column[SIDE], points[SIDE];
    UNROLL for (int y = 0; y < high + 2; y++) {
      const uint8_t *p = in + (size_t)y * rowStride + (size_t)x * pixelStride;
      column[y] = __builtin_convertvector(*(const vq_unaligned *)p, vh) - (vh)zero;
    }
    to_points(high, column, points);
    UNROLL for (int p = 0; p < SIDE; p++) {
      if (high == 4 || p != SKIPPED) half[p][x] = points[p];
    }
  }
  UNROLL for (int py = 0; py < SIDE; py++) {
    if (high < 4 && py == SKIPPED) continue;
    vh points[SIDE];
    to_points(wide, half[py], points);
    UNROLL for (int px = 0; px < SIDE; px++) {
      if (wide == 4 || px != SKIPPED) *(vh_unaligned *)(v + (size_t)(py * SIDE + px) * pointStride) = points[px];
    }
  }
}

/// All channels of a tile to its row of V: [tile / POINT_ROWS][block of channels][POINT_ROWS][ERI_I8_DEPTH], so that the micro-kernel's
/// tiles lie at constant distances.
OUTLINE void tile_to_points(const eri_tile *tile, const eri_i8_image *input, int32_t zero, int16_t *v,
                            size_t pointStride) {
  size_t channels = input->channels, line = (input->width + 2 * input->halo) * channels;
  // The tile's inputs begin one pixel before its outputs and may reach over the halo where the last tile is larger than what is left.
  size_t rows = eri_minimum(tile->high + 2, input->height - tile->y + 2);
  size_t columns = eri_minimum(tile->wide + 2, input->width - tile->x + 2);
  const uint8_t *in = pixel_at(input, tile->image, tile->y, tile->x) - line - channels;
  bool whole = rows == tile->high + 2 && columns == tile->wide + 2;
  for (size_t c = 0; c < eri_round_up(channels, ERI_I8_DEPTH); c += HALVES) {
    const uint8_t *source = in + c;
    size_t rowStride = line, pixelStride = channels;
    uint8_t copy[SIDE * SIDE * HALVES];
    if (!whole || c + HALVES > channels) {
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
    }
    int16_t *to = v + c / ERI_I8_DEPTH * (POINT_ROWS * ERI_I8_DEPTH) + c % ERI_I8_DEPTH;
    ERI_FOR_TILE_SIZE(4, 3, tile, transform_input, source, rowStride, pixelStride, (int16_t)zero, to, pointStride)
  }
}

// --- Products ------------------------------------------------------------------------------------------------------

/// M[rows][panels * 16] = V U for POINT_ROWS tiles; `blocks` blocks of channels, V's being [POINT_ROWS][ERI_I8_DEPTH]. The weights at
/// `next` are fetched meanwhile. Arrays have the most elements that any call needs, since a size that depends on a parameter would
/// keep them in memory.
INLINE void multiply_points(const int panels, size_t blocks, const int16_t *v, const int16_t *u, const int16_t *next,
                            size_t panelStride, int32_t *m) {
  point_sums_v sums[POINT_ROWS * POINT_PANELS * POINT_VECTORS];
  const int vectors = panels * POINT_VECTORS;
  UNROLL for (int i = 0; i < POINT_ROWS * vectors; i++) sums[i] = (point_sums_v){0};
  for (size_t block = 0; block < blocks; block++) {
    UNROLL for (int i = 0; i < ERI_I8_DEPTH; i += PAIR) {
      point_weights_v w[POINT_PANELS * POINT_VECTORS];
      UNROLL for (int j = 0; j < vectors; j++) {
        w[j] = load_point_weights(u + i * ERI_PANEL + (size_t)(j / POINT_VECTORS) * panelStride, j % POINT_VECTORS);
      }
      if (i * ERI_PANEL % LINE == 0) {
        UNROLL for (int j = 0; j < panels; j++) __builtin_prefetch(next + i * ERI_PANEL + (size_t)j * panelStride);
      }
      UNROLL for (int r = 0; r < POINT_ROWS; r++) {
        point_row_v a = load_point_row(v + r * ERI_I8_DEPTH + i);
        UNROLL for (int j = 0; j < vectors; j++) {
          sums[r * vectors + j] = add_point_products(sums[r * vectors + j], a, w[j]);
        }
      }
    }
    v += POINT_ROWS * ERI_I8_DEPTH;
    u += ERI_I8_DEPTH * ERI_PANEL;
    next += ERI_I8_DEPTH * ERI_PANEL;
  }
  UNROLL for (int i = 0; i < POINT_ROWS * panels; i++) {
    store_point_sums(sums + i * POINT_VECTORS, m + i / panels * ERI_I8_STRIP + i % panels * ERI_PANEL);
  }
}

OUTLINE void multiply_panel_points(size_t blocks, const int16_t *v, const int16_t *u, const int16_t *next, int32_t *m) {
  multiply_points(1, blocks, v, u, next, 0, m);
}
#if POINT_PANELS > 1
OUTLINE void multiply_strip_points(size_t blocks, const int16_t *v, const int16_t *u, const int16_t *next,
                                   size_t panelStride, int32_t *m) {
  multiply_points(POINT_PANELS, blocks, v, u, next, panelStride, m);
}
#endif

/// What a group of tiles works on. Strides in elements.
typedef struct {
  size_t depth, panels, vStride, mStride;
  eri_tile_group tiles;
  const float *factors;
  const int16_t *weights;
  int16_t *v;
  int32_t *m;
} i8_group;

/// All points of `count` panels from `panel` on.
OUTLINE void multiply_all_points(const i8_group *g, size_t panel, size_t count) {
  const size_t blocks = g->depth / ERI_I8_DEPTH, panelStride = g->depth * ERI_PANEL;
  for (size_t p = 0; p < ERI_WINOGRAD_POINTS; p++) {
    eri_tile_rows rows = eri_rows_with_point(&g->tiles, p / SIDE == SKIPPED, p % SIDE == SKIPPED);
    const int16_t *weights = g->weights + (p * g->panels + panel) * panelStride;
    for (size_t row = rows.begin / POINT_ROWS * POINT_ROWS; row < rows.end; row += POINT_ROWS) {
      const int16_t *v = g->v + p * g->vStride + row * g->depth;
      int32_t *m = g->m + p * g->mStride + row * ERI_I8_STRIP;
      // The next point's weights lie too far for the processor to expect them: the last tiles fetch them.
      bool last = row + POINT_ROWS >= rows.end && p + 1 < ERI_WINOGRAD_POINTS;
      size_t ahead = last ? g->panels * panelStride : 0, done = 0;
#if POINT_PANELS > 1
      for (; done + POINT_PANELS <= count; done += POINT_PANELS) {
        const int16_t *u = weights + done * panelStride;
        multiply_strip_points(blocks, v, u, u + ahead, panelStride, m + done * ERI_PANEL);
      }
#endif
      for (; done < count; done++) {
        const int16_t *u = weights + done * panelStride;
        multiply_panel_points(blocks, v, u, u + ahead, m + done * ERI_PANEL);
      }
    }
  }
}

// --- Output --------------------------------------------------------------------------------------------------------

/// The `size` outputs of a side from the values at its points, in this order of operations.
INLINE void from_points(const int size, const vf *m, vf *o) {
  vf sum = m[1] + m[2], difference = m[1] - m[2];
  if (size == 4) {
    vf even = m[3] + m[4], odd = m[3] - m[4];
    o[0] = (m[0] + sum) + even;
    o[1] = difference + odd * splat(2.0f);
    o[2] = sum + even * splat(4.0f);
    o[3] = (difference + odd * splat(8.0f)) + m[5];
  } else {
    o[0] = (m[0] + sum) + m[3];
    o[1] = difference + m[3] * splat(2.0f);
    o[2] = (sum + m[3] * splat(4.0f)) + m[5];
  }
}

/// LANES channels of a tile: outputs[4 y + x][ERI_I8_STRIP].
INLINE void transform_output(const int high, const int wide, const int32_t *m, size_t pointStride,
                             const float *factors, size_t factorStride, float *to) {
  vf half[4][SIDE];
  UNROLL for (int px = 0; px < SIDE; px++) {
    if (wide < 4 && px == SKIPPED) continue;
    vf points[SIDE], outputs[4];
    UNROLL for (int py = 0; py < SIDE; py++) {
      if (high < 4 && py == SKIPPED) continue;
      size_t p = (size_t)(py * SIDE + px);
      points[py] = __builtin_convertvector(load_sums(m + p * pointStride), vf) * load_floats(factors + p * factorStride);
    }
    from_points(high, points, outputs);
    UNROLL for (int y = 0; y < high; y++) half[y][px] = outputs[y];
  }
  UNROLL for (int y = 0; y < high; y++) {
    vf outputs[4];
    from_points(wide, half[y], outputs);
    UNROLL for (int x = 0; x < wide; x++) *(vf_unaligned *)(to + (4 * y + x) * ERI_I8_STRIP) = outputs[x];
  }
}

/// `count` panels of a tile from the points to the output.
OUTLINE void tile_from_points(const eri_tile *tile, const i8_group *g, size_t panel, size_t count, const int32_t *m,
                              const eri_i8_output *output, const eri_i8_epilogue *e, const i8_finish *f) {
  size_t first = panel * ERI_PANEL, channels = eri_minimum(output->channels - first, count * ERI_PANEL);
  size_t rows = eri_minimum(tile->high, output->height - tile->y);
  size_t columns = eri_minimum(tile->wide, output->width - tile->x);
  i8_place places[16];
  for (size_t y = 0; y < rows; y++) {
    place_run(places + y * columns, columns, place_at(output, e, tile->image, tile->y + y, tile->x),
              output_step(output), residual_step(output, e));
  }
  // The pixels lie apart, so that the processor does not expect them: they come while the sums are transformed.
  size_t size = output->bytes ? 1 : sizeof(float);
  for (size_t i = 0; i < rows * columns; i++) {
    __builtin_prefetch((const uint8_t *)places[i].out + first * size, 1);
    if (places[i].residual) __builtin_prefetch((const uint8_t *)places[i].residual + first);
  }
  float plain[16 * ERI_I8_STRIP] __attribute__((aligned(64)));
  for (size_t c = 0; c < channels; c += LANES) {
    ERI_FOR_TILE_SIZE(4, 3, tile, transform_output, m + c, g->mStride, g->factors + first + c, g->panels * ERI_PANEL, plain + c)
  }
  for (size_t y = 1; y < rows && columns < 4; y++) {  // the pixels side by side, as their places are
    memmove(plain + y * columns * ERI_I8_STRIP, plain + 4 * y * ERI_I8_STRIP, columns * ERI_I8_STRIP * sizeof(float));
  }
  f->rows(&f->constants, plain, ERI_I8_STRIP, NULL, rows * columns, places, first, channels);
}

static void i8_winograd(const eri_i8_image *input, const void *packed, const eri_i8_output *output,
                        const eri_i8_epilogue *e, size_t imageBegin, size_t imageEnd, size_t channelBegin,
                        size_t channelEnd, void *scratch) {
  eri_winograd_side vertical = eri_winograd_cut(ERI_WINOGRAD_TILE_4, output->height), horizontal = eri_winograd_cut(ERI_WINOGRAD_TILE_4, output->width);
  size_t perImage = vertical.count * horizontal.count, tiles = perImage * (imageEnd - imageBegin);
  size_t groupSize = eri_i8_winograd_group(input->channels, tiles);
  size_t inputBytes = eri_i8_winograd_inputs(groupSize, input->channels), sumBytes = eri_i8_winograd_sums(groupSize);
  uint8_t *aligned = eri_i8_align(scratch);
  i8_group g = {.depth = eri_round_up(input->channels, ERI_I8_DEPTH),
                .panels = eri_ceil_div(output->channels, ERI_PANEL),
                .vStride = inputBytes / sizeof(int16_t),
                .mStride = sumBytes / sizeof(int32_t),
                .factors = packed,
                .v = (int16_t *)(void *)aligned,
                .m = (int32_t *)(void *)(aligned + ERI_WINOGRAD_POINTS * inputBytes)};
  g.weights = (const int16_t *)(const void *)((const uint8_t *)packed + eri_i8_winograd_factors(output->channels));
  i8_finish finish = finish_of(e, output->bytes != NULL);

  for (size_t begin = 0; begin < tiles; begin += groupSize) {
    size_t count = eri_minimum(groupSize, tiles - begin);
    eri_collect_tiles(&g.tiles, imageBegin * perImage + begin, count, &vertical, &horizontal);
    for (size_t i = 0; i < count; i++) {
      tile_to_points(&g.tiles.list[i], input, e->inputZero, g.v + i / POINT_ROWS * POINT_ROWS * g.depth + i % POINT_ROWS * ERI_I8_DEPTH,
                     g.vStride);
    }
    // A strip of output channels at a time, so that its sums stay in cache.
    size_t strip = ERI_I8_STRIP / ERI_PANEL, panelEnd = eri_ceil_div(channelEnd, ERI_PANEL);
    for (size_t panel = channelBegin / ERI_PANEL; panel < panelEnd; panel += strip) {
      size_t some = eri_minimum(strip, panelEnd - panel);
      multiply_all_points(&g, panel, some);
      for (size_t i = 0; i < count; i++) {
        tile_from_points(&g.tiles.list[i], &g, panel, some, g.m + i * ERI_I8_STRIP, output, e, &finish);
      }
    }
  }
}
