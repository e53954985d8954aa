// A pool of threads that share one counted loop at a time.
//
// A run does not depend on the pool's threads: the caller takes indices like any other and, once none is left, closes
// the run and waits only for those threads that are inside it. A thread that wakes too late finds the run closed and
// goes back to wait.
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64

#include "eri_system.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#define CACHE_LINE 64
// Waking a sleeping thread takes some tens of microseconds; two layers of a network follow each other within this.
#define SPIN_NANOSECONDS 20000
#define THREAD_LIMIT 1024
// musl's default of 128 KiB is little for kernels with tiles on their stack.
#define STACK_BYTES ((size_t)1 << 20)

typedef struct {
  eri_pool *pool;
  size_t index;
  pthread_t thread;
} worker;

struct eri_pool {
  size_t threadCount;
  size_t started;
  bool spins;
  worker *workers;

  // The run. Written by the caller while the run is closed and nobody is inside; read only by threads that are.
  size_t count;
  eri_pool_body body;
  void *context;

  pthread_mutex_t mutex;
  pthread_cond_t wake;
  pthread_cond_t finished;
  bool stops;  // under the mutex

  // Each on its own cache line, as different threads write them at different times.
  // The next index to hand out.
  _Alignas(CACHE_LINE) atomic_size_t next;
  // Twice the number of threads inside, plus 1 while the run is open.
  _Alignas(CACHE_LINE) atomic_size_t state;
  // Counts the runs; threads wait for it to change.
  _Alignas(CACHE_LINE) atomic_uint generation;
  atomic_size_t sleepers;
  atomic_bool callerSleeps;
};

static inline void pause_processor(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) || (defined(__arm__) && __ARM_ARCH >= 7)
  __asm__ volatile("yield" ::: "memory");
#endif
}

size_t eri_processor_count(void) {
  // 8192 processors, Linux's own limit; a smaller set than the kernel's is an error.
  cpu_set_t allowed[8192 / CPU_SETSIZE];
  if (sched_getaffinity(0, sizeof allowed, allowed) == 0) {
    int count = CPU_COUNT_S(sizeof allowed, allowed);
    if (count > 0) return (size_t)count;
  }
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? (size_t)online : 1;
}

static void take_indices(eri_pool *pool, size_t thread) {
  for (;;) {
    size_t index = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
    if (index >= pool->count) return;
    pool->body(pool->context, index, thread);
  }
}

// Waits until the generation differs from `seen`, and returns it; spinning first, then asleep. `*runs` becomes false
// when the pool ends.
static unsigned wait_for_run(eri_pool *pool, unsigned seen, bool *runs) {
  if (pool->spins) {
    uint64_t end = eri_clock_monotonic() + SPIN_NANOSECONDS;
    do {
      for (int i = 0; i < 16; i += 1) {
        unsigned generation = atomic_load_explicit(&pool->generation, memory_order_acquire);
        if (generation != seen) return generation;
        pause_processor();
      }
    } while (eri_clock_monotonic() < end);
  }
  pthread_mutex_lock(&pool->mutex);
  // Counted asleep, then a new generation? The caller asks the other way round: new generation, then anyone asleep? All
  // four accesses are sequentially consistent, so at least one side sees the other.
  atomic_fetch_add(&pool->sleepers, 1);
  unsigned generation;
  while ((generation = atomic_load(&pool->generation)) == seen && !pool->stops) {
    pthread_cond_wait(&pool->wake, &pool->mutex);
  }
  atomic_fetch_sub(&pool->sleepers, 1);
  *runs = !pool->stops;
  pthread_mutex_unlock(&pool->mutex);
  return generation;
}

static void *work(void *argument) {
  worker *self = argument;
  eri_pool *pool = self->pool;
  unsigned seen = 0;
  bool runs = true;
  while (true) {
    seen = wait_for_run(pool, seen, &runs);
    if (!runs) return NULL;
    // Acquire: an open run's fields. Entering and closing are read-modify-writes of one word, so either this thread
    // sees the run closed or the caller sees this thread inside.
    size_t before = atomic_fetch_add_explicit(&pool->state, 2, memory_order_acquire);
    if (before & 1) take_indices(pool, self->index);
    // Release: the results. Sequentially consistent: the caller asks the other way round, asleep, then anyone inside?
    if (atomic_fetch_sub(&pool->state, 2) == 2 && atomic_load(&pool->callerSleeps)) {
      pthread_mutex_lock(&pool->mutex);
      pthread_cond_signal(&pool->finished);
      pthread_mutex_unlock(&pool->mutex);
    }
  }
}

