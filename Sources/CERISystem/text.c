// Shortest round-trip decimals by the free-format algorithm of Burger and Dybvig, "Printing Floating-Point Numbers
// Quickly and Accurately" (PLDI 1996), in exact integers. Unlike printf it knows no locale and needs no second try.
#include "eri_system.h"

#include <math.h>
#include <string.h>

// The largest integers are 2^53 · 10^325 (subnormal numerators) and 2^1077 (their denominator), below 2^1152.
#define WORDS 37

// A non-negative integer: little-endian words, the highest of them not zero.
typedef struct {
  size_t count;
  uint32_t words[WORDS];
} integer;

static void set(integer *a, uint64_t value) {
  a->count = 0;
  for (; value != 0; value >>= 32) a->words[a->count++] = (uint32_t)value;
}

static void multiply(integer *a, uint32_t factor) {
  uint64_t carry = 0;
  for (size_t i = 0; i < a->count; i += 1) {
    carry += (uint64_t)a->words[i] * factor;
    a->words[i] = (uint32_t)carry;
    carry >>= 32;
  }
  if (carry != 0) a->words[a->count++] = (uint32_t)carry;
}

static void multiply_power_of_ten(integer *a, int exponent) {
  for (; exponent >= 9; exponent -= 9) multiply(a, 1000000000u);
  for (; exponent > 0; exponent -= 1) multiply(a, 10);
}

static void shift_left(integer *a, unsigned bits) {
  size_t words = bits / 32;
  if (a->count == 0) return;
  memmove(a->words + words, a->words, a->count * sizeof a->words[0]);
  memset(a->words, 0, words * sizeof a->words[0]);
  a->count += words;
  multiply(a, (uint32_t)1 << bits % 32);
}

static int compare(const integer *a, const integer *b) {
  if (a->count != b->count) return a->count < b->count ? -1 : 1;
  for (size_t i = a->count; i-- > 0;) {
    if (a->words[i] != b->words[i]) return a->words[i] < b->words[i] ? -1 : 1;
  }
  return 0;
}

static void add(integer *a, const integer *b) {
  uint64_t carry = 0;
  for (size_t i = 0; i < b->count || (carry != 0 && i < a->count); i += 1) {
    if (i == a->count) a->words[a->count++] = 0;
    carry += (uint64_t)a->words[i] + (i < b->count ? b->words[i] : 0);
    a->words[i] = (uint32_t)carry;
    carry >>= 32;
  }
  if (carry != 0) a->words[a->count++] = (uint32_t)carry;
}

// a -= b, where a >= b.
static void subtract(integer *a, const integer *b) {
  int64_t borrow = 0;
  for (size_t i = 0; i < a->count; i += 1) {
    borrow += (int64_t)a->words[i] - (i < b->count ? b->words[i] : 0);
    a->words[i] = (uint32_t)borrow;
    borrow >>= 32;
  }
  while (a->count > 0 && a->words[a->count - 1] == 0) a->count -= 1;
}

// Compares a + b with c.
static int compare_sum(const integer *a, const integer *b, const integer *c) {
  integer sum = *a;
  add(&sum, b);
  return compare(&sum, c);
}

