// One look at time series, simulated: how often two arms of one law are told apart (nominal .05, two-sided), and how
// often a shift is found. Fixed seeds. SERINUS_SIMULATION_SCALE multiplies the repetitions (4,000 at 1). The table is
// in docs/concepts/promise.md, beside the shares that shared/methods of the design had as its goal.

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/fixed/mann_whitney.hpp>
#include <serinus/fixed/paired_test.hpp>
#include <serinus/fixed/robust_rank_test.hpp>

namespace serinus {
namespace {

using Column = std::vector<double>;
using Random = std::mt19937_64;

int repetitions() {
    const char* scale = std::getenv("SERINUS_SIMULATION_SCALE");
    return scale ? std::max(1, static_cast<int>(4000 * std::strtod(scale, nullptr))) : 400;
}

double normal(Random& random) { return std::normal_distribution<double>()(random); }

/// A stationary series of unit variance: ar (autoregression), sig (the same under white noise of equal variance), ma
/// (moving sum of 8).
Column series(const std::string& family, double phi, std::size_t n, Random& random) {
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

/// A family, and what paired_test may at most have of false and must at least have of true alarms at +1 sd: what the
/// minimum rule alone had when it was chosen.
struct Case {
    const char* family;
    double phi;
    std::size_t n;
    double size, power;
};

TEST(OneLook, SizeAndPower) {
    std::printf(
        "| family, n | paired_test: alarms | at +1 / +2 sd | robust_rank_test: alarms | at +1 / +2 sd | mann_whitney: "
        "alarms |\n|---|---|---|---|---|---|\n");
    for (const Case& c :
         {Case{"ar", 0, 60, .034, .95}, Case{"ar", 0.6, 60, .045, .65}, Case{"ar", 0.9, 60, .061, .12},
          Case{"ar", 0.9, 240, .056, .59}, Case{"ar", 0.98, 60, .043, .05}, Case{"sig", 0.9, 60, .155, .46},
          Case{"sig", 0.9, 240, .072, .81}, Case{"sig", 0.97, 240, .180, .56}, Case{"sig", 0.97, 960, .094, .95},
          Case{"ma", 0, 60, .019, .09}}) {
        Random random(20261123);
        const int all = repetitions();
        std::array<int, 3> paired{}, robust{};
        int plain = 0;
        for (int i = 0; i < all; ++i) {
            const Column b = series(c.family, c.phi, c.n, random);
            Column canary = series(c.family, c.phi, c.n, random);
            for (std::size_t shift = 0; shift < 3; ++shift) {
                Column d(c.n);
                for (std::size_t t = 0; t < c.n; ++t) d[t] = canary[t] - b[t];
                paired[shift] += paired_test(d).p_value < 0.05;
                robust[shift] += robust_rank_test(b, canary).p_value < 0.05;
                if (shift == 0) plain += mann_whitney(b, canary).p_value < 0.05;
                for (double& value : canary) value += 1;
            }
        }
        const auto share = [&](int count) { return static_cast<double>(count) / all; };
        std::printf("| %s %.2f, %zu | %.3f | %.2f / %.2f | %.3f | %.2f / %.2f | %.2f |\n", c.family, c.phi, c.n,
                    share(paired[0]), share(paired[1]), share(paired[2]), share(robust[0]), share(robust[1]),
                    share(robust[2]), share(plain));
        std::fflush(stdout);
        // The goal is itself a share of some thousand repetitions: 4 standard errors of both.
        const auto slack = [&](double p) { return 4 * std::sqrt(p * (1 - p) * (1.0 / all + 1.0 / 4000)); };
        EXPECT_LE(share(paired[0]), c.size + slack(c.size)) << c.family << c.phi;
        EXPECT_GE(share(paired[1]), c.power - slack(c.power)) << c.family << c.phi;
    }
}

}  // namespace
}  // namespace serinus
