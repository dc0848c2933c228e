#pragma once
/// \file
/// Objectives that count slices of time instead of events.

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/describe.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/text.hpp>
#include <serinus/core/words.hpp>
#include <serinus/series/time.hpp>
#include <serinus/slo/burn_rate.hpp>

namespace serinus {
inline namespace v0 {
namespace slo {

/// What a budget counts, in the words of OpenSLO: bad events of all events; bad slices of all slices, a slice being bad
/// when its own ratio exceeds what a slice may have; or the mean of the slices' ratios.
enum class Budgeting : std::uint8_t { occurrences = 1, timeslices = 2, ratio_timeslices = 3 };

}  // namespace slo

template <>
struct Words<slo::Budgeting> {
    static constexpr std::array<std::pair<slo::Budgeting, std::string_view>, 3> table{
        {{slo::Budgeting::occurrences, "occurrences"},
         {slo::Budgeting::timeslices, "timeslices"},
         {slo::Budgeting::ratio_timeslices, "ratio_timeslices"}}};
};

namespace slo {

struct TimeSlices {
    std::int64_t slices = 0;      ///< of the span, with those below
    std::int64_t bad_slices = 0;  ///< ratio > allowed
    std::int64_t no_traffic = 0;  ///< without an event: neither good nor bad, and not among those that count
    std::int64_t absent = 0;      ///< without data: likewise
    double bad = 0, total = 0;    ///< events
    double ratio_sum = 0;         ///< of the slices that count

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("slices", self.slices);
        visit("bad_slices", self.bad_slices);
        visit("no_traffic", self.no_traffic);
        visit("absent", self.absent);
        visit("bad", self.bad);
        visit("total", self.total);
        visit("ratio_sum", self.ratio_sum);
    }

    std::int64_t counted() const noexcept { return slices - no_traffic - absent; }
    /// The share that was bad, as the objective counts it; NaN where nothing counts. To be compared with the budget.
    double bad_share(Budgeting budgeting) const noexcept {
        const auto n = static_cast<double>(counted());
        switch (budgeting) {
            case Budgeting::occurrences: return bad / total;
            case Budgeting::timeslices: return static_cast<double>(bad_slices) / n;
            case Budgeting::ratio_timeslices: return ratio_sum / n;
        }
        return std::numeric_limits<double>::quiet_NaN();
    }
};
static_assert(described_whole<TimeSlices>());

/// Counts the slices (start + k x slice, start + (k + 1) x slice] up to `end`; a part of a slice at the end is left
/// out.
///
/// Answers for the span: which share of the minutes was bad (`timeslices`), or what the mean minute's error ratio was
/// (`ratio_timeslices`, which Sloth's 30 d rule records), beside the share of events (`occurrences`). A slice is bad
/// when its ratio > `allowed_ratio`. A slice without traffic does not count: its ratio is 0/0, and one such slice would
/// make the mean of all NaN; how many there were is told. A ratio of the second kind weighs a quiet minute like a busy
/// one.
///
/// `burn` must have a window of one slice; it is asked at the end of every slice (`BurnRate::over`). Raises
/// `serinus.argument.range` for a slice that is no window of it, for start > end, and for an allowed ratio outside
/// [0, 1). Cost: O(1) a slice.
///
///     time_slices(burn, month_start, now, 1min, 0.05).bad_share(Budgeting::timeslices)  // minutes with over 5 %
///     errors
inline TimeSlices time_slices(const BurnRate& burn, Time start, Time end, std::chrono::milliseconds slice,
                              double allowed_ratio) {
    const std::int64_t start_ms = to_ms(start), end_ms = to_ms(end), slice_ms = slice.count();
    const auto& windows = burn.options().windows;
    const auto window = std::find(windows.begin(), windows.end(), slice);
    require(window != windows.end(), "slice", static_cast<double>(slice_ms), "a window of the burn rate, in ms");
    require(start_ms <= end_ms && start_ms >= earliest_ms && end_ms <= latest_ms, "start",
            static_cast<double>(start_ms), "at most end, both within the years 1 to 9999");
    require(allowed_ratio >= 0 && allowed_ratio < 1, "allowed_ratio", allowed_ratio, "0 or more, below 1");
    std::vector<std::int64_t> ends;
    for (std::int64_t k = 1; k <= (end_ms - start_ms) / slice_ms; ++k) ends.push_back(start_ms + k * slice_ms);
    const auto columns = burn.over(ends);
    const BurnColumn& column = columns[static_cast<std::size_t>(window - windows.begin())];
    TimeSlices result;
    result.slices = static_cast<std::int64_t>(ends.size());
    for (std::size_t i = 0; i < ends.size(); ++i) {
        const BurnStatus status = column.status(i);
        if (status == BurnStatus::absent) {
            ++result.absent;
            continue;
        }
        result.bad += column.bad[i];
        result.total += column.total[i];
        if (status == BurnStatus::no_traffic) {
            ++result.no_traffic;
            continue;
        }
        const double ratio = column.ratio(i);
        result.bad_slices += ratio > allowed_ratio;
        result.ratio_sum += ratio;
    }
    return result;
}

}  // namespace slo
}  // namespace v0
}  // namespace serinus
