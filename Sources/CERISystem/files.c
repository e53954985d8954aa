// Files: positioned reads, read-only maps, whole-file replacement, folders.
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64

#include "eri_system.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

// One read or write call moves at most this much: Linux caps a call just below 2 GiB, and ssize_t may have 32 bits.
#define CALL_LIMIT ((size_t)1 << 30)
#define TEMPORARY_ATTEMPTS 1000

// Only regular files can be mapped, sized and replaced as a whole.
static int require_regular(const struct stat *status) {
  if (S_ISREG(status->st_mode)) return 0;
  return S_ISDIR(status->st_mode) ? -EISDIR : -ENOTSUP;
}

static int open_retrying(int folder, const char *path, int flags, mode_t mode) {
  int fd;
  do fd = openat(folder, path, flags | O_CLOEXEC, mode);
  while (fd < 0 && errno == EINTR);
  return fd < 0 ? -errno : fd;
}

int eri_file_open_read(const char *path) {
  // O_NONBLOCK: opening a FIFO without a writer must not wait. It changes nothing for a regular file.
  int fd = open_retrying(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
  if (fd < 0) return fd;
  struct stat status;
  int result = fstat(fd, &status) != 0 ? -errno : require_regular(&status);
  if (result == 0) return fd;
  eri_file_close(fd);
  return result;
}

int eri_file_open_read_inside(const char *folder, const char *path) {
  char *rest = strdup(path);
  if (rest == NULL) return -ENOMEM;
  // One component at a time: no check of the path as text could see a link that appears meanwhile.
  int result = open_retrying(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY, 0);
  for (char *name = rest; name != NULL && result >= 0;) {
    char *slash = strchr(name, '/');
    if (slash != NULL) *slash = 0;
    int parent = result;
    bool leaves = *name == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
    int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | (slash != NULL ? O_DIRECTORY : 0);
    result = leaves ? -EPERM : open_retrying(parent, name, flags, 0);
    // With O_DIRECTORY a link is reported as no folder.
    struct stat status;
    if (result == -ENOTDIR && fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode)) {
      result = -ELOOP;
    }
    eri_file_close(parent);
    name = slash != NULL ? slash + 1 : NULL;
  }
  free(rest);
  if (result < 0) return result;
  struct stat status;
  int kind = fstat(result, &status) != 0 ? -errno : require_regular(&status);
  if (kind == 0) return result;
  eri_file_close(result);
  return kind;
}

int64_t eri_file_size(int fd) {
  struct stat status;
  if (fstat(fd, &status) != 0) return -errno;
  int result = require_regular(&status);
  return result != 0 ? result : (int64_t)status.st_size;
}

int eri_file_read_at(int fd, void *buffer, size_t count, uint64_t offset) {
  // No file reaches past INT64_MAX, and pread would take such an offset as negative.
  if (offset > INT64_MAX || count > (uint64_t)INT64_MAX - offset) return -ENODATA;
  uint8_t *next = buffer;
  while (count > 0) {
    ssize_t got = pread(fd, next, count < CALL_LIMIT ? count : CALL_LIMIT, (off_t)offset);
    if (got < 0) {
      if (errno == EINTR) continue;
      return -errno;
    }
    if (got == 0) return -ENODATA;
    next += got;
    offset += (uint64_t)got;
    count -= (size_t)got;
  }
  return 0;
}

const void *eri_file_map(int fd, size_t count, int *error) {
  int64_t size = eri_file_size(fd);
  if (size < 0) {
    *error = (int)-size;
    return NULL;
  }
  if (count == 0) {
    *error = EINVAL;
    return NULL;
  }
  // Pages past the end of the file would raise SIGBUS when read.
  if ((uint64_t)size < count) {
    *error = ENODATA;
    return NULL;
  }
  void *address = mmap(NULL, count, PROT_READ, MAP_PRIVATE, fd, 0);
  if (address == MAP_FAILED) {
    *error = errno;
    return NULL;
  }
  *error = 0;
  return address;
}

void eri_file_unmap(const void *address, size_t count) {
  if (address != NULL) munmap((void *)(uintptr_t)address, count);
}

void eri_file_discard(const void *address, size_t count) {
  if (count == 0) return;
  // The kernel wants a page's start; what else lies on that page comes back from the file when it is read again.
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  uintptr_t begin = (uintptr_t)address & ~(page - 1);
  madvise((void *)begin, (uintptr_t)address + count - begin, MADV_DONTNEED);
}

void eri_file_close(int fd) {
  // Linux frees the descriptor even when close reports EINTR, so a retry could close another thread's.
  if (fd >= 0) close(fd);
}

