static void f32_winograd_pack(const float *weights, size_t inputChannels, size_t outputChannels, float *packed) {
  (void)weights; (void)inputChannels; (void)outputChannels; (void)packed;
}
static void f32_winograd(const eri_f32_image *input, const float *packed, const eri_f32_image *output,
                         const eri_f32_image *residualImage, const eri_f32_epilogue *e, size_t imageBegin,
                         size_t imageEnd, float *scratch) {
  (void)input; (void)packed; (void)output; (void)residualImage; (void)e; (void)imageBegin; (void)imageEnd; (void)scratch;
}
