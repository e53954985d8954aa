// What training needs beside the runtime's kernels: gradients, dropout, batch statistics, optimiser steps. Same rules as
// eri_kernels.h: counts are elements, nothing allocates, locks or fails, buffers never overlap unless said, a result is a
// function of the operands alone, so that any split of rows or images over threads gives the same bits. The variant is that of
// the eri_kernels passed.
//
// `accumulate`: add to the destination instead of writing it. Sums that run over a whole batch are added to doubles.
#ifndef ERI_TRAINING_H
#define ERI_TRAINING_H

#include "eri_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

// --- Elements --------------------------------------------------------------------------------------------------

/// dx (+)= dy · f'(x), given the input x and the output y = f(x); dx may be dy. ReLU's slope at 0 is 0.
/// What a function does not need may be NULL: relu, sigmoid, tanh, exp read y alone, both GELUs x alone.
void eri_f32_activation_gradient(const eri_kernels *kernels, eri_activation activation, size_t count, const float *x, const float *y,
                                 const float *dy, float *dx, bool accumulate);
/// y (+)= scale · x; y may be x.
void eri_f32_scaled(const eri_kernels *kernels, size_t count, float scale, const float *x, float *y, bool accumulate);
/// y (+)= a · b, element by element; y may be a or b.
void eri_f32_product(const eri_kernels *kernels, size_t count, const float *a, const float *b, float *y, bool accumulate);
/// y = y + weight (x - y).
void eri_f32_average(const eri_kernels *kernels, size_t count, float weight, const float *x, float *y);

/// Which elements dropout keeps: element i of a site is kept iff the top 24 bits of a hash of (key, i) are >= rate · 2²⁴.
typedef struct {
  uint64_t key;  // of the site and the step
  float rate;    // 0 ≤ rate < 1
} eri_dropout;
/// y (+)= keep(first + i) ? x[i] / (1 - rate) : 0; y may be x. The gradient is the same function of dy.
void eri_f32_dropout(const eri_kernels *kernels, const eri_dropout *dropout, uint64_t first, size_t count, const float *x, float *y,
                     bool accumulate);

// --- Sums over rows, into doubles (which are added to) ---------------------------------------------------------

/// sums[c] += Σ_r x[r · stride + c].
void eri_f32_column_sums(const eri_kernels *kernels, size_t rows, size_t columns, const float *x, size_t stride, double *sums);
/// squares[c] += Σ_r (x[r, c] - mean[c])².
void eri_f32_column_squares(const eri_kernels *kernels, size_t rows, size_t columns, const float *x, const float *mean, double *squares);
/// sums[c] += Σ_r dy[r, c], products[c] += Σ_r dy[r, c] (x[r, c] - mean[c]).
void eri_f32_column_products(const eri_kernels *kernels, size_t rows, size_t columns, const float *dy, const float *x, const float *mean,
                             double *sums, double *products);
/// Σ x², in doubles.
double eri_f32_square_sum(const eri_kernels *kernels, size_t count, const float *x);

// --- Normalisation ---------------------------------------------------------------------------------------------

/// dx[r, c] (+)= a[c] · dy[r, c] + b[c] · x[r, c] + d[c]: batch norm's gradient once its sums are known. dx may be dy.
void eri_f32_batch_norm_gradient(const eri_kernels *kernels, size_t rows, size_t columns, const float *dy, const float *x, const float *a,
                                 const float *b, const float *d, float *dx, bool accumulate);
/// The gradient of eri_f32_layer_norm. `dx`, or both `gainSums` and `biasSums` [dimension], may be NULL.
void eri_f32_layer_norm_gradient(const eri_kernels *kernels, size_t rows, size_t dimension, const float *x, const float *gain, float epsilon,
                                 bool unbiased, const float *dy, float *dx, bool accumulate, double *gainSums, double *biasSums);
/// dx = scale · p (dp - Σ dp p) for each contiguous row of p = softmax(…); dx may be dp.
void eri_f32_softmax_gradient(const eri_kernels *kernels, size_t rows, size_t dimension, const float *p, const float *dp, float scale, float *dx);
/// w = g v / ‖v‖ for `rows` rows of `length`: dg[r] (+)= <dw, v> / ‖v‖, dv (+)= (g / ‖v‖)(dw - (<dw, v> / ‖v‖²) v). Sums in doubles.
void eri_f32_weight_norm_gradient(const eri_kernels *kernels, size_t rows, size_t length, const float *v, const float *g, const float *dw,
                                  float *dv, float *dg, bool accumulate);

// --- Attention -------------------------------------------------------------------------------------------------

/// Floats of scratch of both functions below.
size_t eri_f32_attention_training_scratch_count(size_t queries, size_t keys, size_t keyDimension, size_t valueDimension);
/// eri_f32_attention with dropout on the probabilities: element (i, j) is element first + i · keys + j of the site.
void eri_f32_attention_dropout(const eri_kernels *kernels, size_t queries, size_t keys, size_t keyDimension, size_t valueDimension, float scale,
                               size_t before, size_t after, const float *q, size_t qStride, const float *k, size_t kStride, const float *v,
                               size_t vStride, const eri_dropout *dropout, uint64_t first, float *out, size_t outStride, float *scratch);
