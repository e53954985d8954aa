// Winograd's convolution F(4×4, 3×3) with tiles of 4 and 3: Toom-Cook at the points 0, 1, -1, 1/2, -2 and infinity (Lavin & Gray,
// CVPR 2016; Barabasz et al., ACM TOMS 46, 2020, on the accuracy of points).
//
// A side of 3 weights gives w(p) / N(p), the polynomial w0 + w1 p + w2 p² over the product of p minus the other points. A tile of 3
// leaves out the point -2; its N(p) lacks the factor p + 2, by which its input's value is multiplied instead: so both sizes share
// the weights.
//
// Layout, for the 36 pairs of points p, tiles in groups of WINOGRAD_ROWS and channels in blocks of DEPTH:
//   weights U[p][panel][input channel][16], input V[p][group][block][row][DEPTH], result M[p][group][panel][row][16].

enum {
  DEPTH = LANES < 8 ? 8 : LANES,
  SIDE = 6,  // points of a side
  SKIPPED = 4,  // the point -2, which only tiles of 4 have
};

/// Values at the points of a side of `size` outputs, from its size + 2 inputs.
INLINE void to_points(const int size, const vf *d, vf *o) {
  if (size == 4) {
    // f(i) = d[i+2] + 3/2 d[i+1] - d[i] has the roots 1/2 and -2.
    vf f0 = FMA(d[1], splat(1.5f), d[2] - d[0]), f1 = FMA(d[2], splat(1.5f), d[3] - d[1]);
    vf f2 = FMA(d[3], splat(1.5f), d[4] - d[2]), f3 = FMA(d[4], splat(1.5f), d[5] - d[3]);
    vf odd = d[3] - d[1], even = d[4] - d[2];
    o[0] = f2 - f0;
    o[1] = f2 + f1;
    o[2] = f2 - f1;
    o[3] = FMA(odd, splat(2.0f), even);
    o[4] = FMA(odd, splat(-0.5f), even);
    o[5] = f3 - f1;
  } else {
    vf g0 = d[2] - d[0], g1 = d[3] - d[1], g2 = d[4] - d[2], rise = d[2] - d[1];
    o[0] = FMA(g1, splat(2.0f), -g0);
    o[1] = FMA(rise, splat(1.5f), d[3] * splat(3.0f));
    o[2] = FMA(rise, splat(-0.5f), d[3] - d[2]);
    o[3] = g1 * splat(2.5f);
    o[5] = FMA(g1, splat(-0.5f), g2);
  }
}

/// The `size` outputs of a side from the values at its points.
INLINE void from_points(const int size, const vf *m, vf *o) {
  vf sum = m[1] + m[2], difference = m[1] - m[2];
  if (size == 4) {
    o[0] = ((m[0] + sum) + m[3]) + m[4];
    o[1] = FMA(m[4], splat(-2.0f), FMA(m[3], splat(0.5f), difference));
    o[2] = FMA(m[4], splat(4.0f), FMA(m[3], splat(0.25f), sum));
    o[3] = FMA(m[4], splat(-8.0f), FMA(m[3], splat(0.125f), difference)) + m[5];
  } else {
    o[0] = (m[0] + sum) + m[3];
    o[1] = FMA(m[3], splat(0.5f), difference);
    o[2] = FMA(m[3], splat(0.25f), sum) + m[5];
  }
}

/// Three weights at the six points, divided by N(p).
INLINE void weights_to_points(const vf *w, vf *o) {
  vf sum = w[0] + w[2];
  o[0] = w[0];
  o[1] = (sum + w[1]) * splat(1.0f / 3);
  o[2] = (w[1] - sum) * splat(1.0f / 3);
  o[3] = FMA(w[2], splat(0.25f), FMA(w[1], splat(0.5f), w[0])) * splat(-16.0f / 15);
  o[4] = FMA(w[2], splat(4.0f), FMA(w[1], splat(-2.0f), w[0])) * splat(1.0f / 15);
  o[5] = w[2];
}