// Waits until no thread is inside the closed run.
static void wait_until_empty(eri_pool *pool) {
  if (pool->spins) {
    uint64_t end = eri_clock_monotonic() + SPIN_NANOSECONDS;
    do {
      for (int i = 0; i < 16; i += 1) {
        if (atomic_load_explicit(&pool->state, memory_order_acquire) == 0) return;
        pause_processor();
      }
    } while (eri_clock_monotonic() < end);
  }
  pthread_mutex_lock(&pool->mutex);
  atomic_store(&pool->callerSleeps, true);
  while (atomic_load(&pool->state) != 0) pthread_cond_wait(&pool->finished, &pool->mutex);
  atomic_store(&pool->callerSleeps, false);
  pthread_mutex_unlock(&pool->mutex);
}

void eri_pool_run(eri_pool *pool, size_t count, eri_pool_body body, void *context) {
  if (pool->threadCount == 1 || count <= 1) {
    for (size_t index = 0; index < count; index += 1) body(context, index, 0);
    return;
  }
  pool->count = count;
  pool->body = body;
  pool->context = context;
  atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
  atomic_fetch_add_explicit(&pool->state, 1, memory_order_release);
  atomic_fetch_add(&pool->generation, 1);
  if (atomic_load(&pool->sleepers) > 0) {
    // One thread per index beyond the caller's own.
    pthread_mutex_lock(&pool->mutex);
    if (count >= pool->threadCount) {
      pthread_cond_broadcast(&pool->wake);
    } else {
      for (size_t i = 1; i < count; i += 1) pthread_cond_signal(&pool->wake);
    }
    pthread_mutex_unlock(&pool->mutex);
  }
  take_indices(pool, 0);
  // Closes the run. Acquire: the results of the threads that have left already.
  if (atomic_fetch_sub_explicit(&pool->state, 1, memory_order_acq_rel) != 1) wait_until_empty(pool);
}

size_t eri_pool_thread_count(const eri_pool *pool) { return pool->threadCount; }

void eri_pool_free(eri_pool *pool) {
  if (pool == NULL) return;
  if (pool->threadCount > 1) {
    pthread_mutex_lock(&pool->mutex);
    pool->stops = true;
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->mutex);
    for (size_t i = 0; i < pool->started; i += 1) pthread_join(pool->workers[i].thread, NULL);
    pthread_cond_destroy(&pool->finished);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->mutex);
  }
  free(pool->workers);
  free(pool);
}

// Starts the threads; false if one could not be made.
static bool start(eri_pool *pool) {
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return false;
  pthread_attr_setstacksize(&attributes, STACK_BYTES);
  // Signals are for the program's own threads, which may count on interrupted calls.
  sigset_t all, previous;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &previous);
  for (size_t i = 0; i + 1 < pool->threadCount; i += 1) {
    pool->workers[i] = (worker){.pool = pool, .index = i + 1};
    if (pthread_create(&pool->workers[i].thread, &attributes, work, &pool->workers[i]) != 0) break;
    pool->started += 1;
  }
  pthread_sigmask(SIG_SETMASK, &previous, NULL);
  pthread_attr_destroy(&attributes);
  return pool->started + 1 == pool->threadCount;
}

eri_pool *eri_pool_create(size_t threadCount) {
  if (threadCount == 0 || threadCount > THREAD_LIMIT) return NULL;
  void *memory;
  if (posix_memalign(&memory, CACHE_LINE, sizeof(eri_pool)) != 0) return NULL;
  eri_pool *pool = memory;
  // A thread that spins where there is no processor for it keeps the one it waits for from running.
  *pool = (eri_pool){.threadCount = threadCount, .spins = threadCount <= eri_processor_count()};
  if (threadCount == 1) return pool;
  pthread_mutex_init(&pool->mutex, NULL);
  pthread_cond_init(&pool->wake, NULL);
  pthread_cond_init(&pool->finished, NULL);
  pool->workers = calloc(threadCount - 1, sizeof(worker));
  if (pool->workers != NULL && start(pool)) return pool;
  eri_pool_free(pool);
  return NULL;
}
