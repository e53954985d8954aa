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
