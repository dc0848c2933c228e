// Error budgets in a rollout: how alpha is divided, what rolls back, holds, passes, pages and keeps quiet.

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/state.hpp>
#include <serinus/io/decision.hpp>
#include <serinus/rollout/monitor.hpp>
#include <serinus/rollout/monitor_state.hpp>

namespace serinus {
using namespace std::chrono_literals;
namespace {

constexpr std::int64_t origin = 1'795'382'480'000, interval = 10'000;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// 99.9 % over 30 days, so many events in them, and a metric that is muted, so that only the objective decides.
Plan plan_of(double expected_events, double max_budget = 0.2) {
    Plan plan;
    plan.name = "payments";
    plan.deployment = "payments-7";
    plan.interval = std::chrono::milliseconds(interval);
    plan.stages = {{.traffic = 0.1}, {.traffic = 0.5}};
    Metric metric;
    metric.name = "errors";
    metric.bad = "bad";
    metric.total = "total";
    metric.margin = {.ratio = 2.0, .difference = {}};
    metric.muted = true;
    plan.metrics = {metric};
    SloRule rule;
    rule.objective = {.name = "availability", .budget = 0.001, .expected_events = expected_events};
    rule.metric = "errors";
    rule.max_budget_per_release = max_budget;
    plan.slo = {rule};
    return plan;
}

struct Counts {
    double bad_b, total_b, bad_c, total_c;
};

Batch batch_of(int index, const Counts& c) {
    Batch batch;
    const std::int64_t time = origin + index * interval;
    const auto add = [&](const char* series, Arm arm, double value) {
        batch.series.push_back({series, arm, nan, {{time}, {value}, ""}});
    };
    add("bad", Arm::baseline, c.bad_b);
    add("total", Arm::baseline, c.total_b);
    add("bad", Arm::canary, c.bad_c);
    add("total", Arm::canary, c.total_c);
    return batch;
}

/// Observes the same counts in intervals [from, to).
Decision run(Monitor& monitor, int from, int to, const Counts& counts) {
    Decision decision = monitor.decision();
    for (int i = from; i < to; ++i) decision = monitor.observe(batch_of(i, counts), origin + (i + 1) * interval);
    return decision;
}

bool has(const std::vector<Reason>& reasons, Code code) {
    return std::any_of(reasons.begin(), reasons.end(), [&](const Reason& reason) { return reason.code == code; });
}

TEST(Slo, AlphaIsDividedOverMetricsAndObjectivesByWeight) {
    Plan plan = plan_of(1e6);
    plan.metrics.push_back(plan.metrics[0]);
    plan.metrics[1].name = "more";
    plan.metrics[1].muted = false;
    plan.metrics[1].weight = 3;
    plan.slo.push_back(plan.slo[0]);
    plan.slo[1].objective.name = "strict";
    plan.slo[1].weight = 4;
    EXPECT_EQ(alpha_split(plan), (std::vector<double>{0, 0.05 * 3 / 8}));
    EXPECT_EQ(slo_alpha_split(plan), (std::vector<double>{0.05 / 8, 0.05 * 4 / 8}));
    const Decision decision = Monitor(plan).decision();
    ASSERT_EQ(decision.burn.size(), 2U);
    EXPECT_EQ(decision.burn[1].alpha, 0.025);
    // The halt and the cap of an objective have half of its share each.
    EXPECT_NEAR(decision.burn[1].halt.needed_log_e_value, std::log(2 / 0.025), 1e-12);
    EXPECT_NEAR(decision.burn[1].share.confidence, 1 - 0.0125 - 0.05, 1e-12);
    EXPECT_NEAR(decision.metrics[1].alpha, 0.05 * 3 / 8, 1e-15);
}

// 2,000 bad events are the month's budget, 400 a release's. 3 extra an interval.
TEST(Slo, HoldsPassesAndRollsBackByTheBoundsOfTheShare) {
    Monitor monitor(plan_of(2e6));
    EXPECT_EQ(monitor.decision().burn[0].verdict, Verdict::no_data);
    const Counts counts{9, 900, 4, 100};
    Verdict before = Verdict::pass;
    int open_from = 0, failed_at = 0;
    for (int i = 0; i < 300 && failed_at == 0; ++i) {
        const Decision d = run(monitor, i, i + 1, counts);
        const BurnResult& burn = d.burn[0];
        EXPECT_NEAR(burn.share.estimate, 3.0 * (i + 1) / 2000, 1e-12);
        EXPECT_LE(burn.share.lower, burn.share.estimate);
        EXPECT_GE(burn.share.upper, burn.share.estimate);
        switch (burn.verdict) {
            case Verdict::pass:
                EXPECT_EQ(before, Verdict::pass);
                EXPECT_LT(burn.share.upper, 0.2);
                EXPECT_EQ(d.action, Action::hold);  // the page below holds it
                EXPECT_TRUE(has(burn.reasons, Code::budget_kept));
                break;
            case Verdict::inconclusive:
                if (open_from == 0) open_from = i;
                EXPECT_GE(burn.share.upper, 0.2);
                EXPECT_LT(burn.share.lower, 0.2);
                EXPECT_EQ(d.action, Action::hold);
                EXPECT_TRUE(has(burn.reasons, Code::budget_open));
                break;
            case Verdict::fail:
                failed_at = i;
                EXPECT_GE(burn.share.lower, 0.2);
                EXPECT_EQ(d.action, Action::rollback);
                EXPECT_EQ(d.severity, Severity::page);
                ASSERT_FALSE(d.reasons.empty());
                EXPECT_EQ(d.reasons[0].code, Code::budget_exceeded);
                EXPECT_EQ(d.reasons[0].metric, "availability");
                EXPECT_FALSE(d.reasons[0].outside_alpha);
                EXPECT_EQ(burn.dedupe_key, "payments-7/availability/page");
                break;
            case Verdict::no_data: FAIL();
        }
        before = burn.verdict;
    }
    // The estimate meets the cap at interval 133; the bounds say so some standard deviations earlier and later.
    EXPECT_GT(open_from, 90);
    EXPECT_LT(open_from, 133);
    EXPECT_GT(failed_at, 133);
    EXPECT_LT(failed_at, 180);
    // Verdicts latch.
    EXPECT_EQ(run(monitor, failed_at + 1, failed_at + 200, {9, 900, 0, 100}).action, Action::rollback);
}

TEST(Slo, APassPromotes) {
    Monitor monitor(plan_of(2e6));
    const Decision d = run(monitor, 0, 20, {0, 900, 0, 100});
    EXPECT_EQ(d.burn[0].verdict, Verdict::pass);
    EXPECT_EQ(d.action, Action::promote);
    EXPECT_EQ(d.severity, Severity::info);
    EXPECT_TRUE(d.burn[0].dedupe_key.empty());
    EXPECT_FALSE(has(d.reasons, Code::nothing_to_judge));
}

TEST(Slo, TheShareIsOfAllStagesTogether) {
    Monitor monitor(plan_of(2e6));
    run(monitor, 0, 50, {9, 900, 4, 100});
    monitor.enter_stage(2, origin + 50 * interval);
    const Decision d = run(monitor, 50, 60, {5, 500, 8, 500});
    EXPECT_EQ(d.stage, 2);
    EXPECT_NEAR(d.burn[0].share.estimate, (3.0 * 50 + 3 * 10) / 2000, 1e-12);
    EXPECT_NEAR(d.burn[0].share.total, (4.0 * 50 + 8 * 10) / 2000, 1e-12);
}

// Half of the budget in an hour is a burn rate of 360, 36 % of bad requests beyond the baseline's.
TEST(Slo, HaltsWhenAllTrafficOnTheCanaryWouldEatTheBudget) {
    Monitor monitor(plan_of(1e12));  // so many events that the cap is out of reach
    const Decision d = run(monitor, 0, 10, {1, 900, 60, 100});
    EXPECT_EQ(d.action, Action::rollback);
    const BurnResult& burn = d.burn[0];
    EXPECT_EQ(burn.verdict, Verdict::fail);
    EXPECT_EQ(d.reasons[0].code, Code::burn_halt);
    EXPECT_EQ(sentence(d.reasons[0]).find("?"), std::string::npos) << sentence(d.reasons[0]);
    EXPECT_FALSE(has(d.reasons, Code::budget_exceeded));
    EXPECT_NEAR(burn.halt.factor, 360, 1e-9);
    EXPECT_EQ(burn.halt.window, std::chrono::hours(1));
    EXPECT_NEAR(burn.projected_burn, 600, 1e-9);
    EXPECT_NEAR(burn.canary_burn, 600, 1e-9);
    EXPECT_LT(burn.canary_lower, 600);
    EXPECT_GT(burn.canary_upper, 600);
    EXPECT_NEAR(burn.service_burn, 61, 1e-9);
}

// An outage of both arms is not the canary's: it pages, and rolls nothing back.
TEST(Slo, ASharedOutagePagesAndRollsNothingBack) {
    Monitor monitor(plan_of(2e6));
    const Decision d = run(monitor, 0, 200, {540, 900, 60, 100});
    EXPECT_EQ(d.action, Action::hold);
    EXPECT_EQ(d.severity, Severity::page);
    EXPECT_EQ(d.burn[0].alert, Severity::page);
    EXPECT_TRUE(has(d.reasons, Code::burn_service));
    EXPECT_EQ(d.burn[0].dedupe_key, "payments-7/availability/page");
    EXPECT_EQ(d.burn[0].share.estimate, 0);
}

TEST(Slo, RawBurnAlertsWithoutRollingBack) {
    // 2 % of the canary's requests fail: 20 times the budget's rate; the service with its 10 % of traffic burns at 2.
    Monitor monitor(plan_of(1e9));
    const Decision paged = run(monitor, 0, 100, {0, 900, 2, 100});
    EXPECT_EQ(paged.action, Action::hold);
    EXPECT_EQ(paged.severity, Severity::page);
    EXPECT_EQ(paged.burn[0].verdict, Verdict::pass);
    EXPECT_TRUE(has(paged.burn[0].reasons, Code::burn_canary));
    EXPECT_TRUE(has(paged.burn[0].reasons, Code::burn_service));  // of the ticket at 1
    // 4 times: a ticket (3 in a day and in 2 hours), which holds nothing up.
    Plan plan = plan_of(1e9);
    Monitor slower(plan);
    const Decision told = run(slower, 0, 100, {0, 4500, 2, 500});
    EXPECT_EQ(told.severity, Severity::ticket);
    EXPECT_EQ(told.action, Action::promote);
    EXPECT_EQ(told.burn[0].dedupe_key, "payments-7/availability/ticket");
    ASSERT_EQ(told.burn[0].windows.size(), 7U);
    for (const BurnWindow& window : told.burn[0].windows) {
        EXPECT_EQ(window.status, slo::BurnStatus::ok);
        EXPECT_NEAR(window.canary, 4, 1e-12);
        EXPECT_NEAR(window.service, 0.4, 1e-12);
    }
    EXPECT_NEAR(told.burn[0].windows[0].coverage, 1, 1e-12);              // 5 minutes
    EXPECT_NEAR(told.burn[0].windows[2].coverage, 1000.0 / 3600, 1e-12);  // an hour
}

TEST(Slo, AlertsEndWhenTheShortWindowIsCleanAgain) {
    Monitor monitor(plan_of(1e9));
    EXPECT_EQ(run(monitor, 0, 100, {0, 900, 2, 100}).burn[0].alert, Severity::page);
    EXPECT_EQ(run(monitor, 100, 115, {0, 900, 0, 100}).burn[0].alert, Severity::page);
    EXPECT_NE(run(monitor, 115, 300, {0, 900, 0, 100}).burn[0].alert, Severity::page);
    // Silence empties the windows as well, passed in one step or in many.
    Monitor once(plan_of(1e9));
    run(once, 0, 100, {0, 900, 2, 100});
    Monitor often = once;
    for (const int end : {125, 130, 200, 270, 290, 30'000}) {
        const Decision a = once.observe({}, origin + end * interval);
        Decision b = often.decision();
        for (int i = 101; i <= end; i += 1 + i / 200) b = often.observe({}, origin + i * interval);
        b = often.observe({}, origin + end * interval);
        EXPECT_EQ(a.burn[0].alert, b.burn[0].alert);
        EXPECT_EQ(a.burn[0].dedupe_key, b.burn[0].dedupe_key);
        const SloState one = once.state().slo[0], many = often.state().slo[0];
        EXPECT_EQ(one.canary.active_since, many.canary.active_since);
        EXPECT_EQ(one.service.active_since, many.service.active_since);
        EXPECT_EQ(one.service.ceased, many.service.ceased);
        if (end == 30'000) {
            EXPECT_FALSE(a.burn[0].alert);
            EXPECT_EQ(a.burn[0].windows.back().status, slo::BurnStatus::absent);
        } else {
            // What fell silent while it burnt goes on burning until the short window of 30 minutes is empty, too.
            EXPECT_EQ(a.burn[0].alert == Severity::page, end < 280) << end;
        }
    }
}

TEST(Slo, ForAndKeepFiringForDelayBothEdges) {
    Plan plan = plan_of(1e9);
    plan.slo[0].policy.conditions = {{.name = "quick",
                                      .long_window = 1min,
                                      .short_window = 30s,
                                      .factor = 10,
                                      .severity = Severity::ticket,
                                      .pending_for = 1min,
                                      .keep_firing_for = 2min}};
    Monitor monitor(plan);
    std::vector<int> firing;
    for (int i = 0; i < 60; ++i) {
        const Decision d = run(monitor, i, i + 1, {0, 900, i >= 10 && i < 20 ? 10.0 : 0.0, 100});
        if (d.burn[0].alert) firing.push_back(i);
    }
    // It holds from interval 10 on, so 60 s later is 16. The 30 s are clean again at 22, and 120 s later is 34.
    ASSERT_FALSE(firing.empty());
    EXPECT_EQ(firing.front(), 16);
    EXPECT_EQ(firing.back(), 33);
    EXPECT_EQ(firing.size(), 18U);
}

TEST(Slo, WarmUpIsNotJudgedAndItsAlertsAreSuppressedUnlessTheServiceBurns) {
    Plan plan = plan_of(2e6);
    plan.warm_up = std::chrono::milliseconds(12 * interval);
    Monitor monitor(plan);
    const Decision cold = run(monitor, 0, 10, {0, 39'900, 20, 100});  // 200 times; the service half
    EXPECT_TRUE(cold.burn[0].suppressed);
    EXPECT_TRUE(has(cold.burn[0].reasons, Code::burn_suppressed));
    EXPECT_EQ(cold.burn[0].verdict, Verdict::no_data);
    EXPECT_NE(cold.severity, Severity::page);
    EXPECT_TRUE(std::isnan(cold.burn[0].share.estimate));
    EXPECT_NEAR(cold.burn[0].windows[0].canary, 200, 1e-9);
    // Once warm, what happened while it was cold alerts no more: 5 minutes still hold it.
    const Decision warm = run(monitor, 10, 20, {0, 39'900, 0, 100});
    EXPECT_FALSE(warm.burn[0].suppressed);
    EXPECT_NE(warm.burn[0].alert, Severity::page);
    EXPECT_GT(warm.burn[0].windows[0].canary, 14.4);
    EXPECT_EQ(warm.burn[0].share.estimate, 0);
    // The service in danger is told at once.
    Monitor burning(plan);
    const Decision danger = run(burning, 0, 5, {1200, 39'900, 20, 100});
    EXPECT_FALSE(danger.burn[0].suppressed);
    EXPECT_EQ(danger.severity, Severity::page);
    EXPECT_NE(danger.action, Action::rollback);
}

TEST(Slo, LowTrafficGatesAlerts) {
    Plan plan = plan_of(1e9);
    const Counts one_error{0, 9, 0, 1};
    for (const bool gated : {false, true}) {
        plan.slo[0].policy.min_events = gated ? 200 : 0;
        Monitor monitor(plan);
        run(monitor, 0, 29, one_error);
        const Decision d = run(monitor, 29, 30, {0, 9, 1, 1});  // one of 30
        EXPECT_EQ(d.burn[0].alert == Severity::page, !gated);
    }
    plan.slo[0].policy.min_events = 0;
    plan.slo[0].policy.min_probability = 0.95;
    Monitor monitor(plan);
    run(monitor, 0, 49, one_error);
    EXPECT_NE(run(monitor, 49, 50, {0, 9, 1, 1}).burn[0].alert, Severity::page);
    EXPECT_EQ(run(monitor, 50, 53, {0, 9, 1, 1}).burn[0].alert, Severity::page);
}

TEST(Slo, WithoutExpectedEventsTheyComeOfTheTraffic) {
    Plan plan = plan_of(1);
    plan.slo[0].objective.expected_events.reset();
    Monitor monitor(plan);
    const Decision d = run(monitor, 0, 60, {9, 900, 1, 100});
    // 1,000 in 10 seconds for 30 days.
    EXPECT_NEAR(d.burn[0].share.expected_events, 1000.0 * 6 * 60 * 24 * 30, 1e-3);
    EXPECT_TRUE(d.burn[0].share.measured);
    EXPECT_TRUE(has(d.burn[0].reasons, Code::expected_events_measured));
    // A baseline that is only a part of what the canary leaves: its share of the traffic says how much there is.
    Monitor part(plan);
    EXPECT_NEAR(run(part, 0, 60, {1, 100, 1, 100}).burn[0].share.expected_events, 1000.0 * 6 * 60 * 24 * 30, 1e-3);
}

TEST(Slo, NothingFailsOrPassesOnPoorData) {
    Plan plan = plan_of(1000);
    plan.slo[0].max_budget_per_release = 1;  // 1 bad event: refused
    EXPECT_THROW(check(plan), Error);
    plan = plan_of(1e5);  // 20 bad events
    plan.metrics[0].min_count = 1e6;
    Monitor monitor(plan);
    const Decision d = run(monitor, 0, 60, {9, 900, 50, 100});
    EXPECT_EQ(d.burn[0].verdict, Verdict::inconclusive);
    EXPECT_EQ(d.action, Action::hold);
    EXPECT_GT(d.burn[0].share.lower, 0.2);
}

TEST(Slo, RestartInTheMiddleChangesNothing) {
    Plan plan = plan_of(2e6);
    plan.warm_up = 30s;
    std::mt19937_64 random(11);
    std::vector<Counts> all;
    for (int i = 0; i < 120; ++i) {
        const auto draw = [&](int n, double p) { return double(std::binomial_distribution<int>(n, p)(random)); };
        all.push_back({draw(900, 0.01), 900, draw(100, i < 40 ? 0.01 : 0.06), 100});
    }
    Monitor whole(plan);
    for (int cut = 0; cut < 120; ++cut) {
        const Decision expected = run(whole, cut, cut + 1, all[static_cast<std::size_t>(cut)]);
        if (cut % 17 != 0) continue;
        Monitor resumed(plan);
        resumed.restore(decode<MonitorState>(encode(whole.state())));
        EXPECT_EQ(encode(resumed.state()), encode(whole.state()));
        EXPECT_EQ(io::write_decision(resumed.decision()), io::write_decision(expected));
    }
    Monitor first(plan), second(plan);
    for (int i = 0; i < 60; ++i) run(first, i, i + 1, all[static_cast<std::size_t>(i)]);
    second.restore(first.state());
    for (int i = 60; i < 120; ++i) run(second, i, i + 1, all[static_cast<std::size_t>(i)]);
    EXPECT_EQ(encode(second.state()), encode(whole.state()));
}

/// Counters of both arms every interval, with an outage of the canary, a restart of the baseline and a gap.
struct Scraped {
    std::vector<std::int64_t> times;
    std::array<std::vector<double>, 2> bad, total;  // by arm
};

Scraped scraped(int intervals) {
    std::mt19937_64 random(23);
    std::array<double, 2> bad{}, total{};
    Scraped all;
    for (int i = 0; i < intervals; ++i) {
        for (std::size_t arm = 0; arm < 2; ++arm) {
            if (arm == 0 && i == intervals / 3) bad[arm] = total[arm] = 0;
            const int requests = std::poisson_distribution<int>(arm == 0 ? 900.0 : 100.0)(random);
            const bool outage = arm == 1 && i > intervals / 2 && i < intervals / 2 + 40;
            total[arm] += requests;
            bad[arm] += std::binomial_distribution<int>(requests, outage ? 0.3 : 0.001)(random);
        }
        if (i > intervals / 4 && i < intervals / 4 + 30) continue;
        all.times.push_back(origin + i * interval);
        for (std::size_t arm = 0; arm < 2; ++arm) {
            all.bad[arm].push_back(bad[arm]);
            all.total[arm].push_back(total[arm]);
        }
    }
    return all;
}

std::uint64_t bits(double value) { return std::isnan(value) ? 0 : std::bit_cast<std::uint64_t>(value); }

// One definition: the gate in the rollout says what a BurnRate says of the same counters, to the last bit, and alerts
// when `slo::Alerts` does.
TEST(Slo, TheWindowsAreThoseOfABurnRateOnTheSameSamples) {
    Plan plan = plan_of(1e9);
    plan.metrics[0].counter = true;
    Monitor monitor(plan);
    const Scraped data = scraped(3000);
    const auto windows = slo::windows_of(slo::sre_workbook_policy());
    struct Of {
        slo::BurnRate burn;
        slo::Alerts alerts;
        std::vector<std::size_t> ids;
    };
    // Of all samples, and thinned as the Monitor is; of the canary, and of both arms.
    std::vector<Of> all;
    for (const slo::Keep keep : {slo::Keep::all, slo::Keep::thinned}) {
        for (const int arms : {1, 2}) {
            Of& of = all.emplace_back(Of{slo::BurnRate({.budget = 0.001,
                                                        .windows = windows,
                                                        .keep = keep,
                                                        .interval = std::chrono::milliseconds(interval)}),
                                         slo::Alerts(slo::sre_workbook_policy(), plan.slo[0].objective),
                                         {}});
            for (int i = 0; i < arms; ++i) {
                of.ids.push_back(of.burn.add_series(slo::Role::bad));
                of.ids.push_back(of.burn.add_series(slo::Role::total));
            }
        }
    }
    int pages = 0, compared = 0, of_all = 0;
    for (std::size_t i = 0; i < data.times.size(); ++i) {
        const std::int64_t now = data.times[i];
        Batch batch;
        for (const Arm arm : {Arm::canary, Arm::baseline}) {
            const auto at = static_cast<std::size_t>(arm);
            batch.series.push_back({"bad", arm, nan, {{now}, {data.bad[at][i]}, ""}});
            batch.series.push_back({"total", arm, nan, {{now}, {data.total[at][i]}, ""}});
            for (Of& of : all) {
                const std::size_t first = arm == Arm::canary ? 0 : 2;
                if (first >= of.ids.size()) continue;
                of.burn.add(of.ids[first], from_ms(now), data.bad[at][i]);
                of.burn.add(of.ids[first + 1], from_ms(now), data.total[at][i]);
            }
        }
        const BurnResult found = monitor.observe(batch, now).burn[0];
        for (Of& of : all) of.alerts.update(from_ms(now), of.burn.at(from_ms(now)));
        if (i == 0) continue;  // nothing has been counted yet
        ASSERT_EQ(found.windows.size(), windows.size());
        for (const BurnWindow& window : found.windows) {
            for (std::size_t k = 0; k < all.size(); ++k) {
                const auto burns = all[k].burn.at(from_ms(now));
                const auto& burn = *std::find_if(burns.begin(), burns.end(),
                                                 [&](const auto& of) { return of.window == window.window; });
                const bool canary = k % 2 == 0;
                // What is thinned beyond two hours is exact where the window's edge falls on a whole minute.
                if (k < 2 && window.window > std::chrono::hours(2) && now % 60'000 != 0) continue;
                ASSERT_EQ(bits(canary ? window.canary : window.service), bits(burn.burn))
                    << i << " " << window.window.count() << " " << k;
                if (canary) {
                    EXPECT_EQ(window.status, burn.status);
                    EXPECT_EQ(window.coverage, burn.coverage) << i << " " << window.window.count();
                }
                ++compared;
                of_all += k < 2;
            }
        }
        const auto gravest = [&](std::size_t canary, std::size_t service) {
            std::optional<Severity> severity = all[canary].alerts.firing();
            if (const auto other = all[service].alerts.firing(); other && (!severity || *other < *severity))
                severity = other;
            return severity;
        };
        ASSERT_EQ(found.alert, gravest(2, 3)) << i;
        pages += found.alert == Severity::page;
    }
    EXPECT_GT(pages, 100);
    EXPECT_LT(pages, 1000);
    EXPECT_GT(compared, 60'000);
    EXPECT_GT(of_all, 25'000);
}

// Days of a rollout take no more than the tiers of a BurnRate do: 0.8 MiB a series of a month at 15 s.
TEST(Slo, TheStateOfTheWindowsIsBounded) {
    Plan plan = plan_of(1e12);
    plan.interval = 5min;
    Monitor monitor(plan);
    std::size_t after_a_week = 0;
    for (int i = 0; i < 2 * 2016; ++i) {
        Batch batch;
        for (const Arm arm : {Arm::baseline, Arm::canary}) {
            batch.series.push_back({"bad", arm, nan, {{origin + i * plan.interval.count()}, {1}, ""}});
            batch.series.push_back({"total", arm, nan, {{origin + i * plan.interval.count()}, {1000}, ""}});
        }
        monitor.observe(batch);
        if (i == 2016) after_a_week = encode(monitor.state()).size();
    }
    const std::size_t after_two = encode(monitor.state()).size();
    EXPECT_LT(static_cast<double>(after_two), 1.1 * static_cast<double>(after_a_week));
    EXPECT_LT(after_two, std::size_t{600'000});
}

TEST(Slo, AStateThatCannotBeIsRefusedAndChangesNothing) {
    Monitor monitor(plan_of(2e6));
    run(monitor, 0, 30, {9, 900, 2, 100});
    const auto before = encode(monitor.state());
    for (const auto& spoil : std::vector<void (*)(SloState&)>{
             [](SloState& s) { s.judged_burn.windows_ms.pop_back(); },
             [](SloState& s) { s.judged_burn.roles.pop_back(); },
             [](SloState& s) {
                 s.canary_burn.roles = {slo::Role::total, slo::Role::bad};
             },
             [](SloState& s) { s.canary_burn.histories[0].series_kind = slo::SeriesKind::counter; },
             [](SloState& s) { s.service_burn.histories[0].tiers[0].values[3] = -1; },
             [](SloState& s) { s.service_burn.histories[0].tiers[0].values.back() = 1e9; },
             [](SloState& s) { s.service_burn.histories[1].tiers[0].times[3] = origin; },
             [](SloState& s) { s.canary.states[0] = slo::AlertState::firing, s.canary.firing_since[0].reset(); },
             [](SloState& s) { s.service.names.clear(); }, [](SloState& s) { s.progress.intervals = -1; },
             [](SloState& s) { s.excess.alive = -1; }, [](SloState& s) { s.halt.spent = 2; }}) {
        MonitorState state = monitor.state();
        spoil(state.slo[0]);
        EXPECT_THROW(monitor.restore(state), Error);
        EXPECT_EQ(encode(monitor.state()), before);
    }
    MonitorState without = monitor.state();
    without.slo.clear();
    EXPECT_THROW(monitor.restore(without), Error);
}

// Order, repetition and batches change nothing, with objectives too.
TEST(Slo, OrderRepetitionAndBatchesChangeNothing) {
    Plan plan = plan_of(2e6);
    plan.settle = std::chrono::milliseconds(3 * interval);
    Batch all;
    std::vector<Batch> pieces;
    for (int i = 0; i < 80; ++i) {
        const Batch piece = batch_of(i, {9, 900, double(i % 7), 100});
        pieces.push_back(piece);
        all.series.insert(all.series.end(), piece.series.begin(), piece.series.end());
    }
    Decision whole = judge(plan, all);
    Monitor shuffled(plan);
    std::mt19937_64 random(4);
    for (std::size_t at = 0; at < pieces.size(); at += 3) {
        const std::size_t end = std::min(at + 3, pieces.size());
        std::shuffle(pieces.begin() + static_cast<std::ptrdiff_t>(at),
                     pieces.begin() + static_cast<std::ptrdiff_t>(end), random);
        for (std::size_t i = at; i < end; ++i) shuffled.observe(pieces[i]);
        shuffled.observe(pieces[at]);
    }
    Decision last = shuffled.flush();
    last.telemetry = whole.telemetry;
    EXPECT_EQ(io::write_decision(last), io::write_decision(whole));
}

TEST(Slo, PlansAreRefusedByPathValueAndWhatIsAllowed) {
    struct Case {
        void (*spoil)(Plan&);
        const char* path;
        const char* value;
    };
    for (const auto& [spoil, path, value] : std::vector<Case>{
             {[](Plan& p) { p.slo[0].objective.name = ""; }, "slo[0].name", "empty"},
             {[](Plan& p) { p.slo.push_back(p.slo[0]); }, "slo[1].name", "\"availability\""},
             {[](Plan& p) { p.slo[0].metric = "errs"; }, "slo[0].metric", "\"errs\""},
             {[](Plan& p) { p.metrics[0].harm = Harm::decrease; }, "slo[0].metric", "\"errors\""},
             {[](Plan& p) { p.slo[0].objective.budget = 0; }, "slo[0].budget", "0"},
             {[](Plan& p) { p.slo[0].objective.period = 0ms; }, "slo[0].period", "0"},
             {[](Plan& p) { p.slo[0].objective.expected_events = -1; }, "slo[0].expected_events", "-1"},
             {[](Plan& p) { p.slo[0].max_budget_per_release = 1.5; }, "slo[0].max_budget_per_release", "1.5"},
             {[](Plan& p) { p.slo[0].weight = 0; }, "slo[0].weight", "0"},
             {[](Plan& p) { p.slo[0].halt_budget = 0; }, "slo[0].halt.budget", "0"},
             // 0.5 x 30 d x 0.001 = 21.6 minutes: in less than that not even an outage uses up half of the budget.
             {[](Plan& p) { p.slo[0].halt_window = 20min; }, "slo[0].halt.window",
              "20m; allowed: more than 21m36s; a halt would need a share of bad events above 0.5 x 30d x 0.001 / 20m "
              "= 1.08"},
             {[](Plan& p) { p.slo[0].halt_window = 31 * 24h; }, "slo[0].halt.window", "31d"},
             {[](Plan& p) {
                  p.slo[0].objective.budget = 0.5;
                  p.slo[0].policy.conditions = {{.name = "a", .long_window = 1s, .short_window = 1s, .factor = 1.5}};
              },
              "slo[0].halt.window", "missing"},
             {[](Plan& p) { p.slo[0].objective.budget = 0.1; }, "slo[0].policy", "14.4 x 0.1 = 1.44"},
             {[](Plan& p) { p.slo[0].policy.min_probability = 1; }, "slo[0].policy", "1"},
             // 0.2 x 0.001 x 10000 = 2 bad events: no bound on what was seen is ever below that.
             {[](Plan& p) { p.slo[0].objective.expected_events = 10'000; }, "slo[0].max_budget_per_release",
              "0.2 x 0.001 x 10000 = 2 bad events"},
         }) {
        Plan plan = plan_of(2e6);
        spoil(plan);
        try {
            check(plan);
            ADD_FAILURE() << path << " was accepted";
        } catch (const Error& error) {
            const std::string text = error.what();
            EXPECT_TRUE(error.code() == Code::plan_value || error.code() == Code::plan_duplicate) << text;
            EXPECT_NE(text.find(path), std::string::npos) << text;
            EXPECT_NE(text.find(value), std::string::npos) << text;
            EXPECT_NE(text.find("allowed"), std::string::npos) << text;
        }
    }
    // The usual windows grow with the budget: 1 h at 99.9 %, 6 h at 99 %, a day at 95 %.
    Plan plan = plan_of(2e6);
    EXPECT_EQ(effective_halt_window(plan.slo[0]), 1h);
    plan.slo[0].objective.budget = 0.01;
    EXPECT_EQ(effective_halt_window(plan.slo[0]), 6h);
    plan.slo[0].objective.budget = 0.05;
    EXPECT_EQ(effective_halt_window(plan.slo[0]), 24h);
    EXPECT_NE(digest(plan), digest(plan_of(2e6)));
}

}  // namespace
}  // namespace serinus
