// Direct convolution: an implicit GEMM whose rows are output pixels. A table holds, for every tap and pixel of a block, where
// the pixel's input starts; taps outside the image point to zeros.

INLINE void point_all(const float **table, size_t begin, size_t end, const float *address) {
  for (size_t i = begin; i < end; i++) table[i] = address;
}
INLINE void point_each(const float **table, size_t begin, size_t end, const float *base, size_t step) {
  for (size_t i = begin; i < end; i++) table[i] = base + i * step;
}

/// Where a block's pixels and residuals lie.
typedef struct {
  float *out[ERI_BLOCK];
  const float *residual[ERI_BLOCK];
} f32_places;

INLINE void place_run(f32_places *places, size_t at, const f32_run *run, const eri_f32_image *output,
                      const eri_f32_image *residualImage, const float *residual) {
  float *out = output->data + pixel_offset(output, run->image, run->y, run->x);
  for (size_t i = 0; i < run->count; i++) places->out[at + i] = out + i * output->channels;
  if (residual) {
    residual += pixel_offset(residualImage, run->image, run->y, run->x);
    for (size_t i = 0; i < run->count; i++) places->residual[at + i] = residual + i * residualImage->channels;
  }
}

/// Packed weights [group][panel][tap][input channel][16]; depthwise [tap][channel rounded up to 16].
static void f32_conv_pack(const eri_window *w, const float *weights, size_t inputChannels, size_t outputChannels,
                          float *packed) {
  size_t taps = w->kernelHeight * w->kernelWidth, depth = inputChannels / w->groups, wide = outputChannels / w->groups;
  if (eri_window_depthwise(w, inputChannels, outputChannels)) {
    size_t padded = eri_round_up(inputChannels, ERI_PANEL);
    for (size_t tap = 0; tap < taps; tap++) {
      for (size_t c = 0; c < padded; c++) packed[tap * padded + c] = c < inputChannels ? weights[c * taps + tap] : 0;
    }
    return;
  }
  for (size_t group = 0; group < w->groups; group++) {
    const float *source = weights + group * wide * depth * taps;
    for (size_t column = 0; column < wide; column += ERI_PANEL) {
      size_t columns = eri_minimum(wide - column, ERI_PANEL);
      for (size_t tap = 0; tap < taps; tap++, packed += depth * ERI_PANEL) {
        pack_panel(source + column * depth * taps + tap, taps, depth * taps, depth, columns, 0, packed);
      }
    }
  }
}

/// Adds bias and residual and applies the activations to `count` channels from `c` on of one pixel.
INLINE void finish_pixel(vf v, size_t c, size_t count, const eri_f32_epilogue *e, float *out, const float *residual) {
  if (e->bias) v += load_some(e->bias + c, count);
  v = activated(e->first, v);
  if (residual) v += load_some(residual + c, count);
  store_some(out + c, activated(e->second, v), count);
}

/// One input channel per output channel: channels side by side in the vectors, taps inside the image in order.
OUTLINE void conv_depthwise(const eri_window *w, const eri_f32_image *input, const float *packed,
                            const eri_f32_image *output, const eri_f32_image *residualImage,
                            const eri_f32_epilogue *e, size_t rowBegin, size_t rowEnd) {
  size_t channels = input->channels, padded = eri_round_up(channels, ERI_PANEL);
  for (size_t pixel = rowBegin * output->width; pixel < rowEnd * output->width; pixel++) {
    f32_run run = run_at(pixel, 1, output);
    float *out = output->data + pixel_offset(output, run.image, run.y, run.x);
    const float *residual =
        e->residual ? e->residual + pixel_offset(residualImage, run.image, run.y, run.x) : NULL;
    for (size_t c = 0; c < channels; c += LANES) {
      vf acc = splat(0.0f);
      for (size_t ky = 0; ky < w->kernelHeight; ky++) {
        size_t y = run.y * w->strideHeight + ky * w->dilationHeight;
        if (y < w->padTop || y - w->padTop >= input->height) continue;
        for (size_t kx = 0; kx < w->kernelWidth; kx++) {
          size_t x = run.x * w->strideWidth + kx * w->dilationWidth;
          if (x < w->padLeft || x - w->padLeft >= input->width) continue;
          const float *in = input->data + pixel_offset(input, run.image, y - w->padTop, x - w->padLeft) + c;
          acc = FMA(load_some(in, channels - c), load(packed + (ky * w->kernelWidth + kx) * padded + c), acc);
        }
      }
      finish_pixel(acc, c, channels - c, e, out, residual);
    }
  }
}

