#include "i8_geometry.h"

size_t eri_i8_gemm_packed_count(size_t k, size_t n) { return eri_i8_layout_of(1, 1, k, n).total; }

size_t eri_i8_conv_packed_count(const eri_window *w, size_t inputChannels, size_t outputChannels) {
  size_t taps = w->kernelHeight * w->kernelWidth;
  if (eri_window_depthwise(w, inputChannels, outputChannels)) return taps * eri_round_up(inputChannels, ERI_PANEL);
  return eri_i8_conv_layout(w, inputChannels, outputChannels).total;
}

size_t eri_i8_conv_scratch_count(const eri_window *w, size_t inputChannels, size_t outputChannels) {
  (void)outputChannels;
  return 64 + eri_round_up(inputChannels, 64) + w->kernelHeight * w->kernelWidth * ERI_I8_BLOCK * sizeof(void *);
}

size_t eri_i8_winograd_packed_count(size_t inputChannels, size_t outputChannels) {
  return eri_i8_winograd_factors(outputChannels) + ERI_WINOGRAD_POINTS * eri_round_up(inputChannels, ERI_I8_DEPTH) *
                                                       eri_round_up(outputChannels, ERI_PANEL) * sizeof(int16_t);
}

size_t eri_i8_winograd_scratch_count(size_t height, size_t width, size_t inputChannels, size_t outputChannels,
                                     size_t images) {
  (void)outputChannels;
  size_t tiles = eri_winograd_cut(height).count * eri_winograd_cut(width).count * images;
  size_t group = eri_i8_winograd_group(inputChannels, tiles);
  return 64 + ERI_WINOGRAD_POINTS * (eri_i8_winograd_inputs(group, inputChannels) + eri_i8_winograd_sums(group));
}
