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
#include <cstdlib>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/sequential/count_dispersion.hpp>
#include <serinus/sequential/proportion_test.hpp>

namespace serinus::sequential {
namespace {

constexpr int looks = 200;

/// A dispersion is learned from events: at .01 % that takes 10,000 intervals (28 hours of 10 seconds), elsewhere 1,000.
int history(double rate) { return rate < 0.001 ? 10'000 : 1000; }

int repetitions() {
    const char* scale = std::getenv("SERINUS_SIMULATION_SCALE");
    return scale ? std::max(1, static_cast<int>(4000 * std::strtod(scale, nullptr))) : 60;
}

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
            const double swing = 1 + std::min(0.9, 0.95 / rate_c_ - 1) * std::sin(at_ / 7.0);
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
    return dispersion.phi();
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
        for (const double rate : {0.0001, 0.01, 0.3}) {
            for (const double margin : {1.0, 1.5, 2.0}) {
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

TEST(ProportionGrid, IndependentRequests) { expect_promise({Scatter::independent, 1, "independent"}, 20000); }
TEST(ProportionGrid, RatesThatSwingTogether) { expect_promise({Scatter::drift, 1, "drift"}, 21000); }
// Measured, not proved: phi is learned from a history of 1,000 intervals.
TEST(ProportionGrid, BurstsWithADispersionOfTwo) { expect_promise({Scatter::bursts, 2, "bursts, 2"}, 22000); }
TEST(ProportionGrid, BurstsWithADispersionOfFive) { expect_promise({Scatter::bursts, 5, "bursts, 5"}, 23000); }
TEST(ProportionGrid, BurstsWithADispersionOfTen) { expect_promise({Scatter::bursts, 10, "bursts, 10"}, 24000); }

}  // namespace
}  // namespace serinus::sequential
