// The promises of a margin with a floor, simulated with the tests themselves: how often one that keeps its margin is ever
// decided against, in either direction, whichever line binds; and how soon harm is found and a clean service let go.
// Fixed seeds. SERINUS_SIMULATION_SCALE multiplies the repetitions (2,000 at 1; 150 without it). The tables are in
// docs/concepts/floor.md.
//
// A share that must stay below a level is asserted to be at most that level plus 4 standard errors of a share that is
// exactly there.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/sequential/proportion.hpp>
#include <serinus/sequential/rate.hpp>

#include "support/repetitions.hpp"

namespace serinus::sequential {
namespace {

constexpr int looks = 200;

int repetitions() { return support::repetitions(150, 2000, 150); }

constexpr Margin floored(double ratio, double floor) { return {.ratio = ratio, .difference = {}, .floor = floor}; }
double edge(const Margin& margin, double p) { return std::max(*margin.ratio * p, p + *margin.floor); }

using Random = std::mt19937_64;
double uniform(Random& random) { return std::uniform_real_distribution<double>(0, 1)(random); }

/// What a family does with the next interval: the baseline's share, and sizes. It may know the level that is guessed.
struct Next {
    double p;
    std::int64_t n_b, n_c;
};
struct Family {
    const char* name;
    Margin margin;
    std::function<std::function<Next(int, double)>(Random&)> begin;
    double phi = 1;            // of the counts, and known
    std::int64_t failing = 0;  // requests of the baseline that always fail
};

/// A count of the mean n p; over-dispersed it is a Poisson count whose mean is drawn from a gamma law.
std::int64_t draw(Random& random, std::int64_t n, double p, double phi) {
    p = std::min(p, 1.0);
    if (phi == 1) return std::binomial_distribution<std::int64_t>(n, p)(random);
    const double mean = static_cast<double>(n) * p;
    if (mean == 0) return 0;
    const double rate = std::gamma_distribution<double>(mean / (phi - 1), phi - 1)(random);
    return std::min(n, std::poisson_distribution<std::int64_t>(rate)(random));
}

std::vector<Family> families() {
    const Margin usual = floored(1.5, 0.001);
    const auto still = [](double p, std::int64_t n_b, std::int64_t n_c) {
        return [=](Random&) { return [=](int, double) { return Next{p, n_b, n_c}; }; };
    };
    const auto swing = [](double most, std::int64_t n_b, std::int64_t n_c) {
        return [=](Random& random) {
            const double phase = 50 * uniform(random);
            return [=](int i, double) { return Next{most * (1 + std::sin((i + phase) / 8)) / 2, n_b, n_c}; };
        };
    };
    const auto turns = [](double one, double other, std::int64_t n_b, std::int64_t n_c) {
        return [=](Random&) { return [=](int i, double) { return Next{i % 2 == 0 ? one : other, n_b, n_c}; }; };
    };
    const auto jump = [](Random& random) {
        const int at = 10 + static_cast<int>(140 * uniform(random));
        return [=](int i, double) { return Next{i < at ? 0.0001 : 0.02, 900, 100}; };
    };
    const auto adversary = [](double high, std::int64_t n_b) {
        return [=](Random&) { return [=](int, double level) { return Next{level > 0.002 ? 0 : high, n_b, 100}; }; };
    };
    const auto walk = [](Random& random) {
        return [&random, log_p = std::log(0.002)](int, double) mutable {
            log_p += std::normal_distribution<double>(0, 0.2)(random);
            return Next{std::min(0.3, std::exp(log_p)), 900, 100};
        };
    };
    const auto sizes = [](Random& random) {
        const auto size = [&random] { return static_cast<std::int64_t>(3 * std::exp(6.9 * uniform(random))); };
        return [=](int, double) { return Next{0.002, size(), size()}; };
    };
    return {
        {"silent", usual, still(0, 100, 100)},
        {"silent", usual, still(0, 1000, 1000)},
        {".01 %", usual, still(0.0001, 900, 100)},
        {".1 %", usual, still(0.001, 900, 100)},
        {"at the crossing", usual, still(0.002, 100, 100)},
        {"at the crossing", usual, still(0.002, 1000, 1000)},
        {"at the crossing", usual, still(0.002, 9900, 100)},
        {"1 %", usual, still(0.01, 900, 100)},
        {"5 %", usual, still(0.05, 100, 100)},
        {"20 %", floored(1.2, 0.05), still(0.2, 100, 100)},
        {"swings from 0 to .4 %", usual, swing(0.004, 900, 100)},
        {"0 and 1 % in turn", usual, turns(0, 0.01, 900, 100)},
        {"0 and 2 % in turn", usual, turns(0, 0.02, 1000, 1000)},
        {"jumps from .01 to 2 %", usual, jump},
        {"an adversary", usual, adversary(0.01, 900)},
        {"an adversary", usual, adversary(0.02, 100)},
        {"walks about the crossing", usual, walk},
        {"sizes 3 to 3,000", usual, sizes},
        {"bunches of 5, .2 %", usual, still(0.002, 1000, 1000), 5},
        {"bunches of 10, 1 %", usual, still(0.01, 900, 100), 10},
        {"bunches of 5, silent", usual, still(0, 900, 900), 5},
        {"one request always fails", usual, still(0, 400, 100), 1, 1},
        {"three requests always fail", usual, still(0, 1000, 100), 1, 3},
    };
}

TEST(Floor, HowOftenWhatKeepsItsMarginIsEverDecidedAgainst) {
    const int count = repetitions();
    const auto most = [&](double alpha) { return alpha + 4 * std::sqrt(alpha * (1 - alpha) / count) + 1.0 / count; };
    double largest[2][2] = {}, missed_most = 0;
    std::uint64_t seed = 17000;
    for (const Family& family : families()) {
        int ever[2][2] = {}, missed = 0;  // side; .05 and .01
        Random random(seed++);
        for (int r = 0; r < count; ++r) {
            ProportionOptions options{.margin = family.margin, .dispersion = family.phi, .interval = false};
            ProportionTest harm(options);
            options.side = Side::safe;
            ProportionTest safe(options);
            options.interval = true;
            options.margin = floored(1 + 1.25 * (*family.margin.ratio - 1), 1.25 * *family.margin.floor);
            ProportionTest inside(options);  // the truth lies at .8 of what is allowed
            const auto next = family.begin(random);
            bool miss = false;
            double x = 0, n = 0;
            for (int i = 0; i < looks; ++i) {
                const Next now = next(i, n > 0 ? x / n : 0);
                const double failing = static_cast<double>(family.failing) / static_cast<double>(now.n_b);
                const double p_c = edge(family.margin, now.p + failing);
                const Proportion b{draw(random, now.n_b - family.failing, now.p, family.phi) + family.failing, now.n_b};
                const Proportion c{draw(random, now.n_c, p_c, family.phi), now.n_c};
                for (ProportionTest* test : {&harm, &safe, &inside}) test->update(b, c);
                x = 0.9 * x + static_cast<double>(b.bad);
                n = 0.9 * n + static_cast<double>(b.total);
                if (i % 10 == 9) {
                    const Evidence evidence = inside.evidence();
                    miss = miss || evidence.lower > 0.8 + 1e-9 || evidence.upper < 0.8 - 1e-9;
                }
            }
            const double p[2] = {harm.p_value(), safe.p_value()};
            for (int side = 0; side < 2; ++side) {
                ever[side][0] += p[side] <= 0.05;
                ever[side][1] += p[side] <= 0.01;
            }
            missed += miss;
        }
        const auto share = [&](int events) { return static_cast<double>(events) / count; };
        std::printf("| %-26s | %.4f / %.4f | %.4f / %.4f | %.4f |\n", family.name, share(ever[0][0]), share(ever[0][1]),
                    share(ever[1][0]), share(ever[1][1]), share(missed));
        std::fflush(stdout);
        for (int side = 0; side < 2; ++side) {
            EXPECT_LE(share(ever[side][0]), most(0.05)) << family.name << side;
            EXPECT_LE(share(ever[side][1]), most(0.01)) << family.name << side;
            for (int k = 0; k < 2; ++k) largest[side][k] = std::max(largest[side][k], share(ever[side][k]));
        }
        EXPECT_LE(share(missed), most(0.1)) << family.name;
        missed_most = std::max(missed_most, share(missed));
    }
    std::printf("largest: harm %.4f / %.4f, safe %.4f / %.4f, missed %.4f; %d a row\n", largest[0][0], largest[0][1],
                largest[1][0], largest[1][1], missed_most, count);
}

TEST(Floor, OfRatesHowOftenWhatKeepsItsMarginIsEverDecidedAgainst) {
    const int count = repetitions();
    const auto most = [&](double alpha) { return alpha + 4 * std::sqrt(alpha * (1 - alpha) / count) + 1.0 / count; };
    const Margin margin = floored(1.5, 0.2);
    const std::pair<const char*, std::function<double(int, int)>> families[] = {
        {"no event", [](int, int) { return 0; }},
        {"at the crossing", [](int, int) { return 0.4; }},
        {"jumps from .01 to 2", [](int i, int at) { return i < at ? 0.01 : 2; }},
        {"0 and 2 in turn", [](int i, int) { return i % 2 * 2.0; }},
    };
    std::uint64_t seed = 17100;
    for (const auto& [name, rate] : families) {
        int harmed = 0, passed = 0;
        Random random(seed++);
        for (int r = 0; r < count; ++r) {
            RateTest harm({.margin = margin, .interval = false}),
                safe({.margin = margin, .side = Side::safe, .interval = false});
            const int at = 10 + static_cast<int>(140 * uniform(random));
            for (int i = 0; i < looks; ++i) {
                const double rate_b = rate(i, at);
                const auto draw = [&](double mean) {
                    return mean == 0 ? 0 : std::poisson_distribution<std::int64_t>(mean)(random);
                };
                const Rate b{draw(18 * rate_b), 18}, c{draw(2 * edge(margin, rate_b)), 2};
                harm.update(b, c);
                safe.update(b, c);
            }
            harmed += harm.decided();
            passed += safe.decided();
        }
        std::printf("| rates: %-19s | %.4f | %.4f |\n", name, static_cast<double>(harmed) / count,
                    static_cast<double>(passed) / count);
        EXPECT_LE(static_cast<double>(harmed) / count, most(0.05)) << name;
        EXPECT_LE(static_cast<double>(passed) / count, most(0.05)) << name;
    }
}

/// Median over runs of the interval in which it decides; `none` where half of them do not within 2,000.
constexpr int none = 2001;
int median_until(const ProportionOptions& options, double p_b, double p_c, std::int64_t n_b, std::int64_t n_c,
                 std::uint64_t seed, int count) {
    Random random(seed);
    std::vector<int> when;
    for (int r = 0; r < count; ++r) {
        ProportionTest test(options);
        int i = 1;
        for (; i < none && !test.decided(); ++i)
            test.update({draw(random, n_b, p_b, 1), n_b}, {draw(random, n_c, p_c, 1), n_c});
        when.push_back(test.decided() ? i - 1 : none);
    }
    std::nth_element(when.begin(), when.begin() + count / 2, when.end());
    return when[static_cast<std::size_t>(count / 2)];
}

TEST(Floor, HowSoonHarmIsFoundAndACleanServiceLetGo) {
    const int count = std::max(20, repetitions() / 4);
    struct Harmed {
        double p_b, p_c;
        std::int64_t n_b, n_c;
        int most;  // median, with room for fewer runs
    };
    std::uint64_t seed = 17200;
    for (const Harmed& h : {Harmed{0, 0.002, 900, 100, 120},
                            {0, 0.01, 100, 100, 22},
                            {0, 0.01, 900, 100, 10},
                            {0.0001, 0.002, 900, 100, 130},
                            {0.001, 0.003, 100, 100, 600},
                            {0.001, 0.003, 900, 100, 260},
                            {0.001, 0.003, 1000, 1000, 55},
                            {0.01, 0.02, 900, 100, 80},
                            {0.05, 0.1, 100, 100, 34}}) {
        const int when =
            median_until({.margin = floored(1.5, 0.001), .interval = false}, h.p_b, h.p_c, h.n_b, h.n_c, seed++, count);
        std::printf("| %g -> %g %%, %lld:%lld | %d |\n", 100 * h.p_b, 100 * h.p_c, static_cast<long long>(h.n_b),
                    static_cast<long long>(h.n_c), when);
        EXPECT_LE(when, h.most) << h.p_b << ' ' << h.p_c << ' ' << h.n_b;
    }
    struct Clean {
        double p;
        std::int64_t n_b, n_c;
        int most;
    };
    for (const Clean& c : {Clean{0, 900, 100, 9},
                           {0, 90, 10, 90},
                           {0.0001, 900, 100, 12},
                           {0.001, 900, 100, 13},
                           {0.003, 900, 100, 12},
                           {0.01, 900, 100, 7},
                           {0.05, 100, 100, 5}}) {
        const int when =
            median_until({.alpha_safe = 0.2, .margin = floored(3, 0.003), .side = Side::safe, .interval = false}, c.p,
                         c.p, c.n_b, c.n_c, seed++, count);
        std::printf("| clean at %g %%, %lld:%lld | %d |\n", 100 * c.p, static_cast<long long>(c.n_b),
                    static_cast<long long>(c.n_c), when);
        EXPECT_LE(when, c.most) << c.p << ' ' << c.n_b;
    }
}

}  // namespace
}  // namespace serinus::sequential
