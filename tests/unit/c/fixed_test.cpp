#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <serinus.h>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace {

const std::vector<double> low{1, 2, 3, 4, 5};
const std::vector<double> high{6, 7, 8, 9, 10};
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

struct Call {
    std::int32_t status = -1;
    serinus_mann_whitney_result result{};
    std::array<char, 512> error{};
};

Call call(const std::vector<double>& baseline, const std::vector<double>& canary,
          const serinus_mann_whitney_options* options = nullptr) {
    Call made;
    made.error.fill('#');
    made.result.struct_size = sizeof made.result;
    made.status = serinus_mann_whitney(baseline.data(), baseline.size(), canary.data(), canary.size(), options,
                                       &made.result, made.error.data(), made.error.size());
    return made;
}

serinus_mann_whitney_options default_options() {
    serinus_mann_whitney_options options{};
    options.struct_size = sizeof options;
    return options;
}

TEST(CApi, NamesEveryStatus) {
    EXPECT_STREQ(serinus_status_name(SERINUS_OK), "ok");
    EXPECT_STREQ(serinus_status_name(SERINUS_ERROR_ARGUMENT_NULL), "serinus.argument.null");
    EXPECT_STREQ(serinus_status_name(SERINUS_ERROR_INTERNAL), "serinus.internal");
    EXPECT_STREQ(serinus_status_name(-1), "unknown");
    EXPECT_STREQ(serinus_status_name(std::numeric_limits<std::int32_t>::max()), "unknown");
    // A reason is no status.
    EXPECT_STREQ(serinus_status_name(1000), "unknown");
}

TEST(CApi, VersionHasThreeNumbers) {
    const std::string version = serinus_version();
    EXPECT_EQ(std::count(version.begin(), version.end(), '.'), 2);
    EXPECT_EQ(version.find_first_not_of("0123456789."), std::string::npos);
}

// By hand: all 25 pairs have the larger value in the canary, so U = 25, and of the C(10, 5) = 252 arrangements one is
// as extreme: p = 2/252 two-sided, 1/252 one-sided. No tolerance beyond the last bits: the exact method divides counts.
TEST(CApi, AnswersTheExampleWorkedByHand) {
    const Call two_sided = call(low, high);
    ASSERT_EQ(two_sided.status, SERINUS_OK);
    EXPECT_STREQ(two_sided.error.data(), "");
    EXPECT_EQ(two_sided.result.u, 25);
    EXPECT_DOUBLE_EQ(two_sided.result.p_value, 2.0 / 252);
    EXPECT_EQ(two_sided.result.effect, 1);
    EXPECT_EQ(two_sided.result.method, SERINUS_MANN_WHITNEY_EXACT);
    EXPECT_EQ(two_sided.result.degenerate, 0);
    EXPECT_EQ(two_sided.result.reserved, 0);
    EXPECT_EQ(two_sided.result.ties, 0);
    EXPECT_EQ(two_sided.result.n_baseline, 5);
    EXPECT_EQ(two_sided.result.n_canary, 5);
    EXPECT_EQ(two_sided.result.struct_size, sizeof two_sided.result);

    serinus_mann_whitney_options options = default_options();
    options.alternative = SERINUS_GREATER;
    EXPECT_DOUBLE_EQ(call(low, high, &options).result.p_value, 1.0 / 252);
    options.alternative = SERINUS_LESS;
    EXPECT_DOUBLE_EQ(call(low, high, &options).result.p_value, 1.0);
}

TEST(CApi, ZeroOptionsAreTheDefaults) {
    const serinus_mann_whitney_options zero = default_options();
    serinus_mann_whitney_options spelled_out = default_options();
    spelled_out.alternative = SERINUS_TWO_SIDED;
    spelled_out.method = SERINUS_MANN_WHITNEY_AUTO;
    spelled_out.continuity = SERINUS_ON;
    spelled_out.nan_policy = SERINUS_NAN_DROP;
    const std::vector<double> baseline{1, 4, 6, 9, nan};
    const std::vector<double> canary{2, 6, 8, 11};
    const Call none = call(baseline, canary);
    for (const serinus_mann_whitney_options& options : {zero, spelled_out}) {
        const Call other = call(baseline, canary, &options);
        EXPECT_EQ(std::memcmp(&none.result, &other.result, sizeof none.result), 0);
    }
}

