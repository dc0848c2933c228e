#pragma once
/// \file
/// The values of two arms, as every test of two samples begins.

#include <cstdint>
#include <span>

#include <serinus/core/require.hpp>
#include <serinus/core/words.hpp>
#include <serinus/numeric/workspace.hpp>
#include <serinus/series/samples.hpp>

namespace serinus {
inline namespace v0 {

/// The values of both arms without NaN, in the memory of the workspace they were taken in.
struct TwoSamples {
    std::span<double> baseline;
    std::span<double> canary;

    bool empty() const noexcept { return baseline.empty() || canary.empty(); }
    void sort(const Workspace& workspace) const {
        workspace.sort(canary);
        workspace.sort(baseline);
    }
};

/// Copies both arms into the workspace (`take_samples`) and counts them in `result.n_baseline` and `result.n_canary`.
/// They are in the order given; `TwoSamples::sort` sorts them where they lie.
template <class Result>
TwoSamples take_arms(std::span<const double> baseline, std::span<const double> canary, NanPolicy policy,
                     Workspace& workspace, Result& result) {
    const TwoSamples arms{take_samples(baseline, Arm::baseline, policy, workspace.baseline).values,
                          take_samples(canary, Arm::canary, policy, workspace.canary).values};
    result.n_baseline = static_cast<std::int64_t>(arms.baseline.size());
    result.n_canary = static_cast<std::int64_t>(arms.canary.size());
    return arms;
}

/// The same for values that are subtracted or summed: infinite ones raise `serinus.argument.infinite`.
template <class Result>
TwoSamples take_finite_arms(std::span<const double> baseline, std::span<const double> canary, NanPolicy policy,
                            Workspace& workspace, Result& result) {
    const TwoSamples arms = take_arms(baseline, canary, policy, workspace, result);
    require_finite(Arm::baseline, arms.baseline);
    require_finite(Arm::canary, arms.canary);
    return arms;
}

}  // namespace v0
}  // namespace serinus
