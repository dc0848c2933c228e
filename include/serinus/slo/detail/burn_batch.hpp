#pragma once
/// \file
/// Burn rates of every window at many times at once.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <serinus/core/version.hpp>
#include <serinus/slo/burn_window.hpp>
#include <serinus/slo/detail/event_history.hpp>
#include <serinus/slo/detail/increase.hpp>
#include <serinus/slo/detail/service_events.hpp>

namespace serinus {
inline namespace v0 {
namespace slo {
namespace detail {

/// Evaluates windows of a service that keeps all of its samples, a block of times after another: the samples at the
/// windows' ends stay in the cache from one window to the next. Series with the same times share the search for them.
/// The operations are those of one time, so the bits are, too.
///
/// Cost: O(times x windows) for each distinct set of times, and O(times) a series.
class BurnBatch {
  public:
    static constexpr std::size_t size = 512;  ///< of a block

    BurnBatch(const ServiceEvents& events, std::span<const std::int64_t> windows_ms, double budget)
        : events_(events), windows_ms_(windows_ms), budget_(budget), longest_(events.widest_reach()) {
        const std::vector<ServiceEvents::Series>& series = events.series();
        for (std::size_t s = 0; s < series.size(); ++s) {
            by_rate_ = by_rate_ || series[s].history.kind() == SeriesKind::counter;
            std::size_t grid = 0;
            while (grid < grids_.size() &&
                   series[grids_[grid].series].history.raw().times != series[s].history.raw().times) {
                ++grid;
            }
            if (grid == grids_.size()) grids_.push_back({s, 0, std::vector<std::size_t>(windows_ms.size()), {}, {}});
            grid_of_.push_back(grid);
        }
        for (std::vector<double>* array : {&bad_, &total_, &good_, &ratio_, &one_, &rate_}) array->resize(size);
        for (std::vector<double>& array : rates_) array.resize(size);
        newest_.resize(size);
    }

    /// At most `size` times; `out[w]` is where the window w goes.
    template <Semantics semantics>
    void evaluate(std::span<const std::int64_t> times_ms, std::span<const BurnArrays> out) {
        if (times_ms.empty()) return;
        std::fill(newest_.begin(), newest_.end(), std::numeric_limits<std::int64_t>::min());
        for (Grid& grid : grids_) {
            const HistoryTier& raw = events_.series()[grid.series].history.raw();
            grid.ends.find(raw, times_ms, 0, grid.place);
            for (std::size_t i = 0; i < times_ms.size(); ++i) {
                const std::size_t end = grid.ends.counts[i];
                if (end > 0) newest_[i] = std::max(newest_[i], raw.times[end - 1]);
            }
        }
        const std::int64_t whole = whole_from(times_ms);
        for (std::size_t w = 0; w < windows_ms_.size(); ++w) {
            for (Grid& grid : grids_) {
                const HistoryTier& raw = events_.series()[grid.series].history.raw();
                grid.edges.find(raw, times_ms, windows_ms_[w], grid.places[w]);
            }
            counts<semantics>(times_ms, windows_ms_[w], out[w]);
            if (out[w].coverage != nullptr) cover(times_ms, windows_ms_[w], whole, out[w].coverage);
        }
    }

  private:
    /// A set of times that one or more series have.
    struct Grid {
        std::size_t series;               // one of them
        std::size_t place;                // samples at or before the last time
        std::vector<std::size_t> places;  // by window: at or before its edge
        SamplePlaces ends, edges;         // of this block, and window
    };

    /// The increases of one role: of its only series as they are, else summed; NaN where there is no series.
    template <Semantics semantics>
    void sum_of(Role role, std::span<const std::int64_t> times_ms, std::int64_t window_ms, double* sum, double* rates) {
        bool first = true;
        for (std::size_t s = 0; s < grid_of_.size(); ++s) {
            const ServiceEvents::Series& series = events_.series()[s];
            if (series.role != role) continue;
            const Grid& grid = grids_[grid_of_[s]];
            series.history.template increases<semantics>(times_ms, grid.ends, grid.edges, window_ms,
                                                         first ? sum : one_.data(), first ? rates : rate_.data());
            for (std::size_t i = 0; !first && i < times_ms.size(); ++i) {
                add_to(sum[i], one_[i]);
                if constexpr (extrapolated(semantics)) add_to(rates[i], rate_[i]);
            }
            first = false;
        }
        if (!first) return;
        std::fill_n(sum, times_ms.size(), std::numeric_limits<double>::quiet_NaN());
        if constexpr (extrapolated(semantics))
            std::fill_n(rates, times_ms.size(), std::numeric_limits<double>::quiet_NaN());
    }

    template <Semantics semantics>
    void counts(std::span<const std::int64_t> times_ms, std::int64_t window_ms, const BurnArrays& out) {
        const Roles& roles = events_.roles();
        const bool both = out.ratio != nullptr || out.burn != nullptr || !roles.plain();
        if (!both && out.bad == nullptr && out.total == nullptr) return;
        double* const bad = out.bad != nullptr ? out.bad : bad_.data();
        double* const total = out.total != nullptr ? out.total : total_.data();
        std::array<double*, 4> rates{};
        for (std::size_t role = 1; role < 4; ++role) rates[role] = rates_[role - 1].data();
        if (both || out.bad != nullptr) sum_of<semantics>(Role::bad, times_ms, window_ms, bad, rates[index(Role::bad)]);
        if ((both || out.total != nullptr) && !roles.sums_good())
            sum_of<semantics>(Role::total, times_ms, window_ms, total, rates[index(Role::total)]);
        if (!roles.plain()) {
            sum_of<semantics>(Role::good, times_ms, window_ms, good_.data(), rates[index(Role::good)]);
            if (roles.sums_good()) std::fill_n(total, times_ms.size(), 0.0);  // not read
            for (std::size_t i = 0; i < times_ms.size(); ++i) roles.join(bad[i], good_[i], total[i], bad[i], total[i]);
        }
        if (out.ratio == nullptr && out.burn == nullptr) return;
        double* const ratio = out.ratio != nullptr ? out.ratio : ratio_.data();
        if (extrapolated(semantics) && by_rate_) {
            for (std::size_t i = 0; i < times_ms.size(); ++i) {
                double bads = 0, totals = 0;
                roles.join(rates[index(Role::bad)][i], rates[index(Role::good)][i], rates[index(Role::total)][i], bads,
                           totals);
                ratio[i] = bads / totals;
            }
        } else {
            for (std::size_t i = 0; i < times_ms.size(); ++i) ratio[i] = bad[i] / total[i];
        }
        if (out.burn == nullptr) return;
        for (std::size_t i = 0; i < times_ms.size(); ++i) out.burn[i] = ratio[i] / budget_;
    }

    /// The earliest time at which windows of this block may begin to be covered as a whole: they begin in the last
    /// covered interval, and each of the times has a sample of it not long ago. No time is as late if there is none.
    std::int64_t whole_from(std::span<const std::int64_t> times_ms) const {
        const CoveredTime& covered = events_.covered();
        bool fresh = covered.intervals() > 0;
        for (std::size_t i = 0; i < times_ms.size(); ++i) {
            fresh = fresh && newest_[i] >= covered.last_start() && newest_[i] <= covered.end() &&
                    times_ms[i] - newest_[i] <= longest_;
        }
        return fresh ? covered.last_start() : std::numeric_limits<std::int64_t>::max();
    }

    void cover(std::span<const std::int64_t> times_ms, std::int64_t window_ms, std::int64_t whole_from,
               float* coverage) const {
        for (std::size_t i = 0; i < times_ms.size(); ++i) {
            coverage[i] = times_ms[i] - window_ms >= whole_from
                              ? 1.0F
                              : static_cast<float>(events_.coverage(times_ms[i], window_ms, newest_[i], longest_));
        }
    }

    const ServiceEvents& events_;
    std::span<const std::int64_t> windows_ms_;
    double budget_;
    std::int64_t longest_;
    bool by_rate_ = false;
    std::vector<Grid> grids_;
    std::vector<std::size_t> grid_of_;  // by series
    std::vector<double> bad_, total_, good_, ratio_, one_, rate_;
    std::array<std::vector<double>, 3> rates_;  // by role, of the semantics that extrapolate
    std::vector<std::int64_t> newest_;
};

}  // namespace detail
}  // namespace slo
}  // namespace v0
}  // namespace serinus
