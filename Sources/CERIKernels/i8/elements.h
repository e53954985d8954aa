// Element by element: addition, pooling, tables, to and from floats, halos. The variant may give LOOK_UP(table, from, to, count), which
// returns how many bytes, from the first on, it has looked up.
#ifndef LOOK_UP
#define LOOK_UP(table, from, to, count) 0
#endif

/// One output row of images.
typedef struct {
  size_t image, y;
} i8_row;
INLINE i8_row row_at(size_t row, size_t height) { return (i8_row){row / height, row % height}; }

/// Four vectors abreast, since each is one chain of operations that wait for one another.
INLINE void add_run(const uint8_t *a, eri_i8_scale aScale, const uint8_t *b, eri_i8_scale bScale, float floor, uint8_t *to,
                    size_t count, const i8_quantiser *q) {
  size_t i = 0;
  for (; i + 4 * LANES <= count; i += 4 * LANES) {
    vb codes[4];
    UNROLL for (int j = 0; j < 4; j++) {
      vf v = dequantised(load_bytes(a + i + j * LANES), aScale) + dequantised(load_bytes(b + i + j * LANES), bScale);
      codes[j] = quantised_bytes(bounded(v, floor), q);
    }
    UNROLL for (int j = 0; j < 4; j++) store_some_bytes(to + i + j * LANES, codes[j], LANES);
  }
  for (; i < count; i += LANES) {
    vf v = dequantised(load_some_bytes(a + i, count - i), aScale) + dequantised(load_some_bytes(b + i, count - i), bScale);
    store_some_bytes(to + i, quantised_bytes(bounded(v, floor), q), count - i);
  }
}

static void i8_add(const eri_i8_image *a, eri_i8_scale aScale, const eri_i8_image *b, eri_i8_scale bScale,
                   eri_activation second, const eri_i8_image *y, float outputInverse, int32_t outputZero,
                   size_t rowBegin, size_t rowEnd) {
  const i8_quantiser q = quantiser(outputInverse, outputZero);
  float floor = floor_of(second);
  for (size_t row = rowBegin; row < rowEnd; row++) {
    i8_row at = row_at(row, y->height);
    add_run(pixel_at(a, at.image, at.y, 0), aScale, pixel_at(b, at.image, at.y, 0), bScale, floor, pixel_at(y, at.image, at.y, 0),
            y->width * y->channels, &q);
  }
}

typedef uint8_t vm __attribute__((ext_vector_type(4 * LANES)));
typedef uint8_t vm_unaligned __attribute__((ext_vector_type(4 * LANES), aligned(1), may_alias));

/// The maximum over a window's positions inside of up to 4 LANES channels.
INLINE void maximum_channels(size_t count, const uint8_t *from, i8_span vertical, size_t down, i8_span horizontal, size_t right,
                             uint8_t *to) {
  vm largest = (vm)(uint8_t)0;
  for (size_t y = 0; y < vertical.count; y++) {
    for (size_t x = 0; x < horizontal.count; x++) {
      const uint8_t *at = from + y * down + x * right;
      vm value;
      if (count >= 4 * LANES) {
        value = *(const vm_unaligned *)at;
      } else {
        uint8_t lanes[4 * LANES] = {0};
        for (size_t i = 0; i < count; i++) lanes[i] = at[i];
        value = *(const vm_unaligned *)lanes;
      }
      largest = __builtin_elementwise_max(value, largest);
    }
  }
  if (count >= 4 * LANES) {
    *(vm_unaligned *)to = largest;
  } else {
    for (size_t i = 0; i < count; i++) to[i] = largest[i];
  }
}

static void i8_maxpool(const eri_window *w, const eri_i8_image *input, const eri_i8_image *output, size_t rowBegin,
                       size_t rowEnd) {
  size_t channels = input->channels, right = w->dilationWidth * channels;
  size_t down = w->dilationHeight * (input->width + 2 * input->halo) * channels;
  for (size_t row = rowBegin; row < rowEnd; row++) {
    i8_row at = row_at(row, output->height);
    i8_span vertical = span_of(at.y * w->strideHeight, w->kernelHeight, w->dilationHeight, w->padTop, input->height);
    for (size_t x = 0; x < output->width; x++) {
      i8_span horizontal = span_of(x * w->strideWidth, w->kernelWidth, w->dilationWidth, w->padLeft, input->width);
      const uint8_t *from = pixel_at(input, at.image, vertical.first, horizontal.first);
      uint8_t *to = pixel_at(output, at.image, at.y, x);
      size_t c = 0;
      for (; c + 4 * LANES <= channels; c += 4 * LANES) {
        maximum_channels(4 * LANES, from + c, vertical, down, horizontal, right, to + c);
      }
      if (c < channels) maximum_channels(channels - c, from + c, vertical, down, horizontal, right, to + c);
    }
  }
}

