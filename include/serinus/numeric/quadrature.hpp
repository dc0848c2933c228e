#pragma once
/// \file
/// Integrals of smooth functions of one variable.

#include <array>

#include <serinus/core/version.hpp>

namespace serinus {
inline namespace v0 {

/// A place on [-1, 1] and its weight.
struct QuadratureNode {
    double x, weight;
};

/// The right half of Gauss and Legendre's rule with 20 nodes, which is exact for polynomials of degree 39.
inline constexpr std::array<QuadratureNode, 10> gauss_legendre_20{{{0.076526521133497333755, 0.1527533871307258507},
                                                                   {0.22778585114164507808, 0.14917298647260374679},
                                                                   {0.37370608871541956067, 0.14209610931838205133},
                                                                   {0.510867001950827098, 0.1316886384491766269},
                                                                   {0.63605368072651502545, 0.11819453196151841731},
                                                                   {0.74633190646015079261, 0.10193011981724043504},
                                                                   {0.83911697182221882339, 0.083276741576704748725},
                                                                   {0.91223442825132590587, 0.06267204833410906357},
                                                                   {0.96397192727791379127, 0.040601429800386941331},
                                                                   {0.99312859918509492479, 0.017614007139152118312}}};

/// The integral of `f` from `lower` to `upper`, in `panels` equal parts of 20 nodes each. To rounding where f is as
/// smooth as a normal density over six of its standard deviations a panel. Calls f 20 times a panel.
template <class Function>
double integrate(Function&& f, double lower, double upper, int panels) {
    const double half = (upper - lower) / (2 * panels);
    double sum = 0;
    for (int i = 0; i < panels; ++i) {
        const double centre = lower + (2 * i + 1) * half;
        for (const QuadratureNode& node : gauss_legendre_20)
            sum += node.weight * (f(centre - half * node.x) + f(centre + half * node.x));
    }
    return half * sum;
}

}  // namespace v0
}  // namespace serinus