// --- Writer ----------------------------------------------------------------------------------------------------

struct eri_writer {
  int folder;       // descriptor of the destination's folder: a later chdir or renamed parent changes nothing
  int file;         // the temporary file
  int error;        // the first failure of append or overwrite, negative; such a writer never commits
  uint64_t size;    // bytes appended
  char *name;       // the destination's name in its folder
  char *temporary;  // the temporary file's name in its folder
};

static void writer_free(eri_writer *writer) {
  if (writer == NULL) return;
  eri_file_close(writer->file);
  eri_file_close(writer->folder);
  free(writer->name);
  free(writer->temporary);
  free(writer);
}

// The file that `path` leads to, so that a symbolic link stays one and its target is replaced; in memory of malloc.
static char *resolve_link(const char *path, int *error) {
  struct stat status;
  bool isLink = lstat(path, &status) == 0 && S_ISLNK(status.st_mode);
  char *resolved = isLink ? realpath(path, NULL) : strdup(path);
  if (resolved == NULL) *error = errno;
  return resolved;
}

// Splits `path` in place: opens its folder and returns where its name begins; NULL with `*error` set.
static const char *open_folder(char *path, int *folder, int *error) {
  char *slash = strrchr(path, '/');
  const char *name = slash == NULL ? path : slash + 1;
  if (*name == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
    *error = *path == 0 ? ENOENT : EISDIR;
    return NULL;
  }
  const char *folderPath = slash == NULL ? "." : slash == path ? "/" : path;
  if (slash != NULL) *slash = 0;
  *folder = open_retrying(AT_FDCWD, folderPath, O_RDONLY | O_DIRECTORY, 0);
  if (*folder >= 0) return name;
  *error = -*folder;
  return NULL;
}

// Makes `.NAME.XXXXXX` in the folder. Unlike mkstemp's 0600, the mode is what open gives any new file under the umask.
static int create_temporary(eri_writer *writer, mode_t mode) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  size_t length = strlen(writer->name);
  // Dot, name, dot and six letters have to fit a folder entry.
  if (length > NAME_MAX - 8) length = NAME_MAX - 8;
  writer->temporary = malloc(length + 9);
  if (writer->temporary == NULL) return -ENOMEM;
  writer->temporary[0] = '.';
  memcpy(writer->temporary + 1, writer->name, length);
  char *suffix = writer->temporary + 1 + length;
  suffix[0] = '.';
  suffix[7] = 0;

  // Uniqueness comes from O_EXCL; the seed only makes a second attempt unlikely.
  uint64_t seed = eri_clock_monotonic() ^ ((uint64_t)getpid() << 32) ^ (uint64_t)(uintptr_t)writer;
  for (int attempt = 0; attempt < TEMPORARY_ATTEMPTS; attempt += 1) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    uint64_t bits = seed >> 16;
    for (int i = 1; i <= 6; i += 1) {
      suffix[i] = letters[bits % 62];
      bits /= 62;
    }
    int fd = open_retrying(writer->folder, writer->temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
    if (fd != -EEXIST) {
      writer->file = fd < 0 ? -1 : fd;
      return fd < 0 ? fd : 0;
    }
  }
  return -EEXIST;
}

static void remove_temporary(eri_writer *writer) { unlinkat(writer->folder, writer->temporary, 0); }

// Fills a new writer; what it opened is freed by writer_free in any case.
static int writer_open(eri_writer *writer, char *path) {
  int error = 0;
  const char *name = open_folder(path, &writer->folder, &error);
  if (name == NULL) return -error;
  writer->name = strdup(name);
  if (writer->name == NULL) return -ENOMEM;

  struct stat old;
  bool replaces = fstatat(writer->folder, name, &old, AT_SYMLINK_NOFOLLOW) == 0;
  if (!replaces && errno != ENOENT) return -errno;
  if (replaces) {
    // A rename would put a plain file in the place of a device such as /dev/null.
    int result = require_regular(&old);
    if (result != 0) return result;
  }
  // Nobody else may open the temporary file of a private one before its mode is set.
  int result = create_temporary(writer, replaces ? 0600 : 0666);
  if (result != 0) return result;
  // A file that is replaced keeps its permissions (not set-uid and the like, which a new owner must not inherit).
  if (replaces && fchmod(writer->file, old.st_mode & 0777) != 0) {
    result = -errno;
    remove_temporary(writer);
  }
  return result;
}

eri_writer *eri_writer_create(const char *path, int *error) {
  char *resolved = resolve_link(path, error);
  if (resolved == NULL) return NULL;
  eri_writer *writer = calloc(1, sizeof(eri_writer));
  int result = -ENOMEM;
  if (writer != NULL) {
    writer->folder = -1;
    writer->file = -1;
    result = writer_open(writer, resolved);
  }
  free(resolved);
  *error = -result;
  if (result == 0) return writer;
  writer_free(writer);
  return NULL;
}

