// Times the kernels on the layers of a ResNet-18 stem (112×112, 32 frames) and of a transformer over 49 tokens, one thread.
// Prints for each the least and the median time of its runs, multiply-adds per second (direct-equivalent for Winograd: more than
// the processor could do) and their share of the most that one core does from registers; for products of matrices OpenBLAS's
// rate too, if the library is installed, run by run in turn.
#include <dlfcn.h>
#include <eri_kernels.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RUNS = 15, FRAMES = 32 };

double peak_rate(void);

static const eri_kernels *kernels;
static double peak;
static const char *wanted = "";

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static float *floats(size_t count) {
  float *p = aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64);
  if (!p) abort();
  for (size_t i = 0; i < count; i++) p[i] = (float)((i * 2654435761u >> 8 & 1023) / 1024.0 - 0.5);
  return p;
}

static eri_f32_image image(size_t height, size_t width, size_t channels, size_t halo) {
  eri_f32_image i = {floats(FRAMES * (height + 2 * halo) * (width + 2 * halo) * channels), height, width, channels, halo};
  eri_f32_halo_clear(kernels, &i, 0, FRAMES);
  return i;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void report(const char *name, double *times, double operations) {
  qsort(times, RUNS, sizeof(double), ascending);
  printf("%-34s %8.3f ms min %8.3f ms median", name, times[0] * 1e3, times[RUNS / 2] * 1e3);
  if (operations > 0) {
    double rate = operations / times[0];
    printf(" %7.1f GMAC/s (min) %5.0f %% of the peak", rate * 1e-9, 100 * rate / peak);
  }
  printf("\n");
  fflush(stdout);
}

/// cblas_sgemm, row-major, neither matrix transposed.
typedef void (*sgemm)(int order, int transA, int transB, int m, int n, int k, float alpha, const float *a, int lda,
                      const float *b, int ldb, float beta, float *c, int ldc);

/// OpenBLAS's product on one thread; NULL without the library.
static sgemm openblas(void) {
  void *library = dlopen("libopenblas.so.0", RTLD_NOW);
  if (!library) return NULL;
  void (*threads)(int) = NULL;
  sgemm product = NULL;
  *(void **)&threads = dlsym(library, "openblas_set_num_threads");
  *(void **)&product = dlsym(library, "cblas_sgemm");
  if (threads) threads(1);
  return product;
}

/// Runs STATEMENT once to warm up, then RUNS times, if NAME contains the text asked for.
#define TIME(NAME, OPERATIONS, STATEMENT)       \
  do {                                          \
    if (!strstr(NAME, wanted)) break;           \
    double times[RUNS];                         \
    STATEMENT;                                  \
    for (int run = 0; run < RUNS; run++) {      \
      double start = seconds();                 \
      STATEMENT;                                \
      times[run] = seconds() - start;           \
    }                                           \
    report(NAME, times, (double)(OPERATIONS));  \
  } while (0)

static void gemm(const char *name, size_t m, size_t k, size_t n, eri_activation first) {
  float *a = floats(m * k), *b = floats(k * n), *c = floats(m * n), *bias = floats(n);
  float *packed = floats(eri_f32_gemm_packed_count(k, n));
  eri_f32_gemm_pack(kernels, b, n, 1, k, n, packed);
  eri_f32_epilogue epilogue = {bias, first, NULL, 0, ERI_ACTIVATION_IDENTITY};
  TIME(name, m * n * k, eri_f32_gemm(kernels, m, n, k, a, k, packed, c, n, &epilogue));
  sgemm product = openblas();
  if (product && first == ERI_ACTIVATION_IDENTITY && strstr(name, wanted)) {
    double ours[RUNS], theirs[RUNS];
    for (int run = 0; run < RUNS; run++) {
      double start = seconds();
      eri_f32_gemm(kernels, m, n, k, a, k, packed, c, n, &epilogue);
      ours[run] = seconds() - start;
      start = seconds();
      product(101, 111, 111, (int)m, (int)n, (int)k, 1, a, (int)k, b, (int)n, 0, c, (int)n);
      theirs[run] = seconds() - start;
    }
    report("  OpenBLAS's", theirs, (double)m * n * k);
    qsort(ours, RUNS, sizeof(double), ascending);
    printf("  our rate over OpenBLAS's, by medians: %.2f\n", theirs[RUNS / 2] / ours[RUNS / 2]);
  }
  free(a), free(b), free(c), free(bias), free(packed);
}

static void direct(const char *name, size_t side, size_t from, size_t to, size_t kernel, size_t stride) {
  eri_window window = {kernel, kernel, stride, stride, 1, 1, kernel / 2, kernel / 2, 1};
  size_t out = (side + 2 * (kernel / 2) - kernel) / stride + 1;
  eri_f32_image input = image(side, side, from, 1), output = image(out, out, to, 1);
  float *weights = floats(from * to * kernel * kernel), *bias = floats(to);
  float *packed = floats(eri_f32_conv_packed_count(&window, from, to));
  float *scratch = floats(eri_f32_conv_scratch_count(&window, from, to));
  eri_f32_conv_pack(kernels, &window, weights, from, to, packed);
  eri_f32_epilogue epilogue = {bias, ERI_ACTIVATION_RELU, NULL, 0, ERI_ACTIVATION_IDENTITY};
  TIME(name, FRAMES * out * out * from * to * kernel * kernel,
       eri_f32_conv(kernels, &window, &input, packed, &output, NULL, &epilogue, 0, FRAMES * out, scratch));
  free(weights), free(bias), free(packed), free(scratch), free(input.data), free(output.data);
}

static void strided(const char *name, size_t side, size_t from, size_t to) {
  eri_window window = {3, 3, 2, 2, 1, 1, 1, 1, 1};
  size_t out = side / 2;
  eri_f32_image input = image(side, side, from, 1), output = image(out, out, to, 1);
  float *weights = floats(from * to * 9), *bias = floats(to);
  float *packed = floats(eri_f32_winograd2_packed_count(from, to));
  float *scratch = floats(eri_f32_winograd2_scratch_count(out, out, from, FRAMES));
  eri_f32_winograd2_pack(kernels, weights, from, to, packed);
  eri_f32_epilogue epilogue = {bias, ERI_ACTIVATION_RELU, NULL, 0, ERI_ACTIVATION_IDENTITY};
  TIME(name, FRAMES * out * out * from * to * 9,
       eri_f32_winograd2(kernels, &window, &input, packed, &output, NULL, &epilogue, 0, FRAMES, 0, to, scratch));
  free(weights), free(bias), free(packed), free(scratch), free(input.data), free(output.data);
}

static void winograd(const char *name, eri_winograd_tile tile, size_t side, size_t channels) {
  eri_f32_image input = image(side, side, channels, 1), output = image(side, side, channels, 1);
  eri_f32_image residual = image(side, side, channels, 1);
  float *weights = floats(channels * channels * 9), *bias = floats(channels);
  float *packed = floats(eri_f32_winograd_packed_count(tile, channels, channels));
  float *scratch = floats(eri_f32_winograd_scratch_count(tile, side, side, channels, channels, FRAMES));
  eri_f32_winograd_pack(kernels, tile, weights, channels, channels, packed);
  TIME("Winograd packing", 0, eri_f32_winograd_pack(kernels, tile, weights, channels, channels, packed));
  eri_f32_epilogue epilogue = {bias, ERI_ACTIVATION_IDENTITY, residual.data, 0, ERI_ACTIVATION_RELU};
  TIME(name, FRAMES * side * side * channels * channels * 9,
       eri_f32_winograd(kernels, tile, &input, packed, &output, &residual, &epilogue, 0, FRAMES, 0, channels, scratch));
  // Frames that stay in cache from layer to layer: the same four, eight times.
  char nested[64];
  snprintf(nested, sizeof nested, "%s, 4 at a time", name);
  TIME(nested, FRAMES * side * side * channels * channels * 9,
       for (size_t i = 0; i < FRAMES; i += 4) {
         eri_f32_winograd(kernels, tile, &input, packed, &output, &residual, &epilogue, 0, 4, 0, channels, scratch);
       });
  free(weights), free(bias), free(packed), free(scratch);
  free(input.data), free(output.data), free(residual.data);
}

static void first_layer(void) {
  eri_window window = {7, 7, 2, 2, 1, 1, 3, 3, 1}, pool = {3, 3, 2, 2, 1, 1, 1, 1, 1};
  float *input = floats(FRAMES * 3 * 112 * 112), *weights = floats(64 * 3 * 49), *bias = floats(64);
  eri_f32_image output = image(56, 56, 64, 0), pooled = image(28, 28, 64, 1);
  float *packed = floats(eri_f32_conv_planar_packed_count(&window, 3, 64));
  float *scratch = floats(eri_f32_conv_planar_scratch_count(&window, 3, 112, 112, 64));
  eri_f32_conv_planar_pack(kernels, &window, weights, 3, 64, packed);
  eri_f32_epilogue epilogue = {bias, ERI_ACTIVATION_RELU, NULL, 0, ERI_ACTIVATION_IDENTITY};
  TIME("conv1 7x7/2 planar, 3 to 64", FRAMES * 56 * 56 * 64 * 147.0,
       eri_f32_conv_planar(kernels, &window, input, 3, 112, 112, packed, &output, &epilogue, 0, FRAMES * 56, scratch));
  float *transformed = floats(eri_f32_conv_phases_packed_count(3, 64));
  float *tiles = floats(eri_f32_conv_phases_scratch_count(56));
  eri_f32_conv_phases_pack(kernels, &window, weights, 3, 64, transformed);
  TIME("conv1 7x7/2 over phases, 3 to 64", FRAMES * 56 * 56 * 64 * 147.0,
       eri_f32_conv_phases(kernels, &window, input, 3, 112, 112, transformed, &output, &epilogue, 0, FRAMES * 14, tiles));
  float *kept = floats(eri_f32_conv_phases_pooled_scratch_count(56, 64));
  TIME("conv1 7x7/2 over phases, pooled", FRAMES * 56 * 56 * 64 * 147.0,
       eri_f32_conv_phases_pooled(kernels, &window, input, 3, 112, 112, transformed, 56, 56, &pooled, &epilogue, 0, FRAMES * 14,
                                  kept));
  free(transformed), free(tiles), free(kept);
  TIME("max pooling 3x3/2, 56x56x64", 0, eri_f32_maxpool(kernels, &pool, &output, &pooled, 0, FRAMES * 28));
  free(input), free(weights), free(bias), free(packed), free(scratch), free(output.data), free(pooled.data);
}

static void attention(void) {
  enum { HEADS = 4, TOKENS = 49, DIMENSION = 64, WIDTH = HEADS * DIMENSION };
  float *q = floats(FRAMES * TOKENS * WIDTH), *k = floats(FRAMES * TOKENS * WIDTH);
  float *v = floats(FRAMES * TOKENS * WIDTH), *out = floats(FRAMES * TOKENS * WIDTH);
  float *scratch = floats(eri_f32_attention_scratch_count(TOKENS, TOKENS, DIMENSION, DIMENSION));
  TIME("attention 49x49x64, 32 x 4 heads", 2.0 * FRAMES * HEADS * TOKENS * TOKENS * DIMENSION,
       for (size_t i = 0; i < FRAMES * HEADS; i++) {
         size_t at = i / HEADS * TOKENS * WIDTH + i % HEADS * DIMENSION;
         eri_f32_attention(kernels, TOKENS, TOKENS, DIMENSION, DIMENSION, 0.125f, SIZE_MAX, SIZE_MAX, q + at, WIDTH,
                           k + at, WIDTH, v + at, WIDTH, out + at, WIDTH, scratch);
       });
  float *ones = floats(WIDTH);
  TIME("layer normalisation 1568x256", 0,
       eri_f32_layer_norm(kernels, FRAMES * TOKENS, WIDTH, q, ones, ones, 1e-5f, false, out));
  free(q), free(k), free(v), free(out), free(scratch), free(ones);
}

static void elements(void) {
  static const struct {
    const char *name;
    eri_activation activation;
  } functions[] = {{"ReLU, 802816 elements", ERI_ACTIVATION_RELU},       {"GELU", ERI_ACTIVATION_GELU},
                   {"GELU, tanh form", ERI_ACTIVATION_GELU_TANH},        {"tanh", ERI_ACTIVATION_TANH},
                   {"sigmoid", ERI_ACTIVATION_SIGMOID},                  {"exp", ERI_ACTIVATION_EXP}};
  size_t count = 1568 * 512;
  float *x = floats(count), *y = floats(count);
  for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
    TIME(functions[i].name, 0, eri_f32_activate(kernels, functions[i].activation, count, x, y));
  }
  free(x), free(y);
}

