// A C++ host of ExecuTorch, built against the headers and libraries of the `executorch` wheel, which need no PyTorch.
#include <executorch/extension/module/module.h>
#include <executorch/extension/tensor/tensor.h>

#include "host.h"

namespace executorch::extension::threadpool {
// From the thread pool's header, which the wheel leaves out.
class ThreadPool {
 public:
  bool _unsafe_reset_threadpool(uint32_t threads);
};
ThreadPool *get_threadpool();
}  // namespace executorch::extension::threadpool

using executorch::extension::from_blob;
using executorch::extension::Module;

int main(int argc, char **argv) {
  if (argc != 6) fail("usage", "HOST MODEL FACES AUDIO THREADS REPEAT");
  executorch::extension::threadpool::get_threadpool()->_unsafe_reset_threadpool((uint32_t)atoi(argv[4]));
  Module module(argv[1], Module::LoadMode::Mmap);
  const auto faces = from_blob(read_floats(argv[2], FACES), {1, 32, 3, 112, 112});
  const auto audio = from_blob(read_floats(argv[3], AUDIO), {1, 32, 1024});
  const auto run = [&] {
    const auto outputs = module.forward({faces, audio});
    if (!outputs.ok()) fail(argv[1], "cannot be run");
    return outputs->at(0).toTensor();
  };
  const auto intensities = run();
  print_first(intensities.const_data_ptr<float>(), (size_t)intensities.numel());
  PRINT_TIMES(argv[5], run());
  print_peak();
}