static void f32_winograd_pack(const float *weights, size_t inputChannels, size_t outputChannels, float *packed) {
  size_t depth = eri_round_up(inputChannels, DEPTH), panels = eri_ceil_div(outputChannels, ERI_PANEL);
  for (size_t panel = 0; panel < panels; panel++) {
    size_t columns = eri_minimum(outputChannels - panel * ERI_PANEL, ERI_PANEL);
    for (size_t i = 0; i < depth; i++) {
      float taps[9][ERI_PANEL] = {{0}};
      for (size_t n = 0; n < columns && i < inputChannels; n++) {
        const float *source = weights + ((panel * ERI_PANEL + n) * inputChannels + i) * 9;
        for (size_t tap = 0; tap < 9; tap++) taps[tap][n] = source[tap];
      }
      for (size_t n = 0; n < ERI_PANEL; n += LANES) {
        vf half[3][SIDE];
        UNROLL for (int x = 0; x < 3; x++) {
          vf column[3] = {load(taps[x] + n), load(taps[3 + x] + n), load(taps[6 + x] + n)};
          weights_to_points(column, half[x]);
        }
        UNROLL for (int py = 0; py < SIDE; py++) {
          vf row[3] = {half[0][py], half[1][py], half[2][py]}, points[SIDE];
          weights_to_points(row, points);
          UNROLL for (int px = 0; px < SIDE; px++) {
            store(packed + (((size_t)(py * SIDE + px) * panels + panel) * depth + i) * ERI_PANEL + n, points[px]);
          }
        }
      }
    }
  }
}

/// One tile of high × wide outputs: its (high + 2) × (wide + 2) inputs of LANES channels to all points.
INLINE void transform_input(const int high, const int wide, const float *in, size_t rowStride, size_t pixelStride,
                            float *v, size_t pointStride) {
  vf half[SIDE][SIDE];
  UNROLL for (int x = 0; x < wide + 2; x++) {
    vf column[SIDE], points[SIDE];
    UNROLL for (int y = 0; y < high + 2; y++) column[y] = load(in + (size_t)y * rowStride + (size_t)x * pixelStride);
    to_points(high, column, points);
    UNROLL for (int p = 0; p < SIDE; p++) {
      if (high == 4 || p != SKIPPED) half[p][x] = points[p];
    }
  }
  UNROLL for (int py = 0; py < SIDE; py++) {
    if (high < 4 && py == SKIPPED) continue;
    vf points[SIDE];
    to_points(wide, half[py], points);
    UNROLL for (int px = 0; px < SIDE; px++) {
      if (wide == 4 || px != SKIPPED) store(v + (size_t)(py * SIDE + px) * pointStride, points[px]);
    }
  }
}

/// Where LANES channels of a tile's outputs go and what is done to them; `rows` and `columns` of them lie inside the image.
typedef struct {
  float *out;
  const float *residual;
  size_t rowStride, pixelStride, residualRowStride, residualPixelStride, rows, columns;
  vf bias;
  float firstFloor, secondFloor;
} f32_patch;

/// The epilogue here is bias, lower bound (ReLU's or none), residual, lower bound.
INLINE void transform_output(const int high, const int wide, const float *m, size_t pointStride, const f32_patch *patch) {
  vf half[4][SIDE];
  UNROLL for (int px = 0; px < SIDE; px++) {
    if (wide < 4 && px == SKIPPED) continue;
    vf points[SIDE], outputs[4];
    UNROLL for (int py = 0; py < SIDE; py++) {
      if (high == 4 || py != SKIPPED) points[py] = load(m + (size_t)(py * SIDE + px) * pointStride);
    }
    from_points(high, points, outputs);
    UNROLL for (int y = 0; y < high; y++) half[y][px] = outputs[y];
  }
  UNROLL for (int y = 0; y < high; y++) {
    if ((size_t)y >= patch->rows) return;
    vf outputs[4];
    from_points(wide, half[y], outputs);
    float *out = patch->out + (size_t)y * patch->rowStride;
    const float *residual = patch->residual + (size_t)y * patch->residualRowStride;
    UNROLL for (int x = 0; x < wide; x++) {
      if ((size_t)x >= patch->columns) break;
      vf value = outputs[x] + patch->bias;
      value = value < splat(patch->firstFloor) ? splat(patch->firstFloor) : value;
      if (patch->residual) value += load(residual + (size_t)x * patch->residualPixelStride);
      value = value < splat(patch->secondFloor) ? splat(patch->secondFloor) : value;
      store(out + (size_t)x * patch->pixelStride, value);
    }
  }
}

