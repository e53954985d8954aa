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
#define PANELS 1
#define WINOGRAD_ROWS 6
#define HOLD_ONE(v) __asm__ volatile("" : "+x"(v))
#define FMA(a, b, c) __builtin_elementwise_fma(a, b, c)

typedef int eri_mask8 __attribute__((ext_vector_type(8)));
#define FIRST(count) ((eri_mask8){0, 1, 2, 3, 4, 5, 6, 7} < (int)(count))
#define LOAD_FIRST(p, count) __builtin_ia32_maskloadps256((const void *)(p), FIRST(count))
#define STORE_FIRST(p, v, count) __builtin_ia32_maskstoreps256((void *)(p), FIRST(count), v)

#include "f32/kernels.h"

#pragma clang attribute pop
#endif
