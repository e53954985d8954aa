// What convolutions in tiles share: large and small tiles, products of points, and the ways in and out of images.

enum { DEPTH = LANES < 8 ? 8 : LANES };  // channels of a block of V

/// Where LANES channels of a tile's outputs go and what is done to them.
typedef struct {
  float *out;
  const float *residual;
  size_t rowStride, pixelStride, residualRowStride, residualPixelStride;
  size_t nextOut, nextResidual;  // distances to the tile whose pixels are fetched meanwhile
  vf bias;
  float firstFloor, secondFloor;
} f32_patch;

/// One row of a tile's outputs. The epilogue here is bias, lower bound (ReLU's or none), residual, lower bound.
INLINE void store_outputs(const f32_patch *patch, size_t y, const int wide, vf *outputs) {
  float *out = patch->out + y * patch->rowStride;
  UNROLL for (int x = 0; x < wide; x++) {
    outputs[x] += patch->bias;
    outputs[x] = outputs[x] < splat(patch->firstFloor) ? splat(patch->firstFloor) : outputs[x];
  }
  if (patch->residual) {
    const float *residual = patch->residual + y * patch->residualRowStride;
    UNROLL for (int x = 0; x < wide; x++) {
      outputs[x] += load(residual + (size_t)x * patch->residualPixelStride);
      __builtin_prefetch(residual + (size_t)x * patch->residualPixelStride + patch->nextResidual);
    }
  }
  UNROLL for (int x = 0; x < wide; x++) {
    outputs[x] = outputs[x] < splat(patch->secondFloor) ? splat(patch->secondFloor) : outputs[x];
    store(out + (size_t)x * patch->pixelStride, outputs[x]);
    __builtin_prefetch(out + (size_t)x * patch->pixelStride + patch->nextOut, 1);
  }
}

/// A side's values at its points from the inputs, or its outputs from the points, for `size` outputs.
typedef void (*f32_side_transform)(const int size, const vf *from, vf *to);

enum { SIDE_MAXIMUM = 9 };  // points of a side, of any scheme

/// Winograd's scheme of one side, the same for both: tiles of `large` outputs have all of its `points`, those of `small` lack the ones
/// whose bits `skipped` has. An output takes `taps`
/// inputs, those of neighbours `stride` apart.
typedef struct {
  int large, small, points, stride, taps;
  unsigned skipped;
  f32_side_transform in, out;
} f32_scheme;

INLINE int inputs_of(const f32_scheme s, const int size) { return s.stride * (size - 1) + s.taps; }
INLINE bool has_point(const f32_scheme s, const int size, const int point) { return size == s.large || !(s.skipped >> point & 1); }

/// One tile of high × wide outputs: its inputs of LANES channels to the pairs of points. The floats `ahead` of the inputs are fetched, if
/// any: pixels lie too far apart for the processor to expect them. Loops over columns and rows of points stay loops: unrolled, they need
/// the addresses of more streams than there are registers.
INLINE void points_of_inputs(const int high, const int wide, const f32_scheme s, const size_t ahead, const float *in, size_t rowStride,
                             size_t pixelStride, float *v, size_t pointStride) {
  vf half[SIDE_MAXIMUM][SIDE_MAXIMUM];
  ROLLED for (int x = 0; x < inputs_of(s, wide); x++, in += pixelStride) {
    vf column[SIDE_MAXIMUM], points[SIDE_MAXIMUM];
    const float *from = in;
    UNROLL for (int y = 0; y < inputs_of(s, high); y++, from += rowStride) {
      column[y] = load(from);
      if (ahead) __builtin_prefetch(from + ahead);
    }
    s.in(high, column, points);
    UNROLL for (int p = 0; p < s.points; p++) {
      if (has_point(s, high, p)) half[p][x] = points[p];
    }
  }
  ROLLED for (int py = 0; py < s.points; py++, v += (size_t)s.points * pointStride) {
    if (!has_point(s, high, py)) continue;
    vf points[SIDE_MAXIMUM];
    s.in(wide, half[py], points);
    float *to = v;
    UNROLL for (int px = 0; px < s.points; px++, to += pointStride) {
      if (has_point(s, wide, px)) store(to, points[px]);
    }
  }
}

/// The way back, to the outputs of LANES channels of a tile.
INLINE void outputs_of_points(const int high, const int wide, const f32_scheme s, const float *m, size_t pointStride,
                              const f32_patch *patch) {
  vf half[ERI_TILE_MAXIMUM][SIDE_MAXIMUM];
  ROLLED for (int px = 0; px < s.points; px++, m += pointStride) {
    if (!has_point(s, wide, px)) continue;
    vf points[SIDE_MAXIMUM], outputs[ERI_TILE_MAXIMUM];
    const float *from = m;
    UNROLL for (int py = 0; py < s.points; py++, from += (size_t)s.points * pointStride) {
      if (has_point(s, high, py)) points[py] = load(from);
    }
    s.out(high, points, outputs);
    UNROLL for (int y = 0; y < high; y++) half[y][px] = outputs[y];
  }
  ROLLED for (int y = 0; y < high; y++) {
    vf outputs[ERI_TILE_MAXIMUM];
    s.out(wide, half[y], outputs);
    store_outputs(patch, (size_t)y, wide, outputs);
  }
}

