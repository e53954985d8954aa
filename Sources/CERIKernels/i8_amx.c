// AMX: AVX-512 with VNNI whose products of whole blocks of rows are done in tiles.
#define ERI_I8_AMX
#include "i8_avx512vnni.c"
