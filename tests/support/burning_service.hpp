#pragma once
/// \file
/// A service whose errors are known: counters every minute.

#include <cmath>
#include <cstdint>
#include <vector>

#include <serinus/slo/burn_report.hpp>

namespace serinus {

inline constexpr std::int64_t burning_start_ms = 1'795'382'400'000;  // 2026-11-22T21:20:00Z

/// `hours` of 6,000 requests a minute, of which the share `bad` fails after `from_hour`.
inline std::vector<slo::ServiceSeries> burning_service(double bad, int hours = 30, int from_hour = 0) {
    std::vector<slo::ServiceSeries> all{{slo::Role::bad, slo::SeriesKind::counter, {}},
                                        {slo::Role::total, slo::SeriesKind::counter, {}}};
    double errors = 0, requests = 0;
    for (int minute = 0; minute <= 60 * hours; ++minute) {
        requests += minute > 0 ? 6000 : 0;
        errors += minute > 60 * from_hour ? std::round(6000 * bad) : 0;
        for (slo::ServiceSeries& series : all) {
            series.series.times_ms.push_back(burning_start_ms + 60'000 * minute);
            series.series.values.push_back(series.role == slo::Role::bad ? errors : requests);
        }
    }
    return all;
}

inline const slo::Objective burning_objective{.name = "availability", .budget = 0.001};

}  // namespace serinus
