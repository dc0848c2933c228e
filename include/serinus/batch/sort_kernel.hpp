#pragma once
/// \file
/// The fastest sort that this machine has. Needs the compiled library (serinus::serinus).

#include <serinus/numeric/workspace.hpp>

namespace serinus {
inline namespace v0 {

/// A sort for `Workspace::sort`: by AVX2 (a network of up to 128 values, quicksort with vector partitions above) where
/// the processor has it, else `sort_ascending`. The result is the same to the bit: sorted values are sorted values.
///
/// Cost: O(n log n). Asked for once, it costs nothing to ask again.
///
/// ```
/// Workspace workspace;
/// workspace.sort = fastest_sort();
/// mann_whitney(baseline, canary, {}, workspace);
/// ```
SortKernel fastest_sort() noexcept;

}  // namespace v0
}  // namespace serinus
