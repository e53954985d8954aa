// The table of 8-bit variants and the functions that callers see.
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(__aarch64__)
#include <sys/auxv.h>
#endif

#include "i8_variant.h"

extern const eri_i8_kernels eri_i8_kernels_scalar, eri_i8_kernels_avx2, eri_i8_kernels_avxvnni,
    eri_i8_kernels_avx512vnni, eri_i8_kernels_amx, eri_i8_kernels_neon, eri_i8_kernels_neondot;

static bool always(void) { return true; }
#if defined(__x86_64__)
static bool has_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
static bool has_avx512vnni(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni") && has_avx2();
}
/// CPUID leaf 7, subleaf 1, EAX bit 4; that the system saves the registers follows from AVX2.
static bool has_avxvnni(void) {
  unsigned eax = 0, ebx, ecx, edx;
  return has_avx2() && __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) && (eax & 1u << 4) != 0;
}
/// CPUID leaf 7, EDX bits 24 and 25: tiles, and their products of bytes. Linux gives their state's memory to processes that ask:
/// arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA); a kernel that does not save it refuses.
static bool has_amx(void) {
  unsigned eax, ebx, ecx, edx = 0;
  if (!has_avx512vnni() || !__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) || (edx >> 24 & 3) != 3) return false;
  return syscall(SYS_arch_prctl, 0x1023, 18) == 0;
}
#endif

#if defined(__aarch64__)
/// HWCAP_ASIMDDP: the dot-product instructions.
static bool has_dot_product(void) { return (getauxval(AT_HWCAP) & 1ul << 20) != 0; }
#endif

/// Slowest first. `width` is the rank of the single-precision variant whose registers it takes.
static const struct {
  const eri_i8_kernels *kernels;
  bool (*supported)(void);
  int width;
} variants[] = {
    {&eri_i8_kernels_scalar, always, 0},
#if defined(__x86_64__)
    {&eri_i8_kernels_avx2, has_avx2, 1},
    {&eri_i8_kernels_avxvnni, has_avxvnni, 1},
    {&eri_i8_kernels_avx512vnni, has_avx512vnni, 2},
    {&eri_i8_kernels_amx, has_amx, 2},
#endif
#if defined(__aarch64__)
    {&eri_i8_kernels_neon, always, 1},
    {&eri_i8_kernels_neondot, has_dot_product, 1},
#endif
};

size_t eri_i8_variant_count(void) { return sizeof(variants) / sizeof(variants[0]); }

const char *eri_i8_variant_name(size_t variant) {
  return variant < eri_i8_variant_count() ? variants[variant].kernels->name : NULL;
}

const eri_i8_kernels *eri_i8_variant(size_t variant) {
  if (variant >= eri_i8_variant_count() || !variants[variant].supported()) return NULL;
  return variants[variant].kernels;
}

static const eri_i8_kernels *best_up_to(int width) {
  const eri_i8_kernels *best = NULL;
  for (size_t i = 0; i < eri_i8_variant_count(); i++) {
    if (variants[i].width <= width && eri_i8_variant(i)) best = eri_i8_variant(i);
  }
  return best;
}

const eri_i8_kernels *eri_i8_best(void) { return best_up_to(2); }

const eri_i8_kernels *eri_i8_named(const char *name) {
  for (size_t i = 0; i < eri_i8_variant_count(); i++) {
    if (strcmp(variants[i].kernels->name, name) == 0) return eri_i8_variant(i);
  }
  return NULL;
}

const eri_i8_kernels *eri_i8_beside(const char *f32Variant) {
  static const struct {
    const char *name;
    int width;
  } widths[] = {{"scalar", 0}, {"avx2", 1}, {"neon", 1}, {"avx512", 2}};
  for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
    if (strcmp(widths[i].name, f32Variant) == 0) return best_up_to(widths[i].width);
  }
  return NULL;
}

const char *eri_i8_name(const eri_i8_kernels *kernels) { return kernels->name; }

// --- Forwarding -------------------------------------------------------------------------------------------------

static eri_i8_output to_bytes(const eri_i8_image *image) {
  return (eri_i8_output){image->data, NULL, image->height, image->width, image->channels, image->halo};
}
static eri_i8_output to_floats(const eri_f32_image *image) {
  return (eri_i8_output){NULL, image->data, image->height, image->width, image->channels, image->halo};
}

void eri_i8_gemm_pack(const eri_i8_kernels *kernels, const int8_t *b, size_t strideK, size_t strideN, size_t k, size_t n,
                      void *packed) {
  kernels->gemm_pack(b, strideK, strideN, k, n, packed);
}

void eri_i8_gemm(const eri_i8_kernels *kernels, size_t m, size_t n, size_t k, const uint8_t *a, size_t lda,
                 const void *packed, uint8_t *c, size_t ldc, const eri_i8_epilogue *epilogue) {
  kernels->gemm(m, n, k, a, lda, packed, c, NULL, ldc, epilogue);
}

