// Copies of the windows of few channels, row after row without gaps. Whole ERI_I8_COPY bytes are copied at a time: what is too much of a
// row is overwritten by the next, and what is too much of a window lies before the next copy or meets zero weights.

INLINE void copy_some(uint8_t *to, const uint8_t *from, size_t count) {
  for (size_t i = 0; i < count; i += ERI_I8_COPY) memcpy(to + i, from + i, ERI_I8_COPY);
}

/// The start of row `y` of an image, counted from the padding's first; NULL outside.
INLINE const uint8_t *padded_line(const eri_window *w, const eri_i8_image *input, size_t image, size_t y) {
  return y < w->padTop || y - w->padTop >= input->height ? NULL : pixel_at(input, image, y - w->padTop, 0);
}

/// The window from `column` on, counted from the padding's first, that does not lie inside: zero points, what lies inside, zero points.
/// Nothing is read from `end` on.
INLINE void copy_edge(uint8_t *to, const eri_window *w, const eri_i8_image *input, size_t image, size_t y, size_t column,
                      const uint8_t *zeros, const uint8_t *end) {
  size_t channels = input->channels, left = w->padLeft, right = left + input->width, stop = column + w->kernelWidth;
  size_t first = eri_minimum(column < left ? left : column, stop), last = eri_minimum(stop, right);
  size_t before = (first - column) * channels, inside = last > first ? (last - first) * channels : 0;
  size_t length = w->kernelWidth * channels, whole = eri_round_up(inside, ERI_I8_COPY);
  for (size_t ky = 0; ky < w->kernelHeight; ky++, y += w->dilationHeight, to += length) {
    const uint8_t *line = padded_line(w, input, image, y);
    if (!line || !inside) {
      copy_some(to, zeros, length);
      continue;
    }
    const uint8_t *from = line + (first - left) * channels;
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
  size_t y = y0 * w->strideHeight, x = x0 * stride, right = w->padLeft + input->width;
  const uint8_t *end = pixel_at(input, image, input->height - 1, input->width);
  // The windows from `begin` to `stop` lie inside, and what is copied beyond their last row that is read lies before `end`.
  size_t begin = x < w->padLeft ? eri_minimum(eri_ceil_div(w->padLeft - x, stride), count) : 0, stop = begin;
  size_t bottom = y + (w->kernelHeight - 1) * w->dilationHeight, last = bottom > w->padTop ? bottom - w->padTop : 0;
  size_t room = (size_t)(end - pixel_at(input, image, eri_minimum(last, input->height - 1), 0));
  size_t whole = eri_round_up(length, ERI_I8_COPY), from = x + begin * stride;
  if (begin < count && from + w->kernelWidth <= right && (from - w->padLeft) * channels + whole <= room) {
    size_t most = eri_minimum(right - w->kernelWidth, w->padLeft + (room - whole) / channels);
    stop = eri_minimum((most - x) / stride + 1, count);
  }
  for (size_t i = 0; i < begin; i++) copy_edge(copies + i * step, w, input, image, y, x + i * stride, zeros, end);
  for (size_t i = stop; i < count; i++) copy_edge(copies + i * step, w, input, image, y, x + i * stride, zeros, end);
  for (size_t ky = 0; ky < w->kernelHeight && stop > begin; ky++, y += w->dilationHeight) {
    const uint8_t *line = padded_line(w, input, image, y);
    const uint8_t *values = line ? line + (from - w->padLeft) * channels : zeros;
    size_t next = line ? stride * channels : 0;
    for (size_t piece = 0; piece < length; piece += ERI_I8_COPY) {
      uint8_t *to = copies + begin * step + ky * length + piece;
      for (size_t i = 0; i < stop - begin; i++) memcpy(to + i * step, values + i * next + piece, ERI_I8_COPY);
    }
  }
}
