// The most multiply-adds per second that one core does: chains of fused multiply-adds in registers, enough of them to hide the
// latency, in the widest vectors that the processor has.
#include <stdbool.h>
#include <time.h>

double peak_rate(void);

enum { CHAINS = 12, STEPS = 4000000, TRIES = 5 };

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

#define DEFINE_RATE(NAME, LANES, ATTRIBUTE)                                                            \
  ATTRIBUTE static double NAME(void) {                                                                 \
    typedef float vf __attribute__((ext_vector_type(LANES)));                                          \
    double best = 0;                                                                                   \
    for (int attempt = 0; attempt < TRIES; attempt++) {                                                \
      vf sum[CHAINS], x = (vf)0.5f, y = (vf)0.25f;                                                     \
      for (int i = 0; i < CHAINS; i++) sum[i] = (vf)(float)i;                                          \
      double start = seconds();                                                                        \
      for (int step = 0; step < STEPS; step++) {                                                       \
        _Pragma("clang loop unroll(full)") for (int i = 0; i < CHAINS; i++) {                          \
          sum[i] = __builtin_elementwise_fma(sum[i], x, y);                                            \
        }                                                                                              \
        __asm__ volatile("" ::: "memory");                                                             \
      }                                                                                                \
      double rate = (double)STEPS * CHAINS * LANES / (seconds() - start);                              \
      volatile float kept = 0;                                                                         \
      for (int i = 0; i < CHAINS; i++) kept += sum[i][0];                                              \
      if (rate > best) best = rate;                                                                    \
    }                                                                                                  \
    return best;                                                                                       \
  }

#if defined(__x86_64__)
DEFINE_RATE(rate_of_512_bits, 16, __attribute__((target("avx512f"))))
DEFINE_RATE(rate_of_256_bits, 8, __attribute__((target("avx2,fma"))))

double peak_rate(void) {
  double rate = __builtin_cpu_supports("fma") ? rate_of_256_bits() : 0;
  if (!__builtin_cpu_supports("avx512f")) return rate;
  double wide = rate_of_512_bits();
  return wide > rate ? wide : rate;
}
#else
DEFINE_RATE(rate_of_128_bits, 4, )
double peak_rate(void) { return rate_of_128_bits(); }
#endif
