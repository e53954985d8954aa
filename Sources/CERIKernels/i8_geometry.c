#include "i8_geometry.h"

#include "i8_variant.h"

size_t eri_i8_gemm_packed_count(size_t k, size_t n) { return eri_i8_layout_of(1, 1, k, n).total; }

size_t eri_i8_conv_packed_count(const eri_window *w, size_t inputChannels, size_t outputChannels) {
  size_t taps = w->kernelHeight * w->kernelWidth;
  if (eri_window_depthwise(w, inputChannels, outputChannels)) return taps * eri_round_up(inputChannels, ERI_PANEL);
  return eri_i8_conv_layout(w, inputChannels, outputChannels).total;
}

size_t eri_i8_conv_scratch_count(const eri_window *w, size_t inputChannels, size_t outputChannels) {
  size_t taps = w->kernelHeight * w->kernelWidth, count = 64 + eri_i8_zero_count(w, inputChannels);
  // Where there are tiles, a pixel of the output that nobody reads.
  count += eri_round_up(outputChannels * sizeof(float), 64);
  if (eri_i8_window_merges(w, inputChannels)) {
    return count + ERI_I8_BLOCK * (sizeof(void *) + eri_i8_merged_step(w, inputChannels));
  }
  return count + taps * ERI_I8_BLOCK * sizeof(void *) + 64 +
         ERI_I8_BLOCK * eri_i8_stage_stride(taps, inputChannels / w->groups) + 2 * ERI_I8_STEP;
}

size_t eri_i8_winograd_packed_count(size_t inputChannels, size_t outputChannels) {
  return eri_i8_winograd_factors(outputChannels) + ERI_WINOGRAD_POINTS * eri_round_up(inputChannels, ERI_I8_DEPTH) *
                                                       eri_round_up(outputChannels, ERI_PANEL) * sizeof(int16_t);
}

size_t eri_i8_winograd_scratch_count(size_t height, size_t width, size_t inputChannels, size_t outputChannels,
                                     size_t images) {
  (void)outputChannels;
  size_t tiles = eri_winograd_cut(ERI_WINOGRAD_TILE_4, height).count * eri_winograd_cut(ERI_WINOGRAD_TILE_4, width).count * images;
  size_t group = eri_i8_winograd_group(inputChannels, tiles);
  return 64 + ERI_WINOGRAD_POINTS * (eri_i8_winograd_inputs(group, inputChannels) + eri_i8_winograd_sums(group));
}

/// Rows of all points' products for `group` tiles, in whole rows of the micro-kernel: some points only tiles of 4 have, in one direction
/// or both.
static size_t point_rows(size_t group, size_t rows, const eri_winograd_side *vertical,
                         const eri_winograd_side *horizontal) {
  size_t high = eri_ceil_div(group * vertical->larges, vertical->count);
  size_t wide = eri_ceil_div(group * horizontal->larges, horizontal->count);
  size_t both = eri_ceil_div(high * horizontal->larges, horizontal->count);
  return 25 * eri_round_up(group, rows) + 5 * eri_round_up(high, rows) + 5 * eri_round_up(wide, rows) +
         eri_round_up(both, rows);
}

bool eri_i8_winograd_pays(const eri_i8_kernels *kernels, size_t height, size_t width, size_t inputChannels,
                          size_t outputChannels, size_t images) {
  // With fewer channels the transforms cost more than the saved products.
  if (inputChannels < 16 || outputChannels < 16 || height * width * images == 0) return false;
  eri_winograd_side vertical = eri_winograd_cut(ERI_WINOGRAD_TILE_4, height), horizontal = eri_winograd_cut(ERI_WINOGRAD_TILE_4, width);
  size_t tiles = vertical.count * horizontal.count * images;
  size_t group = eri_whole_rows(&vertical, &horizontal, eri_i8_winograd_group(inputChannels, tiles), kernels->pointRows);
  size_t points = tiles / group * point_rows(group, kernels->pointRows, &vertical, &horizontal) +
                  point_rows(tiles % group, kernels->pointRows, &vertical, &horizontal);
  // Products for each pair of channels, as shares of half of the direct sum's; then what the transforms were measured to cost beside
  // them, which 16 channels' direct sums lose elsewhere.
  float share = 2 * (float)points / (float)(9 * height * width * images);
  float transforms = 0.12f;
  if (inputChannels > 16) transforms += 4.0f / (float)inputChannels;
  if (outputChannels > 16) transforms += 4.0f / (float)outputChannels;
  return 0.5f * kernels->pointCost * (share + transforms) < 1;
}

bool eri_i8_conv_wants_halo(const eri_i8_kernels *kernels, const eri_window *w, size_t height, size_t width, size_t channels,
                            size_t outputHeight, size_t outputWidth) {
  return kernels->readsHalo && !eri_i8_window_lies(w, height, width, channels, 0, outputHeight, outputWidth) &&
         eri_i8_window_lies(w, height, width, channels, 1, outputHeight, outputWidth);
}
