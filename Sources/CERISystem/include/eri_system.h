// What the Embedded-clean Swift targets need of libc: files, memory, threads, clock, digests, libm.
// Every function returns 0 or a non-negative value on success and a negative errno on failure, unless said otherwise.
#ifndef ERI_SYSTEM_H
#define ERI_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// --- Files (files.c) -------------------------------------------------------------------------------------------

/// Opens a regular file for reading. Returns the descriptor, or a negative errno (-EISDIR for a directory, -ENOTSUP for
/// what is neither: a pipe, a socket, a device).
int eri_file_open_read(const char *path);
/// Opens a regular file by a path relative to `folder` that leads nowhere else: -EPERM for an absolute path or one with an
/// empty, `.` or `..` component, -ELOOP where a component is a symbolic link; otherwise as eri_file_open_read.
int eri_file_open_read_inside(const char *folder, const char *path);
/// Size in bytes of an open regular file, or a negative errno (as eri_file_open_read's for anything else).
int64_t eri_file_size(int fd);
/// Reads exactly `count` bytes at `offset`. Returns 0, a negative errno, or -ENODATA if the file ends before.
int eri_file_read_at(int fd, void *buffer, size_t count, uint64_t offset);
/// Maps a file's first `count` bytes read-only: its size, for the whole file. Returns NULL on failure with `*error` set
/// to an errno: EINVAL for no bytes at all, ENODATA if the file is shorter. A file that another process shortens later
/// raises SIGBUS when read.
const void *eri_file_map(int fd, size_t count, int *error);
void eri_file_unmap(const void *address, size_t count);
/// Tells the kernel that this process no longer needs the mapped pages in the range, which must lie in a map of
/// eri_file_map. They leave its resident set; reading them again reads the file again.
void eri_file_discard(const void *address, size_t count);
void eri_file_close(int fd);

/// A file being written: a temporary file in the destination's folder that replaces the destination as a whole, or not
/// at all.
typedef struct eri_writer eri_writer;
/// Creates the temporary file `.NAME.XXXXXX` beside `path`. It gets the permissions of the file that it will replace,
/// or those of any new file under the umask. If `path` is a symbolic link, what it points to is replaced. Returns NULL
/// with `*error` set to an errno (EISDIR for a folder, ENOTSUP for a device, pipe or socket).
eri_writer *eri_writer_create(const char *path, int *error);
/// Appends bytes. Returns 0 or a negative errno; after a failure the writer refuses everything, committing too, with
/// that errno.
int eri_writer_append(eri_writer *writer, const void *bytes, size_t count);
/// Overwrites bytes appended earlier. Returns 0 or a negative errno (-EINVAL if the range was not appended yet), and
/// fails as append.
int eri_writer_overwrite(eri_writer *writer, const void *bytes, size_t count, uint64_t offset);
/// fsync, rename over the destination, fsync of the folder; frees the writer in every case. Returns 0 or a negative
/// errno. On failure the temporary file is removed and the old content stays, but if only the folder's fsync fails the
/// new content is in place and may not outlast a loss of power.
int eri_writer_commit(eri_writer *writer);
/// Removes the temporary file and frees the writer, which may be NULL.
void eri_writer_abandon(eri_writer *writer);

/// Creates a folder and its missing parents. Returns 0 or a negative errno.
int eri_folder_create(const char *path);
/// Writes to descriptor 1 or 2. Returns 0 or a negative errno.
int eri_write_descriptor(int fd, const void *bytes, size_t count);
/// The message of an errno of either sign, a static string.
const char *eri_error_message(int error);
/// The value of an environment variable, or NULL.
const char *eri_environment(const char *name);

/// Ends the process with this exit code.
_Noreturn void eri_exit(int status);

// --- Memory (memory.c) -----------------------------------------------------------------------------------------

/// Zeroed memory aligned to 64 bytes, or NULL; freed by eri_memory_free. From 256 KiB on freeing it lowers the resident set
/// at once.
void *eri_memory_allocate(size_t byteCount);
void eri_memory_free(void *address);
/// Brings in the pages of a range that is going to be written all over, which costs less at once than page by page.
void eri_memory_populate(void *address, size_t byteCount);
/// Peak resident set of this process in bytes (VmHWM), or 0 where unknown.
uint64_t eri_memory_peak_resident(void);

