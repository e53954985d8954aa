// Compute kernels on 8-bit integers with run-time CPU dispatch. No function allocates, locks or fails; buffers never overlap
// unless said. Splitting a range of rows or images over several calls or threads gives the same bits, and every variant gives the
// bits of the portable one.
//
// An activation is u8 with one scale and zero point per tensor: real = scale (q - zero), 0 <= zero <= 255. A weight is s8,
// symmetric, with one scale per output channel; -128 does not occur. Products are summed exactly in int32: a sum has at most
// 65,536 products.
//
// Images are NHWC (channels last) with an optional border ("halo") of pixels on all four sides that hold the zero point. A matrix
// [rows, columns] is the image of that height, width 1, that many channels and no halo.
#ifndef ERI_INT8_H
#define ERI_INT8_H

#include "eri_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

// --- Dispatch (i8_dispatch.c) ----------------------------------------------------------------------------------

/// One implementation of every 8-bit kernel, for one instruction set.
typedef struct eri_i8_kernels eri_i8_kernels;
/// Number of variants compiled in; variant 0 is portable C.
size_t eri_i8_variant_count(void);
/// "scalar", "avx2", "avxvnni", "avx512vnni", "amx", "neon", "neondot".
const char *eri_i8_variant_name(size_t variant);
/// NULL if this processor lacks the instructions.
const eri_i8_kernels *eri_i8_variant(size_t variant);
/// The fastest variant this processor runs.
const eri_i8_kernels *eri_i8_best(void);
/// The variant of that name; NULL if there is none or this processor lacks it.
const eri_i8_kernels *eri_i8_named(const char *name);
/// The fastest variant this processor runs whose registers are no wider than those of the single-precision variant of that name
/// ("scalar", "avx2", "avx512", "neon"): what ERI_ISA asks for; AMX goes with "avx512". NULL if the name is unknown.
const eri_i8_kernels *eri_i8_beside(const char *f32Variant);
const char *eri_i8_name(const eri_i8_kernels *kernels);

// --- Quantisation and epilogue ---------------------------------------------------------------------------------

/// real = scale (q - zero).
typedef struct {
  float scale;
  int32_t zero;
} eri_i8_scale;

/// What is done to an exact sum acc = sum of (q - zero) w, all in single precision, each operation rounded on its own (no fused
/// multiply-add):
///   v = (float)acc * scale[n]; v = v + bias[n]; v = first(v); v = v + residual; v = second(v).
/// A u8 residual stands for (float)(q - zero) * scale. Float output is v. u8 output is
///   q = clamp(round_half_even(v * inverse) + zero, 0, 255),
/// a multiplication by the inverse scale, not a division. Scales and biases are finite, inverse scales positive.
/// `first` and `second` are ERI_ACTIVATION_IDENTITY or ERI_ACTIVATION_RELU; any other counts as identity. Others go through float
/// output and eri_f32_activate, or through eri_i8_lookup.
typedef struct {
  int32_t inputZero;    // zero point of the u8 input
  const float *scale;   // [N] input scale times weight scale of the output channel
  const float *bias;    // [N] real values, or NULL
  eri_activation first;
  const uint8_t *residualBytes;  // u8 residual, or NULL; may be the u8 output itself
  eri_i8_scale residualScale;    // of residualBytes
  const float *residualFloats;   // float residual, or NULL; may be the float output itself. At most one of the two is given
  size_t residualStride;         // GEMM: elements from one row to the next
  size_t residualHalo;           // convolutions: halo of the residual's images, which are otherwise the output's size
  eri_activation second;
  float outputInverse;  // u8 output: 1 / its scale
  int32_t outputZero;   // u8 output: its zero point
} eri_i8_epilogue;

// Packed weights and scratch are bytes that only the kernels read; counts are the same for every variant, contents are not: pack with
// the variant that multiplies. Both start at a multiple of 4; multiples of 64 are fastest.

