#include <cmath>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/sequential/threshold.hpp>

#include "support/code_of.hpp"

namespace serinus::sequential {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr Margin ratio(double value) { return {.ratio = value, .difference = {}}; }
constexpr Margin difference(double value) { return {.ratio = {}, .difference = value}; }

using Values = std::vector<double>;
using Counts = std::vector<std::int64_t>;

/// Log-normal latencies around 100 ms, those of the canary times `factor`.
struct Latencies {
    explicit Latencies(unsigned seed) : random(seed) {}
    Values draw(std::size_t n, double factor = 1) {
        std::lognormal_distribution<double> law(std::log(100.0), 0.7);
        Values values(n);
        for (double& value : values) value = factor * law(random);
        return values;
    }
    std::mt19937_64 random;
};

std::vector<ThresholdOptions> every_kind() {
    std::vector<ThresholdOptions> kinds;
    for (const Harm harm : {Harm::increase, Harm::decrease, Harm::either}) {
        for (const Side side : {Side::harm, Side::safe}) {
            for (const Margin& margin : {ratio(1), ratio(1.25), difference(0), difference(50)})
                kinds.push_back({.harm = harm, .margin = margin, .side = side});
        }
    }
    return kinds;
}

std::string describe(const ThresholdOptions& o) {
    return std::string(word(o.harm)) + " " + std::string(word(o.side)) +
           (o.margin.ratio ? " ratio " + std::to_string(*o.margin.ratio)
                           : " difference " + std::to_string(*o.margin.difference));
}

// Against the definition: counts beyond tau and beyond the margin times tau, in a ProportionTest at ratio 1.
TEST(ThresholdTest, IsProportionTestOnExceedances) {
    const auto count = [](const Values& values, auto&& bad) {
        Proportion counts;
        for (const double value : values) {
            counts.bad += bad(value) ? 1 : 0;
            counts.total += 1;
        }
        return counts;
    };
    ThresholdTest up(250, {.margin = ratio(1.2)}), more(250, {.margin = difference(30)});
    ThresholdTest down(40, {.harm = Harm::decrease, .margin = ratio(1.25)});
    ProportionTest expect_up, expect_more, expect_down;
    Latencies latencies(1);
    for (int i = 0; i < 30; ++i) {
        const Values b = latencies.draw(90), c = latencies.draw(30, 1.4);
        up.update(b, c);
        more.update(b, c);
        down.update(c, b);
        expect_up.update(count(b, [](double x) { return x > 250; }), count(c, [](double x) { return x > 300; }));
        expect_more.update(count(b, [](double x) { return x > 250; }), count(c, [](double x) { return x > 280; }));
        expect_down.update(count(c, [](double x) { return x <= 40; }), count(b, [](double x) { return x <= 32; }));
        ASSERT_EQ(up.log_e_value(), expect_up.log_e_value());
        ASSERT_EQ(more.log_e_value(), expect_more.log_e_value());
        ASSERT_EQ(down.log_e_value(), expect_down.log_e_value());
    }
    EXPECT_EQ(up.evidence().lower, expect_up.evidence().lower);
    EXPECT_EQ(up.evidence().upper, expect_up.evidence().upper);
    EXPECT_EQ(up.evidence().p_value, expect_up.p_value());
    EXPECT_EQ(up.evidence().method, "threshold");
    EXPECT_EQ(up.evidence().n_baseline, 30 * 90);
    EXPECT_EQ(up.tested(), 1.2);
    EXPECT_EQ(more.tested(), 30);
}

TEST(ThresholdTest, FindsHarmAndRulesItOut) {
    ThresholdTest harm(250, {.margin = ratio(1.1)}), safe(250, {.margin = ratio(1.5), .side = Side::safe});
    Latencies latencies(2);
    for (int i = 0; i < 100; ++i) {
        harm.update(latencies.draw(50), latencies.draw(50, 1.5));
        safe.update(latencies.draw(50), latencies.draw(50));
    }
    EXPECT_TRUE(harm.decided());
    EXPECT_GT(harm.evidence().lower, 1);
    EXPECT_TRUE(safe.decided());
    EXPECT_LT(safe.evidence().upper, 1);
}

TEST(ThresholdTest, EitherIsTheMeanAndItsMirrorTheSmaller) {
    const auto make = [](Harm harm, Side side) {
        return ThresholdTest(100, {.harm = harm, .margin = ratio(1.2), .side = side});
    };
    ThresholdTest up = make(Harm::increase, Side::harm), down = make(Harm::decrease, Side::harm),
                  both = make(Harm::either, Side::harm);
    ThresholdTest safe_up = make(Harm::increase, Side::safe), safe_down = make(Harm::decrease, Side::safe),
                  safe = make(Harm::either, Side::safe);
    Latencies latencies(3);
    for (int i = 0; i < 30; ++i) {
        const Values b = latencies.draw(40), c = latencies.draw(40, 1.3);
        for (ThresholdTest* test : {&up, &down, &both, &safe_up, &safe_down, &safe}) test->update(b, c);
        ASSERT_NEAR(both.log_e_value(), std::log((std::exp(up.log_e_value()) + std::exp(down.log_e_value())) / 2),
                    1e-12);
        ASSERT_EQ(safe.log_e_value(), std::min(safe_up.log_e_value(), safe_down.log_e_value()));
    }
    EXPECT_DOUBLE_EQ(both.evidence().confidence, 0.95);
}

TEST(ThresholdTest, NanIsDroppedInfinitiesRankTiesDoNotExceed) {
    ThresholdTest test(10, {.margin = ratio(2)});
    test.update(Values{std::nan(""), 10, infinity, -infinity, 11}, Values{20, 21, std::nan(""), infinity});
    EXPECT_EQ(test.evidence().n_baseline, 4);
    EXPECT_EQ(test.evidence().n_canary, 3);
    EXPECT_NEAR(test.evidence().estimate, (2 / 3.0) / (2 / 4.0), 1e-15);
    const double before = test.log_e_value();
    test.update(Values{}, Values{30});
    test.update(Values{std::nan("")}, Values{30});
    EXPECT_EQ(test.log_e_value(), before);
    EXPECT_EQ(test.evidence().n_canary, 3);
}

const Values bounds{50, 100, 200, 250, 300, 400, infinity};

Counts histogram(const Values& values, std::size_t size) {
    Counts counts(size);
    for (const double value : values) {
        std::size_t i = 0;
        while (i < bounds.size() && value > bounds[i]) ++i;
        ++counts[std::min(i, size - 1)];
    }
    return counts;
}

TEST(ThresholdTest, BucketsAreValuesWhereBoundsAreThresholds) {
    for (const Harm harm : {Harm::increase, Harm::decrease, Harm::either}) {
        for (const Side side : {Side::harm, Side::safe}) {
            ThresholdTest values(200, {.harm = harm, .margin = ratio(2), .side = side}), buckets = values;
            Latencies latencies(4);
            for (int i = 0; i < 20; ++i) {
                const Values b = latencies.draw(60), c = latencies.draw(40, 1.4);
                values.update(b, c);
                buckets.update_buckets(bounds, histogram(b, bounds.size()), histogram(c, bounds.size()));
            }
            EXPECT_EQ(encode(values.state()), encode(buckets.state()));
            EXPECT_EQ(buckets.tested(), 2);
        }
    }
    // The last bound may be left out: one count more than bounds.
    const Values finite(bounds.begin(), bounds.end() - 1);
    ThresholdTest with(200, {.margin = ratio(2)}), without = with;
    with.update_buckets(bounds, Counts{1, 2, 3, 4, 5, 6, 7}, Counts{7, 6, 5, 4, 3, 2, 1});
    without.update_buckets(finite, Counts{1, 2, 3, 4, 5, 6, 7}, Counts{7, 6, 5, 4, 3, 2, 1});
    EXPECT_EQ(encode(with.state()), encode(without.state()));
}

TEST(ThresholdTest, BucketsTestTheMarginThatTheyCan) {
    const Counts counts{10, 10, 10, 10, 10, 10, 10};
    const auto tested = [&](double threshold, const ThresholdOptions& options) {
        ThresholdTest test(threshold, options);
        test.update_buckets(bounds, counts, counts);
        EXPECT_EQ(test.conclusive(), test.tested().has_value());
        return test.tested();
    };
    // Outward: 250 to 300 for 1.1; and from 230 to 250 first.
    EXPECT_EQ(tested(250, {.margin = ratio(1.1)}), 1.2);
    EXPECT_EQ(tested(230, {.margin = ratio(1.1)}), 1.2);
    EXPECT_EQ(tested(250, {.margin = difference(20)}), 50);
    EXPECT_EQ(tested(250, {.margin = ratio(1)}), 1);
    // A decrease: down to 200.
    EXPECT_EQ(tested(250, {.harm = Harm::decrease, .margin = ratio(1.1)}), 1.25);
    EXPECT_EQ(tested(270, {.harm = Harm::decrease, .margin = difference(20)}), 50);
    EXPECT_EQ(tested(250, {.harm = Harm::either, .margin = ratio(1.1)}), 1.25);
    // What is ruled out is never less than what was asked: inward.
    EXPECT_EQ(tested(250, {.margin = ratio(1.3), .side = Side::safe}), 1.2);
    EXPECT_EQ(tested(250, {.harm = Harm::decrease, .margin = ratio(1.3), .side = Side::safe}), 1.25);
    // No bound within 25 %: at 50 and 1.1, the next one is 100; beyond the last finite one there is none.
    EXPECT_EQ(tested(50, {.margin = ratio(1.1)}), std::nullopt);
    EXPECT_EQ(tested(400, {.margin = ratio(1.1)}), std::nullopt);
    EXPECT_EQ(tested(500, {}), std::nullopt);
    EXPECT_EQ(tested(30, {}), std::nullopt);
    ThresholdTest nothing(50, {.margin = ratio(1.1)});
    EXPECT_TRUE(nothing.conclusive());
    nothing.update_buckets(bounds, counts, counts);
    EXPECT_FALSE(nothing.conclusive());
    EXPECT_EQ(nothing.log_e_value(), 0);
    EXPECT_TRUE(std::isnan(nothing.evidence().estimate));
    nothing.update_buckets(Values{50, 55}, Counts{1, 2, 3}, Counts{3, 2, 1});
    EXPECT_TRUE(nothing.conclusive());
    // Bounds that change: the margin farthest from the one asked for is named.
    ThresholdTest changing(250, {.margin = ratio(1.1)});
    changing.update_buckets(bounds, counts, counts);
    changing.update_buckets(Values{250, 275}, Counts{1, 2, 3}, Counts{3, 2, 1});
    EXPECT_EQ(changing.tested(), 1.2);
}

// The null of the margin, exactly on it: the canary is 1.2 times the baseline in law. The expected e-value is at
// most 1.
TEST(ThresholdTest, ExpectedValueIsAtMostOneAtTheMargin) {
    // Values 1..6, as likely as on a die; the canary's 1.2 times that. Tau 4 and 1.2 tau = 4.8: both are exceeded by 2
    // of 6 faces. By outcomes of 3 dice an arm.
    for (const Side side : {Side::harm, Side::safe}) {
        const ThresholdTest fresh(4, {.margin = ratio(1.2), .side = side});
        double sum = 0;
        for (int i = 0; i < 216; ++i) {
            for (int j = 0; j < 216; ++j) {
                const auto face = [](int k, int place) {
                    return 1 + (place == 0 ? k : place == 1 ? k / 6 : k / 36) % 6;
                };
                Values b, c;
                for (int place = 0; place < 3; ++place) {
                    b.push_back(face(i, place));
                    c.push_back(1.2 * face(j, place));
                }
                ThresholdTest test = fresh;
                test.update(b, c);
                sum += std::exp(test.log_e_value()) / (216.0 * 216.0);
            }
        }
        EXPECT_LE(sum, 1 + 1e-12);
        EXPECT_GT(sum, 0.9);
    }
}

TEST(ThresholdTest, ManyAreOneByOne) {
    for (const ThresholdOptions& options : every_kind()) {
        Latencies latencies(21);
        std::vector<Values> baseline, canary;
        for (std::size_t t = 0; t < 25; ++t) {
            baseline.push_back(latencies.draw(t % 5 == 0 ? 0 : 30 + t));
            canary.push_back(latencies.draw(40 - t, 1.4));
        }
        ThresholdTest one(150, options), many(150, options);
        for (std::size_t t = 0; t < baseline.size(); ++t) one.update(baseline[t], canary[t]);
        many.update_many(std::vector<std::span<const double>>(baseline.begin(), baseline.end()),
                         std::vector<std::span<const double>>(canary.begin(), canary.end()));
        EXPECT_EQ(encode(many.state()), encode(one.state())) << describe(options);
    }
}

TEST(ThresholdTest, MergedTestsKnowWhatBothKnew) {
    for (const ThresholdOptions& options : every_kind()) {
        ThresholdTest whole(250, options), first(250, options), second(250, options);
        Latencies latencies(5);
        for (int i = 0; i < 20; ++i) {
            const Values b = latencies.draw(40), c = latencies.draw(40, 1.2);
            whole.update(b, c);
            (i < 10 ? first : second).update(b, c);
        }
        // As with ProportionTest: log-likelihoods add, node by node.
        const ThresholdState one = first.state(), other = second.state(), fresh = ThresholdTest(250, options).state();
        first.merge(second);
        for (std::size_t i = 0; i < one.tests.size(); ++i) {
            const std::vector<double> merged = first.state().tests[i].log_mass[0];
            for (std::size_t j = 0; j < merged.size(); ++j) {
                EXPECT_NEAR(merged[j],
                            one.tests[i].log_mass[0][j] + other.tests[i].log_mass[0][j] - fresh.tests[i].log_mass[0][j],
                            1e-11)
                    << describe(options);
            }
        }
        EXPECT_EQ(first.evidence().n_canary, whole.evidence().n_canary);
        EXPECT_NEAR(first.evidence().estimate, whole.evidence().estimate, 1e-12);
        EXPECT_EQ(first.tested(), whole.tested());
        const auto before = encode(first.state());
        EXPECT_EQ(code_of([&] { first.merge(ThresholdTest(251, options)); }), Code::state_options);
        EXPECT_EQ(code_of([&] { first.merge(ThresholdTest(250, {.alpha = 0.2})); }), Code::state_options);
        EXPECT_EQ(encode(first.state()), before);
    }
}

TEST(ThresholdTest, StateRoundTripsToTheBitAndBadOnesAreRefused) {
    for (const ThresholdOptions& options : every_kind()) {
        ThresholdTest whole(250, options), first(250, options);
        Latencies latencies(6);
        for (int i = 0; i < 20; ++i) {
            const Values b = latencies.draw(40), c = latencies.draw(40, 1.2);
            whole.update(b, c);
            if (i == 10) {
                ThresholdTest next(250, options);
                next.restore(decode<ThresholdState>(encode(first.state())));
                first = next;
            }
            first.update(b, c);
        }
        EXPECT_EQ(encode(first.state()), encode(whole.state())) << describe(options);
        EXPECT_LE(encode(first.state()).size(), 4096U);
    }
    ThresholdTest test(250, {.margin = ratio(1.5)});
    test.update(Values{1, 300}, Values{400, 3});
    const auto before = encode(test.state());
    const auto restore = [&](const auto& spoil) {
        ThresholdState state = test.state();
        spoil(state);
        const Code code = code_of([&] { test.restore(state); });
        EXPECT_EQ(encode(test.state()), before);
        return code;
    };
    EXPECT_EQ(restore([](ThresholdState& s) { s.threshold = 251; }), Code::state_options);
    EXPECT_EQ(restore([](ThresholdState& s) { s.difference = 3; }), Code::state_options);
    EXPECT_EQ(restore([](ThresholdState& s) { s.tests.clear(); }), Code::state_invariant);
    EXPECT_EQ(restore([](ThresholdState& s) { s.unusable = -1; }), Code::state_invariant);
    EXPECT_EQ(restore([](ThresholdState& s) { s.tested = infinity; }), Code::state_invariant);
    EXPECT_EQ(restore([](ThresholdState& s) { s.log_largest = std::nan(""); }), Code::state_invariant);
    EXPECT_EQ(restore([](ThresholdState& s) { s.tests[0].bad_b = 7; }), Code::state_invariant);
    EXPECT_EQ(restore([](ThresholdState& s) { s.tests[0].alpha = 0.3; }), Code::state_options);
    EXPECT_EQ(restore([](ThresholdState&) {}), Code::none);
}

TEST(ThresholdTest, BadInputIsRefused) {
    const auto code = [](double threshold, const ThresholdOptions& options) {
        return code_of([&] { ThresholdTest test(threshold, options); });
    };
    EXPECT_EQ(code(std::nan(""), {}), Code::argument_range);
    EXPECT_EQ(code(infinity, {}), Code::argument_range);
    EXPECT_EQ(code(0, {.margin = ratio(1.1)}), Code::argument_range);
    EXPECT_EQ(code(-5, {.margin = ratio(1.1)}), Code::argument_range);
    EXPECT_EQ(code(-5, {.margin = ratio(1)}), Code::none);
    EXPECT_EQ(code(-5, {.margin = difference(3)}), Code::none);
    EXPECT_EQ(code(5, {.alpha = 0}), Code::argument_range);
    EXPECT_EQ(code(5, {.margin = ratio(0.5)}), Code::argument_margin);
    EXPECT_EQ(code(5, {.margin = difference(-1)}), Code::argument_margin);
    EXPECT_EQ(code(5, {.margin = difference(infinity)}), Code::argument_margin);
    EXPECT_EQ(code(5, {.margin = Margin{}}), Code::argument_margin);
    EXPECT_EQ(code(5, {.dispersion = 0.5}), Code::argument_range);
    ThresholdTest test(250);
    test.update(Values{1, 300}, Values{400, 3});
    const auto before = encode(test.state());
    const Counts good{1, 1, 1};
    constexpr std::int64_t most = std::int64_t{1} << 53;
    EXPECT_EQ(code_of([&] { test.update_buckets(Values{}, good, good); }), Code::argument_length);
    EXPECT_EQ(code_of([&] { test.update_buckets(Values{1}, good, good); }), Code::argument_length);
    EXPECT_EQ(code_of([&] { test.update_buckets(Values{1, 2}, good, Counts{1}); }), Code::argument_length);
    EXPECT_EQ(code_of([&] { test.update_buckets(Values{2, 1}, good, good); }), Code::argument_range);
    EXPECT_EQ(code_of([&] { test.update_buckets(Values{1, 1}, good, good); }), Code::argument_range);
    EXPECT_EQ(code_of([&] { test.update_buckets(Values{1, std::nan("")}, good, good); }), Code::argument_range);
    EXPECT_EQ(code_of([&] { test.update_buckets(Values{1, 2}, good, Counts{1, -1, 1}); }), Code::argument_count);
    EXPECT_EQ(code_of([&] { test.update_buckets(Values{1, 2}, Counts{most, 1, 0}, good); }), Code::argument_count);
    EXPECT_EQ(encode(test.state()), before);
}

}  // namespace
}  // namespace serinus::sequential
