// The variants of the training kernels: that of the kernels they are called with.
#include "include/eri_training.h"