/// M[rows][16] = V U for WINOGRAD_ROWS tiles and one panel; `blocks` blocks of DEPTH channels.
INLINE void multiply_points(size_t blocks, const float *v, const float *u, float *m) {
  vf acc[WINOGRAD_ROWS * VECTORS];
  UNROLL for (int i = 0; i < WINOGRAD_ROWS * VECTORS; i++) acc[i] = splat(0.0f);
  for (size_t block = 0; block < blocks; block++) {
    UNROLL for (int i = 0; i < DEPTH; i++) {
      vf column[VECTORS];
      UNROLL for (int j = 0; j < VECTORS; j++) column[j] = load(u + i * ERI_PANEL + j * LANES);
      UNROLL for (int r = 0; r < WINOGRAD_ROWS; r++) {
        vf x = splat(v[r * DEPTH + i]);
        UNROLL for (int j = 0; j < VECTORS; j++) acc[r * VECTORS + j] = FMA(x, column[j], acc[r * VECTORS + j]);
      }
    }
    v += WINOGRAD_ROWS * DEPTH;
    u += DEPTH * ERI_PANEL;
  }
  UNROLL for (int r = 0; r < WINOGRAD_ROWS; r++) {
    UNROLL for (int j = 0; j < VECTORS; j++) store(m + r * ERI_PANEL + j * LANES, acc[r * VECTORS + j]);
  }
}

OUTLINE void multiply_all_points(size_t depth, size_t panels, const size_t *rowBegin, const size_t *rowEnd,
                                 const float *packed, const float *v, size_t vStride, float *m, size_t mStride) {
  for (size_t p = 0; p < ERI_WINOGRAD_POINTS; p++) {
    bool highOnly = p / SIDE == SKIPPED, wideOnly = p % SIDE == SKIPPED;
    size_t which = (highOnly ? 2 : 0) + (wideOnly ? 1 : 0);
    size_t begin = rowBegin[which] / WINOGRAD_ROWS, end = eri_ceil_div(rowEnd[which], WINOGRAD_ROWS);
    for (size_t panel = 0; panel < panels; panel++) {
      const float *u = packed + (p * panels + panel) * depth * ERI_PANEL;
      for (size_t group = begin; group < end; group++) {
        multiply_points(depth / DEPTH, v + p * vStride + group * depth * WINOGRAD_ROWS, u,
                        m + p * mStride + (group * panels + panel) * WINOGRAD_ROWS * ERI_PANEL);
      }
    }
  }
}

/// A tile of the current group; `high` and `wide` are its size, whatever part of it lies inside the image.
typedef struct {
  size_t image, y, x, high, wide;
} f32_tile;

INLINE f32_tile tile_at(size_t index, const eri_winograd_side *vertical, const eri_winograd_side *horizontal) {
  size_t perImage = vertical->count * horizontal->count;
  size_t ty = index % perImage / horizontal->count, tx = index % horizontal->count;
  f32_tile tile = {.image = index / perImage};
  tile.high = ty < vertical->fours ? 4 : 3;
  tile.wide = tx < horizontal->fours ? 4 : 3;
  tile.y = ty < vertical->fours ? 4 * ty : 3 * ty + vertical->fours;
  tile.x = tx < horizontal->fours ? 4 * tx : 3 * tx + horizontal->fours;
  return tile;
}

