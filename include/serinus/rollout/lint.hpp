#pragma once
/// \file
/// Before a rollout: what of a plan can hardly work out, and how its data would be understood. Nothing is judged.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <serinus/core/describe.hpp>
#include <serinus/core/reason.hpp>
#include <serinus/core/words.hpp>
#include <serinus/rollout/batch.hpp>
#include <serinus/rollout/plan.hpp>
#include <serinus/series/time.hpp>

namespace serinus {
inline namespace v0 {

/// What the data have of one series of a metric in one arm.
struct SeriesSeen {
    std::string metric;
    std::string key;   ///< of the metric: "bad", "total", "series", ...
    std::string name;  ///< of the series
    Arm arm = Arm::baseline;
    std::int64_t series = 0;                  ///< of that name, told apart by instance and labels
    std::vector<std::string> instances = {};  ///< those that have a name, in order
    std::int64_t replicas = 0;                ///< collectors that they came through, those without a name included
    std::int64_t samples = 0;
    std::chrono::milliseconds spacing{};       ///< between neighbouring samples of a series, the median; 0: not known
    std::optional<Time> first = std::nullopt;  ///< sample
    std::optional<Time> last = std::nullopt;   ///< sample

    friend bool operator==(const SeriesSeen&, const SeriesSeen&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("metric", self.metric);
        visit("key", self.key);
        visit("name", self.name);
        visit("arm", self.arm);
        visit("series", self.series);
        visit("instances", self.instances);
        visit("replicas", self.replicas);
        visit("samples", self.samples);
        visit("spacing_seconds", self.spacing);
        visit("first", self.first);
        visit("last", self.last);
    }
};
static_assert(described_whole<SeriesSeen>());

/// A plan, and the data that were shown with it, as they were understood.
struct Understood {
    std::string plan;  ///< its name
    std::vector<SeriesSeen> series =
        {};                          ///< metric by metric, series by series, the baseline first; without data empty
    std::vector<Reason> mend = {};   ///< what should be mended before the rollout
    std::vector<Reason> notes = {};  ///< what was made of the data: births, restarts, dips, what is ignored, ...

    friend bool operator==(const Understood&, const Understood&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("plan", self.plan);
        visit("series", self.series);
        visit("mend", self.mend);
        visit("notes", self.notes);
    }
};
static_assert(described_whole<Understood>());

/// What of a plan can hardly work out although it can be carried out: reasons of the group `plan`.
///
/// The length of a stage is its `max`, else its `min`; of a stage with neither as long as 120 intervals and the warm-up.
///
///  - `window_beyond_stage`: a burn window that the plan itself names (in an objective's policy or halt) is longer than
///    the longest stage. Those of `sre_workbook` are not asked: they are meant to be.
///  - `settle_beyond_stage`: an interval settles for as long as a stage has, or longer.
///  - `gauge_without_noise`: a gauge without noise and without `learn_noise`, whose query does not keep the labels
///    `instance` or `pod`.
///  - `query_without_arm`: a query that does not name the label of the arms. Where the label comes out by itself
///    (`http_requests_total`, with all its labels) the query is right; data show it (`understand`).
///  - `query_loses_arm`: an aggregation in the query drops that label. A query that puts it back (`label_replace`) or
///    joins (`group_left`, `group_right`) is not asked.
///  - `query_of_rates`: rate(), increase(), irate(), delta() or idelta() of a series that its metric takes for a counter.
///
/// Muted metrics are not asked. Queries are read by their words, not by a grammar of PromQL. Raises `serinus.plan.*` for
/// a plan that cannot be carried out. Cost: linear in the plan.
///
///     for (const Reason& reason : lint(plan)) std::puts(sentence(reason).c_str());
std::vector<Reason> lint(const Plan& plan);

/// How the data would be understood, by the intake of a Monitor that is fed all of them; no verdict is told.
///
/// `mend` is what `lint` says, but for what the data answer: a query without the arms' label whose series has both arms
/// is right, and a gauge with data is what they say. It also has what of the data stands in the way of a
/// promotion and does not pass with time (reasons of the groups `telemetry` and `undecidable`), which series are missing,
/// and
///
///  - `margin_undecidable`: at the data's traffic and share of bad events a good canary cannot be told from one at the
///    margin (`promote_when` "no_harm_found": at `detect`) within a stage. It is an approximation: the normal power of one
///    look (fixed/power.hpp) below 1/2, at the error rate whose z^2/2 is ln(1/alpha) + 1, where alpha is the error rate of
///    passing. An e-value must reach 1/alpha, and 1 is about what it costs not to know the canary's share; within a factor
///    of 2 of what simulated rollouts needed to pass in half of all runs. Where fewer than three events were bad the
///    share is taken as 3/n. A stage without `max` counts with 120 intervals at least. The first stage of each metric
///    that cannot is told.
///
/// `notes` has the reasons of the group `intake`, what passes with time (too few requests yet), and doubts about metrics
/// that are muted or may be missing. Raises what `check` and `Monitor::observe` raise. Cost: that of `judge`, and sorting the times.
Understood understand(const Plan& plan, const Batch& batch);

/// The same of a plan alone: what `lint` says.
Understood understand(const Plan& plan);

}  // namespace v0
}  // namespace serinus
