// Element by element: addition, pooling, tables, to and from floats, halos.

/// One output row of images.
typedef struct {
  size_t image, y;
} i8_row;
INLINE i8_row row_at(size_t row, size_t height) { return (i8_row){row / height, row % height}; }

static void i8_add(const eri_i8_image *a, eri_i8_scale aScale, const eri_i8_image *b, eri_i8_scale bScale,
                   eri_activation second, const eri_i8_image *y, float outputInverse, int32_t outputZero,
                   size_t rowBegin, size_t rowEnd) {
  i8_quantiser q = quantiser(outputInverse, outputZero);
  float floor = floor_of(second);
  for (size_t row = rowBegin; row < rowEnd; row++) {
    i8_row at = row_at(row, y->height);
    const uint8_t *from = pixel_at(a, at.image, at.y, 0), *other = pixel_at(b, at.image, at.y, 0);
    uint8_t *to = pixel_at(y, at.image, at.y, 0);
    size_t count = y->width * y->channels;
    for (size_t i = 0; i < count; i += LANES) {
      vf v = dequantised(load_some_bytes(from + i, count - i), aScale) +
             dequantised(load_some_bytes(other + i, count - i), bScale);
      store_some_bytes(to + i, quantised(bounded(v, floor), &q), count - i);
    }
  }
}

static void i8_maxpool(const eri_window *w, const eri_i8_image *input, const eri_i8_image *output, size_t rowBegin,
                       size_t rowEnd) {
  size_t channels = input->channels;
  for (size_t row = rowBegin; row < rowEnd; row++) {
    i8_row at = row_at(row, output->height);
    for (size_t x0 = 0; x0 < output->width; x0++) {
      uint8_t *restrict to = pixel_at(output, at.image, at.y, x0);
      memset(to, 0, channels);
      for (size_t ky = 0; ky < w->kernelHeight; ky++) {
        size_t y = at.y * w->strideHeight + ky * w->dilationHeight;
        if (y < w->padTop || y - w->padTop >= input->height) continue;
        for (size_t kx = 0; kx < w->kernelWidth; kx++) {
          size_t x = x0 * w->strideWidth + kx * w->dilationWidth;
          if (x < w->padLeft || x - w->padLeft >= input->width) continue;
          const uint8_t *restrict from = pixel_at(input, at.image, y - w->padTop, x - w->padLeft);
          for (size_t c = 0; c < channels; c++) to[c] = from[c] > to[c] ? from[c] : to[c];
        }
      }
    }
  }
}

static void i8_lookup(const uint8_t *table, const eri_i8_image *x, const eri_i8_image *y, size_t rowBegin,
                      size_t rowEnd) {
  for (size_t row = rowBegin; row < rowEnd; row++) {
    i8_row at = row_at(row, y->height);
    const uint8_t *from = pixel_at(x, at.image, at.y, 0);
    uint8_t *to = pixel_at(y, at.image, at.y, 0);
    for (size_t i = 0; i < y->width * y->channels; i++) to[i] = table[from[i]];
  }
}

static void i8_quantise(const eri_f32_image *x, float inverse, int32_t zero, const eri_i8_image *y, size_t rowBegin,
                        size_t rowEnd) {
  i8_quantiser q = quantiser(inverse, zero);
  for (size_t row = rowBegin; row < rowEnd; row++) {
    i8_row at = row_at(row, y->height);
    const float *from = float_pixel_at(x, at.image, at.y, 0);
    uint8_t *to = pixel_at(y, at.image, at.y, 0);
    size_t count = y->width * y->channels;
    for (size_t i = 0; i < count; i += LANES) {
      store_some_bytes(to + i, quantised(load_some_floats(from + i, count - i), &q), count - i);
    }
  }
}

static void i8_dequantise(const eri_i8_image *x, eri_i8_scale scale, const eri_f32_image *y, size_t rowBegin,
                          size_t rowEnd) {
  for (size_t row = rowBegin; row < rowEnd; row++) {
    i8_row at = row_at(row, y->height);
    const uint8_t *from = pixel_at(x, at.image, at.y, 0);
    float *to = float_pixel_at(y, at.image, at.y, 0);
    size_t count = y->width * y->channels;
    for (size_t i = 0; i < count; i += LANES) {
      store_some_floats(to + i, dequantised(load_some_bytes(from + i, count - i), scale), count - i);
    }
  }
}

static void i8_halo_fill(const eri_i8_image *image, int32_t zero, size_t imageBegin, size_t imageEnd) {
  size_t halo = image->halo, line = (image->width + 2 * halo) * image->channels;
  size_t lines = image->height + 2 * halo, side = halo * image->channels;
  for (size_t i = imageBegin; i < imageEnd; i++) {
    uint8_t *data = image->data + i * lines * line;
    memset(data, zero, halo * line);
    memset(data + (lines - halo) * line, zero, halo * line);
    for (size_t y = halo; y < lines - halo; y++) {
      memset(data + y * line, zero, side);
      memset(data + (y + 1) * line - side, zero, side);
    }
  }
}
