#include <cmath>
#include <cstdint>

#include <gtest/gtest.h>

#include <serinus/sequential/proportion.hpp>
#include <serinus/sequential/start_mixture.hpp>

namespace serinus::sequential {
namespace {

ProportionTest fresh(ProportionMethod method = ProportionMethod::automatic) {
    return ProportionTest({.margin = {.ratio = 1.5, .difference = {}}, .method = method, .interval = false});
}

TEST(StartWeight, AllOfThemSumToOne) {
    double sum = 0;
    const std::int64_t n = 1'000'000;
    for (std::int64_t j = n; j-- > 0;) sum += start_weight(j);
    // The tail beyond n is 2/(3 (zeta - 1) sqrt(n)) up to half a term.
    EXPECT_NEAR(sum + 2 / (3 * 1.6123753486854883 * std::sqrt(static_cast<double>(n))), 1, 1e-9);
    for (std::int64_t j = 0; j < 100; ++j) EXPECT_GT(start_weight(j), start_weight(j + 1));
}

// Against the definition: separate processes, each begun at its time, plus what is not spent. The level that the
// conditional method bets at is one for all of them.
TEST(StartMixture, IsTheWeightedSumOfFreshProcesses) {
    for (const ProportionMethod method : {ProportionMethod::conditional, ProportionMethod::block}) {
        StartMixture mixture(fresh(method));
        std::vector<ProportionTest> parts;
        std::vector<double> weights;
        double unspent = 1;
        for (int i = 0; i < 40; ++i) {
            if (i % 10 == 0) {
                const double weight = start_weight(i / 10);
                mixture.begin(weight);
                parts.push_back(fresh(method));
                ProportionState begun = parts.back().state();
                begun.level = mixture.test().state().level;
                parts.back().restore(begun);
                weights.push_back(weight);
                unspent -= weight;
            }
            const Proportion b{2 + i % 3, 200}, c{i < 20 ? 2 : 9, 200};
            mixture.update(b, c);
            double sum = unspent;
            for (std::size_t k = 0; k < parts.size(); ++k) {
                parts[k].update(b, c);
                sum += weights[k] * std::exp(parts[k].log_e_value());
            }
            ASSERT_NEAR(mixture.log_e_value(), std::log(sum), 1e-12) << i;
        }
    }
}

TEST(StartMixture, FindsLateHarmThatACarriedTestFindsLate) {
    const auto delay = [](bool restarts) {
        StartMixture mixture(fresh());
        for (int i = 0;; ++i) {
            if (restarts ? i % 30 == 0 : i == 0) mixture.begin(restarts ? start_weight(i / 30) : 1.0);
            mixture.update(Proportion{2, 200}, Proportion{i < 360 ? 2 : 10, 200});
            if (i >= 360 && mixture.decided()) return i - 359;
        }
    };
    EXPECT_LE(delay(true), 10);
    EXPECT_GE(delay(false), 50);
}

TEST(StartMixture, StateRoundTripsToTheBit) {
    StartMixture whole(fresh());
    whole.begin(0.5);
    whole.update(Proportion{1, 100}, Proportion{2, 100});
    const auto bytes = encode(whole.state());
    StartMixture copy(fresh());
    copy.restore(decode<decltype(copy.state())>(bytes));
    for (StartMixture<ProportionTest>* mixture : {&whole, &copy}) {
        mixture->begin(0.25);
        mixture->update(Proportion{1, 100}, Proportion{4, 100});
    }
    EXPECT_EQ(encode(whole.state()), encode(copy.state()));
    auto bad = whole.state();
    bad.spent = 2;
    EXPECT_THROW(copy.restore(bad), Error);
    EXPECT_EQ(encode(whole.state()), encode(copy.state()));
}

TEST(StartMixture, WeightsAreChecked) {
    StartMixture mixture(fresh());
    EXPECT_THROW(mixture.update(Proportion{1, 2}, Proportion{1, 2}), Error);
    EXPECT_EQ(mixture.log_e_value(), 0);
    for (const double weight : {0.0, -0.1, 1.1, std::nan("")}) EXPECT_THROW(mixture.begin(weight), Error);
    mixture.begin(0.7);
    EXPECT_THROW(mixture.begin(0.4), Error);
    mixture.begin(0.3);
    EXPECT_NEAR(mixture.spent(), 1, 1e-15);
}

}  // namespace
}  // namespace serinus::sequential
