// Copies of the windows of few channels, row after row without gaps. Whole ERI_I8_COPY bytes are copied at a time: what is too much of a
// row is overwritten by the next, and what is too much of a window lies before the next copy or meets zero weights.

INLINE void copy_some(uint8_t *to, const uint8_t *from, size_t count) {
  for (size_t i = 0; i < count; i += ERI_I8_COPY) memcpy(to + i, from + i, ERI_I8_COPY);
}

/// The rows of a window that lie inside the image: the first's start, and bytes from one to the next.
typedef struct {
  i8_span span;
  const uint8_t *first;
  size_t step;
} i8_lines;

/// Row `ky` of the window at the image's left side; NULL outside.
INLINE const uint8_t *line_of(const i8_lines *lines, size_t ky) {
  size_t line = ky - lines->span.skipped;
  return line < lines->span.count ? lines->first + line * lines->step : NULL;
}

/// The window from `column` on, counted from the padding's first, that does not lie inside: zero points, what lies inside, zero points.
/// Nothing is read from `end` on.
INLINE void copy_edge(uint8_t *to, const eri_window *w, const eri_i8_image *input, const i8_lines *lines, size_t column,
                      const uint8_t *zeros, const uint8_t *end) {
  i8_span span = span_of(column, w->kernelWidth, 1, w->padLeft, input->width);
  size_t length = w->kernelWidth * input->channels, before = span.skipped * input->channels, inside = span.count * input->channels;
  size_t whole = eri_round_up(inside, ERI_I8_COPY);
  for (size_t ky = 0; ky < w->kernelHeight; ky++, to += length) {
    const uint8_t *line = line_of(lines, ky);
    if (!line || !inside) {
      copy_some(to, zeros, length);
      continue;
    }
    const uint8_t *from = line + span.first * input->channels;
    copy_some(to, zeros, before);
    if (whole <= (size_t)(end - from)) {
      copy_some(to + before, from, inside);
    } else {
      memcpy(to + before, from, inside);
    }
    copy_some(to + before + inside, zeros, length - before - inside);
  }
}

/// Copies the windows of `count` output pixels of one row, from x0 on, `step` apart.
OUTLINE void copy_windows(uint8_t *copies, size_t step, size_t count, const eri_window *w, const eri_i8_image *input, size_t image,
                          size_t y0, size_t x0, const uint8_t *zeros) {
  size_t channels = input->channels, stride = w->strideWidth, length = w->kernelWidth * channels;
  size_t x = x0 * stride, right = w->padLeft + input->width, whole = eri_round_up(length, ERI_I8_COPY);
  i8_span span = span_of(y0 * w->strideHeight, w->kernelHeight, w->dilationHeight, w->padTop, input->height);
  i8_lines lines = {span, pixel_at(input, image, span.first, 0), w->dilationHeight * (input->width + 2 * input->halo) * channels};
  const uint8_t *end = pixel_at(input, image, input->height - 1, input->width);
  // The windows from `begin` to `stop` lie inside, and what is copied beyond their last line lies before `end`.
  size_t begin = x < w->padLeft ? eri_minimum(eri_ceil_div(w->padLeft - x, stride), count) : 0, stop = begin;
  size_t from = x + begin * stride;
  size_t room = (size_t)(end - lines.first) - (span.count ? (span.count - 1) * lines.step : 0);
  if (begin < count && from + w->kernelWidth <= right && (from - w->padLeft) * channels + whole <= room) {
    size_t most = eri_minimum(right - w->kernelWidth, w->padLeft + (room - whole) / channels);
    stop = eri_minimum((most - x) / stride + 1, count);
  }
  for (size_t i = 0; i < begin; i++) copy_edge(copies + i * step, w, input, &lines, x + i * stride, zeros, end);
  for (size_t i = stop; i < count; i++) copy_edge(copies + i * step, w, input, &lines, x + i * stride, zeros, end);
  for (size_t ky = 0; ky < w->kernelHeight && stop > begin; ky++) {
    const uint8_t *line = line_of(&lines, ky), *values = line ? line + (from - w->padLeft) * channels : zeros;
    size_t next = line ? stride * channels : 0;
    for (size_t piece = 0; piece < length; piece += ERI_I8_COPY) {
      uint8_t *to = copies + begin * step + ky * length + piece;
      for (size_t i = 0; i < stop - begin; i++) memcpy(to + i * step, values + i * next + piece, ERI_I8_COPY);
    }
  }
}
