#pragma once
/// \file
/// History as `calibrate` hands it to a kind: its columns, who plays the canary in it, and the half of it that is held
/// back; inside the library only.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <serinus/core/reason.hpp>
#include <serinus/rollout/calibrate.hpp>
#include <serinus/rollout/plan.hpp>
#include <serinus/sequential/noise/count_dispersion.hpp>
#include <serinus/sequential/start_mixture.hpp>

#include "rollout/limits.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

/// One value an interval, NaN where there is none.
using Column = std::vector<double>;

/// A series of history in both arms, by instance.
struct Table {
    std::array<std::map<std::string, Column>, 2> arms;
};

/// What each metric of the plan has in history, in intervals from the first sample of any of them. Samples are read as
/// in a rollout (docs/concepts/intake.md): label sets summed, collectors of one target followed one at a time, a
/// counter's fall a restart only where it can be one, and of a count that is not there none where its name lives.
class History {
  public:
    /// Raises `serinus.data.bucket` as a rollout does, and `serinus.data.size` for a history that spans too much.
    History(const Plan& plan, const Batch& batch);

    /// Of one of the plan's metrics: the gauge, the quotient of what is divided, or the bad ones of a count, also where the
    /// plan names the good ones.
    const Table& values(const Metric& metric) const { return tables_.at(metric.name)[0]; }
    /// The whole of a count, for the same instances.
    const Table& totals(const Metric& metric) const { return tables_.at(metric.name)[1]; }

    /// When the first interval begins; empty without a sample.
    std::optional<std::int64_t> first_ms() const { return first_ms_; }

  private:
    std::optional<std::int64_t> first_ms_;
    std::map<std::string, std::array<Table, 2>> tables_;  // by metric, and by role
};

/// What one metric is learned from, and where what is found goes.
struct Learning {
    const Plan& plan;
    const Metric& metric;
    const History& history;
    const Batch& data;  // of which `history` is made
    std::span<const Batch> former;
    MetricCalibration& report;
    Calibration& all;
    std::function<void()> stage_done;

    void say(Code code, std::vector<NamedNumber> numbers = {}) const {
        report.reasons.push_back({code, metric.name, std::move(numbers), false});
    }
    void say_refuted(Code code, const HeldBack& held) const;
    /// Marks the noise where a play contradicts it: the first one that does is told.
    bool contradicted() const;
};

/// Who plays the canary, and who stays the baseline, by index of the instances.
struct Turn {
    std::vector<std::size_t> canary, baseline;

    friend bool operator==(const Turn&, const Turn&) = default;
};

/// The turns of `instances` at a stage's share of the traffic; every instance at most once the canary.
std::vector<Turn> turns_of(std::size_t instances, double traffic);

/// The mean of what turns teach. They share their baselines: of two instances the second turn tells nothing that the
/// first did not. Of slow swings several turns tell no more than one, since what an instance does slowly is in all of
/// them.
sequential::LearnedDispersion mean_of_turns(const std::vector<sequential::LearnedDispersion>& turns);

/// How many intervals a rollout of the plan is judged for: its stages' maximum, or the longer of their minimum and 120.
double intervals_told(const Plan& plan);

/// The intervals of a whole rollout, stage by stage as long as each may last.
double rollout_intervals(const Plan& plan);

/// How many intervals a window of a stage has.
std::int64_t window_of(const Plan& plan, const Stage& stage);

/// Sets how likely so many alarms were; the windows are of so many series, which share their baselines.
void weigh_alarms(HeldBack& held, std::size_t series);

/// Plays a test, in which nothing happens, on windows of the second half of each series of what it is fed.
/// `feed(test, series, i)` gives it interval i of a series, of which `sizes` has the lengths.
template <class Test, class Feed>
HeldBack play(const Plan& plan, const Stage& stage, double alpha, const Test& fresh,
              const std::vector<std::size_t>& sizes, const Feed& feed) {
    HeldBack found;
    found.traffic = stage.traffic;
    found.alpha = alpha;
    found.intervals = window_of(plan, stage);
    constexpr std::size_t most_windows = 200;  // of a stage; they tell enough
    const std::size_t each = (most_windows + sizes.size() - 1) / sizes.size();
    for (std::size_t series = 0; series < sizes.size(); ++series) {
        const std::size_t size = sizes[series];
        const auto length = std::min<std::size_t>(static_cast<std::size_t>(found.intervals), size / 2);
        if (length < 24) continue;
        found.intervals = static_cast<std::int64_t>(length);
        std::size_t played = 0;
        for (std::size_t from = size / 2; from + length <= size && played < each; from += length, ++played) {
            sequential::StartMixture<Test> test{fresh};
            for (std::size_t i = 0; i < length && !test.decided(); ++i) {
                constexpr auto each_start = static_cast<std::size_t>(intervals_per_start);
                if (i % each_start == 0)
                    test.begin(sequential::start_weight(static_cast<std::int64_t>(i / each_start)));
                feed(test, series, from + i);
            }
            ++found.windows;
            found.alarms += test.decided() ? 1 : 0;
        }
    }
    weigh_alarms(found, sizes.size());
    return found;
}

}  // namespace detail
}  // namespace v0
}  // namespace serinus
