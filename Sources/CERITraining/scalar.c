// Portable C: vectors of four that the compiler maps to what every processor of the target has.
#include <math.h>
#include <string.h>

#include "geometry.h"
#include "training.h"

#define VARIANT eri_training_scalar
#define VARIANT_NAME "scalar"
#define LANES 4
#define ROWS 1
#define FMA(a, b, c) ((a) * (b) + (c))

#include "gradients/kernels.h"