/// Tiles of a group in the order 4×3, 4×4, 3×4, 3×3: then those that have a given point lie side by side.
INLINE size_t tile_class(const f32_tile *tile) {
  if (tile->high == 4) return tile->wide == 4 ? 1 : 0;
  return tile->wide == 4 ? 2 : 3;
}

/// Calls FUNCTION(height, width, …) with the tile's size as constants.
#define FOR_TILE_SIZE(TILE, FUNCTION, ...)         \
  switch (tile_class(TILE)) {                      \
    case 0: FUNCTION(4, 3, __VA_ARGS__); break;    \
    case 1: FUNCTION(4, 4, __VA_ARGS__); break;    \
    case 2: FUNCTION(3, 4, __VA_ARGS__); break;    \
    default: FUNCTION(3, 3, __VA_ARGS__); break;   \
  }

/// All channels of a tile to V.
OUTLINE void tile_to_points(const f32_tile *tile, const eri_f32_image *input, float *v, size_t pointStride) {
  size_t line = row_floats(input), channels = input->channels;
  // The tile's inputs begin one pixel before its outputs and may reach over the halo where the last tile is larger than what is left.
  size_t rows = eri_minimum(tile->high + 2, input->height - tile->y + 2);
  size_t columns = eri_minimum(tile->wide + 2, input->width - tile->x + 2);
  const float *in = input->data + pixel_offset(input, tile->image, tile->y, tile->x) - line - channels;
  bool whole = rows == tile->high + 2 && columns == tile->wide + 2;
  float copy[SIDE * SIDE * LANES] = {0};
  for (size_t c = 0; c < eri_round_up(channels, DEPTH); c += LANES) {
    float *points = v + c / DEPTH * (WINOGRAD_ROWS * DEPTH) + c % DEPTH;
    const float *source = in + c;
    size_t rowStride = line, pixelStride = channels;
    if (!whole || c + LANES > channels) {
      for (size_t y = 0; y < rows; y++) {
        for (size_t x = 0; x < columns; x++) {
          size_t left = c < channels ? channels - c : 0;
          store(copy + (y * SIDE + x) * LANES, load_some(in + y * line + x * channels + c, left));
        }
      }
      source = copy;
      rowStride = SIDE * LANES;
      pixelStride = LANES;
    }
    FOR_TILE_SIZE(tile, transform_input, source, rowStride, pixelStride, points, pointStride)
  }
}

/// All channels of a tile from M to the output image.
OUTLINE void tile_from_points(const f32_tile *tile, const float *m, size_t pointStride, const eri_f32_image *output,
                              const eri_f32_image *residualImage, const eri_f32_epilogue *e) {
  size_t channels = output->channels;
  float *out = output->data + pixel_offset(output, tile->image, tile->y, tile->x);
  const float *residual = NULL;
  if (e->residual) residual = e->residual + pixel_offset(residualImage, tile->image, tile->y, tile->x);
  bool bounded = e->first <= ERI_ACTIVATION_RELU && e->second <= ERI_ACTIVATION_RELU;
  size_t rows = eri_minimum(tile->high, output->height - tile->y);
  size_t columns = eri_minimum(tile->wide, output->width - tile->x);
  for (size_t c = 0; c < channels; c += LANES) {
    const float *points = m + c / ERI_PANEL * (WINOGRAD_ROWS * ERI_PANEL) + c % ERI_PANEL;
    size_t left = channels - c;
    if (bounded && left >= LANES) {
      f32_patch patch = {out + c,
                         residual ? residual + c : NULL,
                         row_floats(output),
                         channels,
                         row_floats(residualImage),
                         residualImage->channels,
                         rows,
                         columns,
                         e->bias ? load(e->bias + c) : splat(0.0f),
                         e->first == ERI_ACTIVATION_RELU ? 0.0f : -__builtin_inff(),
                         e->second == ERI_ACTIVATION_RELU ? 0.0f : -__builtin_inff()};
      FOR_TILE_SIZE(tile, transform_output, points, pointStride, &patch)
    } else {
      float plain[4 * 4 * LANES];
      f32_patch patch = {plain, NULL, 4 * LANES, LANES, 0, 0, rows, columns, splat(0.0f), -__builtin_inff(),
                         -__builtin_inff()};
      FOR_TILE_SIZE(tile, transform_output, points, pointStride, &patch)
      for (size_t y = 0; y < rows; y++) {
        for (size_t x = 0; x < columns; x++) {
          const float *from = NULL;
          if (residual) from = residual + y * row_floats(residualImage) + x * residualImage->channels;
          finish_pixel(load(plain + (y * 4 + x) * LANES), c, left, e, out + y * row_floats(output) + x * channels, from);
        }
      }
    }
  }
}

