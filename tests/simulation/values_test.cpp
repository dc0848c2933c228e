// MeanTest, QuantileTest and DistributionBand, simulated: how often a good canary is ever alarmed on, looking at every
// step; whether intervals hold the truth at a random step; how soon harm is found. Fixed seeds.
// SERINUS_SIMULATION_SCALE multiplies the repetitions (4,000 at 1; heavier cells fewer, as printed). The tables are in
// docs/concepts/sequential.md.
//
// A share that must stay below a level is asserted to be at most the level plus four standard errors of a share that
// lies on it: for few repetitions the test then fails by chance once in 30,000 cells even if the true share were there.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/numeric/central_moments.hpp>
#include <serinus/sequential/distribution_band.hpp>
#include <serinus/sequential/mean.hpp>
#include <serinus/sequential/noise/count_dispersion.hpp>
#include <serinus/sequential/quantile.hpp>
#include <serinus/series/dependence.hpp>

#include "support/repetitions.hpp"

namespace serinus::sequential {
namespace {

using Column = std::vector<double>;
using Random = std::mt19937_64;

int repetitions(double share = 1) { return support::repetitions(400 * share, 4000 * share); }

constexpr Margin ratio(double value) { return {.ratio = value, .difference = {}}; }
constexpr Margin difference(double value) { return {.ratio = {}, .difference = value}; }

/// What many repetitions of one cell came to.
struct Cell {
    int all = 0;
    std::array<std::array<int, 2>, 3> alarms{};  // up, down, either; at .05, at .01
    int covered = 0;

    void alarm(std::size_t direction, double p_value) {
        alarms[direction][0] += p_value <= 0.05;
        alarms[direction][1] += p_value <= 0.01;
    }
    /// One line of the table; every share is at most its level, and the interval holds at least at its confidence.
    void report(const std::string& name, double confidence) const {
        std::printf("| %s |", name.c_str());
        for (std::size_t direction = 0; direction < 3; ++direction) {
            for (std::size_t level = 0; level < 2; ++level) {
                const double alpha = level == 0 ? 0.05 : 0.01, share = double(alarms[direction][level]) / all;
                std::printf(" %.4f |", share);
                EXPECT_LE(share, alpha + 4 * std::sqrt(alpha * (1 - alpha) / all)) << name;
            }
        }
        std::printf(" %.4f | %d |\n", double(covered) / all, all);
        EXPECT_GE(double(covered) / all, confidence - 4 * std::sqrt(confidence * (1 - confidence) / all)) << name;
    }
    static void head(const char* what) {
        std::printf(
            "\n| %s | up .05 | .01 | down .05 | .01 | either .05 | .01 | 90 %% interval holds | runs |\n"
            "|---|---|---|---|---|---|---|---|---|\n",
            what);
    }
};

/// The three directions of one test under one null, fed and looked at together. `truth`: what the interval should hold.
template <class Test, class Options>
struct Trio {
    std::array<Test, 3> tests;

