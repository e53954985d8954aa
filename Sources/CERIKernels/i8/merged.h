// Copies of the windows of few channels, row after row without gaps. Whole ERI_I8_COPY bytes are copied at a time: what is too much of a
// row is overwritten by the next, and what is too much of a window lies before the next copy or meets zero weights.

INLINE void copy_some(uint8_t *to, const uint8_t *from, size_t count) {
  for (size_t i = 0; i < count; i += ERI_I8_COPY) memcpy(to + i, from + i, ERI_I8_COPY);
}

/// A row of a window at the image's edge: zero points, what lies inside, zero points. `column` is the window's first, counted from the
/// padding's; nothing is read from `end` on.
INLINE void copy_edge(uint8_t *to, const eri_window *w, const eri_i8_image *input, const uint8_t *line, const uint8_t *end,
                      size_t column, const uint8_t *zeros) {
  size_t left = w->padLeft, right = left + input->width, stop = column + w->kernelWidth, channels = input->channels;
  size_t first = eri_minimum(column < left ? left : column, stop), last = eri_minimum(stop, right);
  copy_some(to, zeros, (first - column) * channels);
  if (last > first) {
    const uint8_t *from = line + (first - left) * channels;
    size_t count = (last - first) * channels;
    if (eri_round_up(count, ERI_I8_COPY) <= (size_t)(end - from)) {
      copy_some(to + (first - column) * channels, from, count);
    } else {
      memcpy(to + (first - column) * channels, from, count);
    }
    first = last;
  }
  copy_some(to + (first - column) * channels, zeros, (stop - first) * channels);
}

/// Copies the windows of `count` output pixels of one row, from x0 on, `step` apart.
OUTLINE void copy_windows(uint8_t *copies, size_t step, size_t count, const eri_window *w, const eri_i8_image *input, size_t image,
                          size_t y0, size_t x0, const uint8_t *zeros) {
  size_t channels = input->channels, stride = w->strideWidth;
  size_t length = w->kernelWidth * channels, whole = eri_round_up(length, ERI_I8_COPY);
  const uint8_t *end = pixel_at(input, image, input->height - 1, input->width);
  for (size_t ky = 0; ky < w->kernelHeight; ky++, copies += length) {
    size_t y = y0 * w->strideHeight + ky * w->dilationHeight;
    if (y < w->padTop || y - w->padTop >= input->height) {
      for (size_t i = 0; i < count; i++) copy_some(copies + i * step, zeros, length);
      continue;
    }
    const uint8_t *line = pixel_at(input, image, y - w->padTop, 0);
    size_t i = 0, column = x0 * stride;
    for (; i < count && column < w->padLeft; i++, column += stride) {
      copy_edge(copies + i * step, w, input, line, end, column, zeros);
    }
    // Those whose row lies inside, and what is copied beyond it too.
    const uint8_t *from = line + (column - w->padLeft) * channels;
    size_t right = w->padLeft + input->width, inside = 0;
    if (i < count && column + w->kernelWidth <= right && whole <= (size_t)(end - from)) {
      size_t fitting = eri_minimum(right - w->kernelWidth - column, ((size_t)(end - from) - whole) / channels);
      inside = eri_minimum(fitting / stride + 1, count - i);
    }
    for (size_t piece = 0; piece < length; piece += ERI_I8_COPY) {
      uint8_t *to = copies + i * step + piece;
      for (size_t j = 0; j < inside; j++) memcpy(to + j * step, from + j * stride * channels + piece, ERI_I8_COPY);
    }
    i += inside, column += inside * stride;
    for (; i < count; i++, column += stride) copy_edge(copies + i * step, w, input, line, end, column, zeros);
  }
}
