// Compute kernels with run-time CPU dispatch. Counts are elements; no function allocates, locks or fails; buffers never overlap
// unless said. Every result is a function of the operands alone: splitting a range of rows, tiles or images over several calls or
// threads gives the same bits.
//
// Images are NHWC (channels last) with an optional border ("halo") of zeroed pixels on all four sides.
#ifndef ERI_KERNELS_H
#define ERI_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// --- Dispatch (dispatch.c) -------------------------------------------------------------------------------------

/// One implementation of every kernel, for one instruction set.
typedef struct eri_kernels eri_kernels;
/// Number of variants compiled in; variant 0 is portable C.
size_t eri_kernels_variant_count(void);
/// "scalar", "avx2", …: what the environment variable ERI_ISA takes.
const char *eri_kernels_variant_name(size_t variant);
/// NULL if this processor lacks the instructions.
const eri_kernels *eri_kernels_variant(size_t variant);
/// The fastest variant this processor runs.
const eri_kernels *eri_kernels_best(void);
/// The variant of that name; NULL if there is none or this processor lacks it.
const eri_kernels *eri_kernels_named(const char *name);
const char *eri_kernels_name(const eri_kernels *kernels);

// --- Epilogue: y = second(first(acc + bias) + residual) --------------------------------------------------------

typedef enum {
  ERI_ACTIVATION_IDENTITY = 0,
  ERI_ACTIVATION_RELU,
  ERI_ACTIVATION_SIGMOID,
  ERI_ACTIVATION_TANH,
  ERI_ACTIVATION_GELU,       // exact: x Φ(x)
  ERI_ACTIVATION_GELU_TANH,  // Hendrycks & Gimpel's tanh form
  ERI_ACTIVATION_EXP,
} eri_activation;

typedef struct {
  const float *bias;      // [N], or NULL
  eri_activation first;
  const float *residual;  // same rows and columns as the output, or NULL; may be the output itself
  size_t residualStride;  // elements from one row (GEMM) to the next; images bring their own geometry
  eri_activation second;
} eri_f32_epilogue;

// --- GEMM (gemm) -----------------------------------------------------------------------------------------------

/// Floats that eri_f32_gemm_pack writes for a K × N matrix: panels [ceil(N/16)][K][16], the last padded with zeros.
size_t eri_f32_gemm_packed_count(size_t k, size_t n);
/// Packs B, whose element (k, n) is b[k * strideK + n * strideN].
void eri_f32_gemm_pack(const eri_kernels *kernels, const float *b, size_t strideK, size_t strideN, size_t k, size_t n, float *packed);
/// C[M, N] = epilogue(A[M, K] · B). `lda` and `ldc` are row strides.
void eri_f32_gemm(const eri_kernels *kernels, size_t m, size_t n, size_t k, const float *a, size_t lda, const float *packed,
                  float *c, size_t ldc, const eri_f32_epilogue *epilogue);

// --- Images ----------------------------------------------------------------------------------------------------

/// A batch of channels-last images; image i starts at data + i * (height + 2 halo) * (width + 2 halo) * channels.
typedef struct {
  float *data;
  size_t height, width, channels, halo;
} eri_f32_image;

typedef struct {
  size_t kernelHeight, kernelWidth;
  size_t strideHeight, strideWidth;
  size_t dilationHeight, dilationWidth;
  size_t padTop, padLeft;  // what the output's size leaves at the bottom and right is zero too
  size_t groups;
} eri_window;

// --- Convolution, direct (conv): implicit GEMM, any kernel, stride, dilation, padding, groups -------------------

/// Floats of the packed weights, and of one thread's scratch.
size_t eri_f32_conv_packed_count(const eri_window *window, size_t inputChannels, size_t outputChannels);
size_t eri_f32_conv_scratch_count(const eri_window *window, size_t inputChannels, size_t outputChannels);
/// Weights are OIHW: [O, I / groups, KH, KW].
void eri_f32_conv_pack(const eri_kernels *kernels, const eri_window *window, const float *weights, size_t inputChannels, size_t outputChannels,
                       float *packed);
/// Computes the output rows rowBegin..<rowEnd, counted over all images (row r belongs to image r / height). Writes the interior only.
/// `residual` in the epilogue is the data of an image with the geometry of `residualImage` (same interior, its own halo).
void eri_f32_conv(const eri_kernels *kernels, const eri_window *window, const eri_f32_image *input, const float *packed, const eri_f32_image *output,
                  const eri_f32_image *residualImage, const eri_f32_epilogue *epilogue, size_t rowBegin, size_t rowEnd, float *scratch);
/// The same from planar input [images, C, H, W] (the file's NCHW), for the few channels of a first layer.
size_t eri_f32_conv_planar_scratch_count(const eri_window *window, size_t inputChannels, size_t inputHeight, size_t inputWidth, size_t outputChannels);
void eri_f32_conv_planar_pack(const eri_kernels *kernels, const eri_window *window, const float *weights, size_t inputChannels, size_t outputChannels,
                              float *packed);
