// Winograd's convolutions F(4×4, 3×3), with tiles of 4 and 3 at the points 0, 1, -1, 1/2, -2 and infinity, and F(6×6, 3×3), with tiles of
// 6 and 4 at 0, 1, -1, 2, -2, 1/2, -1/2 and infinity: Toom-Cook (Lavin & Gray, CVPR 2016; Barabasz et al., ACM TOMS 46, 2020, on the
// accuracy of points).
//
// A side of 3 weights gives w(p) / N(p), the polynomial w0 + w1 p + w2 p² over the product of p minus the other points. Small tiles
// leave out the point -2 of the former scheme and ±1/2 of the latter; their N(p) lack those points' factors, by which their inputs'
// values are multiplied instead: so both sizes share the weights.
//
// Layout, for the pairs of points p, tiles in groups of WINOGRAD_ROWS and channels in blocks of DEPTH:
//   weights U[p][panel][input channel][16], input V[p][group][block][row][DEPTH], result M[p][group][panel][row][16].

/// Values at the points of a side of `size` outputs, from its size + 2 inputs.
INLINE void four_to_points(const int size, const vf *d, vf *o) {
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
INLINE void four_from_points(const int size, const vf *m, vf *o) {
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

/// Three weights at the points, divided by N(p).
INLINE void weights_to_four_points(const vf *w, vf *o) {
  vf sum = w[0] + w[2];
  o[0] = w[0];
  o[1] = (sum + w[1]) * splat(1.0f / 3);
  o[2] = (w[1] - sum) * splat(1.0f / 3);
  o[3] = FMA(w[2], splat(0.25f), FMA(w[1], splat(0.5f), w[0])) * splat(-16.0f / 15);
  o[4] = FMA(w[2], splat(4.0f), FMA(w[1], splat(-2.0f), w[0])) * splat(1.0f / 15);
  o[5] = w[2];
}

/// The same at the points of tiles of 6, which come in pairs of opposites, and of 4: those pairs share even and odd powers.
INLINE void six_to_points(const int size, const vf *d, vf *o) {
  if (size == 6) {
    vf even1 = FMA(d[4], splat(-4.25f), d[2] + d[6]), odd1 = FMA(d[3], splat(-4.25f), d[1] + d[5]);
    vf even2 = FMA(d[4], splat(-1.25f), FMA(d[2], splat(0.25f), d[6]));
    vf odd2 = FMA(d[3], splat(-2.5f), FMA(d[1], splat(0.5f), d[5] + d[5]));
    vf evenHalf = FMA(d[4], splat(-5.0f), FMA(d[2], splat(4.0f), d[6]));
    vf oddHalf = FMA(d[3], splat(-2.5f), FMA(d[5], splat(0.5f), d[1] + d[1]));
    o[0] = FMA(d[4] - d[2], splat(5.25f), d[0] - d[6]);
    o[1] = even1 + odd1;
    o[2] = even1 - odd1;
    o[3] = even2 + odd2;
    o[4] = even2 - odd2;
    o[5] = evenHalf + oddHalf;
    o[6] = evenHalf - oddHalf;
    o[7] = FMA(d[3] - d[5], splat(5.25f), d[7] - d[1]);
  } else {
    vf even1 = FMA(d[4], splat(0.75f), d[2] * splat(-3.0f)), odd1 = FMA(d[3], splat(0.75f), d[1] * splat(-3.0f));
    vf even2 = (d[4] - d[2]) * splat(3.75f), odd2 = (d[3] - d[1]) * splat(7.5f);
    o[0] = FMA(d[4], splat(0.25f), FMA(d[2], splat(-1.25f), d[0]));
    o[1] = even1 + odd1;
    o[2] = even1 - odd1;
    o[3] = even2 + odd2;
    o[4] = even2 - odd2;
    o[7] = FMA(d[3], splat(-5.0f), FMA(d[1], splat(4.0f), d[5]));
  }
}

INLINE void six_from_points(const int size, const vf *m, vf *o) {
  vf sum1 = m[1] + m[2], difference1 = m[1] - m[2], sum2 = m[3] + m[4], difference2 = m[3] - m[4];
  if (size == 6) {
    vf sumHalf = m[5] + m[6], differenceHalf = m[5] - m[6];
    o[0] = ((m[0] + sum1) + sum2) + sumHalf;
    o[1] = FMA(differenceHalf, splat(0.5f), FMA(difference2, splat(2.0f), difference1));
    o[2] = FMA(sumHalf, splat(0.25f), FMA(sum2, splat(4.0f), sum1));
    o[3] = FMA(differenceHalf, splat(0.125f), FMA(difference2, splat(8.0f), difference1));
    o[4] = FMA(sumHalf, splat(0.0625f), FMA(sum2, splat(16.0f), sum1));
    o[5] = FMA(differenceHalf, splat(0.03125f), FMA(difference2, splat(32.0f), difference1)) + m[7];
  } else {
    o[0] = (m[0] + sum1) + sum2;
    o[1] = FMA(difference2, splat(2.0f), difference1);
    o[2] = FMA(sum2, splat(4.0f), sum1);
    o[3] = FMA(difference2, splat(8.0f), difference1) + m[7];
  }
}

INLINE void weights_to_six_points(const vf *w, vf *o) {
  vf outer = w[0] + w[2], twice = FMA(w[2], splat(4.0f), w[0]), half = FMA(w[2], splat(0.25f), w[0]);
  o[0] = w[0];
  o[1] = (outer + w[1]) * splat(-2.0f / 9);
  o[2] = (outer - w[1]) * splat(-2.0f / 9);
  o[3] = FMA(w[1], splat(2.0f), twice) * splat(1.0f / 90);
  o[4] = FMA(w[1], splat(-2.0f), twice) * splat(1.0f / 90);
  o[5] = FMA(w[1], splat(0.5f), half) * splat(32.0f / 45);
  o[6] = FMA(w[1], splat(-0.5f), half) * splat(32.0f / 45);
  o[7] = w[2];
}

static const f32_scheme winograd_four = {
    .large = 4, .small = 3, .points = 6, .stride = 1, .taps = 3, .skipped = 1u << 4, .in = four_to_points, .out = four_from_points};
static const f32_scheme winograd_six = {
    .large = 6, .small = 4, .points = 8, .stride = 1, .taps = 3, .skipped = 3u << 5, .in = six_to_points, .out = six_from_points};

/// 3 × 3 weights to the pairs of a side's `side` points by a transform of one side.
INLINE void pack_points(const size_t side, const float *weights, size_t inputChannels, size_t outputChannels, float *packed,
                        void (*transform)(const vf *w, vf *o)) {
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
        vf half[3][SIDE_MAXIMUM];
        UNROLL for (int x = 0; x < 3; x++) {
          vf column[3] = {load(taps[x] + n), load(taps[3 + x] + n), load(taps[6 + x] + n)};
          transform(column, half[x]);
        }
        UNROLL for (size_t py = 0; py < side; py++) {
          vf row[3] = {half[0][py], half[1][py], half[2][py]}, points[SIDE_MAXIMUM];
          transform(row, points);
          UNROLL for (size_t px = 0; px < side; px++) {
            store(packed + (((py * side + px) * panels + panel) * depth + i) * ERI_PANEL + n, points[px]);
          }
        }
      }
    }
  }
}

