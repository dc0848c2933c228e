// A watcher of an error budget: it adds each scrape of two counters to a BurnRate of bounded memory, and pages as the
// policy of the Site Reliability Workbook does.
#include <chrono>
#include <cstddef>
#include <iostream>
#include <optional>
#include <string>

#include <serinus/core/words.hpp>
#include <serinus/series/duration.hpp>
#include <serinus/series/time.hpp>
#include <serinus/slo/alerts.hpp>
#include <serinus/slo/burn_rate.hpp>
#include <serinus/slo/error_budget.hpp>
#include <serinus/slo/objective.hpp>
#include <serinus/slo/policy.hpp>

int main() {
    namespace slo = serinus::slo;
    using namespace std::chrono_literals;
    const serinus::Time start = serinus::parse_time("2026-11-22T21:20:00Z");

    slo::Objective objective;
    objective.name = "availability";
    objective.budget = slo::budget_from_target("99.9%");
    slo::Alerts alerts(slo::sre_workbook_policy(objective.period), objective);

    slo::BurnRateOptions options;
    options.budget = objective.budget;
    options.windows = alerts.windows();
    options.windows.emplace_back(objective.period);
    options.keep = slo::Keep::thinned;
    slo::BurnRate burn(options);
    const std::size_t errors = burn.add_series(slo::Role::bad), requests = burn.add_series(slo::Role::total);

    // 100 requests a second; from the 26th hour on 5 % of them fail for 20 minutes.
    double bad = 0, total = 0;
    std::optional<serinus::Severity> before;
    int pages = 0;
    for (serinus::Time time = start; time <= start + 30h; time += 1min) {
        const bool outage = time > start + 26h && time <= start + 26h + 20min;
        total += 6000;
        bad += outage ? 300 : 0;
        burn.add(errors, time, bad);
        burn.add(requests, time, total);
        alerts.update(time, burn.at(time));
        if (alerts.firing() != before) {
            before = alerts.firing();
            std::cout << serinus::format_time(time) << "  "
                      << (before ? std::string(serinus::word(*before)) : std::string("nothing")) << " fires\n";
            pages += before == serinus::Severity::page ? 1 : 0;
        }
    }

    for (const slo::WindowBurn& window : burn.at(start + 30h)) {
        if (window.window != objective.period) continue;
        const slo::ErrorBudget budget = slo::error_budget(objective, window);
        std::cout << budget.bad << " bad events, " << 100 * budget.consumed << " % of the budget of "
                  << serinus::format_duration(objective.period) << "; " << burn.memory_bytes() / 1024
                  << " KiB of samples\n";
    }
    return pages == 1 ? 0 : 1;
}
