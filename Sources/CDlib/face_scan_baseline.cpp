#include "face_scan.hpp"

// dlib's headers are not written for our warnings.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Weverything"
#include <dlib/image_processing/frontal_face_detector.h>
#pragma clang diagnostic pop

#include "face_scan_body.hpp"

std::string eri::trained_filters() { return dlib::get_serialized_frontal_faces(); }

std::unique_ptr<eri::FaceScan> eri::make_baseline_scan(const std::string &filters) { return dlib::make_scan(filters); }