static void f32_winograd_pack(eri_winograd_tile tile, const float *weights, size_t inputChannels, size_t outputChannels, float *packed) {
  switch (tile) {
    case ERI_WINOGRAD_TILE_4: pack_points(6, weights, inputChannels, outputChannels, packed, weights_to_four_points); break;
    case ERI_WINOGRAD_TILE_6: pack_points(8, weights, inputChannels, outputChannels, packed, weights_to_six_points); break;
  }
}

/// A tile's inputs begin one pixel before its outputs.
OUTLINE void four_from_image(const eri_tile *tile, const eri_f32_image *input, float *v, size_t pointStride) {
  tile_to_points(winograd_four, ERI_LINE, tile, 1, 1, input, v, pointStride);
}
OUTLINE void six_from_image(const eri_tile *tile, const eri_f32_image *input, float *v, size_t pointStride) {
  tile_to_points(winograd_six, ERI_LINE, tile, 1, 1, input, v, pointStride);
}

INLINE void outputs_of_four(const eri_tile *tile, const float *m, size_t pointStride, const f32_patch *patch) {
  outputs_of_tile(winograd_four, tile, m, pointStride, patch);
}
INLINE void outputs_of_six(const eri_tile *tile, const float *m, size_t pointStride, const f32_patch *patch) {
  outputs_of_tile(winograd_six, tile, m, pointStride, patch);
}
OUTLINE void four_to_image(const eri_tile *tile, const eri_tile *next, const float *m, size_t pointStride, size_t channelBegin,
                           size_t channelEnd, const eri_f32_image *output, const eri_f32_image *residualImage,
                           const eri_f32_epilogue *e) {
  points_to_image(tile, next, m, pointStride, WINOGRAD_ROWS * ERI_PANEL, channelBegin, channelEnd, output, residualImage, e,
                  outputs_of_four);
}
OUTLINE void six_to_image(const eri_tile *tile, const eri_tile *next, const float *m, size_t pointStride, size_t channelBegin,
                          size_t channelEnd, const eri_f32_image *output, const eri_f32_image *residualImage,
                          const eri_f32_epilogue *e) {
  points_to_image(tile, next, m, pointStride, WINOGRAD_ROWS * ERI_PANEL, channelBegin, channelEnd, output, residualImage, e,
                  outputs_of_six);
}

