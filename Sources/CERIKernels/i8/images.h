// Where pixels lie.

/// Elements from the start of a batch of images to the channels of a pixel.
INLINE size_t pixel_offset(size_t height, size_t width, size_t channels, size_t halo, size_t image, size_t y, size_t x) {
  return ((image * (height + 2 * halo) + y + halo) * (width + 2 * halo) + x + halo) * channels;
}
INLINE uint8_t *pixel_at(const eri_i8_image *i, size_t image, size_t y, size_t x) {
  return i->data + pixel_offset(i->height, i->width, i->channels, i->halo, image, y, x);
}
INLINE float *float_pixel_at(const eri_f32_image *i, size_t image, size_t y, size_t x) {
  return i->data + pixel_offset(i->height, i->width, i->channels, i->halo, image, y, x);
}

/// The place of a pixel of the output.
INLINE i8_place place_at(const eri_i8_output *o, const eri_i8_epilogue *e, size_t image, size_t y, size_t x) {
  size_t out = pixel_offset(o->height, o->width, o->channels, o->halo, image, y, x);
  size_t residual = pixel_offset(o->height, o->width, o->channels, e->residualHalo, image, y, x);
  return place_of(o->bytes, o->floats, e, out, residual);
}

/// Points a run of pixels of one output row, from `place` on.
INLINE void place_run(i8_place *places, size_t count, i8_place place, size_t outStep, size_t residualStep) {
  for (size_t i = 0; i < count; i++) {
    places[i] = (i8_place){(uint8_t *)place.out + i * outStep,
                           place.residual ? (const uint8_t *)place.residual + i * residualStep : NULL};
  }
}
/// Bytes from a pixel to the next in the output and in the residual.
INLINE size_t output_step(const eri_i8_output *o) { return o->channels * (o->bytes ? 1 : sizeof(float)); }
INLINE size_t residual_step(const eri_i8_output *o, const eri_i8_epilogue *e) {
  return o->channels * (e->residualBytes ? 1 : sizeof(float));
}

/// The positions of a window in one direction that lie inside: `count` of them after `skipped`, `first` the coordinate of the first.
typedef struct {
  size_t skipped, first, count;
} i8_span;

INLINE i8_span span_of(size_t start, size_t kernel, size_t dilation, size_t pad, size_t size) {
  if (start >= pad && start - pad + (kernel - 1) * dilation < size) return (i8_span){0, start - pad, kernel};
  size_t skipped = start < pad ? eri_ceil_div(pad - start, dilation) : 0, first = start + skipped * dilation - pad;
  if (skipped >= kernel || first >= size) return (i8_span){0, 0, 0};
  return (i8_span){skipped, first, eri_minimum(kernel - skipped, eri_ceil_div(size - first, dilation))};
}
