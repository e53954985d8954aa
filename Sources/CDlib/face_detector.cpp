#include "eri_dlib.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <memory>
#include <stdexcept>

#include "face_scan.hpp"

namespace {
void report(char *message, size_t capacity, const char *reason) {
  if (message != nullptr && capacity > 0) std::snprintf(message, capacity, "%s", reason);
}

/// Runs `body`; an exception becomes `failure` and its reason.
template <typename Result, typename Body>
Result guarded(Result failure, char *message, size_t capacity, Body body) noexcept {
  try {
    return body();
  } catch (const std::exception &error) {
    report(message, capacity, error.what());
  } catch (...) {
    report(message, capacity, "unknown C++ exception");
  }
  return failure;
}

bool processor_has_avx2() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  return false;
#endif
}
}  // namespace

struct eri_face_detector {
  std::unique_ptr<eri::FaceScan> scan;
};

eri_face_detector *eri_face_detector_create(int baseline, char *message, size_t message_capacity) {
  return guarded<eri_face_detector *>(nullptr, message, message_capacity, [&] {
    const std::string filters = eri::trained_filters();
    std::unique_ptr<eri::FaceScan> scan;
    if (!baseline && processor_has_avx2()) scan = eri::make_avx2_scan(filters);
    if (!scan) scan = eri::make_baseline_scan(filters);
    return new eri_face_detector{std::move(scan)};
  });
}

eri_face_detector *eri_face_detector_clone(
    const eri_face_detector *detector, unsigned levels, char *message, size_t message_capacity) {
  return guarded<eri_face_detector *>(
      nullptr, message, message_capacity, [&] { return new eri_face_detector{detector->scan->clone(levels)}; });
}

int eri_face_detector_detect(
    eri_face_detector *detector, const uint8_t *pixels, int width, int height, ptrdiff_t stride,
    eri_face_box *boxes, int capacity, char *message, size_t message_capacity) {
  return guarded<int>(-1, message, message_capacity, [&] {
    if (pixels == nullptr || width <= 0 || height <= 0) throw std::invalid_argument("the image is empty");
    if (stride < width) throw std::invalid_argument("the image's rows overlap");
    const auto found = detector->scan->detect(pixels, width, height, static_cast<long>(stride));
    const int count = static_cast<int>(found.size());
    std::copy_n(found.begin(), std::min(count, std::max(capacity, 0)), boxes);
    return count;
  });
}

void eri_face_detector_free(eri_face_detector *detector) { delete detector; }
