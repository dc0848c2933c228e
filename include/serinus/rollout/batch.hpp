#pragma once
/// \file
/// What a rollout is judged on: many series, each known by the plan's name for it, its arm and (for histograms) its
/// bucket.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/core/reason.hpp>
#include <serinus/core/words.hpp>
#include <serinus/series/histogram.hpp>
#include <serinus/series/series.hpp>

namespace serinus {
inline namespace v0 {

/// One series of one arm.
struct ArmSeries {
    std::string name;  ///< as the plan calls it, "http_requests"
    Arm arm = Arm::baseline;
    double le =
        std::numeric_limits<double>::quiet_NaN();  ///< upper bound of a histogram bucket; NaN for all other series
    Series series;
    /// What tells the series of one name, arm and instance apart beside its bucket, by label and in Prometheus' notation:
    /// `{code="500",path="/"}`. Counts are summed over it.
    std::string labels = {};
    /// Which of several collectors of one and the same target it came through (Plan::replica_labels).
    std::string replica = {};
};

/// Histograms of one arm.
struct ArmHistogram {
    std::string name;  ///< as the plan calls it, "http_request_duration_seconds"
    Arm arm = Arm::baseline;
    HistogramSeries series;
    std::string labels = {};   ///< as of an ArmSeries
    std::string replica = {};  ///< as of an ArmSeries
};

/// A stage began at this time (read from a `stage` column).
struct StageStart {
    int stage = 1;  ///< counted from 1
    std::int64_t at_ms = 0;

    friend bool operator==(const StageStart&, const StageStart&) = default;
};

/// Samples handed over together: all that is known, or what is new since the last time.
struct Batch {
    std::vector<ArmSeries> series;
    std::vector<StageStart> stages;             ///< in order of time; empty: everything belongs to stage 1
    std::vector<Reason> notes = {};             ///< what was left aside while it was read, and why; decisions tell it
    std::vector<ArmHistogram> histograms = {};  ///< native, exponential and explicit ones; buckets with `le` are series

    /// Adds a series by hand:
    ///
    ///     Batch batch;
    ///     batch.add("http_requests", Arm::canary, "web-3", times_ms, values);
    ///
    /// `instance`: what the samples were taken from, empty where there is only one or nobody knows. Raises
    /// `serinus.argument.length` when times and values differ in number. Cost: linear.
    void add(std::string_view name, Arm arm, std::string_view instance, std::span<const std::int64_t> times_ms,
             std::span<const double> values) {
        if (times_ms.size() != values.size()) {
            raise(Code::argument_length, "series " + in_quotes(name) + " has " + std::to_string(times_ms.size()) +
                                             " times and " + std::to_string(values.size()) +
                                             " values; allowed: as many of both");
        }
        ArmSeries& fresh = series.emplace_back();
        fresh.name = name;
        fresh.arm = arm;
        fresh.series = {{times_ms.begin(), times_ms.end()}, {values.begin(), values.end()}, std::string(instance)};
    }

    /// The samples from `from_ms` on and before `to_ms`, of all series, those that have none then included; without
    /// stages and notes. Cost: linear.
    Batch between(std::int64_t from_ms, std::int64_t to_ms) const {
        Batch part;
        const auto cut = [&](auto& piece, const auto& whole, auto values) {
            const auto& times = whole.times_ms;
            piece.times_ms.clear();
            piece.starts_ms.clear();
            (piece.*values).clear();
            for (std::size_t i = 0; i < std::min(times.size(), (whole.*values).size()); ++i) {
                if (times[i] < from_ms || times[i] >= to_ms) continue;
                piece.times_ms.push_back(times[i]);
                (piece.*values).push_back((whole.*values)[i]);
                if (i < whole.starts_ms.size()) piece.starts_ms.push_back(whole.starts_ms[i]);
            }
        };
        for (const ArmSeries& of : series)
            cut(part.series
                    .emplace_back(
                        ArmSeries{of.name, of.arm, of.le, {{}, {}, of.series.instance}, of.labels, of.replica})
                    .series,
                of.series, &Series::values);
        for (const ArmHistogram& of : histograms) {
            ArmHistogram& piece = part.histograms.emplace_back();
            piece.name = of.name;
            piece.arm = of.arm;
            piece.labels = of.labels;
            piece.replica = of.replica;
            piece.series.instance = of.series.instance;
            cut(piece.series, of.series, &HistogramSeries::samples);
        }
        return part;
    }

    /// Says which stage data are of that do not say it themselves, and since when; what came before is left out.
    ///
    /// `stage`: counted from 1. `since_ms`: empty for the canary's first sample; of data without one nothing is said.
    /// Raises `serinus.argument.range` for a stage below 1, and when the data name stages. Cost: linear.
    void begin_stage(std::int64_t stage, std::optional<std::int64_t> since_ms = std::nullopt) {
        if (stage < 1 || stage > std::numeric_limits<int>::max())
            raise(Code::argument_range, "the stage is " + std::to_string(stage) + "; allowed: its number, from 1");
        if (!stages.empty())
            raise(Code::argument_range,
                  "a stage is given, and the data say themselves in which stage they are; allowed: one of the two");
        if (!since_ms) {
            for (const ArmSeries& known : series) {
                if (known.arm != Arm::canary) continue;
                for (const std::int64_t at : known.series.times_ms) since_ms = std::min(since_ms.value_or(at), at);
            }
        }
        if (since_ms) stages.push_back({static_cast<int>(stage), *since_ms});
    }
};

}  // namespace v0
}  // namespace serinus