static void i8_lookup(const uint8_t *table, const eri_i8_image *x, const eri_i8_image *y, size_t rowBegin,
                      size_t rowEnd) {
  for (size_t row = rowBegin; row < rowEnd; row++) {
    i8_row at = row_at(row, y->height);
    const uint8_t *from = pixel_at(x, at.image, at.y, 0);
    uint8_t *to = pixel_at(y, at.image, at.y, 0);
    size_t count = y->width * y->channels;
    for (size_t i = LOOK_UP(table, from, to, count); i < count; i++) to[i] = table[from[i]];
  }
}

/// Four vectors abreast, since each is one chain of operations that wait for one another.
INLINE void quantise_run(const float *from, uint8_t *to, size_t count, const i8_quantiser *q) {
  size_t i = 0;
  for (; i + 4 * LANES <= count; i += 4 * LANES) {
    vb codes[4];
    UNROLL for (int j = 0; j < 4; j++) codes[j] = quantised_bytes(load_floats(from + i + j * LANES), q);
    UNROLL for (int j = 0; j < 4; j++) store_some_bytes(to + i + j * LANES, codes[j], LANES);
  }
  for (; i < count; i += LANES) store_some_bytes(to + i, quantised_bytes(load_some_floats(from + i, count - i), q), count - i);
}

static void i8_quantise(const eri_f32_image *x, float inverse, int32_t zero, const eri_i8_image *y, size_t rowBegin,
                        size_t rowEnd) {
  const i8_quantiser q = quantiser(inverse, zero);
  size_t count = y->width * y->channels;
  if (x->halo == 0 && y->halo == 0) {  // the rows lie one after another
    quantise_run(x->data + rowBegin * count, y->data + rowBegin * count, (rowEnd - rowBegin) * count, &q);
    return;
  }
  for (size_t row = rowBegin; row < rowEnd; row++) {
    i8_row at = row_at(row, y->height);
    quantise_run(float_pixel_at(x, at.image, at.y, 0), pixel_at(y, at.image, at.y, 0), count, &q);
  }
}

/// The codes of up to LANES pixels' channels, at most 4, from planes `plane` apart: each pixel's as bytes of an int32.
INLINE vi pixels_of(const float *from, size_t plane, size_t channels, size_t count, const i8_quantiser *q) {
  vi pixels = (vi)0;
  for (size_t c = 0; c < channels; c++) pixels |= quantised(load_some_floats(from + c * plane, count), q) << (vi)(int32_t)(8 * c);
  return pixels;
}

/// Pixels of at most 4 channels are written as 4 bytes: what is too much of one is overwritten by the next, and lies inside the row.
INLINE void quantise_planar_row(const float *from, size_t plane, size_t channels, uint8_t *to, size_t width, const i8_quantiser *q) {
  size_t x = 0;
  for (; (x + LANES - 1) * channels + sizeof(int32_t) <= width * channels; x += LANES) {
    vi pixels = pixels_of(from + x, plane, channels, LANES, q);
    UNROLL for (int i = 0; i < LANES; i++) {
      int32_t pixel = pixels[i];
      memcpy(to + (x + (size_t)i) * channels, &pixel, sizeof(pixel));
    }
  }
  for (; x < width; x += LANES) {
    vi pixels = pixels_of(from + x, plane, channels, width - x, q);
    for (size_t i = 0; i < eri_minimum(LANES, width - x); i++) {
      for (size_t c = 0; c < channels; c++) to[(x + i) * channels + c] = (uint8_t)((uint32_t)pixels[i] >> 8 * c);
    }
  }
}

static void i8_quantise_planar(const float *x, float inverse, int32_t zero, const eri_i8_image *y, size_t rowBegin,
                               size_t rowEnd) {
  i8_quantiser q = quantiser(inverse, zero);
  for (size_t row = rowBegin; row < rowEnd; row++) {
    i8_row at = row_at(row, y->height);
    size_t plane = y->height * y->width, channels = y->channels;
    const float *from = x + (at.image * channels * y->height + at.y) * y->width;
    uint8_t *to = pixel_at(y, at.image, at.y, 0);
    if (channels <= 4) {
      quantise_planar_row(from, plane, channels, to, y->width, &q);
      continue;
    }
    for (size_t c = 0; c < channels; c++) {
      for (size_t i = 0; i < y->width; i += LANES) {
        uint8_t lanes[LANES];
        store_some_bytes(lanes, quantised_bytes(load_some_floats(from + c * plane + i, y->width - i), &q), LANES);
        for (size_t j = 0; j < eri_minimum(LANES, y->width - i); j++) to[(i + j) * channels + c] = lanes[j];
      }
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
