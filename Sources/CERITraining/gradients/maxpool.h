// The gradient of a max pool.

/// Adds one output pixel's gradient to the first position that holds its maximum: the first that is not less. Of a window with
/// NaN, whose maximum is NaN, that is its first position.
INLINE void maxpool_pixel(f32_inside vertical, f32_inside horizontal, size_t line, size_t step, size_t channels,
                          const float *corner, const float *out, const float *dOut, float *dCorner) {
  size_t lines = vertical.end - vertical.begin, columns = horizontal.end - horizontal.begin;
  EACH_VECTOR(channels, {
    vf greatest = load_some(out + at, left), slope = load_some(dOut + at, left);
    vi open = (vi)-1;
    for (size_t ky = 0; ky < lines; ky++) {
      size_t place = ky * line + at;
      for (size_t kx = 0; kx < columns; kx++, place += step) {
        vi takes = open & ~(load_some(corner + place, left) < greatest);
        open &= ~takes;
        store_some(dCorner + place, load_some(dCorner + place, left) + from_bits(takes & to_bits(slope)), left);
      }
    }
  });
}

/// Rows of the input's gradient are zeroed just before the first output row that reaches them, while they stay in cache.
static void maxpool_gradient(const eri_window *w, const eri_f32_image *input, const eri_f32_image *output,
                             const float *dOutput, float *dInput, bool accumulate, size_t imageBegin, size_t imageEnd) {
  size_t channels = output->channels, inputRow = input->width * channels, step = w->dilationWidth * channels;
  for (size_t image = imageBegin; image < imageEnd; image++) {
    const float *in = input->data + image * input->height * inputRow;
    const float *out = output->data + image * output->height * output->width * channels;
    const float *dOut = dOutput + image * output->height * output->width * channels;
    float *dIn = dInput + image * input->height * inputRow;
    size_t clean = accumulate ? input->height : 0;
    for (size_t outY = 0; outY < output->height; outY++) {
      size_t y = outY * w->strideHeight, below = y + (w->kernelHeight - 1) * w->dilationHeight + 1;
      size_t reached = below > w->padTop ? eri_minimum(below - w->padTop, input->height) : 0;
      if (reached > clean) {
        memset(dIn + clean * inputRow, 0, (reached - clean) * inputRow * sizeof(float));
        clean = reached;
      }
      f32_inside vertical = taps_inside(y, w->kernelHeight, w->dilationHeight, w->padTop, input->height);
      if (vertical.begin == vertical.end) continue;
      size_t inY = y + vertical.begin * w->dilationHeight - w->padTop;
      for (size_t outX = 0; outX < output->width; outX++) {
        size_t x = outX * w->strideWidth, place = (outY * output->width + outX) * channels;
        f32_inside horizontal = taps_inside(x, w->kernelWidth, w->dilationWidth, w->padLeft, input->width);
        if (horizontal.begin == horizontal.end) continue;
        size_t corner = inY * inputRow + (x + horizontal.begin * w->dilationWidth - w->padLeft) * channels;
        maxpool_pixel(vertical, horizontal, w->dilationHeight * inputRow, step, channels, in + corner, out + place,
                      dOut + place, dIn + corner);
      }
    }
    memset(dIn + clean * inputRow, 0, (input->height - clean) * inputRow * sizeof(float));
  }
}
