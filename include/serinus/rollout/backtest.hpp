#pragma once
/// \file
/// What a plan would have done with former releases: the question to ask before it is trusted with the next one.

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/describe.hpp>
#include <serinus/core/reason.hpp>
#include <serinus/core/words.hpp>
#include <serinus/rollout/batch.hpp>
#include <serinus/rollout/plan.hpp>

namespace serinus {
inline namespace v0 {

/// What became known of a former release afterwards.
enum class ReleaseLabel : std::uint8_t { good = 1, bad = 2 };

template <>
struct Words<ReleaseLabel> {
    static constexpr std::array<std::pair<ReleaseLabel, std::string_view>, 2> table{
        {{ReleaseLabel::good, "good"}, {ReleaseLabel::bad, "bad"}}};
};

/// A release of the past: what was measured before it, what of it, and what is known of it now.
struct FormerRelease {
    std::string name = {};
    Batch history = {};  ///< of before, which noise is learned from as `calibrate` does; empty: the plan's own noise
    Batch rollout = {};  ///< of the rollout, as `judge` takes it
    std::optional<ReleaseLabel> label = std::nullopt;  ///< empty: nobody knows
    /// When the canary was started; empty: its first sample, and of a canary without any the first sample of all.
    std::optional<std::int64_t> since_ms = std::nullopt;
    /// Until when the plan is asked; empty: until the data are over.
    std::optional<std::int64_t> until_ms = std::nullopt;
};

/// What a plan would have done with one release.
struct ReplayedRelease {
    std::string name;
    std::optional<ReleaseLabel> label = std::nullopt;
    Action decision = Action::hold;  ///< promote: out of the last stage; hold: at its end it was still held
    int stage = 1;                   ///< the one that it was decided in, counted from 1
    double minutes = 0;              ///< since the canary was started
    /// Stages that the data entered while the plan still held the one before: it would not have come so far.
    std::int64_t unready = 0;
    /// Whose doing it was: of a rollback the metrics and objectives whose failure was proven, of a hold those that had
    /// not passed.
    std::vector<std::string> decided_by = {};
    std::vector<std::string> without_data = {};  ///< metrics that had none at all
    std::vector<Reason> reasons = {};            ///< the decision's

    friend bool operator==(const ReplayedRelease&, const ReplayedRelease&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("name", self.name);
        visit("label", self.label);
        visit("decision", self.decision);
        visit("stage", self.stage);
        visit("minutes", self.minutes);
        visit("unready", self.unready);
        visit("decided_by", self.decided_by);
        visit("without_data", self.without_data);
        visit("reasons", self.reasons);
    }
};
static_assert(described_whole<ReplayedRelease>());

/// What a metric or an objective did in all releases together.
struct MetricRecord {
    std::string name;
    std::int64_t rolled_back = 0;   ///< releases that were rolled back, and its failure was proven
    std::int64_t alone = 0;         ///< of those, the ones in which no other's was
    std::int64_t good = 0;          ///< of those it rolled back, the ones that are labelled good
    std::int64_t held = 0;          ///< releases that were still held at their end, and it had not passed
    std::int64_t without_data = 0;  ///< releases without any data of it

    /// Nothing was ever rolled back or held by it.
    bool never_decided() const noexcept { return rolled_back == 0 && held == 0; }

    friend bool operator==(const MetricRecord&, const MetricRecord&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("name", self.name);
        visit("rolled_back", self.rolled_back);
        visit("alone", self.alone);
        visit("good", self.good);
        visit("held", self.held);
        visit("without_data", self.without_data);
    }
};
static_assert(described_whole<MetricRecord>());

/// So many of so many, and between which shares the truth lies: Clopper and Pearson's interval (1934, Biometrika 26,
/// 404-413), exact for releases that have nothing to do with each other.
struct ReleaseShare {
    std::int64_t count = 0;
    std::int64_t of = 0;
    double lower = 0;  ///< of none at all: 0
    double upper = 1;  ///< of none at all: 1

    friend bool operator==(const ReleaseShare&, const ReleaseShare&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("count", self.count);
        visit("of", self.of);
        visit("lower", self.lower);
        visit("upper", self.upper);
    }
};
static_assert(described_whole<ReleaseShare>());

/// What a plan would have done with all of them.
struct Backtest {
    std::string plan;
    std::string change = {};  ///< what was changed in the plan for a try; empty: nothing
    std::string digest = {};  ///< of the plan, without the noise that was learned for a release
    std::int64_t promoted = 0;
    std::int64_t held = 0;
    std::int64_t rolled_back = 0;
    double confidence = 0.95;                    ///< of the shares' intervals
    ReleaseShare false_alarms = {};              ///< rolled back, of those labelled good
    ReleaseShare misses = {};                    ///< promoted, of those labelled bad
    ReleaseShare good_held = {};                 ///< held to their end, of those labelled good: somebody had to look
    ReleaseShare bad_held = {};                  ///< held to their end, of those labelled bad
    std::vector<MetricRecord> metrics = {};      ///< and objectives, in the plan's order
    std::vector<ReplayedRelease> releases = {};  ///< in the order given

    friend bool operator==(const Backtest&, const Backtest&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("plan", self.plan);
        visit("change", self.change);
        visit("digest", self.digest);
        visit("promoted", self.promoted);
        visit("held", self.held);
        visit("rolled_back", self.rolled_back);
        visit("confidence", self.confidence);
        visit("false_alarms", self.false_alarms);
        visit("misses", self.misses);
        visit("good_held", self.good_held);
        visit("bad_held", self.bad_held);
        visit("metrics", self.metrics);
        visit("releases", self.releases);
    }
};
static_assert(described_whole<Backtest>());

/// Replays former releases through a plan, as a controller would have asked.
///
/// Answers: which of them would it have rolled back, held or promoted, after how long, because of which metric; and
/// where labels say what they were, how often was it wrong?
///
/// Of each release the noise is learned from its own history, then a Monitor is asked at every interval from the
/// canary's start until the data are over (an interval and `settle` after the last sample), or until `until_ms`. Each
/// look sees what had been sampled by then and nothing later. Where the plan promotes, the next stage is entered at
/// once; where the data say themselves when stages began (`Batch::stages`), at those times and no others, since what
/// follows is of that traffic. The replay of a release ends with a rollback or when it is promoted out of the last stage.
/// A plan with `"analysis": "fixed"` is asked once, at the end. A dry run is replayed as if it were none.
///
/// releases: each with data of the plan's series; one whose canary has no sample is started with the first sample of the
/// rollout. `progress`, if given, is called with the share that is done, from 0 to 1, after each release.
///
/// What it cannot know: what users would have met had a stage been left earlier or later than it was. Minutes are
/// those that the plan asks for, on the traffic that there was. Releases that share an incident, or overlap in time,
/// are fewer than they seem, and the intervals of the shares are then too short.
///
/// Raises `serinus.plan.*` for a plan that cannot be; what `calibrate` and `Monitor` raise for data, with the release's
/// name in front. Cost: that of `calibrate` and of a look at each interval, and the samples sorted, for each release.
///
///     const Backtest past = backtest(plan, releases);
///     past.false_alarms.count;               // good releases that it would have rolled back
///     past.metrics.front().never_decided();  // a metric that changes nothing
Backtest backtest(const Plan& plan, std::span<const FormerRelease> releases,
                  const std::function<void(double)>& progress = {});

/// The releases, by their place, that two plans decide differently: promote, hold or rollback. Raises
/// `serinus.argument.length` for back-tests of other releases. Cost: linear.
std::vector<std::size_t> changed_releases(const Backtest& before, const Backtest& after);

}  // namespace v0
}  // namespace serinus
