// Windows of images as columns of a matrix, and back: what gradients of convolutions multiply.

/// Copies `count` floats (at most a panel's row) for every pixel. A count known where it is inlined becomes two vectors that overlap.
INLINE void copy_floats(float *to, const float *from, const size_t count) {
  if (count >= LANES) {
    UNROLL for (size_t i = 0; i + LANES <= count; i += LANES) store(to + i, load(from + i));
    if (count % LANES) store(to + count - LANES, load(from + count - LANES));
  } else if (count >= 4) {
    float first[4], last[4];
    memcpy(first, from, sizeof(first));
    memcpy(last, from + count - 4, sizeof(last));
    memcpy(to, first, sizeof(first));
    memcpy(to + count - 4, last, sizeof(last));
  } else {
    for (size_t i = 0; i < count; i++) to[i] = from[i];
  }
}
INLINE void copy_each(const size_t count, size_t pixels, const float *from, size_t step, float *to) {
  for (size_t i = 0; i < pixels; i++) copy_floats(to + i * ERI_PANEL, from + i * step, count);
}
/// `count` floats per pixel, from floats `step` apart to rows of a panel.
OUTLINE void copy_pixels(size_t count, size_t pixels, const float *from, size_t step, float *to) {
  switch (count) {
#define CASE(COUNT) case COUNT: copy_each(COUNT, pixels, from, step, to); break
    CASE(1); CASE(2); CASE(3); CASE(4); CASE(5); CASE(6); CASE(7); CASE(8);
    CASE(9); CASE(10); CASE(11); CASE(12); CASE(13); CASE(14); CASE(15); CASE(16);
#undef CASE
  }
}
OUTLINE void clear_pixels(size_t count, size_t pixels, float *to) {
  if (count == ERI_PANEL) {
    memset(to, 0, pixels * ERI_PANEL * sizeof(float));
    return;
  }
  for (size_t i = 0; i < pixels; i++) {
    for (size_t j = 0; j < count; j++) to[i * ERI_PANEL + j] = 0;
  }
}

/// Calls the body for every stretch of `pixels` pixels within an output row: `run`, and `to` where its first pixel's row of the panel is.
#define EACH_RUN(...)                                                                                   \
  do {                                                                                                  \
    float *to = panel;                                                                                  \
    for (size_t pixel = pixelBegin; pixel < pixelEnd;) {                                                \
      f32_run run = run_at(pixel, pixelEnd - pixel, &output);                                           \
      __VA_ARGS__;                                                                                      \
      pixel += run.count;                                                                               \
      to += run.count * ERI_PANEL;                                                                      \
    }                                                                                                   \
  } while (0)

static void columns_pack(const eri_window *w, const eri_f32_image *input, size_t outputHeight, size_t outputWidth,
                         size_t channelBegin, size_t channelCount, size_t pixelBegin, size_t pixelEnd, size_t panelBegin,
                         size_t panelEnd, float *packed) {
  size_t columns = w->kernelHeight * w->kernelWidth * channelCount, step = w->strideWidth * input->channels;
  eri_f32_image output = {NULL, outputHeight, outputWidth, 0, 0};
  for (size_t index = panelBegin; index < panelEnd; index++) {
    float *panel = packed + (index - panelBegin) * (pixelEnd - pixelBegin) * ERI_PANEL;
    size_t first = index * ERI_PANEL, end = eri_minimum(first + ERI_PANEL, columns);
    for (size_t column = first; column < end;) {
      size_t tap = column / channelCount, channel = column % channelCount;
      size_t count = eri_minimum(channelCount - channel, end - column);
      size_t tapY = tap / w->kernelWidth * w->dilationHeight, tapX = tap % w->kernelWidth * w->dilationWidth;
      EACH_RUN({
        float *row = to + (column - first);
        size_t y = run.y * w->strideHeight + tapY;
        f32_inside part = inside(&run, w->strideWidth, tapX, w->padLeft, input->width);
        if (y < w->padTop || y - w->padTop >= input->height) part.end = part.begin;
        clear_pixels(count, part.begin, row);
        clear_pixels(count, run.count - part.end, row + part.end * ERI_PANEL);
        if (part.begin < part.end) {
          size_t x = (run.x + part.begin) * w->strideWidth + tapX - w->padLeft;
          const float *from = input->data + pixel_offset(input, run.image, y - w->padTop, x) + channelBegin + channel;
          copy_pixels(count, part.end - part.begin, from, step, row + part.begin * ERI_PANEL);
        }
      });
      column += count;
    }
    if (end < first + ERI_PANEL) clear_pixels(first + ERI_PANEL - end, pixelEnd - pixelBegin, panel + (end - first));
  }
}

