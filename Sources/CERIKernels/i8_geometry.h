// Sizes of packed 8-bit weights and of scratch, which all variants share.
#ifndef ERI_I8_GEOMETRY_H
#define ERI_I8_GEOMETRY_H

#include "geometry.h"
#include "include/eri_int8.h"

enum {
  ERI_I8_QUAD = 4,  // products that a sum's lane takes at a time
  ERI_I8_QUAD_BYTES = ERI_PANEL * ERI_I8_QUAD,  // one quad of a panel: [16 columns][4]
  ERI_I8_STEP = 64,  // values of a row that a tile takes at a time, where there are tiles
  ERI_I8_BLOCK = 96,  // rows or pixels that share one sweep over the panels; a multiple of every variant's row count
  ERI_I8_DEPTH = 16,  // Winograd: channels are padded to this multiple
  ERI_I8_DEPTH_MAXIMUM = 32,  // no variant's blocks of tiles' points have more channels
  ERI_I8_ROWS = 24,  // Winograd: tiles of a group are rounded up to this multiple; every variant's row count divides it
  ERI_I8_STRIP = 32,  // Winograd: output channels between the points and the image at a time, at most
};

/// Where the parts of packed weights lie, in bytes from their start: the columns' sums (int32) come first.
typedef struct {
  size_t panels;      // of one group
  size_t panelBytes;  // of one panel
  size_t limits;      // two bytes of each panel: how its products may be summed, for variants that distinguish
  size_t data;        // [group][panel][tap][quad][16][4]
  size_t total;
} eri_i8_layout;

static inline eri_i8_layout eri_i8_layout_of(size_t groups, size_t taps, size_t depth, size_t wide) {
  eri_i8_layout layout;
  layout.panels = eri_ceil_div(wide, ERI_PANEL);
  layout.panelBytes = taps * eri_ceil_div(depth, ERI_I8_QUAD) * ERI_I8_QUAD_BYTES;
  layout.limits = groups * layout.panels * ERI_PANEL * sizeof(int32_t);
  layout.data = eri_round_up(layout.limits + groups * layout.panels * 2, 64);
  // A tile reads whole steps.
  layout.total = layout.data + groups * layout.panels * layout.panelBytes + (ERI_I8_STEP / ERI_I8_QUAD - 1) * ERI_I8_QUAD_BYTES;
  return layout;
}

/// Few channels: each output pixel's window is copied, channels side by side, and counts as one tap. Otherwise most quads would not be
/// whole, and taps too short for the micro-kernel.
static inline bool eri_i8_window_merges(const eri_window *w, size_t inputChannels) {
  return w->groups == 1 && w->dilationWidth == 1 && w->kernelWidth > 1 && inputChannels < 16;
}
/// Values of such a window, rounded up to quads.
static inline size_t eri_i8_merged_length(const eri_window *w, size_t inputChannels) {
  return eri_round_up(w->kernelHeight * w->kernelWidth * inputChannels, ERI_I8_QUAD);
}
enum { ERI_I8_COPY = 32 };  // bytes at a time, so that up to one less are written beyond a copy
/// Bytes from one copy to the next.
static inline size_t eri_i8_merged_step(const eri_window *w, size_t inputChannels) {
  return eri_round_up(eri_i8_merged_length(w, inputChannels) + ERI_I8_COPY - 1, 64);
}

static inline eri_i8_layout eri_i8_conv_layout(const eri_window *w, size_t inputChannels, size_t outputChannels) {
  size_t taps = w->kernelHeight * w->kernelWidth;
  if (eri_i8_window_merges(w, inputChannels)) return eri_i8_layout_of(1, 1, taps * inputChannels, outputChannels);
  return eri_i8_layout_of(w->groups, taps, inputChannels / w->groups, outputChannels / w->groups);
}

enum { ERI_I8_TAPS = 9 };  // at most, of windows that tiles read where they lie

/// Whether tiles read the windows where they lie: the halo holds all padding, and at most an eighth of what is computed is for its positions
/// beside the lines, which is for nothing.
static inline bool eri_i8_window_lies(const eri_window *w, size_t height, size_t width, size_t channels, size_t halo,
                                      size_t outputHeight, size_t outputWidth) {
  return w->groups == 1 && w->strideHeight == 1 && w->strideWidth == 1 && w->kernelHeight * w->kernelWidth <= ERI_I8_TAPS &&
         channels % ERI_I8_STEP == 0 && w->padTop <= halo && w->padLeft <= halo &&
         outputHeight + (w->kernelHeight - 1) * w->dilationHeight <= height + w->padTop + halo &&
         outputWidth + (w->kernelWidth - 1) * w->dilationWidth <= width + w->padLeft + halo && outputWidth <= width + 2 * halo &&
         7 * (width + 2 * halo) <= 8 * outputWidth;
}

/// Bytes from one row to the next where a block's rows are copied for tiles: an odd number of lines, so that they do not fall on the same
/// cache sets.
static inline size_t eri_i8_stage_stride(size_t taps, size_t length) {
  size_t steps = eri_ceil_div(taps * eri_round_up(length, ERI_I8_QUAD), ERI_I8_STEP);
  return (steps | 1) * ERI_I8_STEP;
}

/// Bytes of the zero points that taps outside the image point to, or that are copied for a row of a window.
static inline size_t eri_i8_zero_count(const eri_window *w, size_t inputChannels) {
  return eri_round_up(eri_i8_window_merges(w, inputChannels) ? w->kernelWidth * inputChannels : inputChannels, 64);
}

static inline uint8_t *eri_i8_align(void *scratch) {
  return (uint8_t *)(((uintptr_t)scratch + 63) & ~(uintptr_t)63);
}

/// Winograd weights: float factors [point][output channel padded], then [point][panel][channel][16] int16, the order of the last
/// two being the variant's.
static inline size_t eri_i8_winograd_factors(size_t outputChannels) {
  return (size_t)ERI_WINOGRAD_POINTS * eri_round_up(outputChannels, ERI_PANEL) * sizeof(float);
}

/// Tiles worked on together: enough that sweeping the weights is paid for, few enough that their points stay in cache.
static inline size_t eri_i8_winograd_group(size_t inputChannels, size_t tiles) {
  size_t fitting = eri_round_up(320u * 1024 / (ERI_WINOGRAD_POINTS * 2 * (inputChannels + ERI_I8_STRIP)) + 1, ERI_I8_ROWS);
  size_t group = fitting < 48 ? 48 : fitting;
  return eri_minimum(eri_minimum(group, ERI_WINOGRAD_GROUP), eri_round_up(tiles ? tiles : 1, ERI_I8_ROWS));
}

/// Bytes of one point's inputs and sums of a group; a line more, so that the points' streams do not fall on the same cache sets.
static inline size_t eri_i8_winograd_inputs(size_t group, size_t inputChannels) {
  return group * eri_round_up(inputChannels, ERI_I8_DEPTH_MAXIMUM) * sizeof(int16_t) + 64;
}
static inline size_t eri_i8_winograd_sums(size_t group) { return group * ERI_I8_STRIP * sizeof(int32_t) + 64; }

#endif
