// One look at time series, simulated: how often two arms of one law are told apart (nominal .05, two-sided), and how
// often a shift is found. Fixed seeds. SERINUS_SIMULATION_SCALE multiplies the repetitions (4,000 at 1; a quarter of
// them for fractional noise and with history). The tables are in docs/concepts/promise.md.

#include <array>
#include <cmath>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/fixed/mann_whitney.hpp>
#include <serinus/fixed/paired.hpp>
#include <serinus/fixed/robust_rank.hpp>
#include <serinus/sequential/noise/learn_paired_noise.hpp>
#include <serinus/sequential/noise/noise_bounds.hpp>
#include <serinus/sequential/noise/paired_noise.hpp>

#include "support/repetitions.hpp"

namespace serinus {
namespace {

using Column = std::vector<double>;
using Random = std::mt19937_64;

int repetitions() { return support::repetitions(400, 4000); }

double normal(Random& random) { return std::normal_distribution<double>()(random); }

/// Fractional noise of unit variance: (1 - B)^-d of white noise, cut off after 1,500 terms (Hosking 1981).
class Fractional {
  public:
    explicit Fractional(double d) : weights_(1500, 1.0) {
        for (std::size_t k = 1; k < weights_.size(); ++k)
            weights_[k] = weights_[k - 1] * (static_cast<double>(k) - 1 + d) / static_cast<double>(k);
        const double deviation = std::sqrt(std::tgamma(1 - 2 * d)) / std::tgamma(1 - d);
        for (double& weight : weights_) weight /= deviation;
    }
    Column operator()(std::size_t n, Random& random) const {
        Column white(n + weights_.size()), out(n);
        for (double& value : white) value = normal(random);
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t k = 0; k < weights_.size(); ++k) out[i] += weights_[k] * white[i + weights_.size() - k];
        }
        return out;
    }

  private:
    Column weights_;
};

/// A stationary series of unit variance: ar (autoregression), sig (the same under white noise of equal variance), ma
/// (moving sum of 8), frac (fractional noise).
Column series(const std::string& family, double phi, std::size_t n, Random& random) {
    if (family == "frac") {
        static const Fractional third(0.3);
        return third(n, random);
    }
    Column out(n);
    double state = normal(random);
    std::array<double, 8> last{};
    for (double& value : last) value = normal(random);
    for (std::size_t i = 0; i < n; ++i) {
        if (family == "ma") {
            last[i % 8] = normal(random);
            out[i] = 0;
            for (const double value : last) out[i] += value / std::sqrt(8.0);
            continue;
        }
        state = phi * state + std::sqrt(1 - phi * phi) * normal(random);
        out[i] = family == "sig" ? (state + normal(random)) / std::sqrt(2.0) : state;
    }
    return out;
}

double share_of(int count, int all) { return static_cast<double>(count) / all; }

/// A family; what paired_test may at most have of false and must at least have of true alarms at +1 sd (8,000 pairs of
/// another implementation, with another seed), and of false ones by the cautious method.
struct Case {
    const char* family;
    double phi;
    std::size_t n;
    double size, power, cautious;
};

