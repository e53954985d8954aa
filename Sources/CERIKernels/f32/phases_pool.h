// The maximum over 3 × 3 at stride 2, with a row and a column of padding before the first, of a convolution over phases. A tile's
// maxima need one row and one column of its neighbours: what was computed before is kept, so that no output of the convolution
// goes to memory. Bias and lower bound rise with their argument, so they come after the maximum.

typedef struct {
  const eri_f32_image *output;
  const eri_f32_epilogue *epilogue;
  size_t height, width;  // of the convolution's outputs
  size_t bands;          // of an image
  size_t bandBegin;      // of the band before only the last row counts
  size_t stride;         // channels in whole panels
  float *row;            // the last row of the band above, [column][channel]
  float *column;         // the last column of the tile to the left, its maxima along y for two pooled rows, [2][channel]
} f32_phases_pool;

/// The greater, or NaN where either is.
INLINE vf maximum_or_nan(vf a, vf b) {
  vf greater = maximum(a, b);
  return a != a ? a : greater;
}

/// LANES channels of a tile: `whole` if all its outputs and pooled outputs lie inside and a tile lies above and to the left.
INLINE void pool_tile(const f32_phases_pool *to, const eri_tile *tile, const bool whole, size_t channel, const float *halves) {
  const eri_f32_image *image = to->output;
  const eri_f32_epilogue *e = to->epilogue;
  const vf none = splat(-__builtin_inff());
  bool pools = whole || tile->image * to->bands + tile->y / 4 >= to->bandBegin;
  bool first = !whole && tile->x == 0, top = !whole && tile->y == 0;
  bool bounded = e->first == ERI_ACTIVATION_RELU || e->second == ERI_ACTIVATION_RELU;
  size_t some = image->channels - channel, line = row_floats(image);
  vf bias = e->bias ? load_some(e->bias + channel, some) : splat(0.0f), floor = bounded ? splat(0.0f) : none;
  float *above = to->row + tile->x * to->stride + channel, *left = to->column + channel;
  float *out = image->data + pixel_offset(image, tile->image, tile->y / 2, tile->x / 2) + channel;
  vf maxima[4];
  UNROLL for (int x = 0; x < 4; x++) maxima[x] = top ? none : load(above + (size_t)x * to->stride);
  UNROLL for (int y = 0; y < 4; y++) {
    vf points[PHASE_SIDE], outputs[4];
    UNROLL for (int px = 0; px < PHASE_SIDE; px++) points[px] = load(halves + (y * PHASE_SIDE + px) * PHASE_PLACE);
    phases_from_points(4, points, outputs);
    UNROLL for (int x = 0; x < 4; x++) {
      bool outside = !whole && (tile->y + (size_t)y >= to->height || tile->x + (size_t)x >= to->width);
      if (outside) outputs[x] = none;
      maxima[x] = maximum_or_nan(maxima[x], outputs[x]);
      if (y == 3) store(above + (size_t)x * to->stride, outputs[x]);
    }
    if (y % 2 == 0) continue;
    vf before = first ? none : load(left);
    vf pooled[2] = {maximum_or_nan(maximum_or_nan(before, maxima[0]), maxima[1]),
                    maximum_or_nan(maximum_or_nan(maxima[1], maxima[2]), maxima[3])};
    store(left, maxima[3]);
    UNROLL for (int x = 0; x < 2; x++) {
      bool inside = tile->y / 2 + (size_t)y / 2 < image->height && tile->x / 2 + (size_t)x < image->width;
      vf value = pooled[x] + bias;
      value = value < floor ? floor : value;
      if (whole || (pools && inside)) store_some(out + (size_t)x * image->channels, value, some);
    }
    UNROLL for (int x = 0; x < 4; x++) maxima[x] = outputs[x];
    left += to->stride;
    out += line;
  }
}

OUTLINE void phases_to_pool(const void *target, const eri_tile *tile, const eri_tile *next, size_t channelBegin, size_t channelEnd,
                            const float *halves) {
  const f32_phases_pool *to = target;
  (void)next;
  bool inside = tile->y && tile->y + 4 <= eri_minimum(to->height, 2 * to->output->height) && tile->x &&
                tile->x + 4 <= eri_minimum(to->width, 2 * to->output->width);
  bool whole = inside && tile->image * to->bands + tile->y / 4 >= to->bandBegin;
  for (size_t c = channelBegin; c < channelEnd; c += LANES, halves += LANES) {
    if (whole) {
      pool_tile(to, tile, true, c, halves);
    } else {
      pool_tile(to, tile, false, c, halves);
    }
  }
}

static void f32_conv_phases_pooled(const eri_window *w, const float *input, size_t channels, size_t height, size_t width,
                                   const float *packed, size_t outputHeight, size_t outputWidth,
                                   const eri_f32_image *pooled, const eri_f32_epilogue *e, size_t bandBegin, size_t bandEnd,
                                   float *scratch) {
  f32_phases k = {w, input, channels, height, width, packed, outputHeight, outputWidth, pooled->channels};
  size_t bands = eri_ceil_div(outputHeight, 4), stride = eri_round_up(pooled->channels, ERI_PANEL);
  float *row = eri_align(scratch), *column = row + eri_round_up(outputWidth, 4) * stride;
  f32_phases_pool target = {pooled, e, outputHeight, outputWidth, bands, bandBegin, stride, row, column};
  // The row above comes from the band before, unless an image begins here.
  bool inside = bandBegin < bandEnd && bandBegin % bands;
  convolve_phases(&k, bandBegin - inside, bandEnd, column + 2 * stride, phases_to_pool, &target);
}
