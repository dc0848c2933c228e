// What runs for every pair and every interval asks for no memory once it is warm. This program counts the calls of
// operator new, which it replaces: it must stay a program of its own.

#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/batch/mann_whitney_batch.hpp>
#include <serinus/batch/sort_kernel.hpp>
#include <serinus/fixed/mann_whitney.hpp>
#include <serinus/fixed/rolling_mann_whitney.hpp>
#include <serinus/numeric/random.hpp>
#include <serinus/rollout/monitor.hpp>
#include <serinus/sequential/noise/learn_paired_noise.hpp>
#include <serinus/sequential/paired.hpp>
#include <serinus/sequential/proportion.hpp>
#include <serinus/sequential/rate.hpp>

namespace {
std::atomic<std::int64_t> allocations{0};

void* counted(std::size_t size, std::size_t alignment = 0) {
    ++allocations;
    if (size == 0) size = 1;
    // aligned_alloc wants a multiple of the alignment.
    void* memory = alignment == 0 ? std::malloc(size)
                                  : std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}
}  // namespace

// The other forms of the standard library call these. Not inlined: GCC would then see free() of what new gave.
[[gnu::noinline]] void* operator new(std::size_t size) { return counted(size); }
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
    return counted(size, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace serinus {
using namespace std::chrono_literals;
namespace {

/// How often `work` asks for memory.
template <class Work>
std::int64_t allocations_of(Work&& work) {
    const std::int64_t before = allocations;
    work();
    return allocations - before;
}

/// How often it asks when it runs for the second time.
template <class Work>
std::int64_t allocations_once_warm(Work&& work) {
    work();
    return allocations_of(work);
}

struct Pair {
    std::vector<double> baseline, canary;
};

/// Pairs of several sizes, in no order: values without ties, or whole numbers from 0 to 9.
std::vector<Pair> pairs(bool ties, std::initializer_list<std::size_t> sizes) {
    std::vector<Pair> made;
    RandomStream random(1, ties ? 1 : 0);
    for (int round = 0; round < 5; ++round) {
        for (const std::size_t size : sizes) {
            Pair& pair = made.emplace_back();
            for (std::vector<double>* arm : {&pair.baseline, &pair.canary})
                for (std::size_t i = 0; i < size; ++i)
                    arm->push_back(ties ? static_cast<double>(random.below(10))
                                        : static_cast<double>(random.next() >> 11) * 0x1p-53);
        }
    }
    return made;
}

TEST(Allocations, AreCounted) {
    std::vector<double> some;
    EXPECT_EQ(allocations_of([&] { some.resize(10); }), 1);
    EXPECT_EQ(allocations_of([&] { some.resize(10); }), 0);
    struct alignas(64) Wide {
        double values[8];
    };
    std::unique_ptr<Wide> wide;
    EXPECT_EQ(allocations_once_warm([&] { wide = std::make_unique<Wide>(); }), 1);
}

class MannWhitneyAllocations : public testing::TestWithParam<MannWhitneyMethod> {
  protected:
    static bool exact() { return GetParam() == MannWhitneyMethod::exact; }
    static std::vector<Pair> data(bool ties) {
        return exact() ? pairs(ties, {3, 20, 8, 30}) : pairs(ties, {3, 60, 20, 1440, 50, 600, 2000});
    }
    /// How often `sort` asks, in all: Boost's float_sort does once for an array of 1,000 values and more.
    static std::int64_t of_sorting(const std::vector<Pair>& given, SortKernel sort) {
        std::int64_t large = 0;
        if (sort == &sort_ascending)
            for (const Pair& pair : given) large += pair.baseline.size() >= 1000 ? 2 : 0;
        return large;
    }
};

TEST_P(MannWhitneyAllocations, NoneInAWarmWorkspace) {
    for (const bool ties : {false, true}) {
        const auto given = data(ties);
        for (const SortKernel sort : {&sort_ascending, fastest_sort()}) {
            Workspace workspace{.sort = sort};
            double sum = 0;
            const auto run = [&] {
                for (const Pair& pair : given)
                    sum += mann_whitney(pair.baseline, pair.canary, {.method = GetParam()}, workspace).p_value;
            };
            EXPECT_EQ(allocations_once_warm(run), of_sorting(given, sort)) << (ties ? "with" : "without") << " ties";
            EXPECT_GT(sum, 0);
        }
    }
}

TEST_P(MannWhitneyAllocations, NoneForOneMorePairOfABatch) {
    constexpr std::int64_t times = 10;
    for (const bool ties : {false, true}) {
        const auto given = data(ties);
        std::vector<MannWhitneyPair> few, many;
        for (const Pair& pair : given) few.push_back({pair.baseline, pair.canary});
        for (std::int64_t i = 0; i < times; ++i) many.insert(many.end(), few.begin(), few.end());
        std::vector<MannWhitneyResult> results(many.size());
        const MannWhitneyOptions options{.method = GetParam()};
        const auto batch = [&](const std::vector<MannWhitneyPair>& these, auto&& where) {
            mann_whitney_batch(these, std::span(results).first(these.size()), options, where);
        };
        const std::int64_t sorting = of_sorting(given, fastest_sort());
        Workspace workspace{.sort = fastest_sort()};
        EXPECT_EQ(allocations_once_warm([&] { batch(many, workspace); }), times * sorting);
        // In memory of its own: what the first pairs need, however many follow.
        const std::int64_t of_few = allocations_of([&] { batch(few, std::size_t{1}); });
        EXPECT_GT(of_few, 0);
        EXPECT_EQ(allocations_of([&] { batch(many, std::size_t{1}); }), of_few + (times - 1) * sorting);
        // Two threads: twice that, and what starting them takes.
        EXPECT_LE(allocations_of([&] { batch(many, std::size_t{2}); }), 2 * of_few + times * sorting + 8);
    }
}

INSTANTIATE_TEST_SUITE_P(EachMethod, MannWhitneyAllocations,
                         testing::Values(MannWhitneyMethod::automatic, MannWhitneyMethod::exact,
                                         MannWhitneyMethod::edgeworth, MannWhitneyMethod::normal,
                                         MannWhitneyMethod::saddlepoint),
                         [](const auto& given) { return std::string(word(given.param)); });

TEST(RollingMannWhitneyAllocations, NoneAfterConstruction) {
    const auto data = pairs(false, {5000});
    RollingMannWhitney window(1440);
    Workspace workspace;
    const auto push_all = [&] {
        for (std::size_t i = 0; i < data[0].baseline.size(); ++i) {
            window.push_baseline(data[0].baseline[i]);
            window.push_canary(data[0].canary[i]);
        }
    };
    EXPECT_EQ(allocations_of(push_all), 0);
    EXPECT_EQ(allocations_once_warm([&] { EXPECT_LE(window.result({}, workspace).p_value, 1); }), 0);
}

namespace of_many {
using sequential::PairedNoise;
using sequential::PairedOptions;
using sequential::PairedTest;
using sequential::ProportionMethod;
using sequential::ProportionOptions;
using sequential::ProportionTest;
using sequential::RateTest;

/// 1,000 intervals, each followed by a look; the first 1,000 are not counted.
template <class Test, class Update>
void expect_none(Test test, Update&& update) {
    RandomStream random(3, 0);
    double sum = 0;
    const auto run = [&] {
        for (int i = 0; i < 1000; ++i) {
            update(test, random);
            const Evidence evidence = test.evidence();
            sum += evidence.log_e_value;
        }
    };
    EXPECT_EQ(allocations_once_warm(run), 0);
    EXPECT_TRUE(std::isfinite(sum));
}

TEST(SequentialAllocations, NoneInProportionTest) {
    const auto update = [](ProportionTest& test, RandomStream& random) {
        test.update({static_cast<std::int64_t>(random.below(20)), 900},
                    {static_cast<std::int64_t>(random.below(4)), 100});
    };
    for (const Harm harm : {Harm::increase, Harm::either}) {
        for (const Side side : {Side::harm, Side::safe}) {
            expect_none(ProportionTest({.harm = harm, .side = side}), update);
            expect_none(ProportionTest({.harm = harm, .side = side, .method = ProportionMethod::block}), update);
            expect_none(ProportionTest({.harm = harm, .margin = {.ratio = {}, .difference = 0.01}, .side = side}),
                        update);
        }
    }
}

TEST(SequentialAllocations, NoneInRateTest) {
    const auto update = [](RateTest& test, RandomStream& random) {
        test.update({static_cast<std::int64_t>(random.below(20)), 9.5},
                    {static_cast<std::int64_t>(random.below(4)), 1.25});
    };
    for (const Harm harm : {Harm::increase, Harm::either})
        for (const Side side : {Side::harm, Side::safe})
            expect_none(RateTest({.harm = harm, .margin = {.ratio = 1.5}, .side = side}), update);
}

TEST(SequentialAllocations, NoneInPairedTest) {
    const auto update = [](PairedTest& test, RandomStream& random) {
        test.update(static_cast<double>(random.below(1000)) - 500);
    };
    std::vector<std::vector<double>> history(1);
    RandomStream random(4, 0);
    for (int i = 0; i < 2000; ++i) history[0].push_back(static_cast<double>(random.below(1000)) - 500);
    const auto known = std::make_shared<const PairedNoise>(sequential::paired_noise(history, 5, false));
    expect_none(PairedTest({.noise = known}), update);
    expect_none(PairedTest({.noise = known, .interval = false}), update);
    expect_none(PairedTest({.interval = false}), update);
    expect_none(PairedTest(PairedOptions{}), update);
}

}  // namespace of_many
// Asking a monitor again does not copy what it remembers: the samples that wait, the history of burn rates.
TEST(Allocation, DecidingAgainAsksForAsMuchWhateverCameBefore) {
    Plan plan;
    plan.name = "payments";
    plan.interval = 10s;
    plan.settle = 24h;  // nothing is judged: all of it waits
    plan.stages = {Stage{.traffic = 0.1}};
    Metric metric;
    metric.name = "errors";
    metric.bad = "bad";
    metric.total = "total";
    metric.margin = {.ratio = 2.0, .difference = {}};
    plan.metrics = {metric};
    const auto asked = [&](std::int64_t intervals) {
        Batch batch;
        for (const Arm arm : {Arm::baseline, Arm::canary}) {
            for (const char* name : {"bad", "total"}) {
                ArmSeries& part = batch.series.emplace_back();
                part.name = name;
                part.arm = arm;
                for (std::int64_t i = 0; i < intervals; ++i) {
                    part.series.times_ms.push_back(i * plan.interval.count());
                    part.series.values.push_back(100);
                }
            }
        }
        Monitor monitor(plan);
        monitor.observe(batch);
        return allocations_of([&] { monitor.decision(); });
    };
    EXPECT_EQ(asked(4000), asked(40));
}

}  // namespace
}  // namespace serinus
