// Attention with dropout, and the gradient of attention: products are those of the runtime's GEMM, whichever the variant.
#include <string.h>

#include "geometry.h"
#include "include/eri_training.h"

enum { BLOCK_QUERIES = 64 };  // queries at a time: their probabilities stay in cache, and the sums over queries stay long

static const eri_f32_epilogue plain = {NULL, ERI_ACTIVATION_IDENTITY, NULL, 0, ERI_ACTIVATION_IDENTITY};

/// One head's operands.
typedef struct {
  size_t queries, keys, keyDimension, valueDimension;
  float scale;
  size_t before, after;
  const eri_dropout *dropout;
  uint64_t first;
} head;

/// Queries begin..<begin + count and the keys that any of them may see: firstKey, a multiple of a panel, up to endKey. `width` is
/// what a row of probabilities takes.
typedef struct {
  size_t begin, count, firstKey, endKey, width;
} query_block;

static size_t block_limit(size_t queries) {
  size_t blocks = eri_ceil_div(queries, BLOCK_QUERIES);
  return blocks ? eri_ceil_div(queries, blocks) : 1;
}

static query_block block_at(const head *h, size_t begin) {
  query_block block = {.begin = begin, .count = eri_minimum(h->queries - begin, block_limit(h->queries))};
  size_t last = begin + block.count - 1;
  block.firstKey = begin > h->before ? (begin - h->before) / ERI_PANEL * ERI_PANEL : 0;
  block.endKey = h->after < h->keys && last + h->after < h->keys ? last + h->after + 1 : h->keys;
  if (block.firstKey >= block.endKey) block.firstKey = 0;
  block.width = eri_round_up(block.endKey - block.firstKey, ERI_PANEL);
  return block;
}

/// The block's probabilities, rows of `width`; keys that a query may not see weigh 0.
static void probabilities(const eri_kernels *kernels, const head *h, const query_block *block, const float *q, size_t qStride,
                          const float *keyPanels, float *p) {
  eri_f32_gemm(kernels, block->count, block->width, h->keyDimension, q + block->begin * qStride, qStride,
               keyPanels + block->firstKey * h->keyDimension, p, block->width, &plain);
  eri_f32_scaled(kernels, block->count * block->width, h->scale, p, p, false);
  for (size_t i = 0; i < block->count; i++) {
    size_t query = block->begin + i;
    size_t allowedBegin = query > h->before ? query - h->before : 0;
    size_t allowedEnd = h->after < h->keys && query + h->after < h->keys ? query + h->after + 1 : h->keys;
    float *row = p + i * block->width;
    for (size_t j = block->firstKey; j < allowedBegin && j < block->firstKey + block->width; j++) {
      row[j - block->firstKey] = -__builtin_inff();
    }
    for (size_t j = allowedEnd; j < block->firstKey + block->width; j++) row[j - block->firstKey] = -__builtin_inff();
  }
  eri_f32_softmax(kernels, block->count, block->width, p, p);
}

/// Dropout on the block's rows, from x to y.
static void drop(const eri_kernels *kernels, const head *h, const query_block *block, const float *x, float *y) {
  for (size_t i = 0; i < block->count; i++) {
    uint64_t index = h->first + (uint64_t)(block->begin + i) * h->keys + block->firstKey;
    eri_f32_dropout(kernels, h->dropout, index, block->width, x + i * block->width, y + i * block->width, false);
  }
}

/// Where the parts of the scratch begin, and how many floats it has. A NULL start serves to count.
typedef struct {
  float *keyPanels;     // Kᵀ
  float *valuePanels;   // V forward, Vᵀ backward
  float *rangePanels;   // the rows of K that a block sees
  float *blockPanels;   // a block's rows of Q or of dout
  float *p, *dropped, *dp, *transposed;
} layout;

static float *part(float *scratch, size_t *count, size_t floats) {
  float *begin = scratch ? scratch + *count : NULL;
  *count += eri_round_up(floats, ERI_LINE);
  return begin;
}

static layout layout_of(size_t queries, size_t keys, size_t keyDimension, size_t valueDimension, float *scratch,
                        size_t *count) {
  size_t paddedKeys = eri_round_up(keys, ERI_PANEL), rows = block_limit(queries);
  size_t keyWidth = eri_round_up(keyDimension, ERI_PANEL), valueWidth = eri_round_up(valueDimension, ERI_PANEL);
  layout l;
  *count = 0;
  l.keyPanels = part(scratch, count, paddedKeys * keyDimension);
  l.valuePanels = part(scratch, count, paddedKeys * valueWidth);
  l.rangePanels = part(scratch, count, keys * keyWidth);
  l.blockPanels = part(scratch, count, rows * (keyWidth > valueWidth ? keyWidth : valueWidth));
  l.p = part(scratch, count, rows * paddedKeys);
  l.dropped = part(scratch, count, rows * paddedKeys);
  l.dp = part(scratch, count, rows * paddedKeys);
  l.transposed = part(scratch, count, rows * paddedKeys);
  return l;
}

size_t eri_f32_attention_training_scratch_count(size_t queries, size_t keys, size_t keyDimension, size_t valueDimension) {
  size_t count;
  layout_of(queries, keys, keyDimension, valueDimension, NULL, &count);
  return ERI_LINE + count;
}

