// The table of variants and the functions that callers see.
#include <string.h>

#include "variant.h"

extern const eri_kernels eri_kernels_scalar, eri_kernels_avx2, eri_kernels_avx512, eri_kernels_neon;

static bool always(void) { return true; }
#if defined(__x86_64__)
static bool has_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
// The compiler's test of a feature includes the system's saving of its registers.
static bool has_avx512(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && has_avx2();
}
#endif

/// Slowest first.
static const struct {
  const eri_kernels *kernels;
  bool (*supported)(void);
} variants[] = {
    {&eri_kernels_scalar, always},
#if defined(__x86_64__)
    {&eri_kernels_avx2, has_avx2},
    {&eri_kernels_avx512, has_avx512},
#endif
#if defined(__aarch64__)
    {&eri_kernels_neon, always},
#endif
};

size_t eri_kernels_variant_count(void) { return sizeof(variants) / sizeof(variants[0]); }

const char *eri_kernels_variant_name(size_t variant) {
  return variant < eri_kernels_variant_count() ? variants[variant].kernels->name : NULL;
}

const eri_kernels *eri_kernels_variant(size_t variant) {
  if (variant >= eri_kernels_variant_count() || !variants[variant].supported()) return NULL;
  return variants[variant].kernels;
}

const eri_kernels *eri_kernels_best(void) {
  const eri_kernels *best = NULL;
  for (size_t i = 0; i < eri_kernels_variant_count(); i++) {
    if (eri_kernels_variant(i)) best = eri_kernels_variant(i);
  }
  return best;
}

const eri_kernels *eri_kernels_named(const char *name) {
  for (size_t i = 0; i < eri_kernels_variant_count(); i++) {
    if (strcmp(variants[i].kernels->name, name) == 0) return eri_kernels_variant(i);
  }
  return NULL;
}

const char *eri_kernels_name(const eri_kernels *kernels) { return kernels->name; }

// --- Forwarding -------------------------------------------------------------------------------------------------

void eri_f32_gemm_pack(const eri_kernels *kernels, const float *b, size_t strideK, size_t strideN, size_t k, size_t n,
                       float *packed) {
  kernels->f32_gemm_pack(b, strideK, strideN, k, n, packed);
}

void eri_f32_gemm(const eri_kernels *kernels, size_t m, size_t n, size_t k, const float *a, size_t lda,
                  const float *packed, float *c, size_t ldc, const eri_f32_epilogue *epilogue) {
  kernels->f32_gemm(m, n, k, a, lda, packed, c, ldc, epilogue);
}

void eri_f32_conv_pack(const eri_kernels *kernels, const eri_window *window, const float *weights, size_t inputChannels,
                       size_t outputChannels, float *packed) {
  kernels->f32_conv_pack(window, weights, inputChannels, outputChannels, packed);
}

void eri_f32_conv(const eri_kernels *kernels, const eri_window *window, const eri_f32_image *input, const float *packed,
                  const eri_f32_image *output, const eri_f32_image *residualImage, const eri_f32_epilogue *epilogue,
                  size_t rowBegin, size_t rowEnd, float *scratch) {
  kernels->f32_conv(window, input, packed, output, residualImage, epilogue, rowBegin, rowEnd, scratch);
}

void eri_f32_conv_planar_pack(const eri_kernels *kernels, const eri_window *window, const float *weights,
                              size_t inputChannels, size_t outputChannels, float *packed) {
  kernels->f32_conv_planar_pack(window, weights, inputChannels, outputChannels, packed);
}

void eri_f32_conv_planar(const eri_kernels *kernels, const eri_window *window, const float *input, size_t inputChannels,
                         size_t inputHeight, size_t inputWidth, const float *packed, const eri_f32_image *output,
                         const eri_f32_epilogue *epilogue, size_t rowBegin, size_t rowEnd, float *scratch) {
  kernels->f32_conv_planar(window, input, inputChannels, inputHeight, inputWidth, packed, output, epilogue, rowBegin,
                           rowEnd, scratch);
}

void eri_f32_winograd_pack(const eri_kernels *kernels, eri_winograd_tile tile, const float *weights, size_t inputChannels,
                           size_t outputChannels, float *packed) {
  kernels->f32_winograd_pack(tile, weights, inputChannels, outputChannels, packed);
}

void eri_f32_winograd(const eri_kernels *kernels, eri_winograd_tile tile, const eri_f32_image *input, const float *packed,
                      const eri_f32_image *output, const eri_f32_image *residualImage,
                      const eri_f32_epilogue *epilogue, size_t imageBegin, size_t imageEnd, size_t channelBegin,
                      size_t channelEnd, float *scratch) {
  kernels->f32_winograd(tile, input, packed, output, residualImage, epilogue, imageBegin, imageEnd, channelBegin, channelEnd,
                        scratch);
}

void eri_f32_winograd2_pack(const eri_kernels *kernels, const float *weights, size_t inputChannels,
                            size_t outputChannels, float *packed) {
  kernels->f32_winograd2_pack(weights, inputChannels, outputChannels, packed);
}

