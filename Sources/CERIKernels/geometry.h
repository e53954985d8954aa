// Sizes that all variants share, since the callers' counts do not depend on the variant.
#ifndef ERI_GEOMETRY_H
#define ERI_GEOMETRY_H

#include "include/eri_kernels.h"

enum {
  ERI_PANEL = 16,  // columns of a packed panel
  ERI_BLOCK = 102,  // no more rows or pixels share one sweep over the panels
  ERI_ROWS_MAXIMUM = 16,  // no variant's micro-kernel has more rows
  ERI_LINE = 16,  // floats of a cache line: scratch may start anywhere, so each count leaves one line to align it
  ERI_GATHER_CHANNELS = 8,  // images of fewer channels are gathered to rows before they are multiplied
};

static inline size_t eri_ceil_div(size_t a, size_t b) { return (a + b - 1) / b; }
static inline size_t eri_round_up(size_t a, size_t b) { return eri_ceil_div(a, b) * b; }
static inline size_t eri_minimum(size_t a, size_t b) { return a < b ? a : b; }

/// The first address from `scratch` on that starts a cache line.
static inline float *eri_align(float *scratch) {
  uintptr_t address = (uintptr_t)scratch;
  return scratch + (((address + 63) & ~(uintptr_t)63) - address) / sizeof(float);
}

/// Floats that `count` pointers take, in whole cache lines.
static inline size_t eri_pointer_floats(size_t count) {
  return eri_round_up(count * sizeof(void *) / sizeof(float), ERI_LINE);
}

static inline bool eri_window_depthwise(const eri_window *w, size_t inputChannels, size_t outputChannels) {
  return w->groups > 1 && w->groups == inputChannels && w->groups == outputChannels;
}
static inline bool eri_window_gathers(const eri_window *w, size_t inputChannels) {
  return w->groups == 1 && inputChannels < ERI_GATHER_CHANNELS && w->kernelHeight * w->kernelWidth > 1;
}

// --- Winograd tiles ---------------------------------------------------------------------------------------------

enum {
  ERI_WINOGRAD_POINTS = 36,  // of a tile of 4 and its weights
  ERI_WINOGRAD_ROWS = 24,  // tiles of a group are rounded up to this multiple; every variant's row count divides it
  ERI_WINOGRAD_GROUP = 96,  // no group has more tiles
  ERI_WINOGRAD_PANELS = 8,  // of results at a time
  ERI_TILE_MAXIMUM = 6,  // outputs of a side, of any tile
};

/// How a side is cut: first `larges` tiles of `large` outputs, then tiles of `small` up to `count`; the last may reach over the end.
typedef struct {
  size_t large, small, larges, count;
} eri_winograd_side;

/// The cut with the least work, if a large tile and a small one cost that much.
static inline eri_winograd_side eri_cut(size_t extent, size_t large, size_t largeCost, size_t small, size_t smallCost) {
  eri_winograd_side best = {large, small, 0, eri_ceil_div(extent, small)};
  size_t cost = smallCost * best.count, most = eri_ceil_div(extent, large);
  // So many small tiles as would make whole large ones cost more than those, so few cuts need a look.
  for (size_t larges = most > large ? most - large : 0; larges <= most; larges++) {
    size_t smalls = large * larges >= extent ? 0 : eri_ceil_div(extent - large * larges, small);
    if (largeCost * larges + smallCost * smalls < cost) {
      cost = largeCost * larges + smallCost * smalls;
      best.larges = larges;
      best.count = larges + smalls;
    }
  }
  return best;
}

/// Points of a side of the large tiles.
static inline size_t eri_winograd_side_points(eri_winograd_tile tile) { return (size_t)tile + 2; }
static inline size_t eri_winograd_points(eri_winograd_tile tile) {
  return eri_winograd_side_points(tile) * eri_winograd_side_points(tile);
}

/// The cut at stride 1: a tile has two points more than outputs.
static inline eri_winograd_side eri_winograd_cut(eri_winograd_tile tile, size_t extent) {
  return tile == ERI_WINOGRAD_TILE_6 ? eri_cut(extent, 6, 8, 4, 6) : eri_cut(extent, 4, 6, 3, 5);
}

enum {
  ERI_STRIDED_PLACES = 9,  // of a side of a tile of 4 at stride 2
  ERI_STRIDED_PANELS = 2,  // of results at a time, so that they stay in cache with the inputs
};

/// The cut at stride 2 with the least work: a tile of 4 costs 9 places, one of 3 costs 7.
static inline eri_winograd_side eri_strided_cut(size_t extent) { return eri_cut(extent, 4, 9, 3, 7); }

/// Tiles worked on together at stride 2.
static inline size_t eri_strided_group(size_t tiles) {
  return eri_minimum(48, eri_round_up(tiles ? tiles : 1, ERI_WINOGRAD_ROWS));
}

enum {
  ERI_PHASE_SIDE = 7,  // points of a side of F(4, 4)
  ERI_PHASE_CHANNELS = 4,  // four phases of as many channels fill a panel's row
};

