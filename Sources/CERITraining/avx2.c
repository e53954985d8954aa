// AVX2 with fused multiply-add.
#include <math.h>
#include <string.h>

#include "geometry.h"
#include "training.h"

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#define VARIANT eri_training_avx2
#define VARIANT_NAME "avx2"
#define LANES 8
#define ROWS 1
#define FMA(a, b, c) __builtin_elementwise_fma(a, b, c)

#include "gradients/kernels.h"

#pragma clang attribute pop
#endif
