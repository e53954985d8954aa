// Stride 2 over few planar channels as Winograd: the input's four phases (even and odd rows and columns) become channels of one
// image, on which a window of up to 8 × 8 is a unit-stride one of 4 × 4. F(4×4, 4×4) at the points 0, ±1, ±2, 1/2 and infinity.
//
// A band is 4 output rows of one image, cut into tiles of 4 columns. ROWS tiles are worked on together, one panel of output
// channels after another, so that products stay in the first-level cache; only the weights stream by. Layout, for the points py and
// px of the two sides and K = 4 · input channels:
//   weights U[panel][px][py][K][16], grid [7][columns][16] with lanes (channel, row phase, column phase), V[py][px][tile][16],
//   products [py][tile][16] of one px, and their way back along y [4][px][tile][16].

enum {
  PHASE_SIDE = ERI_PHASE_SIDE,
  PHASE_LANES = 16,
  PHASE_POINT = ROWS * PHASE_LANES,  // floats of V for one pair of points
  PHASE_PLACE = ROWS * ERI_PANEL,  // floats of the way back for one y and px
};

/// 7 values at the points of a side of 4 outputs, the only size here.
INLINE void phases_to_points(const int size, const vf *d, vf *o) {
  (void)size;
  vf e[3], f[4], g[4];
  UNROLL for (int i = 0; i < 3; i++) e[i] = FMA(d[i + 2], splat(-5.0f), FMA(d[i], splat(4.0f), d[i + 4]));
  UNROLL for (int i = 1; i < 4; i++) {
    f[i] = FMA(d[i], splat(-4.0f), d[i + 2]);
    g[i] = d[i + 2] - d[i];
  }
  vf f0 = FMA(f[1], splat(-0.5f), f[2]), f1 = FMA(f[2], splat(-0.5f), f[3]);
  vf g0 = FMA(g[1], splat(-0.5f), g[2]), g1 = FMA(g[2], splat(-0.5f), g[3]);
  o[0] = FMA(e[0], splat(-0.5f), e[1]);
  o[1] = f1 + f0;
  o[2] = f1 - f0;
  o[3] = FMA(g0, splat(2.0f), g1);
  o[4] = FMA(g0, splat(-2.0f), g1);
  o[5] = e[1];
  o[6] = FMA(e[1], splat(-0.5f), e[2]);
}

INLINE void phases_from_points(const int size, const vf *m, vf *o) {
  (void)size;
  vf sum = m[1] + m[2], difference = m[1] - m[2], sum2 = m[3] + m[4], difference2 = m[3] - m[4];
  o[0] = ((m[0] + sum) + sum2) + m[5];
  o[1] = FMA(m[5], splat(0.5f), FMA(difference2, splat(2.0f), difference));
  o[2] = FMA(m[5], splat(0.25f), FMA(sum2, splat(4.0f), sum));
  o[3] = FMA(m[5], splat(0.125f), FMA(difference2, splat(8.0f), difference)) + m[6];
}

static const f32_scheme phases = {.large = 4,
                                  .small = 4,
                                  .points = PHASE_SIDE,
                                  .stride = 1,
                                  .taps = 4,
                                  .skipped = 0,
                                  .in = phases_to_points,
                                  .out = phases_from_points};

/// Four weights at the points, divided by the product of each point's distances to the others.
INLINE void phases_weights(const vf *w, vf *o) {
  vf even = w[0] + w[2], odd = w[1] + w[3];
  vf even2 = FMA(w[2], splat(4.0f), w[0]), odd2 = FMA(w[3], splat(8.0f), w[1] * splat(2.0f));
  o[0] = w[0] * splat(-0.5f);
  o[1] = (even + odd) * splat(-1.0f / 3);
  o[2] = (even - odd) * splat(1.0f / 9);
  o[3] = (even2 + odd2) * splat(1.0f / 36);
  o[4] = (even2 - odd2) * splat(-1.0f / 60);
  o[5] = FMA(w[3], splat(0.125f), FMA(w[2], splat(0.25f), FMA(w[1], splat(0.5f), w[0]))) * splat(32.0f / 45);
  o[6] = w[3];
}