/// The pixels of a run whose columns kx..<kx + count all lie inside the image.
INLINE f32_inside wholly_inside(const f32_run *run, const eri_window *w, size_t kx, size_t count, size_t width) {
  f32_inside first = inside(run, w->strideWidth, kx * w->dilationWidth, w->padLeft, width);
  f32_inside last = inside(run, w->strideWidth, (kx + count - 1) * w->dilationWidth, w->padLeft, width);
  f32_inside both = {first.begin > last.begin ? first.begin : last.begin, eri_minimum(first.end, last.end)};
  if (both.end < both.begin) both.end = both.begin;
  return both;
}

/// Element by element: a run's pixels begin..<end at the image's left and right.
OUTLINE void pack_border(const eri_window *w, const f32_run *run, size_t begin, size_t end, size_t kx, size_t count,
                         const float *line, size_t width, float *row) {
  for (size_t i = begin; i < end; i++) {
    for (size_t j = 0; j < count; j++) {
      size_t x = (run->x + i) * w->strideWidth + (kx + j) * w->dilationWidth;
      row[i * ERI_PANEL + j] = x < w->padLeft || x - w->padLeft >= width ? 0 : line[x - w->padLeft];
    }
  }
}

/// The taps of a kernel's row lie side by side in the image, as channels do in a channels-last one, unless they are dilated.
static void columns_pack_planar(const eri_window *w, const float *input, size_t channels, size_t height, size_t width,
                                size_t outputHeight, size_t outputWidth, size_t pixelBegin, size_t pixelEnd,
                                size_t panelBegin, size_t panelEnd, float *packed) {
  size_t columns = channels * w->kernelHeight * w->kernelWidth;
  eri_f32_image output = {NULL, outputHeight, outputWidth, 0, 0};
  for (size_t index = panelBegin; index < panelEnd; index++) {
    float *panel = packed + (index - panelBegin) * (pixelEnd - pixelBegin) * ERI_PANEL;
    size_t first = index * ERI_PANEL, end = eri_minimum(first + ERI_PANEL, columns);
    for (size_t column = first; column < end;) {
      size_t kx = column % w->kernelWidth, ky = column / w->kernelWidth % w->kernelHeight;
      size_t channel = column / (w->kernelWidth * w->kernelHeight);
      size_t count = w->dilationWidth == 1 ? eri_minimum(w->kernelWidth - kx, end - column) : 1;
      EACH_RUN({
        float *row = to + (column - first);
        size_t y = run.y * w->strideHeight + ky * w->dilationHeight;
        if (y < w->padTop || y - w->padTop >= height) {
          clear_pixels(count, run.count, row);
        } else {
          const float *line = input + ((run.image * channels + channel) * height + y - w->padTop) * width;
          f32_inside part = wholly_inside(&run, w, kx, count, width);
          pack_border(w, &run, 0, part.begin, kx, count, line, width, row);
          pack_border(w, &run, part.end, run.count, kx, count, line, width, row);
          if (part.begin < part.end) {
            size_t x = (run.x + part.begin) * w->strideWidth + kx * w->dilationWidth - w->padLeft;
            copy_pixels(count, part.end - part.begin, line + x, w->strideWidth, row + part.begin * ERI_PANEL);
          }
        }
      });
      column += count;
    }
    if (end < first + ERI_PANEL) clear_pixels(first + ERI_PANEL - end, pixelEnd - pixelBegin, panel + (end - first));
  }
}

