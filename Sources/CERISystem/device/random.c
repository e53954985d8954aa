// Embedded Swift seeds its hashing from arc4random_buf, which musl lacks.
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>

void arc4random_buf(void *buffer, size_t count);

void arc4random_buf(void *buffer, size_t count) {
  uint8_t *next = buffer;
  while (count > 0) {
    ssize_t got = getrandom(next, count, 0);
    if (got < 0 && errno == EINTR) continue;
    // The function cannot report a failure, and a guessable seed would be a silent one.
    if (got <= 0) abort();
    next += got;
    count -= (size_t)got;
  }
}
