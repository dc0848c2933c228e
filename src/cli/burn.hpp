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
    std::vector<std::string> data;  ///< files, taken together; "-" is standard input; none with `rules`
    std::string bad, good, total;   ///< names of series; two of the three; with `rules` selectors of bad and total
    std::string target;             ///< "99.9%"; or
    std::string budget;             ///< "0.001"
    std::string period = "30d";
    std::string windows;  ///< "5m,1h": shown beside those of the policy
    std::string semantics = "exact";
    std::string arm = "both";
    bool deltas = false;  ///< the series are counts since the sample before, not cumulative counters
    double min_events = 0;
    std::optional<double> min_probability;
    std::optional<std::string> now;  ///< RFC 3339 or Unix time; without it the newest sample
    bool rules = false;              ///< write the policy as Prometheus rules and look at no data
    std::string name;                ///< of the objective, in the rules
    Format format = Format::text;
    Color color = Color::automatic;
};

/// Reads, evaluates the workbook's policy and writes. 0: nothing fires; 1: a page fires; 3: a ticket fires, or a
/// condition would but for too few events; 4: no window has data.
/// With `rules` it writes them: 0. Data with `rules`, and neither, raise `serinus.argument.range`.
Exit burn_command(const BurnOptions& options);

}  // namespace cli
}  // namespace v0
}  // namespace serinus