/// The gradient of one head; `dropout` is NULL without. The probabilities are computed again. dq, dk, dv have q's, k's, v's strides; each
/// may be NULL, and each has its own flag.
void eri_f32_attention_gradient(const eri_kernels *kernels, size_t queries, size_t keys, size_t keyDimension, size_t valueDimension, float scale,
                                size_t before, size_t after, const float *q, size_t qStride, const float *k, size_t kStride, const float *v,
                                size_t vStride, const eri_dropout *dropout, uint64_t first, const float *dout, size_t outStride, float *dq,
                                bool accumulateQ, float *dk, bool accumulateK, float *dv, bool accumulateV, float *scratch);
/// The gradient of eri_f32_attention_pool; `scratch` holds 2 · tokens floats. `dx`, or `weightSums` [dimension], may be NULL. The bias's
/// gradient is exactly 0, because it cancels in the softmax.
void eri_f32_attention_pool_gradient(const eri_kernels *kernels, size_t tokens, size_t dimension, const float *x, const float *weight, float bias,
                                     const float *dout, float *dx, bool accumulate, double *weightSums, float *scratch);

// --- Images (NHWC) ---------------------------------------------------------------------------------------------

/// Adds (accumulate) or writes dInput for images imageBegin..<imageEnd of a max pool: each output's gradient goes to the first position of
/// its window in scan order that holds the maximum, as PyTorch does. No halos.
void eri_f32_maxpool_gradient(const eri_kernels *kernels, const eri_window *window, const eri_f32_image *input, const eri_f32_image *output,
                              const float *dOutput, float *dInput, bool accumulate, size_t imageBegin, size_t imageEnd);

/// Packs the window columns of output pixels pixelBegin..<pixelEnd (counted over all images, raster order) as the panels panelBegin..<panelEnd
/// of a GEMM's B: K = pixels, N = kernelHeight · kernelWidth · channelCount, column (ky, kx, c) with c counting from channelBegin; what lies outside
/// the image is 0. `packed` starts at panel panelBegin: [panels][pixels][16].
void eri_f32_columns_pack(const eri_kernels *kernels, const eri_window *window, const eri_f32_image *input, size_t outputHeight,
                          size_t outputWidth, size_t channelBegin, size_t channelCount, size_t pixelBegin, size_t pixelEnd, size_t panelBegin,
                          size_t panelEnd, float *packed);
/// The same from planar input [images, C, H, W], column (c, ky, kx): the order of OIHW weights.
void eri_f32_columns_pack_planar(const eri_kernels *kernels, const eri_window *window, const float *input, size_t channels, size_t height,
                                 size_t width, size_t outputHeight, size_t outputWidth, size_t pixelBegin, size_t pixelEnd,
                                 size_t panelBegin, size_t panelEnd, float *packed);
/// Adds columns [pixels][kernelHeight · kernelWidth · channelCount] of output pixels pixelBegin..<pixelEnd back to the image they came from
/// (channels channelBegin..<channelBegin + channelCount; no halo): col2im.
void eri_f32_columns_scatter(const eri_kernels *kernels, const eri_window *window, const float *columns, size_t outputHeight, size_t outputWidth,
                             size_t channelBegin, size_t channelCount, size_t pixelBegin, size_t pixelEnd, const eri_f32_image *image);
/// The weights of a convolution's gradient with respect to its input: OIHW [O, I/g, taps] to [I, O/g, taps], taps in reverse order.
/// Input channel i of group h is row h · I/g + i.
void eri_f32_conv_reverse_weights(const eri_kernels *kernels, size_t outputChannels, size_t groupInputs, size_t taps, size_t groups,
                                  const float *weights, float *reversed);

// --- Optimisers ------------------------------------------------------------------------------------------------

typedef struct {
  float learningRate, beta1, beta2, epsilon;
  float weightDecay;
  bool decoupled;        // AdamW: w -= lr · decay · w before the step; otherwise decay · w is added to the gradient
  float gradientScale;   // the gradient counts times this (clipping)
  float correction1;     // 1 - beta1^t
  float correction2;     // 1 - beta2^t
} eri_adam;
/// 1 - β is that of the decimal fraction which β was rounded from (0.001 for 0.999f), as where β is a double.
/// m = β1 m + (1 - β1) g, v = β2 v + (1 - β2) g², w -= lr / correction1 · m / (√v / √correction2 + ε), as torch.optim.Adam computes it.
void eri_f32_adam(const eri_kernels *kernels, const eri_adam *settings, size_t count, const float *gradient, float *weights, float *m, float *v);

typedef struct {
  float learningRate, momentum, weightDecay, gradientScale;
  bool first;  // the momentum buffer starts as the gradient, as in torch.optim.SGD
} eri_sgd;
/// Without momentum (0) the buffer is neither read nor written, and may be NULL.
void eri_f32_sgd(const eri_kernels *kernels, const eri_sgd *settings, size_t count, const float *gradient, float *weights, float *momentum);

#ifdef __cplusplus
}
#endif
#endif
