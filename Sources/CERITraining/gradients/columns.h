// Sums of columns over the rows of a batch. Every column is one chain of additions of doubles in the order of the rows: so a
// split of the rows into consecutive calls gives the same bits. Several short rows at a time share one load of the sums; long
// ones would be more streams than are fetched ahead.

enum { COLUMN_ROWS = 8, COLUMN_LIMIT = 128 };

#define EACH_ROW_BLOCK(ROWS_COUNT, COLUMNS, ...)                                                   \
  do {                                                                                             \
    size_t row = 0;                                                                                \
    for (; row + COLUMN_ROWS <= (ROWS_COUNT) && (COLUMNS) <= COLUMN_LIMIT; row += COLUMN_ROWS) {   \
      const size_t block = COLUMN_ROWS;                                                            \
      __VA_ARGS__;                                                                                 \
    }                                                                                              \
    for (; row < (ROWS_COUNT); row++) {                                                            \
      const size_t block = 1;                                                                      \
      __VA_ARGS__;                                                                                 \
    }                                                                                              \
  } while (0)

INLINE void column_sums_block(const size_t block, size_t columns, const float *x, size_t stride, double *sums) {
  EACH_VECTOR(columns, {
    doubles sum = load_doubles(sums + at, left);
    UNROLL for (size_t i = 0; i < block; i++) add(&sum, widen(load_some(x + i * stride + at, left)));
    store_doubles(sums + at, sum, left);
  });
}
static void column_sums(size_t rows, size_t columns, const float *x, size_t stride, double *sums) {
  EACH_ROW_BLOCK(rows, columns, column_sums_block(block, columns, x + row * stride, stride, sums));
}

INLINE void column_squares_block(const size_t block, size_t columns, const float *x, const float *mean, double *squares) {
  EACH_VECTOR(columns, {
    doubles sum = load_doubles(squares + at, left);
    vf center = load_some(mean + at, left);
    UNROLL for (size_t i = 0; i < block; i++) {
      doubles d = widen(load_some(x + i * columns + at, left) - center);
      add_product(&sum, d, d);
    }
    store_doubles(squares + at, sum, left);
  });
}
static void column_squares(size_t rows, size_t columns, const float *x, const float *mean, double *squares) {
  EACH_ROW_BLOCK(rows, columns, column_squares_block(block, columns, x + row * columns, mean, squares));
}

INLINE void column_products_block(const size_t block, size_t columns, const float *dy, const float *x, const float *mean,
                                  double *sums, double *products) {
  EACH_VECTOR(columns, {
    doubles sum = load_doubles(sums + at, left), crossed = load_doubles(products + at, left);
    vf center = load_some(mean + at, left);
    UNROLL for (size_t i = 0; i < block; i++) {
      doubles g = widen(load_some(dy + i * columns + at, left));
      add(&sum, g);
      add_product(&crossed, g, widen(load_some(x + i * columns + at, left) - center));
    }
    store_doubles(sums + at, sum, left);
    store_doubles(products + at, crossed, left);
  });
}
static void column_products(size_t rows, size_t columns, const float *dy, const float *x, const float *mean, double *sums,
                            double *products) {
  EACH_ROW_BLOCK(rows, columns,
                 column_products_block(block, columns, dy + row * columns, x + row * columns, mean, sums, products));
}

/// Σ a b in doubles.
INLINE double dot_doubles(size_t count, const float *a, const float *b) {
  doubles sums[2] = {{(vd)0.0, (vd)0.0}, {(vd)0.0, (vd)0.0}};
  size_t i = 0;
  for (; i + 2 * LANES <= count; i += 2 * LANES) {
    UNROLL for (size_t j = 0; j < 2; j++) {
      add_product(&sums[j], widen(load(a + i + j * LANES)), widen(load(b + i + j * LANES)));
    }
  }
  for (; i < count; i += LANES) {
    add_product(&sums[0], widen(load_some(a + i, count - i)), widen(load_some(b + i, count - i)));
  }
  add(&sums[0], sums[1]);
  return sum_doubles(sums[0]);
}
static double square_sum(size_t count, const float *x) { return dot_doubles(count, x, x); }
