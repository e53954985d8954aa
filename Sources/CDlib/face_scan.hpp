// What the C interface needs of dlib, so that dlib can be compiled for two instruction sets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "eri_dlib.h"

namespace eri {
/// One detector: shared filters and its own working memory.
class FaceScan {
 public:
  virtual ~FaceScan() = default;
  /// Faces in grey pixels, surest first.
  virtual std::vector<eri_face_box> detect(const uint8_t *pixels, long width, long height, long stride) = 0;
  /// Another detector on the same filters; `levels` limits the pyramid, 0 does not.
  virtual std::unique_ptr<FaceScan> clone(unsigned levels) const = 0;
};

/// The trained filters as dlib's own serialisation, unpacked.
std::string trained_filters();
/// A detector for every processor of the platform.
std::unique_ptr<FaceScan> make_baseline_scan(const std::string &filters);
/// A detector that may use AVX2 and FMA; NULL where the platform has none to compile for.
std::unique_ptr<FaceScan> make_avx2_scan(const std::string &filters);
}  // namespace eri
