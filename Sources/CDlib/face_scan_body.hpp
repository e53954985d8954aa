// The detector, compiled once per instruction set: dlib chooses its vector code by macros. The including file has
// included dlib's headers, in which `dlib` may be a macro for another namespace.
namespace dlib {
namespace {
/// Grey pixels owned by someone else, in the shape dlib's generic image functions ask for.
struct GreyPlane {
  const uint8_t *pixels;
  long width, height, stride;
};

inline long num_rows(const GreyPlane &plane) { return plane.height; }
inline long num_columns(const GreyPlane &plane) { return plane.width; }
inline long width_step(const GreyPlane &plane) { return plane.stride; }
inline const void *image_data(const GreyPlane &plane) { return plane.pixels; }
}  // namespace

template <> struct image_traits<GreyPlane> {
  typedef unsigned char pixel_type;
};

namespace {
using Detector = frontal_face_detector;

/// A total order, so that equally sure boxes come in the same order everywhere.
bool surer(const rect_detection &a, const rect_detection &b) {
  if (a.detection_confidence != b.detection_confidence) return a.detection_confidence > b.detection_confidence;
  if (a.weight_index != b.weight_index) return a.weight_index < b.weight_index;
  if (a.rect.top() != b.rect.top()) return a.rect.top() < b.rect.top();
  return a.rect.left() < b.rect.left();
}

/// dlib's object_detector owns its scanner and keeps it constant; the scanner is used directly here, so that the limit
/// of levels can differ between detectors that share one set of filters.
class Scan final : public eri::FaceScan {
 public:
  Scan(std::shared_ptr<const Detector> filters, unsigned levels) : trained(std::move(filters)) {
    scanner.copy_configuration(trained->get_scanner());
    if (levels > 0) scanner.set_max_pyramid_levels(levels);
  }

  std::unique_ptr<eri::FaceScan> clone(unsigned levels) const override {
    return std::make_unique<Scan>(trained, levels);
  }

  /// What object_detector::operator() does: scan with every filter, then drop what overlaps a surer box.
  std::vector<eri_face_box> detect(const uint8_t *pixels, long width, long height, long stride) override {
    scanner.load(GreyPlane{pixels, width, height, stride});
    candidates.clear();
    for (unsigned long i = 0; i < trained->num_detectors(); ++i) {
      const double threshold = trained->get_w(i)(scanner.get_num_dimensions());
      scanner.detect(trained->get_processed_w(i).get_detect_argument(), found, threshold);
      for (const auto &one : found) candidates.push_back({one.first - threshold, i, one.second});
    }
    std::sort(candidates.begin(), candidates.end(), surer);
    kept.clear();
    const auto &overlaps = trained->get_overlap_tester();
    std::vector<eri_face_box> boxes;
    for (const auto &candidate : candidates) {
      bool covered = false;
      for (const auto &other : kept) covered = covered || overlaps(other, candidate.rect);
      if (covered) continue;
      kept.push_back(candidate.rect);
      boxes.push_back(
          {static_cast<int32_t>(candidate.rect.left()), static_cast<int32_t>(candidate.rect.top()),
           static_cast<int32_t>(candidate.rect.right() + 1), static_cast<int32_t>(candidate.rect.bottom() + 1),
           candidate.detection_confidence});
    }
    return boxes;
  }

 private:
  std::shared_ptr<const Detector> trained;
  Detector::image_scanner_type scanner;
  std::vector<std::pair<double, rectangle>> found;
  std::vector<rect_detection> candidates;
  std::vector<rectangle> kept;
};

std::unique_ptr<eri::FaceScan> make_scan(const std::string &filters) {
  std::istringstream bytes(filters);
  auto trained = std::make_shared<Detector>();
  deserialize(*trained, bytes);
  return std::make_unique<Scan>(std::move(trained), 0);
}
}  // namespace
}  // namespace dlib
