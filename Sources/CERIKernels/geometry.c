#include "geometry.h"

size_t eri_f32_gemm_packed_count(size_t k, size_t n) { return eri_ceil_div(n, ERI_PANEL) * ERI_PANEL * k; }

size_t eri_f32_conv_packed_count(const eri_window *w, size_t inputChannels, size_t outputChannels) {
  size_t taps = w->kernelHeight * w->kernelWidth;
  if (eri_window_depthwise(w, inputChannels, outputChannels)) return taps * eri_round_up(inputChannels, ERI_PANEL);
  return w->groups * eri_f32_gemm_packed_count(taps * (inputChannels / w->groups), outputChannels / w->groups);
}

size_t eri_f32_conv_scratch_count(const eri_window *w, size_t inputChannels, size_t outputChannels) {
  (void)outputChannels;
  size_t taps = w->kernelHeight * w->kernelWidth;
  size_t count = ERI_LINE + eri_pointer_floats(taps * ERI_BLOCK) + eri_round_up(inputChannels, ERI_LINE);
  if (eri_window_gathers(w, inputChannels)) count += taps * inputChannels * ERI_BLOCK;
  return count;
}

size_t eri_f32_conv_planar_packed_count(const eri_window *w, size_t inputChannels, size_t outputChannels) {
  size_t depth = w->kernelHeight * w->kernelWidth * (inputChannels / w->groups);
  return w->groups * eri_f32_gemm_packed_count(depth, outputChannels / w->groups);
}

size_t eri_f32_conv_planar_scratch_count(const eri_window *w, size_t inputChannels, size_t inputHeight,
                                         size_t inputWidth, size_t outputChannels) {
  (void)inputHeight;
  (void)inputWidth;
  (void)outputChannels;
  size_t depth = w->kernelHeight * w->kernelWidth * inputChannels;
  return ERI_LINE + eri_pointer_floats(depth * ERI_BLOCK) + eri_round_up(w->kernelWidth, ERI_LINE) + depth * ERI_BLOCK;
}

/// Points of all tiles of an image.
static size_t points_of_image(eri_winograd_tile tile, size_t height, size_t width) {
  eri_winograd_side vertical = eri_winograd_cut(tile, height), horizontal = eri_winograd_cut(tile, width);
  return (vertical.count * (vertical.small + 2) + vertical.larges * (vertical.large - vertical.small)) *
         (horizontal.count * (horizontal.small + 2) + horizontal.larges * (horizontal.large - horizontal.small));
}

eri_winograd_tile eri_f32_winograd_tile(size_t height, size_t width, size_t inputChannels, size_t outputChannels) {
  // Tiles of 6 have to save a tenth of the products, since they round more and their weights take 16/9 of the room.
  bool saves = 10 * points_of_image(ERI_WINOGRAD_TILE_6, height, width) <= 9 * points_of_image(ERI_WINOGRAD_TILE_4, height, width);
  bool isSmall = eri_f32_winograd_packed_count(ERI_WINOGRAD_TILE_6, inputChannels, outputChannels) <= (1u << 20);
  return saves && isSmall ? ERI_WINOGRAD_TILE_6 : ERI_WINOGRAD_TILE_4;
}

size_t eri_f32_winograd_packed_count(eri_winograd_tile tile, size_t inputChannels, size_t outputChannels) {
  return eri_winograd_points(tile) * eri_round_up(inputChannels, ERI_PANEL) * eri_round_up(outputChannels, ERI_PANEL);
}

size_t eri_f32_winograd_scratch_count(eri_winograd_tile tile, size_t height, size_t width, size_t inputChannels,
                                      size_t outputChannels, size_t images) {
  size_t tiles = eri_winograd_cut(tile, height).count * eri_winograd_cut(tile, width).count * images;
  size_t group = eri_winograd_group(tile, inputChannels, outputChannels, tiles);
  size_t results = eri_minimum(eri_round_up(outputChannels, ERI_PANEL), ERI_WINOGRAD_PANELS * ERI_PANEL);
  size_t channels = eri_round_up(inputChannels, ERI_PANEL) + results;
  return ERI_LINE + eri_winograd_points(tile) * (group * channels + 2 * ERI_LINE);
}

size_t eri_f32_winograd2_packed_count(size_t inputChannels, size_t outputChannels) {
  return eri_f32_winograd_packed_count(ERI_WINOGRAD_TILE_4, inputChannels, outputChannels);
}

size_t eri_f32_winograd2_scratch_count(size_t outputHeight, size_t outputWidth, size_t inputChannels, size_t images) {
  size_t tiles = eri_strided_cut(outputHeight).count * eri_strided_cut(outputWidth).count * images;
  size_t perTile = eri_round_up(inputChannels, ERI_PANEL) + ERI_STRIDED_PANELS * ERI_PANEL;
  size_t places = ERI_STRIDED_PLACES * ERI_STRIDED_PLACES;
  return ERI_LINE + places * (eri_strided_group(tiles) * perTile + 2 * ERI_LINE);
}

bool eri_f32_conv_phases_fits(const eri_window *w, size_t inputChannels) {
  return w->groups == 1 && inputChannels <= ERI_PHASE_CHANNELS && w->strideHeight == 2 && w->strideWidth == 2 &&
         w->dilationHeight == 1 && w->dilationWidth == 1 && w->kernelHeight <= 8 && w->kernelWidth <= 8;
}

size_t eri_f32_conv_phases_packed_count(size_t inputChannels, size_t outputChannels) {
  return (size_t)ERI_PHASE_SIDE * ERI_PHASE_SIDE * 4 * inputChannels * eri_round_up(outputChannels, ERI_PANEL);
}

size_t eri_f32_conv_phases_scratch_count(size_t outputWidth) {
  size_t columns = 4 * eri_ceil_div(outputWidth, 4) + ERI_PHASE_SIDE - 4;
  size_t perTile = ERI_PHASE_SIDE * ERI_PHASE_SIDE * 4 * ERI_PHASE_CHANNELS + 4 * ERI_PHASE_SIDE * ERI_PANEL;
  return ERI_LINE + ERI_PHASE_SIDE * columns * 4 * ERI_PHASE_CHANNELS + ERI_ROWS_MAXIMUM * perTile;
}

bool eri_f32_conv_phases_pools(const eri_window *w) {
  return w->kernelHeight == 3 && w->kernelWidth == 3 && w->strideHeight == 2 && w->strideWidth == 2 &&
         w->dilationHeight == 1 && w->dilationWidth == 1 && w->padTop == 1 && w->padLeft == 1;
}

size_t eri_f32_conv_phases_pooled_scratch_count(size_t outputWidth, size_t outputChannels) {
  size_t columns = eri_round_up(outputWidth, 4) + 2;
  return eri_f32_conv_phases_scratch_count(outputWidth) + ERI_LINE + columns * eri_round_up(outputChannels, ERI_PANEL);
}

size_t eri_f32_attention_scratch_count(size_t queries, size_t keys, size_t keyDimension, size_t valueDimension) {
  (void)queries;
  return ERI_LINE + eri_f32_gemm_packed_count(keyDimension, keys) + eri_f32_gemm_packed_count(keys, valueDimension) +
         ERI_ROWS_MAXIMUM * eri_round_up(keys, ERI_PANEL);
}