/// Pixel after pixel, tap after tap: an image's element adds its columns in that order, however the pixels are split.
static void columns_scatter(const eri_window *w, const float *columns, size_t outputHeight, size_t outputWidth,
                            size_t channelBegin, size_t channelCount, size_t pixelBegin, size_t pixelEnd,
                            const eri_f32_image *image) {
  size_t taps = w->kernelHeight * w->kernelWidth;
  size_t line = w->dilationHeight * row_floats(image), step = w->dilationWidth * image->channels;
  eri_f32_image output = {NULL, outputHeight, outputWidth, 0, 0};
  for (size_t pixel = pixelBegin; pixel < pixelEnd; pixel++, columns += taps * channelCount) {
    f32_run run = run_at(pixel, 1, &output);
    size_t y = run.y * w->strideHeight, x = run.x * w->strideWidth;
    f32_inside vertical = taps_inside(y, w->kernelHeight, w->dilationHeight, w->padTop, image->height);
    f32_inside horizontal = taps_inside(x, w->kernelWidth, w->dilationWidth, w->padLeft, image->width);
    if (vertical.begin == vertical.end || horizontal.begin == horizontal.end) continue;
    float *corner = image->data + channelBegin +
                    pixel_offset(image, run.image, y + vertical.begin * w->dilationHeight - w->padTop,
                                 x + horizontal.begin * w->dilationWidth - w->padLeft);
    for (size_t ky = vertical.begin; ky < vertical.end; ky++, corner += line) {
      const float *from = columns + (ky * w->kernelWidth + horizontal.begin) * channelCount;
      float *to = corner;
      for (size_t kx = horizontal.begin; kx < horizontal.end; kx++, from += channelCount, to += step) {
        if (channelCount < LANES) {
          for (size_t c = 0; c < channelCount; c++) to[c] += from[c];
        } else {
          EACH_VECTOR(channelCount, put(to + at, load_some(from + at, left), left, true));
        }
      }
    }
  }
}

/// Few input channels at a time, so that every one's row of the result is written from its beginning to its end.
INLINE void reverse_group(const size_t taps, size_t outputs, size_t inputs, const float *weights, float *reversed) {
  enum { TOGETHER = 16 };
  for (size_t begin = 0; begin < inputs; begin += TOGETHER) {
    size_t end = eri_minimum(begin + TOGETHER, inputs);
    for (size_t o = 0; o < outputs; o++) {
      for (size_t i = begin; i < end; i++) {
        const float *from = weights + (o * inputs + i) * taps;
        float *to = reversed + (i * outputs + o) * taps;
        UNROLL for (size_t tap = 0; tap < taps; tap++) to[tap] = from[taps - 1 - tap];
      }
    }
  }
}
OUTLINE void reverse_any(size_t taps, size_t outputs, size_t inputs, const float *weights, float *reversed) {
  for (size_t o = 0; o < outputs; o++) {
    for (size_t i = 0; i < inputs; i++) {
      const float *from = weights + (o * inputs + i) * taps;
      float *to = reversed + (i * outputs + o) * taps;
      for (size_t tap = 0; tap < taps; tap++) to[tap] = from[taps - 1 - tap];
    }
  }
}
static void conv_reverse_weights(const eri_kernels *kernels, size_t outputChannels, size_t groupInputs, size_t taps,
                                 size_t groups, const float *weights, float *reversed) {
  size_t outputs = outputChannels / groups;
  for (size_t group = 0; group < groups; group++) {
    const float *from = weights + group * outputs * groupInputs * taps;
    float *to = reversed + group * outputs * groupInputs * taps;
    switch (taps) {
      case 1: eri_f32_transpose(kernels, outputs, groupInputs, from, groupInputs, to, outputs); break;
      case 3: reverse_group(3, outputs, groupInputs, from, to); break;
      case 9: reverse_group(9, outputs, groupInputs, from, to); break;
      default: reverse_any(taps, outputs, groupInputs, from, to);
    }
  }
}
