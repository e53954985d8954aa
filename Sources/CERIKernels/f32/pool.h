// Pooling and halos of channels-last images.

/// NaN in a window gives NaN.
static void f32_maxpool(const eri_window *w, const eri_f32_image *input, const eri_f32_image *output, size_t rowBegin,
                        size_t rowEnd) {
  size_t channels = output->channels, line = w->dilationHeight * row_floats(input), step = w->dilationWidth * channels;
  for (size_t row = rowBegin; row < rowEnd; row++) {
    size_t image = row / output->height, outY = row % output->height, y = outY * w->strideHeight;
    f32_inside vertical = taps_inside(y, w->kernelHeight, w->dilationHeight, w->padTop, input->height);
    for (size_t outX = 0; outX < output->width; outX++) {
      size_t x = outX * w->strideWidth;
      f32_inside horizontal = taps_inside(x, w->kernelWidth, w->dilationWidth, w->padLeft, input->width);
      bool empty = vertical.begin == vertical.end || horizontal.begin == horizontal.end;
      const float *corner = input->data;
      if (!empty) {
        corner += pixel_offset(input, image, y + vertical.begin * w->dilationHeight - w->padTop,
                               x + horizontal.begin * w->dilationWidth - w->padLeft);
      }
      float *out = output->data + pixel_offset(output, image, outY, outX);
      for (size_t c = 0; c < channels; c += LANES) {
        vf greatest = splat(-__builtin_inff());
        vi invalid = (vi)0;
        for (size_t ky = 0; !empty && ky < vertical.end - vertical.begin; ky++) {
          for (size_t kx = 0; kx < horizontal.end - horizontal.begin; kx++) {
            vf v = load_some(corner + ky * line + kx * step + c, channels - c);
            greatest = maximum(greatest, v);
            invalid |= v != v;
          }
        }
        store_some(out + c, invalid ? splat(__builtin_nanf("")) : greatest, channels - c);
      }
    }
  }
}

static void f32_halo_clear(const eri_f32_image *image, size_t imageBegin, size_t imageEnd) {
  if (!image->halo) return;
  size_t line = row_floats(image), side = image->halo * image->channels, rows = image->height + 2 * image->halo;
  for (size_t i = imageBegin; i < imageEnd; i++) {
    float *data = image->data + i * image_floats(image);
    memset(data, 0, image->halo * line * sizeof(float));
    for (size_t y = image->halo; y < rows - image->halo; y++) {
      memset(data + y * line, 0, side * sizeof(float));
      memset(data + (y + 1) * line - side, 0, side * sizeof(float));
    }
    memset(data + (rows - image->halo) * line, 0, image->halo * line * sizeof(float));
  }
}
