// A C host of ONNX Runtime, for the shared library of the `onnxruntime` wheel, which comes without headers.
//
// ONNX Runtime's C interface is a table of functions whose places never change between versions; those used here are named by
// their places. Built with -ldl; the library's path is in the environment variable ORT_LIBRARY.
#include <dlfcn.h>

#include "host.h"

enum {
  GET_ERROR_MESSAGE = 2,
  CREATE_ENV = 3,
  CREATE_SESSION = 7,
  RUN = 9,
  CREATE_SESSION_OPTIONS = 10,
  SET_GRAPH_OPTIMIZATION_LEVEL = 23,
  SET_INTRA_OP_THREADS = 24,
  SET_INTER_OP_THREADS = 25,
  CREATE_TENSOR_WITH_DATA = 49,
  GET_TENSOR_MUTABLE_DATA = 51,
  CREATE_CPU_MEMORY_INFO = 69,
  API_VERSION = 16,
  WARNING = 2,
  ENABLE_ALL = 99,
  FLOAT = 1,
  DEVICE_ALLOCATOR = 0,
  DEFAULT_MEMORY = 0,
};

typedef void *status;
typedef struct {
  void *const *(*get_api)(uint32_t version);
  const char *(*get_version)(void);
} api_base;

static void *const *api;

static void check(status failure, const char *what) {
  if (failure != NULL) fail(what, ((const char *(*)(status))api[GET_ERROR_MESSAGE])(failure));
}

#define CALL(FUNCTION, TYPES, ...) check(((status(*) TYPES)api[FUNCTION])(__VA_ARGS__), #FUNCTION)

int main(int argc, char **argv) {
  if (argc != 6) fail("usage", "HOST MODEL FACES AUDIO THREADS REPEAT");
  const char *path = getenv("ORT_LIBRARY");
  void *library = dlopen(path != NULL ? path : "libonnxruntime.so", RTLD_NOW);
  if (library == NULL) fail("dlopen", dlerror());
  const api_base *(*base)(void) = (const api_base *(*)(void))dlsym(library, "OrtGetApiBase");
  if (base == NULL) fail("OrtGetApiBase", "not found");
  api = base()->get_api(API_VERSION);
  if (api == NULL) fail("GetApi", "the library lacks this version of its interface");

  void *env, *options, *session, *memory, *inputs[2], *outputs[1] = {NULL};
  CALL(CREATE_ENV, (int, const char *, void **), WARNING, "peer", &env);
  CALL(CREATE_SESSION_OPTIONS, (void **), &options);
  CALL(SET_INTRA_OP_THREADS, (void *, int), options, atoi(argv[4]));
  CALL(SET_INTER_OP_THREADS, (void *, int), options, 1);
  CALL(SET_GRAPH_OPTIMIZATION_LEVEL, (void *, int), options, ENABLE_ALL);
  CALL(CREATE_SESSION, (void *, const char *, void *, void **), env, argv[1], options, &session);
  CALL(CREATE_CPU_MEMORY_INFO, (int, int, void **), DEVICE_ALLOCATOR, DEFAULT_MEMORY, &memory);
  int64_t faceShape[5] = {1, 32, 3, 112, 112}, audioShape[3] = {1, 32, 1024};
  float *faces = read_floats(argv[2], FACES), *audio = read_floats(argv[3], AUDIO);
  CALL(CREATE_TENSOR_WITH_DATA, (void *, void *, size_t, const int64_t *, size_t, int, void **), memory, faces,
       FACES * sizeof *faces, faceShape, 5, FLOAT, &inputs[0]);
  CALL(CREATE_TENSOR_WITH_DATA, (void *, void *, size_t, const int64_t *, size_t, int, void **), memory, audio,
       AUDIO * sizeof *audio, audioShape, 3, FLOAT, &inputs[1]);
  const char *inputNames[2] = {"faces", "audio"}, *outputNames[1] = {"intensities"};
#define RUN_ONCE()                                                                                                     \
  CALL(RUN, (void *, void *, const char *const *, void *const *, size_t, const char *const *, size_t, void **),        \
       session, NULL, inputNames, inputs, 2, outputNames, 1, outputs)
  RUN_ONCE();
  float *values;
  CALL(GET_TENSOR_MUTABLE_DATA, (void *, void **), outputs[0], (void **)&values);
  print_first(values, 7);
  PRINT_TIMES(argv[5], RUN_ONCE());
  print_peak();
}
