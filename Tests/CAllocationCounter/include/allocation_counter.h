// Counts this process's heap allocations: the definitions of malloc and its kin here take the place of libc's.
#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H
#include <stdint.h>
/// Allocations of the calling thread so far.
uint64_t allocation_count(void);
#endif