// --- GEMM ------------------------------------------------------------------------------------------------------

/// Bytes that eri_i8_gemm_pack writes for a K × N matrix: sums of the columns, then panels of 16 columns, K rounded up to 4.
size_t eri_i8_gemm_packed_count(size_t k, size_t n);
/// Packs B, whose element (k, n) is b[k * strideK + n * strideN]. PyTorch's [N, K] has strideK 1 and strideN K.
void eri_i8_gemm_pack(const eri_i8_kernels *kernels, const int8_t *b, size_t strideK, size_t strideN, size_t k, size_t n, void *packed);
/// C[M, N] = epilogue(A[M, K] · B), to u8. `lda` and `ldc` are row strides.
void eri_i8_gemm(const eri_i8_kernels *kernels, size_t m, size_t n, size_t k, const uint8_t *a, size_t lda, const void *packed, uint8_t *c,
                 size_t ldc, const eri_i8_epilogue *epilogue);
/// The same to float.
void eri_i8_gemm_float(const eri_i8_kernels *kernels, size_t m, size_t n, size_t k, const uint8_t *a, size_t lda, const void *packed, float *c,
                       size_t ldc, const eri_i8_epilogue *epilogue);

// --- Images ----------------------------------------------------------------------------------------------------

/// A batch of channels-last images; image i starts at data + i * (height + 2 halo) * (width + 2 halo) * channels.
typedef struct {
  uint8_t *data;
  size_t height, width, channels, halo;
} eri_i8_image;

// --- Convolution, direct: any kernel, stride, dilation, padding, groups ------------------------------------------

/// Bytes of the packed weights, and of one thread's scratch.
size_t eri_i8_conv_packed_count(const eri_window *window, size_t inputChannels, size_t outputChannels);
size_t eri_i8_conv_scratch_count(const eri_window *window, size_t inputChannels, size_t outputChannels);
/// Weights are OIHW: [O, I / groups, KH, KW].
void eri_i8_conv_pack(const eri_i8_kernels *kernels, const eri_window *window, const int8_t *weights, size_t inputChannels, size_t outputChannels,
                      void *packed);
/// Whether a halo of 1 makes the convolution faster, which one of 0 allows too.
bool eri_i8_conv_wants_halo(const eri_i8_kernels *kernels, const eri_window *window, size_t inputHeight, size_t inputWidth, size_t inputChannels,
                            size_t outputHeight, size_t outputWidth);
/// Computes the output rows rowBegin..<rowEnd, counted over all images (row r belongs to image r / height), to u8. Writes the interior
/// only: what lies outside the input counts as its zero point, which the input's halo holds.
void eri_i8_conv(const eri_i8_kernels *kernels, const eri_window *window, const eri_i8_image *input, const void *packed, const eri_i8_image *output,
                 const eri_i8_epilogue *epilogue, size_t rowBegin, size_t rowEnd, void *scratch);
/// The same to float.
void eri_i8_conv_float(const eri_i8_kernels *kernels, const eri_window *window, const eri_i8_image *input, const void *packed,
                       const eri_f32_image *output, const eri_i8_epilogue *epilogue, size_t rowBegin, size_t rowEnd, void *scratch);

// --- Convolution, Winograd F(4×4, 3×3) on int16: 3×3, stride 1, dilation 1, one group, padding 1 -------------------

// With mixed tiles of 4 and 3 and the points 0, 1, -1, 2, -2 and infinity. The input's transform Bᵀ(q - zero)B is exact in int16.
// A weight's transform is u = 576 GgGᵀ, an integer; it is multiplied by one factor per point and output channel and rounded to
// int16, the factor being as large as int16 and a sum that cannot leave int32 allow. The sums are exact; they are divided by the
// factor in single precision and the output's transform is single precision too. So the result is not the exact product: it
// is off by about one step of a u8 output (see the tests for the bound), and what the portable variant computes is its definition.

