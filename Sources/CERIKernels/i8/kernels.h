// All 8-bit kernels of one variant. The including file defines VARIANT (its name as a token), VARIANT_NAME, LANES and what
// multiply.h and winograd.h ask for, and surrounds the inclusion with the target attribute its instructions need.
#include "images.h"

#include "multiply.h"

#include "merged.h"

#include "conv.h"

#include "winograd.h"

#include "elements.h"

_Static_assert(ERI_I8_BLOCK % ROWS == 0 && ERI_I8_ROWS % POINT_ROWS == 0, "rows");
_Static_assert(ERI_PANEL % LANES == 0 && POINT_DEPTH % HALVES == 0 && POINT_DEPTH % ERI_I8_DEPTH == 0, "lanes");
_Static_assert(ERI_I8_DEPTH_MAXIMUM % POINT_DEPTH == 0, "depth");
_Static_assert(POINT_PANELS * ERI_PANEL <= ERI_I8_STRIP, "panels");

/// What variants that differ in their direct products share.
#define OTHER_KERNELS                                                                                                           \
  .pointRows = POINT_ROWS, .gemm_pack = i8_gemm_pack, .conv_pack = i8_conv_pack, .winograd_pack = i8_winograd_pack,             \
  .winograd = i8_winograd, .add = i8_add, .maxpool = i8_maxpool, .lookup = i8_lookup, .quantise = i8_quantise,                  \
  .quantise_planar = i8_quantise_planar, .dequantise = i8_dequantise, .halo_fill = i8_halo_fill

const eri_i8_kernels VARIANT = {
    .name = VARIANT_NAME,
    .pointCost = POINT_COST,
    .gemm = i8_gemm,
    .conv = i8_conv,
    OTHER_KERNELS,
};
