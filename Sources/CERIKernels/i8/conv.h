// Products of matrices, and direct convolution as an implicit product whose rows are output pixels. A table holds, for every tap
// and pixel of a block, where the pixel's input starts; taps outside the image point to zero points. Of few channels each pixel's window
// is copied (merged.h).

static void i8_gemm_pack(const int8_t *b, size_t strideK, size_t strideN, size_t k, size_t n, void *packed) {
  eri_i8_layout layout = eri_i8_layout_of(1, 1, k, n);
  uint8_t *bytes = packed;
  int32_t *sums = packed;
  i8_limits *limits = (i8_limits *)(void *)(bytes + layout.limits);
  for (size_t panel = 0; panel < layout.panels; panel++) {
    size_t column = panel * ERI_PANEL;
    pack_panel(b + column * strideN, 1, 0, k, k, strideK, eri_minimum(n - column, ERI_PANEL), strideN,
               bytes + layout.data + panel * layout.panelBytes, sums + column, limits + panel);
  }
}

/// Rows or pixels of the next block: a last block of few would read all weights for little, so the one before leaves it some.
INLINE size_t block_rows(size_t left) {
  const size_t few = ERI_I8_BLOCK / 6, most = ERI_I8_BLOCK / 3 * 2;
  return left > ERI_I8_BLOCK && left < ERI_I8_BLOCK + few ? most : eri_minimum(left, ERI_I8_BLOCK);
}

INLINE void gemm(const i8_block_multiplier multiply, size_t m, size_t n, size_t k, const uint8_t *a, size_t lda, const void *packed,
                 uint8_t *bytes, float *floats, size_t ldc, const eri_i8_epilogue *e) {
  eri_i8_layout layout = eri_i8_layout_of(1, 1, k, n);
  i8_weights weights = weights_at(&layout, packed, 0, n);
  i8_finish finish = finish_of(e, bytes != NULL);
  const uint8_t *table[ERI_I8_BLOCK];
  i8_place places[ERI_I8_BLOCK];
  for (size_t row = 0, count; row < m; row += count) {
    count = block_rows(m - row);
    for (size_t i = 0; i < ERI_I8_BLOCK; i++) {
      size_t at = row + eri_minimum(i, count - 1);
      table[i] = a + at * lda;
      places[i] = place_of(bytes, floats, e, at * ldc, at * e->residualStride);
    }
    i8_block block = {.rows = count, .taps = 1, .length = k, .stride = ERI_I8_BLOCK};
    multiply(&block, table, &weights, e->inputZero, &finish, 0, places);
  }
}

static void i8_gemm(size_t m, size_t n, size_t k, const uint8_t *a, size_t lda, const void *packed, uint8_t *bytes,
                    float *floats, size_t ldc, const eri_i8_epilogue *e) {
  gemm(multiply_block, m, n, k, a, lda, packed, bytes, floats, ldc, e);
}

/// Packed weights; depthwise [tap][channel rounded up to 16].
static void i8_conv_pack(const eri_window *w, const int8_t *weights, size_t inputChannels, size_t outputChannels,
                         void *packed) {
  size_t taps = w->kernelHeight * w->kernelWidth, depth = inputChannels / w->groups, wide = outputChannels / w->groups;
  uint8_t *bytes = packed;
  if (eri_window_depthwise(w, inputChannels, outputChannels)) {
    size_t padded = eri_round_up(inputChannels, ERI_PANEL);
    for (size_t tap = 0; tap < taps; tap++) {
      for (size_t c = 0; c < padded; c++) {
        bytes[tap * padded + c] = c < inputChannels ? (uint8_t)weights[c * taps + tap] : 0;
      }
    }
    return;
  }
  eri_i8_layout layout = eri_i8_conv_layout(w, inputChannels, outputChannels);
  size_t blocks = eri_i8_window_merges(w, inputChannels) ? 1 : taps;
  int32_t *sums = packed;
  i8_limits *limits = (i8_limits *)(void *)(bytes + layout.limits);
  for (size_t group = 0; group < w->groups; group++) {
    for (size_t panel = 0; panel < layout.panels; panel++) {
      size_t column = panel * ERI_PANEL, index = group * layout.panels + panel;
      pack_panel(weights + (group * wide + column) * depth * taps, blocks, 1, taps / blocks * depth, depth, taps,
                 eri_minimum(wide - column, ERI_PANEL), depth * taps, bytes + layout.data + index * layout.panelBytes,
                 sums + index * ERI_PANEL, limits + index);
    }
  }
}

/// One input channel per output channel: channels side by side in the vectors.
OUTLINE void conv_depthwise(const eri_window *w, const eri_i8_image *input, const uint8_t *packed,
                            const eri_i8_output *output, const eri_i8_epilogue *e, size_t rowBegin, size_t rowEnd) {
  size_t channels = input->channels, padded = eri_round_up(channels, ERI_PANEL);
  i8_finish finish = finish_of(e, output->bytes != NULL);
  typedef int8_t vs __attribute__((ext_vector_type(LANES), aligned(1), may_alias));
  for (size_t pixel = rowBegin * output->width; pixel < rowEnd * output->width; pixel++) {
    size_t line = pixel / output->width, x0 = pixel % output->width;
    size_t image = line / output->height, y0 = line % output->height;
    i8_place place = place_at(output, e, image, y0, x0);
    for (size_t c = 0; c < channels; c += LANES) {
      vi sum = (vi)0;
      for (size_t ky = 0; ky < w->kernelHeight; ky++) {
        size_t y = y0 * w->strideHeight + ky * w->dilationHeight;
        if (y < w->padTop || y - w->padTop >= input->height) continue;
        for (size_t kx = 0; kx < w->kernelWidth; kx++) {
          size_t x = x0 * w->strideWidth + kx * w->dilationWidth;
          if (x < w->padLeft || x - w->padLeft >= input->width) continue;
          const uint8_t *in = pixel_at(input, image, y - w->padTop, x - w->padLeft) + c;
          const uint8_t *weights = packed + (ky * w->kernelWidth + kx) * padded + c;
          vi a = load_some_bytes(in, channels - c) - (vi)e->inputZero;
          sum += a * __builtin_convertvector(*(const vs *)weights, vi);
        }
      }
      vf plain = __builtin_convertvector(sum, vf);
      finish.rows(&finish.constants, &plain, LANES, NULL, 1, &place, c, eri_minimum(channels - c, LANES));
    }
  }
}

