// mann_whitney_batch: lives in the compiled library, so it is tested beside what is linked.

#include <cmath>
#include <cstdlib>
#include <new>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/batch/mann_whitney_batch.hpp>
#include <serinus/batch/sort_kernel.hpp>

namespace {

using namespace serinus;
using Values = std::vector<double>;

struct Data {
    std::vector<Values> baselines, canaries;
    std::vector<MannWhitneyPair> pairs;

    Data(std::size_t count, std::size_t size, bool shared) {
        std::mt19937_64 random(count + size);
        std::normal_distribution<double> normal;
        for (std::size_t i = 0; i < count; ++i) {
            Values b(size + i % 5), c(size);
            for (double& value : b) value = i % 4 == 0 ? std::round(normal(random)) : normal(random);
            for (double& value : c) value = i % 4 == 0 ? std::round(normal(random)) : normal(random);
            baselines.push_back(std::move(b));
            canaries.push_back(std::move(c));
        }
        for (std::size_t i = 0; i < count; ++i) pairs.push_back({baselines[shared ? 0 : i], canaries[i]});
    }
};

TEST(MannWhitneyBatch, IsTheSingleTestToTheBitForAnyNumberOfThreads) {
    for (const bool shared : {false, true}) {
        const Data data(300, 50, shared);
        for (const std::size_t threads : {1U, 2U, 5U}) {
            std::vector<MannWhitneyResult> results(data.pairs.size());
            mann_whitney_batch(data.pairs, results, {.alternative = Alternative::greater}, threads);
            for (std::size_t i = 0; i < results.size(); ++i) {
                const auto single =
                    mann_whitney(data.pairs[i].baseline, data.pairs[i].canary, {.alternative = Alternative::greater});
                ASSERT_EQ(results[i].u, single.u);
                ASSERT_EQ(results[i].p_value, single.p_value);
                ASSERT_EQ(results[i].method, single.method);
            }
        }
    }
    std::vector<MannWhitneyResult> none;
    mann_whitney_batch({}, none, {}, 4);
}

TEST(MannWhitneyBatch, ErrorsLeaveByTheFirstPair) {
    Data data(200, 20, false);
    data.canaries[150][3] = std::nan("");
    std::vector<MannWhitneyResult> results(200), few(3);
    for (const std::size_t threads : {1U, 4U})
        EXPECT_THROW(mann_whitney_batch(data.pairs, results, {.nan_policy = NanPolicy::error}, threads), Error);
    EXPECT_THROW(mann_whitney_batch(data.pairs, few, {}, 2), Error);
    EXPECT_THROW(mann_whitney_batch(data.pairs, results, {}, 0), Error);
    EXPECT_THROW(mann_whitney_batch(data.pairs, results, {}, 257), Error);
}

TEST(MannWhitneyBatch, SteadyStateAsksForNoMemory) {
    const Data data(60, 90, false);
    std::vector<MannWhitneyResult> results(60);
    Workspace workspace{.sort = fastest_sort()};
    // Where capacities stay, nothing was asked for: vectors are all that a workspace holds.
    const MannWhitneyOptions options{.method = MannWhitneyMethod::edgeworth};
    mann_whitney_batch(data.pairs, results, options, workspace);
    const auto capacities = [&] {
        return std::vector<std::size_t>{workspace.baseline.capacity(), workspace.canary.capacity(),
                                        workspace.counts.capacity(), workspace.group_sizes.capacity()};
    };
    const auto before = capacities();
    const double* const memory = workspace.baseline.data();
    mann_whitney_batch(data.pairs, results, options, workspace);
    EXPECT_EQ(capacities(), before);
    EXPECT_EQ(workspace.baseline.data(), memory);
}

}  // namespace
