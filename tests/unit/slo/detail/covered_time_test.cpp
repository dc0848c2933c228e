#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/slo/detail/covered_time.hpp>

#include "support/code_of.hpp"

namespace serinus::slo {
namespace {

TEST(TypicalSpacing, IsTheLowerMedianOfTheLastThirtyOne) {
    std::mt19937_64 random(1);
    TypicalSpacing spacing;
    EXPECT_EQ(spacing.median_ms(), 0);
    std::vector<std::int64_t> all;
    for (int i = 0; i < 500; ++i) {
        all.push_back(i % 50 < 20 ? 15'000 : 1 + static_cast<std::int64_t>(random() % 30'000));
        spacing.add(all.back());
        std::vector<std::int64_t> last(all.end() - std::min<std::ptrdiff_t>(31, std::ssize(all)), all.end());
        std::sort(last.begin(), last.end());
        ASSERT_EQ(spacing.median_ms(), last[(last.size() - 1) / 2]) << i;
    }
    TypicalSpacing again;
    again.restore(spacing.state());
    EXPECT_EQ(again.median_ms(), spacing.median_ms());
    EXPECT_EQ(again.state().last, spacing.state().last);
    EXPECT_EQ(code_of([&] { again.restore({{15'000, 0}}); }), Code::state_invariant);
    EXPECT_EQ(code_of([&] { again.restore({std::vector<std::int64_t>(32, 1)}); }), Code::state_invariant);
}

TEST(CoveredTime, IsASetOfTimes) {
    std::mt19937_64 random(2);
    for (int round = 0; round < 50; ++round) {
        CoveredTime covered, half;
        std::set<std::int64_t> times;  // whole ones: t stands for (t - 1, t]
        for (int i = 0; i < 30; ++i) {
            const auto start = static_cast<std::int64_t>(random() % 300),
                       end = start + static_cast<std::int64_t>(random() % 12);
            (i % 3 == 0 ? half : covered).add(start, end);
            for (std::int64_t t = start + 1; t <= end; ++t) times.insert(t);
        }
        covered.add(half);
        for (int i = 0; i < 100; ++i) {
            const auto from = static_cast<std::int64_t>(random() % 320) - 10,
                       to = from + static_cast<std::int64_t>(random() % 320);
            const auto expected = std::distance(times.upper_bound(from), times.upper_bound(to));
            ASSERT_EQ(covered.measure(from, to), expected) << from << " to " << to;
        }
        CoveredTime again;
        again.restore(covered.state());
        EXPECT_EQ(again.measure(-10, 400), static_cast<std::int64_t>(times.size()));
    }
}

TEST(CoveredTime, ForgetsTheOldAndClosesTheOldestGaps) {
    CoveredTime covered;
    EXPECT_EQ(covered.end(), std::numeric_limits<std::int64_t>::min());
    for (std::int64_t i = 0; i < 100; ++i) covered.add(10 * i, 10 * i + 5);
    covered.forget(500, 1000);
    EXPECT_EQ(covered.measure(500, 1000), 250);
    EXPECT_LE(covered.intervals(), 51U);
    covered.forget(500, 10);
    EXPECT_EQ(covered.intervals(), 10U);
    EXPECT_EQ(covered.measure(900, 1000), 50);   // the newest are as they were
    EXPECT_GT(covered.measure(500, 1000), 250);  // older gaps count as covered
    EXPECT_EQ(covered.last_start(), 990);
    EXPECT_EQ(covered.end(), 995);
}

TEST(CoveredTime, RefusesWhatIsNoSetOfIntervals) {
    CoveredTime covered;
    const auto refused = [&](std::vector<std::int64_t> starts, std::vector<std::int64_t> ends) {
        return code_of([&] { covered.restore({std::move(starts), std::move(ends)}); }) == Code::state_invariant;
    };
    EXPECT_TRUE(refused({0}, {}));
    EXPECT_TRUE(refused({0}, {0}));
    EXPECT_TRUE(refused({0, 5}, {5, 8}));  // would be one
    EXPECT_TRUE(refused({5, 0}, {8, 2}));
}

}  // namespace
}  // namespace serinus::slo
