#pragma once
/// \file
/// How far an empirical distribution function strays from the true one, at every time and everywhere at once.

#include <cmath>
#include <limits>

#include <serinus/core/require.hpp>
#include <serinus/core/version.hpp>
#include <serinus/numeric/root.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

/// The constant C of `empirical_process_lil_bound`, which depends on alpha and A only: keep it for many times t.
/// alpha in (0, 1), A > 1/sqrt(2); raises `serinus.argument.range`. Cost: O(1), a search.
inline double empirical_process_lil_constant(double alpha, double A = 0.85) {
    require_open_unit("alpha", alpha);
    require(A > 0.70710678118654752440 && A <= 1e6, "A", A, "above sqrt(1/2), at most 1e6");
    const double log_needed = std::log(alpha / 4);
    // The smallest C over eta; for one eta, 4 exp(-gamma^2 C) (1 + 1/((gamma^2 - 1) log(eta))) falls in C.
    const auto constant = [&](double u) {
        const double more = std::exp(u), eta = 1 + more, log_eta = std::log1p(more);
        const double room = A - std::sqrt(eta / 2);
        if (!(room > 0)) return std::numeric_limits<double>::infinity();
        const auto f = [&](double c) {
            const double reach = A - std::sqrt(2 * more / c);
            const double gamma2 = 2 / eta * reach * reach;
            const double excess = gamma2 - 1;
            if (!(excess > 0) || !(reach > 0)) return std::numeric_limits<double>::max();
            return std::log1p(1 / (excess * log_eta)) - gamma2 * c - log_needed;
        };
        const double least = 2 * more / (room * room);
        double high = 2 * least + 1;
        while (f(high) > 0) high *= 2;
        const Bracket root = narrow(f, {least, high, std::numeric_limits<double>::max(), f(high)}, 1e-13 * high);
        return 0.5 * (root.lower + root.upper);
    };
    // Golden section in log(eta - 1); at the minimum half of the digits of eta give all of C.
    double high = std::log(2 * A * A - 1), low = high - 20;
    constexpr double share = 0.61803398874989484820;
    double left = high - share * (high - low), right = low + share * (high - low);
    double at_left = constant(left), at_right = constant(right);
    while (high - low > 1e-7) {
        if (at_left < at_right) {
            high = right;
            right = left;
            at_right = at_left;
            left = high - share * (high - low);
            at_left = constant(left);
        } else {
            low = left;
            left = right;
            at_left = at_right;
            right = low + share * (high - low);
            at_right = constant(right);
        }
    }
    return std::fmin(at_left, at_right);
}

/// A constant that `empirical_process_lil_constant` found, for the error and the A that it was asked for.
struct EmpiricalProcessConstant {
    double value;
};

/// `empirical_process_lil_bound`, below, with its constant known. Cost: O(1).
inline double empirical_process_lil_bound(double t, double from_size, double A, EmpiricalProcessConstant constant) {
    require(t >= 0, "t", t, "0 or more");
    require(from_size > 0 && std::isfinite(from_size), "from_size", from_size, "above 0, finite");
    if (t < from_size) return std::numeric_limits<double>::infinity();
    if (std::isinf(t)) return 0;
    return A * std::sqrt((std::log1p(std::log(t / from_size)) + constant.value) / t);
}

/// With probability at least 1 - alpha, the empirical distribution function of t independent values is within this of
/// the true one, everywhere and at all t >= from_size at once.
///
/// Formula (Howard and Ramdas 2022, theorem 2, a finite law of the iterated logarithm): A sqrt((log(1 +
/// log(t/from_size)) + C)/t), C the solution of inf over eta > 1 of 4 exp(-gamma^2 C) (1 + 1/((gamma^2 - 1) log(eta)))
/// = alpha, gamma^2 = 2/eta (A - sqrt(2 (eta - 1)/C))^2.
///
/// \param t >= 0: number of values; before from_size nothing is promised: +inf
/// \param alpha in (0, 1)
/// \param from_size > 0: where it begins
/// \param A > 1/sqrt(2): smaller is tighter later, larger is tighter early
/// Raises `serinus.argument.range`. Cost: O(1), nearly all of it for C (`empirical_process_lil_constant`).
///
///     double band = empirical_process_lil_bound(1000, 0.05, 100);  // 0.0820...
inline double empirical_process_lil_bound(double t, double alpha, double from_size, double A = 0.85) {
    return empirical_process_lil_bound(t, from_size, A,
                                       EmpiricalProcessConstant{empirical_process_lil_constant(alpha, A)});
}

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
