#pragma once
/// \file
/// Which series of a batch count the events of a service.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <serinus/core/words.hpp>
#include <serinus/rollout/batch.hpp>
#include <serinus/rollout/plan.hpp>
#include <serinus/slo/burn_window.hpp>

namespace serinus {
inline namespace v0 {

namespace slo {
struct ServiceSeries;
}

/// The names of two of the three roles' series, and whose they are.
struct ServiceNames {
    std::string bad = {};
    std::string good = {};
    std::string total = {};
    slo::SeriesKind kind = slo::SeriesKind::counter;
    std::optional<Arm> arm = std::nullopt;    ///< empty: both arms are one service
    std::optional<double> le = std::nullopt;  ///< of a histogram's buckets by the name `good`, the one with this bound
    /// Counters whose processes are said to have begun while the data were watched are 0 at that time. Prometheus, as it
    /// is asked here, does not look at it.
    bool start_times = true;
};

/// The names that a plan's objective has: those of its metric. Raises `serinus.plan.value` for an objective of a metric
/// that the plan does not have. Cost: linear in the metrics.
ServiceNames service_names(const Plan& plan, const SloRule& rule);

/// The series of a batch by these names, for `slo::burn_report`. What has one role, arm, instance and label set is one
/// series; collectors of one target are followed one after the other (Plan::replica_labels). Start times of several
/// collectors are not used.
///
/// Raises `serinus.argument.range` unless two of the three are named, `serinus.argument.word` for a name that no series
/// of the batch has (silence would look like a service without errors), and `serinus.argument.count` for a value below
/// 0 and for more good events than all. (A value that is no number, such as a staleness marker, is no sample, and is counted later.) `prefix` stands
/// before the roles in these sentences, as "--" does on a command line. Include slo/burn_report.hpp to use the answer.
/// Cost: linear in the samples.
std::vector<slo::ServiceSeries> service_series(const Batch& batch, const ServiceNames& names,
                                               std::string_view prefix = {});

/// A counter that falls in a fifth of its steps or more.
struct CountsForCounter {
    slo::Role role = slo::Role::bad;
    std::int64_t falls = 0;
    std::int64_t steps = 0;
};

/// The first series that is taken for a counter and cannot be one: it falls in at least five steps and in a fifth of
/// all, as counts of an interval do. Empty: none. Cost: O(n log n) of the samples.
std::optional<CountsForCounter> counts_for_counter(const std::vector<slo::ServiceSeries>& series);

/// Two series of one arm that count the same events.
struct EqualSeries {
    std::string series;  ///< name, labels and instance
    std::string other;
    Arm arm = Arm::baseline;
};

/// Is a target read twice? The first two series of one arm and instance that have the same values at the same times under
/// different labels: all events are counted twice then, and those of several targets no longer weigh what they should.
///
/// Looked at are the series that count all events (`total`, else `good`), as `service_series` takes them; two series are
/// equal where they are equal at every time that both have, where that is at least half of their samples, and where they
/// grow at least twice, in at least two steps of 50 events or more, or in ten. Of one instance at least half of its series must have
/// such a twin: two of many paths may count the same by chance. Counters that two collectors read at different times
/// are not found. Raises what `service_series` raises. Cost: O(series^2) comparisons of an instance, most of which end
/// at the first sample.
std::optional<EqualSeries> equal_series(const Batch& batch, const ServiceNames& names, std::string_view prefix = {});

}  // namespace v0
}  // namespace serinus