size_t eri_i8_winograd_packed_count(size_t inputChannels, size_t outputChannels);
/// Weights are OIHW.
void eri_i8_winograd_pack(const eri_i8_kernels *kernels, const int8_t *weights, size_t inputChannels, size_t outputChannels, void *packed);
/// Bytes of one thread's scratch for images of this size.
size_t eri_i8_winograd_scratch_count(size_t height, size_t width, size_t inputChannels, size_t outputChannels, size_t images);
/// Output channels channelBegin..<channelEnd, multiples of 16 or the end, of images imageBegin..<imageEnd, to u8. The input needs a halo
/// of at least 1 that holds its zero point; any channel counts.
void eri_i8_winograd(const eri_i8_kernels *kernels, const eri_i8_image *input, const void *packed, const eri_i8_image *output,
                     const eri_i8_epilogue *epilogue, size_t imageBegin, size_t imageEnd, size_t channelBegin, size_t channelEnd,
                     void *scratch);
/// The same to float.
void eri_i8_winograd_float(const eri_i8_kernels *kernels, const eri_i8_image *input, const void *packed, const eri_f32_image *output,
                           const eri_i8_epilogue *epilogue, size_t imageBegin, size_t imageEnd, size_t channelBegin,
                           size_t channelEnd, void *scratch);

/// Whether the int16 form is likely the faster one for calls with that many images; measured where both could be, a model elsewhere.
bool eri_i8_winograd_pays(const eri_i8_kernels *kernels, size_t height, size_t width, size_t inputChannels, size_t outputChannels, size_t images);

// --- Elements of images; rows rowBegin..<rowEnd counted over all images, interiors only ---------------------------

/// y = quantised(second((float)(a - zero) * scale + (float)(b - zero) * scale)), quantised as by the epilogue; `second` is identity or
/// ReLU. Any halos; y may be a or b.
void eri_i8_add(const eri_i8_kernels *kernels, const eri_i8_image *a, eri_i8_scale aScale, const eri_i8_image *b, eri_i8_scale bScale,
                eri_activation second, const eri_i8_image *y, float outputInverse, int32_t outputZero, size_t rowBegin, size_t rowEnd);
/// Maximum over the window's positions inside the image; a window wholly outside gives 0. Output rows; input and output share a scale.
void eri_i8_maxpool(const eri_i8_kernels *kernels, const eri_window *window, const eri_i8_image *input, const eri_i8_image *output, size_t rowBegin,
                    size_t rowEnd);
/// y = table[x]: any function of one u8 tensor, table of 256. y may be x.
void eri_i8_lookup(const eri_i8_kernels *kernels, const uint8_t *table, const eri_i8_image *x, const eri_i8_image *y, size_t rowBegin, size_t rowEnd);
/// y = clamp(round_half_even(x * inverse) + zero, 0, 255); NaN gives 0.
void eri_i8_quantise(const eri_i8_kernels *kernels, const eri_f32_image *x, float inverse, int32_t zero, const eri_i8_image *y, size_t rowBegin,
                     size_t rowEnd);
/// The same from planar images [images, C, H, W] (the file's NCHW), for a first layer's few channels.
void eri_i8_quantise_planar(const eri_i8_kernels *kernels, const float *x, float inverse, int32_t zero, const eri_i8_image *y, size_t rowBegin,
                            size_t rowEnd);
/// y = (float)(x - zero) * scale.
void eri_i8_dequantise(const eri_i8_kernels *kernels, const eri_i8_image *x, eri_i8_scale scale, const eri_f32_image *y, size_t rowBegin,
                       size_t rowEnd);
/// Fills the halo of images imageBegin..<imageEnd with the zero point.
void eri_i8_halo_fill(const eri_i8_kernels *kernels, const eri_i8_image *image, int32_t zero, size_t imageBegin, size_t imageEnd);

#ifdef __cplusplus
}
#endif
#endif
