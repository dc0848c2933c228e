#pragma once
/// \file
/// `serinus calibrate PLAN HISTORY`: how two arms of one version differ, learned before the canary starts.

#include <optional>
#include <string>
#include <vector>

#include "cli/files.hpp"

namespace serinus {
inline namespace v0 {
namespace cli {

struct CalibrateOptions {
    std::string plan;                   ///< a file
    std::vector<std::string> history;   ///< files, taken together; "-" is standard input
    std::vector<std::string> releases;  ///< files of former releases, or folders of them
    std::optional<std::string> output;  ///< where to write the plan with its noise
    Format format = Format::text;
    Color color = Color::automatic;
};

/// Reads, learns and writes. 0: every metric was learned, 3: some were not, 4: none was. A plan is written unless none
/// was.
Exit calibrate_command(const CalibrateOptions& options);

}  // namespace cli
}  // namespace v0
}  // namespace serinus
