// What bounds every kernel of this variant from above: multiply-adds of registers alone.

enum { CHAINS = 12 };  // enough independent sums to hide the latency of two units, few enough for 16 registers

static size_t f32_peak(size_t rounds, float *sum) {
  // Read from memory, so that the compiler knows no value; the sums stay finite and normal.
  vf factor = splat(sum[0] * 0 + 0.5f), addend = splat(sum[0] * 0 + 0.25f), chains[CHAINS];
  UNROLL for (int i = 0; i < CHAINS; i++) chains[i] = splat((float)i);
  for (size_t round = 0; round < rounds; round++) {
    UNROLL for (int i = 0; i < CHAINS; i++) chains[i] = FMA(chains[i], factor, addend);
  }
  vf total = splat(0);
  UNROLL for (int i = 0; i < CHAINS; i++) total += chains[i];
  sum[0] = sum_lanes(total);
  return rounds * CHAINS * LANES;
}