void eri_f32_winograd2(const eri_kernels *kernels, const eri_window *window, const eri_f32_image *input,
                       const float *packed, const eri_f32_image *output, const eri_f32_image *residualImage,
                       const eri_f32_epilogue *epilogue, size_t imageBegin, size_t imageEnd, size_t channelBegin,
                       size_t channelEnd, float *scratch) {
  kernels->f32_winograd2(window, input, packed, output, residualImage, epilogue, imageBegin, imageEnd, channelBegin,
                         channelEnd, scratch);
}

void eri_f32_conv_phases_pack(const eri_kernels *kernels, const eri_window *window, const float *weights,
                              size_t inputChannels, size_t outputChannels, float *packed) {
  kernels->f32_conv_phases_pack(window, weights, inputChannels, outputChannels, packed);
}

void eri_f32_conv_phases(const eri_kernels *kernels, const eri_window *window, const float *input, size_t inputChannels,
                         size_t inputHeight, size_t inputWidth, const float *packed, const eri_f32_image *output,
                         const eri_f32_epilogue *epilogue, size_t bandBegin, size_t bandEnd, float *scratch) {
  kernels->f32_conv_phases(window, input, inputChannels, inputHeight, inputWidth, packed, output, epilogue, bandBegin,
                           bandEnd, scratch);
}

void eri_f32_conv_phases_pooled(const eri_kernels *kernels, const eri_window *window, const float *input,
                                size_t inputChannels, size_t inputHeight, size_t inputWidth, const float *packed,
                                size_t outputHeight, size_t outputWidth, const eri_f32_image *pooled,
                                const eri_f32_epilogue *epilogue, size_t bandBegin, size_t bandEnd, float *scratch) {
  kernels->f32_conv_phases_pooled(window, input, inputChannels, inputHeight, inputWidth, packed, outputHeight, outputWidth,
                                  pooled, epilogue, bandBegin, bandEnd, scratch);
}

void eri_f32_maxpool(const eri_kernels *kernels, const eri_window *window, const eri_f32_image *input,
                     const eri_f32_image *output, size_t rowBegin, size_t rowEnd) {
  kernels->f32_maxpool(window, input, output, rowBegin, rowEnd);
}

void eri_f32_halo_clear(const eri_kernels *kernels, const eri_f32_image *image, size_t imageBegin, size_t imageEnd) {
  kernels->f32_halo_clear(image, imageBegin, imageEnd);
}

void eri_f32_attention(const eri_kernels *kernels, size_t queries, size_t keys, size_t keyDimension,
                       size_t valueDimension, float scale, size_t before, size_t after, const float *q, size_t qStride,
                       const float *k, size_t kStride, const float *v, size_t vStride, float *out, size_t outStride,
                       float *scratch) {
  kernels->f32_attention(queries, keys, keyDimension, valueDimension, scale, before, after, q, qStride, k, kStride, v,
                         vStride, out, outStride, scratch);
}

void eri_f32_attention_pool(const eri_kernels *kernels, size_t tokens, size_t dimension, const float *x,
                            const float *weight, float bias, float *out, float *scratch) {
  kernels->f32_attention_pool(tokens, dimension, x, weight, bias, out, scratch);
}

void eri_f32_layer_norm(const eri_kernels *kernels, size_t rows, size_t dimension, const float *x, const float *gain,
                        const float *bias, float epsilon, bool unbiased, float *y) {
  kernels->f32_layer_norm(rows, dimension, x, gain, bias, epsilon, unbiased, y);
}

void eri_f32_softmax(const eri_kernels *kernels, size_t rows, size_t dimension, const float *x, float *y) {
  kernels->f32_softmax(rows, dimension, x, y);
}

void eri_f32_activate(const eri_kernels *kernels, eri_activation activation, size_t count, const float *x, float *y) {
  kernels->f32_activate(activation, count, x, y);
}

void eri_f32_binary(const eri_kernels *kernels, eri_binary function, size_t count, const float *a, size_t aStep,
                    const float *b, size_t bStep, float *y) {
  kernels->f32_binary(function, count, a, aStep, b, bStep, y);
}

void eri_f32_scale_shift(const eri_kernels *kernels, size_t rows, size_t columns, const float *x, const float *scale,
                         const float *shift, float *y) {
  kernels->f32_scale_shift(rows, columns, x, scale, shift, y);
}

void eri_f32_round_to_grid(const eri_kernels *kernels, const eri_f32_grid *grid, size_t count, const float *x,
                           float *y) {
  kernels->f32_round_to_grid(grid, count, x, y);
}

void eri_f32_transpose(const eri_kernels *kernels, size_t rows, size_t columns, const float *x, size_t xStride,
                       float *y, size_t yStride) {
  kernels->f32_transpose(rows, columns, x, xStride, y, yStride);
}

size_t eri_f32_peak(const eri_kernels *kernels, size_t rounds, float *sum) { return kernels->f32_peak(rounds, sum); }
