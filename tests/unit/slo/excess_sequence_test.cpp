// ExcessSequence: what it is made of, by enumeration and by an independent formula; its limits; its state.

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/state.hpp>
#include <serinus/slo/excess_sequence.hpp>

namespace {

using namespace serinus;
using namespace serinus::slo;

constexpr double infinity = std::numeric_limits<double>::infinity();

double binomial(int k, int n, double p) {
    double ways = 1;
    for (int i = 1; i <= k; ++i) ways *= static_cast<double>(n - k + i) / i;
    return ways * std::pow(p, k) * std::pow(1 - p, n - k);
}

// The heart of the proof: whatever the rates, both e-values taken at the true expected excess have mean at most 1.
TEST(ExcessSequence, ItsEValuesHaveMeanAtMostOneAtEveryRateAndSplit) {
    double largest = 0;
    for (const auto& [n_b, n_c] : {std::pair{6, 4}, {3, 9}, {12, 1}, {2, 2}}) {
        for (const double p_b : {0.0, 0.01, 0.2, 0.5, 0.9, 1.0}) {
            for (const double p_c : {0.0, 0.02, 0.3, 0.7, 1.0}) {
                double above = 0, below = 0;
                for (int x_b = 0; x_b <= n_b; ++x_b) {
                    for (int x_c = 0; x_c <= n_c; ++x_c) {
                        ExcessSequence excess;
                        excess.update({x_b, n_b}, {x_c, n_c});
                        const double chance = binomial(x_b, n_b, p_b) * binomial(x_c, n_c, p_c);
                        const double truth = n_c * (p_c - p_b);
                        above += chance * std::exp(excess.log_e_value_above(truth));
                        below += chance * std::exp(excess.log_e_value_below(truth));
                    }
                }
                EXPECT_LE(above, 1 + 1e-12) << n_b << ":" << n_c << " " << p_b << " " << p_c;
                EXPECT_LE(below, 1 + 1e-12) << n_b << ":" << n_c << " " << p_b << " " << p_c;
                largest = std::max({largest, above, below});
            }
        }
    }
    EXPECT_GT(largest, 0.99);  // nearly fair where events are rare
}

/// The e-value against an excess of at most (side +1) or at least (-1) `e`, straight from the formula.
double mixture(const std::vector<std::array<int, 4>>& intervals, double e, int side) {
    double sum = 0;
    for (int j = 0; j < 33; ++j) {
        const double lambda = 0.001 * std::pow(4000.0, j / 32.0),
                     g = side > 0 ? std::expm1(lambda) : -std::expm1(-lambda);
        double log_factor = -side * e * g;
        for (const auto& [x_b, n_b, x_c, n_c] : intervals) {
            const double w = static_cast<double>(n_c) / n_b, left = 1 - side * w * g;
            log_factor = left > 0 ? log_factor + side * lambda * x_c + x_b * std::log(left) : -infinity;
        }
        sum += std::exp(log_factor) / 33;
    }
    return sum;
}

TEST(ExcessSequence, BoundsAreWhereTheMixtureMeetsOneOverAlpha) {
    std::mt19937_64 random(3);
    for (int i = 0; i < 40; ++i) {
        std::vector<std::array<int, 4>> intervals;
        ExcessSequence excess({.alpha_lower = 0.01, .alpha_upper = 0.2});
        const int n_b = 50 << (i % 5), n_c = 800 >> (i % 4);
        for (int t = 0; t < 1 + i; ++t) {
            const int x_b = std::binomial_distribution<int>(n_b, 0.03)(random);
            const int x_c = std::binomial_distribution<int>(n_c, i % 2 ? 0.03 : 0.06)(random);
            intervals.push_back({x_b, n_b, x_c, n_c});
            excess.update({x_b, n_b}, {x_c, n_c});
        }
        const double lower = excess.lower(), upper = excess.upper();
        EXPECT_LT(lower, upper);
        EXPECT_LT(lower, excess.estimate());
        EXPECT_GT(upper, excess.estimate());
        EXPECT_NEAR(mixture(intervals, lower, +1) * 0.01, 1, 1e-8);
        EXPECT_NEAR(mixture(intervals, upper, -1) * 0.2, 1, 1e-8);
        EXPECT_NEAR(excess.log_e_value_above(7.5), std::log(mixture(intervals, 7.5, +1)), 1e-9);
        EXPECT_NEAR(excess.log_e_value_below(7.5), std::log(mixture(intervals, 7.5, -1)), 1e-9);
        EXPECT_GE(excess.log_e_value_above(lower), std::log(100) - 1e-9);  // rounded outward
        EXPECT_GE(excess.log_e_value_below(upper), std::log(5) - 1e-9);
    }
}

TEST(ExcessSequence, EstimateIsTheWeightedDifference) {
    ExcessSequence excess;
    excess.update({9, 900}, {4, 100});
    EXPECT_DOUBLE_EQ(excess.estimate(), 3);
    excess.update({10, 500}, {10, 500});
    EXPECT_DOUBLE_EQ(excess.estimate(), 3);
    excess.update({0, 100}, {5, 900});
    EXPECT_DOUBLE_EQ(excess.estimate(), 8);
    EXPECT_EQ(excess.baseline().bad, 19);
    EXPECT_EQ(excess.baseline().total, 1500);
    EXPECT_EQ(excess.canary().bad, 19);
    EXPECT_EQ(excess.canary().total, 1500);
}

// A bound that is sharp enough to be of use: at 400 expected, 3.5 standard deviations of what is seen.
TEST(ExcessSequence, IsNotMuchWiderThanOneLook) {
    ExcessSequence excess;
    for (int t = 0; t < 200; ++t) excess.update({9, 900}, {3, 100});
    EXPECT_DOUBLE_EQ(excess.estimate(), 400);
    const double deviation = std::sqrt(600 + 200.0 / 9);
    EXPECT_GT(excess.lower(), 400 - 3.7 * deviation);
    EXPECT_LT(excess.upper(), 400 + 3.7 * deviation);
    EXPECT_GT(excess.lower(), 400 - 4 * deviation);
    // The canary's own events without a baseline: 600 seen.
    EXPECT_GT(excess.canary_lower(), 600 - 3.7 * std::sqrt(600.0));
    EXPECT_LT(excess.canary_upper(), 600 + 3.7 * std::sqrt(600.0));
}

TEST(ExcessSequence, DispersionWidens) {
    ExcessSequence narrow_one, wide({.dispersion = 4});
    for (int t = 0; t < 100; ++t) {
        narrow_one.update({9, 900}, {3, 100});
        wide.update({9, 900}, {3, 100});
    }
    EXPECT_LT(wide.lower(), narrow_one.lower());
    EXPECT_GT(wide.upper(), narrow_one.upper());
    const double ratio = (wide.upper() - wide.lower()) / (narrow_one.upper() - narrow_one.lower());
    EXPECT_NEAR(ratio, 2, 0.2);  // the square root of 4
}

TEST(ExcessSequence, ABaselineThatIsTooSmallIsLeftOut) {
    ExcessSequence excess;
    excess.update({9, 900}, {3, 100});
    const auto before = encode(excess.state());
    excess.update({0, 0}, {100, 100});
    excess.update({4, 4}, {81, 81});  // 81 is more than 20 times 4
    excess.update({3, 900}, {0, 0});
    EXPECT_EQ(encode(excess.state()), before);
    excess.update({4, 4}, {80, 80});
    EXPECT_EQ(excess.canary().total, 180);
    // Large bets are lost there, the bounds go on.
    EXPECT_LT(excess.lower(), excess.estimate());
    EXPECT_GT(excess.upper(), excess.estimate());
}

TEST(ExcessSequence, WithoutDataItKnowsTheExcessOnlyRoughly) {
    const ExcessSequence excess;
    EXPECT_EQ(excess.estimate(), 0);
    EXPECT_LT(excess.lower(), 0);
    EXPECT_GT(excess.upper(), 0);
    EXPECT_LT(excess.upper(), 9);
    EXPECT_EQ(excess.canary_lower(), 0);
    EXPECT_EQ(excess.log_e_value_above(0), 0);
}

TEST(ExcessSequence, HugeCountsStayFinite) {
    ExcessSequence excess;
    constexpr std::int64_t most = std::int64_t{1} << 53;
    excess.update({most / 1000, most}, {most / 500, most});
    EXPECT_TRUE(std::isfinite(excess.lower()));
    EXPECT_TRUE(std::isfinite(excess.upper()));
    EXPECT_LE(excess.lower(), excess.estimate());
    EXPECT_GE(excess.upper(), excess.estimate());
}

TEST(ExcessSequence, StateGoesOnWhereItWas) {
    ExcessSequence whole, first;
    for (int t = 0; t < 50; ++t) {
        whole.update({t % 7, 300}, {t % 5, 100});
        if (t < 25) first.update({t % 7, 300}, {t % 5, 100});
    }
    ExcessSequence second;
    second.restore(decode<ExcessState>(encode(first.state())));
    for (int t = 25; t < 50; ++t) second.update({t % 7, 300}, {t % 5, 100});
    EXPECT_EQ(encode(second.state()), encode(whole.state()));
    EXPECT_EQ(second.lower(), whole.lower());
}

TEST(ExcessSequence, RefusesWhatCannotBe) {
    const auto code = [](const auto& call) {
        try {
            call();
        } catch (const Error& error) {
            return error.code();
        }
        return Code::none;
    };
    ExcessSequence excess;
    EXPECT_EQ(code([&] { excess.update({3, 2}, {0, 1}); }), Code::argument_count);
    EXPECT_EQ(code([&] { excess.update({0, 2}, {-1, 1}); }), Code::argument_count);
    EXPECT_EQ(code([] { ExcessSequence({.alpha_lower = 0}); }), Code::argument_range);
    EXPECT_EQ(code([] { ExcessSequence({.alpha_upper = 1}); }), Code::argument_range);
    EXPECT_EQ(code([] { ExcessSequence({.dispersion = 0.5}); }), Code::argument_range);

    excess.update({1, 10}, {1, 10});
    const auto before = encode(excess.state());
    ExcessState state = excess.state();
    state.dispersion = 2;
    EXPECT_EQ(code([&] { excess.restore(state); }), Code::state_options);
    for (const auto& spoil : std::vector<void (*)(ExcessState&)>{
             [](ExcessState& s) { s.bad_c = s.total_c + 1; }, [](ExcessState& s) { s.above.pop_back(); },
             [](ExcessState& s) { s.alive = 34; }, [](ExcessState& s) { s.above[0] = 1; },
             [](ExcessState& s) { s.below[0] = infinity; }, [](ExcessState& s) { s.estimate = infinity; },
             [](ExcessState& s) { s.total_b = 0.5; }}) {
        state = excess.state();
        spoil(state);
        EXPECT_EQ(code([&] { excess.restore(state); }), Code::state_invariant);
        EXPECT_EQ(encode(excess.state()), before);
    }
}

}  // namespace
