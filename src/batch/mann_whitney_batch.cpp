// Many pairs, on one thread or several.

#include <algorithm>
#include <atomic>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include <serinus/batch/mann_whitney_batch.hpp>
#include <serinus/batch/sort_kernel.hpp>
#include <serinus/core/require.hpp>

namespace serinus {
inline namespace v0 {

void mann_whitney_batch(std::span<const MannWhitneyPair> pairs, std::span<MannWhitneyResult> results,
                        const MannWhitneyOptions& options, Workspace& workspace) {
    if (pairs.size() != results.size()) {
        raise(Code::argument_length, std::to_string(pairs.size()) + " pairs and room for " +
                                         std::to_string(results.size()) + " results; allowed: as many of both");
    }
    std::span<const double> last;
    std::span<double> y;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        const auto& [baseline, canary] = pairs[i];
        mann_whitney_detail::check_size(std::max(baseline.size(), canary.size()));
        if (i == 0 || baseline.data() != last.data() || baseline.size() != last.size()) {
            y = take_samples(baseline, Arm::baseline, options.nan_policy, workspace.baseline).values;
            workspace.sort(y);
            last = baseline;
        }
        const std::span<double> x = take_samples(canary, Arm::canary, options.nan_policy, workspace.canary).values;
        workspace.sort(x);
        results[i] = mann_whitney_detail::of_sorted(y, x, options, workspace);
    }
}

void mann_whitney_batch(std::span<const MannWhitneyPair> pairs, std::span<MannWhitneyResult> results,
                        const MannWhitneyOptions& options, std::size_t threads) {
    constexpr std::size_t most = 256;
    require(threads >= 1 && threads <= most, "threads", static_cast<double>(threads), "from 1 to 256");
    // Parts small enough to share the work evenly, large enough to share a baseline.
    constexpr std::size_t part = 64;
    const std::size_t parts = (pairs.size() + part - 1) / part;
    threads = std::min(threads, std::max<std::size_t>(parts, 1));
    if (threads == 1 || pairs.size() != results.size()) {
        Workspace workspace{.sort = fastest_sort()};
        return mann_whitney_batch(pairs, results, options, workspace);
    }
    std::atomic<std::size_t> next{0};
    std::vector<std::exception_ptr> failures(parts);
    const auto work = [&] {
        Workspace workspace{.sort = fastest_sort()};
        for (std::size_t at = next++; at < parts; at = next++) {
            const std::size_t from = at * part, count = std::min(part, pairs.size() - from);
            try {
                mann_whitney_batch(pairs.subspan(from, count), results.subspan(from, count), options, workspace);
            } catch (...) {
                failures[at] = std::current_exception();
            }
        }
    };
    {
        std::vector<std::jthread> others;
        for (std::size_t i = 1; i < threads; ++i) others.emplace_back(work);
        work();
    }
    for (const std::exception_ptr& failure : failures) {
        if (failure) std::rethrow_exception(failure);
    }
}

}  // namespace v0
}  // namespace serinus
