// What the hosts share: one clip's inputs, the protocol, the peak memory.
//
// A host is started as HOST MODEL FACES AUDIO THREADS REPEAT; the inputs are raw float32. It loads the model, runs it once, prints
// "first" and the outputs, then runs REPEAT times more and prints "ms" and their times, then "peak" and its VmHWM in kB.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FACES ((size_t)32 * 3 * 112 * 112)
#define AUDIO ((size_t)32 * 1024)

static void fail(const char *what, const char *detail) {
  fprintf(stderr, "%s: %s\n", what, detail);
  exit(2);
}

static float *read_floats(const char *path, size_t count) {
  float *values = (float *)malloc(count * sizeof *values);
  FILE *file = fopen(path, "rb");
  if (values == NULL || file == NULL || fread(values, sizeof *values, count, file) != count) fail(path, "cannot be read");
  fclose(file);
  return values;
}

static double milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void print_first(const float *outputs, size_t count) {
  printf("first");
  for (size_t i = 0; i < count; i++) printf(" %.9g", outputs[i]);
  printf("\n");
  fflush(stdout);
}

/// Runs STATEMENT as often as `repeat` says and prints the time of each.
#define PRINT_TIMES(REPEAT, STATEMENT)        \
  do {                                        \
    int repeat = atoi(REPEAT);                \
    if (repeat > 0) printf("ms");             \
    for (int i = 0; i < repeat; i++) {        \
      double start = milliseconds();          \
      STATEMENT;                              \
      printf(" %.3f", milliseconds() - start); \
    }                                         \
    if (repeat > 0) printf("\n");             \
  } while (0)

static void print_peak(void) {
  char line[256];
  FILE *status = fopen("/proc/self/status", "r");
  while (status != NULL && fgets(line, sizeof line, status) != NULL) {
    if (strncmp(line, "VmHWM:", 6) == 0) printf("peak %s", line + 6);
  }
  fflush(stdout);
  // Without tearing down: what a library does at exit is not measured.
  _Exit(0);
}
