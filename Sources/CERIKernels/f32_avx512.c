// AVX-512: 14 × 16 accumulators, which divide 49 tokens of two images and leave half of the 32 registers to the transforms.
#include <math.h>
#include <string.h>

#include "geometry.h"
#include "variant.h"

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,fma"))), apply_to = function)

#define VARIANT eri_kernels_avx512
#define VARIANT_NAME "avx512"
#define LANES 16
#define ROWS 12
#define PANELS 2
#define WINOGRAD_ROWS 8  // groups of tiles end at multiples of 8 more often than of 12
#define FMA(a, b, c) __builtin_elementwise_fma(a, b, c)

typedef float eri_v16 __attribute__((ext_vector_type(16)));
#define LOAD_FIRST(p, count) \
  __builtin_ia32_loadups512_mask((const void *)(p), (eri_v16)0.0f, (unsigned short)((1u << (count)) - 1))
#define STORE_FIRST(p, v, count) __builtin_ia32_storeups512_mask((void *)(p), v, (unsigned short)((1u << (count)) - 1))

#include "f32/kernels.h"

#pragma clang attribute pop
#endif