// The shortest digits of fraction · 2^exponent (fraction not zero), the closest to it of that length; the value is
// 0.D1D2D3… · 10^*point. `uneven`: the next number below is half as far away as the one above.
static size_t shortest_digits(uint64_t fraction, int exponent, bool uneven, char digits[20], int *point) {
  // The value is numerator / denominator; the numbers that round to it reach from it by above and below / denominator.
  integer numerator, denominator, above, below;
  unsigned margin = uneven ? 2 : 1;
  set(&numerator, fraction);
  set(&denominator, 1);
  set(&above, 1);
  set(&below, 1);
  shift_left(&numerator, (exponent > 0 ? (unsigned)exponent : 0) + margin);
  shift_left(&denominator, (exponent < 0 ? (unsigned)-exponent : 0) + margin);
  shift_left(&above, (exponent > 0 ? (unsigned)exponent : 0) + margin - 1);
  shift_left(&below, exponent > 0 ? (unsigned)exponent : 0);
  // Readers round ties to even, so the interval's ends belong to an even fraction.
  int tie = fraction % 2 == 0 ? 0 : 1;

  // An estimate of the decimal exponent from the binary one: exact or one too small.
  int bits = 0;
  while (bits < 64 && fraction >> bits != 0) bits += 1;
  double estimate = (exponent + bits - 1) * 0.30102999566398120 - 1e-10;
  int scale = (int)estimate + (estimate > 0 && (double)(int)estimate < estimate ? 1 : 0);
  if (scale >= 0) {
    multiply_power_of_ten(&denominator, scale);
  } else {
    multiply_power_of_ten(&numerator, -scale);
    multiply_power_of_ten(&above, -scale);
    multiply_power_of_ten(&below, -scale);
  }
  if (compare_sum(&numerator, &above, &denominator) >= tie) {
    scale += 1;
  } else {
    multiply(&numerator, 10);
    multiply(&above, 10);
    multiply(&below, 10);
  }
  *point = scale;

  for (size_t count = 0;;) {
    int digit = 0;
    while (compare(&numerator, &denominator) >= 0) {
      subtract(&numerator, &denominator);
      digit += 1;
    }
    bool low = compare(&numerator, &below) < 1 - tie;
    bool high = compare_sum(&numerator, &above, &denominator) >= tie;
    if (low || high) {
      // Both the digit and the next one up read back as the value: the closer one, of two as close the even one.
      int half = compare_sum(&numerator, &numerator, &denominator);
      bool up = low && high ? half > 0 || (half == 0 && digit % 2 != 0) : high;
      digits[count++] = (char)('0' + digit + (up ? 1 : 0));
      return count;
    }
    digits[count++] = (char)('0' + digit);
    multiply(&numerator, 10);
    multiply(&above, 10);
    multiply(&below, 10);
  }
}

// Places the point: fixed notation from 1e-4 to below 1e16, else an exponent of at least two digits.
static size_t place_point(const char *digits, size_t count, int point, char *out) {
  char *next = out;
  if (point > 16 || point < -3) {
    *next++ = digits[0];
    if (count > 1) {
      *next++ = '.';
      memcpy(next, digits + 1, count - 1);
      next += count - 1;
    }
    int exponent = point - 1;
    *next++ = 'e';
    *next++ = exponent < 0 ? '-' : '+';
    if (exponent < 0) exponent = -exponent;
    if (exponent >= 100) *next++ = (char)('0' + exponent / 100);
    *next++ = (char)('0' + exponent / 10 % 10);
    *next++ = (char)('0' + exponent % 10);
    return (size_t)(next - out);
  }
  if (point <= 0) {
    *next++ = '0';
    *next++ = '.';
    for (; point < 0; point += 1) *next++ = '0';
    memcpy(next, digits, count);
    return (size_t)(next - out) + count;
  }
  for (size_t i = 0; i < (size_t)point; i += 1) *next++ = i < count ? digits[i] : '0';
  *next++ = '.';
  if (count <= (size_t)point) {
    *next++ = '0';
    return (size_t)(next - out);
  }
  memcpy(next, digits + point, count - (size_t)point);
  return (size_t)(next - out) + count - (size_t)point;
}

static size_t copy(char *out, const char *text) {
  size_t length = strlen(text);
  memcpy(out, text, length);
  return length;
}

// Formats an IEEE 754 number by its parts: sign, fraction field, exponent field, bits of precision, and the binary
// exponent of the smallest positive value.
static size_t format(bool negative, uint64_t field, int biased, int precision, int lowest, char out[32]) {
  size_t sign = negative ? 1 : 0;
  if (negative) out[0] = '-';
  if (field == 0 && biased == 0) return sign + copy(out + sign, "0.0");
  uint64_t hidden = (uint64_t)1 << (precision - 1);
  uint64_t fraction = biased == 0 ? field : field | hidden;
  int exponent = lowest + (biased == 0 ? 0 : biased - 1);
  char digits[20];
  int point;
  size_t count = shortest_digits(fraction, exponent, biased > 1 && field == 0, digits, &point);
  return sign + place_point(digits, count, point, out + sign);
}

size_t eri_format_double(double value, char out[32]) {
  if (!isfinite(value)) return copy(out, "null");
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return format(bits >> 63 != 0, bits & 0xfffffffffffffu, (int)(bits >> 52 & 0x7ff), 53, -1074, out);
}

size_t eri_format_float(float value, char out[32]) {
  if (!isfinite(value)) return copy(out, "null");
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return format(bits >> 31 != 0, bits & 0x7fffffu, (int)(bits >> 23 & 0xff), 24, -149, out);
}