/// Points table[tap * ERI_BLOCK + i] to the channels of tap `tap` of pixel i of the run.
INLINE void point_run(const float **table, const f32_run *run, const eri_window *w, const eri_f32_image *input,
                      const float *zeros) {
  for (size_t ky = 0; ky < w->kernelHeight; ky++) {
    size_t y = run->y * w->strideHeight + ky * w->dilationHeight;
    bool blank = y < w->padTop || y - w->padTop >= input->height;
    for (size_t kx = 0; kx < w->kernelWidth; kx++, table += ERI_BLOCK) {
      if (blank) {
        point_all(table, 0, run->count, zeros);
        continue;
      }
      size_t step = w->strideWidth * input->channels;
      size_t first = run->x * w->strideWidth + kx * w->dilationWidth;
      f32_inside part = inside(run, w->strideWidth, kx * w->dilationWidth, w->padLeft, input->width);
      point_all(table, 0, part.begin, zeros);
      if (part.begin < part.end) {
        size_t column = first + part.begin * w->strideWidth - w->padLeft;
        const float *base = input->data + pixel_offset(input, run->image, y - w->padTop, column);
        point_each(table + part.begin, 0, part.end - part.begin, base, step);
      }
      point_all(table, part.end, run->count, zeros);
    }
  }
}

static void f32_conv(const eri_window *w, const eri_f32_image *input, const float *packed, const eri_f32_image *output,
                     const eri_f32_image *residualImage, const eri_f32_epilogue *e, size_t rowBegin, size_t rowEnd,
                     float *scratch) {
  if (!residualImage) residualImage = output;
  if (eri_window_depthwise(w, input->channels, output->channels)) {
    conv_depthwise(w, input, packed, output, residualImage, e, rowBegin, rowEnd);
    return;
  }
  size_t taps = w->kernelHeight * w->kernelWidth, depth = input->channels / w->groups;
  size_t wide = output->channels / w->groups, groupFloats = eri_round_up(wide, ERI_PANEL) * taps * depth;
  float *zeros = eri_align(scratch);
  const float **table = (const float **)(void *)(zeros + eri_round_up(input->channels, ERI_LINE));
  float *gathered = (float *)(void *)table + eri_pointer_floats(taps * ERI_BLOCK);
  bool gathers = eri_window_gathers(w, input->channels);
  memset(zeros, 0, input->channels * sizeof(float));

  f32_places places;
  const float *rows[ERI_BLOCK];
  size_t end = rowEnd * output->width;
  for (size_t pixel = rowBegin * output->width, count; pixel < end; pixel += count) {
    count = eri_minimum(end - pixel, BLOCK);
    for (size_t at = 0; at < count;) {
      f32_run run = run_at(pixel + at, count - at, output);
      place_run(&places, at, &run, output, residualImage, e->residual);
      point_run(table + at, &run, w, input, zeros);
      at += run.count;
    }
    f32_block block = {count, taps, depth, ERI_BLOCK, wide, taps * depth * ERI_PANEL};
    if (gathers) {
      for (size_t i = 0; i < count; i++) {
        float *row = gathered + i * taps * depth;
        rows[i] = row;
        for (size_t tap = 0; tap < taps; tap++) {
          for (size_t c = 0; c < depth; c++) *row++ = table[tap * ERI_BLOCK + i][c];
        }
      }
      block.taps = 1;
      block.length = taps * depth;
    }
    for (size_t group = 0; group < w->groups; group++) {
      if (group) {  // the same pixels, the next channels
        for (size_t i = 0; i < count; i++) {
          places.out[i] += wide;
          places.residual[i] = e->residual ? places.residual[i] + wide : NULL;
          for (size_t tap = 0; tap < taps; tap++) table[tap * ERI_BLOCK + i] += depth;
        }
      }
      f32_target target = {places.out, e->residual ? places.residual : NULL, e->bias ? e->bias + group * wide : NULL,
                           e->first, e->second};
      multiply_block(&block, gathers ? rows : table, packed + group * groupFloats, &target);
    }
  }
}

// --- From planar images ------------------------------------------------------------------------------------------

/// Packed weights [group][panel][input channel][tap row][tap column][16].
static void f32_conv_planar_pack(const eri_window *w, const float *weights, size_t inputChannels, size_t outputChannels,
                                 float *packed) {
  size_t depth = w->kernelHeight * w->kernelWidth * (inputChannels / w->groups), wide = outputChannels / w->groups;
  for (size_t group = 0; group < w->groups; group++) {
    f32_gemm_pack(weights + group * wide * depth, 1, depth, depth, wide, packed);
    packed += eri_round_up(wide, ERI_PANEL) * depth;
  }
}

/// Where planar input and a block's copies of it lie. A "tap" is one row of the window in one channel, or, with a dilated
/// window, one element.
typedef struct {
  const float *data;
  size_t channels, height, width;
  const float *zeros;
  float *copies;  // [pixel of the block][tap][kernel column], for windows that reach over the left or right side
} f32_planes;