/// Tiles worked on together: enough that sweeping the weights is paid for, few enough to stay in cache.
static inline size_t eri_winograd_group(eri_winograd_tile tile, size_t inputChannels, size_t outputChannels, size_t tiles) {
  size_t product = inputChannels * outputChannels;
  size_t group = product <= 64 * 64 ? 24 : product <= 128 * 128 ? 48 : 96;
  // Their weights take more of the cache, and two images of 28 × 28 or six of 14 × 14 have about so many.
  if (tile == ERI_WINOGRAD_TILE_6) group = product <= 128 * 128 ? 54 : 96;
  size_t fitting = eri_round_up((96u * 1024) / (eri_winograd_points(tile) * (inputChannels + outputChannels)) + 1, 24);
  if (fitting > group) group = fitting;
  return eri_minimum(eri_minimum(group, ERI_WINOGRAD_GROUP), eri_round_up(tiles ? tiles : 1, ERI_WINOGRAD_ROWS));
}

/// A group's size, at most `group`, at which each class of tiles fills whole rows of a micro-kernel of `rows` as far as images' own
/// numbers of tiles allow it.
static inline size_t eri_whole_rows(const eri_winograd_side *vertical, const eri_winograd_side *horizontal, size_t group,
                                    size_t rows) {
  size_t perImage = vertical->count * horizontal->count, wide = horizontal->larges, narrow = horizontal->count - wide;
  for (size_t images = 1; perImage > 0 && images <= rows && images * perImage <= group; images++) {
    size_t high = images * vertical->larges, low = images * vertical->count - high;
    bool fills = high * wide % rows == 0 && high * narrow % rows == 0 && low * wide % rows == 0 && low * narrow % rows == 0;
    if (fills) return group / (images * perImage) * (images * perImage);
  }
  return group < rows ? group : group / rows * rows;
}

/// A tile of the current group; `high` and `wide` are its size, large or small, whatever part of it lies inside the image.
typedef struct {
  size_t image, y, x, high, wide;
} eri_tile;

static inline size_t eri_tile_size(const eri_winograd_side *side, size_t index) {
  return index < side->larges ? side->large : side->small;
}
/// Its first output.
static inline size_t eri_tile_begin(const eri_winograd_side *side, size_t index) {
  return side->small * index + (side->large - side->small) * eri_minimum(index, side->larges);
}

static inline eri_tile eri_tile_at(size_t index, const eri_winograd_side *vertical, const eri_winograd_side *horizontal) {
  size_t perImage = vertical->count * horizontal->count;
  size_t ty = index % perImage / horizontal->count, tx = index % horizontal->count;
  return (eri_tile){.image = index / perImage,
                    .y = eri_tile_begin(vertical, ty),
                    .x = eri_tile_begin(horizontal, tx),
                    .high = eri_tile_size(vertical, ty),
                    .wide = eri_tile_size(horizontal, tx)};
}

/// Tiles of a group in the order large × small, large × large, small × large, small × small: then those that have a given point lie side
/// by side.
static inline size_t eri_tile_class(const eri_tile *tile, size_t large) {
  if (tile->high == large) return tile->wide == large ? 1 : 0;
  return tile->wide == large ? 2 : 3;
}

/// Calls FUNCTION(height, width, …) with the tile's size as constants.
#define ERI_FOR_TILE_SIZE(LARGE, SMALL, TILE, FUNCTION, ...)   \
  switch (eri_tile_class(TILE, LARGE)) {                       \
    case 0: FUNCTION(LARGE, SMALL, __VA_ARGS__); break;        \
    case 1: FUNCTION(LARGE, LARGE, __VA_ARGS__); break;        \
    case 2: FUNCTION(SMALL, LARGE, __VA_ARGS__); break;        \
    default: FUNCTION(SMALL, SMALL, __VA_ARGS__); break;       \
  }

/// The tiles of a group in the order of their classes; class c takes the rows bound[c]..<bound[c + 1].
typedef struct {
  eri_tile list[ERI_WINOGRAD_GROUP];
  size_t bound[5];
} eri_tile_group;

static inline void eri_collect_tiles(eri_tile_group *group, size_t first, size_t count, const eri_winograd_side *vertical,
                                     const eri_winograd_side *horizontal) {
  for (size_t c = 0; c < 5; c++) group->bound[c] = 0;
  for (size_t i = 0; i < count; i++) {
    eri_tile tile = eri_tile_at(first + i, vertical, horizontal);
    group->bound[eri_tile_class(&tile, vertical->large) + 1]++;
  }
  for (size_t c = 1; c < 5; c++) group->bound[c] += group->bound[c - 1];
  size_t next[4] = {group->bound[0], group->bound[1], group->bound[2], group->bound[3]};
  for (size_t i = 0; i < count; i++) {
    eri_tile tile = eri_tile_at(first + i, vertical, horizontal);
    group->list[next[eri_tile_class(&tile, vertical->large)]++] = tile;
  }
}

/// The rows begin..<end of a group's tiles.
typedef struct {
  size_t begin, end;
} eri_tile_rows;

/// Rows of the tiles that have a point: `high` if only large tiles have it along y, `wide` likewise along x.
static inline eri_tile_rows eri_rows_with_point(const eri_tile_group *group, bool high, bool wide) {
  eri_tile_rows rows = {wide ? group->bound[1] : 0, high ? group->bound[2] : group->bound[wide ? 3 : 4]};
  if (rows.end <= rows.begin) rows.begin = rows.end = 0;
  return rows;
}

#endif
