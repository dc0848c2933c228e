// The promise of ProportionTest on a grid: splits x rates x ways in which counts scatter x margins, the canary on the
// edge of the margin throughout. Fixed seeds. SERINUS_SIMULATION_SCALE multiplies the repetitions (4,000 at 1; 60
// without it). Prints the table of docs/concepts/sequential.md.
//
// A rollout is 200 looks. The harm test may ever reject with probability at most alpha, and so may its mirror; at .01
// the same evidence is read. The interval, of confidence .9, is read at one look chosen at random beforehand.
// Dispersions are learned: 400 histories a cell, of which each rollout has one.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <numbers>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/sequential/noise/count_dispersion.hpp>
#include <serinus/sequential/proportion.hpp>

#include "support/repetitions.hpp"

namespace serinus::sequential {
namespace {

constexpr int looks = 200;

/// A dispersion is learned from events: at .01 % that takes 10,000 intervals (28 hours of 10 seconds), elsewhere 1,000.
int history(double rate) { return rate < 0.001 ? 10'000 : 1000; }

int repetitions() { return support::repetitions(60, 4000, 60); }

/// How the counts of an interval come about.
enum class Scatter : std::uint8_t { independent, drift, bursts };

struct Cell {
    std::int64_t n_b, n_c;
    double rate, margin;
    Scatter scatter;
    double phi;  // long-run dispersion of the bursts
};

/// The two arms of one rollout. Drift: both rates swing together. Bursts: an arm's rate, drawn from a beta law, lasts
/// five intervals, and makes the counts of many intervals phi times as variable as independent requests would be.
class Arms {
  public:
    Arms(const Cell& cell, double ratio, std::mt19937_64& random)
        : cell_(cell), rate_c_(cell.rate * ratio), random_(random) {}

    struct Counts {
        std::int64_t x_b, x_c;
    };
    Counts next() {
        double b = cell_.rate, c = rate_c_;
        if (cell_.scatter == Scatter::drift) {
            const double swing = 1 + std::min(0.9, 0.97 / rate_c_ - 1) * std::sin(at_ / 7.0);
            b *= swing;
            c *= swing;
        } else if (cell_.scatter == Scatter::bursts) {
            if (at_ % length == 0) {
                burst_b_ = drawn(b, cell_.n_b);
                burst_c_ = drawn(c, cell_.n_c);
            }
            b = burst_b_;
            c = burst_c_;
        }
        ++at_;
        const std::int64_t x_b = binomial(cell_.n_b, b);
        return {x_b, binomial(cell_.n_c, c)};
    }

  private:
    static constexpr int length = 5;

    std::int64_t binomial(std::int64_t n, double p) {
        // Between bursts of rare events nothing happens.
        return p < 1e-12 ? 0 : std::binomial_distribution<std::int64_t>(n, p)(random_);
    }

    double drawn(double rate, std::int64_t n) {
        const double correlation = (cell_.phi - 1) / length / static_cast<double>(n - 1);
        const double concentration = 1 / correlation - 1;
        const double x = std::gamma_distribution<double>(rate * concentration, 1)(random_);
        const double y = std::gamma_distribution<double>((1 - rate) * concentration, 1)(random_);
        return x > 0 ? x / (x + y) : 0;
    }

    const Cell& cell_;
    double rate_c_;
    std::mt19937_64& random_;
    int at_ = 0;
    double burst_b_ = 0, burst_c_ = 0;
};

/// From a history of both arms alike.
double learned_dispersion(const Cell& cell, std::mt19937_64& random) {
    CountDispersion dispersion;
    Arms alike(cell, 1, random);
    for (int i = 0; i < history(cell.rate); ++i) {
        const auto [x_b, x_c] = alike.next();
        dispersion.add(static_cast<double>(x_b), static_cast<double>(cell.n_b), static_cast<double>(x_c),
                       static_cast<double>(cell.n_c));
    }
    return dispersion.phi(0.01, looks);
}

struct Shares {
    double harm_five = 0, harm_one = 0, safe_five = 0, safe_one = 0, covered = 0;
};

Shares simulate(const Cell& cell, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    Shares shares;
    const int count = repetitions();
    std::vector<double> pool;
    if (cell.scatter == Scatter::bursts) {
        for (int i = 0; i < std::min(count, 400); ++i) pool.push_back(learned_dispersion(cell, random));
    }
    for (int r = 0; r < count; ++r) {
        const double phi = pool.empty() ? 1 : pool[random() % pool.size()];
        ProportionOptions options{.margin = {.ratio = cell.margin, .difference = {}}, .dispersion = phi};
        ProportionTest harm(options);
        options.side = Side::safe;
        options.interval = false;
        ProportionTest safe(options);
        Arms arms(cell, cell.margin, random);
        const int stop = static_cast<int>(random() % looks);
        for (int i = 0; i < looks; ++i) {
            const auto [x_b, x_c] = arms.next();
            harm.update({x_b, cell.n_b}, {x_c, cell.n_c});
            safe.update({x_b, cell.n_b}, {x_c, cell.n_c});
            if (i == stop) {
                const Evidence evidence = harm.evidence();
                shares.covered += evidence.lower <= cell.margin && cell.margin <= evidence.upper;
            }
        }
        shares.harm_five += harm.p_value() <= 0.05;
        shares.harm_one += harm.p_value() <= 0.01;
        shares.safe_five += safe.p_value() <= 0.05;
        shares.safe_one += safe.p_value() <= 0.01;
    }
    for (double* share : {&shares.harm_five, &shares.harm_one, &shares.safe_five, &shares.safe_one, &shares.covered})
        *share /= count;
    return shares;
}

/// What a share may show whose true value is `level`: 4 standard errors more.
double most(double level) { return level + 4 * std::sqrt(level * (1 - level) / repetitions()); }

struct Way {
    Scatter scatter;
    double phi;
    const char* name;
};

void expect_promise(const Way& way, std::uint64_t seed) {
    double harm = 0, safe = 0, missed = 0;
    int cells = 0;
    for (const auto& [n_b, n_c, split] : {std::tuple{100, 100, "1:1"}, {900, 100, "9:1"}, {9900, 100, "99:1"}}) {
        for (const double rate : {0.0001, 0.01, 0.3, 0.7, 0.95}) {
            for (const double margin : {1.0, 1.5, 2.0}) {
                if (rate * margin > 0.96) continue;  // no share
                const Cell cell{n_b, n_c, rate, margin, way.scatter, way.phi};
                const Shares s = simulate(cell, seed + static_cast<std::uint64_t>(cells));
                std::printf("| %-11s | %-4s | %5g %% | %-3g | %.4f | %.4f | %.4f | %.4f | %.4f |\n", way.name, split,
                            100 * rate, margin, s.harm_five, s.harm_one, s.safe_five, s.safe_one, s.covered);
                const std::string what = std::string(way.name) + " " + split + " " + std::to_string(rate) + " margin " +
                                         std::to_string(margin);
                EXPECT_LE(s.harm_five, most(0.05)) << what;
                EXPECT_LE(s.harm_one, most(0.01)) << what;
                EXPECT_LE(s.safe_five, most(0.05)) << what;
                EXPECT_LE(s.safe_one, most(0.01)) << what;
                EXPECT_LE(1 - s.covered, most(0.1)) << what;
                harm += s.harm_five;
                safe += s.safe_five;
                missed += 1 - s.covered;
                ++cells;
            }
        }
    }
    // Over all cells the shares are known better, and lie below the levels without any allowance.
    EXPECT_LE(harm / cells, 0.05);
    EXPECT_LE(safe / cells, 0.05);
    EXPECT_LE(missed / cells, 0.1);
    std::fflush(stdout);
}

/// How the level moves on the null's edge, and how the sizes are set.
enum class Motion : std::uint8_t { still, swing, walk, anew, sizes, adversary };

struct LevelCell {
    double level, margin;
    std::int64_t n_b, n_c;
    Motion way;
    const char* name;
};

struct Ever {
    double harm[3] = {}, safe[3] = {}, missed = 0;
};
constexpr double levels_of_error[3] = {0.05, 0.01, 0.001};

/// 200 looks, the canary at `margin` times the baseline in every interval. Missed: an end of the interval (.05 each)
/// lay beyond the truth at one of the looks or another, tested with a margin that is a tenth larger, so that the truth
/// lies inside it.
Ever on_the_edge(const LevelCell& cell, std::uint64_t seed, int count) {
    std::mt19937_64 random(seed);
    std::uniform_real_distribution<double> uniform(0, 1);
    std::normal_distribution<double> normal;
    Ever ever;
    for (int r = 0; r < count; ++r) {
        ProportionOptions options{.margin = {.ratio = cell.margin, .difference = {}}, .interval = false};
        ProportionTest harm(options);
        options.side = Side::safe;
        ProportionTest safe(options);
        options = {.margin = {.ratio = 1.1 * cell.margin, .difference = {}}};
        ProportionTest inside(options);
        const double phase = 50 * uniform(random);
        double log_odds = std::log(cell.level / (1 - cell.level));
        bool missed = false;
        for (int i = 0; i < looks; ++i) {
            double p = cell.level;
            std::int64_t n_b = cell.n_b, n_c = cell.n_c;
            switch (cell.way) {
                case Motion::still: break;
                case Motion::swing: p *= 1 + 0.9 * std::sin((i + phase) / 8); break;
                case Motion::walk:
                    log_odds += 0.3 * normal(random);
                    p = 1 / (1 + std::exp(-log_odds));
                    break;
                case Motion::anew: p = uniform(random); break;
                case Motion::sizes:
                    n_b = static_cast<std::int64_t>(std::exp(13.8 * uniform(random)));
                    n_c = static_cast<std::int64_t>(std::exp(13.8 * uniform(random)));
                    break;
                case Motion::adversary:
                    // More where there is something to win, hardly anything where there is much to lose.
                    n_b = harm.log_e_value() > 1 ? 2 : 300;
                    n_c = harm.log_e_value() > 1 ? 2 : harm.log_e_value() < -2 ? 1000 : 30;
                    break;
            }
            // The canary on the edge, and a share: p <= 1/margin.
            p = std::min(p, 0.9999 / cell.margin);
            const std::int64_t x_b = std::binomial_distribution<std::int64_t>(n_b, p)(random);
            const std::int64_t x_c = std::binomial_distribution<std::int64_t>(n_c, p * cell.margin)(random);
            harm.update({x_b, n_b}, {x_c, n_c});
            safe.update({x_b, n_b}, {x_c, n_c});
            inside.update({x_b, n_b}, {x_c, n_c});
            if (i % 10 == 9) {
                const Evidence evidence = inside.evidence();
                missed = missed || evidence.lower > cell.margin || evidence.upper < cell.margin;
            }
        }
        for (int k = 0; k < 3; ++k) {
            ever.harm[k] += harm.p_value() <= levels_of_error[k];
            ever.safe[k] += safe.p_value() <= levels_of_error[k];
        }
        ever.missed += missed;
    }
    for (int k = 0; k < 3; ++k) {
        ever.harm[k] /= count;
        ever.safe[k] /= count;
    }
    ever.missed /= count;
    return ever;
}

TEST(ProportionGrid, EveryLevel) {
    const int count = std::max(20, repetitions() / 2);
    const auto most = [&](double alpha) { return alpha + 4 * std::sqrt(alpha * (1 - alpha) / count) + 1.0 / count; };
    std::vector<LevelCell> cells;
    for (const double level : {0.001, 0.05, 0.3, 0.5, 0.7, 0.9, 0.99, 0.999}) {
        for (const auto& [n_b, n_c] : {std::pair<std::int64_t, std::int64_t>{100, 100}, {9900, 100}, {100, 9900}})
            cells.push_back({level, 1, n_b, n_c, Motion::still, "still"});
    }
    for (const auto& [level, margin] : {std::pair{0.6, 1.5}, {0.3, 3.0}, {0.045, 20.0}, {0.3, 1.2}, {0.02, 20.0}}) {
        cells.push_back({level, margin, 100, 100, Motion::still, "still"});
        cells.push_back({level, margin, 900, 50, Motion::still, "still"});
    }
    for (const double margin : {1.0, 1.5}) {
        cells.push_back({0.5, margin, 100, 100, Motion::swing, "swings by 90 %"});
        cells.push_back({0.1, margin, 300, 30, Motion::swing, "swings by 90 %"});
        cells.push_back({0.5, margin, 100, 100, Motion::walk, "walks in log odds"});
        cells.push_back({0.05, margin, 900, 100, Motion::walk, "walks in log odds"});
        cells.push_back({0.5, margin, 100, 100, Motion::anew, "anew every interval"});
        cells.push_back({0.5, margin, 5, 5, Motion::anew, "anew every interval"});
        cells.push_back({0.3, margin, 0, 0, Motion::sizes, "sizes 1 to 1e6"});
        cells.push_back({0.6, margin, 0, 0, Motion::sizes, "sizes 1 to 1e6"});
        cells.push_back({0.4, margin, 300, 30, Motion::adversary, "sizes by an adversary"});
    }
    cells.push_back({0.95, 1, 2, 1, Motion::still, "still"});
    cells.push_back({0.9, 1, 0, 0, Motion::sizes, "sizes 1 to 1e6"});
    double largest[3] = {}, missed = 0;
    std::uint64_t seed = 25000;
    for (const LevelCell& cell : cells) {
        const Ever ever = on_the_edge(cell, seed++, count);
        std::printf("| %-21s | %5.4g %% | %-3g | %lld:%lld | %.4f / %.4f / %.4f | %.4f / %.4f / %.4f | %.4f |\n",
                    cell.name, 100 * cell.level, cell.margin, static_cast<long long>(cell.n_b),
                    static_cast<long long>(cell.n_c), ever.harm[0], ever.harm[1], ever.harm[2], ever.safe[0],
                    ever.safe[1], ever.safe[2], ever.missed);
        for (int k = 0; k < 3; ++k) {
            EXPECT_LE(ever.harm[k], most(levels_of_error[k])) << cell.name << ' ' << cell.level;
            EXPECT_LE(ever.safe[k], most(levels_of_error[k])) << cell.name << ' ' << cell.level;
            largest[k] = std::max({largest[k], ever.harm[k], ever.safe[k]});
        }
        EXPECT_LE(ever.missed, most(0.1)) << cell.name << ' ' << cell.level;
        missed = std::max(missed, ever.missed);
    }
    std::printf("largest: %.4f / %.4f / %.4f, missed %.4f; %d a cell\n", largest[0], largest[1], largest[2], missed,
                count);
    std::fflush(stdout);
}

/// Until harm is found, margin 1, alpha .05; prints the table of docs/concepts/proportion-test.md.
TEST(ProportionGrid, HowSoonAtEveryLevel) {
    struct Harmed {
        double p_b, p_c;
        std::int64_t n_b, n_c;
        double swing;
        double most;  // median, with room for the fewer rollouts of a quick run
    };
    const int count = std::max(20, repetitions() / 4);
    for (const Harmed& h : {Harmed{0.01, 0.02, 100, 100, 0, 27},
                            {0.01, 0.02, 900, 100, 0, 15},
                            {0.01, 0.05, 100, 100, 0, 6},
                            {0.01, 0.012, 1000, 1000, 0, 55},
                            {0.001, 0.002, 9900, 100, 0, 115},
                            {0.1, 0.12, 100, 100, 0, 48},
                            {0.3, 0.36, 100, 100, 0, 14},
                            {0.5, 0.55, 100, 100, 0, 23},
                            {0.9, 0.93, 100, 100, 0, 22},
                            {0.99, 0.995, 100, 100, 0, 70},
                            {0.3, 0.36, 900, 100, 0, 9},
                            {0.3, 0.36, 100, 100, 0.5, 14},
                            {0.5, 0.55, 100, 100, 0.8, 20}}) {
        std::mt19937_64 random(26000);
        std::vector<double> conditional, level;
        for (int r = 0; r < count; ++r) {
            ProportionTest before({.interval = false}), now({.interval = false});
            // What a test without a level is, of a state that had none.
            ProportionState state = before.state();
            state.level.clear();
            before.restore(state);
            const double phase = static_cast<double>(random() % 50);
            double at_before = 600, at_now = 600;
            for (int i = 0; i < 600 && (at_before == 600 || at_now == 600); ++i) {
                const double swing = 1 + h.swing * std::sin(2 * std::numbers::pi * (i + phase) / 50);
                const std::int64_t x_b = std::binomial_distribution<std::int64_t>(h.n_b, h.p_b * swing)(random);
                const std::int64_t x_c =
                    std::binomial_distribution<std::int64_t>(h.n_c, std::min(1.0, h.p_c * swing))(random);
                before.update({x_b, h.n_b}, {x_c, h.n_c});
                now.update({x_b, h.n_b}, {x_c, h.n_c});
                if (at_before == 600 && before.decided()) at_before = i + 1;
                if (at_now == 600 && now.decided()) at_now = i + 1;
            }
            conditional.push_back(at_before);
            level.push_back(at_now);
        }
        const auto median_and_mean = [](std::vector<double>& all) {
            std::sort(all.begin(), all.end());
            double sum = 0;
            for (const double one : all) sum += one;
            return std::pair{all[all.size() / 2], sum / static_cast<double>(all.size())};
        };
        const auto [median_before, mean_before] = median_and_mean(conditional);
        const auto [median, mean] = median_and_mean(level);
        std::printf("| %g -> %g %%, %lld:%lld, swing %g | %g / %.1f | %g / %.1f |\n", 100 * h.p_b, 100 * h.p_c,
                    static_cast<long long>(h.n_b), static_cast<long long>(h.n_c), h.swing, median_before, mean_before,
                    median, mean);
        EXPECT_LE(median, count < 200 ? 1.3 * h.most : h.most) << h.p_b;
    }
    std::fflush(stdout);
}

TEST(ProportionGrid, IndependentRequests) { expect_promise({Scatter::independent, 1, "independent"}, 20000); }
TEST(ProportionGrid, RatesThatSwingTogether) { expect_promise({Scatter::drift, 1, "drift"}, 21000); }
// Measured, not proved: phi is learned from a history of 1,000 intervals.
TEST(ProportionGrid, BurstsWithADispersionOfTwo) { expect_promise({Scatter::bursts, 2, "bursts, 2"}, 22000); }
TEST(ProportionGrid, BurstsWithADispersionOfFive) { expect_promise({Scatter::bursts, 5, "bursts, 5"}, 23000); }
TEST(ProportionGrid, BurstsWithADispersionOfTen) { expect_promise({Scatter::bursts, 10, "bursts, 10"}, 24000); }

}  // namespace
}  // namespace serinus::sequential
