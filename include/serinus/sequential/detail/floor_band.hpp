#pragma once
/// \file
/// The carried margins that the interval under a margin with a floor is read from.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

#include <serinus/numeric/elementary.hpp>
#include <serinus/numeric/simd.hpp>
#include <serinus/sequential/detail/floor_process.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

/// An interval for the excess in units of what is allowed, lambda = (p_c - p_b)/max((r - 1) p_b, f): 0 is as the
/// baseline, 1 the margin. 64 of them from 0 to 100, of which each is a margin with a floor of its own, ratio 1 +
/// lambda (r - 1) and floor lambda f, and has an e-process above and below it, with one bet an interval by the levels so
/// far (floor_process.hpp has the proof; the step is not taken). Ends are the outermost that are not excluded, rounded
/// outward to the next one that is.
class FloorBand {
  public:
    static constexpr std::size_t size = 64;

    FloorBand(double ratio, double floor, FloorOf of) : ratio_(ratio), floor_(floor), of_(of) {}

    /// Cost: 64 x 6 log1p.
    void update(double x_b, double n_b, double x_c, double n_c, double dispersion) {
        const FloorCounts counts{x_b, n_b, x_c, n_c};
        if (!seen_.empty() && counts.usable()) {
            FloorFactors<size> factors;
            std::size_t above = 0;  // lambdas below the estimate, for which evidence above them is looked for
            bet(factors, counts, above);
            factors.find(counts, of_);
            for (std::size_t i = 0; i < size; ++i) {
                if (i >= above && (*lambdas_)[i] == 0) continue;
                double& log_mass = i < above ? above_[i] : below_[i];
                log_mass += std::clamp(factors.value[i] / dispersion, -1e290, 1e290);
            }
        }
        // All intervals alike: these are estimates, no levels.
        seen_.x_b += x_b;
        seen_.n_b += n_b;
        seen_.x_c += x_c;
        seen_.n_c += n_c;
    }

    /// The largest lambda such that it and all smaller ones are excluded from below at level alpha; -infinity.
    double lower(double alpha) const {
        const double needed = -elementary::log(alpha);
        double bound = -std::numeric_limits<double>::infinity();
        for (std::size_t i = 0; i < size && above_[i] >= needed; ++i) bound = (*lambdas_)[i];
        return bound;
    }
    /// The mirror; infinity.
    double upper(double alpha) const {
        const double needed = -elementary::log(alpha);
        double bound = std::numeric_limits<double>::infinity();
        for (std::size_t i = size; i > 0 && below_[i - 1] >= needed; --i) bound = (*lambdas_)[i - 1];
        return bound;
    }

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("above", self.above_);
        visit("below", self.below_);
        FloorLevel::describe(visit, self.seen_);
    }

  private:
    /// The margins, which all bands share.
    static const std::array<double, size>& lambdas() {
        static const std::array<double, size> all = [] {
            constexpr double low = 0.02, high = 100;
            constexpr std::size_t inner = size - 2;
            const double start = elementary::log(low), step = elementary::log(high / low) / (inner - 1);
            std::array<double, size> found{};
            // The margin itself is one of them, so that the interval agrees with the test there.
            bool margin_is_in = false;
            std::size_t i = 1;
            for (std::size_t j = 0; j < inner; ++j) {
                const double lambda = elementary::exp(start + step * static_cast<double>(j));
                if (!margin_is_in && lambda > 1) {
                    found[i++] = 1;
                    margin_is_in = true;
                }
                found[i++] = lambda;
            }
            return found;
        }();
        return all;
    }

    void bet(FloorFactors<size>& factors, const FloorCounts& counts, std::size_t& above) const {
        const bool shares = of_ == FloorOf::shares;
        const double added = shares ? 2 * FloorLevel::prior : 0;
        const double p_b = (seen_.x_b + FloorLevel::prior) / (seen_.n_b + added);
        const double p_c = (seen_.x_c + FloorLevel::prior) / (seen_.n_c + added);
        const double n_b = counts.n_b, n_c = counts.n_c, odds = counts.odds;
        const double share_b = n_b / (n_b + n_c), share_c = n_c / (n_b + n_c);
        const double mean = share_b * p_b + share_c * p_c;
        while (above < size && p_c > std::max(ratio_of(above) * p_b, p_b + (*lambdas_)[above] * floor_)) ++above;
        for (std::size_t i = 0; i < size; ++i) {
            const double ratio = ratio_of(i), floor = (*lambdas_)[i] * floor_;
            // The canary's level on each of the two lines that is nearest to what was seen, were the events Poisson.
            const double short_of = floor - mean;
            double by_ratio = ratio * mean / (share_b + ratio * share_c);
            double by_difference = (std::sqrt(short_of * short_of + 4 * share_b * p_b * floor) - short_of) / 2 + floor;
            if (shares) {
                by_ratio = std::clamp(by_ratio, 1e-9, 0.9);
                by_difference = std::clamp(by_difference, 1e-9, 0.9);
            }
            if (i < above) {
                const double c = std::max(by_ratio, by_difference);  // the nearer line: the smaller bet
                double most = 1 / (odds * (shares ? std::max({ratio - c, 1 - c + floor, 1e-9}) : ratio));
                if (shares) most = std::min(most, 1 / c);
                const double h = std::max(p_c / c - 1, 0.0) / (shares ? 1 - c : 1);
                factors.set(i, std::min(h, 0.9 * most), c, ratio, floor, odds, n_c, of_);
                continue;
            }
            const bool on_ratio = by_ratio > by_difference;
            const double c = on_ratio ? by_ratio : by_difference, s = on_ratio ? ratio : 1;
            const double a = on_ratio ? c / ratio : c - floor;
            double most = 0.999;
            if (shares) most = std::min(0.999 / (1 - c), 0.98 / (odds * s * std::max(a, 1e-12)));
            const double h = (1 - p_c / c) / (shares ? 1 - c : 1);
            factors.set_below(i, std::clamp(h, 0.0, most), c, s, a, on_ratio ? 0 : floor, odds, n_c, of_);
        }
    }
    double ratio_of(std::size_t i) const { return 1 + (*lambdas_)[i] * (ratio_ - 1); }

    double ratio_, floor_;
    FloorOf of_;
    const std::array<double, size>* lambdas_ = &lambdas();
    std::array<double, size> above_{};
    std::array<double, size> below_{};
    FloorLevel seen_;
};

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
