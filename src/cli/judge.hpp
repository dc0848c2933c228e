#pragma once
/// \file
/// `serinus judge PLAN DATA`: one decision from a plan and all its data.

#include <optional>
#include <string>
#include <vector>

#include <serinus/rollout/decision.hpp>

#include "cli/files.hpp"

namespace serinus {
inline namespace v0 {
namespace cli {

struct JudgeOptions {
    std::string plan;               ///< a file
    std::vector<std::string> data;  ///< files, taken together; "-" is standard input
    Format format = Format::text;
    Color color = Color::automatic;
    std::optional<std::string> now;
};

/// The code of a decision. `no_data`: a hold because no metric that could decide has any data.
Exit exit_of(const Decision& decision);

/// Reads, judges and writes. Errors are raised; their sentences begin with the file that they are about.
Exit judge_command(const JudgeOptions& options);

}  // namespace cli
}  // namespace v0
}  // namespace serinus
