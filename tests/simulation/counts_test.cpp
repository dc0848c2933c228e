// The promises of the sequential tests on counts, simulated with the tests themselves: RateTest, SampleRatioTest,
// SilenceTest, ThresholdTest, ChangeDetector. Fixed seeds. SERINUS_SIMULATION_SCALE multiplies the repetitions (4,000 at 1; 300
// without it). The tables are in docs/concepts/sequential.md.
//
// A share that must stay below a level is asserted to be at most that level plus 4 standard errors of a share that is
// exactly there.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/numeric/random.hpp>
#include <serinus/sequential/change_detector.hpp>
#include <serinus/sequential/noise/count_dispersion.hpp>
#include <serinus/sequential/noise/learn_paired_noise.hpp>
#include <serinus/sequential/paired.hpp>
#include <serinus/sequential/proportion.hpp>
#include <serinus/sequential/rate.hpp>
#include <serinus/sequential/sample_ratio.hpp>
#include <serinus/sequential/silence.hpp>
#include <serinus/sequential/threshold.hpp>

#include "support/repetitions.hpp"

namespace serinus::sequential {
namespace {

constexpr int looks = 200;
constexpr int history_length = 1000;

int repetitions() { return support::repetitions(300, 4000, 300); }

constexpr Margin ratio(double value) { return {.ratio = value, .difference = {}}; }

double uniform(RandomStream& random) { return static_cast<double>(random.next() >> 11) * 0x1p-53; }

/// Draws of a Poisson count, or of a negative binomial one whose variance is `phi` times its mean, by a table of its
/// distribution function.
class CountLaw {
  public:
    CountLaw(double mean, double phi) {
        const double r = phi > 1 ? mean / (phi - 1) : 0;
        const auto log_density = [&](double k) {
            if (phi <= 1) return k * std::log(mean) - mean - std::lgamma(k + 1);
            return std::lgamma(k + r) - std::lgamma(k + 1) - std::lgamma(r) - r * std::log(phi) +
                   k * std::log1p(-1 / phi);
        };
        const double deviation = std::sqrt(mean * phi);
        first_ = std::max(0.0, std::floor(mean - 9 * deviation));
        double sum = 0;
        for (double k = first_; k < mean + 40 * phi + 12 * deviation; ++k)
            cumulative_.push_back(sum += std::exp(log_density(k)));
        for (double& value : cumulative_) value /= sum;
    }
    std::int64_t operator()(RandomStream& random) const {
        const auto at = std::lower_bound(cumulative_.begin(), cumulative_.end(), uniform(random));
        return static_cast<std::int64_t>(first_) +
               std::min<std::int64_t>(at - cumulative_.begin(), static_cast<std::int64_t>(cumulative_.size()) - 1);
    }

