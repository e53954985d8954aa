// The variants of the training kernels: that of the kernels they are called with.
#include <string.h>

#include "training.h"

extern const eri_training eri_training_scalar, eri_training_avx2;

/// What stands in for a variant of the runtime's without training kernels of its own: portable C, which comes first, unless a line
/// says otherwise.
static const struct {
  const char *name;
  const eri_training *training;
} variants[] = {
    {"scalar", &eri_training_scalar},
#if defined(__x86_64__)
    {"avx2", &eri_training_avx2},
    {"avx512", &eri_training_avx2},  // bound by memory: wider vectors bring nothing
#endif
};

static const eri_training *training(const eri_kernels *kernels) {
  const char *name = eri_kernels_name(kernels);
  for (size_t i = 1; i < sizeof(variants) / sizeof(variants[0]); i++) {
    if (strcmp(variants[i].name, name) == 0) return variants[i].training;
  }
  return variants[0].training;
}

void eri_f32_activation_gradient(const eri_kernels *kernels, eri_activation activation, size_t count, const float *x,
                                 const float *y, const float *dy, float *dx, bool accumulate) {
  training(kernels)->activation_gradient(activation, count, x, y, dy, dx, accumulate);
}

void eri_f32_scaled(const eri_kernels *kernels, size_t count, float scale, const float *x, float *y, bool accumulate) {
  training(kernels)->scaled(count, scale, x, y, accumulate);
}

void eri_f32_product(const eri_kernels *kernels, size_t count, const float *a, const float *b, float *y, bool accumulate) {
  training(kernels)->product(count, a, b, y, accumulate);
}

void eri_f32_average(const eri_kernels *kernels, size_t count, float weight, const float *x, float *y) {
  training(kernels)->average(count, weight, x, y);
}

void eri_f32_dropout(const eri_kernels *kernels, const eri_dropout *dropout, uint64_t first, size_t count, const float *x,
                     float *y, bool accumulate) {
  training(kernels)->dropout(dropout, first, count, x, y, accumulate);
}

void eri_f32_column_sums(const eri_kernels *kernels, size_t rows, size_t columns, const float *x, size_t stride, double *sums) {
  training(kernels)->column_sums(rows, columns, x, stride, sums);
}

void eri_f32_column_squares(const eri_kernels *kernels, size_t rows, size_t columns, const float *x, const float *mean,
                            double *squares) {
  training(kernels)->column_squares(rows, columns, x, mean, squares);
}

void eri_f32_column_products(const eri_kernels *kernels, size_t rows, size_t columns, const float *dy, const float *x,
                             const float *mean, double *sums, double *products) {
  training(kernels)->column_products(rows, columns, dy, x, mean, sums, products);
}

double eri_f32_square_sum(const eri_kernels *kernels, size_t count, const float *x) {
  return training(kernels)->square_sum(count, x);
}

void eri_f32_batch_norm_gradient(const eri_kernels *kernels, size_t rows, size_t columns, const float *dy, const float *x,
                                 const float *a, const float *b, const float *d, float *dx, bool accumulate) {
  training(kernels)->batch_norm_gradient(rows, columns, dy, x, a, b, d, dx, accumulate);
}

void eri_f32_layer_norm_gradient(const eri_kernels *kernels, size_t rows, size_t dimension, const float *x, const float *gain,
                                 float epsilon, bool unbiased, const float *dy, float *dx, bool accumulate, double *gainSums,
                                 double *biasSums) {
  training(kernels)->layer_norm_gradient(rows, dimension, x, gain, epsilon, unbiased, dy, dx, accumulate, gainSums, biasSums);
}

void eri_f32_softmax_gradient(const eri_kernels *kernels, size_t rows, size_t dimension, const float *p, const float *dp, float
                              scale, float *dx) {
  training(kernels)->softmax_gradient(rows, dimension, p, dp, scale, dx);
}

void eri_f32_weight_norm_gradient(const eri_kernels *kernels, size_t rows, size_t length, const float *v, const float *g,
                                  const float *dw, float *dv, float *dg, bool accumulate) {
  training(kernels)->weight_norm_gradient(rows, length, v, g, dw, dv, dg, accumulate);
}

void eri_f32_attention_pool_gradient(const eri_kernels *kernels, size_t tokens, size_t dimension, const float *x, const float
                                     *weight, float bias, const float *dout, float *dx, bool accumulate, double *weightSums,
                                     float *scratch) {
  training(kernels)->attention_pool_gradient(kernels, tokens, dimension, x, weight, bias, dout, dx, accumulate, weightSums,
                                             scratch);
}

void eri_f32_maxpool_gradient(const eri_kernels *kernels, const eri_window *window, const eri_f32_image *input, const
                              eri_f32_image *output, const float *dOutput, float *dInput, bool accumulate, size_t imageBegin,
                              size_t imageEnd) {
  training(kernels)->maxpool_gradient(window, input, output, dOutput, dInput, accumulate, imageBegin, imageEnd);
}

void eri_f32_columns_pack(const eri_kernels *kernels, const eri_window *window, const eri_f32_image *input, size_t outputHeight,
                          size_t outputWidth, size_t channelBegin, size_t channelCount, size_t pixelBegin, size_t pixelEnd,
                          size_t panelBegin, size_t panelEnd, float *packed) {
  training(kernels)->columns_pack(window, input, outputHeight, outputWidth, channelBegin, channelCount, pixelBegin, pixelEnd,
                                  panelBegin, panelEnd, packed);
}

void eri_f32_columns_pack_planar(const eri_kernels *kernels, const eri_window *window, const float *input, size_t channels,
                                 size_t height, size_t width, size_t outputHeight, size_t outputWidth, size_t pixelBegin, size_t
                                 pixelEnd, size_t panelBegin, size_t panelEnd, float *packed) {
  training(kernels)->columns_pack_planar(window, input, channels, height, width, outputHeight, outputWidth, pixelBegin, pixelEnd,
                                         panelBegin, panelEnd, packed);
}

void eri_f32_columns_scatter(const eri_kernels *kernels, const eri_window *window, const float *columns, size_t outputHeight,
                             size_t outputWidth, size_t channelBegin, size_t channelCount, size_t pixelBegin, size_t pixelEnd,
                             const eri_f32_image *image) {
  training(kernels)->columns_scatter(window, columns, outputHeight, outputWidth, channelBegin, channelCount, pixelBegin, pixelEnd,
                                     image);
}

void eri_f32_conv_reverse_weights(const eri_kernels *kernels, size_t outputChannels, size_t groupInputs, size_t taps, size_t
                                  groups, const float *weights, float *reversed) {
  training(kernels)->conv_reverse_weights(kernels, outputChannels, groupInputs, taps, groups, weights, reversed);
}

void eri_f32_adam(const eri_kernels *kernels, const eri_adam *settings, size_t count, const float *gradient, float *weights,
                  float *m, float *v) {
  training(kernels)->adam(settings, count, gradient, weights, m, v);
}

void eri_f32_sgd(const eri_kernels *kernels, const eri_sgd *settings, size_t count, const float *gradient, float *weights,
                 float *momentum) {
  training(kernels)->sgd(settings, count, gradient, weights, momentum);
}
