// 3×3 convolution of stride 2 in tiles of 4 and 3: outputs i = w0 x[2i] + w1 x[2i+1] + w2 x[2i+2], so even inputs meet two weights
// and go by Winograd's F(4, 2) at the points 0, 1, -1, 1/2 and infinity, while odd inputs meet one and are multiplied as they are.
//
// A side of a tile of 4 has 9 places, 5 points of the even inputs and 4 odd inputs; a tile of 3 leaves out the point 1/2 and the
// fourth odd input. A side of the weights has 6: 5 points and the middle weight. Layout as in winograd.h, for 81 places and 36
// weights; M holds a few panels at a time.

enum {
  EVEN_POINTS = 5,
  PLACES = ERI_STRIDED_PLACES,  // of a side
  HALF_POINT = 3,               // the point 1/2 and …
  FOURTH = 8,                   // … the fourth odd input, which only tiles of 4 have
};

INLINE void places_of_inputs(const int size, const vf *d, vf *o) {
  vf g0 = d[4] - d[0], g1 = d[6] - d[2];
  if (size == 4) {
    vf g2 = d[8] - d[4], t0 = FMA(d[2], splat(-0.5f), d[4]), t1 = FMA(d[4], splat(-0.5f), d[6]);
    o[0] = FMA(g0, splat(-0.5f), g1);
    o[1] = t1 + t0;
    o[2] = t1 - t0;
    o[HALF_POINT] = g1;
    o[4] = FMA(g1, splat(-0.5f), g2);
    o[FOURTH] = d[7];
  } else {
    o[0] = g0 * splat(-0.5f);
    o[1] = (d[4] + d[2]) * splat(0.5f);
    o[2] = (d[4] - d[2]) * splat(-1.5f);
    o[4] = g1;
  }
  UNROLL for (int i = 0; i < 3; i++) o[EVEN_POINTS + i] = d[2 * i + 1];
}

INLINE void outputs_of_places(const int size, const vf *m, vf *o) {
  vf sum = m[1] + m[2], difference = m[1] - m[2];
  if (size == 4) {
    o[0] = ((m[0] + sum) + m[3]) + m[5];
    o[1] = FMA(m[3], splat(0.5f), difference) + m[6];
    o[2] = FMA(m[3], splat(0.25f), sum) + m[7];
    o[3] = (FMA(m[3], splat(0.125f), difference) + m[4]) + m[8];
  } else {
    o[0] = (m[0] + sum) + m[5];
    o[1] = difference + m[6];
    o[2] = (sum + m[4]) + m[7];
  }
}

/// Three weights: the outer two at the points, divided by each point's distances to the others, and the middle one.
INLINE void places_of_weights(const vf *w, vf *o) {
  o[0] = w[0] * splat(2.0f);
  o[1] = w[0] + w[2];
  o[2] = (w[0] - w[2]) * splat(-1.0f / 3);
  o[HALF_POINT] = FMA(w[2], splat(0.5f), w[0]) * splat(-8.0f / 3);
  o[4] = w[2];
  o[EVEN_POINTS] = w[1];
}

static void f32_winograd2_pack(const float *weights, size_t inputChannels, size_t outputChannels, float *packed) {
  pack_points(6, weights, inputChannels, outputChannels, packed, places_of_weights);
}

static const f32_scheme strided = {.large = 4,
                                   .small = 3,
                                   .points = PLACES,
                                   .stride = 2,
                                   .taps = 3,
                                   .skipped = 1u << HALF_POINT | 1u << FOURTH,
                                   .in = places_of_inputs,
                                   .out = outputs_of_places};

OUTLINE void strided_from_image(const eri_tile *tile, const eri_window *w, const eri_f32_image *input, float *v,
                                size_t placeStride) {
  tile_to_points(strided, 0, tile, w->padTop, w->padLeft, input, v, placeStride);
}
INLINE void outputs_at_stride_two(const eri_tile *tile, const float *m, size_t placeStride, const f32_patch *patch) {
  outputs_of_tile(strided, tile, m, placeStride, patch);
}
OUTLINE void strided_to_image(const eri_tile *tile, const eri_tile *next, const float *m, size_t placeStride, size_t channelBegin,
                              size_t channelEnd, const eri_f32_image *output, const eri_f32_image *residualImage,
                              const eri_f32_epilogue *e) {
  points_to_image(tile, next, m, placeStride, WINOGRAD_ROWS * ERI_PANEL, channelBegin, channelEnd, output, residualImage, e,
                  outputs_at_stride_two);
}

