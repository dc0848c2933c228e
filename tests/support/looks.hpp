#pragma once
/// \file
/// Samples as they come in, a moment at a time; and what a decision tells.

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <serinus/rollout/batch.hpp>
#include <serinus/rollout/decision.hpp>

namespace support {

/// The same samples by the moments that they were taken at, in order of time.
inline std::vector<std::pair<std::int64_t, serinus::Batch>> looks_of(const serinus::Batch& whole) {
    std::map<std::int64_t, serinus::Batch> by_time;
    for (const serinus::ArmSeries& series : whole.series) {
        for (std::size_t i = 0; i < series.series.times_ms.size(); ++i) {
            serinus::ArmSeries& out = by_time[series.series.times_ms[i]].series.emplace_back();
            out.name = series.name;
            out.arm = series.arm;
            out.le = series.le;
            out.labels = series.labels;
            out.replica = series.replica;
            out.series.instance = series.series.instance;
            out.series.times_ms = {series.series.times_ms[i]};
            out.series.values = {series.series.values[i]};
            if (!series.series.starts_ms.empty()) out.series.starts_ms = {series.series.starts_ms[i]};
        }
    }
    if (!by_time.empty()) by_time.begin()->second.notes = whole.notes;
    return {by_time.begin(), by_time.end()};
}

/// The reasons of a decision and of its metrics.
inline std::vector<serinus::Reason> reasons_of(const serinus::Decision& decision) {
    std::vector<serinus::Reason> reasons = decision.reasons;
    for (const serinus::MetricResult& metric : decision.metrics)
        reasons.insert(reasons.end(), metric.reasons.begin(), metric.reasons.end());
    return reasons;
}

/// Their codes.
inline std::set<serinus::Code> told(const serinus::Decision& decision) {
    std::set<serinus::Code> codes;
    for (const serinus::Reason& reason : reasons_of(decision)) codes.insert(reason.code);
    return codes;
}

/// What is decided, and every reason by its name and sentence.
inline std::string all_said(const serinus::Decision& decision) {
    std::string all(word(decision.action));
    for (const serinus::Reason& reason : reasons_of(decision))
        all += "\n  " + serinus::name(reason) + ": " + serinus::sentence(reason);
    return all;
}

}  // namespace support
