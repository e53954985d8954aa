#include "eri_dlib.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <memory>
#include <stdexcept>
#include <vector>

// dlib's headers are not written for our warnings.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wall"
#pragma GCC diagnostic ignored "-Wextra"
#include <dlib/image_processing/frontal_face_detector.h>
#pragma GCC diagnostic pop

namespace eri {
/// Grey pixels owned by someone else, in the shape dlib's generic image functions ask for.
struct GreyPlane {
  const uint8_t *pixels;
  long width, height, stride;
};

inline long num_rows(const GreyPlane &plane) { return plane.height; }
inline long num_columns(const GreyPlane &plane) { return plane.width; }
inline long width_step(const GreyPlane &plane) { return plane.stride; }
inline const void *image_data(const GreyPlane &plane) { return plane.pixels; }
}  // namespace eri

namespace dlib {
template <> struct image_traits<eri::GreyPlane> {
  typedef unsigned char pixel_type;
};
}  // namespace dlib

namespace {
using Detector = dlib::frontal_face_detector;
using Scanner = Detector::image_scanner_type;

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

/// A total order, so that equally sure boxes come in the same order everywhere.
bool surer(const dlib::rect_detection &a, const dlib::rect_detection &b) {
  if (a.detection_confidence != b.detection_confidence) return a.detection_confidence > b.detection_confidence;
  if (a.weight_index != b.weight_index) return a.weight_index < b.weight_index;
  if (a.rect.top() != b.rect.top()) return a.rect.top() < b.rect.top();
  return a.rect.left() < b.rect.left();
}
}  // namespace

/// dlib's object_detector owns its scanner and keeps it constant; the scanner is used directly here, so that the limit
/// of levels can differ between detectors that share one set of filters.
struct eri_face_detector {
  std::shared_ptr<const Detector> trained;
  Scanner scanner;
  std::vector<std::pair<double, dlib::rectangle>> found;
  std::vector<dlib::rect_detection> candidates, kept;

  eri_face_detector(std::shared_ptr<const Detector> filters, unsigned levels) : trained(std::move(filters)) {
    scanner.copy_configuration(trained->get_scanner());
    if (levels > 0) scanner.set_max_pyramid_levels(levels);
  }

  /// What object_detector::operator() does: scan with every filter, then drop what overlaps a surer box.
  void detect(const eri::GreyPlane &plane) {
    scanner.load(plane);
    candidates.clear();
    for (unsigned long i = 0; i < trained->num_detectors(); ++i) {
      const double threshold = trained->get_w(i)(scanner.get_num_dimensions());
      scanner.detect(trained->get_processed_w(i).get_detect_argument(), found, threshold);
      for (const auto &one : found) candidates.push_back({one.first - threshold, i, one.second});
    }
    std::sort(candidates.begin(), candidates.end(), surer);
    kept.clear();
    const auto &overlaps = trained->get_overlap_tester();
    for (const auto &candidate : candidates) {
      const bool covered = std::any_of(
          kept.begin(), kept.end(), [&](const auto &other) { return overlaps(other.rect, candidate.rect); });
      if (!covered) kept.push_back(candidate);
    }
  }
};

eri_face_detector *eri_face_detector_create(char *message, size_t message_capacity) {
  return guarded<eri_face_detector *>(nullptr, message, message_capacity, [] {
    auto trained = std::make_shared<const Detector>(dlib::get_frontal_face_detector());
    return new eri_face_detector(std::move(trained), 0);
  });
}

eri_face_detector *eri_face_detector_clone(
    const eri_face_detector *detector, unsigned levels, char *message, size_t message_capacity) {
  return guarded<eri_face_detector *>(
      nullptr, message, message_capacity, [&] { return new eri_face_detector(detector->trained, levels); });
}

int eri_face_detector_detect(
    eri_face_detector *detector, const uint8_t *pixels, int width, int height, ptrdiff_t stride,
    eri_face_box *boxes, int capacity, char *message, size_t message_capacity) {
  return guarded<int>(-1, message, message_capacity, [&] {
    if (pixels == nullptr || width <= 0 || height <= 0) throw std::invalid_argument("the image is empty");
    if (stride < width) throw std::invalid_argument("the image's rows overlap");
    detector->detect({pixels, width, height, static_cast<long>(stride)});
    const int count = static_cast<int>(detector->kept.size());
    for (int i = 0; i < std::min(count, capacity); ++i) {
      const auto &one = detector->kept[static_cast<size_t>(i)];
      boxes[i] = {
          static_cast<int32_t>(one.rect.left()), static_cast<int32_t>(one.rect.top()),
          static_cast<int32_t>(one.rect.right() + 1), static_cast<int32_t>(one.rect.bottom() + 1),
          one.detection_confidence};
    }
    return count;
  });
}

void eri_face_detector_free(eri_face_detector *detector) { delete detector; }
