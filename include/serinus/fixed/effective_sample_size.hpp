#pragma once
/// \file
/// How many independent values is a time series worth?

#include <span>
#include <vector>

#include <serinus/series/dependence.hpp>
#include <serinus/series/samples.hpp>

namespace serinus {
inline namespace v0 {

/// How many independent values are n successive ones worth, for what they say of their mean?
///
/// n_eff = n / (sum of autocorrelations over all lags), by the smaller of an AR(1) and an ARMA(1,1) model with
/// bias-corrected autocorrelations: the minimum rule of series/dependence.hpp, whose result this is, with the NaN that
/// monitoring systems write for a missed scrape left out first. A few gaps shorten the dependence a little; with many
/// of them n_eff is too large.
///
/// `values`: in time order, equally spaced; finite (raises `serinus.argument.infinite`); NaN dropped, or refused
/// (`serinus.argument.nan`). Fewer than 2 values, or all equal: n_effective = min(n, 1.5), variance 0. Below 6
/// (`sufficient()` is false) the dependence itself is not known well enough to rest a verdict on. Cost: two passes.
///
///     const double worth = effective_sample_size(latencies).n_effective;   // of 240 values, say 31
inline Dependence effective_sample_size(std::span<const double> values, NanPolicy nan_policy = NanPolicy::drop) {
    std::vector<double> scratch;
    return dependence(take_samples(values, Arm::canary, nan_policy, scratch).values);
}

}  // namespace v0
}  // namespace serinus