TEST(CApi, EachOptionArrives) {
    serinus_mann_whitney_options options = default_options();
    options.method = SERINUS_MANN_WHITNEY_NORMAL;
    const Call corrected = call(low, high, &options);
    EXPECT_EQ(corrected.result.method, SERINUS_MANN_WHITNEY_NORMAL);
    options.continuity = SERINUS_OFF;
    const Call plain = call(low, high, &options);
    EXPECT_LT(plain.result.p_value, corrected.result.p_value);
    // z = 12.5 / sqrt(25 * 11 / 12), two-sided tail; 1e-12 is what the error function is good for.
    EXPECT_NEAR(plain.result.p_value, std::erfc(12.5 / std::sqrt(25.0 * 11 / 12) / std::sqrt(2.0)), 1e-12);
}

TEST(CApi, NanIsDroppedOrRefused) {
    std::vector<double> with_nan = high;
    with_nan.insert(with_nan.begin() + 2, nan);
    const Call dropped = call(low, with_nan);
    EXPECT_EQ(dropped.status, SERINUS_OK);
    EXPECT_EQ(dropped.result.n_canary, 5);
    EXPECT_EQ(dropped.result.p_value, call(low, high).result.p_value);

    serinus_mann_whitney_options options = default_options();
    options.nan_policy = SERINUS_NAN_ERROR;
    const Call refused = call(low, with_nan, &options);
    EXPECT_EQ(refused.status, SERINUS_ERROR_ARGUMENT_NAN);
    EXPECT_NE(std::string(refused.error.data()).find("canary[2]"), std::string::npos) << refused.error.data();
}

TEST(CApi, EmptyArmIsAValueNotAnError) {
    Call made;
    made.result.struct_size = sizeof made.result;
    EXPECT_EQ(serinus_mann_whitney(nullptr, 0, high.data(), high.size(), nullptr, &made.result, made.error.data(),
                                   made.error.size()),
              SERINUS_OK);
    EXPECT_EQ(made.result.degenerate, 1);
    EXPECT_EQ(made.result.p_value, 1);
    EXPECT_TRUE(std::isnan(made.result.effect));
    EXPECT_EQ(made.result.n_baseline, 0);
}

TEST(CApi, NullPointersAreRefused) {
    std::array<char, 512> error{};
    serinus_mann_whitney_result result{};
    result.struct_size = sizeof result;
    EXPECT_EQ(serinus_mann_whitney(nullptr, 3, high.data(), high.size(), nullptr, &result, error.data(), error.size()),
              SERINUS_ERROR_ARGUMENT_NULL);
    EXPECT_NE(std::string(error.data()).find("baseline is NULL with 3 values"), std::string::npos) << error.data();
    EXPECT_EQ(serinus_mann_whitney(low.data(), low.size(), nullptr, 1, nullptr, &result, error.data(), error.size()),
              SERINUS_ERROR_ARGUMENT_NULL);
    EXPECT_NE(std::string(error.data()).find("canary is NULL"), std::string::npos) << error.data();
    EXPECT_EQ(serinus_mann_whitney(low.data(), low.size(), high.data(), high.size(), nullptr, nullptr, error.data(),
                                   error.size()),
              SERINUS_ERROR_ARGUMENT_NULL);
    EXPECT_NE(std::string(error.data()).find("result is NULL"), std::string::npos) << error.data();
    // Without a place for the sentence the status still tells.
    EXPECT_EQ(serinus_mann_whitney(nullptr, 1, nullptr, 1, nullptr, nullptr, nullptr, 0), SERINUS_ERROR_ARGUMENT_NULL);
    EXPECT_EQ(serinus_mann_whitney(nullptr, 1, nullptr, 1, nullptr, nullptr, nullptr, 512),
              SERINUS_ERROR_ARGUMENT_NULL);
    EXPECT_EQ(serinus_mann_whitney(low.data(), 5, high.data(), 5, nullptr, &result, nullptr, 0), SERINUS_OK);
}

