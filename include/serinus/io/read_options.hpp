#pragma once
/// \file
/// How samples are to be understood, whatever the format they come in.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <serinus/core/version.hpp>
#include <serinus/rollout/plan.hpp>
#include <serinus/series/time.hpp>

namespace serinus {
inline namespace v0 {
namespace io {

/// One struct for every format: which samples belong to which arm, what columns are called, what the plan asks for.
struct ReadOptions {
    Arms arms = {};                           ///< the label (or column) that tells the arms apart, and its values
    std::string instance_label = "instance";  ///< the label of what a sample was taken from; empty: there is none
    /// Labels that only tell collectors of one target apart.
    std::vector<std::string> replica_labels = Plan().replica_labels;
    /// What the columns of a table are called: ours (`timestamp`, `series`, `arm`, `value` ...) to theirs.
    std::map<std::string, std::string> columns{};
    std::vector<std::string> names{};  ///< the series that the plan knows; empty: all that come
    /// Of these, those that only metrics without arms read: what of them names no arm is taken, as the baseline's.
    std::vector<std::string> without_arms{};
    /// When a scrape was taken whose samples say no time; nothing: such samples are refused.
    std::optional<Time> at{};
    /// There is no rollout: what names no arm is the baseline's.
    bool service = false;
    std::vector<std::string> histograms{};             ///< of `names`, those that the plan judges as histograms
    std::uint64_t max_bytes = std::uint64_t{1} << 30;  ///< longer texts are refused unread
};

/// How a plan's data are to be understood: its arms and the names of its series.
ReadOptions read_options(const Plan& plan);

/// Arms told for one call: "label=track,baseline=stable,canary=canary", each of the three at most once and the others
/// as they are. Raises `serinus.argument.word` for any other key, naming it. Cost: linear in the text.
void tell_arms(ReadOptions& options, std::string_view text);

/// Columns told for one call: "timestamp=Time,value=Value". A name with a comma is quoted as in CSV. Raises
/// `serinus.argument.word` for a column that no table has, naming it and those that there are. Cost: linear in the text.
void tell_columns(ReadOptions& options, std::string_view text);

}  // namespace io
}  // namespace v0
}  // namespace serinus
