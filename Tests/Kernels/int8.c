// Holds every 8-bit variant that the processor runs against the portable one, bit for bit, on random layers, and prints a hash of the
// portable one's outputs, which is the same on every processor. For targets on which Swift's tests do not run.
#include <eri_int8.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF  // the data too is the same everywhere

static uint64_t state;
static uint32_t draw(uint32_t below) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(state >> 33) % below;
}

static void *memory(size_t bytes) {
  void *p = aligned_alloc(64, (bytes + 63) / 64 * 64);
  if (!p) abort();
  memset(p, 0xa5, (bytes + 63) / 64 * 64);
  return p;
}

static uint64_t hash = 14695981039346656037u;
static void add_to_hash(const void *data, size_t bytes) {
  for (size_t i = 0; i < bytes; i++) hash = (hash ^ ((const uint8_t *)data)[i]) * 1099511628211u;
}

/// A random convolution; with kernel 1 × 1 over images of one pixel it is a product of matrices.
typedef struct {
  eri_window window;
  size_t images, outputHeight, outputWidth, outputHalo;
  eri_i8_image input;
  size_t outputChannels;
  int8_t *weights;
  float *scale, *bias;
  uint8_t *residual;
  eri_i8_epilogue epilogue;
  bool winograd;
} problem;

// From WIDE on they have large windows or many output channels, from DEEP on whole steps of a tile and long lines.
enum { PROBLEMS = 350, WIDE = 200, DEEP = 300 };

static problem problem_of(uint64_t seed) {
  state = seed;
  problem p = {.images = 1 + draw(3)};
  size_t groups = draw(5) == 0 ? 2 : 1, from = (1 + draw(40)) * groups, to = (1 + draw(40)) * groups;
  p.window = (eri_window){1 + draw(3), 1 + draw(3), 1 + draw(2), 1 + draw(2), 1 + draw(2),
                          1 + draw(2), draw(2), draw(2), groups};
  p.winograd = draw(3) == 0;
  if (p.winograd) p.window = (eri_window){3, 3, 1, 1, 1, 1, 1, 1, 1};
  if (!p.winograd && draw(6) == 0) p.window.groups = to = from;
  if (seed >= WIDE) {
    from = draw(2) ? 1 + draw(6) : 1 + draw(40);
    to = 30 + draw(120);
    p.window = (eri_window){1 + draw(7), 1 + draw(7), 1 + draw(3), 1 + draw(3), 1, 1, 1 + draw(3), 1 + draw(3), 1};
    p.winograd = draw(3) == 0;
    if (p.winograd) p.window = (eri_window){3, 3, 1, 1, 1, 1, 1, 1, 1};
  }
  size_t height = 5 + draw(10), width = 5 + draw(10);
  if (seed >= DEEP) {
    from = 64 * (1 + draw(2));
    p.window = (eri_window){1 + draw(3), 1 + draw(3), 1, 1, 1 + draw(2), 1, draw(2), draw(2), 1};
    p.winograd = false;
    width = 12 + draw(20);
  }
  const eri_window *w = &p.window;
  p.outputHeight = (height + 2 * w->padTop - (w->kernelHeight - 1) * w->dilationHeight - 1) / w->strideHeight + 1;
  p.outputWidth = (width + 2 * w->padLeft - (w->kernelWidth - 1) * w->dilationWidth - 1) / w->strideWidth + 1;
  p.outputChannels = to;
  p.outputHalo = draw(2);
  size_t inputs = p.images * (height + 2) * (width + 2) * from;
  p.input = (eri_i8_image){memory(inputs), height, width, from, 1};
  // Values and weights that keep low are summed in other ways than those that do not.
  uint32_t most = seed % 5 < 2 ? 60 + draw(90) : 255;
  for (size_t i = 0; i < inputs; i++) p.input.data[i] = (uint8_t)(seed % 3 == 0 ? most * draw(2) : draw(most + 1));
  size_t count = to * (from / w->groups) * w->kernelHeight * w->kernelWidth;
  p.weights = memory(count);
  int largest = draw(2) ? 127 : 63;
  for (size_t i = 0; i < count; i++) {
    p.weights[i] = (int8_t)(seed % 4 == 1 ? 2 * largest * (int)draw(2) - largest : (int)draw(2 * (uint32_t)largest + 1) - largest);
  }
  p.scale = memory(to * sizeof(float));
  p.bias = memory(to * sizeof(float));
  for (size_t i = 0; i < to; i++) {
    p.scale[i] = 1e-6f * (float)(1 + draw(100));
    p.bias[i] = 0.01f * (float)draw(200) - 1;
  }
  size_t outputs = p.images * (p.outputHeight + 2) * (p.outputWidth + 2) * to;
  p.residual = memory(outputs);
  for (size_t i = 0; i < outputs; i++) p.residual[i] = (uint8_t)draw(256);
  static const int32_t zeros[] = {0, 128, 255, 37};
  p.epilogue = (eri_i8_epilogue){.inputZero = zeros[seed % 4],
                                 .scale = p.scale,
                                 .bias = draw(3) ? p.bias : NULL,
                                 .first = draw(2) ? ERI_ACTIVATION_RELU : ERI_ACTIVATION_IDENTITY,
                                 .residualBytes = draw(2) ? p.residual : NULL,
                                 .residualScale = {0.01f, 100},
                                 .residualHalo = 1,
                                 .second = draw(2) ? ERI_ACTIVATION_RELU : ERI_ACTIVATION_IDENTITY,
                                 .outputInverse = 43.7f,
                                 .outputZero = zeros[(seed + 1) % 4]};
  return p;
}

