#pragma once
/// \file
/// What a rollout is told: promote, hold or roll back, and everything that led to it.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <serinus/core/error.hpp>
#include <serinus/core/evidence.hpp>
#include <serinus/core/reason.hpp>
#include <serinus/core/words.hpp>
#include <serinus/rollout/burn.hpp>
#include <serinus/rollout/plan.hpp>

namespace serinus {
inline namespace v0 {

/// What stands behind the promise about alpha (docs/concepts/promise.md, "Proved, measured, assumed"). `proved`: a
/// theorem, under assumptions that the plan declares. `measured`: simulations keep it, for what history is like.
/// `none`: nothing does.
enum class Guarantee : std::uint8_t { proved = 1, measured = 2, none = 3 };

template <>
struct Words<Guarantee> {
    static constexpr std::array<std::pair<Guarantee, std::string_view>, 3> table{
        {{Guarantee::proved, "proved"}, {Guarantee::measured, "measured"}, {Guarantee::none, "none"}}};
};

/// What is known of one metric.
struct MetricResult {
    std::string name;
    Kind kind = Kind::proportion;
    Verdict verdict = Verdict::no_data;
    Harm harm = Harm::increase;
    Margin margin;
    Margin detect;  ///< what the mirror is measured against under `no_harm_found`; empty otherwise
    PromoteWhen promote_when = PromoteWhen::no_harm_found;
    bool critical = false;
    bool muted = false;
    double alpha = 0;                               ///< its share; it fails when the e-value reaches 1/alpha
    Guarantee guarantee = Guarantee::none;          ///< what stands behind its share of alpha
    Code guarantee_why = Code::dispersion_unknown;  ///< which of `reasons` says why
    double alpha_mirror =
        0;              ///< alpha_promote, or beta under `no_harm_found`; it passes when the mirror reaches 1/this
    Evidence evidence;  ///< of harm, over the whole rollout; estimate and interval are this stage's
    Evidence mirror;    ///< of safety, this stage's
    /// This stage's data. proportion: bad_baseline, total_baseline, bad_canary, total_canary. gauge: mean_baseline,
    /// mean_canary, intervals; where its spikes are watched also their shares of the readings, spikes_baseline and
    /// spikes_canary.
    std::vector<NamedNumber> observed;
    std::vector<Reason> reasons;  ///< the most important first
};

/// How good the data are that the decision rests on. Counts of intervals are this stage's, counts of samples the whole
/// rollout's.
struct Telemetry {
    std::int64_t intervals = 0;                              ///< complete and settled since the stage's warm-up
    std::int64_t used = 0;                                   ///< of those, with every metric's data in both arms
    std::array<std::int64_t, 2> missing{};                   ///< of those, without data: baseline, canary
    std::array<std::optional<std::int64_t>, 2> newest_ms{};  ///< the newest sample: baseline, canary
    std::int64_t late = 0;                                   ///< came after their interval was judged; dropped
    std::int64_t repeated = 0;                               ///< seen before, or older than what was judged; dropped
    std::int64_t conflicts = 0;                              ///< a known timestamp with another value; dropped
    std::int64_t ignored = 0;                                ///< of series that the plan does not name
};

/// The answer.
struct Decision {
    Action decision = Action::hold;
    int stage = 1;  ///< the one that runs, counted from 1
    int stages = 1;
    double traffic = 0;
    std::optional<std::int64_t> time_ms =
        std::nullopt;             ///< `now`, the time that the decision is made for; empty before any
    std::int64_t elapsed_ms = 0;  ///< since the stage began
    bool finished = false;        ///< promoted out of the last stage
    std::vector<Reason> reasons;
    std::vector<MetricResult> metrics;
    std::vector<BurnResult> burn;  ///< one for each objective of the plan
    Telemetry telemetry;
    Severity severity = Severity::info;
    std::string plan;
    std::string deployment;
    double alpha = 0;  ///< the promise: a good canary is ever rolled back with at most this probability
    /// What stands behind it: the weakest of the metrics that are not muted and can decide; `none` where none can.
    Guarantee guarantee = Guarantee::none;
    std::string version;  ///< of Serinus
    std::string digest;   ///< of the plan
};

}  // namespace v0
}  // namespace serinus
