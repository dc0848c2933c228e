#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/series/histogram.hpp>

namespace {

using serinus::bucket_total;
using serinus::BucketEnds;
using serinus::exponential_bucket_end;
using serinus::guess_layout;
using serinus::HistogramBucket;
using serinus::HistogramLayout;
using serinus::HistogramSample;
using serinus::HistogramSeries;

constexpr double infinity = std::numeric_limits<double>::infinity();

TEST(HistogramSample, Words) {
    EXPECT_EQ(word(HistogramLayout::custom), "custom");
    EXPECT_EQ(word(BucketEnds::both), "both");
    EXPECT_EQ(serinus::parse_word<HistogramLayout>("classic"), HistogramLayout::classic);
}

TEST(HistogramSample, EqualityAndTotal) {
    HistogramSample one{HistogramLayout::exponential, 3, 2.5, {{0.5, 1, 2, BucketEnds::upper}, {1, 2, 1, {}}}};
    HistogramSample other = one;
    EXPECT_EQ(one, other);
    EXPECT_EQ(bucket_total(one), 3);
    other.buckets[1].count = 2;
    EXPECT_NE(one, other);
    EXPECT_EQ(bucket_total({}), 0);
    EXPECT_TRUE(std::isnan(HistogramSample{}.sum));
    HistogramSeries series{{1}, {one}, "a"};
    EXPECT_EQ(series, series);
    EXPECT_FALSE(series.delta);
}

TEST(ExponentialBucketEnd, PowersOfTheBase) {
    EXPECT_EQ(exponential_bucket_end(0, 0), 1);
    EXPECT_EQ(exponential_bucket_end(0, 10), 1024);
    EXPECT_EQ(exponential_bucket_end(-2, 1), 16);
    EXPECT_EQ(exponential_bucket_end(-2, -1), 0.0625);
    EXPECT_EQ(exponential_bucket_end(3, -40), 0.03125);  // 2^(-40/8)
    // As Prometheus 3.16 writes the bucket of scale 3 and offset -45.
    EXPECT_DOUBLE_EQ(exponential_bucket_end(3, -45), 0.020263118041422026);
    EXPECT_DOUBLE_EQ(exponential_bucket_end(3, -44), 0.022097086912079608);
    EXPECT_EQ(exponential_bucket_end(0, 1024), infinity);
    EXPECT_EQ(exponential_bucket_end(0, -2000), 0);
}

TEST(GuessLayout, PowersAreExponential) {
    for (int scale = -4; scale <= 8; ++scale) {
        for (const std::int64_t offset : {std::int64_t{-900}, std::int64_t{-3}, std::int64_t{0}, std::int64_t{700}}) {
            std::vector<HistogramBucket> buckets;
            for (std::int64_t i = offset; i < offset + 5; ++i) {
                const double lower = exponential_bucket_end(scale, i);
                const double upper = exponential_bucket_end(scale, i + 1);
                if (lower > 0 && upper < infinity && i != offset + 2) {
                    buckets.push_back({lower, upper, 1, BucketEnds::upper});
                    buckets.push_back({-upper, -lower, 1, BucketEnds::lower});
                }
            }
            buckets.push_back({-1e-9, 1e-9, 1, BucketEnds::both});
            EXPECT_EQ(guess_layout(buckets), HistogramLayout::exponential) << scale << ' ' << offset;
        }
    }
    EXPECT_EQ(guess_layout({}), HistogramLayout::exponential);
    const double largest = std::numeric_limits<double>::max();
    EXPECT_EQ(guess_layout({{largest, infinity, 1, BucketEnds::upper}, {-infinity, -largest, 1, BucketEnds::lower}}),
              HistogramLayout::exponential);
}

TEST(GuessLayout, AllOthersAreCustom) {
    for (const std::vector<HistogramBucket>& buckets : std::vector<std::vector<HistogramBucket>>{
             {{-infinity, 1, 1, BucketEnds::both}},
             {{0.1, 0.25, 1, BucketEnds::upper}},
             {{0.25, 0.5, 1, BucketEnds::upper}, {0.5, 0.8, 1, BucketEnds::upper}},
             {{1, 2, 1, BucketEnds::upper}, {2, 8, 1, BucketEnds::upper}},  // no one scale
             {{-1, 0, 1, BucketEnds::upper}},
             {{0, 1, 1, BucketEnds::upper}},
             {{10, infinity, 1, BucketEnds::upper}},
             {{3, 6, 1, BucketEnds::upper}}}) {  // a factor of 2, not at a power of 2
        EXPECT_EQ(guess_layout(buckets), HistogramLayout::custom) << buckets.front().upper;
    }
}

}  // namespace
