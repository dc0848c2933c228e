#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/series/samples.hpp>

namespace {

using serinus::Arm;
using serinus::NanPolicy;
using serinus::take_samples;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

std::vector<double> kept(const serinus::Samples& samples) { return {samples.values.begin(), samples.values.end()}; }

TEST(Samples, drops_nan_and_keeps_order) {
    std::vector<double> scratch;
    const std::vector<double> values{nan, 3, -infinity, nan, 1, infinity, -nan};
    const auto samples = take_samples(values, Arm::baseline, NanPolicy::drop, scratch);
    EXPECT_EQ(kept(samples), (std::vector<double>{3, -infinity, 1, infinity}));
    EXPECT_EQ(samples.dropped, 3U);
}

TEST(Samples, makes_negative_zero_positive) {
    std::vector<double> scratch;
    const std::vector<double> values{-0.0, 0.0, -1.0, -5e-324};
    const auto samples = take_samples(values, Arm::canary, NanPolicy::drop, scratch);
    EXPECT_EQ(std::bit_cast<std::uint64_t>(samples.values[0]), 0U);
    EXPECT_EQ(std::bit_cast<std::uint64_t>(samples.values[1]), 0U);
    EXPECT_EQ(samples.values[2], -1.0);
    EXPECT_EQ(samples.values[3], -5e-324);
}

TEST(Samples, refuses_nan_where_asked_and_says_where) {
    std::vector<double> scratch;
    const std::vector<double> values{1, 2, nan, nan};
    try {
        take_samples(values, Arm::baseline, NanPolicy::error, scratch);
        FAIL() << "nothing was raised";
    } catch (const serinus::Error& error) {
        EXPECT_EQ(error.code(), serinus::Code::argument_nan);
        EXPECT_NE(std::string(error.what()).find("baseline[2] is NaN"), std::string::npos) << error.what();
    }
    const std::vector<double> clean{1, infinity};
    EXPECT_EQ(kept(take_samples(clean, Arm::canary, NanPolicy::error, scratch)), clean);
}

TEST(Samples, of_nothing_are_nothing) {
    std::vector<double> scratch;
    EXPECT_TRUE(take_samples({}, Arm::canary, NanPolicy::error, scratch).values.empty());
    const std::vector<double> none{nan, nan};
    const auto samples = take_samples(none, Arm::canary, NanPolicy::drop, scratch);
    EXPECT_TRUE(samples.values.empty());
    EXPECT_EQ(samples.dropped, 2U);
}

TEST(Samples, scratch_is_used_again) {
    std::vector<double> scratch;
    const std::vector<double> many(100, 7.0);
    take_samples(many, Arm::canary, NanPolicy::drop, scratch);
    const double* const memory = scratch.data();
    const std::vector<double> few{1, nan, 2};
    const auto samples = take_samples(few, Arm::canary, NanPolicy::drop, scratch);
    EXPECT_EQ(kept(samples), (std::vector<double>{1, 2}));
    EXPECT_EQ(samples.values.data(), memory);
}

TEST(Samples, words_of_the_policy) {
    EXPECT_EQ(serinus::word(NanPolicy::drop), "drop");
    EXPECT_EQ(serinus::parse_word<NanPolicy>("error"), NanPolicy::error);
}

}  // namespace