    explicit Trio(Options options)
        : tests{make(options, Harm::increase), make(options, Harm::decrease), make(options, Harm::either)} {}
    static Test make(Options options, Harm harm) {
        options.harm = harm;
        return Test(options);
    }
    template <class... Data>
    void update(const Data&... data) {
        for (Test& test : tests) test.update(data...);
    }
};

MeanMoments bernoulli(double k, double n) {
    const double p = k / n, s = k * (1 - p);
    return {.n = n, .mean = p, .squares = s, .cubes = s * (1 - 2 * p), .fourths = s * (1 - 3 * p + 3 * p * p)};
}

// Errors of requests: the gate against means that are not normal. The peers' asymptotic sequences alarm on 20 to 35 %
// of good canaries at 900:100 and 1 %.
TEST(MeanTestSimulation, SharesOfErrors) {
    Cell::head("errors: MeanTest, 200 looks");
    struct Setting {
        int n_b, n_c;
        double p, r;
        int later = 0;  // the canary's size from the middle on; 0: the same
    };
    for (const Setting& s :
         {Setting{100, 100, 1e-4, 1}, Setting{100, 100, 0.01, 1}, Setting{100, 100, 0.3, 1}, Setting{900, 100, 1e-4, 1},
          Setting{900, 100, 0.01, 1}, Setting{900, 100, 0.3, 1}, Setting{9900, 100, 0.01, 1},
          Setting{9900, 100, 0.3, 1}, Setting{100, 900, 0.01, 1}, Setting{900, 100, 0.01, 1.5},
          Setting{100, 100, 0.3, 1.5}, Setting{900, 10, 0.3, 1, 900}, Setting{3000, 30, 0.05, 1},
          Setting{1980, 20, 0.1, 1}, Setting{900, 100, 0.05, 1.1}, Setting{100, 900, 0.05, 1.5}}) {
        Random random(20261126);
        Cell cell;
        cell.all = repetitions();
        for (int i = 0; i < cell.all; ++i) {
            // On the null's edge of each direction: r times as many, or fewer.
            for (std::size_t direction = 0; direction < (s.r == 1 ? 1 : 2); ++direction) {
                const double p_c = direction == 0 ? s.p * s.r : s.p / s.r;
                Trio<MeanTest, MeanOptions> trio(MeanOptions{.margin = s.r == 1 ? difference(0) : ratio(s.r)});
                const int look = 1 + static_cast<int>(random() % 200);
                std::binomial_distribution<int> b(s.n_b, s.p), c(s.n_c, p_c), later(s.later, p_c);
                bool covered = true;
                for (int t = 1; t <= 200; ++t) {
                    const bool grown = s.later > 0 && t > 100;
                    trio.update(bernoulli(b(random), s.n_b),
                                bernoulli((grown ? later : c)(random), grown ? s.later : s.n_c));
                    if (t != look) continue;
                    const Evidence evidence = trio.tests[0].evidence();
                    const double truth = s.r == 1 ? 0 : p_c / s.p;
                    covered = evidence.lower <= truth && truth <= evidence.upper;
                }
                if (s.r == 1 || direction == 0) cell.alarm(0, trio.tests[0].p_value());
                if (s.r == 1 || direction == 1) cell.alarm(1, trio.tests[1].p_value());
                if (direction == 0) cell.alarm(2, trio.tests[2].p_value());
                if (direction == 0) cell.covered += covered;
            }
        }
        char name[100];
        std::snprintf(name, sizeof name, "%g %%, %d:%d%s, ratio %g", 100 * s.p, s.n_b, s.n_c,
                      s.later > 0 ? ", later 1:1" : "", s.r);
        cell.report(name, 0.9);
    }
}

Column lognormal(std::size_t n, double sigma, Random& random) {
    std::normal_distribution<double> normal;
    Column values(n);
    for (double& value : values) value = 100 * std::exp(sigma * normal(random));
    return values;
}

TEST(MeanTestSimulation, HeavyTails) {
    Cell::head("lognormal: MeanTest, 100 looks");
    for (const auto& [n_b, sigma] : std::vector<std::pair<std::size_t, double>>{
             {50, 0.5}, {50, 1}, {50, 2}, {450, 0.5}, {450, 1}, {450, 1.5}, {450, 2}}) {
        Random random(20261127);
        Cell cell;
        cell.all = repetitions(n_b == 50 ? 1 : 0.25);
        for (int i = 0; i < cell.all; ++i) {
            Trio<MeanTest, MeanOptions> trio(MeanOptions{});
            const int look = 1 + static_cast<int>(random() % 100);
            for (int t = 1; t <= 100; ++t) {
                trio.update(lognormal(n_b, sigma, random), lognormal(50, sigma, random));
                if (t != look) continue;
                const Evidence evidence = trio.tests[0].evidence();
                cell.covered += evidence.lower <= 0 && 0 <= evidence.upper;
            }
            for (std::size_t d = 0; d < 3; ++d) cell.alarm(d, trio.tests[d].p_value());
        }
        char name[100];
        std::snprintf(name, sizeof name, "sigma %g, %d:50", sigma, static_cast<int>(n_b));
        cell.report(name, 0.9);
    }
}

/// A law of single values, both arms having it; `late`: the interval from which on it has its rare values.
struct RareValues {
    const char* name;
    double share, size, other_share, other_size;  // rare values and how often; a second kind of them
    double sigma = 0;  // lognormal body, in which the rare ones are factors; 0: normal 100, 20
    int late = 0;
};

/// Moments of n draws of it in interval t.
MeanMoments rare(const RareValues& law, int n, int t, Random& random) {
    std::normal_distribution<double> normal;
    std::uniform_real_distribution<double> uniform;
    CentralMoments found;
    for (int i = 0; i < n; ++i) {
        const double u = t >= law.late ? uniform(random) : 1;
        const bool first = u < law.share, second = !first && u < law.share + law.other_share;
        double value = law.sigma > 0 ? std::exp(law.sigma * normal(random)) : 100 + 20 * normal(random);
        if (first || second) {
            const double size = first ? law.size : law.other_size;
            value = law.sigma > 0 ? value * size : size;
        }
        found.add(value);
    }
    return {found.n, found.mean, found.squares, found.cubes, found.fourths};
}

// A value that is rare and large, at splits where one arm meets it a hundred times less often than the other: an arm
// that has not met it yet looks normal, and is not. Also the small levels.
TEST(MeanTestSimulation, RareLargeValues) {
    std::printf(
        "\n| rare values: MeanTest, 200 looks | up .05 | .01 | .001 | down .05 | .01 | .001 | runs |\n"
        "|---|---|---|---|---|---|---|---|\n");
    const std::vector<RareValues> laws{{"time-outs .1 % of 10 s", 1e-3, 1e4, 0, 0},
                                       {"time-outs .05 % of 30 s", 5e-4, 3e4, 0, 0},
                                       {"time-outs .3 % of 5 s", 3e-3, 5e3, 0, 0},
                                       {"time-outs 1 % of 1 s", 1e-2, 1e3, 0, 0},
                                       {"time-outs 5 % of 1 s", 5e-2, 1e3, 0, 0},
                                       {"lognormal .3, .2 % x 20", 2e-3, 20, 0, 0, 0.3},
                                       {"lognormal 1, 1 % x 10", 1e-2, 10, 0, 0, 1},
                                       {"both signs, .2 % each", 2e-3, 1100, 2e-3, -900},
                                       {"time-outs 1 % of 5 s, from the 20th interval on", 1e-2, 5e3, 0, 0, 0, 20}};
    for (const auto& [n_b, n_c] : {std::pair{990, 10}, {10, 990}, {450, 50}, {50, 50}}) {
        for (const RareValues& law : laws) {
            Random random(20261133);
            const int all = repetitions(0.025);
            std::array<std::array<int, 3>, 2> alarms{};
            constexpr std::array<double, 3> alphas{0.05, 0.01, 0.001};
            for (int i = 0; i < all; ++i) {
                std::array<MeanTest, 2> tests{MeanTest({.harm = Harm::increase}), MeanTest({.harm = Harm::decrease})};
                for (int t = 0; t < 200; ++t) {
                    const MeanMoments b = rare(law, n_b, t, random), c = rare(law, n_c, t, random);
                    for (MeanTest& test : tests) test.update(b, c);
                }
                for (std::size_t d = 0; d < 2; ++d)
                    for (std::size_t a = 0; a < 3; ++a) alarms[d][a] += tests[d].p_value() <= alphas[a];
            }
            std::printf("| %s, %d:%d |", law.name, n_b, n_c);
            for (std::size_t d = 0; d < 2; ++d) {
                for (std::size_t a = 0; a < 3; ++a) {
                    const double share = double(alarms[d][a]) / all, alpha = alphas[a];
                    std::printf(" %.4f |", share);
                    EXPECT_LE(share, alpha + 4 * std::sqrt(alpha * (1 - alpha) / all) + 1.0 / all) << law.name;
                }
            }
            std::printf(" %d |\n", all);
        }
    }
}

// Values that depend on one another: an autoregression in each arm; its dispersion learned from 2,000 points of
// history.
TEST(MeanTestSimulation, DispersionFromHistory) {
    Cell::head("autoregression: MeanTest, 100 looks");
    for (const double phi : {0.3, 0.6, 0.9}) {
        Random random(20261128);
        Cell cell;
        cell.all = repetitions();
        std::normal_distribution<double> normal;
        for (int i = 0; i < cell.all; ++i) {
            std::array<double, 2> last{normal(random), normal(random)};
            const auto next = [&](std::size_t arm) {
                return last[arm] = phi * last[arm] + std::sqrt(1 - phi * phi) * normal(random);
            };
            Column history(2000);
            for (double& value : history) value = next(0);
            const Dependence known = dependence(history);
            Trio<MeanTest, MeanOptions> trio(
                MeanOptions{.dispersion = std::max(1.0, known.long_run_variance() / known.variance), .tuned_at = 1000});
            const int look = 1 + static_cast<int>(random() % 100);
            for (int t = 1; t <= 100; ++t) {
                Column b(50), c(50);
                for (double& value : b) value = next(0);
                for (double& value : c) value = next(1);
                trio.update(b, c);
                if (t != look) continue;
                const Evidence evidence = trio.tests[0].evidence();
                cell.covered += evidence.lower <= 0 && 0 <= evidence.upper;
            }
            for (std::size_t d = 0; d < 3; ++d) cell.alarm(d, trio.tests[d].p_value());
        }
        char name[100];
        std::snprintf(name, sizeof name, "AR(1) %g, 50:50", phi);
        cell.report(name, 0.9);
    }
}

TEST(QuantileTestSimulation, AtTheEdge) {
    Cell::head("lognormal: QuantileTest, 100 looks");
    struct Setting {
        double q;
        std::size_t n_b;
        bool rounded;
        double r;
    };
    for (const Setting& s : {Setting{0.5, 20, false, 1}, Setting{0.95, 20, false, 1}, Setting{0.5, 20, true, 1},
                             Setting{0.5, 180, false, 1}, Setting{0.95, 180, true, 1}, Setting{0.9, 20, false, 1.2}}) {
        Random random(20261129);
        Cell cell;
        cell.all = repetitions(s.n_b == 20 ? 0.2 : 0.1);
        for (int i = 0; i < cell.all; ++i) {
            for (std::size_t direction = 0; direction < (s.r == 1 ? 1 : 2); ++direction) {
                const double factor = direction == 0 ? s.r : 1 / s.r;
                Trio<QuantileTest, QuantileOptions> trio(
                    QuantileOptions{.q = s.q, .margin = s.r == 1 ? difference(0) : ratio(s.r), .tuned_at = 2000});
                const int look = 1 + static_cast<int>(random() % 100);
                bool covered = true;
                for (int t = 1; t <= 100; ++t) {
                    Column b = lognormal(s.n_b, 1, random), c = lognormal(20, 1, random);
                    for (double& value : c) value *= factor;
                    if (s.rounded)
                        for (Column* arm : {&b, &c})
                            for (double& value : *arm) value = std::round(value / 40) * 40;
                    trio.update(b, c);
                    if (t != look) continue;
                    const Evidence evidence = trio.tests[0].evidence();
                    const double truth = s.r == 1 ? 0 : s.r;
                    covered = evidence.lower <= truth && truth <= evidence.upper;
                }
                if (s.r == 1 || direction == 0) cell.alarm(0, trio.tests[0].p_value());
                if (s.r == 1 || direction == 1) cell.alarm(1, trio.tests[1].p_value());
                if (direction == 0) cell.alarm(2, trio.tests[2].p_value());
                if (direction == 0) cell.covered += covered;
            }
        }
        char name[100];
        std::snprintf(name, sizeof name, "q %g, %d:20, ratio %g%s", s.q, static_cast<int>(s.n_b), s.r,
                      s.rounded ? ", rounded to 40" : "");
        cell.report(name, 0.9);
    }
}

// An autoregression in each arm; the dispersion of {value <= median} learned from 2,000 points of history.
TEST(QuantileTestSimulation, DispersionFromHistory) {
    Cell::head("autoregression: QuantileTest, 100 looks");
    for (const double phi : {0.3, 0.6, 0.9}) {
        Random random(20261131);
        Cell cell;
        cell.all = repetitions(0.15);
        std::normal_distribution<double> normal;
        for (int i = 0; i < cell.all; ++i) {
            std::array<double, 2> last{normal(random), normal(random)};
            const auto next = [&](std::size_t arm) {
                return last[arm] = phi * last[arm] + std::sqrt(1 - phi * phi) * normal(random);
            };
            Column history(2000);
            for (double& value : history) value = next(0) <= 0 ? 1 : 0;
            const Dependence known = dependence(history);
            Trio<QuantileTest, QuantileOptions> trio(QuantileOptions{
                .dispersion = std::max(1.0, known.long_run_variance() / known.variance), .tuned_at = 1000});
            const int look = 1 + static_cast<int>(random() % 100);
            for (int t = 1; t <= 100; ++t) {
                Column b(50), c(50);
                for (double& value : b) value = next(0);
                for (double& value : c) value = next(1);
                trio.update(b, c);
                if (t != look) continue;
                const Evidence evidence = trio.tests[0].evidence();
                cell.covered += evidence.lower <= 0 && 0 <= evidence.upper;
            }
            for (std::size_t d = 0; d < 3; ++d) cell.alarm(d, trio.tests[d].p_value());
        }
        char name[100];
        std::snprintf(name, sizeof name, "AR(1) %g, q 0.5, 50:50", phi);
        cell.report(name, 0.9);
    }
}

/// Values that come in bursts: for five intervals the share of an arm's values at or below its q-quantile 0 is drawn
/// from a beta law, so that their number over many intervals is phi times as variable as of independent values.
class Bursts {
  public:
    Bursts(double q, double phi, std::size_t n, Random& random) : q_(q), phi_(phi), n_(n), random_(random) {}

