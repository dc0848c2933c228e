#pragma once
/// \file
/// Events of the last so many minutes, in bounded memory; inside the library only.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <serinus/fixed/proportion_test.hpp>
#include <serinus/rollout/monitor_state.hpp>
#include <serinus/slo/burn_rate.hpp>

namespace serinus {
inline namespace v0 {
namespace detail {

/// Bad and all events: of the baseline, of the canary, and of the canary while it warmed up.
struct ArmEvents {
    static constexpr std::size_t baseline = 0, canary = 1, warming = 2;
    std::array<double, 3> bad{}, total{};

    void add(const ArmEvents& more) {
        for (std::size_t part = 0; part < bad.size(); ++part) {
            bad[part] += more.bad[part];
            total[part] += more.total[part];
        }
    }
};

/// Whose burn is asked for: of the canary's judged intervals, of all of the canary's, of both arms.
enum class Whose { judged, canary, service };

/// Those events of them.
inline serinus::Proportion events_of(const ArmEvents& events, Whose whose) {
    serinus::Proportion sum{events.bad[ArmEvents::canary], events.total[ArmEvents::canary]};
    for (const std::size_t part : {ArmEvents::warming, ArmEvents::baseline}) {
        if (whose == Whose::judged || (whose == Whose::canary && part == ArmEvents::baseline)) continue;
        sum.bad += events.bad[part];
        sum.total += events.total[part];
    }
    return sum;
}

/// One window: at most some 60 slices, each of one interval or as many as are needed; the window is up to a slice
/// shorter than it says.
class BurnWindowSums {
  public:
    static constexpr std::int64_t slices = 60;

    BurnWindowSums(std::int64_t window_ms, std::int64_t interval_ms)
        : window_ms_(window_ms), interval_ms_(interval_ms) {
        const std::int64_t intervals = (window_ms + slices * interval_ms - 1) / (slices * interval_ms);
        slice_ms_ = intervals * interval_ms;
    }

    std::int64_t window_ms() const { return window_ms_; }

    /// The events of the interval that began at `from_ms`; in order of time.
    void add(std::int64_t from_ms, const ArmEvents& events) {
        if (slices_.empty() || from_ms - slices_.back().from_ms >= slice_ms_) slices_.push_back({from_ms, 0, {}});
        slices_.back().events.add(events);
        slices_.back().intervals += 1;
        forget(from_ms + interval_ms_);
    }

    struct Sum {
        ArmEvents events;
        double coverage = 0;

        /// What the window says of some of its events.
        slo::WindowBurn burn(std::int64_t window_ms, Whose whose, double budget) const {
            const serinus::Proportion sum = events_of(events, whose);
            slo::WindowBurn burn;
            burn.window_ms = window_ms;
            burn.coverage = coverage;
            burn.status = sum.total > 0  ? slo::BurnStatus::ok
                          : coverage > 0 ? slo::BurnStatus::no_traffic
                                         : slo::BurnStatus::absent;
            if (burn.status == slo::BurnStatus::absent) return burn;
            burn.bad = sum.bad;
            burn.total = sum.total;
            burn.ratio = sum.bad / sum.total;
            burn.burn = burn.ratio / budget;
            return burn;
        }
    };

    Sum at(std::int64_t now_ms) const {
        Sum sum;
        double intervals = 0;
        for (const Slice& slice : slices_) {
            if (slice.from_ms < now_ms - window_ms_) continue;
            sum.events.add(slice.events);
            intervals += slice.intervals;
        }
        sum.coverage = std::min(1.0, intervals * static_cast<double>(interval_ms_) / static_cast<double>(window_ms_));
        return sum;
    }

    std::vector<BurnSliceState> state() const {
        std::vector<BurnSliceState> state;
        for (const Slice& slice : slices_)
            state.push_back({slice.from_ms, slice.intervals, slice.events.bad, slice.events.total});
        return state;
    }
    void restore(const std::vector<BurnSliceState>& state) {
        slices_.clear();
        for (const BurnSliceState& slice : state)
            slices_.push_back({slice.from_ms, slice.intervals, {slice.bad, slice.total}});
    }

  private:
    struct Slice {
        std::int64_t from_ms;
        double intervals;
        ArmEvents events;
    };

    void forget(std::int64_t now_ms) {
        std::erase_if(slices_, [&](const Slice& slice) { return slice.from_ms < now_ms - window_ms_; });
    }

    std::int64_t window_ms_, interval_ms_, slice_ms_;
    std::vector<Slice> slices_;
};

}  // namespace detail
}  // namespace v0
}  // namespace serinus
