// dlib once more, for AVX2 and FMA: 1.3 to 1.5 times as fast.
//
// Two copies of dlib's inline functions in one program would break the one-definition rule: the linker keeps one of
// them, and a processor without AVX2 could meet the wrong one. So this copy lives in a namespace of another name, and
// only what stands between the two attribute pragmas is compiled for AVX2. Everything else that dlib includes must
// therefore be included before, or its inline functions would be compiled for AVX2 under names that others share.
#include "face_scan.hpp"

#if defined(__x86_64__)
#include <assert.h>
#include <cpuid.h>
#include <errno.h>
#include <immintrin.h>
#include <pthread.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cctype>
#include <chrono>
#include <climits>
#include <cmath>
#include <complex>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <exception>
#include <forward_list>
#include <fstream>
#include <functional>
#include <future>
#include <initializer_list>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <limits>
#include <list>
#include <map>
#include <mutex>
#include <new>
#include <numeric>
#include <optional>
#include <queue>
#include <random>
#include <set>
#include <sstream>
#include <stack>
#include <stdexcept>
#include <streambuf>
#include <thread>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>

#define DLIB_HAVE_SSE2
#define DLIB_HAVE_SSE3
#define DLIB_HAVE_SSE41
#define DLIB_HAVE_AVX
#define DLIB_HAVE_AVX2
#define dlib dlib_avx2

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Weverything"
#include <dlib/image_processing/frontal_face_detector.h>
#pragma clang diagnostic pop
#include "face_scan_body.hpp"
#pragma clang attribute pop

std::unique_ptr<eri::FaceScan> eri::make_avx2_scan(const std::string &filters) { return dlib::make_scan(filters); }
#else
std::unique_ptr<eri::FaceScan> eri::make_avx2_scan(const std::string &) { return nullptr; }
#endif
