// Memory: aligned zeroed blocks and the process's peak resident set.
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64

#include "eri_system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ALIGNMENT ((size_t)64)

// calloc knows which pages come zeroed from the kernel: a large block costs no memory before it is used, unlike after
// posix_memalign and memset. The address that calloc gave stands right before the aligned one.
void *eri_memory_allocate(size_t byteCount) {
  size_t extra = ALIGNMENT + sizeof(void *);
  if (byteCount > SIZE_MAX - extra) return NULL;
  uint8_t *block = calloc(1, byteCount + extra);
  if (block == NULL) return NULL;
  uintptr_t first = (uintptr_t)block + sizeof(void *);
  uint8_t *aligned = block + (((first + ALIGNMENT - 1) & ~(uintptr_t)(ALIGNMENT - 1)) - (uintptr_t)block);
  memcpy(aligned - sizeof(void *), &block, sizeof(void *));
  return aligned;
}

void eri_memory_free(void *address) {
  if (address == NULL) return;
  void *block;
  memcpy(&block, (uint8_t *)address - sizeof(void *), sizeof(void *));
  free(block);
}

// Not getrusage: its maximum also counts what the process was before exec.
uint64_t eri_memory_peak_resident(void) {
  int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  char text[8192];
  size_t length = 0;
  while (length < sizeof text - 1) {
    ssize_t got = read(fd, text + length, sizeof text - 1 - length);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    length += (size_t)got;
  }
  close(fd);
  text[length] = 0;
  const char *field = strstr(text, "\nVmHWM:");
  if (field == NULL) return 0;
  // "VmHWM:", white space, digits, " kB".
  const char *digit = field + 7;
  while (*digit == ' ' || *digit == '\t') digit += 1;
  uint64_t kibibytes = 0;
  for (; *digit >= '0' && *digit <= '9'; digit += 1) kibibytes = kibibytes * 10 + (uint64_t)(*digit - '0');
  return kibibytes * 1024;
}
