#pragma once
/// \file
/// What every command reads: a plan, and data from several files.

#include <string>
#include <string_view>
#include <vector>

#include <serinus/io/read_options.hpp>
#include <serinus/rollout/batch.hpp>
#include <serinus/rollout/decision.hpp>
#include <serinus/rollout/plan.hpp>
#include <serinus/slo/policy.hpp>

namespace serinus {
inline namespace v0 {
namespace cli {

/// The plan in a file. Errors begin with the file's name.
Plan read_plan_file(const std::string& path);

/// The decisions in a file: one as JSON, or one a line. Errors begin with the file's name, and the line's number.
std::vector<Decision> read_decision_file(const std::string& path);

/// The burn policy in a file. Errors begin with the file's name.
slo::Policy read_policy_file(const std::string& path);

/// How data are to be understood where they do not say it in our words; empty: as the plan says.
struct DataWords {
    std::string arms{};     ///< "label=track,baseline=stable,canary=canary"
    std::string columns{};  ///< "time=Time,value=Value"
};

/// The data of several files as if they were one: series of one name, arm and instance continue one another, a stage
/// begins where the first file says so. The arms of Prometheus answers are told apart as the plan says.
Batch read_data_files(const std::vector<std::string>& paths, const Plan& plan, const DataWords& words = {});

/// The same where there is no rollout, as `options` say but for the names: Prometheus answers without a label that tells arms apart (`track`, or what the
/// plan says, where there is one) are one service, and count as its baseline.
Batch read_service_files(const std::vector<std::string>& paths, io::ReadOptions options,
                         const std::vector<std::string>& names = {}, const DataWords& words = {});

/// Says on standard error which of these series, that are taken as counts an interval, look like cumulative counters:
/// 30 samples or more that never fall and rise nearly every time.
void note_counters(const Batch& batch, const std::vector<std::string>& counts, std::string_view remedy);

/// The same for the series of a plan that are added up.
void note_counters(const Batch& batch, const Plan& plan);

}  // namespace cli
}  // namespace v0
}  // namespace serinus
