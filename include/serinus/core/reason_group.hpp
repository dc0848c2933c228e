#pragma once
/// \file
/// What a reason is about: the groups of core/code.def.

#include <cstdint>

#include <serinus/core/error.hpp>

namespace serinus {
inline namespace v0 {

/// What a reason is about. `undecidable`: the metric decides nothing, however long the rollout runs. `delayed`: it
/// decides, and waits longer for it. `telemetry`: the data that came are too old, too few or not what they should be.
enum class ReasonGroup : std::uint8_t {
    none,         ///< no reason: an error's code, or one that is not known
    evidence,     ///< what a metric's evidence says
    noise,        ///< what a metric's noise rests on
    undecidable,  ///< what forbids a metric to decide at all
    delayed,      ///< what makes a metric wait longer
    telemetry,    ///< how good the data are
    intake,       ///< how the data were understood: information, which stands in nobody's way
    rollout,      ///< how the rollout as a whole stands
    budget,       ///< what is left of error budgets
    calibration,  ///< what calibration found in history
    plan          ///< what of a plan can hardly work out
};

/// The group of a reason's code; `none` for an error's. Cost: O(1).
constexpr ReasonGroup group(Code code) noexcept {
    switch (code) {
#define SERINUS_ERROR(identifier, number, name, when)
#define SERINUS_REASON(identifier, number, of, sentence) \
    case Code::identifier: return ReasonGroup::of;
#include <serinus/core/code.def>
#undef SERINUS_ERROR
#undef SERINUS_REASON
        default: return ReasonGroup::none;
    }
}

}  // namespace v0
}  // namespace serinus
