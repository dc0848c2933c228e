#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <serinus/sequential/proportion.hpp>
#include <serinus/sequential/rate.hpp>
#include <serinus/sequential/start_mixture.hpp>

#include "support/code_of.hpp"
#include "support/data_dir.hpp"

namespace serinus::sequential {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr Margin ratio(double value) { return {.ratio = value, .difference = {}}; }

struct Pair {
    Rate baseline, canary;
};

/// Events at the given rates, exposures that change with every interval.
std::vector<Pair> events(double rate_b, double rate_c, int count, unsigned seed) {
    std::mt19937_64 random(seed);
    std::uniform_real_distribution<double> exposure(0.2, 1.8);
    std::vector<Pair> pairs;
    for (int i = 0; i < count; ++i) {
        const double e_b = 9 * exposure(random), e_c = exposure(random);
        std::poisson_distribution<std::int64_t> b(rate_b * e_b), c(rate_c * e_c);
        const std::int64_t x_b = b(random), x_c = c(random);
        pairs.push_back({{x_b, e_b}, {x_c, e_c}});
    }
    return pairs;
}

std::vector<RateOptions> every_kind() {
    std::vector<RateOptions> kinds;
    for (const Harm harm : {Harm::increase, Harm::decrease, Harm::either}) {
        for (const Side side : {Side::harm, Side::safe}) {
            for (const double margin : {1.0, 1.5}) {
                for (const bool interval : {true, false})
                    kinds.push_back({.harm = harm, .margin = ratio(margin), .side = side, .interval = interval});
            }
        }
    }
    return kinds;
}

std::string describe(const RateOptions& o) {
    return std::string(word(o.harm)) + " " + std::string(word(o.side)) + " " + std::to_string(*o.margin.ratio);
}

TEST(SequentialRateTest, AgreesWithFiftyDigitArithmetic) {
    std::ifstream file(data_dir() + "/reference/sequential/rate.json");
    const auto document = nlohmann::json::parse(file);
    int cases = 0, bounds = 0;
    for (const auto& c : document.at("cases")) {
        RateOptions options{.margin = ratio(c.at("ratio")), .dispersion = c.at("dispersion")};
        RateTest harm(options);
        options.side = Side::safe;
        RateTest safe(options);
        double size = 1;
        for (const auto& row : c.at("rows")) {
            const Rate b{row[0].get<std::int64_t>(), row[1]}, x{row[2].get<std::int64_t>(), row[3]};
            harm.update(b, x);
            safe.update(b, x);
            size += static_cast<double>(b.events + x.events);
        }
        // Sums of terms as large as the number of events are rounded at each step: 1e-15 of them, not of the result.
        const double tolerance = 1e-12 + 4e-16 * size;
        EXPECT_NEAR(harm.log_e_value(), c.at("harm").get<double>(), tolerance) << c.at("name");
        EXPECT_NEAR(safe.log_e_value(), c.at("safe").get<double>(), tolerance) << c.at("name");
        ++cases;
        if (!c.contains("lower")) continue;
        // Outward, and by no more than what interpolation may cost.
        const Evidence evidence = harm.evidence();
        const double lower = c.at("lower"), upper = c.at("upper").is_null() ? infinity : c.at("upper").get<double>();
        EXPECT_LE(evidence.lower, lower * (1 + 1e-9)) << c.at("name");
        EXPECT_GE(evidence.lower, lower * (1 - 1e-3)) << c.at("name");
        EXPECT_GE(evidence.upper, upper * (1 - 1e-9)) << c.at("name");
        if (std::isfinite(upper)) {
            EXPECT_LE(evidence.upper, upper * (1 + 1e-3)) << c.at("name");
        }
        ++bounds;
    }
    EXPECT_GE(cases, 18);
    EXPECT_GE(bounds, 15);
}

// Whole exposures: to the bit what ProportionTest makes of requests where it knows no level (as one does that was begun
// before version 3 of its state). Any unit: the same.
TEST(SequentialRateTest, IsProportionTestWithExposures) {
    for (const RateOptions& options : every_kind()) {
        RateTest rates(options), other_unit(options);
        ProportionTest shares(
            {.harm = options.harm, .margin = options.margin, .side = options.side, .interval = options.interval});
        ProportionState begun_before = shares.state();
        begun_before.level.clear();
        shares.restore(begun_before);
        std::mt19937_64 random(2);
        for (int i = 0; i < 40; ++i) {
            const auto x_b = static_cast<std::int64_t>(random() % 9), x_c = static_cast<std::int64_t>(random() % 5);
            const auto n_b = static_cast<std::int64_t>(500 + random() % 400);
            const auto n_c = static_cast<std::int64_t>(50 + random() % 40);
            rates.update({x_b, static_cast<double>(n_b)}, {x_c, static_cast<double>(n_c)});
            // A power of two, so that no exposure is rounded.
            other_unit.update({x_b, static_cast<double>(n_b) / 1024}, {x_c, static_cast<double>(n_c) / 1024});
            shares.update({x_b, n_b}, {x_c, n_c});
            ASSERT_EQ(rates.log_e_value(), shares.log_e_value()) << describe(options);
            ASSERT_EQ(rates.log_e_value(), other_unit.log_e_value()) << describe(options);
        }
        const Evidence a = rates.evidence(), b = shares.evidence(), c = other_unit.evidence();
        EXPECT_EQ(a.lower, b.lower);
        EXPECT_EQ(a.upper, b.upper);
        EXPECT_EQ(a.estimate, b.estimate);
        EXPECT_EQ(a.p_value, b.p_value);
        EXPECT_EQ(a.lower, c.lower);
        EXPECT_EQ(a.estimate, c.estimate);
    }
}

double poisson(int k, double mean) { return std::exp(k * std::log(mean) - mean - std::lgamma(k + 1.0)); }

// The proof, by summation: under Poisson counts the expected e-value is 1 at the margin and less inside, whatever the
// split, for both sides.
TEST(SequentialRateTest, ExpectedValueIsOneAtTheMargin) {
    for (const double margin : {1.0, 1.5, 3.0}) {
        for (const auto& [e_b, e_c] : {std::pair{1.0, 1.0}, {9.0, 0.7}, {0.3, 2.2}}) {
            for (const double level : {0.05, 2.0}) {
                for (const double inside : {1.0, 0.6}) {
                    const double mean_b = level * e_b, mean_c = level * margin * e_c;
                    const RateTest fresh_above({.margin = ratio(margin), .interval = false});
                    const RateTest fresh_below({.margin = ratio(margin), .side = Side::safe, .interval = false});
                    double harm = 0, safe = 0, mass = 0;
                    for (int x_b = 0; x_b <= 70; ++x_b) {
                        for (int x_c = 0; x_c <= 70; ++x_c) {
                            RateTest above = fresh_above, below = fresh_below;
                            above.update({x_b, e_b}, {x_c, e_c});
                            below.update({x_b, e_b}, {x_c, e_c});
                            const double p = poisson(x_b, mean_b) * poisson(x_c, mean_c * inside);
                            mass += p;
                            harm += p * std::exp(above.log_e_value());
                            safe +=
                                poisson(x_b, mean_b * inside) * poisson(x_c, mean_c) * std::exp(below.log_e_value());
                        }
                    }
                    ASSERT_NEAR(mass, 1, 1e-10);
                    if (inside == 1) {
                        // What lies beyond 70 events has weight e^delta each: below 1e-6 of the sum at these means.
                        EXPECT_NEAR(harm, 1, 1e-6);
                        EXPECT_NEAR(safe, 1, 1e-6);
                    } else {
                        EXPECT_LT(harm, 1);
                        EXPECT_LT(safe, 1);
                    }
                }
            }
        }
    }
}

TEST(SequentialRateTest, FindsHarmAndNamesIt) {
    RateTest harm({.margin = ratio(1.5)}), safe({.margin = ratio(3), .side = Side::safe});
    for (const Pair& pair : events(1, 3, 100, 3)) harm.update(pair.baseline, pair.canary);
    for (const Pair& pair : events(1, 1, 200, 4)) safe.update(pair.baseline, pair.canary);
    EXPECT_TRUE(harm.decided());
    EXPECT_TRUE(safe.decided());
    const Evidence evidence = harm.evidence();
    EXPECT_GT(evidence.lower, 1.5);
    EXPECT_LT(evidence.lower, evidence.estimate);
    EXPECT_GT(evidence.upper, evidence.estimate);
    EXPECT_NEAR(evidence.estimate, 3, 0.8);
    EXPECT_NEAR(evidence.confidence, 0.9, 1e-15);
    EXPECT_EQ(evidence.method, "conditional");
    EXPECT_LT(safe.evidence().upper, 3);
}

TEST(SequentialRateTest, DecreaseMirrorsIncrease) {
    for (const double margin : {1.0, 1.5}) {
        for (const Side side : {Side::harm, Side::safe}) {
            RateTest up({.harm = Harm::increase, .margin = ratio(margin), .side = side});
            RateTest down({.harm = Harm::decrease, .margin = ratio(margin), .side = side});
            for (const Pair& pair : events(2, 3, 40, 5)) {
                up.update(pair.baseline, pair.canary);
                down.update(pair.canary, pair.baseline);
                ASSERT_EQ(up.log_e_value(), down.log_e_value());
            }
            EXPECT_NEAR(up.evidence().lower * down.evidence().upper, 1, 1e-8);
            EXPECT_NEAR(up.evidence().upper * down.evidence().lower, 1, 1e-8);
        }
    }
}

TEST(SequentialRateTest, OneByOneIsBatchToTheBit) {
    for (const RateOptions& options : every_kind()) {
        RateTest single(options), many(options);
        std::vector<Rate> b, c;
        for (const Pair& pair : events(1, 1.4, 50, 6)) {
            single.update(pair.baseline, pair.canary);
            b.push_back(pair.baseline);
            c.push_back(pair.canary);
        }
        many.update_many(b, c);
        EXPECT_EQ(encode(single.state()), encode(many.state())) << describe(options);
        const auto before = encode(many.state());
        b.back().events = -1;
        EXPECT_EQ(code_of([&] { many.update_many(b, c); }), Code::argument_count);
        b.pop_back();
        EXPECT_EQ(code_of([&] { many.update_many(b, c); }), Code::argument_length);
        EXPECT_EQ(encode(many.state()), before);
    }
}

TEST(SequentialRateTest, MergedTestsKnowWhatBothKnew) {
    for (const RateOptions& options : every_kind()) {
        RateTest whole(options), first(options), second(options);
        const auto data = events(1, 1.4, 40, 8);
        for (std::size_t i = 0; i < 40; ++i) {
            whole.update(data[i].baseline, data[i].canary);
            (i % 2 == 0 ? first : second).update(data[i].baseline, data[i].canary);
        }
        first.merge(second);
        const Evidence merged = first.evidence(), all = whole.evidence();
        // Rounding: sums of some hundred terms of size 10, in another order.
        EXPECT_NEAR(merged.log_e_value, all.log_e_value, 1e-11) << describe(options);
        EXPECT_NEAR(merged.estimate, all.estimate, 1e-12) << describe(options);
        EXPECT_NEAR(merged.n_baseline, all.n_baseline, 1e-10);
        if (options.interval) {
            EXPECT_NEAR(merged.lower, all.lower, 1e-8) << describe(options);
        }
        const auto before = encode(first.state());
        RateTest begun(options);
        begun.add_start(0.5);
        EXPECT_EQ(code_of([&] { first.merge(begun); }), Code::state_options);
        EXPECT_EQ(code_of([&] { first.merge(RateTest({.alpha = 0.3})); }), Code::state_options);
        EXPECT_EQ(encode(first.state()), before);
    }
}

TEST(SequentialRateTest, WorksInAStartMixture) {
    StartMixture<RateTest> mixture(RateTest({.margin = ratio(1.5)}));
    const auto good = events(2, 2, 60, 9), bad = events(2, 8, 60, 10);
    mixture.begin(start_weight(0));
    for (const Pair& pair : good) mixture.update(pair.baseline, pair.canary);
    mixture.begin(start_weight(1));
    EXPECT_FALSE(mixture.decided());
    for (const Pair& pair : bad) mixture.update(pair.baseline, pair.canary);
    EXPECT_TRUE(mixture.decided());
    StartMixture<RateTest> again(RateTest({.margin = ratio(1.5)}));
    again.restore(decode<StartMixtureState<RateState>>(encode(mixture.state())));
    EXPECT_EQ(encode(again.state()), encode(mixture.state()));
}

TEST(SequentialRateTest, NoExposureIsNoInformation) {
    for (const RateOptions& options : every_kind()) {
        RateTest test(options);
        test.update({1, 10.5}, {2, 1.5});
        const auto before = encode(test.state());
        test.update({0, 0}, {2, 1.5});
        test.update({3, 10}, {0, 0});
        test.update({0, 0}, {0, 0});
        EXPECT_EQ(encode(test.state()), before) << describe(options);
        test.update({0, 5}, {0, 1});  // no events: the e-value stays, the exposure counts
        EXPECT_EQ(test.evidence().n_baseline, 15.5);
    }
    RateTest silent({.margin = ratio(2), .side = Side::safe});
    for (int i = 0; i < 1000; ++i) silent.update({0, 1000}, {0, 1000});
    EXPECT_NEAR(silent.log_e_value(), 0, 1e-12);
    EXPECT_FALSE(silent.decided());
    EXPECT_TRUE(std::isnan(silent.evidence().estimate));
}

TEST(SequentialRateTest, NothingOverflows) {
    constexpr std::int64_t most = std::int64_t{1} << 53;
    for (const RateOptions& options : every_kind()) {
        RateTest test(options);
        for (const Pair& pair :
             {Pair{{most, 1e300}, {most, 1e-300}}, Pair{{0, 5e-324}, {most, 5e-324}}, Pair{{most, 1}, {0, 1e300}},
              Pair{{0, 1e300}, {0, 1e300}}, Pair{{1, 1e-300}, {0, 1e300}}, Pair{{most, 1e300}, {most, 1e300}}}) {
            test.update(pair.baseline, pair.canary);
            const Evidence evidence = test.evidence();
            ASSERT_TRUE(std::isfinite(evidence.log_e_value)) << describe(options);
            ASSERT_FALSE(std::isnan(evidence.lower) || std::isnan(evidence.upper)) << describe(options);
            ASSERT_TRUE(evidence.p_value >= 0 && evidence.p_value <= 1);
        }
    }
}

TEST(SequentialRateTest, BadIntervalsAreRefusedAndChangeNothing) {
    RateTest test;
    test.update({1, 10}, {1, 10});
    const auto before = encode(test.state());
    constexpr std::int64_t most = std::int64_t{1} << 53;
    const double nan = std::nan("");
    for (const auto& [rate, code] : std::vector<std::pair<Rate, Code>>{{{-1, 10}, Code::argument_count},
                                                                       {{most + 1, 10}, Code::argument_count},
                                                                       {{1, 0}, Code::argument_range},
                                                                       {{0, -1}, Code::argument_range},
                                                                       {{0, nan}, Code::argument_range},
                                                                       {{0, infinity}, Code::argument_range},
                                                                       {{0, 1.1e300}, Code::argument_range}}) {
        EXPECT_EQ(code_of([&] { test.update(rate, {1, 10}); }), code);
        EXPECT_EQ(code_of([&] { test.update({1, 10}, rate); }), code);
        EXPECT_EQ(code_of([&] { test.update({0, 0}, rate); }), code);
    }
    EXPECT_EQ(encode(test.state()), before);
}

TEST(SequentialRateTest, StateRoundTripsToTheBitAndBadOnesAreRefused) {
    for (const RateOptions& options : every_kind()) {
        RateTest whole(options), first(options);
        const auto data = events(1, 1.5, 40, 7);
        for (std::size_t i = 0; i < 20; ++i) {
            whole.update(data[i].baseline, data[i].canary);
            first.update(data[i].baseline, data[i].canary);
        }
        const auto bytes = encode(first.state());
        EXPECT_LE(bytes.size(), 4096U);
        RateTest second(options);
        second.restore(decode<RateState>(bytes));
        for (std::size_t i = 20; i < 40; ++i) {
            whole.update(data[i].baseline, data[i].canary);
            second.update(data[i].baseline, data[i].canary);
        }
        EXPECT_EQ(encode(whole.state()), encode(second.state())) << describe(options);
    }
    RateTest test({.margin = ratio(1.5)});
    test.update({3, 1.5}, {5, 0.5});
    const auto before = encode(test.state());
    const auto restore = [&](const auto& spoil) {
        RateState state = test.state();
        spoil(state);
        const Code code = code_of([&] { test.restore(state); });
        EXPECT_EQ(encode(test.state()), before);
        return code;
    };
    EXPECT_EQ(restore([](RateState& s) { s.alpha = 0.01; }), Code::state_options);
    EXPECT_EQ(restore([](RateState& s) { s.ratio = 2; }), Code::state_options);
    EXPECT_EQ(restore([](RateState& s) { s.harm = Harm::either; }), Code::state_options);
    EXPECT_EQ(restore([](RateState& s) { s.events_b = -1; }), Code::state_invariant);
    EXPECT_EQ(restore([](RateState& s) { s.events_c = 0.5; }), Code::state_invariant);
    EXPECT_EQ(restore([](RateState& s) { s.exposure_c = infinity; }), Code::state_invariant);
    EXPECT_EQ(restore([](RateState& s) { s.exposure_c = 0; }), Code::state_invariant);
    EXPECT_EQ(restore([](RateState& s) { s.log_mass[0].pop_back(); }), Code::state_invariant);
    EXPECT_EQ(restore([](RateState& s) { s.log_mass.clear(); }), Code::state_invariant);
    EXPECT_EQ(restore([](RateState& s) { s.interval_numbers[7] = std::nan(""); }), Code::state_invariant);
    EXPECT_EQ(restore([](RateState& s) { s.log_largest = -1; }), Code::state_invariant);
    EXPECT_EQ(restore([](RateState&) {}), Code::none);
    EXPECT_EQ(code_of([&] { decode<RateState>(encode(ProportionTest().state())); }), Code::state_kind);
}

TEST(SequentialRateTest, BadOptionsAreRefused) {
    const auto code = [](const RateOptions& options) { return code_of([&] { RateTest test(options); }); };
    const double nan = std::nan("");
    for (const double alpha : {0.0, 1.0, nan}) {
        EXPECT_EQ(code({.alpha = alpha}), Code::argument_range);
        EXPECT_EQ(code({.alpha_safe = alpha}), Code::argument_range);
    }
    for (const double margin : {0.9, 1001.0, nan, infinity})
        EXPECT_EQ(code({.margin = ratio(margin)}), Code::argument_margin);
    EXPECT_EQ(code({.margin = {.ratio = {}, .difference = 0.1}}), Code::argument_margin);
    EXPECT_EQ(code({.margin = Margin{}}), Code::argument_margin);
    for (const double phi : {0.99, nan, infinity}) EXPECT_EQ(code({.dispersion = phi}), Code::argument_range);
}

}  // namespace
}  // namespace serinus::sequential
