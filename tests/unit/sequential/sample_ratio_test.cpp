#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <serinus/sequential/detail/conditional_mixture.hpp>
#include <serinus/sequential/sample_ratio.hpp>

#include "support/code_of.hpp"
#include "support/data_dir.hpp"

namespace serinus::sequential {
namespace {

using Counts = std::vector<std::int64_t>;

/// The cases of a package.
std::vector<nlohmann::json> reference(const std::string& package) {
    std::ifstream file(data_dir() + "/reference/sequential/sample_ratio.json");
    std::vector<nlohmann::json> cases;
    nlohmann::json golden = nlohmann::json::parse(file);
    for (auto& one : golden["cases"]) {
        if (one["source"].get<std::string>().starts_with(package + " ")) cases.push_back(std::move(one));
    }
    return cases;
}

std::vector<double> numbers(const nlohmann::json& array) { return array.get<std::vector<double>>(); }

SampleRatioOptions point(double concentration, double alpha = 0.05) {
    return {.alpha = alpha, .tolerance = 0, .concentration = concentration};
}

TEST(SampleRatioTest, AgreesWithSavvi) {
    int steps = 0, intervals = 0;
    for (const auto& c : reference("savvi")) {
        const auto& in = c.at("inputs");
        const std::string function = c.at("function");
        const bool multinomial = function == "Multinomial";
        const std::vector<double> shares = numbers(in.at(multinomial ? "theta_0" : "rho"));
        SampleRatioTest test(shares, point(in.at("k"), in.at("alpha")));
        const auto& out = multinomial ? c.at("output").at("steps") : c.at("output");
        // The Bernoulli process is solved by an interior-point method, good to about 1e-7.
        const double tolerance = function == "InhomogeneousBernoulliProcess" ? 2e-7 : 1e-10;
        for (std::size_t i = 0; i < out.size(); ++i) {
            test.update(in.at("increments")[i].get<Counts>());
            ASSERT_NEAR(test.log_e_value(), out[i].at("log_odds").get<double>(), tolerance) << function;
            ++steps;
            if (multinomial || shares.size() != 2) continue;
            // With two arms an interval for the share is one for the log ratio of the rates; savvi's is good to 1e-4.
            const Interval share = test.share(1);
            const auto log_ratio = [&](double s) { return std::log(s / shares[1]) - std::log((1 - s) / shares[0]); };
            EXPECT_NEAR(log_ratio(share.lower), out[i].at("log_ratio_ci")[0].get<double>(), 1e-4) << function << i;
            EXPECT_NEAR(log_ratio(share.upper), out[i].at("log_ratio_ci")[1].get<double>(), 1e-4) << function << i;
            ++intervals;
        }
        if (!multinomial) continue;
        const auto& last = c.at("output").at("final_conf_int");
        for (std::size_t arm = 0; arm < shares.size(); ++arm) {
            EXPECT_NEAR(test.share(arm).lower, last[arm][0].get<double>(), 1e-4);
            EXPECT_NEAR(test.share(arm).upper, last[arm][1].get<double>(), 1e-4);
            ++intervals;
        }
    }
    EXPECT_GE(steps, 70);
    EXPECT_GE(intervals, 30);
}

TEST(SampleRatioTest, AgreesWithSsrm) {
    for (const auto& c : reference("ssrm-test")) {
        SampleRatioTest test(numbers(c.at("inputs").at("null_probabilities")), point(10000));
        for (std::size_t i = 0; i < c.at("output").size(); ++i) {
            test.update(c.at("inputs").at("data")[i].get<Counts>());
            // Its differences of lgamma(10^4) cost it five digits.
            EXPECT_NEAR(test.p_value(), c.at("output")[i].get<double>(), 1e-10);
        }
    }
}

TEST(SampleRatioTest, AgreesWithFiftyDigitArithmetic) {
    int cases = 0;
    for (const auto& c : reference("mpmath")) {
        SampleRatioTest test(numbers(c.at("shares")), {.tolerance = c.at("tolerance"),
                                                       .side = c.at("side") == "safe" ? Side::safe : Side::harm,
                                                       .dispersion = c.at("dispersion"),
                                                       .concentration = c.at("concentration")});
        const auto counts = c.at("counts").get<Counts>();
        test.update(counts);
        double n = 0, farthest = 0;
        for (const double count : test.counts()) n += count;
        for (std::size_t i = 0; i < counts.size(); ++i)
            farthest = std::max(farthest, std::fabs(test.counts()[i] - n * test.shares()[i]));
        const double expected = c.at("log_e_value"), phi = c.at("dispersion");
        // Shares like .6 are no doubles: their rounding, 1e-16, moves the exact answer by that times what a count is
        // away from its share (point null), or times the whole count (ends of an interval, where it is away anyway).
        const double moved = 2e-16 * (c.at("tolerance") == 0 ? farthest : n) / phi;
        const double tolerance = 1e-12 + 1e-14 * std::fabs(expected) + moved;
        EXPECT_NEAR(test.log_e_value(), expected, tolerance) << c.dump();
        ++cases;
    }
    EXPECT_GE(cases, 370);
}

// Every outcome of a few requests: the expected e-value is 1 at the point null, and at most 1 in the whole interval
// null, at its ends too; on the safe side outside of it.
TEST(SampleRatioTest, ExpectedValueIsAtMostOneUnderTheNull) {
    const auto expected = [](const SampleRatioTest& fresh, double share, int n) {
        double sum = 0, ways = 1;
        for (int x = 0; x <= n; ++x) {
            SampleRatioTest test = fresh;
            test.update({n - x, x});
            sum += ways * std::pow(share, x) * std::pow(1 - share, n - x) * std::exp(test.log_e_value());
            ways = ways * (n - x) / (x + 1);
        }
        return sum;
    };
    for (const double told : {0.5, 0.1, 0.75}) {
        const std::vector<double> shares{1 - told, told};
        for (const int n : {1, 5, 40}) {
            EXPECT_NEAR(expected(SampleRatioTest(shares, point(10)), told, n), 1, 1e-12);
            const SampleRatioTest harm(shares), safe(shares, {.side = Side::safe});
            const double high = std::min(1.2 * told, 1 - 0.8 * (1 - told));
            const double low = std::max(0.8 * told, 1 - 1.2 * (1 - told));
            for (const double share : {low, 0.5 * (low + told), told, high})
                EXPECT_LE(expected(harm, share, n), 1 + 1e-12) << told;
            for (const double share : {0.5 * low, low, high, high + 0.3 * (1 - high)})
                EXPECT_LE(expected(safe, share, n), 1 + 1e-12) << told;
        }
    }
}

TEST(SampleRatioTest, TwoArmsAreTheMixtureOfARateTestOnTheOdds) {
    // The end above: the mixture inside RateTest with the edge's odds as exposures, margin 1, and the prior that is
    // this test's for ever.
    SampleRatioTest test({0.9, 0.1});
    ConditionalMixture above(1, +1, PriorShape::half_normal), below(1, +1, PriorShape::half_normal);
    std::mt19937_64 random(1);
    for (int i = 0; i < 30; ++i) {
        const auto x = static_cast<std::int64_t>(random() % 300), y = static_cast<std::int64_t>(random() % 60);
        test.update({x, y});
        above.update(double(x), 0.88, double(y), 0.12, 1);
        below.update(double(y), 0.08, double(x), 0.92, 1);
        const double mean = std::log((std::exp(above.log_e_value()) + std::exp(below.log_e_value())) / 2);
        ASSERT_NEAR(test.log_e_value(), mean, 1e-11 * (1 + std::fabs(mean)));
    }
}

TEST(SampleRatioTest, FindsAMismatchAndAllowsASmallOne) {
    SampleRatioTest wrong({0.9, 0.1}), slightly({0.9, 0.1}), strict({0.9, 0.1}, {.tolerance = 0});
    SampleRatioTest safe({0.9, 0.1}, {.side = Side::safe});
    for (int i = 0; i < 100; ++i) {
        wrong.update({860, 140});
        slightly.update({890, 110});
        strict.update({890, 110});
        safe.update({890, 110});
    }
    EXPECT_TRUE(wrong.decided());
    EXPECT_GT(wrong.evidence().lower, 1.2);
    EXPECT_NEAR(wrong.evidence().estimate, 1.4, 1e-12);
    EXPECT_FALSE(slightly.decided());
    EXPECT_EQ(slightly.p_value(), 1);
    EXPECT_TRUE(strict.decided());
    EXPECT_TRUE(safe.decided());
    EXPECT_LT(safe.evidence().upper, 1.2);
    EXPECT_GT(safe.evidence().lower, 0.8);
    EXPECT_EQ(wrong.evidence().method, "share_mixture");
    EXPECT_EQ(strict.evidence().method, "dirichlet_multinomial");
    EXPECT_EQ(wrong.evidence().n_baseline, 86000);
    EXPECT_EQ(wrong.evidence().n_canary, 14000);
    EXPECT_DOUBLE_EQ(wrong.evidence().confidence, 0.99);
}

TEST(SampleRatioTest, ManyArms) {
    SampleRatioTest test({0.5, 0.3, 0.15, 0.05});
    for (int i = 0; i < 60; ++i) test.update({500, 300, 125, 75});
    EXPECT_TRUE(test.decided());
    const Evidence evidence = test.evidence();
    EXPECT_NEAR(evidence.estimate, 1.5, 1e-12);  // the arm that was to have 5 %
    EXPECT_GT(evidence.lower, 1.2);
    EXPECT_EQ(test.share(0).lower < 0.5 && test.share(0).upper > 0.5, true);
    // The order of the arms changes nothing: with three or more, all of them are tested.
    SampleRatioTest turned({0.05, 0.15, 0.3, 0.5});
    for (int i = 0; i < 60; ++i) turned.update({75, 125, 300, 500});
    EXPECT_NEAR(turned.log_e_value(), test.log_e_value(), 1e-9 * test.log_e_value());
}

// What is left out because it cannot have been larger was not larger.
TEST(SampleRatioTest, TheLargestValueIsThatOfEveryMoment) {
    for (const double tolerance : {0.0, 0.2}) {
        for (const Side side : {Side::harm, Side::safe}) {
            if (tolerance == 0 && side == Side::safe) continue;
            for (const double share : {0.1, 0.115, 0.125, 0.07}) {
                std::mt19937_64 random(11);
                std::binomial_distribution<std::int64_t> canary(200, share);
                SampleRatioTest test({0.9, 0.1}, {.tolerance = tolerance, .side = side});
                double largest = 0;
                for (int i = 0; i < 300; ++i) {
                    const std::int64_t x = canary(random);
                    test.update({200 - x, x});
                    largest = std::max(largest, test.log_e_value());
                    ASSERT_NEAR(test.state().log_largest, largest, 1e-12 * (1 + largest));
                }
            }
        }
    }
}

TEST(SampleRatioTest, IntervalsContainTheShareAndInvertTheTest) {
    std::mt19937_64 random(12);
    std::binomial_distribution<std::int64_t> canary(500, 0.1);
    for (const double tolerance : {0.0, 0.2}) {
        SampleRatioTest test({0.9, 0.1}, {.tolerance = tolerance});
        EXPECT_EQ(test.share(1).lower, 0);
        EXPECT_EQ(test.share(1).upper, 1);
        double width = 1;
        for (int i = 0; i < 200; ++i) {
            const std::int64_t x = canary(random);
            test.update({500 - x, x});
            const Interval a = test.share(0), b = test.share(1);
            ASSERT_LT(b.lower, test.counts()[1] / (500.0 * (i + 1)));
            ASSERT_GT(b.upper, test.counts()[1] / (500.0 * (i + 1)));
            ASSERT_NEAR(a.lower, 1 - b.upper, 1e-9);
            ASSERT_NEAR(a.upper, 1 - b.lower, 1e-9);
            ASSERT_TRUE(b.lower < 0.1 && 0.1 < b.upper);  // seed: one that covers
            if (i % 50 == 49) {
                ASSERT_LT(b.upper - b.lower, width);
                width = b.upper - b.lower;
            }
        }
        if (tolerance > 0) continue;
        // A null at the interval's end has just reached 1/alpha: the prior stays where it was told, so the test at the
        // end differs by the likelihoods alone.
        const Interval b = test.share(1);
        const double n = 100000, x = test.counts()[1];
        for (const double end : {b.lower, b.upper}) {
            const double shift = x * std::log(0.1 / end) + (n - x) * std::log(0.9 / (1 - end));
            EXPECT_NEAR(test.log_e_value() + shift, std::log(100.0), 1e-6);
        }
    }
}

TEST(SampleRatioTest, OneByOneIsBatchAndMergedToTheBit) {
    for (const double tolerance : {0.0, 0.2}) {
        const SampleRatioOptions options{.tolerance = tolerance, .dispersion = 2.5};
        SampleRatioTest single({0.6, 0.3, 0.1}, options), many({0.6, 0.3, 0.1}, options),
            half({0.6, 0.3, 0.1}, options);
        std::mt19937_64 random(13);
        Counts all, second;
        for (int i = 0; i < 100; ++i) {
            const Counts counts{static_cast<std::int64_t>(random() % 700), static_cast<std::int64_t>(random() % 300),
                                static_cast<std::int64_t>(random() % 150)};
            single.update(counts);
            all.insert(all.end(), counts.begin(), counts.end());
            if (i < 50) half.update(counts);
            if (i >= 50) second.insert(second.end(), counts.begin(), counts.end());
        }
        many.update_many(all);
        EXPECT_EQ(encode(single.state()), encode(many.state()));
        SampleRatioTest other({0.6, 0.3, 0.1}, options);
        other.update_many(second);
        half.merge(other);
        EXPECT_EQ(half.log_e_value(), single.log_e_value());
        EXPECT_EQ(half.evidence().upper, single.evidence().upper);
        const auto before = encode(many.state());
        all.back() = -1;
        EXPECT_EQ(code_of([&] { many.update_many(all); }), Code::argument_count);
        all.pop_back();
        EXPECT_EQ(code_of([&] { many.update_many(all); }), Code::argument_length);
        EXPECT_EQ(code_of([&] { many.merge(SampleRatioTest({0.6, 0.1, 0.3}, options)); }), Code::state_options);
        EXPECT_EQ(code_of([&] { many.merge(SampleRatioTest({0.6, 0.3, 0.1})); }), Code::state_options);
        EXPECT_EQ(encode(many.state()), before);
    }
}

TEST(SampleRatioTest, DispersionOnlyWeakens) {
    for (const double tolerance : {0.0, 0.2}) {
        SampleRatioTest sharp({0.9, 0.1}, {.tolerance = tolerance});
        SampleRatioTest blunt({0.9, 0.1}, {.tolerance = tolerance, .dispersion = 10});
        for (int i = 0; i < 20; ++i) {
            sharp.update({840, 160});
            blunt.update({840, 160});
        }
        EXPECT_GT(sharp.log_e_value(), blunt.log_e_value());
        EXPECT_GT(sharp.share(1).lower, blunt.share(1).lower);
        EXPECT_LT(sharp.share(1).upper, blunt.share(1).upper);
    }
}

TEST(SampleRatioTest, NothingOverflows) {
    constexpr std::int64_t most = std::int64_t{1} << 53;
    for (const double tolerance : {0.0, 0.2, 0.999}) {
        for (const double told : {0.5, 1e-9, 0.999}) {
            SampleRatioTest test(std::vector<double>{1 - told, told}, {.tolerance = tolerance});
            test.update({0, 0});
            EXPECT_EQ(test.p_value(), 1);
            EXPECT_TRUE(std::isnan(test.evidence().estimate));
            for (const Counts& counts : {Counts{0, most}, {most, 0}, {1, 0}, {most, most}}) {
                test.update(counts);
                const Evidence evidence = test.evidence();
                ASSERT_TRUE(std::isfinite(evidence.log_e_value));
                ASSERT_TRUE(evidence.lower <= evidence.upper) << told << " " << evidence.lower << " " << evidence.upper;
                ASSERT_TRUE(evidence.p_value >= 0 && evidence.p_value <= 1);
            }
        }
    }
}

TEST(SampleRatioTest, StateRoundTripsToTheBitAndBadOnesAreRefused) {
    for (const double tolerance : {0.0, 0.2}) {
        SampleRatioTest whole({0.9, 0.1}, {.tolerance = tolerance}), first({0.9, 0.1}, {.tolerance = tolerance});
        std::mt19937_64 random(14);
        std::binomial_distribution<std::int64_t> canary(100, 0.12);
        for (int i = 0; i < 100; ++i) {
            const std::int64_t x = canary(random);
            whole.update({100 - x, x});
            if (i == 49) {
                SampleRatioTest next({0.9, 0.1}, {.tolerance = tolerance});
                next.restore(decode<SampleRatioState>(encode(first.state())));
                first = next;
            }
            first.update({100 - x, x});
        }
        EXPECT_EQ(encode(first.state()), encode(whole.state()));
        EXPECT_LE(encode(whole.state()).size(), 1024U);
        const auto before = encode(first.state());
        const auto restore = [&](const auto& spoil) {
            SampleRatioState state = first.state();
            spoil(state);
            const Code code = code_of([&] { first.restore(state); });
            EXPECT_EQ(encode(first.state()), before);
            return code;
        };
        EXPECT_EQ(restore([](SampleRatioState& s) { s.alpha = 0.05; }), Code::state_options);
        EXPECT_EQ(restore([](SampleRatioState& s) { s.shares = {0.8, 0.2}; }), Code::state_options);
        EXPECT_EQ(restore([](SampleRatioState& s) { s.counts.pop_back(); }), Code::state_invariant);
        EXPECT_EQ(restore([](SampleRatioState& s) { s.counts[1] = -1; }), Code::state_invariant);
        EXPECT_EQ(restore([](SampleRatioState& s) { s.counts[1] = std::nan(""); }), Code::state_invariant);
        EXPECT_EQ(restore([](SampleRatioState& s) { s.log_largest = -0.5; }), Code::state_invariant);
        EXPECT_EQ(restore([](SampleRatioState&) {}), Code::none);
    }
}

TEST(SampleRatioTest, BadInputIsRefused) {
    const double nan = std::nan("");
    const auto code = [](const std::vector<double>& shares, const SampleRatioOptions& options = {}) {
        return code_of([&] { SampleRatioTest test(shares, options); });
    };
    EXPECT_EQ(code({}), Code::argument_length);
    EXPECT_EQ(code({1.0}), Code::argument_length);
    for (const std::vector<double>& shares :
         {std::vector<double>{0.9, 0.2}, {1.0, 0.0}, {-0.1, 1.1}, {nan, 0.5}, {9, 1}})
        EXPECT_EQ(code(shares), Code::argument_range);
    EXPECT_EQ(code({0.333, 0.333, 0.334}), Code::none);
    EXPECT_EQ(code({1 / 3.0, 1 / 3.0, 1 / 3.0}), Code::none);
    const std::vector<double> shares{0.9, 0.1};
    for (const double wrong : {0.0, 1.0, nan}) EXPECT_EQ(code(shares, {.alpha = wrong}), Code::argument_range);
    for (const double wrong : {-0.1, 1.0, nan}) EXPECT_EQ(code(shares, {.tolerance = wrong}), Code::argument_range);
    for (const double wrong : {0.5, nan}) EXPECT_EQ(code(shares, {.dispersion = wrong}), Code::argument_range);
    for (const double wrong : {0.0, -1.0, nan, 1e16})
        EXPECT_EQ(code(shares, {.concentration = wrong}), Code::argument_range);
    EXPECT_EQ(code(shares, {.tolerance = 0, .side = Side::safe}), Code::argument_range);
    SampleRatioTest test(shares);
    test.update({9, 1});
    const auto before = encode(test.state());
    EXPECT_EQ(code_of([&] { test.update({9, -1}); }), Code::argument_count);
    EXPECT_EQ(code_of([&] { test.update({9, (std::int64_t{1} << 53) + 1}); }), Code::argument_count);
    EXPECT_EQ(code_of([&] { test.update({9, 1, 1}); }), Code::argument_length);
    EXPECT_EQ(code_of([&] { test.share(2); }), Code::argument_range);
    EXPECT_EQ(encode(test.state()), before);
}

}  // namespace
}  // namespace serinus::sequential
