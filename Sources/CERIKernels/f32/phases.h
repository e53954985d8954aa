// Stride 2 over few planar channels as Winograd: the input's four phases (even and odd rows and columns) become channels of one
// image, on which a window of up to 8 × 8 is a unit-stride one of 4 × 4. F(4×4, 4×4) at the points 0, ±1, ±2, 1/2 and infinity.
//
// A band is 4 output rows of one image. Layout, for the 49 pairs of points p and K = 4 · input channels:
//   weights U[p][panel][K][16], grid [7][columns][16] with lanes (channel, row phase, column phase), V[p][tile][16],
//   M[p][tile][output channel].

enum { PHASE_SIDE = ERI_PHASE_SIDE, PHASE_LANES = 16 };

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
            store(packed + (((size_t)(py * PHASE_SIDE + px) * panels + panel) * depth + i) * ERI_PANEL + n, points[px]);
          }
        }
      }
    }
  }
}

/// The phases of the inputs that output rows 4 band ..< 4 band + 4 of an image need.
OUTLINE void split_phases(const eri_window *w, const float *planes, size_t channels, size_t height, size_t width,
                          size_t band, size_t columns, float *grid) {
  for (size_t row = 0; row < 2 * PHASE_SIDE; row++) {
    size_t y = 8 * band + row;
    bool blank = y < w->padTop || y - w->padTop >= height;
    for (size_t c = 0; c < channels; c++) {
      float *to = grid + row / 2 * columns * PHASE_LANES + 4 * c + 2 * (row % 2);
      if (blank) {
        for (size_t x = 0; x < columns; x++) to[x * PHASE_LANES] = to[x * PHASE_LANES + 1] = 0;
        continue;
      }
      const float *line = planes + (c * height + y - w->padTop) * width;
      // Pairs of columns wholly inside, between those that reach over the left and the right.
      size_t begin = eri_minimum(eri_ceil_div(w->padLeft, 2), columns);
      size_t end = eri_minimum((width + w->padLeft) / 2, columns);
      for (size_t x = 0; x < columns; x++) {
        if (x == begin && begin < end) {
          const float *from = line + 2 * begin - w->padLeft;
          for (; x < end; x++, from += 2) {
            to[x * PHASE_LANES] = from[0];
            to[x * PHASE_LANES + 1] = from[1];
          }
          if (x == columns) break;
        }
        for (size_t phase = 0; phase < 2; phase++) {
          size_t column = 2 * x + phase;
          bool outside = column < w->padLeft || column - w->padLeft >= width;
          to[x * PHASE_LANES + phase] = outside ? 0 : line[column - w->padLeft];
        }
      }
    }
  }
}

/// LANES lanes of one tile of the grid to its points.
INLINE void transform_phases(const float *grid, size_t rowStride, float *v, size_t pointStride) {
  points_of_inputs(PHASE_SIDE, 0, phases_to_points, 4, 4, PHASE_SIDE, PHASE_SIDE, 0, grid, rowStride, PHASE_LANES,
                   v, pointStride);
}

INLINE void outputs_of_phases(const eri_tile *tile, const float *m, size_t pointStride, const f32_patch *patch) {
  (void)tile;
  outputs_of_points(PHASE_SIDE, 0, phases_from_points, 4, 4, m, pointStride, patch);
}
OUTLINE void phases_to_image(const eri_tile *tile, const eri_tile *next, const float *m, size_t pointStride, const eri_f32_image *output,
                             const eri_f32_epilogue *e) {
  points_to_image(tile, next, m, pointStride, ERI_PANEL, 0, output->channels, output, output, e, outputs_of_phases);
}

