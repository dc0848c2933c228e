// States of the tests on counts, written once: data/reference/states.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/sequential/change_detector.hpp>
#include <serinus/sequential/rate.hpp>
#include <serinus/sequential/sample_ratio.hpp>
#include <serinus/sequential/threshold.hpp>

#include "support/state_fixture.hpp"

namespace serinus::sequential {
namespace {

constexpr Margin ratio(double value) { return {.ratio = value, .difference = {}}; }

/// Loads a fixture into a fresh test and compares what it says now, and after one more update, with what it said then.
template <class State, class Test, class Number, class Update>
void expect_loads(const std::string& name, Test test, const Number& number, const Update& update) {
    const auto fixture = state_fixture::read(name);
    test.restore(decode<State>(fixture.bytes));
    // Written again, it may be of a newer version; it is the same state.
    const std::vector<std::byte> again = encode(test.state());
    test.restore(decode<State>(again));
    EXPECT_EQ(encode(test.state()), again) << name;
    EXPECT_EQ(number(test), fixture.expected.at("now").get<double>()) << name;
    update(test);
    EXPECT_EQ(number(test), fixture.expected.at("after").get<double>()) << name;
}

const auto log_e_value = [](const auto& test) { return test.log_e_value(); };

TEST(CountStates, LoadForEver) {
    expect_loads<RateState>("rate_1", RateTest({.harm = Harm::either, .margin = ratio(1.5), .dispersion = 1.25}),
                            log_e_value, [](RateTest& test) {
                                test.update({7, 3.5}, {5, 0.5});
                            });
    expect_loads<SampleRatioState>("srmt_1", SampleRatioTest({0.6, 0.3, 0.1}, {.dispersion = 2}), log_e_value,
                                   [](SampleRatioTest& test) {
                                       test.update({50, 30, 40});
                                   });
    expect_loads<SampleRatioState>("srmt_point_1", SampleRatioTest({0.9, 0.1}, {.tolerance = 0}), log_e_value,
                                   [](SampleRatioTest& test) {
                                       test.update({50, 9});
                                   });
    expect_loads<ThresholdState>("thrs_1", ThresholdTest(250, {.harm = Harm::either, .margin = ratio(1.1)}),
                                 log_e_value, [](ThresholdTest& test) {
                                     test.update(std::vector<double>{1, 2, 300}, std::vector<double>{3, 400, 500});
                                 });
    expect_loads<ChangeState<RateState>>(
        "chng_1", ChangeDetector(RateTest({.margin = ratio(1.2)}), {.run_length = 300}),
        [](const auto& detector) { return detector.log_statistic(); },
        [](auto& detector) {
            detector.update(Rate{7, 3.5}, Rate{5, 0.5});
        });
}

}  // namespace
}  // namespace serinus::sequential
