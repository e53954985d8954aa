// What one variant provides, and what a new one has to: a file that includes gradients/kernels.h, and a line in dispatch.c.
#ifndef ERI_TRAINING_VARIANT_H
#define ERI_TRAINING_VARIANT_H

#include "include/eri_training.h"

typedef struct {
  const char *name;  // of the runtime's variant that it goes with
void (*activation_gradient)(eri_activation activation, size_t count, const float *x, const float *y, const float *dy, float *dx,
                              bool accumulate);
void (*scaled)(size_t count, float scale, const float *x, float *y, bool accumulate);
void (*product)(size_t count, const float *a, const float *b, float *y, bool accumulate);
void (*average)(size_t count, float weight, const float *x, float *y);
void (*dropout)(const eri_dropout *dropout, uint64_t first, size_t count, const float *x, float *y, bool accumulate);
void (*column_sums)(size_t rows, size_t columns, const float *x, size_t stride, double *sums);
void (*column_squares)(size_t rows, size_t columns, const float *x, const float *mean, double *squares);
void (*column_products)(size_t rows, size_t columns, const float *dy, const float *x, const float *mean, double *sums, double
                          *products);
double (*square_sum)(size_t count, const float *x);
void (*batch_norm_gradient)(size_t rows, size_t columns, const float *dy, const float *x, const float *a, const float *b, const
                              float *d, float *dx, bool accumulate);
void (*layer_norm_gradient)(size_t rows, size_t dimension, const float *x, const float *gain, float epsilon, bool unbiased,
                              const float *dy, float *dx, bool accumulate, double *gainSums, double *biasSums);
void (*softmax_gradient)(size_t rows, size_t dimension, const float *p, const float *dp, float scale, float *dx);
void (*weight_norm_gradient)(size_t rows, size_t length, const float *v, const float *g, const float *dw, float *dv, float *dg,
                               bool accumulate);
void (*attention_pool_gradient)(const eri_kernels *kernels, size_t tokens, size_t dimension, const float *x, const float
                                  *weight, float bias, const float *dout, float *dx, bool accumulate, double *weightSums, float
                                  *scratch);
void (*maxpool_gradient)(const eri_window *window, const eri_f32_image *input, const eri_f32_image *output, const float
                           *dOutput, float *dInput, bool accumulate, size_t imageBegin, size_t imageEnd);
void (*columns_pack)(const eri_window *window, const eri_f32_image *input, size_t outputHeight, size_t outputWidth, size_t
                       channelBegin, size_t channelCount, size_t pixelBegin, size_t pixelEnd, size_t panelBegin, size_t
                       panelEnd, float *packed);
void (*columns_pack_planar)(const eri_window *window, const float *input, size_t channels, size_t height, size_t width, size_t
                              outputHeight, size_t outputWidth, size_t pixelBegin, size_t pixelEnd, size_t panelBegin, size_t
                              panelEnd, float *packed);
void (*columns_scatter)(const eri_window *window, const float *columns, size_t outputHeight, size_t outputWidth, size_t
                          channelBegin, size_t channelCount, size_t pixelBegin, size_t pixelEnd, const eri_f32_image *image);
void (*conv_reverse_weights)(const eri_kernels *kernels, size_t outputChannels, size_t groupInputs, size_t taps, size_t groups,
                               const float *weights, float *reversed);
void (*adam)(const eri_adam *settings, size_t count, const float *gradient, float *weights, float *m, float *v);
void (*sgd)(const eri_sgd *settings, size_t count, const float *gradient, float *weights, float *momentum);
} eri_training;

#endif
