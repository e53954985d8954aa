// A C host of OpenVINO, built against the headers and libraries of the `openvino` wheel.
#include <openvino/c/openvino.h>

#include "host.h"

static void check(ov_status_e status, const char *what) {
  if (status != OK) fail(what, ov_get_last_err_msg());
}

int main(int argc, char **argv) {
  if (argc != 6) fail("usage", "HOST MODEL FACES AUDIO THREADS REPEAT");
  ov_core_t *core;
  ov_compiled_model_t *model;
  ov_infer_request_t *request;
  ov_tensor_t *faces, *audio, *intensities;
  ov_shape_t faceShape, audioShape;
  int64_t faceExtents[5] = {1, 32, 3, 112, 112}, audioExtents[3] = {1, 32, 1024};
  check(ov_core_create(&core), "ov_core_create");
  // Where the processor has bfloat16, OpenVINO computes a float32 model in it unless told not to.
  check(ov_core_compile_model_from_file(core, argv[1], "CPU", 8, &model, "PERFORMANCE_HINT", "LATENCY",
                                        "INFERENCE_NUM_THREADS", argv[4], "NUM_STREAMS", "1",
                                        "INFERENCE_PRECISION_HINT", "f32"),
        "ov_core_compile_model_from_file");
  check(ov_compiled_model_create_infer_request(model, &request), "ov_compiled_model_create_infer_request");
  check(ov_shape_create(5, faceExtents, &faceShape), "ov_shape_create");
  check(ov_shape_create(3, audioExtents, &audioShape), "ov_shape_create");
  check(ov_tensor_create_from_host_ptr(F32, faceShape, read_floats(argv[2], FACES), &faces), "faces");
  check(ov_tensor_create_from_host_ptr(F32, audioShape, read_floats(argv[3], AUDIO), &audio), "audio");
  check(ov_infer_request_set_tensor(request, "faces", faces), "faces");
  check(ov_infer_request_set_tensor(request, "audio", audio), "audio");
  check(ov_infer_request_infer(request), "ov_infer_request_infer");
  check(ov_infer_request_get_output_tensor_by_index(request, 0, &intensities), "intensities");
  void *values;
  check(ov_tensor_data(intensities, &values), "ov_tensor_data");
  print_first(values, 7);
  PRINT_TIMES(argv[5], check(ov_infer_request_infer(request), "ov_infer_request_infer"));
  print_peak();
}
