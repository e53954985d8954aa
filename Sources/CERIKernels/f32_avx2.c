// AVX2 with fused multiply-add: 6 × 16 accumulators in 12 of the 16 registers.
#include <math.h>
#include <string.h>

#include "geometry.h"
#include "variant.h"

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#define VARIANT eri_kernels_avx2
#define VARIANT_NAME "avx2"
#define LANES 8
#define ROWS 6
#define FMA(a, b, c) __builtin_elementwise_fma(a, b, c)

#include "f32/kernels.h"

#pragma clang attribute pop
#endif