/// M[count][16] = V U for `count` tiles and one panel.
INLINE void multiply_phases(const int count, size_t depth, const float *v, const float *u, float *m, size_t tileStride) {
  vf acc[ROWS * VECTORS];
  UNROLL for (int i = 0; i < count * VECTORS; i++) acc[i] = splat(0.0f);
  for (size_t i = 0; i < depth; i += 4) {
    UNROLL for (size_t j = 0; j < 4; j++, u += ERI_PANEL) {
      vf column[VECTORS];
      UNROLL for (int n = 0; n < VECTORS; n++) column[n] = load(u + n * LANES);
      UNROLL for (int r = 0; r < count; r++) {
        vf x = splat(v[(size_t)r * PHASE_LANES + i + j]);
        UNROLL for (int n = 0; n < VECTORS; n++) acc[r * VECTORS + n] = FMA(x, column[n], acc[r * VECTORS + n]);
      }
    }
  }
  UNROLL for (int r = 0; r < count; r++) {
    UNROLL for (int n = 0; n < VECTORS; n++) store(m + (size_t)r * tileStride + n * LANES, acc[r * VECTORS + n]);
  }
}

/// All panels of one pair of points for tiles in whole halves of ROWS.
OUTLINE void multiply_phase_point(size_t depth, size_t panels, size_t tiles, const float *v, const float *u, float *m) {
  for (size_t panel = 0; panel < panels; panel++, u += depth * ERI_PANEL) {
    size_t tile = 0;
    for (; tile + ROWS <= tiles; tile += ROWS) {
      multiply_phases(ROWS, depth, v + tile * PHASE_LANES, u, m + (tile * panels + panel) * ERI_PANEL, panels * ERI_PANEL);
    }
    for (; tile < tiles; tile += HALF) {
      multiply_phases(HALF, depth, v + tile * PHASE_LANES, u, m + (tile * panels + panel) * ERI_PANEL, panels * ERI_PANEL);
    }
  }
}

static void f32_conv_phases(const eri_window *w, const float *input, size_t channels, size_t height, size_t width,
                            const float *packed, const eri_f32_image *output, const eri_f32_epilogue *e, size_t bandBegin,
                            size_t bandEnd, float *scratch) {
  size_t bands = eri_ceil_div(output->height, 4), tiles = eri_ceil_div(output->width, 4);
  size_t columns = 4 * tiles + 3, depth = 4 * channels, panels = eri_ceil_div(output->channels, ERI_PANEL);
  size_t rounded = eri_round_up(tiles, HALF);
  size_t vStride = rounded * PHASE_LANES + ERI_LINE, mStride = rounded * panels * ERI_PANEL + ERI_LINE;
  float *grid = eri_align(scratch), *v = grid + PHASE_SIDE * columns * PHASE_LANES;
  float *m = v + PHASE_SIDE * PHASE_SIDE * vStride;
  // Lanes without a channel and tiles beyond the last are multiplied too: they must hold numbers.
  memset(grid, 0, (size_t)(m - grid) * sizeof(float));
  for (size_t band = bandBegin; band < bandEnd; band++) {
    size_t image = band / bands, y = band % bands;
    split_phases(w, input + image * channels * height * width, channels, height, width, y, columns, grid);
    for (size_t tile = 0; tile < tiles; tile++) {
      for (size_t lane = 0; lane < depth; lane += LANES) {
        transform_phases(grid + tile * 4 * PHASE_LANES + lane, columns * PHASE_LANES, v + tile * PHASE_LANES + lane, vStride);
      }
    }
    for (size_t p = 0; p < PHASE_SIDE * PHASE_SIDE; p++) {
      multiply_phase_point(depth, panels, eri_round_up(tiles, HALF), v + p * vStride,
                           packed + p * panels * depth * ERI_PANEL, m + p * mStride);
    }
    for (size_t i = 0; i < tiles; i++) {
      eri_tile tile = {image, 4 * y, 4 * i, 4, 4}, next = {image, 4 * y, 4 * i + 4, 4, 4};
      phases_to_image(&tile, &next, m + i * panels * ERI_PANEL, mStride, output, e);
    }
  }
}