  private:
    double first_ = 0;
    std::vector<double> cumulative_;
};

/// How often something happened in n repetitions.
struct Share {
    int count = 0, n = 0;
    double value() const { return static_cast<double>(count) / n; }
    void add(bool happened) {
        count += happened ? 1 : 0;
        ++n;
    }
    void expect_at_most(double level, const std::string& what) const {
        EXPECT_LE(value(), level + 4 * std::sqrt(level * (1 - level) / n)) << what;
    }
};

struct Split {
    const char* name;
    double baseline, canary;
};
constexpr std::array<Split, 3> splits{{{"1:1", 1, 1}, {"9:1", 9, 1}, {"99:1", 99, 1}}};

// ---- RateTest: rates, splits, drift, over-dispersion and margins, at the null's edge

struct Kind {
    const char* name;
    bool drift;
    double phi;
};

TEST(Counts, RateTestAtTheEdge) {
    std::printf(
        "| split, events a unit | counts | harm .05 | harm .01 | safe .05 | safe .01 |\n|---|---|---|---|---|---|\n");
    const int all = repetitions();
    constexpr std::array<double, 3> margins{1, 1.5, 2};
    std::uint64_t cell = 0;
    for (const Split& split : splits) {
        for (const double level : {0.05, 2.0, 30.0}) {
            for (const Kind& kind : {Kind{"Poisson", false, 1}, Kind{"Poisson, drift and ramp", true, 1},
                                     Kind{"phi 2", false, 2}, Kind{"phi 5", false, 5}, Kind{"phi 10", false, 10}}) {
                // A day's swing in both arms, 50 intervals long; the canary's exposure grows threefold over it.
                constexpr int period = 50;
                const auto swing = [&](int t) {
                    return kind.drift ? 1 + 0.8 * std::sin(6.283185307179586 * t / period) : 1;
                };
                const auto exposure = [&](int t) {
                    return kind.drift ? split.canary * (0.5 + static_cast<double>(t) / period) : split.canary;
                };
                const int phases = kind.drift ? period : 1;
                std::vector<CountLaw> baseline;
                std::array<std::vector<CountLaw>, 3> canary;
                for (int t = 0; t < phases; ++t) {
                    baseline.emplace_back(level * swing(t) * split.baseline, kind.phi);
                    for (std::size_t m = 0; m < margins.size(); ++m)
                        canary[m].emplace_back(level * swing(t) * exposure(t) * margins[m], kind.phi);
                }
                std::array<std::array<Share, 4>, 3> shares;
                for (int repetition = 0; repetition < all; ++repetition) {
                    RandomStream random(2601 + cell, static_cast<std::uint64_t>(repetition));
                    double phi = 1;
                    if (kind.phi > 1) {
                        CountDispersion history;
                        for (int t = 0; t < history_length; ++t) {
                            const auto b = static_cast<double>(baseline[0](random)),
                                       c = static_cast<double>(canary[0][0](random));
                            history.add(b, split.baseline, c, split.canary);
                        }
                        phi = history.phi(0.01, looks);
                    }
                    for (std::size_t m = 0; m < margins.size(); ++m) {
                        RateTest harm({.margin = ratio(margins[m]), .dispersion = phi, .interval = false});
                        RateTest safe(
                            {.margin = ratio(margins[m]), .side = Side::safe, .dispersion = phi, .interval = false});
                        for (int t = 0; t < looks; ++t) {
                            const auto phase = static_cast<std::size_t>(t % phases);
                            const Rate b{baseline[phase](random), split.baseline};
                            const Rate c{canary[m][phase](random), exposure(t % phases)};
                            harm.update(b, c);
                            safe.update(b, c);
                        }
                        shares[m][0].add(harm.p_value() <= 0.05);
                        shares[m][1].add(harm.p_value() <= 0.01);
                        shares[m][2].add(safe.p_value() <= 0.05);
                        shares[m][3].add(safe.p_value() <= 0.01);
                    }
                }
                ++cell;
                for (std::size_t m = 0; m < margins.size(); ++m) {
                    const std::string what = std::string(split.name) + ", " + std::to_string(level) + " " + kind.name +
                                             " " + std::to_string(margins[m]);
                    std::printf("| %s, %g | %s, ratio %g | %.4f | %.4f | %.4f | %.4f |\n", split.name, level, kind.name,
                                margins[m], shares[m][0].value(), shares[m][1].value(), shares[m][2].value(),
                                shares[m][3].value());
                    for (std::size_t i = 0; i < 4; ++i) shares[m][i].expect_at_most(i % 2 == 0 ? 0.05 : 0.01, what);
                }
            }
        }
    }
}

// The interval at a moment that is chosen without looking, and at the one where it looks worst.
TEST(Counts, RateTestIntervalsHoldTheTruth) {
    std::printf("| interval, 90 %% | truth missed at a random look | ever |\n|---|---|---|\n");
    const int all = repetitions() / 4;
    for (const Split& split : splits) {
        for (const double truth : {1.0, 2.0}) {
            const CountLaw baseline(2 * split.baseline, 1), canary(2 * split.canary * truth, 1);
            Share at_random, ever;
            for (int repetition = 0; repetition < all; ++repetition) {
                RandomStream random(2701, static_cast<std::uint64_t>(repetition));
                RateTest test({.margin = ratio(1.5)});
                const int moment = static_cast<int>(random.below(looks));
                bool missed_once = false;
                for (int t = 0; t < looks; ++t) {
                    test.update({baseline(random), split.baseline}, {canary(random), split.canary});
                    const Evidence evidence = test.evidence();
                    const bool missed = !(evidence.lower <= truth && truth <= evidence.upper);
                    missed_once = missed_once || missed;
                    if (t == moment) at_random.add(missed);
                }
                ever.add(missed_once);
            }
            std::printf("| %s, 2 events a unit, ratio %g | %.4f | %.4f |\n", split.name, truth, at_random.value(),
                        ever.value());
            at_random.expect_at_most(0.1, split.name);
            ever.expect_at_most(0.1, split.name);
        }
    }
}

// ---- how long history has to be: arms of one version whose rates drift apart slowly

/// The log of both arms' rates, interval by interval: less what they share.
using Drift = std::vector<std::array<double, 2>>;

Drift autoregression(double phi, double deviation, int size, std::mt19937_64& random) {
    std::normal_distribution<double> normal;
    Drift drift(static_cast<std::size_t>(size));
    std::array<double, 2> state{normal(random), normal(random)};
    for (auto& both : drift) {
        for (std::size_t arm = 0; arm < 2; ++arm) {
            state[arm] = phi * state[arm] + std::sqrt(1 - phi * phi) * normal(random);
            both[arm] = deviation * state[arm];
        }
    }
    return drift;
}

/// Each arm's rate is one of two, a factor apart, and changes to the other after `dwell` intervals on average.
Drift regimes(double factor, double dwell, int size, std::mt19937_64& random) {
    std::uniform_real_distribution<double> uniform;
    Drift drift(static_cast<std::size_t>(size));
    std::array<double, 2> side{uniform(random) < 0.5 ? 1.0 : -1.0, uniform(random) < 0.5 ? 1.0 : -1.0};
    for (auto& both : drift) {
        for (std::size_t arm = 0; arm < 2; ++arm) {
            if (uniform(random) < 1 / dwell) side[arm] = -side[arm];
            both[arm] = side[arm] * std::log(factor) / 2;
        }
    }
    return drift;
}

/// One wave in both arms, opposite in sign.
Drift waves(double height, double period, int size, std::mt19937_64& random) {
    const double phase = std::uniform_real_distribution<double>(0, period)(random);
    Drift drift(static_cast<std::size_t>(size));
    for (int t = 0; t < size; ++t) {
        const double wave = height * std::sin(6.283185307179586 * (t + phase) / period);
        drift[static_cast<std::size_t>(t)] = {std::log1p(wave), std::log1p(-wave)};
    }
    return drift;
}

TEST(Counts, DispersionFromShortHistories) {
    std::printf(
        "| arms of one version, 900:100, 2 %%, 300 intervals | history | harm .05 | .01 | .001 | safe .05 | median phi "
        "(.05) |\n|---|---|---|---|---|---|---|\n");
    constexpr int rollout = 300, longest = 2000, all_intervals = longest + rollout;
    constexpr std::int64_t n_b = 900, n_c = 100;
    struct Family {
        const char* name;
        Drift (*draw)(std::mt19937_64&);
    };
    const std::vector<Family> families{
        {"independent", [](std::mt19937_64&) { return Drift(all_intervals); }},
        {"AR(1) .98, .3", [](std::mt19937_64& r) { return autoregression(0.98, 0.3, all_intervals, r); }},
        {"AR(1) .995, .3", [](std::mt19937_64& r) { return autoregression(0.995, 0.3, all_intervals, r); }},
        {"AR(1) .995, .1", [](std::mt19937_64& r) { return autoregression(0.995, 0.1, all_intervals, r); }},
        {"regimes x 1.5, 300", [](std::mt19937_64& r) { return regimes(1.5, 300, all_intervals, r); }},
        {"regimes x 1.3, 1,000", [](std::mt19937_64& r) { return regimes(1.3, 1000, all_intervals, r); }},
        {"opposite waves of 20 %, 1,440", [](std::mt19937_64& r) { return waves(0.2, 1440, all_intervals, r); }},
        {"opposite waves of 20 %, 480", [](std::mt19937_64& r) { return waves(0.2, 480, all_intervals, r); }},
        {"arms differ by 14 % throughout",
         [](std::mt19937_64& r) { return autoregression(1, 0.1, all_intervals, r); }}};
    constexpr std::array<int, 3> histories{2000, 500, 200};
    constexpr std::array<double, 3> alphas{0.05, 0.01, 0.001};
    const int all = std::max(1, repetitions() / 3);
    for (const Family& family : families) {
        std::array<std::array<Share, 4>, 3> shares;
        std::array<std::vector<double>, 3> phis;
        for (int repetition = 0; repetition < all; ++repetition) {
            std::mt19937_64 random(static_cast<std::uint64_t>(repetition) * 7919 + 2851);
            const Drift drift = family.draw(random);
            std::vector<std::array<std::int64_t, 2>> bad;
            for (const auto& both : drift) {
                bad.push_back({std::binomial_distribution<std::int64_t>(n_b, 0.02 * std::exp(both[0]))(random),
                               std::binomial_distribution<std::int64_t>(n_c, 0.02 * std::exp(both[1]))(random)});
            }
            for (std::size_t h = 0; h < histories.size(); ++h) {
                CountDispersion history;
                for (int t = longest - histories[h]; t < longest; ++t) {
                    const auto& x = bad[static_cast<std::size_t>(t)];
                    history.add(static_cast<double>(x[0]), n_b, static_cast<double>(x[1]), n_c);
                }
                const LearnedDispersion learned = history.learned();
                for (std::size_t i = 0; i < 4; ++i) {
                    const bool harm = i < 3;
                    const double alpha = harm ? alphas[i] : 0.05;
                    ProportionTest test({.alpha = alpha,
                                         .side = harm ? Side::harm : Side::safe,
                                         .dispersion = learned.phi(alpha, rollout),
                                         .interval = false});
                    for (int t = longest; t < all_intervals; ++t) {
                        const auto& x = bad[static_cast<std::size_t>(t)];
                        test.update({x[0], n_b}, {x[1], n_c});
                    }
                    shares[h][i].add(test.decided());
                }
                phis[h].push_back(learned.phi(0.05, rollout));
            }
        }
        for (std::size_t h = 0; h < histories.size(); ++h) {
            std::nth_element(phis[h].begin(), phis[h].begin() + all / 2, phis[h].end());
            std::printf("| %s | %d | %.4f | %.4f | %.4f | %.4f | %.2f |\n", family.name, histories[h],
                        shares[h][0].value(), shares[h][1].value(), shares[h][2].value(), shares[h][3].value(),
                        phis[h][static_cast<std::size_t>(all / 2)]);
            for (std::size_t i = 0; i < 4; ++i)
                shares[h][i].expect_at_most(i < 3 ? alphas[i] : 0.05, std::string(family.name));
        }
    }
}

// ---- SampleRatioTest: splits whose requests come in bunches

TEST(Counts, SampleRatioTestUnderBunches) {
    std::printf(
        "| split told .9/.1, 1,000 requests an interval | tolerance .2, alpha .01 | tolerance 0 | median delay "
        "|\n|---|---|---|---|\n");
    const int all = repetitions();
    struct Case {
        double phi, share;
        bool good;
    };
    for (const Case& c : {Case{1, .1, true}, Case{1, .12, true}, Case{2, .1, true}, Case{2, .12, true},
                          Case{10, .1, true}, Case{10, .11, true}, Case{10, .12, true}, Case{10, .08, true},
                          Case{1, .15, false}, Case{10, .15, false}, Case{10, .2, false}, Case{10, .05, false}}) {
        Share interval, point;
        std::vector<double> delays;
        for (int repetition = 0; repetition < all; ++repetition) {
            std::mt19937_64 random(static_cast<std::uint64_t>(repetition) * 7919 + 2801);
            // Beta-binomial: sticky sessions, a share that differs from one interval to the next.
            const auto draw = [&](double share) {
                constexpr int n = 1000;
                double p = share;
                if (c.phi > 1) {
                    const double k = (n - 1) / (c.phi - 1) - 1;
                    const double a = std::gamma_distribution<double>(share * k, 1)(random);
                    const double b = std::gamma_distribution<double>((1 - share) * k, 1)(random);
                    p = a / (a + b);
                }
                return static_cast<std::int64_t>(std::binomial_distribution<int>(n, p)(random));
            };
            double phi = 1;
            if (c.phi > 1) {
                CountDispersion history;
                for (int t = 0; t < history_length; ++t) {
                    const auto x = static_cast<double>(draw(0.1));
                    history.add(1000 - x, 0.9, x, 0.1);
                }
                phi = history.phi(0.01, looks);
            }
            SampleRatioTest allowing({0.9, 0.1}, {.dispersion = phi}), strict({0.9, 0.1}, {.tolerance = 0});
            int found = 0;
            for (int t = 1; t <= looks; ++t) {
                const std::int64_t x = draw(c.share);
                allowing.update({1000 - x, x});
                strict.update({1000 - x, x});
                if (found == 0 && allowing.decided()) found = t;
            }
            interval.add(found > 0);
            point.add(strict.decided());
            delays.push_back(found > 0 ? found : std::numeric_limits<double>::infinity());
        }
        std::sort(delays.begin(), delays.end());
        const double median = delays[delays.size() / 2];
        std::printf("| phi %g, true share %g | %.4f | %.4f | %g |\n", c.phi, c.share, interval.value(), point.value(),
                    median);
        if (c.good) {
            interval.expect_at_most(0.01, "phi " + std::to_string(c.phi) + " share " + std::to_string(c.share));
        } else {
            EXPECT_GE(interval.value(), 0.95);
        }
    }
}

// ---- SilenceTest: a canary that has its share, next to none, or none

TEST(Counts, SilenceTestAtTheEdgeAndBeyond) {
    const int all = repetitions();
    // Visits of 10 requests on average (geometric: phi 19), each of which sticks to an arm; 100 visits of one request.
    std::printf(
        "| share told | requests at q: ever .01 | visits at q, phi 1 | phi 10 | phi 19 | none | a quarter |\n"
        "|---|---|---|---|---|---|---|\n");
    for (const double share : {0.01, 0.05, 0.1, 0.2}) {
        const double q = 0.8 * share;
        Share alone;
        std::array<Share, 3> visits;
        std::vector<double> none, quarter;
        constexpr std::array<double, 3> phis{1, 10, 19};
        for (int repetition = 0; repetition < all; ++repetition) {
            std::mt19937_64 random(static_cast<std::uint64_t>(repetition) * 7919 + 3101);
            SilenceTest requests({.dispersion = 1});
            std::vector<SilenceTest> sticky;
            for (const double phi : phis) sticky.emplace_back(SilenceOptions{.dispersion = phi});
            std::binomial_distribution<std::int64_t> at_edge(100, q);
            std::geometric_distribution<std::int64_t> length(0.1);
            std::bernoulli_distribution to_canary(q);
            for (int t = 0; t < looks; ++t) {
                const std::int64_t x = at_edge(random);
                requests.update(100 - x, x, share);
                std::int64_t b = 0, c = 0;
                for (int visit = 0; visit < 10; ++visit) (to_canary(random) ? c : b) += 1 + length(random);
                for (SilenceTest& test : sticky) test.update(b, c, share);
            }
            alone.add(requests.decided());
            for (std::size_t i = 0; i < phis.size(); ++i) visits[i].add(sticky[i].decided());
            const auto delay = [&](double p) {
                SilenceTest test({.dispersion = 1});
                std::bernoulli_distribution canary(p);
                int n = 0;
                for (; !test.decided() && n < 20'000; ++n) {
                    const bool one = canary(random);
                    test.update(one ? 0 : 1, one ? 1 : 0, share);
                }
                return static_cast<double>(n);
            };
            none.push_back(delay(0));
            if (repetition < 300) quarter.push_back(delay(share / 4));
        }
        for (auto* delays : {&none, &quarter}) std::sort(delays->begin(), delays->end());
        std::printf("| %g | %.4f | %.4f | %.4f | %.4f | %g | %g |\n", share, alone.value(), visits[0].value(),
                    visits[1].value(), visits[2].value(), none[none.size() / 2], quarter[quarter.size() / 2]);
        const std::string name = "share " + std::to_string(share);
        alone.expect_at_most(0.01, name);
        visits[2].expect_at_most(0.01, name + ", visits");
        EXPECT_EQ(none.front(), none.back());
        EXPECT_EQ(none.front(), share == 0.01 ? 660 : share == 0.05 ? 132 : share == 0.1 ? 65 : 32);
        EXPECT_LE(quarter[quarter.size() / 2], 40 / share);
    }
}

// ---- ThresholdTest: log-normal latencies on the margin

TEST(Counts, ThresholdTestAtTheEdge) {
    std::printf("| log-normal, 50 values an arm, at p95, margin 1.1 | ever .05 | ever .01 |\n|---|---|---|\n");
    const int all = repetitions();
    for (const bool buckets : {false, true}) {
        for (const Side side : {Side::harm, Side::safe}) {
            Share five, one;
            // Bounds 1.05 apart: 1.1 becomes 1.1025 outward, 1.05 inward. The truth is on the margin of 1.1 itself.
            std::vector<double> bounds;
            for (double bound = 1; bound < 100; bound *= 1.05) bounds.push_back(bound);
            for (int repetition = 0; repetition < all; ++repetition) {
                RandomStream random(2901, static_cast<std::uint64_t>(repetition));
                const double tau = std::exp(1.6448536269514722);
                ThresholdTest test(tau, {.margin = ratio(1.1), .side = side, .interval = false});
                std::array<double, 50> b{}, c{};
                const auto draw = [&](std::array<double, 50>& values, double factor) {
                    for (std::size_t i = 0; i < values.size(); i += 2) {  // Box and Muller
                        const double size = std::sqrt(-2 * std::log(1 - uniform(random))),
                                     angle = 6.283185307179586 * uniform(random);
                        values[i] = factor * std::exp(size * std::cos(angle));
                        values[i + 1] = factor * std::exp(size * std::sin(angle));
                    }
                };
                const auto histogram = [&](const std::array<double, 50>& values) {
                    std::vector<std::int64_t> counts(bounds.size() + 1);
                    for (const double value : values)
                        ++counts[static_cast<std::size_t>(std::lower_bound(bounds.begin(), bounds.end(), value) -
                                                          bounds.begin())];
                    return counts;
                };
                for (int t = 0; t < 100; ++t) {
                    draw(b, 1);
                    draw(c, 1.1);
                    if (buckets) {
                        test.update_buckets(bounds, histogram(b), histogram(c));
                    } else {
                        test.update(b, c);
                    }
                }
                five.add(test.p_value() <= 0.05);
                one.add(test.p_value() <= 0.01);
            }
            const std::string what = std::string(buckets ? "buckets, " : "values, ") + std::string(word(side));
            std::printf("| %s | %.4f | %.4f |\n", what.c_str(), five.value(), one.value());
            five.expect_at_most(0.05, what);
            one.expect_at_most(0.01, what);
        }
    }
}

// Values beyond the threshold come in bursts: for five intervals an arm's share beyond is drawn from a beta law, so
// that their number over many intervals is phi times as variable as of independent values. phi from 1,000 intervals.
TEST(Counts, ThresholdTestUnderBunches) {
    std::printf(
        "| 5 %% beyond, margin 1.1 | harm .05 | harm .01 | safe .05 | safe .01 | 90 %% interval holds |\n"
        "|---|---|---|---|---|---|\n");
    const int all = repetitions();
    constexpr double beyond = 0.05;
    const std::vector<double> bounds{250, 275};
    for (const auto& [n_b, n_c] : {std::pair{50, 50}, std::pair{450, 50}}) {
        for (const double phi : {2.0, 5.0, 10.0}) {
            std::array<Share, 4> shares;
            Share missed;
            for (int repetition = 0; repetition < all; ++repetition) {
                std::mt19937_64 random(static_cast<std::uint64_t>(repetition) * 7919 + 2902);
                std::array<double, 2> share{};
                const auto draw = [&](std::size_t arm, int n, int t) {
                    constexpr int length = 5;
                    if (t % length == 0) {
                        const double k = (length * n - 1) / (phi - 1) - 1;
                        const double a = std::gamma_distribution<double>(beyond * k)(random);
                        const double b = std::gamma_distribution<double>((1 - beyond) * k)(random);
                        share[arm] = a > 0 ? a / (a + b) : 0;
                    }
                    return share[arm] < 1e-12
                               ? std::int64_t{0}
                               : static_cast<std::int64_t>(std::binomial_distribution<int>(n, share[arm])(random));
                };
                CountDispersion history;
                for (int t = 0; t < history_length; ++t) {
                    const auto b = static_cast<double>(draw(0, n_b, t)), c = static_cast<double>(draw(1, n_c, t));
                    history.add(b, n_b, c, n_c);
                }
                ThresholdOptions options{.margin = ratio(1.1), .dispersion = history.phi(0.01, looks)};
                ThresholdTest harm(250, options);
                options.side = Side::safe;
                options.interval = false;
                ThresholdTest safe(250, options);
                const int moment = static_cast<int>(random() % looks);
                for (int t = 0; t < looks; ++t) {
                    // On the margin: as many of the canary's values lie beyond 275 as of the baseline's beyond 250.
                    const std::int64_t x_b = draw(0, n_b, t), x_c = draw(1, n_c, t);
                    const std::vector<std::int64_t> b{n_b - x_b, x_b, 0}, c{n_c - x_c, 0, x_c};
                    harm.update_buckets(bounds, b, c);
                    safe.update_buckets(bounds, b, c);
                    if (t != moment) continue;
                    const Evidence evidence = harm.evidence();
                    missed.add(!(evidence.lower <= 1 && 1 <= evidence.upper));
                }
                shares[0].add(harm.p_value() <= 0.05);
                shares[1].add(harm.p_value() <= 0.01);
                shares[2].add(safe.p_value() <= 0.05);
                shares[3].add(safe.p_value() <= 0.01);
            }
            const std::string what =
                std::to_string(n_b) + ":" + std::to_string(n_c) + ", phi " + std::to_string(static_cast<int>(phi));
            std::printf("| %s | %.4f | %.4f | %.4f | %.4f | %.4f |\n", what.c_str(), shares[0].value(),
                        shares[1].value(), shares[2].value(), shares[3].value(), 1 - missed.value());
            for (std::size_t i = 0; i < 4; ++i) shares[i].expect_at_most(i % 2 == 0 ? 0.05 : 0.01, what);
            missed.expect_at_most(0.1, what);
        }
    }
}

// ---- ChangeDetector: mean run to a false alarm, and how long a change takes

struct Runs {
    double mean = 0, error = 0;  // of the runs, and its standard error
};

/// Mean run of a detector that `step` feeds; a run longer than 40 run_length counts as that, which only makes the mean
/// smaller.
template <class Make, class Step>
Runs mean_run(double run_length, int runs, const Make& make, const Step& step) {
    double sum = 0, squares = 0;
    for (int run = 0; run < runs; ++run) {
        RandomStream random(3001, static_cast<std::uint64_t>(run));
        auto detector = make(run_length);
        while (!detector.alarmed() && static_cast<double>(detector.intervals()) < 40 * run_length)
            step(detector, random);
        const auto length = static_cast<double>(detector.intervals());
        sum += length;
        squares += length * length;
    }
    const double mean = sum / runs;
    return {mean, std::sqrt(std::max(0.0, squares / runs - mean * mean) / runs)};
}

/// Median delay from a change after `good` intervals; runs that alarm before it are left out.
template <class Make, class Step, class Changed>
double median_delay(double run_length, int runs, int good, const Make& make, const Step& step, const Changed& changed) {
    std::vector<double> delays;
    for (int run = 0; run < runs; ++run) {
        RandomStream random(3101, static_cast<std::uint64_t>(run));
        auto detector = make(run_length);
        for (int t = 0; t < good && !detector.alarmed(); ++t) step(detector, random);
        if (detector.alarmed()) continue;
        while (!detector.alarmed() && detector.intervals() < good + 2000) changed(detector, random);
        delays.push_back(static_cast<double>(detector.intervals()) - good);
    }
    std::sort(delays.begin(), delays.end());
    return delays.empty() ? 0 : delays[delays.size() / 2];
}

template <class Make, class Step, class Changed>
void change_detector(const char* what, double run_length, int runs, const Make& make, const Step& step,
                     const Changed& changed) {
    const Runs found = mean_run(run_length, runs, make, step);
    const double delay = median_delay(run_length, runs / 4, 300, make, step, changed);
    std::printf("| %s | %g | %.0f (s.e. %.0f) | %g |\n", what, run_length, found.mean, found.error, delay);
    // Four standard errors, and the standard error itself small enough to say something.
    EXPECT_GE(found.mean + 4 * found.error, run_length) << what;
    EXPECT_LE(found.error, 0.15 * found.mean) << what;
    EXPECT_LE(delay, 100) << what;
}

TEST(Counts, ChangeDetectorRunsLongWhileAllIsWell) {
    std::printf(
        "| detector | run_length | mean run to a false alarm | median delay after the change |\n|---|---|---|---|\n");
    const int runs = repetitions() / 2;
    const CountLaw five(5, 1), six(7.5, 1), ten(10, 1), forty_five(45, 1), bunches(5, 5), more_bunches(15, 5),
        fifteen(15, 1);
    using Rates = ChangeDetector<RateTest>;
    const auto rates = [](double margin, double phi) {
        return [=](double run_length) {
            return Rates(RateTest({.margin = ratio(margin), .dispersion = phi, .interval = false}),
                         {.run_length = run_length});
        };
    };
    const auto step = [](const CountLaw& b, double e_b, const CountLaw& c, double e_c) {
        return [&b, &c, e_b, e_c](auto& detector, RandomStream& random) {
            const std::int64_t x_b = b(random), x_c = c(random);
            detector.update(Rate{x_b, e_b}, Rate{x_c, e_c});
        };
    };
    for (const double run_length : {200.0, 1000.0}) {
        change_detector("RateTest 1:1, 5 events, margin 1; change to 2 times", run_length, runs, rates(1, 1),
                        step(five, 1, five, 1), step(five, 1, ten, 1));
        change_detector("RateTest 1:1, 5 events, on the margin 1.5; change to 3 times", run_length, runs, rates(1.5, 1),
                        step(five, 1, six, 1), step(five, 1, fifteen, 1));
        change_detector("RateTest 9:1, 45 and 5 events, margin 1; change to 2 times", run_length, runs, rates(1, 1),
                        step(forty_five, 9, five, 1), step(forty_five, 9, ten, 1));
        change_detector("RateTest 1:1, 5 events, phi 5 known, margin 1; change to 3 times", run_length, runs,
                        rates(1, 5), step(bunches, 1, bunches, 1), step(bunches, 1, more_bunches, 1));
    }
    const auto shares = [](double run_length) {
        return ChangeDetector<ProportionTest>(ProportionTest({.margin = ratio(1), .interval = false}),
                                              {.run_length = run_length});
    };
    const auto requests = [](const CountLaw& b, const CountLaw& c) {
        return [&b, &c](auto& detector, RandomStream& random) {
            const std::int64_t x_b = b(random), x_c = c(random);
            detector.update(Proportion{x_b, 500}, Proportion{x_c, 500});
        };
    };
    change_detector("ProportionTest 1:1, 1 % of 500, margin 1; change to 2 %", 200, runs, shares, requests(five, five),
                    requests(five, ten));
    // A gauge: independent differences of deviation 1, noise from 2,000 of history.
    std::mt19937_64 history(7);
    std::normal_distribution<double> law;
    std::vector<double> differences(2000);
    for (double& d : differences) d = law(history);
    const auto noise =
        std::make_shared<const PairedNoise>(paired_noise(std::vector<std::vector<double>>{differences}, 0, false));
    const auto gauges = [&](double run_length) {
        PairedOptions options{.interval = false};
        options.noise = noise;
        return ChangeDetector<PairedTest>(PairedTest(options), {.run_length = run_length});
    };
    const auto gauge = [](double shift) {
        return [shift](auto& detector, RandomStream& random) {
            const double size = std::sqrt(-2 * std::log(1 - uniform(random)));
            detector.update(size * std::cos(6.283185307179586 * uniform(random)) + shift);
        };
    };
    change_detector("PairedTest, deviation 1, margin 0; change by 1", 200, runs / 4, gauges, gauge(0), gauge(1));
}

}  // namespace
}  // namespace serinus::sequential
