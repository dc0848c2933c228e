#pragma once
/// \file
/// What is said of burn rates: of one window at one time, and of one window at many times.

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/words.hpp>

namespace serinus {
inline namespace v0 {
namespace slo {

/// What a series counts: the events that were bad, those that were good, or all.
enum class Role : std::uint8_t { bad = 1, good = 2, total = 3 };

/// What is known of a burn rate: it has a value; there was no event to have a share of; the samples that it needs are
/// not there; or (of an alert) there were too few events to be sure.
enum class BurnStatus : std::uint8_t { ok = 1, no_traffic = 2, absent = 3, insufficient = 4 };

/// How much of the past is kept: every sample, so that any time can be asked for, or less with age (`thinned_history`),
/// so that memory is bounded and times must be asked for in order.
enum class Keep : std::uint8_t { all = 1, thinned = 2 };

}  // namespace slo

template <>
struct Words<slo::Role> {
    static constexpr std::array<std::pair<slo::Role, std::string_view>, 3> table{
        {{slo::Role::bad, "bad"}, {slo::Role::good, "good"}, {slo::Role::total, "total"}}};
};
template <>
struct Words<slo::BurnStatus> {
    static constexpr std::array<std::pair<slo::BurnStatus, std::string_view>, 4> table{
        {{slo::BurnStatus::ok, "ok"},
         {slo::BurnStatus::no_traffic, "no_traffic"},
         {slo::BurnStatus::absent, "absent"},
         {slo::BurnStatus::insufficient, "insufficient"}}};
};
template <>
struct Words<slo::Keep> {
    static constexpr std::array<std::pair<slo::Keep, std::string_view>, 2> table{
        {{slo::Keep::all, "all"}, {slo::Keep::thinned, "thinned"}}};
};

namespace slo {

/// The burn rate of one window.
struct WindowBurn {
    std::int64_t window_ms = 0;
    double burn = std::numeric_limits<double>::quiet_NaN();   ///< ratio / budget
    double ratio = std::numeric_limits<double>::quiet_NaN();  ///< bad / total; NaN: absent, or nothing of nothing
    double bad = std::numeric_limits<double>::quiet_NaN();    ///< events; NaN: absent
    double total = std::numeric_limits<double>::quiet_NaN();  ///< events; NaN: absent
    BurnStatus status = BurnStatus::absent;
    double coverage = 0;           ///< share of the window in which some series was sampled closely enough
    bool exact = true;             ///< what the semantics asks for, not an approximation of a thinned history
    double edge_error_events = 0;  ///< at most so many events of `total` lie before the window, where not exact
    double edge_error_bad = 0;     ///< at most so many of `bad`
};

/// What a burn rate is known as, given its parts.
inline BurnStatus status_of(double bad, double total) noexcept {
    if (std::isnan(bad) || std::isnan(total)) return BurnStatus::absent;
    return total == 0 ? BurnStatus::no_traffic : BurnStatus::ok;
}

/// The burn rates of one window at many times, each as a `WindowBurn` has it.
struct BurnColumn {
    std::int64_t window_ms = 0;
    double budget = 0;
    std::vector<double> bad, total;
    std::vector<double> ratios;  ///< only where they are not bad / total: of rates, as Prometheus divides them
    std::vector<float> coverage;

    std::size_t size() const noexcept { return bad.size(); }
    double ratio(std::size_t i) const noexcept { return ratios.empty() ? bad[i] / total[i] : ratios[i]; }
    double burn(std::size_t i) const noexcept { return ratio(i) / budget; }
    BurnStatus status(std::size_t i) const noexcept { return status_of(bad[i], total[i]); }
};

/// Where the burn rates of one window at many times are written: arrays of as many numbers; null: not wanted.
struct BurnArrays {
    double* burn = nullptr;
    double* ratio = nullptr;
    double* bad = nullptr;
    double* total = nullptr;
    float* coverage = nullptr;

    /// The same from the i-th number on.
    BurnArrays from(std::size_t i) const noexcept {
        const auto later = [i](auto* array) { return array == nullptr ? array : array + i; };
        return {later(burn), later(ratio), later(bad), later(total), later(coverage)};
    }
};

}  // namespace slo
}  // namespace v0
}  // namespace serinus
