#include <cmath>
#include <cstdint>
#include <fstream>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <serinus/core/state.hpp>
#include <serinus/sequential/sample_ratio.hpp>
#include <serinus/sequential/silence.hpp>

#include "support/code_of.hpp"
#include "support/data_dir.hpp"

namespace serinus::sequential {
namespace {

using Counts = std::vector<std::int64_t>;

TEST(SilenceTest, AgreesWithFiftyDigitArithmetic) {
    std::ifstream file(data_dir() + "/reference/sequential/silence.json");
    const nlohmann::json golden = nlohmann::json::parse(file);
    int looks = 0;
    for (const auto& c : golden.at("cases")) {
        SilenceTest test({.tolerance = c.at("tolerance"), .dispersion = c.at("dispersion")});
        for (std::size_t i = 0; i < c.at("output").size(); ++i) {
            test.update(c.at("baseline")[i], c.at("canary")[i], c.at("shares")[i]);
            const double expected = c.at("output")[i];
            ASSERT_NEAR(test.log_e_value(), expected, 1e-12 + 1e-11 * std::fabs(expected)) << c.dump() << i;
            ++looks;
        }
    }
    EXPECT_GE(looks, 300);
}

/// Requests of the baseline, one an interval, until it speaks of a canary that has none.
int needed(double share, double dispersion) {
    SilenceTest test({.dispersion = dispersion});
    int n = 0;
    while (!test.decided()) {
        test.update(1, 0, share);
        ++n;
    }
    EXPECT_EQ(test.unheard(), n);
    return n;
}

TEST(SilenceTest, SpeaksAfterSoManyRequestsOfTheBaseline) {
    EXPECT_EQ(needed(0.01, 1), 660);
    EXPECT_EQ(needed(0.05, 1), 132);
    EXPECT_EQ(needed(0.1, 1), 65);
    EXPECT_EQ(needed(0.2, 1), 32);
    // With the dispersion that stands for no history, some ten times as many.
    EXPECT_EQ(needed(0.1, 10), 637);
    EXPECT_EQ(needed(0.2, 10), 306);
}

// Falls silent after 100 intervals of 100: some multiples of 100 more.
TEST(SilenceTest, SpeaksOfACanaryThatFallsSilent) {
    for (const auto& [share, most] : {std::pair{0.05, 500}, {0.1, 300}, {0.2, 200}}) {
        SilenceTest test({.dispersion = 1});
        const auto told = static_cast<std::int64_t>(100 * share);
        for (int i = 0; i < 100; ++i) test.update(100 - told, told, share);
        EXPECT_FALSE(test.decided());
        EXPECT_EQ(test.unheard(), 0);
        int n = 0;
        while (!test.decided() && n < 10'000) {
            test.update(100, 0, share);
            n += 100;
        }
        EXPECT_LE(n, most) << share;
    }
}

// The expected e-value over all ways in which requests come, interval by interval, is 1 at the edge of the null
// hypothesis and at most 1 inside of it; with a dispersion at most 1 in both.
TEST(SilenceTest, ExpectedValueIsAtMostOneUnderTheNull) {
    struct Interval {
        std::int64_t n;
        double share;
    };
    const std::vector<Interval> intervals{{3, 0.1}, {1, 0.1}, {4, 0.3}, {2, 0.05}};
    const auto expected = [&](double phi, double excess) {
        const std::function<double(SilenceTest, std::size_t)> from = [&](SilenceTest test, std::size_t at) -> double {
            if (at == intervals.size()) return std::exp(test.log_e_value());
            const auto [n, share] = intervals[at];
            const double p = 0.8 * share * excess;
            double sum = 0, ways = 1;
            for (std::int64_t x = 0; x <= n; ++x) {
                SilenceTest next = test;
                next.update(n - x, x, share);
                sum += ways * std::pow(p, x) * std::pow(1 - p, n - x) * from(next, at + 1);
                ways = ways * static_cast<double>(n - x) / static_cast<double>(x + 1);
            }
            return sum;
        };
        return from(SilenceTest({.dispersion = phi}), 0);
    };
    EXPECT_NEAR(expected(1, 1), 1, 1e-12);
    EXPECT_LT(expected(1, 1.25), 1);
    EXPECT_LT(expected(1, 2), 1);
    EXPECT_LT(expected(10, 1), 1);
    EXPECT_GT(expected(1, 0.5), 1);
}

TEST(SilenceTest, ARequestOfTheCanaryEndsTheSilence) {
    SilenceTest test({.dispersion = 1});
    test.update(60, 0, 0.1);
    EXPECT_GT(test.log_e_value(), 0);
    test.update(0, 1, 0.1);
    EXPECT_LT(test.log_e_value(), 1);
    EXPECT_EQ(test.unheard(), 0);
    EXPECT_LT(test.p_value(), 1);  // what was seen is not forgotten
    const Evidence evidence = test.evidence();
    EXPECT_EQ(evidence.n_baseline, 60);
    EXPECT_EQ(evidence.n_canary, 1);
    EXPECT_NEAR(evidence.estimate, 1 / 6.1, 1e-15);
    EXPECT_EQ(evidence.method, "silence");
    EXPECT_EQ(evidence.confidence, 0);
}

// A canary that has what it was told, or more, never makes it speak; and the lower end of SampleRatioTest says the
// same of a canary that has half of it.
TEST(SilenceTest, SpeaksOfTooLittleNotOfTooMuch) {
    SilenceTest well({.dispersion = 1}), more({.dispersion = 1}), half({.dispersion = 1});
    SampleRatioTest split({0.9, 0.1});
    for (int i = 0; i < 500; ++i) {
        well.update(90, 10, 0.1);
        more.update(50, 50, 0.1);
        half.update(95, 5, 0.1);
        split.update({95, 5});
    }
    EXPECT_FALSE(well.decided());
    EXPECT_EQ(well.p_value(), 1);
    EXPECT_FALSE(more.decided());
    EXPECT_TRUE(half.decided());
    EXPECT_TRUE(split.decided());
    EXPECT_NEAR(half.log_e_value(), split.log_e_value(), 0.02 * split.log_e_value());
}

TEST(SilenceTest, ManyIntervalsAreOneByOne) {
    const Counts baseline{90, 0, 70, 100, 0, 55}, canary{10, 0, 0, 0, 3, 5};
    const std::vector<double> shares{0.1, 0.1, 0.1, 0.2, 0.2, 0.05};
    SilenceTest one, many;
    for (std::size_t i = 0; i < baseline.size(); ++i) one.update(baseline[i], canary[i], shares[i]);
    many.update_many(baseline, canary, shares);
    EXPECT_EQ(encode(one.state()), encode(many.state()));
    EXPECT_EQ(code_of([&] { many.update_many(baseline, canary, std::vector<double>{0.1}); }), Code::argument_length);
    EXPECT_EQ(code_of([&] { many.update_many(baseline, Counts{1}, shares); }), Code::argument_length);
    EXPECT_EQ(code_of([&] {
                  many.update_many(Counts{1, -1}, Counts{1, 1}, std::vector<double>{0.1, 0.1});
              }),
              Code::argument_count);
    EXPECT_EQ(encode(one.state()), encode(many.state()));
}

TEST(SilenceTest, GoesOnFromItsState) {
    const SilenceOptions options{.alpha = 0.02, .tolerance = 0.3, .dispersion = 2};
    SilenceTest whole(options);
    whole.update(50, 5, 0.1);
    whole.update(70, 0, 0.1);
    SilenceTest later(options);
    later.restore(decode<SilenceState>(encode(whole.state())));
    for (SilenceTest* test : {&whole, &later}) test->update(200, 0, 0.2);
    EXPECT_EQ(encode(whole.state()), encode(later.state()));
    EXPECT_EQ(code_of([&] { SilenceTest().restore(whole.state()); }), Code::state_options);
    const auto broken = [&](const std::function<void(SilenceState&)>& spoil) {
        SilenceState state = whole.state();
        spoil(state);
        return code_of([&] { later.restore(state); });
    };
    EXPECT_EQ(broken([](SilenceState& state) { state.masses.pop_back(); }), Code::state_invariant);
    EXPECT_EQ(broken([](SilenceState& state) { state.masses[3] = std::nan(""); }), Code::state_invariant);
    EXPECT_EQ(broken([](SilenceState& state) { state.masses.assign(33, -std::numeric_limits<double>::infinity()); }),
              Code::state_invariant);
    EXPECT_EQ(broken([](SilenceState& state) { state.spent = 1.5; }), Code::state_invariant);
    EXPECT_EQ(broken([](SilenceState& state) { state.unheard = 0.5; }), Code::state_invariant);
    EXPECT_EQ(broken([](SilenceState& state) { state.log_quiet = std::nan(""); }), Code::state_invariant);
    EXPECT_EQ(broken([](SilenceState& state) { state.intervals = -1; }), Code::state_invariant);
    EXPECT_EQ(encode(whole.state()), encode(later.state()));
}

}  // namespace
}  // namespace serinus::sequential