    Column next() {
        if (at_++ % length == 0) {
            const double correlation = (phi_ - 1) / (length * static_cast<double>(n_) - 1);
            const double concentration = 1 / correlation - 1;
            const double below = std::gamma_distribution<double>(q_ * concentration)(random_);
            const double above = std::gamma_distribution<double>((1 - q_) * concentration)(random_);
            share_ = below + above > 0 ? below / (below + above) : q_;
        }
        Column values(n_);
        for (double& value : values) {
            const double size = std::exponential_distribution<double>()(random_);
            value = std::uniform_real_distribution<double>()(random_) < share_ ? -size : size;
        }
        return values;
    }

  private:
    static constexpr int length = 5;
    double q_, phi_;
    std::size_t n_;
    Random& random_;
    int at_ = 0;
    double share_ = 0;
};

/// The dispersion that 1,000 intervals of an arm teach, at their own q-quantile.
ShareDispersion learned(double q, Bursts arm) {
    std::vector<Column> history(1000);
    Column all;
    for (Column& values : history) {
        values = arm.next();
        all.insert(all.end(), values.begin(), values.end());
    }
    const auto at = all.begin() + static_cast<std::ptrdiff_t>(q * static_cast<double>(all.size()));
    std::nth_element(all.begin(), at, all.end());
    ShareDispersion found(q);
    for (const Column& values : history) {
        const auto k = std::count_if(values.begin(), values.end(), [&](double value) { return value <= *at; });
        found.add(static_cast<double>(k), static_cast<double>(values.size()));
    }
    return found;
}

TEST(QuantileTestSimulation, BurstsWithADispersionFromHistory) {
    Cell::head("bursts: QuantileTest, 200 looks");
    struct Setting {
        double q, phi;
        std::size_t n_b;
    };
    for (const Setting& s :
         {Setting{0.5, 2, 20}, Setting{0.5, 5, 20}, Setting{0.5, 10, 20}, Setting{0.95, 2, 20}, Setting{0.95, 5, 20},
          Setting{0.95, 10, 20}, Setting{0.5, 10, 180}, Setting{0.95, 10, 180}}) {
        Random random(20261132);
        Cell cell;
        cell.all = repetitions(s.n_b == 20 ? 0.5 : 0.25);
        // Each history serves ten rollouts.
        std::vector<double> pool;
        for (int i = 0; i < cell.all; ++i) {
            if (i % 10 == 0) {
                const double b = learned(s.q, Bursts(s.q, s.phi, s.n_b, random)).phi(0.01, 200);
                pool.push_back(std::max(b, learned(s.q, Bursts(s.q, s.phi, 20, random)).phi(0.01, 200)));
            }
            Trio<QuantileTest, QuantileOptions> trio(
                QuantileOptions{.q = s.q, .dispersion = pool.back(), .tuned_at = 5000});
            Bursts baseline(s.q, s.phi, s.n_b, random), canary(s.q, s.phi, 20, random);
            const int look = 1 + static_cast<int>(random() % 200);
            for (int t = 1; t <= 200; ++t) {
                trio.update(baseline.next(), canary.next());
                if (t != look) continue;
                const Evidence evidence = trio.tests[0].evidence();
                cell.covered += evidence.lower <= 0 && 0 <= evidence.upper;
            }
            for (std::size_t d = 0; d < 3; ++d) cell.alarm(d, trio.tests[d].p_value());
        }
        char name[100];
        std::snprintf(name, sizeof name, "q %g, %d:20, phi %g", s.q, static_cast<int>(s.n_b), s.phi);
        cell.report(name, 0.9);
    }
}

// The share of runs in which an arm's band ever misses its law, and in which the arms are ever told apart.
TEST(DistributionBandSimulation, HoldsAtEveryStep) {
    std::printf(
        "\n| DistributionBand, 100 looks | missed .05 | .01 | order .05 | .01 | runs |\n|---|---|---|---|---|---|\n");
    for (const bool rounded : {false, true}) {
        Random random(20261130);
        const int all = repetitions(0.25);
        std::array<int, 2> missed{}, told{};
        const std::array<double, 2> alphas{0.05, 0.01};
        for (int i = 0; i < all; ++i) {
            std::array<DistributionBand, 2> bands{
                DistributionBand({.alpha = alphas[0], .harm = Harm::either, .from_size = 50}),
                DistributionBand({.alpha = alphas[1], .harm = Harm::either, .from_size = 50})};
            std::array<bool, 2> miss{};
            double p_value = 1;
            for (int t = 1; t <= 100; ++t) {
                Column b(10), c(10);
                for (Column* arm : {&b, &c}) {
                    for (double& value : *arm) {
                        value = std::uniform_real_distribution<double>()(random);
                        if (rounded) value = std::ceil(value * 10) / 10;
                    }
                }
                for (DistributionBand& band : bands) band.update(b, c);
                p_value = std::min(p_value, bands[0].order().p_value);
                if (t % 5 != 0) continue;
                for (std::size_t a = 0; a < 2; ++a) {
                    for (const Arm arm : {Arm::baseline, Arm::canary}) {
                        for (int x = 1; x <= 20; ++x) {
                            const double at = x / 20.0, truth = rounded ? std::floor(at * 10 + 1e-9) / 10 : at;
                            const Interval band = bands[a].cdf(arm, at + 1e-9);
                            miss[a] = miss[a] || truth < band.lower || truth > band.upper;
                        }
                    }
                }
            }
            for (std::size_t a = 0; a < 2; ++a) {
                missed[a] += miss[a];
                told[a] += p_value <= alphas[a];
            }
        }
        std::printf("| uniform%s, 10:10 |", rounded ? " rounded to tenths" : "");
        for (const auto* counts : {&missed, &told}) {
            for (std::size_t a = 0; a < 2; ++a) {
                const double share = double((*counts)[a]) / all;
                std::printf(" %.4f |", share);
                EXPECT_LE(share, alphas[a] + 4 * std::sqrt(alphas[a] * (1 - alphas[a]) / all));
            }
        }
        std::printf(" %d |\n", all);
    }
}

// Lognormal latency, 50 values an arm and step, 100 steps. Median delays, found shares.
TEST(ValuesSimulation, Power) {
    std::printf(
        "\n| latency, 50:50, 100 looks | MeanTest of the log | q .5 | q .95 | DistributionBand | runs |\n"
        "|---|---|---|---|---|---|\n");
    struct Setting {
        const char* name;
        double shift, sigma;
    };
    for (const Setting& s : {Setting{"no change", 0, 1}, Setting{"all +10 %", std::log(1.1), 1},
                             Setting{"p95 +10 %, same median", 0, 1 + std::log(1.1) / 1.6449},
                             Setting{"p95 +30 %, same median", 0, 1 + std::log(1.3) / 1.6449}}) {
        Random random(301);
        const int all = repetitions(0.15);
        std::array<std::vector<int>, 4> delays;
        std::normal_distribution<double> normal;
        for (int i = 0; i < all; ++i) {
            MeanTest mean;
            QuantileTest median({.q = 0.5, .interval = false}), p95({.q = 0.95, .interval = false});
            DistributionBand band({.from_size = 50});
            std::array<int, 4> delay{101, 101, 101, 101};
            for (int t = 1; t <= 100; ++t) {
                Column b(50), c(50);
                for (double& value : b) value = normal(random);
                for (double& value : c) value = s.shift + s.sigma * normal(random);
                mean.update(b, c);
                median.update(b, c);
                p95.update(b, c);
                band.update(b, c);
                const std::array<bool, 4> found{mean.decided(), median.decided(), p95.decided(),
                                                t % 5 == 0 && band.order().p_value <= 0.05};
                for (std::size_t k = 0; k < 4; ++k)
                    if (found[k] && delay[k] > 100) delay[k] = t;
            }
            for (std::size_t k = 0; k < 4; ++k) delays[k].push_back(delay[k]);
        }
        std::printf("| %s |", s.name);
        for (std::size_t k = 0; k < 4; ++k) {
            std::sort(delays[k].begin(), delays[k].end());
            const auto found = std::count_if(delays[k].begin(), delays[k].end(), [](int d) { return d <= 100; });
            const int middle = delays[k][delays[k].size() / 2];
            std::printf(" %.3f", double(found) / all);
            if (middle <= 100) std::printf(" (delay %d)", middle);
            std::printf(" |");
            // The same data with a change must be found, where the method sees that change at all.
            if (s.shift > 0 && k == 0) {
                // 31 for the reference's formula; delays scatter by 15.
                EXPECT_LE(middle, 31 + 4 * 1.25 * 15 / std::sqrt(all));
            }
            if (s.sigma > 1.15 && k == 2) {
                EXPECT_GT(found, all * 9 / 10);
            }
            if (s.shift == 0 && s.sigma == 1) {
                EXPECT_LE(double(found) / all, 0.05 + 4 * std::sqrt(0.05 * 0.95 / all));
            }
        }
        std::printf(" %d |\n", all);
    }
}

}  // namespace
}  // namespace serinus::sequential
