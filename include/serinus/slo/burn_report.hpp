#pragma once
/// \file
/// All that can be said of a service's error budget at one time: what `serinus burn` answers.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <serinus/core/describe.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/words.hpp>
#include <serinus/series/series.hpp>
#include <serinus/series/time.hpp>
#include <serinus/slo/alerts.hpp>
#include <serinus/slo/burn_rate.hpp>
#include <serinus/slo/error_budget.hpp>
#include <serinus/slo/objective.hpp>
#include <serinus/slo/policy.hpp>

namespace serinus {
inline namespace v0 {
namespace slo {

/// A series that counts events of a service.
struct ServiceSeries {
    Role role = Role::bad;
    SeriesKind kind = SeriesKind::counter;
    Series series = {};

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("role", self.role);
        visit("kind", self.kind);
        visit("series", self.series);
    }
};
static_assert(described_whole<ServiceSeries>());

struct BurnReportOptions {
    /// Shown beside those of the policy, one of an hour and one of the objective's period.
    std::vector<std::chrono::milliseconds> windows = {};
    Semantics semantics = Semantics::exact;
    std::optional<Time> now = std::nullopt;  ///< what is said is said of this moment; empty: the newest sample
    /// Between two evaluations of the alerts, which ask how long a condition has held.
    std::chrono::milliseconds interval = std::chrono::minutes(1);

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("windows", self.windows);
        visit("semantics", self.semantics);
        visit("now", self.now);
        visit("interval", self.interval);
    }
};
static_assert(described_whole<BurnReportOptions>());

/// How fast a service spends its error budget, and whether somebody should look.
struct BurnReport {
    Time now = {};
    Objective objective = {};
    Policy policy = {};
    std::vector<WindowBurn> windows = {};  ///< each once, the shortest first
    /// A column a window: the burn rates of 24 times up to now, each a twelfth of the window after the one before.
    std::vector<BurnColumn> past = {};
    std::vector<Alert> alerts = {};                 ///< in the order of the policy's conditions
    std::optional<Severity> firing = std::nullopt;  ///< the gravest severity that fires
    ErrorBudget budget = {};                        ///< of the period that ends now
    /// How long the rest of the budget lasts at the burn rate of the last hour; see `slo::time_to_exhaustion`.
    Lasting time_to_exhaustion{std::numeric_limits<double>::quiet_NaN()};
    SampleTally samples = {};  ///< what became of the samples of all series

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("now", self.now);
        visit("objective", self.objective);
        visit("policy", self.policy);
        visit("windows", self.windows);
        visit("past", self.past);
        visit("alerts", self.alerts);
        visit("firing", self.firing);
        visit("budget", self.budget);
        visit("time_to_exhaustion", self.time_to_exhaustion);
        visit("samples", self.samples);
    }

    /// Whether some window has data.
    bool has_data() const noexcept {
        return std::any_of(windows.begin(), windows.end(),
                           [](const WindowBurn& window) { return window.status != BurnStatus::absent; });
    }
    /// Whether a condition would hold but for too few events.
    bool insufficient() const noexcept {
        return std::any_of(alerts.begin(), alerts.end(),
                           [](const Alert& alert) { return alert.status == BurnStatus::insufficient; });
    }
};
static_assert(described_whole<BurnReport>());

