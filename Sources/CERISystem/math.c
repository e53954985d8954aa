// libm for the Swift targets that may not import Glibc.
#include "eri_system.h"

#include <math.h>

double eri_sqrt(double x) { return sqrt(x); }
double eri_exp(double x) { return exp(x); }
double eri_log(double x) { return log(x); }
double eri_log10(double x) { return log10(x); }
double eri_pow(double x, double y) { return pow(x, y); }
double eri_sin(double x) { return sin(x); }
double eri_cos(double x) { return cos(x); }
double eri_tanh(double x) { return tanh(x); }
double eri_erf(double x) { return erf(x); }
double eri_floor(double x) { return floor(x); }
double eri_tan(double x) { return tan(x); }
double eri_asin(double x) { return asin(x); }
double eri_acos(double x) { return acos(x); }
double eri_atan(double x) { return atan(x); }
double eri_sinh(double x) { return sinh(x); }
double eri_cosh(double x) { return cosh(x); }
double eri_asinh(double x) { return asinh(x); }
double eri_acosh(double x) { return acosh(x); }
double eri_atanh(double x) { return atanh(x); }
double eri_log1p(double x) { return log1p(x); }
double eri_fmod(double x, double y) { return fmod(x, y); }
float eri_logf(float x) { return logf(x); }
float eri_powf(float x, float y) { return powf(x, y); }
