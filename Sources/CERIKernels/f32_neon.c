// NEON with fused multiply-add: 6 × 16 accumulators in 24 of the 32 registers.
#include <math.h>
#include <string.h>

#include "geometry.h"
#include "variant.h"

#if defined(__aarch64__)

#define VARIANT eri_kernels_neon
#define VARIANT_NAME "neon"
#define LANES 4
#define ROWS 6
#define PANELS 1
#define WINOGRAD_ROWS 6
#define FMA(a, b, c) __builtin_elementwise_fma(a, b, c)

#include "f32/kernels.h"

#endif