size_t eri_f32_conv_planar_packed_count(const eri_window *window, size_t inputChannels, size_t outputChannels);
void eri_f32_conv_planar(const eri_kernels *kernels, const eri_window *window, const float *input, size_t inputChannels, size_t inputHeight,
                         size_t inputWidth, const float *packed, const eri_f32_image *output, const eri_f32_epilogue *epilogue, size_t rowBegin,
                         size_t rowEnd, float *scratch);

// --- Convolution, Winograd F(4×4, 3×3) and F(6×6, 3×3) (winograd): 3×3, stride 1, dilation 1, one group, padding 1 ----------------

/// Outputs of a side of the large tiles; the small ones have 3 or 4.
typedef enum { ERI_WINOGRAD_TILE_4 = 4, ERI_WINOGRAD_TILE_6 = 6 } eri_winograd_tile;
/// The tiles that take the least time for images of this size: those of 6 where they save products and their weights stay small. Errors
/// are 1.4e-6 of the outputs' root mean square with tiles of 4, 3.4e-6 with tiles of 6, for random values of 128 channels.
eri_winograd_tile eri_f32_winograd_tile(size_t height, size_t width, size_t inputChannels, size_t outputChannels);
size_t eri_f32_winograd_packed_count(eri_winograd_tile tile, size_t inputChannels, size_t outputChannels);
void eri_f32_winograd_pack(const eri_kernels *kernels, eri_winograd_tile tile, const float *weights, size_t inputChannels, size_t outputChannels,
                           float *packed);
/// Floats of one thread's scratch for images of this size.
size_t eri_f32_winograd_scratch_count(eri_winograd_tile tile, size_t height, size_t width, size_t inputChannels, size_t outputChannels,
                                      size_t images);
/// Output channels channelBegin..<channelEnd, multiples of 16 or the end, of images imageBegin..<imageEnd. The input needs a zeroed halo of
/// at least 1; any channel counts.
void eri_f32_winograd(const eri_kernels *kernels, eri_winograd_tile tile, const eri_f32_image *input, const float *packed,
                      const eri_f32_image *output, const eri_f32_image *residualImage, const eri_f32_epilogue *epilogue, size_t imageBegin,
                      size_t imageEnd, size_t channelBegin, size_t channelEnd, float *scratch);

// --- Convolution, Winograd with stride 2 (strided): 3×3, dilation 1, one group, any padding ----------------------------------------

size_t eri_f32_winograd2_packed_count(size_t inputChannels, size_t outputChannels);
void eri_f32_winograd2_pack(const eri_kernels *kernels, const float *weights, size_t inputChannels, size_t outputChannels, float *packed);
/// Floats of one thread's scratch for outputs of this size.
size_t eri_f32_winograd2_scratch_count(size_t outputHeight, size_t outputWidth, size_t inputChannels, size_t images);
/// As eri_f32_winograd, but any halo. Of the window only its padding counts.
void eri_f32_winograd2(const eri_kernels *kernels, const eri_window *window, const eri_f32_image *input, const float *packed, const eri_f32_image *output,
                       const eri_f32_image *residualImage, const eri_f32_epilogue *epilogue, size_t imageBegin, size_t imageEnd, size_t channelBegin,
                       size_t channelEnd, float *scratch);

// --- Convolution, Winograd over phases (phases): planar input of at most 4 channels, stride 2, kernel sides of at most 8, one group ---

/// Whether this form computes the window.
bool eri_f32_conv_phases_fits(const eri_window *window, size_t inputChannels);
size_t eri_f32_conv_phases_packed_count(size_t inputChannels, size_t outputChannels);
size_t eri_f32_conv_phases_scratch_count(size_t outputWidth);
void eri_f32_conv_phases_pack(const eri_kernels *kernels, const eri_window *window, const float *weights, size_t inputChannels, size_t outputChannels,
                              float *packed);
/// Computes the bands bandBegin..<bandEnd of 4 output rows, counted over all images: each has ceil(height / 4).
void eri_f32_conv_phases(const eri_kernels *kernels, const eri_window *window, const float *input, size_t inputChannels, size_t inputHeight,
                         size_t inputWidth, const float *packed, const eri_f32_image *output, const eri_f32_epilogue *epilogue, size_t bandBegin,
                         size_t bandEnd, float *scratch);