/// LANES channels of a tile's inputs to its points, and of its points to the image.
INLINE void points_of_tile(const f32_scheme s, const size_t ahead, const eri_tile *tile, const float *in, size_t rowStride,
                           size_t pixelStride, float *v, size_t pointStride) {
  ERI_FOR_TILE_SIZE(s.large, s.small, tile, points_of_inputs, s, ahead, in, rowStride, pixelStride, v, pointStride)
}
INLINE void outputs_of_tile(const f32_scheme s, const eri_tile *tile, const float *m, size_t pointStride, const f32_patch *patch) {
  ERI_FOR_TILE_SIZE(s.large, s.small, tile, outputs_of_points, s, m, pointStride, patch)
}

/// Transforms LANES channels of a tile's points to the image.
typedef void (*f32_output_transform)(const eri_tile *tile, const float *m, size_t pointStride, const f32_patch *patch);

/// All channels of a tile to V. Its inputs begin `padTop` and `padLeft` before the pixel of its first output, which may lie outside.
INLINE void tile_to_points(const f32_scheme s, const size_t ahead, const eri_tile *tile, size_t padTop, size_t padLeft,
                           const eri_f32_image *input, float *v, size_t pointStride) {
  ptrdiff_t y = (ptrdiff_t)((size_t)s.stride * tile->y) - (ptrdiff_t)padTop;
  ptrdiff_t x = (ptrdiff_t)((size_t)s.stride * tile->x) - (ptrdiff_t)padLeft;
  size_t rows = (size_t)inputs_of(s, (int)tile->high), columns = (size_t)inputs_of(s, (int)tile->wide);
  const size_t side = (size_t)inputs_of(s, s.large);
  size_t line = row_floats(input), channels = input->channels;
  ptrdiff_t halo = (ptrdiff_t)input->halo, top = -halo - y, left = -halo - x;
  ptrdiff_t bottom = (ptrdiff_t)input->height + halo - y, right = (ptrdiff_t)input->width + halo - x;
  bool whole = top <= 0 && left <= 0 && bottom >= (ptrdiff_t)rows && right >= (ptrdiff_t)columns;
  size_t rowBegin = top > 0 ? (size_t)top : 0, columnBegin = left > 0 ? (size_t)left : 0;
  size_t rowEnd = bottom > 0 ? eri_minimum(rows, (size_t)bottom) : 0;
  size_t columnEnd = right > 0 ? eri_minimum(columns, (size_t)right) : 0;
  const float *in = input->data + tile->image * image_floats(input) + (y + halo) * (ptrdiff_t)line +
                    (x + halo) * (ptrdiff_t)channels;
  float copy[side * side * LANES];
  if (!whole || channels % LANES) memset(copy, 0, sizeof(copy));
  for (size_t c = 0; c < eri_round_up(channels, DEPTH); c += LANES) {
    float *points = v + c / DEPTH * (WINOGRAD_ROWS * DEPTH) + c % DEPTH;
    if (whole && c + LANES <= channels) {
      points_of_tile(s, ahead, tile, in + c, line, channels, points, pointStride);
      continue;
    }
    size_t some = c < channels ? channels - c : 0;
    for (size_t row = rowBegin; row < rowEnd; row++) {
      for (size_t column = columnBegin; column < columnEnd; column++) {
        vf value = some ? load_some(in + (ptrdiff_t)(row * line + column * channels + c), some) : splat(0.0f);
        store(copy + (row * side + column) * LANES, value);
      }
    }
    points_of_tile(s, ahead, tile, copy, side * LANES, LANES, points, pointStride);
  }
}