static void f32_winograd(const eri_f32_image *input, const float *packed, const eri_f32_image *output,
                         const eri_f32_image *residualImage, const eri_f32_epilogue *e, size_t imageBegin,
                         size_t imageEnd, float *scratch) {
  if (!residualImage) residualImage = output;
  eri_winograd_side vertical = eri_winograd_cut(output->height), horizontal = eri_winograd_cut(output->width);
  size_t perImage = vertical.count * horizontal.count, tiles = perImage * (imageEnd - imageBegin);
  size_t groupSize = eri_winograd_group(input->channels, output->channels, tiles);
  size_t depth = eri_round_up(input->channels, DEPTH), panels = eri_ceil_div(output->channels, ERI_PANEL);
  // One more cache line per point, so that the 36 streams of a transform do not fall on the same cache sets.
  size_t vStride = groupSize * depth + ERI_LINE, mStride = groupSize * panels * ERI_PANEL + ERI_LINE;
  float *v = eri_align(scratch), *m = v + ERI_WINOGRAD_POINTS * vStride;

  for (size_t begin = 0; begin < tiles; begin += groupSize) {
    size_t count = eri_minimum(groupSize, tiles - begin);
    f32_tile list[ERI_WINOGRAD_GROUP];
    size_t bound[5] = {0};  // class c takes the rows bound[c]..<bound[c + 1]
    for (size_t i = 0; i < count; i++) {
      f32_tile tile = tile_at(imageBegin * perImage + begin + i, &vertical, &horizontal);
      bound[tile_class(&tile) + 1]++;
    }
    for (size_t c = 1; c < 5; c++) bound[c] += bound[c - 1];
    size_t next[4] = {bound[0], bound[1], bound[2], bound[3]};
    for (size_t i = 0; i < count; i++) {
      f32_tile tile = tile_at(imageBegin * perImage + begin + i, &vertical, &horizontal);
      list[next[tile_class(&tile)]++] = tile;
    }
    for (size_t i = 0; i < count; i++) {
      tile_to_points(&list[i], input, v + i / WINOGRAD_ROWS * (WINOGRAD_ROWS * depth) + i % WINOGRAD_ROWS * DEPTH, vStride);
    }
    // Points that all tiles have; those that need a width of 4; a height of 4; both.
    size_t rowBegin[4] = {0, bound[1], 0, bound[1]}, rowEnd[4] = {bound[4], bound[3], bound[2], bound[2]};
    for (size_t which = 0; which < 4; which++) {
      if (rowEnd[which] <= rowBegin[which]) rowBegin[which] = rowEnd[which] = 0;
    }
    multiply_all_points(depth, panels, rowBegin, rowEnd, packed, v, vStride, m, mStride);
    for (size_t i = 0; i < count; i++) {
      tile_from_points(&list[i], m + i / WINOGRAD_ROWS * (WINOGRAD_ROWS * panels * ERI_PANEL) + i % WINOGRAD_ROWS * ERI_PANEL, mStride, output,
                       residualImage, e);
    }
  }
}
