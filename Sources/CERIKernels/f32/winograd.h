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

/// 3 × 3 weights to the pairs of a side's six points by a transform of one side.
INLINE void pack_points(const float *weights, size_t inputChannels, size_t outputChannels, float *packed,
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
        vf half[3][SIDE];
        UNROLL for (int x = 0; x < 3; x++) {
          vf column[3] = {load(taps[x] + n), load(taps[3 + x] + n), load(taps[6 + x] + n)};
          transform(column, half[x]);
        }
        UNROLL for (int py = 0; py < SIDE; py++) {
          vf row[3] = {half[0][py], half[1][py], half[2][py]}, points[SIDE];
          transform(row, points);
          UNROLL for (int px = 0; px < SIDE; px++) {
            store(packed + (((size_t)(py * SIDE + px) * panels + panel) * depth + i) * ERI_PANEL + n, points[px]);
          }
        }
      }
    }
  }
}

static void f32_winograd_pack(const float *weights, size_t inputChannels, size_t outputChannels, float *packed) {
  pack_points(weights, inputChannels, outputChannels, packed, weights_to_points);
}

INLINE void transform_input(const int high, const int wide, const float *in, size_t rowStride, size_t pixelStride,
                            float *v, size_t pointStride) {
  points_of_inputs(SIDE, 1u << SKIPPED, to_points, high, wide, high + 2, wide + 2, ERI_LINE, in, rowStride,
                   pixelStride, v, pointStride);
}
INLINE void transform_output(const int high, const int wide, const float *m, size_t pointStride, const f32_patch *patch) {
  outputs_of_points(SIDE, 1u << SKIPPED, from_points, high, wide, m, pointStride, patch);
}

INLINE void inputs_at_unit_stride(const eri_tile *tile, const float *in, size_t rowStride, size_t pixelStride, float *v,
                                  size_t pointStride) {
  ERI_FOR_TILE_SIZE(tile, transform_input, in, rowStride, pixelStride, v, pointStride)
}
INLINE void outputs_at_unit_stride(const eri_tile *tile, const float *m, size_t pointStride, const f32_patch *patch) {
  ERI_FOR_TILE_SIZE(tile, transform_output, m, pointStride, patch)
}
/// A tile's inputs begin one pixel before its outputs.
OUTLINE void unit_from_image(const eri_tile *tile, const eri_f32_image *input, float *v, size_t pointStride) {
  tile_to_points(tile, (ptrdiff_t)tile->y - 1, (ptrdiff_t)tile->x - 1, tile->high + 2, tile->wide + 2, SIDE, input, v,
                 pointStride, inputs_at_unit_stride);
}
OUTLINE void unit_to_image(const eri_tile *tile, const eri_tile *next, const float *m, size_t pointStride, size_t channelBegin,
                           size_t channelEnd, const eri_f32_image *output, const eri_f32_image *residualImage,
                           const eri_f32_epilogue *e) {
  points_to_image(tile, next, m, pointStride, WINOGRAD_ROWS * ERI_PANEL, channelBegin, channelEnd, output, residualImage, e,
                  outputs_at_unit_stride);
}

/// The panels panelBegin..<panelEnd of all points.
OUTLINE void multiply_all_points(size_t depth, size_t panels, size_t panelBegin, size_t panelEnd, const eri_tile_group *tiles,
                                 const float *packed, const float *v, size_t vStride, float *m, size_t mStride) {
  size_t some = panelEnd - panelBegin;
  for (size_t p = 0; p < ERI_WINOGRAD_POINTS; p++) {
    eri_tile_rows rows = eri_rows_with_point(tiles, p / SIDE == SKIPPED, p % SIDE == SKIPPED);
    size_t begin = rows.begin / WINOGRAD_ROWS, end = eri_ceil_div(rows.end, WINOGRAD_ROWS);
    for (size_t panel = 0; panel < some; panel++) {
      const float *u = packed + (p * panels + panelBegin + panel) * depth * ERI_PANEL;
      for (size_t group = begin; group < end; group++) {
        multiply_points(depth / DEPTH, v + p * vStride + group * depth * WINOGRAD_ROWS, u,
                        m + p * mStride + (group * some + panel) * WINOGRAD_ROWS * ERI_PANEL);
      }
    }
  }
}

static void f32_winograd(const eri_f32_image *input, const float *packed, const eri_f32_image *output,
                         const eri_f32_image *residualImage, const eri_f32_epilogue *e, size_t imageBegin,
                         size_t imageEnd, size_t channelBegin, size_t channelEnd, float *scratch) {
  if (!residualImage) residualImage = output;
  eri_winograd_side vertical = eri_winograd_cut(output->height), horizontal = eri_winograd_cut(output->width);
  size_t perImage = vertical.count * horizontal.count, tiles = perImage * (imageEnd - imageBegin);
  size_t groupSize = whole_rows(eri_winograd_group(input->channels, output->channels, tiles));
  size_t depth = eri_round_up(input->channels, DEPTH), panels = eri_ceil_div(output->channels, ERI_PANEL);
  // One more cache line per point, so that the 36 streams of a transform do not fall on the same cache sets.
  size_t vStride = groupSize * depth + ERI_LINE, mStride = groupSize * panels * ERI_PANEL + ERI_LINE;
  float *v = eri_align(scratch), *m = v + ERI_WINOGRAD_POINTS * vStride;
  size_t panelBegin = channelBegin / ERI_PANEL, panelEnd = eri_ceil_div(channelEnd, ERI_PANEL);

  for (size_t begin = 0; begin < tiles; begin += groupSize) {
    size_t count = eri_minimum(groupSize, tiles - begin);
    eri_tile_group group;
    eri_collect_tiles(&group, imageBegin * perImage + begin, count, &vertical, &horizontal);
    for (size_t i = 0; i < count; i++) {
      size_t row = i / WINOGRAD_ROWS * (WINOGRAD_ROWS * depth) + i % WINOGRAD_ROWS * DEPTH;
      unit_from_image(&group.list[i], input, v + row, vStride);
    }
    multiply_all_points(depth, panels, panelBegin, panelEnd, &group, packed, v, vStride, m, mStride);
    for (size_t i = 0; i < count; i++) {
      size_t row = i / WINOGRAD_ROWS * (WINOGRAD_ROWS * (panelEnd - panelBegin) * ERI_PANEL) + i % WINOGRAD_ROWS * ERI_PANEL;
      unit_to_image(&group.list[i], &group.list[eri_minimum(i + 1, count - 1)], m + row, mStride, channelBegin, channelEnd, output,
                    residualImage, e);
    }
  }
}
