// Memory: aligned zeroed blocks and the process's peak resident set.
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64

#include "eri_system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ALIGNMENT ((size_t)64)
// From here on a block is a mapping of its own, so that freeing it gives its pages back at once, whatever libc's malloc
// keeps for later.
#define MAPPED_BYTES ((size_t)256 << 10)

// Stands right before the aligned address.
typedef struct {
  void *block;
  size_t mappedBytes;  // 0: from calloc
} block_header;

static void *map_pages(size_t byteCount) {
  void *block = mmap(NULL, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return block == MAP_FAILED ? NULL : block;
}

// Both calloc and mmap know that pages come zeroed from the kernel: a large block costs no memory before it is used,
// unlike after posix_memalign and memset.
void *eri_memory_allocate(size_t byteCount) {
  size_t extra = ALIGNMENT + sizeof(block_header);
  if (byteCount > SIZE_MAX - extra) return NULL;
  block_header header = {.mappedBytes = byteCount >= MAPPED_BYTES ? byteCount + extra : 0};
  header.block = header.mappedBytes > 0 ? map_pages(header.mappedBytes) : calloc(1, byteCount + extra);
  if (header.block == NULL) return NULL;
  uintptr_t first = (uintptr_t)header.block + sizeof header;
  size_t offset = ((first + ALIGNMENT - 1) & ~(uintptr_t)(ALIGNMENT - 1)) - (uintptr_t)header.block;
  uint8_t *aligned = (uint8_t *)header.block + offset;
  memcpy(aligned - sizeof header, &header, sizeof header);
  return aligned;
}

void eri_memory_free(void *address) {
  if (address == NULL) return;
  block_header header;
  memcpy(&header, (uint8_t *)address - sizeof header, sizeof header);
  if (header.mappedBytes > 0) {
    munmap(header.block, header.mappedBytes);
  } else {
    free(header.block);
  }
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
