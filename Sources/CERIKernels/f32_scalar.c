// Portable C: vectors of four that the compiler maps to what every processor of the target has.
#include <math.h>
#include <string.h>

#include "geometry.h"
#include "variant.h"

#define VARIANT eri_kernels_scalar
#define VARIANT_NAME "scalar"
#define LANES 4
#define ROWS 2  // 2 × 4 accumulators, 4 columns and 2 factors: 16 registers do not hold a third row
#define PANELS 1
#define WINOGRAD_ROWS 2
#define FMA(a, b, c) ((a) * (b) + (c))

#include "f32/kernels.h"