/// The panels panelBegin..<panelEnd of all points.
INLINE void multiply_all_points(const f32_scheme s, size_t depth, size_t panels, size_t panelBegin, size_t panelEnd,
                                const eri_tile_group *tiles, const float *packed, const float *v, size_t vStride, float *m,
                                size_t mStride) {
  size_t some = panelEnd - panelBegin;
  for (int p = 0; p < s.points * s.points; p++) {
    bool high = !has_point(s, s.small, p / s.points), wide = !has_point(s, s.small, p % s.points);
    eri_tile_rows rows = eri_rows_with_point(tiles, high, wide);
    const float *u = packed + ((size_t)p * panels + panelBegin) * depth * ERI_PANEL, *from = v + (size_t)p * vStride;
    float *to = m + (size_t)p * mStride;
    size_t panel = 0;
    for (; panel + PANELS <= some; panel += PANELS) {
      multiply_tiles(PANELS, depth, rows, some, from, u + panel * depth * ERI_PANEL, to + panel * WINOGRAD_ROWS * ERI_PANEL);
    }
    for (; PANELS > 1 && panel < some; panel++) {
      multiply_tiles(1, depth, rows, some, from, u + panel * depth * ERI_PANEL, to + panel * WINOGRAD_ROWS * ERI_PANEL);
    }
  }
}

static void f32_winograd(eri_winograd_tile tile, const eri_f32_image *input, const float *packed, const eri_f32_image *output,
                         const eri_f32_image *residualImage, const eri_f32_epilogue *e, size_t imageBegin,
                         size_t imageEnd, size_t channelBegin, size_t channelEnd, float *scratch) {
  if (!residualImage) residualImage = output;
  bool six = tile == ERI_WINOGRAD_TILE_6;
  eri_winograd_side vertical = eri_winograd_cut(tile, output->height), horizontal = eri_winograd_cut(tile, output->width);
  size_t perImage = vertical.count * horizontal.count, tiles = perImage * (imageEnd - imageBegin);
  size_t most = eri_winograd_group(tile, input->channels, output->channels, tiles);
  size_t groupSize = eri_whole_rows(&vertical, &horizontal, most, WINOGRAD_ROWS);
  size_t depth = eri_round_up(input->channels, DEPTH), panels = eri_ceil_div(output->channels, ERI_PANEL);
  // One more cache line per point, so that the many streams of a transform do not fall on the same cache sets.
  size_t vStride = groupSize * depth + ERI_LINE;
  size_t mStride = groupSize * eri_minimum(panels, ERI_WINOGRAD_PANELS) * ERI_PANEL + ERI_LINE;
  float *v = eri_align(scratch), *m = v + eri_winograd_points(tile) * vStride;
  size_t panelEnd = eri_ceil_div(channelEnd, ERI_PANEL);

  for (size_t begin = 0; begin < tiles; begin += groupSize) {
    size_t count = eri_minimum(groupSize, tiles - begin);
    eri_tile_group group;
    eri_collect_tiles(&group, imageBegin * perImage + begin, count, &vertical, &horizontal);
    for (size_t i = 0; i < count; i++) {
      float *row = v + i / WINOGRAD_ROWS * (WINOGRAD_ROWS * depth) + i % WINOGRAD_ROWS * DEPTH;
      (six ? six_from_image : four_from_image)(&group.list[i], input, row, vStride);
    }
    // Some panels at a time, so that their results take less room; each takes the tiles' points once more.
    for (size_t panel = channelBegin / ERI_PANEL; panel < panelEnd; panel += ERI_WINOGRAD_PANELS) {
      size_t end = eri_minimum(panel + ERI_WINOGRAD_PANELS, panelEnd);
      if (six) {
        multiply_all_points(winograd_six, depth, panels, panel, end, &group, packed, v, vStride, m, mStride);
      } else {
        multiply_all_points(winograd_four, depth, panels, panel, end, &group, packed, v, vStride, m, mStride);
      }
      for (size_t i = 0; i < count; i++) {
        const float *row = m + i / WINOGRAD_ROWS * (WINOGRAD_ROWS * (end - panel) * ERI_PANEL) + i % WINOGRAD_ROWS * ERI_PANEL;
        (six ? six_to_image : four_to_image)(&group.list[i], &group.list[eri_minimum(i + 1, count - 1)], row, mStride, panel * ERI_PANEL,
                                             eri_minimum(end * ERI_PANEL, channelEnd), output, residualImage, e);
      }
    }
  }
}