TEST(OneLook, SizeAndPower) {
    std::printf(
        "| family, n | paired_test: alarms | at +1 / +2 sd | cautious: alarms | at +1 / +2 sd | robust_rank_test: "
        "alarms "
        "| at +1 / +2 sd | mann_whitney: alarms |\n|---|---|---|---|---|---|---|---|\n");
    for (const Case& c : {Case{"ar", 0, 60, .028, .94, .004}, Case{"ar", 0.6, 60, .046, .63, .014},
                          Case{"ar", 0.9, 60, .060, .12, .050}, Case{"ar", 0.9, 240, .053, .58, .021},
                          Case{"ar", 0.98, 60, .047, .05, .050}, Case{"sig", 0.9, 60, .134, .45, .078},
                          Case{"sig", 0.9, 240, .053, .79, .021}, Case{"sig", 0.97, 60, .295, .45, .234},
                          Case{"sig", 0.97, 240, .118, .51, .067}, Case{"sig", 0.97, 960, .060, .90, .025},
                          Case{"ma", 0, 60, .019, .09, .019}, Case{"frac", 0.3, 60, .240, .60, .170},
                          Case{"frac", 0.3, 240, .275, .86, .185}}) {
        Random random(20261123);
        const int all = std::string(c.family) == "frac" ? repetitions() / 4 : repetitions();
        std::array<int, 3> paired{}, cautious{}, robust{};
        int plain = 0;
        for (int i = 0; i < all; ++i) {
            const Column b = series(c.family, c.phi, c.n, random);
            Column canary = series(c.family, c.phi, c.n, random);
            for (std::size_t shift = 0; shift < 3; ++shift) {
                Column d(c.n);
                for (std::size_t t = 0; t < c.n; ++t) d[t] = canary[t] - b[t];
                paired[shift] += paired_test(d).p_value < 0.05;
                cautious[shift] += paired_test(d, {.method = OneLook::cautious}).p_value < 0.05;
                robust[shift] += robust_rank_test(b, canary).p_value < 0.05;
                if (shift == 0) plain += mann_whitney(b, canary).p_value < 0.05;
                for (double& value : canary) value += 1;
            }
        }
        std::printf("| %s %.2f, %zu |", c.family, c.phi, c.n);
        for (const auto& counts : {paired, cautious, robust})
            std::printf(" %.3f | %.2f / %.2f |", share_of(counts[0], all), share_of(counts[1], all),
                        share_of(counts[2], all));
        std::printf(" %.2f |\n", share_of(plain, all));
        std::fflush(stdout);
        // The goal is itself a share of some thousand repetitions: 4 standard errors of both.
        const auto slack = [&](double p) { return 4 * std::sqrt(p * (1 - p) * (1.0 / all + 1.0 / 4000)); };
        EXPECT_LE(share_of(paired[0], all), c.size + slack(c.size)) << c.family << c.phi;
        EXPECT_GE(share_of(paired[1], all), c.power - slack(c.power)) << c.family << c.phi;
        EXPECT_LE(share_of(cautious[0], all), c.cautious + slack(c.cautious)) << c.family << c.phi;
    }
}

// With what 2,000 intervals of history know of the noise. Nominal .05 holds where history is long for the swings; for
// fractional noise, which swings at every length, the table says what it comes to.
TEST(OneLook, WithHistory) {
    std::printf("\n| family, n, history 2,000 | alarms | at +1 / +2 sd |\n|---|---|---|\n");
    struct Known {
        const char* family;
        double phi;
        std::size_t n;
        double size;
    };
    for (const Known& c : {Known{"ar", 0, 60, .05}, Known{"ar", 0.6, 60, .05}, Known{"ar", 0.9, 60, .05},
                           Known{"ar", 0.9, 240, .05}, Known{"ar", 0.98, 60, .05}, Known{"sig", 0.9, 60, .05},
                           Known{"sig", 0.9, 240, .05}, Known{"sig", 0.97, 60, .05}, Known{"sig", 0.97, 240, .05},
                           Known{"ma", 0, 60, .05}, Known{"frac", 0.3, 60, .08}, Known{"frac", 0.3, 240, .15}}) {
        Random random(20261124);
        constexpr std::size_t history = 2000;
        const int all = repetitions() / 4;
        std::array<int, 3> alarms{};
        for (int i = 0; i < all; ++i) {
            const Column b = series(c.family, c.phi, history + c.n, random);
            const Column canary = series(c.family, c.phi, history + c.n, random);
            std::vector<Column> known(1);
            Column d;
            for (std::size_t t = 0; t < b.size(); ++t) (t < history ? known[0] : d).push_back(canary[t] - b[t]);
            const sequential::PairedNoise noise = sequential::paired_noise(known, 10, false);
            for (std::size_t shift = 0; shift < 3; ++shift) {
                alarms[shift] += noise.degrees_of_freedom > 0 && paired_test(d, noise).p_value < 0.05;
                for (double& value : d) value += 1;
            }
        }
        std::printf("| %s %.2f, %zu | %.3f | %.2f / %.2f |\n", c.family, c.phi, c.n, share_of(alarms[0], all),
                    share_of(alarms[1], all), share_of(alarms[2], all));
        std::fflush(stdout);
        EXPECT_LE(share_of(alarms[0], all), c.size + 4 * std::sqrt(c.size * (1 - c.size) / all)) << c.family << c.phi;
    }
}

}  // namespace
}  // namespace serinus
