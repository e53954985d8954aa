// Where pixels of channels-last images lie, and which taps of a window lie inside.

/// A stretch of a block's pixels that lie in one output row.
typedef struct {
  size_t image, y, x, count;
} f32_run;

/// The run that starts at pixel `pixel` (counted from the first image's first row), at most `limit` long.
INLINE f32_run run_at(size_t pixel, size_t limit, const eri_f32_image *output) {
  size_t row = pixel / output->width, x = pixel % output->width;
  return (f32_run){row / output->height, row % output->height, x, eri_minimum(limit, output->width - x)};
}

INLINE size_t row_floats(const eri_f32_image *i) { return (i->width + 2 * i->halo) * i->channels; }
INLINE size_t image_floats(const eri_f32_image *i) { return (i->height + 2 * i->halo) * row_floats(i); }
INLINE size_t pixel_offset(const eri_f32_image *i, size_t image, size_t y, size_t x) {
  return image * image_floats(i) + (y + i->halo) * row_floats(i) + (x + i->halo) * i->channels;
}

/// The part begin..<end of a run whose input column lies inside 0..<width, for one tap.
typedef struct {
  size_t begin, end;
} f32_inside;
INLINE f32_inside inside(const f32_run *run, size_t stride, size_t tapOffset, size_t padding, size_t width) {
  size_t first = run->x * stride + tapOffset;  // padded column of the run's first pixel
  f32_inside part = {0, 0};
  if (first < padding) part.begin = eri_minimum(run->count, eri_ceil_div(padding - first, stride));
  if (width + padding > first) part.end = eri_minimum(run->count, eri_ceil_div(width + padding - first, stride));
  if (part.end < part.begin) part.end = part.begin;
  return part;
}

/// The taps begin..<end of a window whose first tap lies at the padded position `first` that are inside 0..<extent.
INLINE f32_inside taps_inside(size_t first, size_t taps, size_t dilation, size_t padding, size_t extent) {
  f32_inside part = {first < padding ? eri_minimum(taps, eri_ceil_div(padding - first, dilation)) : 0, 0};
  if (extent + padding > first) part.end = eri_minimum(taps, eri_ceil_div(extent + padding - first, dilation));
  if (part.end < part.begin) part.end = part.begin;
  return part;
}
