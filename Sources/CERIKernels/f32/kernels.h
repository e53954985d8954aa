// All single-precision kernels of one variant. The including file defines VARIANT (its name as a token), VARIANT_NAME, LANES,
// ROWS, WINOGRAD_ROWS and FMA, and surrounds the inclusion with the target attribute its instructions need.
#include "vector.h"

#include "functions.h"

#include "multiply.h"

#include "gemm.h"

#include "images.h"

#include "conv.h"

#include "pool.h"

#include "rows.h"

#include "attention.h"

#include "tiles.h"

#include "winograd.h"

#include "strided.h"

#include "phases.h"

#include "phases_pool.h"

#include "peak.h"

_Static_assert(ERI_WINOGRAD_ROWS % WINOGRAD_ROWS == 0 && ROWS % 2 == 0 && ROWS <= ERI_ROWS_MAXIMUM, "rows");
_Static_assert(ERI_PANEL % LANES == 0, "lanes");

const eri_kernels VARIANT = {
    .name = VARIANT_NAME,
    .f32_gemm_pack = f32_gemm_pack,
    .f32_gemm = f32_gemm,
    .f32_conv_pack = f32_conv_pack,
    .f32_conv = f32_conv,
    .f32_conv_planar_pack = f32_conv_planar_pack,
    .f32_conv_planar = f32_conv_planar,
    .f32_winograd_pack = f32_winograd_pack,
    .f32_winograd = f32_winograd,
    .f32_winograd2_pack = f32_winograd2_pack,
    .f32_winograd2 = f32_winograd2,
    .f32_conv_phases_pack = f32_conv_phases_pack,
    .f32_conv_phases = f32_conv_phases,
    .f32_conv_phases_pooled = f32_conv_phases_pooled,
    .f32_maxpool = f32_maxpool,
    .f32_halo_clear = f32_halo_clear,
    .f32_attention = f32_attention,
    .f32_attention_pool = f32_attention_pool,
    .f32_layer_norm = f32_layer_norm,
    .f32_softmax = f32_softmax,
    .f32_activate = f32_activate,
    .f32_binary = f32_binary,
    .f32_scale_shift = f32_scale_shift,
    .f32_round_to_grid = f32_round_to_grid,
    .f32_transpose = f32_transpose,
    .f32_peak = f32_peak,
};
