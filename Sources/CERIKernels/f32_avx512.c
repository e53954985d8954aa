// AVX-512: 14 × 32 accumulators in 28 of the 32 registers; rows of 14 divide 49 tokens of two images. Two panels, since one load of a
// row's value for each multiply-add would keep the loads busier than the multipliers.
#include <math.h>
#include <string.h>

#include "geometry.h"
#include "variant.h"

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,fma"))), apply_to = function)

#define VARIANT eri_kernels_avx512
#define VARIANT_NAME "avx512"
#define LANES 16
#define ROWS 14
#define PANELS 2
#define WINOGRAD_ROWS 8  // groups of tiles end at multiples of 8 more often than of 14
#define FMA(a, b, c) __builtin_elementwise_fma(a, b, c)

typedef float eri_v16 __attribute__((ext_vector_type(16)));
#define LOAD_FIRST(p, count) \
  __builtin_ia32_loadups512_mask((const void *)(p), (eri_v16)0.0f, (unsigned short)((1u << (count)) - 1))
#define STORE_FIRST(p, v, count) __builtin_ia32_storeups512_mask((void *)(p), v, (unsigned short)((1u << (count)) - 1))

#include "f32/kernels.h"

#pragma clang attribute pop
#endif