static size_t output_count(const problem *p) {
  return p->images * (p->outputHeight + 2 * p->outputHalo) * (p->outputWidth + 2 * p->outputHalo) * p->outputChannels;
}

/// Everything the kernels make of a problem: bytes and floats, direct and by Winograd, pooled, added, quantised.
static void run(const eri_i8_kernels *kernels, const problem *p, uint8_t *bytes, float *floats) {
  size_t from = p->input.channels, to = p->outputChannels, count = output_count(p), rows = p->images * p->outputHeight;
  eri_i8_image output = {bytes, p->outputHeight, p->outputWidth, to, p->outputHalo};
  eri_f32_image floatOutput = {floats, p->outputHeight, p->outputWidth, to, p->outputHalo};
  eri_i8_halo_fill(kernels, &p->input, p->epilogue.inputZero, 0, p->images);
  void *packed = memory(eri_i8_conv_packed_count(&p->window, from, to));
  void *scratch = memory(eri_i8_conv_scratch_count(&p->window, from, to));
  eri_i8_conv_pack(kernels, &p->window, p->weights, from, to, packed);
  eri_i8_conv(kernels, &p->window, &p->input, packed, &output, &p->epilogue, rows / 2, rows, scratch);
  eri_i8_conv(kernels, &p->window, &p->input, packed, &output, &p->epilogue, 0, rows / 2, scratch);
  eri_i8_conv_float(kernels, &p->window, &p->input, packed, &floatOutput, &p->epilogue, 0, rows, scratch);
  free(packed), free(scratch);
  output.data += count, floatOutput.data += count;
  if (p->winograd) {
    packed = memory(eri_i8_winograd_packed_count(from, to));
    scratch = memory(eri_i8_winograd_scratch_count(p->input.height, p->input.width, from, to, p->images));
    eri_i8_winograd_pack(kernels, p->weights, from, to, packed);
    eri_i8_winograd(kernels, &p->input, packed, &output, &p->epilogue, 0, p->images, 0, to, scratch);
    eri_i8_winograd_float(kernels, &p->input, packed, &floatOutput, &p->epilogue, 0, p->images, 0, to, scratch);
    free(packed), free(scratch);
  }
  output.data += count;
  eri_i8_image first = {bytes, p->outputHeight, p->outputWidth, to, p->outputHalo};
  eri_i8_image second = {bytes + count, p->outputHeight, p->outputWidth, to, p->outputHalo};
  eri_i8_scale scale = {0.013f, 128}, other = {0.021f, 37};
  eri_i8_add(kernels, &first, scale, &second, other, p->epilogue.second, &output, 31.7f, 100, 0, rows);
  output.data += count;
  eri_i8_quantise(kernels, &(eri_f32_image){floats, p->outputHeight, p->outputWidth, to, p->outputHalo}, 77.7f, 128, &output,
                  0, rows);
  output.data += count;
  eri_i8_quantise_planar(kernels, floats, 77.7f, 128, &output, 0, rows);
  floatOutput.data += count;
  eri_i8_dequantise(kernels, &first, scale, &floatOutput, 0, rows);
  output.data += count;
  eri_window same = {3, 3, 1, 1, 1, 1, 1, 1, 1};
  eri_i8_maxpool(kernels, &same, &first, &output, 0, rows);
  output.data += count;
  uint8_t table[256];
  for (int i = 0; i < 256; i++) table[i] = (uint8_t)(i * 167 + 13);
  eri_i8_lookup(kernels, table, &second, &output, 0, rows);
}

int main(void) {
  int wrong[16] = {0}, all = 0;
  for (uint64_t seed = 0; seed < PROBLEMS; seed++) {
    problem p = problem_of(seed);
    size_t byteCount = 7 * output_count(&p), floatBytes = 3 * output_count(&p) * sizeof(float);
    uint8_t *expected = memory(byteCount), *bytes = memory(byteCount);
    float *expectedFloats = memory(floatBytes), *floats = memory(floatBytes);
    run(eri_i8_variant(0), &p, expected, expectedFloats);
    add_to_hash(expected, byteCount);
    add_to_hash(expectedFloats, floatBytes);
    for (size_t i = 1; i < eri_i8_variant_count(); i++) {
      if (!eri_i8_variant(i)) continue;
      memset(bytes, 0xa5, byteCount);
      memset(floats, 0xa5, floatBytes);
      run(eri_i8_variant(i), &p, bytes, floats);
      if (memcmp(bytes, expected, byteCount) || memcmp(floats, expectedFloats, floatBytes)) wrong[i]++, all++;
    }
    free(expected), free(bytes), free(expectedFloats), free(floats), free(p.input.data), free(p.weights), free(p.scale);
    free(p.bias), free(p.residual);
  }
  for (size_t i = 1; i < eri_i8_variant_count(); i++) {
    if (eri_i8_variant(i)) {
      fprintf(stderr, "%s: %d of %d problems differ from the portable form\n", eri_i8_variant_name(i), wrong[i], PROBLEMS);
    } else {
      fprintf(stderr, "%s: not on this processor\n", eri_i8_variant_name(i));
    }
  }
  printf("%016llx\n", (unsigned long long)hash);
  return all == 0 ? 0 : 1;
}