/// Packs the rows that a block sees, unless the block before saw the same ones.
static void pack_range(const eri_kernels *kernels, const query_block *block, query_block *packed, const float *x, size_t stride,
                       size_t dimension, float *panels) {
  if (packed->firstKey == block->firstKey && packed->endKey == block->endKey) return;
  eri_f32_gemm_pack(kernels, x + block->firstKey * stride, stride, 1, block->endKey - block->firstKey, dimension, panels);
  *packed = *block;
}

void eri_f32_attention_dropout(const eri_kernels *kernels, size_t queries, size_t keys, size_t keyDimension,
                               size_t valueDimension, float scale, size_t before, size_t after, const float *q,
                               size_t qStride, const float *k, size_t kStride, const float *v, size_t vStride,
                               const eri_dropout *dropout, uint64_t first, float *out, size_t outStride, float *scratch) {
  head h = {queries, keys, keyDimension, valueDimension, scale, before, after, dropout, first};
  size_t count;
  layout l = layout_of(queries, keys, keyDimension, valueDimension, eri_align(scratch), &count);
  eri_f32_gemm_pack(kernels, k, 1, kStride, keyDimension, keys, l.keyPanels);
  query_block block, packed = {0};
  for (size_t begin = 0; begin < queries; begin += block.count) {
    block = block_at(&h, begin);
    probabilities(kernels, &h, &block, q, qStride, l.keyPanels, l.p);
    drop(kernels, &h, &block, l.p, l.dropped);
    pack_range(kernels, &block, &packed, v, vStride, valueDimension, l.valuePanels);
    eri_f32_gemm(kernels, block.count, valueDimension, block.endKey - block.firstKey, l.dropped, block.width, l.valuePanels,
                 out + begin * outStride, outStride, &plain);
  }
}

static void clear_rows(size_t rows, size_t dimension, float *x, size_t stride) {
  for (size_t row = 0; row < rows; row++) memset(x + row * stride, 0, dimension * sizeof(float));
}

/// sums[key] += Σ weights[query, key] · x[query] for the queries of the block and the keys it sees.
static void add_transposed(const eri_kernels *kernels, const query_block *block, const float *weights, const float *x,
                           size_t xStride, size_t dimension, const layout *l, float *sums, size_t stride) {
  size_t seen = block->endKey - block->firstKey;
  float *rows = sums + block->firstKey * stride;
  eri_f32_epilogue adding = {NULL, ERI_ACTIVATION_IDENTITY, rows, stride, ERI_ACTIVATION_IDENTITY};
  eri_f32_transpose(kernels, block->count, seen, weights, block->width, l->transposed, block->count);
  eri_f32_gemm_pack(kernels, x + block->begin * xStride, xStride, 1, block->count, dimension, l->blockPanels);
  eri_f32_gemm(kernels, seen, dimension, block->count, l->transposed, block->count, l->blockPanels, rows, stride, &adding);
}

void eri_f32_attention_gradient(const eri_kernels *kernels, size_t queries, size_t keys, size_t keyDimension,
                                size_t valueDimension, float scale, size_t before, size_t after, const float *q,
                                size_t qStride, const float *k, size_t kStride, const float *v, size_t vStride,
                                const eri_dropout *dropout, uint64_t first, const float *dout, size_t outStride, float *dq,
                                bool accumulateQ, float *dk, bool accumulateK, float *dv, bool accumulateV, float *scratch) {
  head h = {queries, keys, keyDimension, valueDimension, scale, before, after, dropout, first};
  size_t count;
  layout l = layout_of(queries, keys, keyDimension, valueDimension, eri_align(scratch), &count);
  eri_f32_gemm_pack(kernels, k, 1, kStride, keyDimension, keys, l.keyPanels);
  eri_f32_gemm_pack(kernels, v, 1, vStride, valueDimension, keys, l.valuePanels);
  if (dk && !accumulateK) clear_rows(keys, keyDimension, dk, kStride);
  if (dv && !accumulateV) clear_rows(keys, valueDimension, dv, vStride);
  query_block block, packed = {0};
  for (size_t begin = 0; begin < queries; begin += block.count) {
    block = block_at(&h, begin);
    probabilities(kernels, &h, &block, q, qStride, l.keyPanels, l.p);
    if (dv) {
      if (dropout) drop(kernels, &h, &block, l.p, l.dropped);
      add_transposed(kernels, &block, dropout ? l.dropped : l.p, dout, outStride, valueDimension, &l, dv, vStride);
    }
    if (!dq && !dk) continue;
    eri_f32_gemm(kernels, block.count, block.width, valueDimension, dout + begin * outStride, outStride,
                 l.valuePanels + block.firstKey * valueDimension, l.dp, block.width, &plain);
    if (dropout) drop(kernels, &h, &block, l.dp, l.dp);
    eri_f32_softmax_gradient(kernels, block.count, block.width, l.p, l.dp, scale, l.dp);
    if (dk) add_transposed(kernels, &block, l.dp, q, qStride, keyDimension, &l, dk, kStride);
    if (dq) {
      float *rows = dq + begin * qStride;
      eri_f32_epilogue epilogue = plain;
      if (accumulateQ) {
        epilogue.residual = rows;
        epilogue.residualStride = qStride;
      }
      pack_range(kernels, &block, &packed, k, kStride, keyDimension, l.rangePanels);
      eri_f32_gemm(kernels, block.count, keyDimension, block.endKey - block.firstKey, l.dp, block.width, l.rangePanels, rows,
                   qStride, &epilogue);
    }
  }
}