INLINE void point_planar_run(const float **table, size_t at, const f32_run *run, const eri_window *w,
                             const f32_planes *in) {
  bool dilated = w->dilationWidth > 1;
  size_t step = w->strideWidth, first = run->x * step, taps = in->channels * w->kernelHeight;
  // Windows inside on both sides: the part that is inside for the first and for the last column.
  size_t reach = dilated ? 0 : w->kernelWidth - 1;
  f32_inside part = inside(run, step, 0, w->padLeft, in->width);
  f32_inside last = inside(run, step, reach, w->padLeft, in->width);
  if (last.begin > part.begin) part.begin = last.begin;
  if (last.end < part.end) part.end = last.end;
  if (part.end < part.begin) part.end = part.begin;
  table += at;
  for (size_t tap = 0; tap < taps; tap++) {
    size_t channel = tap / w->kernelHeight, ky = tap % w->kernelHeight;
    size_t y = run->y * w->strideHeight + ky * w->dilationHeight;
    bool blank = y < w->padTop || y - w->padTop >= in->height;
    const float *line = NULL;
    if (!blank) line = in->data + ((run->image * in->channels + channel) * in->height + y - w->padTop) * in->width;
    if (dilated) {
      for (size_t kx = 0; kx < w->kernelWidth; kx++, table += ERI_BLOCK) {
        for (size_t i = 0; i < run->count; i++) {
          size_t x = first + i * step + kx * w->dilationWidth;
          bool outside = blank || x < w->padLeft || x - w->padLeft >= in->width;
          table[i] = outside ? in->zeros : line + (x - w->padLeft);
        }
      }
      continue;
    }
    if (blank) {
      point_all(table, 0, run->count, in->zeros);
    } else {
      if (part.begin < part.end) {
        point_each(table + part.begin, 0, part.end - part.begin, line + (first + part.begin * step - w->padLeft), step);
      }
      for (size_t i = 0; i < run->count; i++) {
        if (i == part.begin) i = part.end;
        if (i == run->count) break;
        float *copy = in->copies + ((at + i) * taps + tap) * w->kernelWidth;
        table[i] = copy;
        for (size_t kx = 0; kx < w->kernelWidth; kx++) {
          size_t x = first + i * step + kx;
          copy[kx] = x < w->padLeft || x - w->padLeft >= in->width ? 0 : line[x - w->padLeft];
        }
      }
    }
    table += ERI_BLOCK;
  }
}

static void f32_conv_planar(const eri_window *w, const float *input, size_t inputChannels, size_t inputHeight,
                            size_t inputWidth, const float *packed, const eri_f32_image *output,
                            const eri_f32_epilogue *e, size_t rowBegin, size_t rowEnd, float *scratch) {
  bool dilated = w->dilationWidth > 1;
  size_t length = dilated ? 1 : w->kernelWidth;
  size_t tapsPerGroup = inputChannels / w->groups * w->kernelHeight * (w->kernelWidth / length);
  size_t depth = tapsPerGroup * length, wide = output->channels / w->groups;
  float *zeros = eri_align(scratch);
  const float **table = (const float **)(void *)(zeros + eri_round_up(w->kernelWidth, ERI_LINE));
  size_t elements = inputChannels * w->kernelHeight * w->kernelWidth;
  f32_planes planes = {input, inputChannels, inputHeight, inputWidth, zeros,
                       (float *)(void *)table + eri_pointer_floats(elements * ERI_BLOCK)};
  memset(zeros, 0, w->kernelWidth * sizeof(float));

  f32_places places;
  size_t end = rowEnd * output->width;
  for (size_t pixel = rowBegin * output->width, count; pixel < end; pixel += count) {
    count = eri_minimum(end - pixel, BLOCK);
    for (size_t at = 0; at < count;) {
      f32_run run = run_at(pixel + at, count - at, output);
      place_run(&places, at, &run, output, output, e->residual);
      point_planar_run(table, at, &run, w, &planes);
      at += run.count;
    }
    f32_block block = {count, tapsPerGroup, length, ERI_BLOCK, wide, depth * ERI_PANEL};
    for (size_t group = 0; group < w->groups; group++) {
      if (group) {
        for (size_t i = 0; i < count; i++) {
          places.out[i] += wide;
          places.residual[i] = e->residual ? places.residual[i] + wide : NULL;
        }
      }
      f32_target target = {places.out, e->residual ? places.residual : NULL, e->bias ? e->bias + group * wide : NULL,
                           e->first, e->second};
      multiply_block(&block, table + group * tapsPerGroup * ERI_BLOCK, packed + group * eri_round_up(wide, ERI_PANEL) * depth,
                     &target);
    }
  }
}
