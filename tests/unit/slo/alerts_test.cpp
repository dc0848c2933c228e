#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/state.hpp>
#include <serinus/slo/alerts.hpp>
#include <serinus/slo/burn_statistics.hpp>

#include "support/code_of.hpp"
#include "support/lengths.hpp"

namespace serinus::slo {
using namespace std::chrono_literals;
namespace {

constexpr std::int64_t second = 1000, minute = 60 * second, hour = 60 * minute, day = 24 * hour;
const double nan = std::numeric_limits<double>::quiet_NaN();

WindowBurn window(std::int64_t ms, double bad, double total, double budget = 0.001) {
    WindowBurn burn{.window = std::chrono::milliseconds(ms), .bad = bad, .total = total};
    burn.ratio = bad / total;
    burn.burn = burn.ratio / budget;
    burn.status = status_of(bad, total);
    return burn;
}

const Objective availability{.name = "availability", .budget = 0.001};

Policy one(std::chrono::milliseconds pending_for = 0ms, std::chrono::milliseconds keep_firing_for = 0ms) {
    return {.conditions = {{.name = "one",
                            .long_window = 1h,
                            .short_window = 5min,
                            .factor = 10,
                            .pending_for = pending_for,
                            .keep_firing_for = keep_firing_for}}};
}

std::vector<WindowBurn> burning(double ratio) {
    return {window(5 * minute, ratio * 1e6, 1e6), window(hour, ratio * 1e6, 1e6)};
}

TEST(Alerts, BothWindowsMustExceedTheThresholdStrictly) {
    Alerts alerts(one(), availability);
    const auto fires = [&](double brief, double whole) {
        alerts.update(from_ms(0), std::vector{window(5 * minute, brief * 1e6, 1e6), window(hour, whole * 1e6, 1e6)});
        return alerts.alerts()[0].state == AlertState::firing;
    };
    EXPECT_TRUE(fires(0.010001, 0.010001));
    EXPECT_FALSE(fires(0.010001, 0.01));
    EXPECT_FALSE(fires(0.01, 0.010001));
    EXPECT_FALSE(fires(0.01, 0.01));
}

TEST(Alerts, TheRatioIsComparedWithTheProduct) {
    // 30 of 10,000 at budget 0.001 and factor 3: the ratio is the product's neighbour or itself; the quotient
    // ratio/budget rounds to 3 exactly or not. Prometheus compares ratio > 3 * 0.001.
    for (int factor = 1; factor <= 900; ++factor) {
        Policy policy = one();
        policy.conditions[0].factor = factor;
        Alerts alerts(policy, availability);
        alerts.update(from_ms(0), std::vector{window(5 * minute, factor, 1000), window(hour, factor, 1000)});
        const double ratio = factor / 1000.0;
        EXPECT_EQ(alerts.firing().has_value(), ratio > factor * 0.001) << factor;
    }
}

TEST(Alerts, WhatIsNotKnownDoesNotHold) {
    Alerts alerts(one(), availability);
    const auto status = [&](const WindowBurn& brief, const WindowBurn& whole) {
        alerts.update(from_ms(0), std::vector{brief, whole});
        EXPECT_EQ(alerts.alerts()[0].state, AlertState::inactive);
        return alerts.alerts()[0].status;
    };
    EXPECT_EQ(status(window(5 * minute, 0, 0), window(hour, 500, 1000)), BurnStatus::no_traffic);
    EXPECT_EQ(status(window(5 * minute, nan, 10), window(hour, 500, 1000)), BurnStatus::absent);
    EXPECT_EQ(status(window(5 * minute, 0, 0), window(hour, nan, nan)), BurnStatus::absent);
    EXPECT_EQ(status(window(5 * minute, 0, 10), window(hour, 500, 1000)), BurnStatus::ok);
}

TEST(Alerts, WaitFireAndGoOnFiringLikePrometheus) {
    Alerts alerts(one(2min, 3min), availability);
    const auto at = [&](std::int64_t t, bool holds) {
        alerts.update(from_ms(t * minute), burning(holds ? 0.5 : 0));
        return alerts.alerts()[0].state;
    };
    EXPECT_EQ(at(0, false), AlertState::inactive);
    EXPECT_EQ(at(1, true), AlertState::pending);
    EXPECT_EQ(at(2, true), AlertState::pending);
    EXPECT_EQ(at(3, true), AlertState::firing);
    EXPECT_EQ(alerts.alerts()[0].active_since, from_ms(minute));
    EXPECT_EQ(alerts.alerts()[0].firing_since, from_ms(3 * minute));
    EXPECT_EQ(at(4, false), AlertState::firing);  // kept: not held since 4
    EXPECT_EQ(at(5, true), AlertState::firing);   // holds again
    EXPECT_EQ(at(6, false), AlertState::firing);
    EXPECT_EQ(at(7, false), AlertState::firing);
    EXPECT_EQ(at(8, false), AlertState::firing);
    EXPECT_EQ(at(9, false), AlertState::inactive);  // 3 minutes since 6
    EXPECT_EQ(at(10, true), AlertState::pending);
    EXPECT_EQ(at(11, false), AlertState::inactive);  // pending is not kept
    EXPECT_EQ(at(12, true), AlertState::pending);    // and waits from the start
    EXPECT_EQ(at(13, true), AlertState::pending);
    EXPECT_EQ(at(14, true), AlertState::firing);
    EXPECT_EQ(code_of([&] { at(13, true); }), Code::data_order);
    EXPECT_EQ(alerts.alerts()[0].state, AlertState::firing);
}

TEST(Alerts, APageOutranksATicket) {
    Alerts alerts(sre_workbook_policy(), availability);
    EXPECT_EQ(alerts.windows().size(), 7U);
    std::vector<WindowBurn> burns;
    for (const std::chrono::milliseconds of : alerts.windows())
        burns.push_back(window(of.count(), of.count() >= 6 * hour ? 2 : 0, 1000));
    alerts.update(from_ms(0), burns);
    EXPECT_EQ(alerts.firing(), Severity::ticket);
    for (WindowBurn& burn : burns) burn = window(burn.window.count(), 500, 1000);
    alerts.update(from_ms(1), burns);
    EXPECT_EQ(alerts.firing(), Severity::page);
    EXPECT_EQ(alerts.pending(), std::nullopt);
    burns.pop_back();
    EXPECT_EQ(code_of([&] { alerts.update(from_ms(2), burns); }), Code::argument_range);
}

TEST(Alerts, LowTrafficIsReportedAsInsufficient) {
    Policy policy = one();
    policy.min_events = 100;
    Alerts few(policy, availability);
    few.update(from_ms(0), std::vector{window(5 * minute, 1, 5), window(hour, 1, 20)});
    EXPECT_EQ(few.alerts()[0].state, AlertState::inactive);
    EXPECT_EQ(few.alerts()[0].status, BurnStatus::insufficient);
    few.update(from_ms(1), std::vector{window(5 * minute, 1, 5), window(hour, 2, 100)});
    EXPECT_EQ(few.alerts()[0].state, AlertState::firing);

    policy.min_events = 0;
    policy.min_probability = 0.95;
    Alerts sure(policy, availability);
    // One of 90 is 11 times the budget; by chance at 10 times in every other case.
    sure.update(from_ms(0), std::vector{window(5 * minute, 1, 10), window(hour, 1, 90)});
    EXPECT_EQ(sure.alerts()[0].status, BurnStatus::insufficient);
    sure.update(from_ms(1), std::vector{window(5 * minute, 1, 10), window(hour, 5, 90)});
    EXPECT_EQ(sure.alerts()[0].state, AlertState::firing);
    for (const std::int64_t bad : {0, 1, 3, 20}) {
        EXPECT_EQ(burn_confidence(static_cast<double>(bad), 90, 10, 0.001),
                  probability_burn_exceeds({.bad = bad, .total = 90}, 0.001, 10));
    }
    EXPECT_GT(burn_confidence(5.5, 90.25, 10, 0.001), burn_confidence(5, 90.25, 10, 0.001));
    EXPECT_EQ(burn_confidence(95, 90, 10, 0.001), burn_confidence(90, 90, 10, 0.001));
    EXPECT_TRUE(std::isnan(burn_confidence(0, 0, 10, 0.001)));
    EXPECT_EQ(burn_confidence(90, 90, 1000, 0.001), 0);
}

// ---- detection and reset of the workbook's policy at 99.9 % over 30 d: a step from no errors to the rate e after a
// month of uniform traffic, evaluated every second.
//
//   detection = k B L/e (where e > k B), reset = S (1 - k B/e) after an incident longer than S

struct Yardstick {
    double rate;
    std::size_t condition;
    double detection, reset;  // seconds; 0: never
};

class Workbook : public testing::TestWithParam<Yardstick> {};

TEST_P(Workbook, DetectsAndResetsWhenTheFormulaSays) {
    const auto [rate, number, detection, reset] = GetParam();
    const Policy policy = sre_workbook_policy();
    const Condition condition = policy.conditions[number];
    // 1,000 requests a second, so that all the rates are whole counts; a sample every second.
    BurnRate burn({.budget = 0.001, .windows = {condition.short_window, condition.long_window}});
    const std::size_t bad = burn.add_series(Role::bad), total = burn.add_series(Role::total);
    const std::int64_t long_ms = condition.long_window.count(), short_ms = condition.short_window.count();
    const std::int64_t onset = long_ms + 5 * minute;
    // Long enough for detection, and for the short window to be full of errors.
    const std::int64_t length =
        std::max<std::int64_t>(short_ms, static_cast<std::int64_t>(detection * 1000)) + 10 * minute;
    double bads = 0;
    std::vector<std::int64_t> times;
    for (std::int64_t t = 0; t <= onset + length + short_ms + minute; t += second) {
        if (t > onset && t <= onset + length) bads += 1000 * rate;
        burn.add(bad, from_ms(t), std::round(bads));
        burn.add(total, from_ms(t), static_cast<double>(t));
        if (t > onset - minute) times.push_back(t);
    }
    const AlertHistory history = alerts_over({.conditions = {condition}}, availability, burn, times);
    if (detection == 0) {
        EXPECT_TRUE(history.by_condition[0].empty());
        return;
    }
    ASSERT_EQ(history.by_condition[0].size(), 1U);
    const FiringInterval fired = history.by_condition[0][0];
    // Strictly above: the first whole second after the formula's. The table of the formula's values is rounded.
    const double exact = condition.factor * 0.001 * static_cast<double>(long_ms) / 1000 / rate;
    EXPECT_NEAR(exact, detection, 0.5);
    EXPECT_NEAR(static_cast<double>(to_ms(fired.first) - onset) / 1000, exact, 1.001);
    const double formula = static_cast<double>(short_ms) / 1000 * (1 - condition.factor * 0.001 / rate);
    EXPECT_NEAR(formula, reset, 0.5);
    EXPECT_NEAR(static_cast<double>(to_ms(fired.last) + second - onset - length) / 1000, formula, 1.001);
}

INSTANTIATE_TEST_SUITE_P(Yardstick, Workbook,
                         testing::Values(Yardstick{1, 0, 51.84, 295.68}, Yardstick{1, 1, 129.6, 1789.2},
                                         Yardstick{1, 2, 259.2, 7178.4}, Yardstick{1, 3, 259.2, 21578.4},
                                         Yardstick{0.1, 0, 518.4, 256.8}, Yardstick{0.1, 1, 1296, 1692},
                                         Yardstick{0.1, 2, 2592, 6984}, Yardstick{0.1, 3, 2592, 21384},
                                         Yardstick{0.01, 0, 0, 0}, Yardstick{0.01, 1, 12'960, 720},
                                         Yardstick{0.01, 2, 25'920, 5040}, Yardstick{0.01, 3, 25'920, 19'440},
                                         Yardstick{0.002, 0, 0, 0}, Yardstick{0.002, 1, 0, 0},
                                         Yardstick{0.002, 2, 0, 0}, Yardstick{0.002, 3, 129'600, 10'800}),
                         [](const auto& case_of) {
                             return "rate_" + std::to_string(static_cast<int>(case_of.param.rate * 1000)) +
                                    "_condition_" + std::to_string(case_of.param.condition);
                         });

// slo.md, section 6: the severity goes on for 30 minutes once the 6 h pair has fired as well, for 5 if it has not.
TEST(WorkbookPage, ResetsWithItsSlowestPair) {
    const Policy policy = sre_workbook_policy();
    for (const std::int64_t length : {2 * minute, 10 * minute}) {  // the 6 h pair fires after 129.6 s
        BurnRate burn({.budget = 0.001, .windows = windows_of(policy)});
        const std::size_t bad = burn.add_series(Role::bad), total = burn.add_series(Role::total);
        const std::int64_t onset = 7 * hour;
        std::vector<std::int64_t> times;
        for (std::int64_t t = 0; t <= 9 * hour; t += second) {
            burn.add(bad, from_ms(t), static_cast<double>(std::clamp<std::int64_t>(t - onset, 0, length)));
            burn.add(total, from_ms(t), static_cast<double>(t));
            times.push_back(t);
        }
        const AlertHistory history = alerts_over(policy, availability, burn, times);
        ASSERT_EQ(history.of(Severity::page).size(), 1U);
        const double after =
            static_cast<double>(history.of(Severity::page)[0].last.time_since_epoch().count() - onset - length) / 1000;
        // Of the short window, what holds no more than its part of errors: 300 (1 - .0144), 1800 (1 - .006) seconds,
        // less where the incident was shorter than the window.
        const double quick = 300 - 300 * 0.0144, slow = 1800 - 1800 * 0.006;
        EXPECT_NEAR(after, length == 2 * minute ? quick : slow, 1.001);
    }
}

TEST(AlertsOver, SaysWhatUpdateSays) {
    std::mt19937_64 random(9);
    Policy policy = sre_workbook_policy();
    policy.conditions[0].pending_for = 2min;
    policy.conditions[1].keep_firing_for = 10min;
    policy.min_events = 50;
    policy.min_probability = 0.9;
    BurnRate burn({.budget = 0.001, .windows = windows_of(policy)});
    const std::size_t bad = burn.add_series(Role::bad), total = burn.add_series(Role::total);
    double bads = 0, totals = 0;
    std::vector<std::int64_t> times;
    for (std::int64_t t = 0; t < 2 * day; t += minute) {
        const bool trouble = (t / (2 * hour)) % 3 == 1;
        bads += trouble && random() % 4 == 0 ? 1 : 0;
        totals += static_cast<double>(random() % 4);
        burn.add(bad, from_ms(t), bads);
        burn.add(total, from_ms(t), totals);
        times.push_back(t);
    }
    const AlertHistory history = alerts_over(policy, availability, burn, times);
    Alerts alerts(policy, availability);
    std::vector<std::vector<FiringInterval>> expected(4);
    std::vector<bool> before(4, false);
    int fired = 0;
    for (const std::int64_t t : times) {
        alerts.update(from_ms(t), burn.at(from_ms(t)));
        for (std::size_t c = 0; c < 4; ++c) {
            const bool fires = alerts.alerts()[c].state == AlertState::firing;
            if (fires && !before[c]) expected[c].push_back({from_ms(t), from_ms(t)});
            if (fires) expected[c].back().last = from_ms(t);
            before[c] = fires;
            fired += fires;
        }
    }
    EXPECT_GT(fired, 100);
    EXPECT_EQ(history.by_condition, expected);
    EXPECT_EQ(code_of([&] { alerts_over(policy, {.budget = 0.002}, burn, times); }), Code::argument_range);
}

TEST(AlertsState, GoesOn) {
    const Policy policy = one(2min, 3min);
    Alerts alerts(policy, availability), other(policy, availability);
    for (std::int64_t t = 0; t < 40; ++t) {
        const auto burns = burning(t % 7 < 4 ? 0.5 : 0);
        alerts.update(from_ms(t * minute), burns);
        other.update(from_ms(t * minute), burns);
        EXPECT_EQ(encode(other.state()), encode(alerts.state()));
        Alerts next(policy, availability);
        next.restore(decode<AlertsState>(encode(other.state())));
        other = next;
    }
    EXPECT_EQ(code_of([&] { Alerts(policy, {.budget = 0.002}).restore(alerts.state()); }), Code::state_options);
    EXPECT_EQ(code_of([&] { Alerts(sre_workbook_policy(), availability).restore(alerts.state()); }),
              Code::state_options);
    AlertsState state = alerts.state();
    state.states[0] = AlertState::firing;
    state.active_since[0] = std::nullopt;
    EXPECT_EQ(code_of([&] { other.restore(state); }), Code::state_invariant);
}

}  // namespace
}  // namespace serinus::slo