// Writes at `offset`, whatever the descriptor's position.
static int write_at(int fd, const uint8_t *next, size_t count, uint64_t offset) {
  if (offset > INT64_MAX || count > (uint64_t)INT64_MAX - offset) return -EFBIG;
  while (count > 0) {
    ssize_t put = pwrite(fd, next, count < CALL_LIMIT ? count : CALL_LIMIT, (off_t)offset);
    if (put < 0) {
      if (errno == EINTR) continue;
      return -errno;
    }
    if (put == 0) return -EIO;
    next += put;
    offset += (uint64_t)put;
    count -= (size_t)put;
  }
  return 0;
}

int eri_writer_append(eri_writer *writer, const void *bytes, size_t count) {
  if (writer->error != 0) return writer->error;
  writer->error = write_at(writer->file, bytes, count, writer->size);
  if (writer->error == 0) writer->size += count;
  return writer->error;
}

int eri_writer_overwrite(eri_writer *writer, const void *bytes, size_t count, uint64_t offset) {
  if (writer->error != 0) return writer->error;
  bool inside = offset <= writer->size && count <= writer->size - offset;
  writer->error = inside ? write_at(writer->file, bytes, count, offset) : -EINVAL;
  return writer->error;
}

static int sync_retrying(int fd) {
  int result;
  do result = fsync(fd);
  while (result != 0 && errno == EINTR);
  return result != 0 ? -errno : 0;
}

int eri_writer_commit(eri_writer *writer) {
  int result = writer->error;
  // The bytes have to be on the disk before the name points at them.
  if (result == 0) result = sync_retrying(writer->file);
  if (result == 0) {
    // Network file systems may report a failed write only here. EINTR is none: the bytes were synced.
    int closed = close(writer->file);
    writer->file = -1;
    if (closed != 0 && errno != EINTR) result = -errno;
  }
  if (result == 0 && renameat(writer->folder, writer->temporary, writer->folder, writer->name) != 0) result = -errno;
  if (result != 0) {
    remove_temporary(writer);
  } else {
    result = sync_retrying(writer->folder);
    // Some file systems have no fsync for folders and keep the order of renames by themselves.
    if (result == -EINVAL || result == -ENOTSUP) result = 0;
  }
  writer_free(writer);
  return result;
}

void eri_writer_abandon(eri_writer *writer) {
  if (writer == NULL) return;
  remove_temporary(writer);
  writer_free(writer);
}

// --- Folders, descriptors, environment -------------------------------------------------------------------------

static int make_folder(const char *path) {
  if (mkdir(path, 0777) == 0) return 0;
  int error = errno;
  // A folder that is there already may answer EEXIST, EACCES or EROFS.
  struct stat status;
  if (stat(path, &status) != 0) return -error;
  return S_ISDIR(status.st_mode) ? 0 : -ENOTDIR;
}

int eri_folder_create(const char *path) {
  if (*path == 0) return -ENOENT;
  char *prefix = strdup(path);
  if (prefix == NULL) return -ENOMEM;
  int result = 0;
  for (char *end = prefix + 1; result == 0 && *end != 0; end += 1) {
    if (*end != '/') continue;
    *end = 0;
    result = make_folder(prefix);
    *end = '/';
  }
  if (result == 0) result = make_folder(prefix);
  free(prefix);
  return result;
}

int eri_write_descriptor(int fd, const void *bytes, size_t count) {
  const uint8_t *next = bytes;
  while (count > 0) {
    ssize_t put = write(fd, next, count < CALL_LIMIT ? count : CALL_LIMIT);
    if (put < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN) {
        // Whoever started this process may have left a terminal or pipe non-blocking.
        struct pollfd ready = {.fd = fd, .events = POLLOUT};
        if (poll(&ready, 1, -1) < 0 && errno != EINTR) return -errno;
        continue;
      }
      return -errno;
    }
    if (put == 0) return -EIO;
    next += put;
    count -= (size_t)put;
  }
  return 0;
}

const char *eri_error_message(int error) {
#ifdef __GLIBC__
  // glibc's strerror keeps one buffer for numbers that it does not know, and another thread may rewrite it.
  const char *message = strerrordesc_np(error < 0 ? -error : error);
  return message != NULL ? message : "Unknown error";
#else
  return strerror(error < 0 ? -error : error);
#endif
}

const char *eri_environment(const char *name) { return getenv(name); }

void eri_exit(int status) { exit(status); }