static void f32_conv_phases_pack(const eri_window *w, const float *weights, size_t inputChannels, size_t outputChannels,
                                 float *packed) {
  size_t depth = 4 * inputChannels, panels = eri_ceil_div(outputChannels, ERI_PANEL);
  size_t elements = w->kernelHeight * w->kernelWidth;
  for (size_t panel = 0; panel < panels; panel++) {
    size_t columns = eri_minimum(outputChannels - panel * ERI_PANEL, ERI_PANEL);
    for (size_t i = 0; i < depth; i++) {
      float taps[16][ERI_PANEL] = {{0}};
      for (size_t tap = 0; tap < 16; tap++) {
        size_t y = 2 * (tap / 4) + i / 2 % 2, x = 2 * (tap % 4) + i % 2;
        if (y >= w->kernelHeight || x >= w->kernelWidth) continue;
        for (size_t n = 0; n < columns; n++) {
          taps[tap][n] = weights[((panel * ERI_PANEL + n) * inputChannels + i / 4) * elements + y * w->kernelWidth + x];
        }
      }
      for (size_t n = 0; n < ERI_PANEL; n += LANES) {
        vf half[4][PHASE_SIDE];
        UNROLL for (int x = 0; x < 4; x++) {
          vf column[4];
          UNROLL for (int y = 0; y < 4; y++) column[y] = load(taps[4 * y + x] + n);
          phases_weights(column, half[x]);
        }
        UNROLL for (int py = 0; py < PHASE_SIDE; py++) {
          vf row[4] = {half[0][py], half[1][py], half[2][py], half[3][py]}, points[PHASE_SIDE];
          phases_weights(row, points);
          UNROLL for (int px = 0; px < PHASE_SIDE; px++) {
            store(packed + ((panel * PHASE_SIDE + (size_t)px) * PHASE_SIDE + (size_t)py) * depth * ERI_PANEL + i * ERI_PANEL + n,
                  points[px]);
          }
        }
      }
    }
  }
}

/// A convolution of planar images.
typedef struct {
  const eri_window *window;
  const float *input;
  size_t channels, height, width;
  const float *packed;
  size_t outputHeight, outputWidth, outputChannels;
} f32_phases;

/// The rows rowBegin..<7 of the grid that output rows 4 band ..< 4 band + 4 of an image need.
OUTLINE void split_phases(const f32_phases *k, size_t image, size_t band, size_t rowBegin, size_t columns, float *grid) {
  size_t padTop = k->window->padTop, padLeft = k->window->padLeft;
  // Pairs of columns wholly inside, between those that reach over the left and the right.
  size_t begin = eri_minimum(eri_ceil_div(padLeft, 2), columns);
  size_t end = eri_minimum((k->width + padLeft) / 2, columns);
  if (end < begin) end = begin;
  for (size_t c = 0; c < k->channels; c++) {
    for (size_t row = 2 * rowBegin; row < 2 * PHASE_SIDE; row++) {
      size_t y = 8 * band + row;
      bool blank = y < padTop || y - padTop >= k->height;
      float *to = grid + row / 2 * columns * PHASE_LANES + 4 * c + 2 * (row % 2);
      if (blank) {
        for (size_t x = 0; x < columns; x++) to[x * PHASE_LANES] = to[x * PHASE_LANES + 1] = 0;
        continue;
      }
      const float *line = k->input + ((image * k->channels + c) * k->height + y - padTop) * k->width;
      // What the next band reads.
      for (size_t x = 0; x < k->width; x += ERI_LINE) __builtin_prefetch(line + 8 * k->width + x);
      for (size_t x = begin; x < end; x++) memcpy(to + x * PHASE_LANES, line + 2 * x - padLeft, 2 * sizeof(float));
      for (size_t x = begin > 0 ? 0 : end; x < columns; x = x + 1 == begin ? end : x + 1) {
        for (size_t phase = 0; phase < 2; phase++) {
          size_t column = 2 * x + phase;
          bool outside = column < padLeft || column - padLeft >= k->width;
          to[x * PHASE_LANES + phase] = outside ? 0 : line[column - padLeft];
        }
      }
    }
  }
}

/// All lanes of one tile of the grid to its points.
OUTLINE void transform_phases(const float *grid, size_t rowStride, size_t depth, float *v) {
  for (size_t lane = 0; lane < depth; lane += LANES) {
    points_of_inputs(4, 4, phases, 0, grid + lane, rowStride, PHASE_LANES, v + lane, PHASE_POINT);
  }
}

/// Four steps of the depth for `count` tiles and one panel; the first sets the sums.
INLINE void multiply_four(const int count, const bool first, const float *v, const float *u, vf *acc) {
  UNROLL for (int i = 0; i < 4; i++) {
    vf column[VECTORS];
    UNROLL for (int n = 0; n < VECTORS; n++) column[n] = load(u + i * ERI_PANEL + n * LANES);
    UNROLL for (int r = 0; r < count; r++) {
      vf x = splat(v[r * PHASE_LANES + i]);
      UNROLL for (int n = 0; n < VECTORS; n++) {
        vf *sum = &acc[r * VECTORS + n];
        *sum = first && i == 0 ? x * column[n] : FMA(x, column[n], *sum);
      }
    }
  }
}