/// Whether the next function takes the maximum over this window: 3 × 3, stride 2, padding 1 above and to the left.
bool eri_f32_conv_phases_pools(const eri_window *pooling);
size_t eri_f32_conv_phases_pooled_scratch_count(size_t outputWidth, size_t outputChannels);
/// The same convolution, of which only the maxima over such windows are written: `pooled` has at most half of the outputs' height and
/// width, rounded up. Each band gives two pooled rows, and the last row of the one above is computed once more where a call begins
/// within an image. The epilogue's activations are identity or ReLU and it has no residual; the maximum is taken before it.
void eri_f32_conv_phases_pooled(const eri_kernels *kernels, const eri_window *window, const float *input, size_t inputChannels, size_t inputHeight,
                                size_t inputWidth, const float *packed, size_t outputHeight, size_t outputWidth, const eri_f32_image *pooled,
                                const eri_f32_epilogue *epilogue, size_t bandBegin, size_t bandEnd, float *scratch);

// --- Pooling (pool) --------------------------------------------------------------------------------------------

/// Maximum over the window's positions inside the image (padding counts as -infinity; a window wholly outside gives -infinity).
void eri_f32_maxpool(const eri_kernels *kernels, const eri_window *window, const eri_f32_image *input, const eri_f32_image *output, size_t rowBegin,
                     size_t rowEnd);

/// Zeroes the halo of images imageBegin..<imageEnd.
void eri_f32_halo_clear(const eri_kernels *kernels, const eri_f32_image *image, size_t imageBegin, size_t imageEnd);

// --- Attention (attention) -------------------------------------------------------------------------------------

/// One head: out = softmax(scale · Q Kᵀ + band) V, Q [SQ, DK], K [SK, DK], V [SK, DV], out [SQ, DV], each with its row stride.
/// Key j is allowed for query i iff i - before <= j <= i + after; pass SIZE_MAX for no limit. A row always has an allowed key.
size_t eri_f32_attention_scratch_count(size_t queries, size_t keys, size_t keyDimension, size_t valueDimension);
void eri_f32_attention(const eri_kernels *kernels, size_t queries, size_t keys, size_t keyDimension, size_t valueDimension, float scale,
                       size_t before, size_t after, const float *q, size_t qStride, const float *k, size_t kStride, const float *v, size_t vStride,
                       float *out, size_t outStride, float *scratch);
/// Attention pooling of one sequence: a = softmax_i(x[i]·w + b), out[d] = Σ a_i x[i, d]; `scratch` holds `tokens` floats.
void eri_f32_attention_pool(const eri_kernels *kernels, size_t tokens, size_t dimension, const float *x, const float *weight, float bias, float *out,
                            float *scratch);

// --- Rows and elements (rows, elements) ------------------------------------------------------------------------

/// Layer normalisation of each row over its last `dimension` elements, two passes.
/// unbiased false: gain (x - mean) / sqrt(var + epsilon) + bias; true: gain (x - mean) / (std with n - 1, + epsilon) + bias (TEMMA).
void eri_f32_layer_norm(const eri_kernels *kernels, size_t rows, size_t dimension, const float *x, const float *gain, const float *bias,
                        float epsilon, bool unbiased, float *y);
/// Softmax of each contiguous row; y may be x.
void eri_f32_softmax(const eri_kernels *kernels, size_t rows, size_t dimension, const float *x, float *y);
/// y = activation(x); y may be x.
void eri_f32_activate(const eri_kernels *kernels, eri_activation activation, size_t count, const float *x, float *y);

typedef enum { ERI_BINARY_ADD = 0, ERI_BINARY_SUBTRACT, ERI_BINARY_MULTIPLY, ERI_BINARY_DIVIDE } eri_binary;
/// y[i] = a[i] ∘ b[i]; `aStep` and `bStep` are 1, or 0 for a scalar operand; y may be a or b.
void eri_f32_binary(const eri_kernels *kernels, eri_binary function, size_t count, const float *a, size_t aStep, const float *b, size_t bStep,
                    float *y);
/// y[r, c] = x[r, c] · scale[c] + shift[c], rows contiguous.
void eri_f32_scale_shift(const eri_kernels *kernels, size_t rows, size_t columns, const float *x, const float *scale, const float *shift, float *y);
/// The numbers scale · q of the integers q in low...high; `inverse` is 1 / scale, finite as the scale is.
typedef struct {
  float scale, inverse, low, high;
} eri_f32_grid;
/// y[i] = scale · clamp(x[i] · inverse, low, high) rounded to nearest, ties to even; NaN gives the lowest. y may be x.
void eri_f32_round_to_grid(const eri_kernels *kernels, const eri_f32_grid *grid, size_t count, const float *x, float *y);
/// y[c, r] = x[r, c]; strides are elements from row to row.
void eri_f32_transpose(const eri_kernels *kernels, size_t rows, size_t columns, const float *x, size_t xStride, float *y, size_t yStride);

/// Multiply-adds of registers alone, which bound every kernel of this variant from above; returns their number. `sum` is read
/// and written, so that a compiler leaves none out.
size_t eri_f32_peak(const eri_kernels *kernels, size_t rounds, float *sum);

#ifdef __cplusplus
}
#endif
#endif
