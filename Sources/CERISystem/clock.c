// Clocks. _TIME_BITS: seconds past 2038 on 32-bit machines (glibc wants 64-bit offsets with it).
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#define _TIME_BITS 64

#include "eri_system.h"

#include <time.h>

uint64_t eri_clock_monotonic(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int64_t eri_clock_wall(void) { return (int64_t)time(NULL); }
