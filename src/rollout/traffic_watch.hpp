#pragma once
/// \file
/// Do the arms have the requests that the plan tells them, and does the canary answer at all? Inside the library only.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <serinus/core/reason.hpp>
#include <serinus/rollout/monitor_state.hpp>
#include <serinus/rollout/plan.hpp>
#include <serinus/sequential/moving_share.hpp>
#include <serinus/sequential/silence.hpp>

#include "rollout/interval.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

/// The series of requests whose split is watched: each `total` of the plan's proportions that are not muted, once.
std::vector<std::string> watched_totals(const Plan& plan);

/// Watches how the requests of one total divide between the arms. Metrics that read the same total share one watch; the
/// error rate `telemetry.alpha` is divided over all watches.
///
/// The split: null hypothesis |share/told - 1| <= 0.2 of the smaller arm in every interval, given the past (as
/// SampleRatioTest). A mixture over shares beyond each end, E their mean, with a start every 30 intervals and whenever
/// another share is told. Silence: SilenceTest, with an error rate of the same size.
///
/// A ramp takes time. The canary may have any of the shares that were told within the last warm-up: the smallest of them
/// bounds it from below, the largest from above; before the rollout it was told none. The baseline's requests count one
/// interval late for silence, for a canary that is new is seen one scrape later.
///
/// Both divide their log-likelihoods by the split's long-run dispersion, 10 where no history tells it, as it is here.
///
/// Evidence is never forgotten; what it means for the rollout is asked of the last 20 intervals as well, so that each
/// reason goes when its cause has gone (methods: docs/adr/0016-the-split-and-silence-are-evidence.md).
///
/// Cost of an interval: some 70 multiplications and 70 exponentials; state below 2 KiB.
class TrafficWatch {
  public:
    using State = TrafficState;

    /// Without history.
    static constexpr double dispersion = 10;
    static constexpr double tolerance = 0.2;
    /// Fewer intervals without a request of the canary are lost scrapes as well as silence.
    static constexpr std::int64_t fewest_silent = 6;

    explicit TrafficWatch(const Plan& plan);

    /// An interval that brought news of the baseline, warm-ups included: requests of both arms (of a canary that is not
    /// there 0; what it brought in intervals without news of the baseline belongs to the next one), and the canary's
    /// share as told. Where all traffic is told to go to one arm there is no split, and nothing is done.
    void update(double baseline, double canary, double told, std::int64_t from_ms, std::int64_t to_ms);

    /// The canary has shown nothing for six intervals or more, and it is proven that this is no chance.
    bool silent() const;
    /// The split is proven to be another one than told, and it is so now.
    bool off() const;
    /// It is off, and the canary has about the share of the baseline: the arms are exchanged, as it seems. Harm that is
    /// proven then is the baseline's.
    bool exchanged() const;

    /// At most one: `canary_silent`, else `arms_exchanged` or `split_off`. `metric`: whose they are.
    std::vector<Reason> reasons(const std::string& metric) const;

    State state() const;
    /// Raises `serinus.state.*` for a state that cannot be; the object is of no use then.
    void restore(const State& state);

  private:
    /// Requests of the last intervals, up to the last one in which the canary had any. Without one shares are NaN.
    struct Recent {
        double baseline = 0, canary = 0, expected = 0;

        double share() const { return canary / (baseline + canary); }
        double told() const { return expected / (baseline + canary); }
    };
    Recent lately() const;
    void tell(double told, std::int64_t from_ms);

    std::int64_t warm_up_ms_;
    sequential::SilenceTest silence_;
    double log_needed_;  // of the split
    sequential::MovingShare above_{+1}, below_{-1};
    State state_;  // but for the three above
};

/// The watches of all totals of a plan, and which metric reads which.
class TrafficWatches {
  public:
    explicit TrafficWatches(const Plan& plan);

    /// An interval, warm-ups included, whose requests metrics tell.
    void update(const Interval& interval, double told);
    /// The watch of the plan's `metric`-th metric; none of one that counts no requests, or is muted.
    const TrafficWatch* of(std::size_t metric) const;

    std::vector<TrafficState> states() const;
    /// Raises `serinus.state.*` for states that cannot be; none at all are those of versions that watched nothing.
    void restore(const std::vector<TrafficState>& states);

  private:
    std::vector<TrafficWatch> watches_;
    std::vector<std::size_t> first_;                    // the metric that tells each of them
    std::vector<std::optional<std::size_t>> watch_of_;  // by metric
};

}  // namespace detail
}  // namespace v0
}  // namespace serinus
