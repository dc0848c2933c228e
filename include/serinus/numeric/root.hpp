#pragma once
/// \file
/// Where a function of one variable crosses zero, between two points where its signs differ.

#include <cmath>

#include <serinus/core/version.hpp>

namespace serinus {
inline namespace v0 {

/// Two neighbouring points that a function's sign change lies between; `f_lower` and `f_upper` are its values there.
struct Bracket {
    double lower = 0;
    double upper = 0;
    double f_lower = 0;
    double f_upper = 0;
};

/// Narrows a bracket until it is at most `tolerance` wide (or cannot be narrowed), by inverse quadratic interpolation
/// where that is safe and bisection elsewhere (Chandrupatla 1997, Advances in Engineering Software 28, 145-149). The
/// caller takes the end that errs on the safe side. The two values must differ in sign, or one be zero. The function
/// need not be smooth; some ten calls where it is, never more than 200. Uses only + - * / and comparisons.
template <class Function>
Bracket narrow(Function&& f, Bracket bracket, double tolerance) {
    double a = bracket.upper, fa = bracket.f_upper;
    double b = bracket.lower, fb = bracket.f_lower;
    double t = 0.5;
    for (int i = 0; i < 200; ++i) {
        const double x = a + t * (b - a);
        if (!(std::fabs(b - a) > tolerance) || x == a || x == b) break;
        const double fx = f(x);
        double c, fc;  // the point before last
        if ((fx > 0) == (fa > 0)) {
            c = a;
            fc = fa;
        } else {
            c = b;
            fc = fb;
            b = a;
            fb = fa;
        }
        a = x;
        fa = fx;
        if (fa == 0) {
            b = a;
            fb = fa;
            break;
        }
        const double xi = (a - b) / (c - b);
        const double phi = (fa - fb) / (fc - fb);
        const bool smooth = phi * phi < xi && (1 - phi) * (1 - phi) < 1 - xi;
        t = smooth ? fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb) : 0.5;
        // A step shorter than half the tolerance would only creep towards the root from one side.
        const double least = 0.5 * tolerance / std::fabs(b - a);
        if (!(t > least)) t = least;
        if (!(t < 1 - least)) t = 1 - least;
    }
    return a < b ? Bracket{a, b, fa, fb} : Bracket{b, a, fb, fa};
}

}  // namespace v0
}  // namespace serinus
