#ifndef ERI_CAVFORMAT_SHIM_H
#define ERI_CAVFORMAT_SHIM_H

#include <dlfcn.h>
#include <libavcodec/avcodec.h>
#include <libavdevice/avdevice.h>
#include <libavformat/avformat.h>
#include <libavutil/avutil.h>
#include <libavutil/channel_layout.h>
#include <libavutil/display.h>
#include <libavutil/error.h>
#include <libavutil/imgutils.h>
#include <libavutil/opt.h>
#include <libavutil/samplefmt.h>
#include <libswresample/swresample.h>
#include <libswscale/swscale.h>

// Swift does not import these macros: they cast or are compound literals.

/// AVERROR_EOF: the end of a file or of a decoder's output.
static inline int eri_av_error_eof(void) { return AVERROR_EOF; }
/// AVERROR(EAGAIN): the decoder wants another packet first.
static inline int eri_av_error_again(void) { return AVERROR(EAGAIN); }
/// AVERROR(ENOMEM).
static inline int eri_av_error_memory(void) { return AVERROR(ENOMEM); }
/// AVERROR_INVALIDDATA: the bytes are not what the container or codec prescribes.
static inline int eri_av_error_invalid_data(void) { return AVERROR_INVALIDDATA; }
/// AV_NOPTS_VALUE: a time that is not known.
static inline int64_t eri_av_no_timestamp(void) { return AV_NOPTS_VALUE; }

static inline void eri_alsa_ignore(const char *file, int line, const char *function, int error, const char *format, ...) {
  (void)file, (void)line, (void)function, (void)error, (void)format;
}

/// Keeps ALSA, where libavdevice brings it, from printing its own lines about a device that it cannot open.
static inline void eri_alsa_quiet(void) {
  typedef void (*handler)(const char *, int, const char *, int, const char *, ...);
  void *program = dlopen(NULL, RTLD_LAZY);
  if (program == NULL) return;
  int (*set)(handler) = (int (*)(handler))dlsym(program, "snd_lib_error_set_handler");
  if (set != NULL) set(eri_alsa_ignore);
  dlclose(program);
}

#endif
