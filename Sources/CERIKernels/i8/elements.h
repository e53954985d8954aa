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
      store_some_bytes(to + i, quantised_bytes(bounded(v, floor), &q), count - i);
    }
  }
}

typedef uint8_t vm __attribute__((ext_vector_type(4 * LANES)));
typedef uint8_t vm_unaligned __attribute__((ext_vector_type(4 * LANES), aligned(1), may_alias));

/// The maximum over a window's positions inside of up to 4 LANES channels from `c` on.
INLINE void maximum_channels(size_t count, const eri_window *w, const eri_i8_image *input, i8_row at, size_t x0,
                             size_t c, uint8_t *to) {
  vm largest = (vm)(uint8_t)0;
  for (size_t ky = 0; ky < w->kernelHeight; ky++) {
    size_t y = at.y * w->strideHeight + ky * w->dilationHeight;
    if (y < w->padTop || y - w->padTop >= input->height) continue;
    const uint8_t *line = pixel_at(input, at.image, y - w->padTop, 0) + c;
    for (size_t kx = 0; kx < w->kernelWidth; kx++) {
      size_t x = x0 * w->strideWidth + kx * w->dilationWidth;
      if (x < w->padLeft || x - w->padLeft >= input->width) continue;
      const uint8_t *from = line + (x - w->padLeft) * input->channels;
      vm value;
      if (count >= 4 * LANES) {
        value = *(const vm_unaligned *)from;
      } else {
        uint8_t lanes[4 * LANES] = {0};
        for (size_t i = 0; i < count; i++) lanes[i] = from[i];
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
  size_t channels = input->channels;
  for (size_t row = rowBegin; row < rowEnd; row++) {
    i8_row at = row_at(row, output->height);
    for (size_t x = 0; x < output->width; x++) {
      uint8_t *to = pixel_at(output, at.image, at.y, x);
      size_t c = 0;
      for (; c + 4 * LANES <= channels; c += 4 * LANES) maximum_channels(4 * LANES, w, input, at, x, c, to + c);
      if (c < channels) maximum_channels(channels - c, w, input, at, x, c, to + c);
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

static void i8_quantise_planar(const float *x, float inverse, int32_t zero, const eri_i8_image *y, size_t rowBegin,
                               size_t rowEnd) {
  i8_quantiser q = quantiser(inverse, zero);
  for (size_t row = rowBegin; row < rowEnd; row++) {
    i8_row at = row_at(row, y->height);
    for (size_t c = 0; c < y->channels; c++) {
      const float *from = x + ((at.image * y->channels + c) * y->height + at.y) * y->width;
      uint8_t *to = pixel_at(y, at.image, at.y, 0) + c;
      for (size_t i = 0; i < y->width; i += LANES) {
        uint8_t lanes[LANES];
        store_some_bytes(lanes, quantised_bytes(load_some_floats(from + i, y->width - i), &q), LANES);
        for (size_t j = 0; j < eri_minimum(LANES, y->width - i); j++) to[(i + j) * y->channels] = lanes[j];
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