int main(int argc, char **argv) {
  kernels = argc > 1 ? eri_kernels_named(argv[1]) : eri_kernels_best();
  if (!kernels) {
    fprintf(stderr, "bench: this processor has no kernels named %s\n", argv[1]);
    return 2;
  }
  if (argc > 2) wanted = argv[2];
  peak = peak_rate();
  printf("variant %s, one thread, %d runs each\n", eri_kernels_name(kernels), RUNS);
  printf("most of one core, from registers: %.1f GMAC/s = %.1f GFLOP/s\n", peak * 1e-9, 2e-9 * peak);
  if (!openblas()) printf("libopenblas.so.0 is not installed: no comparison with it\n");
  first_layer();
  winograd("l1 3x3, 28x28x64, Winograd", ERI_WINOGRAD_TILE_4, 28, 64);
  winograd("l1 3x3, 28x28x64, Winograd 6x6", ERI_WINOGRAD_TILE_6, 28, 64);
  direct("l1 3x3, 28x28x64, direct", 28, 64, 64, 3, 1);
  direct("l2.0 3x3/2, 28x28, 64 to 128", 28, 64, 128, 3, 2);
  strided("l2.0 3x3/2, Winograd", 28, 64, 128);
  direct("l2.0 1x1/2, 28x28, 64 to 128", 28, 64, 128, 1, 2);
  winograd("l2 3x3, 14x14x128, Winograd", ERI_WINOGRAD_TILE_4, 14, 128);
  winograd("l2 3x3, 14x14x128, Winograd 6x6", ERI_WINOGRAD_TILE_6, 14, 128);
  direct("l3.0 3x3/2, 14x14, 128 to 256", 14, 128, 256, 3, 2);
  strided("l3.0 3x3/2, Winograd", 14, 128, 256);
  direct("l3.0 1x1/2, 14x14, 128 to 256", 14, 128, 256, 1, 2);
  winograd("l3 3x3, 7x7x256, Winograd", ERI_WINOGRAD_TILE_4, 7, 256);
  gemm("GEMM 1568x256x256", 1568, 256, 256, ERI_ACTIVATION_IDENTITY);
  gemm("GEMM 1568x256x512", 1568, 256, 512, ERI_ACTIVATION_IDENTITY);
  gemm("GEMM 1568x256x512 + GELU", 1568, 256, 512, ERI_ACTIVATION_GELU);
  gemm("GEMM 1568x512x256", 1568, 512, 256, ERI_ACTIVATION_IDENTITY);
  gemm("GEMM 1568x256x1024", 1568, 256, 1024, ERI_ACTIVATION_IDENTITY);
  gemm("GEMM 1x256x1024", 1, 256, 1024, ERI_ACTIVATION_IDENTITY);
  attention();
  elements();
  return 0;
}
