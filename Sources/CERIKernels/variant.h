// What one variant provides, and what a new one has to: a file that includes f32/kernels.h, and a line in dispatch.c.
#ifndef ERI_VARIANT_H
#define ERI_VARIANT_H

#include "include/eri_kernels.h"

struct eri_kernels {
  const char *name;
  void (*f32_gemm_pack)(const float *b, size_t strideK, size_t strideN, size_t k, size_t n, float *packed);
  void (*f32_gemm)(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *packed, float *c, size_t ldc,
                   const eri_f32_epilogue *epilogue);
  void (*f32_conv_pack)(const eri_window *window, const float *weights, size_t inputChannels, size_t outputChannels,
                        float *packed);
  void (*f32_conv)(const eri_window *window, const eri_f32_image *input, const float *packed,
                   const eri_f32_image *output, const eri_f32_image *residualImage, const eri_f32_epilogue *epilogue,
                   size_t rowBegin, size_t rowEnd, float *scratch);
  void (*f32_conv_planar_pack)(const eri_window *window, const float *weights, size_t inputChannels,
                               size_t outputChannels, float *packed);
  void (*f32_conv_planar)(const eri_window *window, const float *input, size_t inputChannels, size_t inputHeight,
                          size_t inputWidth, const float *packed, const eri_f32_image *output,
                          const eri_f32_epilogue *epilogue, size_t rowBegin, size_t rowEnd, float *scratch);
  void (*f32_winograd_pack)(eri_winograd_tile tile, const float *weights, size_t inputChannels, size_t outputChannels,
                            float *packed);
  void (*f32_winograd)(eri_winograd_tile tile, const eri_f32_image *input, const float *packed,
                       const eri_f32_image *output, const eri_f32_image *residualImage, const eri_f32_epilogue *epilogue, size_t imageBegin,
                       size_t imageEnd, size_t channelBegin, size_t channelEnd, float *scratch);
  void (*f32_winograd2_pack)(const float *weights, size_t inputChannels, size_t outputChannels, float *packed);
  void (*f32_winograd2)(const eri_window *window, const eri_f32_image *input, const float *packed,
                        const eri_f32_image *output, const eri_f32_image *residualImage,
                        const eri_f32_epilogue *epilogue, size_t imageBegin, size_t imageEnd, size_t channelBegin,
                        size_t channelEnd, float *scratch);
  void (*f32_conv_phases_pack)(const eri_window *window, const float *weights, size_t inputChannels,
                               size_t outputChannels, float *packed);
  void (*f32_conv_phases)(const eri_window *window, const float *input, size_t inputChannels, size_t inputHeight,
                          size_t inputWidth, const float *packed, const eri_f32_image *output,
                          const eri_f32_epilogue *epilogue, size_t bandBegin, size_t bandEnd, float *scratch);
  void (*f32_conv_phases_pooled)(const eri_window *window, const float *input, size_t inputChannels, size_t inputHeight,
                                 size_t inputWidth, const float *packed, size_t outputHeight, size_t outputWidth,
                                 const eri_f32_image *pooled, const eri_f32_epilogue *epilogue, size_t bandBegin,
                                 size_t bandEnd, float *scratch);
  void (*f32_maxpool)(const eri_window *window, const eri_f32_image *input, const eri_f32_image *output,
                      size_t rowBegin, size_t rowEnd);
  void (*f32_halo_clear)(const eri_f32_image *image, size_t imageBegin, size_t imageEnd);
  void (*f32_attention)(size_t queries, size_t keys, size_t keyDimension, size_t valueDimension, float scale,
                        size_t before, size_t after, const float *q, size_t qStride, const float *k, size_t kStride,
                        const float *v, size_t vStride, float *out, size_t outStride, float *scratch);
  void (*f32_attention_pool)(size_t tokens, size_t dimension, const float *x, const float *weight, float bias,
                             float *out, float *scratch);
  void (*f32_layer_norm)(size_t rows, size_t dimension, const float *x, const float *gain, const float *bias,
                         float epsilon, bool unbiased, float *y);
  void (*f32_softmax)(size_t rows, size_t dimension, const float *x, float *y);
  void (*f32_activate)(eri_activation activation, size_t count, const float *x, float *y);
  void (*f32_binary)(eri_binary function, size_t count, const float *a, size_t aStep, const float *b, size_t bStep,
                     float *y);
  void (*f32_scale_shift)(size_t rows, size_t columns, const float *x, const float *scale, const float *shift,
                          float *y);
  void (*f32_round_to_grid)(const eri_f32_grid *grid, size_t count, const float *x, float *y);
  void (*f32_transpose)(size_t rows, size_t columns, const float *x, size_t xStride, float *y, size_t yStride);
  size_t (*f32_peak)(size_t rounds, float *sum);
};

#endif