/// Points table[tap * ERI_I8_BLOCK + i] to the channels of each tap of `count` output pixels of one row, from x0 on.
INLINE void point_run(const uint8_t **table, size_t count, const eri_window *w, const eri_i8_image *input, size_t image,
                      size_t y0, size_t x0, const uint8_t *zeros) {
  for (size_t ky = 0; ky < w->kernelHeight; ky++) {
    size_t y = y0 * w->strideHeight + ky * w->dilationHeight;
    bool blank = y < w->padTop || y - w->padTop >= input->height;
    const uint8_t *line = blank ? zeros : pixel_at(input, image, y - w->padTop, 0);
    for (size_t kx = 0; kx < w->kernelWidth; kx++, table += ERI_I8_BLOCK) {
      size_t reach = kx * w->dilationWidth, x = x0 * w->strideWidth + reach, i = 0;
      for (; i < count && (blank || x < w->padLeft); i++, x += w->strideWidth) table[i] = zeros;
      for (; i < count && x - w->padLeft < input->width; i++, x += w->strideWidth) {
        table[i] = line + (x - w->padLeft) * input->channels;
      }
      for (; i < count; i++) table[i] = zeros;
    }
  }
}

INLINE void conv(const i8_block_multiplier multiply, const eri_window *w, const eri_i8_image *input, const void *packed,
                 const eri_i8_output *output, const eri_i8_epilogue *e, size_t rowBegin, size_t rowEnd, void *scratch) {
  if (eri_window_depthwise(w, input->channels, output->channels)) {
    conv_depthwise(w, input, packed, output, e, rowBegin, rowEnd);
    return;
  }
  size_t taps = w->kernelHeight * w->kernelWidth, depth = input->channels / w->groups;
  size_t wide = output->channels / w->groups;
  uint8_t *zeros = eri_i8_align(scratch);
  size_t zeroCount = eri_i8_zero_count(w, input->channels);
  const uint8_t **table = (const uint8_t **)(void *)(zeros + zeroCount);
  bool merges = eri_i8_window_merges(w, input->channels);
  size_t step = 0;
  if (merges) {
    taps = 1;
    depth = eri_i8_merged_length(w, input->channels);
    step = eri_i8_merged_step(w, input->channels);
  }
  uint8_t *copies = (uint8_t *)(table + taps * ERI_I8_BLOCK);
  uint8_t *stage = merges ? NULL : eri_i8_align(copies);
  memset(zeros, e->inputZero, zeroCount);
  eri_i8_layout layout = eri_i8_conv_layout(w, input->channels, output->channels);
  i8_finish finish = finish_of(e, output->bytes != NULL);
  size_t outStep = output_step(output), residualStep = residual_step(output, e);
  i8_place places[ERI_I8_BLOCK];
  size_t end = rowEnd * output->width;
  for (size_t pixel = rowBegin * output->width, count; pixel < end; pixel += count) {
    count = block_rows(end - pixel);
    for (size_t at = 0, run; at < count; at += run) {
      size_t line = (pixel + at) / output->width, x = (pixel + at) % output->width;
      size_t image = line / output->height, y = line % output->height;
      run = eri_minimum(count - at, output->width - x);
      place_run(places + at, run, place_at(output, e, image, y, x), outStep, residualStep);
      if (merges) {
        for (size_t i = 0; i < run; i++) table[at + i] = copies + (at + i) * step;
        copy_windows(copies + at * step, step, run, w, input, image, y, x, zeros);
      } else {
        point_run(table + at, run, w, input, image, y, x, zeros);
      }
    }
    // Where the micro-kernel takes more rows than the block has, it repeats the last.
    size_t whole = eri_round_up(count, ROWS);
    for (size_t tap = 0; tap < taps; tap++) {
      const uint8_t **row = table + tap * ERI_I8_BLOCK;
      for (size_t i = count; i < whole; i++) row[i] = row[count - 1];
    }
    i8_block block = {.rows = count, .taps = taps, .length = depth, .stride = ERI_I8_BLOCK, .stage = stage};
    for (size_t group = 0; group < w->groups; group++) {
      if (group) {  // the same pixels, the next channels
        for (size_t tap = 0; tap < taps; tap++) {
          for (size_t i = 0; i < whole; i++) table[tap * ERI_I8_BLOCK + i] += depth;
        }
      }
      i8_weights weights = weights_at(&layout, packed, group, wide);
      multiply(&block, table, &weights, e->inputZero, &finish, group * wide, places);
    }
  }
}

static void i8_conv(const eri_window *w, const eri_i8_image *input, const void *packed, const eri_i8_output *output,
                    const eri_i8_epilogue *e, size_t rowBegin, size_t rowEnd, void *scratch) {
  conv(multiply_block, w, input, packed, output, e, rowBegin, rowEnd, scratch);
}