TEST(CApi, ShortStructsAreRefused) {
    for (const std::uint32_t size : {0U, 4U, 19U}) {
        serinus_mann_whitney_options options = default_options();
        options.struct_size = size;
        const Call made = call(low, high, &options);
        EXPECT_EQ(made.status, SERINUS_ERROR_ARGUMENT_STRUCT_SIZE) << size;
        EXPECT_NE(std::string(made.error.data()).find("options->struct_size is " + std::to_string(size)),
                  std::string::npos)
            << made.error.data();
    }
    serinus_mann_whitney_result result{};
    for (const std::uint32_t size : {0U, 71U}) {
        result.struct_size = size;
        EXPECT_EQ(serinus_mann_whitney(low.data(), 5, high.data(), 5, nullptr, &result, nullptr, 0),
                  SERINUS_ERROR_ARGUMENT_STRUCT_SIZE);
        EXPECT_EQ(result.p_value, 0) << "a refused call must not write its result";
    }
}

// A program built with a newer header: its structs are longer.
TEST(CApi, LongerStructsAreUnderstood) {
    struct {
        serinus_mann_whitney_options known{};
        std::int32_t added = 0;
    } options;
    options.known.struct_size = sizeof options;
    EXPECT_EQ(call(low, high, &options.known).status, SERINUS_OK);
    options.added = 1;
    const Call refused = call(low, high, &options.known);
    EXPECT_EQ(refused.status, SERINUS_ERROR_ARGUMENT_STRUCT_SIZE);
    EXPECT_NE(std::string(refused.error.data()).find("at byte 20"), std::string::npos) << refused.error.data();

    struct {
        serinus_mann_whitney_result known{};
        double added = 7;
        double beyond = 8;
    } result;
    result.known.struct_size = sizeof result.known + sizeof result.added;
    EXPECT_EQ(serinus_mann_whitney(low.data(), 5, high.data(), 5, nullptr, &result.known, nullptr, 0), SERINUS_OK);
    EXPECT_EQ(result.known.u, 25);
    EXPECT_EQ(result.added, 0);
    EXPECT_EQ(result.beyond, 8) << "nothing beyond struct_size may be written";
}

TEST(CApi, UnknownNumbersAreRefusedByName) {
    const auto refused = [](auto set, const std::string& field) {
        serinus_mann_whitney_options options = default_options();
        set(options);
        const Call made = call(low, high, &options);
        EXPECT_EQ(made.status, SERINUS_ERROR_ARGUMENT_WORD);
        EXPECT_NE(std::string(made.error.data()).find("options->" + field + " is "), std::string::npos)
            << made.error.data();
    };
    refused([](auto& o) { o.alternative = 4; }, "alternative");
    refused([](auto& o) { o.method = -1; }, "method");
    refused([](auto& o) { o.continuity = 3; }, "continuity");
    refused([](auto& o) { o.nan_policy = 257; }, "nan_policy");
}

TEST(CApi, ErrorTextIsCutToTheBuffer) {
    for (std::size_t capacity = 0; capacity < 80; ++capacity) {
        std::array<char, 96> error{};
        error.fill('#');
        EXPECT_EQ(serinus_mann_whitney(nullptr, 3, nullptr, 0, nullptr, nullptr, error.data(), capacity),
                  SERINUS_ERROR_ARGUMENT_NULL);
        for (std::size_t i = capacity; i < error.size(); ++i) ASSERT_EQ(error[i], '#') << "wrote beyond " << capacity;
        if (capacity == 0) continue;
        const std::string text = error.data();
        EXPECT_LT(text.size(), capacity);
        EXPECT_EQ(std::string("serinus.argument.null: result is NULL; allowed: a pointer to a struct").rfind(text, 0),
                  0U);
    }
}

TEST(CApi, ThreadsDoNotDisturbEachOther) {
    const double expected = call(low, high).result.p_value;
    std::vector<std::thread> threads;
    std::array<bool, 4> right{};
    for (std::size_t t = 0; t < right.size(); ++t) {
        threads.emplace_back([&right, expected, t] {
            bool all = true;
            for (int i = 0; i < 200; ++i) {
                all = all && call(low, high).result.p_value == expected;
                all = all && call(low, {nan, 1}).result.n_canary == 1;
            }
            right[t] = all;
        });
    }
    for (auto& thread : threads) thread.join();
    for (const bool all : right) EXPECT_TRUE(all);
}

}  // namespace
