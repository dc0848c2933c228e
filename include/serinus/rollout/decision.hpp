#pragma once
/// \file
/// What a rollout is told: promote, hold or roll back, and everything that led to it.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <serinus/core/evidence.hpp>
#include <serinus/core/reason.hpp>
#include <serinus/core/words.hpp>
#include <serinus/rollout/burn.hpp>
#include <serinus/rollout/plan.hpp>

namespace serinus {
inline namespace v0 {

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
    double alpha = 0;  ///< its share; it fails when the e-value reaches 1/alpha
    double alpha_mirror =
        0;              ///< alpha_promote, or beta under `no_harm_found`; it passes when the mirror reaches 1/this
    Evidence evidence;  ///< of harm, over the whole rollout; estimate and interval are this stage's
    Evidence mirror;    ///< of safety, this stage's
    std::vector<NamedNumber>
        observed;  ///< this stage's data; proportion: bad_baseline, total_baseline, bad_canary, total_canary
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
    int stage = 0;
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
    double alpha = 0;              ///< the promise: a good canary is ever rolled back with at most this probability
    bool alpha_guaranteed = true;  ///< false when a metric has no noise learned from history (`dispersion_unknown`)
    std::string version;           ///< of Serinus
    std::string digest;            ///< of the plan
};

}  // namespace v0
}  // namespace serinus
