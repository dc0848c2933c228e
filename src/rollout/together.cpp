#include <algorithm>

#include <serinus/core/error.hpp>
#include <serinus/rollout/together.hpp>

namespace serinus {
inline namespace v0 {
namespace {

/// Any rollback, or else any hold, or else all promote.
template <class Of>
Action action_of(std::span<const Decision> decisions, Of of) {
    const auto any = [&](Action action) {
        return std::any_of(decisions.begin(), decisions.end(), [&](const Decision& one) { return of(one) == action; });
    };
    return any(Action::rollback) ? Action::rollback : any(Action::hold) ? Action::hold : Action::promote;
}

}  // namespace

Together decide_together(std::span<const Decision> decisions) {
    if (decisions.empty()) raise(Code::argument_length, "there is no decision; allowed: one of each service");
    Together all;
    all.action = action_of(decisions, [](const Decision& one) { return one.action; });
    all.finished = std::all_of(decisions.begin(), decisions.end(), [](const Decision& one) { return one.finished; });
    all.time = decisions.front().time;
    bool dry = false;
    for (const Decision& one : decisions) {
        all.severity = std::min(all.severity, one.severity);
        all.alpha = std::min(1.0, all.alpha + one.alpha);
        all.time = all.time && one.time ? std::min(all.time, one.time) : std::nullopt;
        dry = dry || one.would;
        if (all.action == Action::promote || one.action != all.action) continue;
        all.decided_by.push_back(one.deployment.empty() ? one.plan : one.deployment);
        if (all.dedupe_key.empty()) all.dedupe_key = one.dedupe_key;
    }
    if (dry) all.would = action_of(decisions, [](const Decision& one) { return one.would.value_or(one.action); });
    return all;
}

}  // namespace v0
}  // namespace serinus
