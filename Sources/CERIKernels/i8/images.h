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
  return (i8_place){o->bytes ? o->bytes + out : NULL, o->bytes ? NULL : o->floats + out,
                    e->residualBytes ? e->residualBytes + residual : NULL,
                    e->residualFloats ? e->residualFloats + residual : NULL};
}
