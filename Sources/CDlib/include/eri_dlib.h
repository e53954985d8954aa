// dlib's frontal face detector behind a C interface: no exception crosses it.
#ifndef ERI_DLIB_H
#define ERI_DLIB_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A detector: the trained filters (shared by all clones) and the working memory of one detection.
/// One detector serves one thread at a time; clones of one detector may work at the same time.
typedef struct eri_face_detector eri_face_detector;

/// A face in pixels of the searched image: left and top belong to it, right and bottom lie just outside.
/// The box may reach beyond the image.
typedef struct eri_face_box {
  int32_t left, top, right, bottom;
  /// Distance above the detector's threshold; greater is surer. No upper bound.
  double confidence;
} eri_face_box;

/// Unpacks the trained filters, which takes about half a second: once per process is enough. AVX2 is used where the
/// processor has it, unless `baseline` is not 0; confidences then differ in their last digits.
/// Returns NULL and writes a reason to `message` (at most `message_capacity` bytes with the final zero) on failure.
eri_face_detector *eri_face_detector_create(int baseline, char *message, size_t message_capacity);

/// A second detector on the same filters, at no cost. `levels` limits the image pyramid, whose level n finds faces
/// of about 80 * 1.2^n pixels (1.2^4 = 2.07); 0 searches all sizes. Returns NULL and a reason on failure.
eri_face_detector *eri_face_detector_clone(
    const eri_face_detector *detector, unsigned levels, char *message, size_t message_capacity);

/// Finds faces in 8-bit grey pixels, read in place; row y begins at pixels + y * stride. Boxes come surest first;
/// the first `capacity` of them are written. Returns how many there are, or -1 and a reason.
int eri_face_detector_detect(
    eri_face_detector *detector, const uint8_t *pixels, int width, int height, ptrdiff_t stride,
    eri_face_box *boxes, int capacity, char *message, size_t message_capacity);

/// Releases a detector; NULL is allowed.
void eri_face_detector_free(eri_face_detector *detector);

#ifdef __cplusplus
}
#endif

#endif
