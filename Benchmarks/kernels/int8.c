// Times the 8-bit kernels beside the single-precision ones on the layers of a ResNet-18 stem (112×112, 32 frames) and of a
// transformer over 49 tokens, one thread, run by run in turn. Prints the median of each and multiply-adds per second
// (direct-equivalent), and which of the methods is fastest.
#include <eri_int8.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RUNS = 15, FRAMES = 32 };

static const eri_kernels *f32;
static const eri_i8_kernels *i8;
static const char *wanted = "";

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void *memory(size_t bytes) {
  void *p = aligned_alloc(64, (bytes + 63) / 64 * 64);
  if (!p) abort();
  memset(p, 0, bytes);
  return p;
}

static float *floats(size_t count) {
  float *p = memory(count * sizeof(float));
  for (size_t i = 0; i < count; i++) p[i] = (float)((i * 2654435761u >> 8 & 1023) / 1024.0 - 0.5);
  return p;
}

static uint8_t *bytes(size_t count) {
  uint8_t *p = memory(count);
  for (size_t i = 0; i < count; i++) p[i] = (uint8_t)(i * 2654435761u >> 9);
  return p;
}

/// Weights whose neighbours add up to less than 128, as most do when the largest is 127: `small` says whether all do.
static int8_t *weights(size_t count, int small) {
  int8_t *p = memory(count);
  for (size_t i = 0; i < count; i++) {
    int w = (int)(i * 2654435761u >> 11 & 127) - 64;
    p[i] = (int8_t)(small ? w : w * 127 / 64);
  }
  return p;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

typedef struct {
  const char *method;
  double times[RUNS];
} series;

static void report(const char *layer, series *all, size_t count, double operations) {
  printf("%-28s", layer);
  size_t best = 0;
  for (size_t i = 0; i < count; i++) {
    qsort(all[i].times, RUNS, sizeof(double), ascending);
    double time = all[i].times[RUNS / 2];
    printf(" | %s %6.3f ms", all[i].method, time * 1e3);
    if (operations > 0) printf(" %5.0f", operations / time * 1e-9);
    if (time < all[best].times[RUNS / 2]) best = i;
  }
  printf(" | fastest: %s\n", all[best].method);
  fflush(stdout);
}

/// Times STATEMENT as the next method of the current round.
#define TIME(METHOD, STATEMENT)                                 \
  do {                                                          \
    double start = seconds();                                   \
    STATEMENT;                                                  \
    all[at].method = METHOD;                                    \
    if (run >= 0) all[at].times[run] = seconds() - start;       \
    at++;                                                       \
  } while (0)

static void gemm(const char *name, size_t m, size_t k, size_t n) {
  if (!strstr(name, wanted)) return;
  series all[6];
  size_t at = 0;
  float *a = floats(m * k), *b = floats(k * n), *c = floats(m * n), *bias = floats(n), *residual = floats(m * n);
  float *packed = floats(eri_f32_gemm_packed_count(k, n));
  eri_f32_gemm_pack(f32, b, 1, k, k, n, packed);
  uint8_t *qa = bytes(m * k), *low = bytes(m * k), *qc = bytes(m * n);
  for (size_t i = 0; i < m * k; i++) low[i] >>= 1;
  int8_t *any = weights(k * n, 0), *small = weights(k * n, 1);
  void *anyPacked = memory(eri_i8_gemm_packed_count(k, n)), *smallPacked = memory(eri_i8_gemm_packed_count(k, n));
  eri_i8_gemm_pack(i8, any, 1, k, k, n, anyPacked);
  eri_i8_gemm_pack(i8, small, 1, k, k, n, smallPacked);
  eri_f32_epilogue epilogue = {bias, ERI_ACTIVATION_IDENTITY, NULL, 0, ERI_ACTIVATION_IDENTITY};
  eri_i8_epilogue e = {.inputZero = 128, .scale = bias, .bias = bias, .outputInverse = 0.01f, .outputZero = 128};
  eri_i8_epilogue adding = e;
  adding.residualFloats = residual, adding.residualStride = n;
  for (int run = -1; run < RUNS; run++) {
    at = 0;
    TIME("f32", eri_f32_gemm(f32, m, n, k, a, k, packed, c, n, &epilogue));
    TIME("u8", eri_i8_gemm(i8, m, n, k, qa, k, anyPacked, qc, n, &e));
    TIME("u8 to float", eri_i8_gemm_float(i8, m, n, k, qa, k, anyPacked, c, n, &e));
    TIME("u8 plus floats", eri_i8_gemm_float(i8, m, n, k, qa, k, anyPacked, c, n, &adding));
    TIME("u8, 7-bit weights", eri_i8_gemm(i8, m, n, k, qa, k, smallPacked, qc, n, &e));
    TIME("7 bits", eri_i8_gemm(i8, m, n, k, low, k, smallPacked, qc, n, &e));
  }
  report(name, all, at, (double)(m * n * k));
  free(a), free(b), free(c), free(bias), free(packed), free(qa), free(low), free(qc), free(any), free(small), free(anyPacked);
  free(smallPacked), free(residual);
}

static void conv(const char *name, size_t side, size_t from, size_t to, size_t kernel, size_t stride) {
  if (!strstr(name, wanted)) return;
  series all[5];
  size_t at = 0, pad = kernel / 2, out = (side + 2 * pad - kernel) / stride + 1;
  eri_window window = {kernel, kernel, stride, stride, 1, 1, pad, pad, 1};
  size_t inputCount = FRAMES * (side + 2) * (side + 2) * from, outputCount = FRAMES * (out + 2) * (out + 2) * to;
  eri_f32_image input = {floats(inputCount), side, side, from, 1}, output = {floats(outputCount), out, out, to, 1};
  eri_f32_image residual = {floats(outputCount), out, out, to, 1};
  eri_i8_image bytesIn = {bytes(inputCount), side, side, from, 1}, bytesOut = {bytes(outputCount), out, out, to, 1};
  uint8_t *bytesResidual = bytes(outputCount);
  eri_i8_halo_fill(i8, &bytesIn, 128, 0, FRAMES);
  int8_t *any = weights(to * from * kernel * kernel, 0), *small = weights(to * from * kernel * kernel, 1);
  float *factors = floats(to * from * kernel * kernel), *bias = floats(to);
  float *direct = floats(eri_f32_conv_packed_count(&window, from, to));
  eri_winograd_tile tile = eri_f32_winograd_tile(side, side, from, to);
  float *points = floats(eri_f32_winograd_packed_count(tile, from, to));
  float *scratch = floats(eri_f32_conv_scratch_count(&window, from, to));
  float *pointScratch = floats(eri_f32_winograd_scratch_count(tile, side, side, from, to, FRAMES));
  void *anyPacked = memory(eri_i8_conv_packed_count(&window, from, to));
  void *smallPacked = memory(eri_i8_conv_packed_count(&window, from, to));
  void *bytesScratch = memory(eri_i8_conv_scratch_count(&window, from, to));
  void *halves = memory(eri_i8_winograd_packed_count(from, to));
  void *halvesScratch = memory(eri_i8_winograd_scratch_count(side, side, from, to, FRAMES));
  bool unit = kernel == 3 && stride == 1;
  eri_f32_conv_pack(f32, &window, factors, from, to, direct);
  eri_i8_conv_pack(i8, &window, any, from, to, anyPacked);
  eri_i8_conv_pack(i8, &window, small, from, to, smallPacked);
  if (unit) {
    eri_f32_winograd_pack(f32, tile, factors, from, to, points);
    double start = seconds();
    eri_i8_winograd_pack(i8, any, from, to, halves);
    printf("%-28s   packing for Winograd on int16 %.3f ms\n", name, (seconds() - start) * 1e3);
  }
  eri_f32_epilogue epilogue = {bias, ERI_ACTIVATION_IDENTITY, unit ? residual.data : NULL, 0, ERI_ACTIVATION_RELU};
  eri_i8_epilogue e = {.inputZero = 128, .scale = bias, .bias = bias, .second = ERI_ACTIVATION_RELU, .outputInverse = 0.01f};
  if (unit) {
    e.residualBytes = bytesResidual;
    e.residualScale = (eri_i8_scale){0.01f, 128};
    e.residualHalo = 1;
  }
  for (int run = -1; run < RUNS; run++) {
    at = 0;
    if (unit) {
      TIME("f32 Winograd",
           eri_f32_winograd(f32, tile, &input, points, &output, &residual, &epilogue, 0, FRAMES, 0, to, pointScratch));
      TIME("int16 Winograd", eri_i8_winograd(i8, &bytesIn, halves, &bytesOut, &e, 0, FRAMES, 0, to, halvesScratch));
    } else {
      TIME("f32", eri_f32_conv(f32, &window, &input, direct, &output, NULL, &epilogue, 0, FRAMES * out, scratch));
    }
    TIME("u8", eri_i8_conv(i8, &window, &bytesIn, anyPacked, &bytesOut, &e, 0, FRAMES * out, bytesScratch));
    TIME("u8, 7-bit weights",
         eri_i8_conv(i8, &window, &bytesIn, smallPacked, &bytesOut, &e, 0, FRAMES * out, bytesScratch));
  }
  report(name, all, at, (double)(FRAMES * out * out * from * to * kernel * kernel));
  free(input.data), free(output.data), free(residual.data), free(bytesIn.data), free(bytesOut.data), free(bytesResidual);
  free(any), free(small), free(factors), free(bias), free(direct), free(points), free(scratch), free(pointScratch);
  free(anyPacked), free(smallPacked), free(bytesScratch), free(halves), free(halvesScratch);
}

static void elements(void) {
  if (!strstr("elements", wanted)) return;
  size_t count = FRAMES * 58 * 58 * 64;
  eri_f32_image large = {floats(count), 56, 56, 64, 1}, matrix = {floats(1568 * 256), 1568, 1, 256, 0};
  eri_i8_image bytesLarge = {bytes(count), 56, 56, 64, 1}, pooled = {bytes(count), 28, 28, 64, 1};
  eri_i8_image bytesMatrix = {bytes(1568 * 256), 1568, 1, 256, 0}, other = {bytes(1568 * 256), 1568, 1, 256, 0};
  eri_window window = {3, 3, 2, 2, 1, 1, 1, 1, 1};
  eri_f32_image f32Pooled = {floats(count), 28, 28, 64, 1};
  float *planes = floats(FRAMES * 3 * 112 * 112);
  eri_i8_image frames = {bytes(FRAMES * 114 * 114 * 3), 112, 112, 3, 1};
  uint8_t table[256] = {0};
  eri_i8_scale scale = {0.01f, 128};
  series all[8];
  size_t at = 0;
  for (int run = -1; run < RUNS; run++) {
    at = 0;
    TIME("f32 max pooling 56x56x64", eri_f32_maxpool(f32, &window, &large, &f32Pooled, 0, FRAMES * 28));
    TIME("u8 max pooling", eri_i8_maxpool(i8, &window, &bytesLarge, &pooled, 0, FRAMES * 28));
    TIME("quantise 56x56x64", eri_i8_quantise(i8, &large, 100, 128, &bytesLarge, 0, FRAMES * 56));
    TIME("quantise planar 112x112x3", eri_i8_quantise_planar(i8, planes, 100, 128, &frames, 0, FRAMES * 112));
    TIME("quantise 1568x256", eri_i8_quantise(i8, &matrix, 100, 128, &bytesMatrix, 0, 1568));
    TIME("dequantise 1568x256", eri_i8_dequantise(i8, &bytesMatrix, scale, &matrix, 0, 1568));
    TIME("add 1568x256", eri_i8_add(i8, &bytesMatrix, scale, &other, scale, ERI_ACTIVATION_RELU, &other, 100, 128, 0, 1568));
    TIME("lookup 1568x256", eri_i8_lookup(i8, table, &bytesMatrix, &other, 0, 1568));
  }
  report("elements", all, at, 0);
  free(large.data), free(matrix.data), free(bytesLarge.data), free(pooled.data), free(bytesMatrix.data), free(other.data);
  free(f32Pooled.data), free(planes), free(frames.data);
}

int main(int argc, char **argv) {
  f32 = argc > 1 ? eri_kernels_named(argv[1]) : eri_kernels_best();
  i8 = argc > 1 ? eri_i8_beside(argv[1]) : eri_i8_best();
  if (argc > 1 && !f32) {  // an 8-bit variant's own name
    f32 = eri_kernels_best();
    i8 = eri_i8_named(argv[1]);
  }
  if (!f32 || !i8) {
    fprintf(stderr, "int8: this processor has no kernels named %s\n", argv[1]);
    return 2;
  }
  if (argc > 2) wanted = argv[2];
  printf("single precision %s, 8 bits %s, one thread, medians of %d runs in turn, GMAC/s\n", eri_kernels_name(f32),
         eri_i8_name(i8), RUNS);
  conv("conv1 7x7/2, 112x112, 3-64", 112, 3, 64, 7, 2);
  conv("l1 3x3, 28x28x64", 28, 64, 64, 3, 1);
  conv("l2.0 3x3/2, 28x28, 64-128", 28, 64, 128, 3, 2);
  conv("l2.0 1x1/2, 28x28, 64-128", 28, 64, 128, 1, 2);
  conv("l2 3x3, 14x14x128", 14, 128, 128, 3, 1);
  conv("l3.0 3x3/2, 14x14, 128-256", 14, 128, 256, 3, 2);
  conv("l3.0 1x1/2, 14x14, 128-256", 14, 128, 256, 1, 2);
  conv("l3 3x3, 7x7x256", 7, 256, 256, 3, 1);
  gemm("GEMM 1568x256x256", 1568, 256, 256);
  gemm("GEMM 1568x256x512", 1568, 256, 512);
  gemm("GEMM 1568x512x256", 1568, 512, 256);
  gemm("GEMM 1568x256x1024", 1568, 256, 1024);
  gemm("GEMM 1568x1024x256", 1568, 1024, 256);
  gemm("GEMM 1x256x1024", 1, 256, 1024);
  elements();
  return 0;
}
