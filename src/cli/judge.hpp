#pragma once
/// \file
/// `serinus judge PLAN DATA`: one decision from a plan and all its data.

#include <optional>
#include <string>
#include <vector>

#include <serinus/rollout/decision.hpp>

namespace serinus {
inline namespace v0 {
namespace cli {

enum class Format { text, json };
enum class Color { automatic, always, never };

struct JudgeOptions {
    std::string plan;               ///< a file
    std::vector<std::string> data;  ///< files, taken together; "-" is standard input
    Format format = Format::text;
    Color color = Color::automatic;
    std::optional<std::string> now;
};

/// What the program returns to its caller; part of its interface.
enum class Exit : int { promote = 0, rollback = 1, error = 2, hold = 3, no_data = 4 };

/// The code of a decision. `no_data`: a hold because no metric that could decide has any data.
Exit exit_of(const Decision& decision);

/// Reads, judges and writes. Errors are raised; their sentences begin with the file that they are about.
Exit judge_command(const JudgeOptions& options);

}  // namespace cli
}  // namespace v0
}  // namespace serinus