void eri_i8_gemm_float(const eri_i8_kernels *kernels, size_t m, size_t n, size_t k, const uint8_t *a, size_t lda,
                       const void *packed, float *c, size_t ldc, const eri_i8_epilogue *epilogue) {
  kernels->gemm(m, n, k, a, lda, packed, NULL, c, ldc, epilogue);
}

void eri_i8_conv_pack(const eri_i8_kernels *kernels, const eri_window *window, const int8_t *weights,
                      size_t inputChannels, size_t outputChannels, void *packed) {
  kernels->conv_pack(window, weights, inputChannels, outputChannels, packed);
}

void eri_i8_conv(const eri_i8_kernels *kernels, const eri_window *window, const eri_i8_image *input, const void *packed,
                 const eri_i8_image *output, const eri_i8_epilogue *epilogue, size_t rowBegin, size_t rowEnd,
                 void *scratch) {
  eri_i8_output to = to_bytes(output);
  kernels->conv(window, input, packed, &to, epilogue, rowBegin, rowEnd, scratch);
}

void eri_i8_conv_float(const eri_i8_kernels *kernels, const eri_window *window, const eri_i8_image *input,
                       const void *packed, const eri_f32_image *output, const eri_i8_epilogue *epilogue,
                       size_t rowBegin, size_t rowEnd, void *scratch) {
  eri_i8_output to = to_floats(output);
  kernels->conv(window, input, packed, &to, epilogue, rowBegin, rowEnd, scratch);
}

void eri_i8_winograd_pack(const eri_i8_kernels *kernels, const int8_t *weights, size_t inputChannels,
                          size_t outputChannels, void *packed) {
  kernels->winograd_pack(weights, inputChannels, outputChannels, packed);
}

void eri_i8_winograd(const eri_i8_kernels *kernels, const eri_i8_image *input, const void *packed,
                     const eri_i8_image *output, const eri_i8_epilogue *epilogue, size_t imageBegin, size_t imageEnd,
                     size_t channelBegin, size_t channelEnd, void *scratch) {
  eri_i8_output to = to_bytes(output);
  kernels->winograd(input, packed, &to, epilogue, imageBegin, imageEnd, channelBegin, channelEnd, scratch);
}

void eri_i8_winograd_float(const eri_i8_kernels *kernels, const eri_i8_image *input, const void *packed,
                           const eri_f32_image *output, const eri_i8_epilogue *epilogue, size_t imageBegin,
                           size_t imageEnd, size_t channelBegin, size_t channelEnd, void *scratch) {
  eri_i8_output to = to_floats(output);
  kernels->winograd(input, packed, &to, epilogue, imageBegin, imageEnd, channelBegin, channelEnd, scratch);
}

void eri_i8_add(const eri_i8_kernels *kernels, const eri_i8_image *a, eri_i8_scale aScale, const eri_i8_image *b,
                eri_i8_scale bScale, eri_activation second, const eri_i8_image *y, float outputInverse,
                int32_t outputZero, size_t rowBegin, size_t rowEnd) {
  kernels->add(a, aScale, b, bScale, second, y, outputInverse, outputZero, rowBegin, rowEnd);
}

void eri_i8_maxpool(const eri_i8_kernels *kernels, const eri_window *window, const eri_i8_image *input,
                    const eri_i8_image *output, size_t rowBegin, size_t rowEnd) {
  kernels->maxpool(window, input, output, rowBegin, rowEnd);
}

void eri_i8_lookup(const eri_i8_kernels *kernels, const uint8_t *table, const eri_i8_image *x, const eri_i8_image *y,
                   size_t rowBegin, size_t rowEnd) {
  kernels->lookup(table, x, y, rowBegin, rowEnd);
}

void eri_i8_quantise(const eri_i8_kernels *kernels, const eri_f32_image *x, float inverse, int32_t zero,
                     const eri_i8_image *y, size_t rowBegin, size_t rowEnd) {
  kernels->quantise(x, inverse, zero, y, rowBegin, rowEnd);
}

void eri_i8_quantise_planar(const eri_i8_kernels *kernels, const float *x, float inverse, int32_t zero,
                            const eri_i8_image *y, size_t rowBegin, size_t rowEnd) {
  kernels->quantise_planar(x, inverse, zero, y, rowBegin, rowEnd);
}

void eri_i8_dequantise(const eri_i8_kernels *kernels, const eri_i8_image *x, eri_i8_scale scale, const eri_f32_image *y,
                       size_t rowBegin, size_t rowEnd) {
  kernels->dequantise(x, scale, y, rowBegin, rowEnd);
}

void eri_i8_halo_fill(const eri_i8_kernels *kernels, const eri_i8_image *image, int32_t zero, size_t imageBegin,
                      size_t imageEnd) {
  kernels->halo_fill(image, zero, imageBegin, imageEnd);
}