namespace burn_report_detail {

/// How long the budget lasts is said of the burn rate of the last hour.
inline constexpr std::chrono::milliseconds rate_window = std::chrono::hours(1);

inline std::vector<std::chrono::milliseconds> windows_of(const Policy& policy, const Objective& objective,
                                                         const BurnReportOptions& options) {
    std::vector<std::chrono::milliseconds> windows = slo::windows_of(policy);
    windows.insert(windows.end(), options.windows.begin(), options.windows.end());
    windows.push_back(objective.period);
    windows.push_back(rate_window);
    std::sort(windows.begin(), windows.end());
    windows.erase(std::unique(windows.begin(), windows.end()), windows.end());
    return windows;
}

/// Evaluates the alerts as they would have been evaluated until now. Conditions without a past are what they are now.
inline void evaluate(Alerts& alerts, BurnRate& burn, std::span<const ServiceSeries> series, Time now,
                     std::chrono::milliseconds step) {
    const bool remembers = std::any_of(
        alerts.policy().conditions.begin(), alerts.policy().conditions.end(), [](const Condition& condition) {
            return condition.pending_for.count() > 0 || condition.keep_firing_for.count() > 0;
        });
    std::int64_t first_ms = to_ms(now);
    for (const ServiceSeries& of : series) {
        if (remembers && !of.series.times_ms.empty())
            first_ms = std::min(first_ms, *std::min_element(of.series.times_ms.begin(), of.series.times_ms.end()));
    }
    constexpr std::int64_t most = 100'000;  // a year of 5 minutes
    for (std::int64_t i = std::min(most, (now - from_ms(first_ms)) / step); i >= 0; --i)
        alerts.update(now - i * step, burn.at(now - i * step));
}

}  // namespace burn_report_detail

/// How fast does a service spend its error budget, does its policy alert, and how long will the budget last?
///
/// The burn rates of every window (`BurnRate`), the policy's alerts as they would stand had they been evaluated every
/// `interval` since the first sample (`Alerts`; at most the last 100,000 times), the budget of the period
/// (`error_budget`) and the time that its rest lasts at the burn rate of the last hour.
///
/// series: counters or counts of two of the three roles, samples in any order. A series that goes on in another one is
/// one counter only when both are given as one. Raises what `check` raises for the policy, what `BurnRate` raises for
/// windows and times, and `serinus.argument.range` for an interval that is not above 0. Without a sample every window
/// is `absent`, and now is 1970. Cost: O(n log n) of the samples, and O(windows) an evaluation.
///
///     const BurnReport report = burn_report(objective, sre_workbook_policy(), series);
///     if (report.firing == Severity::page) ...
inline BurnReport burn_report(const Objective& objective, const Policy& policy, std::span<const ServiceSeries> series,
                              const BurnReportOptions& options = {}) {
    require(options.interval.count() > 0, "interval", static_cast<double>(options.interval.count()), "above 0 ms");
    Alerts alerts(policy, objective);
    BurnRate burn({.budget = objective.budget,
                   .windows = burn_report_detail::windows_of(policy, objective, options),
                   .semantics = options.semantics});
    for (const ServiceSeries& of : series)
        burn.add(burn.add_series(of.role, of.kind, of.series.instance), of.series.times_ms, of.series.values);

    BurnReport report;
    report.now = options.now ? *options.now : burn.newest().value_or(Time());
    burn_report_detail::evaluate(alerts, burn, series, report.now, options.interval);
    report.objective = objective;
    report.policy = policy;
    const auto burns = burn.at(report.now);
    report.windows.assign(burns.begin(), burns.end());
    report.alerts = alerts.alerts();
    report.firing = alerts.firing();
    const auto of = [&](std::chrono::milliseconds window) -> const WindowBurn& {
        return *std::find_if(report.windows.begin(), report.windows.end(),
                             [&](const WindowBurn& known) { return known.window == window; });
    };
    report.budget = error_budget(objective, of(objective.period));
    report.time_to_exhaustion =
        slo::time_to_exhaustion(objective, report.budget.remaining, of(burn_report_detail::rate_window).burn);
    report.samples = burn.tally();

    for (std::size_t w = 0; w < report.windows.size(); ++w) {
        std::vector<std::int64_t> times;
        for (std::int64_t i = 23; i >= 0; --i)
            times.push_back(std::max(earliest_ms, to_ms(report.now - i * (report.windows[w].window / 12))));
        report.past.push_back(std::move(burn.over(times)[w]));
    }
    return report;
}

}  // namespace slo
}  // namespace v0
}  // namespace serinus
