#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/slo/burn_report.hpp>

#include "support/burning_service.hpp"
#include "support/code_of.hpp"
#include "support/lengths.hpp"

namespace serinus::slo {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t minute = 60'000, hour = 60 * minute, day = 24 * hour;

TEST(BurnReport, IsWhatItsPartsSay) {
    const auto series = burning_service(0.02, 30, 28);
    const BurnReport report = burn_report(burning_objective, sre_workbook_policy(), series, {.windows = {10min, 1h}});
    // Those of the policy, of the options, an hour and the period, each once.
    std::vector<std::chrono::milliseconds> windows;
    for (const WindowBurn& window : report.windows) windows.push_back(window.window);
    EXPECT_EQ(windows,
              lengths({5 * minute, 10 * minute, 30 * minute, hour, 2 * hour, 6 * hour, day, 3 * day, 30 * day}));
    EXPECT_EQ(report.now, from_ms(burning_start_ms + 30 * hour));  // the newest sample

    BurnRate burn({.budget = 0.001, .windows = windows});
    for (const ServiceSeries& of : series) burn.add(burn.add_series(of.role), of.series.times_ms, of.series.values);
    const auto burns = burn.at(from_ms(burning_start_ms + 30 * hour));
    for (std::size_t i = 0; i < windows.size(); ++i) {
        EXPECT_EQ(report.windows[i].burn, burns[i].burn);
        EXPECT_EQ(report.windows[i].coverage, burns[i].coverage);
        ASSERT_EQ(report.past[i].size(), 24U);
        EXPECT_EQ(report.past[i].window, windows[i]);
        EXPECT_EQ(report.past[i].burn(23), burns[i].burn);  // the last one is now
    }
    EXPECT_EQ(report.windows[3].burn, 20);
    EXPECT_EQ(report.past[3].burn(11), burn.at(from_ms(burning_start_ms + 29 * hour))[3].burn);  // a window ago
    EXPECT_EQ(report.firing, Severity::page);
    EXPECT_EQ(report.alerts.size(), 4U);
    EXPECT_TRUE(report.has_data());
    EXPECT_FALSE(report.insufficient());
    EXPECT_EQ(report.budget.consumed, error_budget(burning_objective, report.windows.back()).consumed);
    EXPECT_EQ(report.time_to_exhaustion,
              time_to_exhaustion(burning_objective, report.budget.remaining, report.windows[3].burn));
    EXPECT_EQ(report.samples.taken, 2 * (30 * 60 + 1));
}

TEST(BurnReport, AConditionMustHaveHeldAtEveryEvaluation) {
    Policy policy{.conditions = {{.name = "quick", .long_window = 1h, .short_window = 5min, .factor = 10}}};
    const auto state = [&](std::chrono::milliseconds pending_for, std::chrono::milliseconds interval) {
        policy.conditions[0].pending_for = pending_for;
        const BurnReport report = burn_report(burning_objective, policy, burning_service(0.02, 2, 1),
                                              {.now = from_ms(burning_start_ms + 100 * minute), .interval = interval});
        return report.alerts[0].state;
    };
    // Half an hour of 20 times the budget's rate is 10 over an hour: it holds from the 91st minute on.
    EXPECT_EQ(state(0min, 1min), AlertState::firing);
    EXPECT_EQ(state(9min, 1min), AlertState::firing);
    EXPECT_EQ(state(10min, 1min), AlertState::pending);
    EXPECT_EQ(state(9min, 4min), AlertState::pending);  // seen to hold 8 minutes ago
}

TEST(BurnReport, WithoutDataNothingIsKnown) {
    const BurnReport report = burn_report(burning_objective, sre_workbook_policy(), {});
    EXPECT_EQ(report.now, Time());
    EXPECT_FALSE(report.has_data());
    EXPECT_FALSE(report.firing);
    EXPECT_TRUE(std::isnan(report.budget.remaining));
    EXPECT_TRUE(std::isnan(report.time_to_exhaustion.count()));
}

TEST(BurnReport, TooFewEventsAreSaid) {
    Policy policy = sre_workbook_policy();
    policy.min_events = 1e12;
    const BurnReport report = burn_report(burning_objective, policy, burning_service(0.02));
    EXPECT_TRUE(report.insufficient());
    EXPECT_FALSE(report.firing);
}

TEST(BurnReport, RefusesWhatMeansNothing) {
    const auto series = burning_service(0, 1);
    const Policy policy = sre_workbook_policy();
    EXPECT_EQ(code_of([&] { burn_report(burning_objective, policy, series, {.interval = 0ms}); }),
              Code::argument_range);
    EXPECT_EQ(code_of([&] { burn_report(burning_objective, policy, series, {.windows = {0ms}}); }),
              Code::argument_range);
    EXPECT_EQ(code_of([&] { burn_report({.budget = 0.1}, policy, series); }), Code::slo_never_fires);
}

}  // namespace
}  // namespace serinus::slo
