// Windows of images as columns of a matrix, and back: what gradients of convolutions multiply.

/// Copies `count` floats. A count known where it is inlined becomes two vectors that overlap.
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

/// Images as planes or pixels of floats: element (y, x) of a channel lies at data + image · image floats + y · row + x · unit.
typedef struct {
  const float *data;
  size_t image, row, unit, height, width;
} pack_source;

/// Lanes of a panel that lie side by side in the image too: channels of one tap, or taps of one row of the kernel.
typedef struct {
  size_t lane, count;
  size_t tapY, tapX;  // of the first, dilated
  size_t offset;      // to its channel
  bool taps;          // the lanes are taps: at the image's left and right some of them lie inside
  size_t begin, end;  // the output columns for which all of them lie inside
} pack_segment;

/// The output columns whose taps from `first` to `last` (dilated) lie inside the image.
INLINE void bound_segment(pack_segment *s, const eri_window *w, size_t last, size_t width, size_t outputWidth) {
  f32_run line = {0, 0, 0, outputWidth};
  s->begin = inside(&line, w->strideWidth, s->tapX, w->padLeft, width).begin;
  s->end = inside(&line, w->strideWidth, last, w->padLeft, width).end;
  if (s->end < s->begin) s->end = s->begin;
}

/// Tap by tap: pixels of a run at the image's left and right.
OUTLINE void pack_border(const pack_segment *s, const eri_window *w, size_t x, size_t pixels, const float *line,
                         size_t width, float *row) {
  for (size_t i = 0; i < pixels; i++) {
    for (size_t j = 0; j < s->count; j++) {
      size_t column = (x + i) * w->strideWidth + s->tapX + j;
      row[i * ERI_PANEL + j] = column < w->padLeft || column - w->padLeft >= width ? 0 : line[column - w->padLeft];
    }
  }
}

/// One segment for the pixels of a run.
INLINE void pack_run(const pack_source *source, const pack_segment *s, const eri_window *w, const f32_run *run, float *row) {
  size_t y = run->y * w->strideHeight + s->tapY;
  if (y < w->padTop || y - w->padTop >= source->height) {
    clear_pixels(s->count, run->count, row);
    return;
  }
  const float *line = source->data + run->image * source->image + (y - w->padTop) * source->row + s->offset;
  size_t limit = run->x + run->count, begin = s->begin > run->x ? eri_minimum(s->begin, limit) : run->x;
  size_t end = eri_minimum(s->end, limit);
  if (end < begin) end = begin;
  size_t before = begin - run->x, after = limit - end;
  float *afterRow = row + (end - run->x) * ERI_PANEL;
  if (s->taps) {
    pack_border(s, w, run->x, before, line, source->width, row);
    pack_border(s, w, end, after, line, source->width, afterRow);
  } else {
    clear_pixels(s->count, before, row);
    clear_pixels(s->count, after, afterRow);
  }
  if (begin < end) {
    const float *from = line + (begin * w->strideWidth + s->tapX - w->padLeft) * source->unit;
    copy_pixels(s->count, end - begin, from, w->strideWidth * source->unit, row + before * ERI_PANEL);
  }
}

/// The segments of one panel, run by run, so that a run's rows stay in cache until they are complete.
OUTLINE void pack_window_panel(const pack_source *source, const pack_segment *segments, size_t count, const eri_window *w,
                               size_t outputHeight, size_t outputWidth, size_t pixelBegin, size_t pixelEnd, float *panel) {
  eri_f32_image output = {NULL, outputHeight, outputWidth, 0, 0};
  f32_run run = run_at(pixelBegin, pixelEnd - pixelBegin, &output);
  size_t lanes = count ? segments[count - 1].lane + segments[count - 1].count : 0;
  for (size_t left = pixelEnd - pixelBegin; left > 0;) {
    for (size_t i = 0; i < count; i++) pack_run(source, &segments[i], w, &run, panel + segments[i].lane);
    if (lanes < ERI_PANEL) clear_pixels(ERI_PANEL - lanes, run.count, panel + lanes);
    left -= run.count;
    panel += run.count * ERI_PANEL;
    bool last = run.y + 1 == outputHeight;
    run = (f32_run){run.image + last, last ? 0 : run.y + 1, 0, eri_minimum(left, outputWidth)};
  }
}

static void columns_pack(const eri_window *w, const eri_f32_image *input, size_t outputHeight, size_t outputWidth,
                         size_t channelBegin, size_t channelCount, size_t pixelBegin, size_t pixelEnd, size_t panelBegin,
                         size_t panelEnd, float *packed) {
  size_t columns = w->kernelHeight * w->kernelWidth * channelCount;
  pack_source source = {input->data + pixel_offset(input, 0, 0, 0) + channelBegin, image_floats(input), row_floats(input),
                        input->channels, input->height, input->width};
  for (size_t panel = panelBegin; panel < panelEnd; panel++) {
    pack_segment segments[ERI_PANEL];
    size_t count = 0, first = panel * ERI_PANEL, end = eri_minimum(first + ERI_PANEL, columns);
    for (size_t column = first; column < end; count++) {
      pack_segment *s = &segments[count];
      size_t tap = column / channelCount, channel = column % channelCount;
      *s = (pack_segment){.lane = column - first, .offset = channel};
      s->count = eri_minimum(channelCount - channel, end - column);
      s->tapY = tap / w->kernelWidth * w->dilationHeight;
      s->tapX = tap % w->kernelWidth * w->dilationWidth;
      bound_segment(s, w, s->tapX, input->width, outputWidth);
      column += s->count;
    }
    pack_window_panel(&source, segments, count, w, outputHeight, outputWidth, pixelBegin, pixelEnd, packed);
    packed += (pixelEnd - pixelBegin) * ERI_PANEL;
  }
}

/// Taps of a kernel's row lie side by side in the image unless they are dilated.
static void columns_pack_planar(const eri_window *w, const float *input, size_t channels, size_t height, size_t width,
                                size_t outputHeight, size_t outputWidth, size_t pixelBegin, size_t pixelEnd,
                                size_t panelBegin, size_t panelEnd, float *packed) {
  size_t columns = channels * w->kernelHeight * w->kernelWidth;
  pack_source source = {input, channels * height * width, width, 1, height, width};
  for (size_t panel = panelBegin; panel < panelEnd; panel++) {
    pack_segment segments[ERI_PANEL];
    size_t count = 0, first = panel * ERI_PANEL, end = eri_minimum(first + ERI_PANEL, columns);
    for (size_t column = first; column < end; count++) {
      pack_segment *s = &segments[count];
      size_t kx = column % w->kernelWidth, ky = column / w->kernelWidth % w->kernelHeight;
      size_t together = w->dilationWidth == 1 ? eri_minimum(w->kernelWidth - kx, end - column) : 1;
      *s = (pack_segment){.lane = column - first, .count = together, .taps = true};
      s->offset = column / (w->kernelWidth * w->kernelHeight) * height * width;
      s->tapY = ky * w->dilationHeight;
      s->tapX = kx * w->dilationWidth;
      bound_segment(s, w, s->tapX + together - 1, width, outputWidth);
      column += together;
    }
    pack_window_panel(&source, segments, count, w, outputHeight, outputWidth, pixelBegin, pixelEnd, packed);
    packed += (pixelEnd - pixelBegin) * ERI_PANEL;
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

