// The AVX-VNNI variant of the 8-bit kernels with AVX-512's encoding of its two instructions: lets a processor that has only the latter
// test the source of the former.
#ifndef INT8_NARROW_H
#define INT8_NARROW_H
#include <eri_int8.h>
/// NULL if this processor lacks the instructions.
const eri_i8_kernels *int8_narrow(void);
#endif
