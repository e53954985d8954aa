#define ERI_I8_VNNI256 int8_narrow_kernels
#include "i8_avxvnni.c"

#include "int8_narrow.h"

const eri_i8_kernels *int8_narrow(void) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni")) return &int8_narrow_kernels;
#endif
  return NULL;
}
