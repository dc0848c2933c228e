#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/series/duration.hpp>

namespace {

using serinus::Code;

std::string refused(const std::function<void()>& call, Code code) {
    try {
        call();
    } catch (const serinus::Error& error) {
        EXPECT_EQ(error.code(), code) << error.what();
        return error.what();
    }
    ADD_FAILURE() << "nothing was raised";
    return "";
}

TEST(ParseDuration, EveryUnit) {
    const std::vector<std::pair<std::string, std::int64_t>> cases{{"0", 0},
                                                                  {"0s", 0},
                                                                  {"0ms", 0},
                                                                  {"1ms", 1},
                                                                  {"1500ms", 1500},
                                                                  {"90s", 90'000},
                                                                  {"10m", 600'000},
                                                                  {"1h", 3'600'000},
                                                                  {"1d", 86'400'000},
                                                                  {"1w", 604'800'000},
                                                                  {"1y", 31'536'000'000},
                                                                  {"30d", 2'592'000'000},
                                                                  {"1h30m", 5'400'000},
                                                                  {"12m40s", 760'000},
                                                                  {"007s", 7'000},
                                                                  {"1y2w3d4h5m6s7ms", 33'019'506'007},
                                                                  {"9999y", serinus::longest_ms}};
    for (const auto& [text, ms] : cases) EXPECT_EQ(serinus::parse_duration(text).count(), ms) << text;
}

TEST(ParseDuration, RefusesEverythingElse) {
    for (const std::string text : {"",
                                   " ",
                                   "5",
                                   "00",
                                   "s",
                                   "-5s",
                                   "+5s",
                                   "1.5h",
                                   "1h 30m",
                                   "30m1h",
                                   "1h1h",
                                   "5sec",
                                   "5S",
                                   "10M",
                                   "1h30",
                                   "1mo",
                                   " 5s",
                                   "5s ",
                                   "99999999999999999999s",
                                   "10000y",
                                   "9999y1ms",
                                   "9223372036854775807ms",
                                   "1e3s",
                                   "1,5h",
                                   "1ms2s"}) {
        const std::string what = refused([&] { serinus::parse_duration(text, "interval"); }, Code::data_duration);
        EXPECT_NE(what.find("interval is \"" + text + "\"; allowed: "), std::string::npos) << what;
        EXPECT_FALSE(serinus::try_parse_duration(text));
    }
}

TEST(FormatDuration, AsPrometheusPrintsIt) {
    const std::vector<std::pair<std::int64_t, std::string>> cases{{0, "0s"},
                                                                  {1, "1ms"},
                                                                  {760'000, "12m40s"},
                                                                  {90'000, "1m30s"},
                                                                  {604'800'000, "1w"},
                                                                  {691'200'000, "8d"},
                                                                  {1'209'600'000, "2w"},
                                                                  {31'536'000'000, "1y"},
                                                                  {63'072'000'000, "2y"},
                                                                  {31'536'000'001, "365d1ms"},
                                                                  {129'600'000, "1d12h"},
                                                                  {-5'000, "-5s"}};
    for (const auto& [ms, text] : cases) {
        EXPECT_EQ(serinus::format_duration(ms), text);
        EXPECT_EQ(serinus::format_duration(std::chrono::milliseconds(ms)), text);
    }
    // The most negative number has no positive counterpart; 2^63 ms = 106,751,991,167 d 7 h 12 m 55 s 808 ms.
    EXPECT_EQ(serinus::format_duration(std::numeric_limits<std::int64_t>::min()), "-106751991167d7h12m55s808ms");
}

TEST(FormatDuration, ReadsBack) {
    std::mt19937_64 random(1);
    for (int i = 0; i < 20'000; ++i) {
        const auto ms = static_cast<std::int64_t>(std::exp(std::uniform_real_distribution<>(0, 33.38)(random)));
        EXPECT_EQ(serinus::parse_duration(serinus::format_duration(ms)).count(), ms);
    }
}

}  // namespace
