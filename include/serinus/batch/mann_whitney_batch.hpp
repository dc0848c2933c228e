#pragma once
/// \file
/// Many pairs of one look: a metric after the other, or one baseline for many canaries. Needs the compiled library
/// (serinus::serinus) for its threads and the fastest sort; each result is `mann_whitney`'s to the bit.

#include <cstddef>
#include <span>

#include <serinus/fixed/mann_whitney.hpp>

namespace serinus {
inline namespace v0 {

/// The values of one metric in both arms; the memory is the caller's.
struct MannWhitneyPair {
    std::span<const double> baseline;
    std::span<const double> canary;
};

/// `mann_whitney` of every pair, into `results` of the same length (`serinus.argument.length`).
///
/// Pairs that follow each other and name the same baseline (the same memory) share one sorting of it, so one baseline
/// for many canaries costs little more than the canaries. Exact tables are kept from pair to pair. `threads`: how many
/// work at once, from 1 to 256 (`serinus.argument.range`); the results do not depend on it, to the bit. Each thread
/// works in one Workspace: after the longest pair no memory is asked for. If a pair raises (a NaN under the policy
/// `error`, an impossible method), the exception of the first such pair leaves, and `results` is not to be used.
///
///     std::vector<MannWhitneyResult> results(pairs.size());
///     mann_whitney_batch(pairs, results, {.alternative = Alternative::greater}, 2);
void mann_whitney_batch(std::span<const MannWhitneyPair> pairs, std::span<MannWhitneyResult> results,
                        const MannWhitneyOptions& options = {}, std::size_t threads = 1);

/// The same in the memory and with the sort of one workspace, on this thread.
void mann_whitney_batch(std::span<const MannWhitneyPair> pairs, std::span<MannWhitneyResult> results,
                        const MannWhitneyOptions& options, Workspace& workspace);

}  // namespace v0
}  // namespace serinus