/// The channels channelBegin..<channelEnd of a tile from M, whose panels lie `panelStride` floats apart, to the output image.
/// Meanwhile the pixels of `next` are fetched, which lie too far apart for the processor to expect them.
INLINE void points_to_image(const eri_tile *tile, const eri_tile *next, const float *m, size_t pointStride,
                           size_t panelStride, size_t channelBegin, size_t channelEnd, const eri_f32_image *output,
                           const eri_f32_image *residualImage, const eri_f32_epilogue *e,
                           f32_output_transform transform) {
  size_t channels = output->channels, at = pixel_offset(output, tile->image, tile->y, tile->x);
  size_t residualAt = pixel_offset(residualImage, tile->image, tile->y, tile->x);
  float *out = output->data + at;
  const float *residual = e->residual ? e->residual + residualAt : NULL;
  bool bounded = e->first <= ERI_ACTIVATION_RELU && e->second <= ERI_ACTIVATION_RELU;
  size_t rows = eri_minimum(tile->high, output->height - tile->y);
  size_t columns = eri_minimum(tile->wide, output->width - tile->x);
  bool whole = rows == tile->high && columns == tile->wide;
  f32_patch patch = {.rowStride = row_floats(output),
                     .pixelStride = channels,
                     .residualRowStride = row_floats(residualImage),
                     .residualPixelStride = residualImage->channels,
                     .nextOut = pixel_offset(output, next->image, next->y, next->x) - at,
                     .nextResidual = pixel_offset(residualImage, next->image, next->y, next->x) - residualAt,
                     .firstFloor = e->first == ERI_ACTIVATION_RELU ? 0.0f : -__builtin_inff(),
                     .secondFloor = e->second == ERI_ACTIVATION_RELU ? 0.0f : -__builtin_inff()};
  for (size_t c = channelBegin; c < channelEnd; c += LANES) {
    const float *points = m + (c - channelBegin) / ERI_PANEL * panelStride + c % ERI_PANEL;
    size_t left = channels - c;
    if (bounded && whole && left >= LANES) {
      patch.out = out + c;
      patch.residual = residual ? residual + c : NULL;
      patch.bias = e->bias ? load(e->bias + c) : splat(0.0f);
      transform(tile, points, pointStride, &patch);
    } else {
      float plain[ERI_TILE_MAXIMUM * ERI_TILE_MAXIMUM * LANES];
      f32_patch sums = {.out = plain,
                        .rowStride = ERI_TILE_MAXIMUM * LANES,
                        .pixelStride = LANES,
                        .bias = splat(0.0f),
                        .firstFloor = -__builtin_inff(),
                        .secondFloor = -__builtin_inff()};
      transform(tile, points, pointStride, &sums);
      for (size_t y = 0; y < rows; y++) {
        for (size_t x = 0; x < columns; x++) {
          const float *from = NULL;
          if (residual) from = residual + y * row_floats(residualImage) + x * residualImage->channels;
          finish_pixel(load(plain + (y * ERI_TILE_MAXIMUM + x) * LANES), c, left, e, out + y * row_floats(output) + x * channels, from);
        }
      }
    }
  }
}

/// M[panel][row][16] = V U for `count` of a group's WINOGRAD_ROWS tiles and some panels; `blocks` blocks of DEPTH channels.
INLINE void multiply_points(const int count, const int panels, size_t blocks, const float *v, const float *u, float *m) {
  const int width = panels * VECTORS;
  vf acc[WINOGRAD_ROWS * PANELS * VECTORS];
  UNROLL for (int i = 0; i < count * width; i++) acc[i] = splat(0.0f);
  const size_t panelStride = blocks * DEPTH * ERI_PANEL;
  for (size_t block = 0; block < blocks; block++) {
    UNROLL for (int i = 0; i < DEPTH; i++) {
      vf column[PANELS * VECTORS];
      // The panels that follow, which the processor would not expect yet.
      UNROLL for (int p = 0; p < panels; p++) __builtin_prefetch(u + i * ERI_PANEL + (size_t)(panels + p) * panelStride);
      UNROLL for (int j = 0; j < width; j++) {
        column[j] = load(u + i * ERI_PANEL + (size_t)(j / VECTORS) * panelStride + j % VECTORS * LANES);
      }
      UNROLL for (int r = 0; r < count; r++) {
        vf x = splat(v[r * DEPTH + i]);
        UNROLL for (int j = 0; j < width; j++) acc[r * width + j] = FMA(x, column[j], acc[r * width + j]);
      }
      HOLD(acc, count * width);
    }
    v += WINOGRAD_ROWS * DEPTH;
    u += DEPTH * ERI_PANEL;
  }
  UNROLL for (int r = 0; r < count; r++) {
    UNROLL for (int j = 0; j < width; j++) {
      store(m + (j / VECTORS * WINOGRAD_ROWS + r) * ERI_PANEL + j % VECTORS * LANES, acc[r * width + j]);
    }
  }
}

/// The tiles of `rows`, or some more, with panels as many as the micro-kernel takes, or with one. V's rows lie depth apart; M is
/// [tiles / WINOGRAD_ROWS][some][WINOGRAD_ROWS][16].
INLINE void multiply_tiles(const int panels, size_t depth, eri_tile_rows rows, size_t some, const float *v, const float *u, float *m) {
  const size_t half = WINOGRAD_ROWS / 2, blocks = depth / DEPTH;
  for (size_t row = rows.begin / half * half; row < rows.end;) {
    size_t within = row % WINOGRAD_ROWS, group = row / WINOGRAD_ROWS;
    const float *from = v + group * depth * WINOGRAD_ROWS + within * DEPTH;
    float *to = m + group * some * WINOGRAD_ROWS * ERI_PANEL + within * ERI_PANEL;
    if (within == 0 && rows.end - row > half) {
      multiply_points(WINOGRAD_ROWS, panels, blocks, from, u, to);
      row += WINOGRAD_ROWS;
    } else {
      multiply_points(WINOGRAD_ROWS / 2, panels, blocks, from, u, to);
      row += half;
    }
  }
}
