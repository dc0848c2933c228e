#pragma once
/// \file
/// `serinus burn DATA`: how fast a service spends its error budget, and whether somebody should look; with --rules the
/// same policy for Prometheus.

#include <optional>
#include <string>
#include <vector>

#include "cli/files.hpp"

namespace serinus {
inline namespace v0 {
namespace cli {

struct BurnOptions {
    std::vector<std::string> data;        ///< files, taken together; "-" is standard input; none with `rules`
    std::string plan;                     ///< a file whose objective is meant: its budget, period, policy and series
    std::string policy = "sre_workbook";  ///< or a file with one
    std::string bad, good, total;  ///< names of series; two of the three; with `rules` selectors of bad and total
    std::string target;            ///< "99.9%"; or
    std::string budget;            ///< "0.001"
    std::string period;            ///< empty: 30d
    std::string windows;           ///< "5m,1h": shown beside those of the policy
    std::string semantics = "exact";
    std::string arm = "both";
    bool deltas = false;  ///< the series are counts since the sample before, not cumulative counters
    std::optional<double> min_events;
    std::optional<double> min_probability;
    std::string lasts;  ///< a duration: a condition fires once it has held this long; empty: what the policy says
    std::string keeps_firing;        ///< a duration: it goes on firing this long; empty: what the policy says
    std::string interval;            ///< of evaluations; empty: 1m, in rules the server's
    std::string no_data;             ///< rules: the severity of an alert when a ratio is not known; empty: none
    std::optional<std::string> now;  ///< RFC 3339 or Unix time; without it the newest sample
    bool rules = false;              ///< write the policy as Prometheus rules and look at no data
    std::string name;                ///< of the objective; with `plan`: which of its objectives
    Format format = Format::text;
    Color color = Color::automatic;
};

/// Reads, evaluates the policy and writes. 0: nothing fires; 1: a page fires; 3: a ticket fires, or a condition would
/// but for too few events; 4: no window has data. A series that is in no file raises `serinus.argument.word` and says
/// which ones there are. With `rules` it writes them: 0. Data with `rules`, and neither, raise
/// `serinus.argument.range`, as do a plan beside what a plan says.
Exit burn_command(const BurnOptions& options);

}  // namespace cli
}  // namespace v0
}  // namespace serinus
