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

#include <serinus/series/time.hpp>

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

serinus::Time at(std::int64_t ms) { return serinus::Time(std::chrono::milliseconds(ms)); }

TEST(TimeRange, TheYearsOneTo9999) {
    EXPECT_TRUE(serinus::in_time_range(serinus::earliest_ms) && serinus::in_time_range(0));
    EXPECT_TRUE(serinus::in_time_range(serinus::latest_ms));
    EXPECT_FALSE(serinus::in_time_range(serinus::earliest_ms - 1) || serinus::in_time_range(serinus::latest_ms + 1));
}

TEST(ParseTime, CalendarTimes) {
    // Expected values of the first six: Python's datetime.
    const std::vector<std::pair<std::string, std::int64_t>> cases{
        {"2026-11-22T21:21:29Z", 1'795'382'489'000},
        {"2024-02-29T12:00:00+05:30", 1'709'188'200'000},
        {"2000-03-01T00:00:00+00:00", 951'868'800'000},
        {"1900-02-28T23:59:59Z", -2'203'891'201'000},
        {"1969-12-31T23:59:59.500Z", -500},
        {"2026-11-22T21:21:29-08:00", 1'795'411'289'000},
        {"2026-11-22 21:21:29+00:00", 1'795'382'489'000},
        {"2026-11-22 21:21:29", 1'795'382'489'000},
        {"2026-11-22t21:21:29z", 1'795'382'489'000},
        {"2026-11-22T21:21:29.256172746Z", 1'795'382'489'256},
        {"2026-11-22T21:21:29.9999999999999Z", 1'795'382'489'999},
        {"2026-11-22T21:21:29,25+0100", 1'795'378'889'250},
        {"2026-11-22T21:21:29.2-01", 1'795'386'089'200},
        {"2026-11-22T21:21Z", 1'795'382'460'000},
        {"2026-11-22", 1'795'305'600'000},
        {"1969-12-31T23:59:59.9999Z", -1},
        {"0001-01-01T00:00:00Z", serinus::earliest_ms},
        {"9999-12-31T23:59:59.999Z", serinus::latest_ms}};
    for (const auto& [text, ms] : cases) EXPECT_EQ(serinus::parse_time(text), at(ms)) << text;
}

TEST(ParseTime, UnixTimes) {
    const std::vector<std::pair<std::string, std::int64_t>> cases{{"0", 0},
                                                                  {"-0", 0},
                                                                  {"1795382489", 1'795'382'489'000},
                                                                  {"+1795382489", 1'795'382'489'000},
                                                                  {"1795382492.993", 1'795'382'492'993},
                                                                  {"1795382492.9939999999999999", 1'795'382'492'993},
                                                                  {"1795382489.", 1'795'382'489'000},
                                                                  {"1795382489.0", 1'795'382'489'000},
                                                                  {"1.795382489e9", 1'795'382'489'000},
                                                                  {"+1.795382489256e+09", 1'795'382'489'256},
                                                                  {"1795382489000", 1'795'382'489'000},
                                                                  {"1795382489000.7", 1'795'382'489'000},
                                                                  {"-1.5", -1'500},
                                                                  {"-1.0001", -1'001},
                                                                  {"-0.0001", -1},
                                                                  {"-2000000000", -2'000'000'000'000},
                                                                  {"99999999999", 99'999'999'999'000},
                                                                  {"100000000000", 100'000'000'000},
                                                                  {"-100000000000", -100'000'000'000},
                                                                  {"-100000000000.5", -100'000'000'001},
                                                                  {"253402300799999", serinus::latest_ms},
                                                                  {"-62135596800000", serinus::earliest_ms}};
    for (const auto& [text, ms] : cases) EXPECT_EQ(serinus::parse_time(text), at(ms)) << text;
}

TEST(ParseTime, RefusesEverythingElse) {
    for (const std::string text : {"",
                                   " ",
                                   "now",
                                   "-",
                                   "+",
                                   ".5",
                                   "1 2",
                                   "0x10",
                                   "nan",
                                   "inf",
                                   "-inf",
                                   "1e400",
                                   "2026-13-01T00:00:00Z",
                                   "2026-00-01T00:00:00Z",
                                   "2026-02-29T00:00:00Z",
                                   "1900-02-29",
                                   "2026-04-31",
                                   "2026-11-00",
                                   "2026-11-22T24:00:00Z",
                                   "2026-11-22T23:60:00Z",
                                   "2026-11-22T23:59:60Z",
                                   "2026-11-22T21:21:29.Z",
                                   "2026-11-22T21:21:29 Z",
                                   "2026-11-22T21:21:29+24:00",
                                   "2026-11-22T21:21:29+01:60",
                                   "2026-11-22T21:21:29+1",
                                   "2026-11-22T21:21:29+01:0",
                                   "2026-11-22T21:21:29ZZ",
                                   "2026-11-22T21",
                                   "2026-11-22T",
                                   "2026-1-2",
                                   "26-11-22",
                                   "0000-01-01T00:00:00Z",
                                   "+2026-11-22",
                                   "-2026-11-22",
                                   "22/11/2026",
                                   "20261122T212129Z",
                                   "0001-01-01T00:00:00+00:01",
                                   "9999-12-31T23:59:59-00:01",
                                   "253402300800000",
                                   "-62135596800001",
                                   "-62135596801",
                                   "-99999999999999999",
                                   "99999999999999999999999"}) {
        EXPECT_FALSE(serinus::try_parse_time(text)) << text;
        const std::string what = refused([&] { serinus::parse_time(text, "at"); }, Code::data_timestamp);
        EXPECT_NE(what.find("at is \"" + text + "\"; allowed: "), std::string::npos) << what;
    }
}

TEST(ParseTime, ErrorsAreShortAndPrintable) {
    const std::string what =
        refused([] { serinus::parse_time(std::string("a\n\xFF\xC3\xA9") + std::string(1'000'000, 'x')); },
                Code::data_timestamp);
    EXPECT_NE(what.find("timestamp is \"a??\xC3\xA9xxx"), std::string::npos) << what;
    EXPECT_LT(what.size(), 300U);
}

TEST(TimeFromNumber, AgreesWithTheText) {
    EXPECT_EQ(serinus::time_from_number(1795382492.993), at(1'795'382'492'993));
    EXPECT_EQ(serinus::time_from_number(1795382489000.0), at(1'795'382'489'000));
    EXPECT_EQ(serinus::time_from_number(-1.5), at(-1'500));
    EXPECT_EQ(serinus::time_from_number(-1.0001), at(-1'001));
    EXPECT_EQ(serinus::time_from_number(-0.0), at(0));
    for (const double bad :
         {std::nan(""), HUGE_VAL, -HUGE_VAL, 9e14, -9e16, 1e20, -1e11 + 1, 1e300, 253402300800000.0}) {
        const std::string what = refused([&] { serinus::time_from_number(bad); }, Code::data_timestamp);
        EXPECT_NE(what.find("allowed: RFC 3339"), std::string::npos) << what;
    }
    // Every time with three decimal places survives the way through a double, now and far from now.
    std::mt19937_64 random(2);
    std::uniform_int_distribution<std::int64_t> any(-4'000'000'000'000, 4'000'000'000'000);
    for (int i = 0; i < 100'000; ++i) {
        const std::int64_t ms = any(random);
        EXPECT_EQ(serinus::time_from_number(static_cast<double>(ms) / 1000), at(ms));
    }
}

TEST(TimeFromNumber, TheUnitIsToldByTheSize) {
    // 2026-11-22T21:21:29.123Z and a little more in each unit; what is finer than a millisecond is cut off.
    for (const char* const text : {"1795382489.1234", "1795382489123", "1795382489123999", "1795382489123999999"})
        EXPECT_EQ(serinus::try_parse_time(text), at(1'795'382'489'123)) << text;
    for (const double number : {1795382489.1234, 1795382489123.4, 1795382489123400.0, 1795382489123400192.0})
        EXPECT_EQ(serinus::time_from_number(number), at(1'795'382'489'123)) << number;
    EXPECT_EQ(serinus::try_parse_time("-1795382489123001"), at(-1'795'382'489'124));
    EXPECT_EQ(serinus::try_parse_time("1000000000000000"), at(1'000'000'000'000));     // the first of 16 digits
    EXPECT_EQ(serinus::try_parse_time("100000000000000000"), at(100'000'000'000));     // the first of 18
    EXPECT_EQ(serinus::try_parse_time("9223372036854775807"), at(9'223'372'036'854));  // the last of 19
    EXPECT_FALSE(serinus::try_parse_time("9223372036854775808"));
}

TEST(FormatTime, EveryDayOfTheCalendar) {
    // Counted up day by day, with the rules of the calendar written out, against the closed formulas. The calendar
    // repeats after 400 years, so outside of two such spans only the months' first days are compared, to save time.
    std::int64_t ms = serinus::earliest_ms;
    const std::vector<int> lengths{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const auto two = [](int n) { return (n < 10 ? "0" : "") + std::to_string(n); };
    for (int year = 1; year <= 9999; ++year) {
        const bool leap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0);
        const std::string digits = std::to_string(year);
        const std::string begin = std::string(4 - digits.size(), '0') + digits + "-";
        for (int month = 1; month <= 12; ++month) {
            const int days = lengths[static_cast<std::size_t>(month - 1)] + (month == 2 && leap ? 1 : 0);
            for (int day = 1; day <= days; ++day, ms += 86'400'000) {
                if (day > 1 && year > 400 && (year < 1800 || year >= 2200)) continue;
                const std::string date = begin + two(month) + "-" + two(day);
                ASSERT_EQ(serinus::format_time(ms), date + "T00:00:00Z");
                ASSERT_EQ(serinus::try_parse_time(date), at(ms)) << date;
            }
            ASSERT_FALSE(serinus::try_parse_time(begin + two(month) + "-" + two(days + 1)));
        }
    }
    EXPECT_EQ(ms, serinus::latest_ms + 1);
}

TEST(FormatTime, ReadsBackAndRefusesOtherYears) {
    EXPECT_EQ(serinus::format_time(1'795'382'489'500), "2026-11-22T21:21:29.500Z");
    EXPECT_EQ(serinus::format_time(-1), "1969-12-31T23:59:59.999Z");
    EXPECT_EQ(serinus::format_time(serinus::latest_ms), "9999-12-31T23:59:59.999Z");
    std::mt19937_64 random(3);
    std::uniform_int_distribution<std::int64_t> any(serinus::earliest_ms, serinus::latest_ms);
    for (int i = 0; i < 50'000; ++i) {
        const std::int64_t ms = any(random);
        EXPECT_EQ(serinus::parse_time(serinus::format_time(ms)), at(ms));
        EXPECT_EQ(serinus::format_time(at(ms)), serinus::format_time(ms));
    }
    for (const std::int64_t bad :
         {serinus::earliest_ms - 1, serinus::latest_ms + 1, std::numeric_limits<std::int64_t>::min(),
          std::numeric_limits<std::int64_t>::max()}) {
        refused([&] { serinus::format_time(bad); }, Code::data_timestamp);
    }
}

}  // namespace