/// One panel of `count` tiles' products, back along y.
INLINE void multiply_phases(const int count, const size_t depth, const float *v, const float *u, float *halves) {
  for (size_t px = 0; px < PHASE_SIDE; px++) {
    vf products[PHASE_SIDE][ROWS * VECTORS];
    for (size_t py = 0; py < PHASE_SIDE; py++, u += depth * ERI_PANEL) {
      const float *from = v + (py * PHASE_SIDE + px) * PHASE_POINT;
      vf acc[ROWS * VECTORS];
      multiply_four(count, true, from, u, acc);
      for (size_t i = 4; i < depth; i += 4) multiply_four(count, false, from + i, u + i * ERI_PANEL, acc);
      UNROLL for (int i = 0; i < count * VECTORS; i++) products[py][i] = acc[i];
    }
    for (size_t i = 0; i < (size_t)count * VECTORS; i++) {
      vf points[PHASE_SIDE], outputs[4];
      UNROLL for (size_t py = 0; py < PHASE_SIDE; py++) points[py] = products[py][i];
      phases_from_points(4, points, outputs);
      UNROLL for (size_t y = 0; y < 4; y++) store(halves + (y * PHASE_SIDE + px) * PHASE_PLACE + i * LANES, outputs[y]);
    }
  }
}
enum { COLOURS = 4 * 3 };  // phases of the channels of a colour picture
OUTLINE void multiply_phase_tiles(size_t count, size_t depth, const float *v, const float *u, float *halves) {
  if (count > HALF && depth == COLOURS) {
    multiply_phases(ROWS, COLOURS, v, u, halves);
  } else if (count > HALF) {
    multiply_phases(ROWS, depth, v, u, halves);
  } else {
    multiply_phases(HALF, depth, v, u, halves);
  }
}

/// Takes the channels channelBegin..<channelEnd of a tile, whose values back along y lie at `halves`, before those of `next`.
typedef void (*f32_phases_finish)(const void *target, const eri_tile *tile, const eri_tile *next, size_t channelBegin,
                                  size_t channelEnd, const float *halves);

INLINE void convolve_phases(const f32_phases *k, size_t bandBegin, size_t bandEnd, float *scratch, f32_phases_finish finish,
                            const void *target) {
  size_t bands = eri_ceil_div(k->outputHeight, 4), across = eri_ceil_div(k->outputWidth, 4);
  size_t columns = 4 * across + 3, line = columns * PHASE_LANES, depth = 4 * k->channels;
  float *grid = eri_align(scratch), *v = grid + PHASE_SIDE * line;
  float *halves = v + PHASE_SIDE * PHASE_SIDE * PHASE_POINT;
  // Lanes without a channel and tiles beyond the last are multiplied too: they must hold numbers.
  memset(grid, 0, (size_t)(halves - grid) * sizeof(float));
  eri_tile tiles[ROWS];
  size_t count = 0;
  for (size_t band = bandBegin; band < bandEnd; band++) {
    size_t image = band / bands, y = band % bands;
    bool follows = band > bandBegin && y > 0;
    if (follows) memmove(grid, grid + 4 * line, (PHASE_SIDE - 4) * line * sizeof(float));
    split_phases(k, image, y, follows ? PHASE_SIDE - 4 : 0, columns, grid);
    for (size_t x = 0; x < across; x++) {
      tiles[count] = (eri_tile){image, 4 * y, 4 * x, 4, 4};
      transform_phases(grid + x * 4 * PHASE_LANES, line, depth, v + count * PHASE_LANES);
      count++;
      bool last = band + 1 == bandEnd && x + 1 == across;
      if (count < ROWS && !last) continue;
      for (size_t begin = 0; begin < k->outputChannels; begin += ERI_PANEL) {
        multiply_phase_tiles(count, depth, v, k->packed + PHASE_SIDE * PHASE_SIDE * depth * begin, halves);
        size_t end = eri_minimum(k->outputChannels, begin + ERI_PANEL);
        for (size_t i = 0; i < count; i++) {
          finish(target, &tiles[i], &tiles[eri_minimum(i + 1, count - 1)], begin, end, halves + i * ERI_PANEL);
        }
      }
      count = 0;
    }
  }
}

/// The way back along x.
INLINE void outputs_of_halves(const eri_tile *tile, const float *halves, size_t pointStride, const f32_patch *patch) {
  (void)tile;
  UNROLL for (int y = 0; y < 4; y++) {
    vf points[PHASE_SIDE], outputs[4];
    UNROLL for (int px = 0; px < PHASE_SIDE; px++) {
      points[px] = load(halves + (size_t)(y * PHASE_SIDE + px) * pointStride);
    }
    phases_from_points(4, points, outputs);
    store_outputs(patch, (size_t)y, 4, outputs);
  }
}

typedef struct {
  const eri_f32_image *output;
  const eri_f32_epilogue *epilogue;
} f32_phases_image;

OUTLINE void phases_to_image(const void *target, const eri_tile *tile, const eri_tile *next, size_t channelBegin,
                             size_t channelEnd, const float *halves) {
  const f32_phases_image *to = target;
  points_to_image(tile, next, halves, PHASE_PLACE, 0, channelBegin, channelEnd, to->output, to->output, to->epilogue,
                  outputs_of_halves);
}

static void f32_conv_phases(const eri_window *w, const float *input, size_t channels, size_t height, size_t width,
                            const float *packed, const eri_f32_image *output, const eri_f32_epilogue *e, size_t bandBegin,
                            size_t bandEnd, float *scratch) {
  f32_phases k = {w, input, channels, height, width, packed, output->height, output->width, output->channels};
  f32_phases_image target = {output, e};
  convolve_phases(&k, bandBegin, bandEnd, scratch, phases_to_image, &target);
}