/// `panels` of the `some` panels of the place p / 6, p % 6 of the weights, and all places of odd inputs that share them.
INLINE void multiply_places(const int panels, size_t p, size_t depth, size_t some, const eri_tile_group *tiles, const float *u,
                            const float *v, size_t vStride, float *m, size_t mStride) {
  size_t firstY = p / 6, endY = firstY < EVEN_POINTS ? firstY + 1 : PLACES;
  size_t firstX = p % 6, endX = firstX < EVEN_POINTS ? firstX + 1 : PLACES;
  for (size_t y = firstY; y < endY; y++) {
    for (size_t x = firstX; x < endX; x++) {
      eri_tile_rows rows = eri_rows_with_point(tiles, y == HALF_POINT || y == FOURTH, x == HALF_POINT || x == FOURTH);
      size_t place = y * PLACES + x;
      multiply_tiles(panels, depth, rows, some, v + place * vStride, u, m + place * mStride);
    }
  }
}

/// The panels panelBegin..<panelEnd of all places.
OUTLINE void multiply_all_places(size_t depth, size_t panels, size_t panelBegin, size_t panelEnd, const eri_tile_group *tiles,
                                 const float *packed, const float *v, size_t vStride, float *m, size_t mStride) {
  size_t some = panelEnd - panelBegin;
  for (size_t p = 0; p < ERI_WINOGRAD_POINTS; p++) {
    const float *u = packed + (p * panels + panelBegin) * depth * ERI_PANEL;
    size_t panel = 0;
    for (; panel + PANELS <= some; panel += PANELS) {
      multiply_places(PANELS, p, depth, some, tiles, u + panel * depth * ERI_PANEL, v, vStride, m + panel * WINOGRAD_ROWS * ERI_PANEL,
                      mStride);
    }
    for (; PANELS > 1 && panel < some; panel++) {
      multiply_places(1, p, depth, some, tiles, u + panel * depth * ERI_PANEL, v, vStride, m + panel * WINOGRAD_ROWS * ERI_PANEL, mStride);
    }
  }
}

static void f32_winograd2(const eri_window *w, const eri_f32_image *input, const float *packed, const eri_f32_image *output,
                          const eri_f32_image *residualImage, const eri_f32_epilogue *e, size_t imageBegin,
                          size_t imageEnd, size_t channelBegin, size_t channelEnd, float *scratch) {
  if (!residualImage) residualImage = output;
  eri_winograd_side vertical = eri_strided_cut(output->height), horizontal = eri_strided_cut(output->width);
  size_t perImage = vertical.count * horizontal.count, tiles = perImage * (imageEnd - imageBegin);
  size_t groupSize = eri_whole_rows(&vertical, &horizontal, eri_strided_group(tiles), WINOGRAD_ROWS);
  size_t depth = eri_round_up(input->channels, DEPTH), panels = eri_ceil_div(output->channels, ERI_PANEL);
  size_t vStride = groupSize * depth + ERI_LINE, mStride = groupSize * ERI_STRIDED_PANELS * ERI_PANEL + ERI_LINE;
  float *v = eri_align(scratch), *m = v + PLACES * PLACES * vStride;
  size_t panelEnd = eri_ceil_div(channelEnd, ERI_PANEL);

  for (size_t begin = 0; begin < tiles; begin += groupSize) {
    size_t count = eri_minimum(groupSize, tiles - begin);
    eri_tile_group group;
    eri_collect_tiles(&group, imageBegin * perImage + begin, count, &vertical, &horizontal);
    for (size_t i = 0; i < count; i++) {
      size_t row = i / WINOGRAD_ROWS * (WINOGRAD_ROWS * depth) + i % WINOGRAD_ROWS * DEPTH;
      strided_from_image(&group.list[i], w, input, v + row, vStride);
    }
    for (size_t panel = channelBegin / ERI_PANEL; panel < panelEnd; panel += ERI_STRIDED_PANELS) {
      size_t end = eri_minimum(panel + ERI_STRIDED_PANELS, panelEnd);
      multiply_all_places(depth, panels, panel, end, &group, packed, v, vStride, m, mStride);
      for (size_t i = 0; i < count; i++) {
        size_t row = i / WINOGRAD_ROWS * (WINOGRAD_ROWS * (end - panel) * ERI_PANEL) + i % WINOGRAD_ROWS * ERI_PANEL;
        strided_to_image(&group.list[i], &group.list[eri_minimum(i + 1, count - 1)], m + row, mStride, panel * ERI_PANEL,
                         eri_minimum(end * ERI_PANEL, channelEnd), output, residualImage, e);
      }
    }
  }
}
