// What one variant of the 8-bit kernels provides, and what a new one has to: a file that includes i8/kernels.h, and a line in
// i8_dispatch.c.
#ifndef ERI_I8_VARIANT_H
#define ERI_I8_VARIANT_H

#include "include/eri_int8.h"

/// Images or rows of u8 or of floats: one of the two pointers is given.
typedef struct {
  uint8_t *bytes;
  float *floats;
  size_t height, width, channels, halo;
} eri_i8_output;

struct eri_i8_kernels {
  const char *name;
  size_t pointRows;  // tiles that Winograd's micro-kernel takes at a time
  float pointCost;   // u8 products in the time of one int16 product
  bool readsHalo;    // direct convolutions may read the halo
  void (*gemm_pack)(const int8_t *b, size_t strideK, size_t strideN, size_t k, size_t n, void *packed);
  void (*gemm)(size_t m, size_t n, size_t k, const uint8_t *a, size_t lda, const void *packed, uint8_t *bytes,
               float *floats, size_t ldc, const eri_i8_epilogue *epilogue);
  void (*conv_pack)(const eri_window *window, const int8_t *weights, size_t inputChannels, size_t outputChannels,
                    void *packed);
  void (*conv)(const eri_window *window, const eri_i8_image *input, const void *packed, const eri_i8_output *output,
               const eri_i8_epilogue *epilogue, size_t rowBegin, size_t rowEnd, void *scratch);
  void (*winograd_pack)(const int8_t *weights, size_t inputChannels, size_t outputChannels, void *packed);
  void (*winograd)(const eri_i8_image *input, const void *packed, const eri_i8_output *output,
                   const eri_i8_epilogue *epilogue, size_t imageBegin, size_t imageEnd, size_t channelBegin,
                   size_t channelEnd, void *scratch);
  void (*add)(const eri_i8_image *a, eri_i8_scale aScale, const eri_i8_image *b, eri_i8_scale bScale,
              eri_activation second, const eri_i8_image *y, float outputInverse, int32_t outputZero, size_t rowBegin,
              size_t rowEnd);
  void (*maxpool)(const eri_window *window, const eri_i8_image *input, const eri_i8_image *output, size_t rowBegin,
                  size_t rowEnd);
  void (*lookup)(const uint8_t *table, const eri_i8_image *x, const eri_i8_image *y, size_t rowBegin, size_t rowEnd);
  void (*quantise)(const eri_f32_image *x, float inverse, int32_t zero, const eri_i8_image *y, size_t rowBegin,
                   size_t rowEnd);
  void (*quantise_planar)(const float *x, float inverse, int32_t zero, const eri_i8_image *y, size_t rowBegin,
                          size_t rowEnd);
  void (*dequantise)(const eri_i8_image *x, eri_i8_scale scale, const eri_f32_image *y, size_t rowBegin,
                     size_t rowEnd);
  void (*halo_fill)(const eri_i8_image *image, int32_t zero, size_t imageBegin, size_t imageEnd);
};

#endif