// --- Byte planes (planes.c) ------------------------------------------------------------------------------------

/// Takes the elements that lie as planes, all first bytes before all second bytes and so on, back together:
/// target[index * elementBytes + plane] = planes[plane * count + index]. The two must not overlap.
void eri_planes_join(const uint8_t *planes, size_t count, size_t elementBytes, uint8_t *target);

// --- Clock (clock.c) -------------------------------------------------------------------------------------------

/// Monotonic time in nanoseconds.
uint64_t eri_clock_monotonic(void);
/// Seconds since 1970-01-01 UTC.
int64_t eri_clock_wall(void);

// --- Threads (threads.c) ---------------------------------------------------------------------------------------

/// A pool of `threadCount - 1` threads; the caller is the remaining one.
typedef struct eri_pool eri_pool;
/// Runs work item `index` on pool thread `thread` (0 is the caller).
typedef void (*eri_pool_body)(void *context, size_t index, size_t thread);
/// Returns NULL if the threads cannot be made, or `threadCount` is 0 or above 1024. A pool of 1 makes none. The threads
/// block all signals and have 1 MiB of stack.
eri_pool *eri_pool_create(size_t threadCount);
size_t eri_pool_thread_count(const eri_pool *pool);
/// Calls `body` once for every index in 0..<count, handing indices out dynamically; returns when all are done. What the
/// bodies wrote is visible to the caller then. No allocation. Takes no lock when the pool has one thread. Waiting
/// threads spin for some microseconds, then sleep; with more threads than processors they sleep at once. One run at a
/// time: never from within a body, nor from two threads.
void eri_pool_run(eri_pool *pool, size_t count, eri_pool_body body, void *context);
/// Ends the threads and frees the pool, which may be NULL; not while it runs.
void eri_pool_free(eri_pool *pool);
/// Number of processors this process may run on, at least 1.
size_t eri_processor_count(void);

// --- Digests (digests.c), with the processor's instructions where there are ------------------------------------

typedef struct { uint32_t state[8]; uint64_t byteCount; uint8_t block[64]; uint32_t blockCount; } eri_sha256;
void eri_sha256_init(eri_sha256 *digest);
void eri_sha256_update(eri_sha256 *digest, const void *bytes, size_t count);
void eri_sha256_final(eri_sha256 *digest, uint8_t out[32]);
/// CRC32C (Castagnoli), reflected, initial and final inversion; `crc` is 0 or an earlier result to continue.
uint32_t eri_crc32c(uint32_t crc, const void *bytes, size_t count);
/// Number of implementations of each, 0 being portable C, and the digest by one of them: false if this processor lacks
/// it.
size_t eri_sha256_variant_count(void);
bool eri_sha256_variant(size_t variant, const void *bytes, size_t count, uint8_t out[32]);
size_t eri_crc32c_variant_count(void);
bool eri_crc32c_variant(size_t variant, const void *bytes, size_t count, uint32_t *out);

// --- libm (math.c) ---------------------------------------------------------------------------------------------

double eri_sqrt(double x);
double eri_exp(double x);
double eri_log(double x);
double eri_log10(double x);
double eri_pow(double x, double y);
double eri_sin(double x);
double eri_cos(double x);
double eri_tanh(double x);
double eri_erf(double x);
double eri_floor(double x);
double eri_tan(double x);
double eri_asin(double x);
double eri_acos(double x);
double eri_atan(double x);
double eri_sinh(double x);
double eri_cosh(double x);
double eri_asinh(double x);
double eri_acosh(double x);
double eri_atanh(double x);
double eri_log1p(double x);
double eri_fmod(double x, double y);
float eri_logf(float x);
float eri_powf(float x, float y);

// --- Text (text.c) ---------------------------------------------------------------------------------------------

/// The shortest decimal text that reads back as the same value (the closest such text), as JSON allows it: "3.0",
/// "0.1", "-0.0"; below 1e-4 and from 1e16 on with an exponent, "1e-07"; "null" for NaN or infinity. The same in every
/// locale. Returns the number of bytes written (no terminator), at most 32.
size_t eri_format_double(double value, char out[32]);
size_t eri_format_float(float value, char out[32]);

#ifdef __cplusplus
}
#endif
#endif
