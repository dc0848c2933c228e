#pragma once
/// \file
/// Moments as people and monitoring systems write them, to whole milliseconds and back.
///
/// Nothing here looks at the locale, the time zone of the machine or the clock: a time without an offset is UTC.
///
///     parse_time("2026-11-22 21:21:29+00:00");       // 1'795'382'489'000 ms after 1970
///     format_time(parse_time("1795382489.5"));       // "2026-11-22T21:21:29.500Z"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>

namespace serinus {
inline namespace v0 {

/// A moment: milliseconds since 1970-01-01 UTC, negative before. Columns of times, states, JSON and C have the bare
/// number, in `std::int64_t` and called `..._ms`.
using Time = std::chrono::sys_time<std::chrono::milliseconds>;

constexpr std::int64_t to_ms(Time time) noexcept { return time.time_since_epoch().count(); }
constexpr Time from_ms(std::int64_t ms) noexcept { return Time(std::chrono::milliseconds(ms)); }

/// 0001-01-01T00:00:00Z and the last millisecond of the year 9999: the times that RFC 3339 can write.
inline constexpr std::int64_t earliest_ms = -62'135'596'800'000;
inline constexpr std::int64_t latest_ms = 253'402'300'799'999;

/// What errors say of texts and numbers that are no time.
inline constexpr std::string_view time_allowed =
    "RFC 3339 (2026-11-22T21:21:29Z; no offset means UTC), or Unix time in seconds, ms, us or ns, within the years 1 "
    "to 9999";

/// Whether a number of milliseconds lies within the years 1 to 9999.
constexpr bool in_time_range(std::int64_t ms) noexcept { return ms >= earliest_ms && ms <= latest_ms; }

namespace detail {

/// Days since 1970-01-01 of a date of the proleptic Gregorian calendar (Howard Hinnant, "chrono-compatible low-level
/// date algorithms", days_from_civil): years begin in March, so the leap day is the last of its year.
constexpr std::int64_t days_from_civil(std::int64_t year, std::int64_t month, std::int64_t day) noexcept {
    if (month <= 2) --year;
    const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
    const std::int64_t year_of_era = year - era * 400;
    const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    const std::int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146'097 + day_of_era - 719'468;
}

constexpr std::int64_t days_in_month(std::int64_t year, std::int64_t month) noexcept {
    constexpr std::array<std::int64_t, 12> days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[static_cast<std::size_t>(month - 1)];
}

constexpr std::optional<Time> time_at(std::int64_t ms) noexcept {
    if (!in_time_range(ms)) return std::nullopt;
    return from_ms(ms);
}

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// Takes exactly `count` digits off the front.
constexpr std::optional<std::int64_t> take_digits(std::string_view& text, std::size_t count) noexcept {
    if (text.size() < count) return std::nullopt;
    std::int64_t number = 0;
    for (const char c : text.substr(0, count)) {
        if (!is_digit(c)) return std::nullopt;
        number = number * 10 + (c - '0');
    }
    text.remove_prefix(count);
    return number;
}

constexpr bool take(std::string_view& text, std::string_view any_of) noexcept {
    if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
    text.remove_prefix(1);
    return true;
}

/// Milliseconds of the decimal places at the front, the rest of them cut off; `cut` says whether it was more than 0.
constexpr std::optional<std::int64_t> take_milliseconds(std::string_view& text, bool& cut) noexcept {
    std::size_t places = 0;
    std::int64_t ms = 0;
    for (; places < text.size() && is_digit(text[places]); ++places) {
        if (places < 3) {
            ms = ms * 10 + (text[places] - '0');
        } else if (text[places] != '0') {
            cut = true;
        }
    }
    if (places == 0) return std::nullopt;
    for (std::size_t i = places; i < 3; ++i) ms *= 10;
    text.remove_prefix(places);
    return ms;
}

constexpr std::optional<Time> parse_calendar_time(std::string_view text) noexcept {
    const auto year = take_digits(text, 4);
    if (!year || *year < 1 || !take(text, "-")) return std::nullopt;
    const auto month = take_digits(text, 2);
    if (!month || *month < 1 || *month > 12 || !take(text, "-")) return std::nullopt;
    const auto day = take_digits(text, 2);
    if (!day || *day < 1 || *day > days_in_month(*year, *month)) return std::nullopt;
    std::int64_t ms = days_from_civil(*year, *month, *day) * 86'400'000;
    if (text.empty()) return time_at(ms);  // pandas writes the date alone when every time is midnight

    if (!take(text, "Tt ")) return std::nullopt;
    const auto hour = take_digits(text, 2);
    if (!hour || *hour > 23 || !take(text, ":")) return std::nullopt;
    const auto minute = take_digits(text, 2);
    if (!minute || *minute > 59) return std::nullopt;
    ms += (*hour * 60 + *minute) * 60'000;
    if (take(text, ":")) {
        const auto second = take_digits(text, 2);
        if (!second || *second > 59) return std::nullopt;  // Unix time has no leap seconds
        ms += *second * 1'000;
        if (take(text, ".,")) {
            bool cut = false;
            const auto fraction = take_milliseconds(text, cut);
            if (!fraction) return std::nullopt;
            ms += *fraction;
        }
    }
    if (text.empty() || ((text.front() == 'Z' || text.front() == 'z') && text.size() == 1)) return time_at(ms);

    const bool behind = text.front() == '-';
    if (!take(text, "+-")) return std::nullopt;
    const auto offset_hour = take_digits(text, 2);
    if (!offset_hour || *offset_hour > 23) return std::nullopt;
    std::int64_t offset = *offset_hour * 60;
    if (!text.empty()) {
        take(text, ":");
        const auto offset_minute = take_digits(text, 2);
        if (!offset_minute || *offset_minute > 59 || !text.empty()) return std::nullopt;
        offset += *offset_minute;
    }
    return time_at(ms + (behind ? offset : -offset) * 60'000);
}

}  // namespace detail

/// The moment that a number means, its unit told by its size: Unix seconds when |number| < 1e11 (until the year 5138),
/// milliseconds below 1e15 (all that there are), microseconds below 1e17 (16 digits: from 2001 on), else nanoseconds
/// (19 digits). Nothing for NaN, infinity and what lies outside the years 1 to 9999.
/// A double holds today's seconds to a quarter of a microsecond, so it is rounded to the microsecond first; then, like a text, to the
/// millisecond at or before it.
inline std::optional<Time> try_time_from_number(double number) noexcept {
    const double size = std::fabs(number);
    if (!(size < 1e20)) return std::nullopt;
    const double microseconds = std::round(size < 1e11   ? number * 1e6
                                           : size < 1e15 ? number * 1e3
                                           : size < 1e17 ? number
                                                         : number / 1e3);
    return detail::time_at(static_cast<std::int64_t>(std::floor(microseconds / 1e3)));
}

/// The same; raises `serinus.data.timestamp`, naming `field`, where there is no answer.
inline Time time_from_number(double number, std::string_view field = "timestamp") {
    if (const auto time = try_time_from_number(number)) return *time;
    if (std::isnan(number)) number = std::numeric_limits<double>::quiet_NaN();  // "nan", whatever its sign bit
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
    raise(Code::data_timestamp,
          std::string(field) + " is " + std::string(text.data(), end) + "; allowed: " + std::string(time_allowed));
}

/// The moment that a text means, or nothing when it means none.
///
/// - RFC 3339 and its relatives: "2026-11-22T21:21:29Z", a space instead of T, any number of decimal places, offsets
///   +02:00, +0200, +02, no offset (UTC), no seconds, or the date alone (midnight).
/// - Unix time, whole or decimal, negative before 1970: seconds when |number| < 1e11, milliseconds below 1e15,
///   microseconds below 1e17, else nanoseconds.
///
/// What is finer than a millisecond is cut off toward the past, in decimal, so that no binary rounding moves a sample.
/// Leap seconds (":60") do not exist in Unix time and are refused. Cost: linear in the text, no memory.
inline std::optional<Time> try_parse_time(std::string_view text) noexcept {
    std::string_view rest = text;
    const bool negative = !rest.empty() && rest.front() == '-';
    detail::take(rest, "+-");
    std::size_t digits = 0;
    while (digits < rest.size() && detail::is_digit(rest[digits])) ++digits;
    if (digits == 4 && rest.size() > 4 && rest[4] == '-' && rest.size() == text.size()) {
        return detail::parse_calendar_time(text);
    }
    if (digits == 0) return std::nullopt;

    std::int64_t whole = 0;
    const auto [end, problem] = std::from_chars(rest.data(), rest.data() + digits, whole);
    if (problem != std::errc{}) return std::nullopt;
    rest.remove_prefix(digits);
    bool cut = false;
    std::int64_t fraction = 0;
    if (detail::take(rest, ".") && !rest.empty() && detail::is_digit(rest.front())) {
        fraction = *detail::take_milliseconds(rest, cut);
    }
    if (!rest.empty()) {  // an exponent, as numpy may write one, or no number at all
        const std::string_view number = text.front() == '+' ? text.substr(1) : text;
        double value = 0;
        const auto [stop, error] = std::from_chars(number.data(), number.data() + number.size(), value);
        if (error != std::errc{} || stop != number.data() + number.size()) return std::nullopt;
        return try_time_from_number(value);
    }
    if (whole < 100'000'000'000)
        return detail::time_at(negative ? -(whole * 1'000 + fraction) - (cut ? 1 : 0) : whole * 1'000 + fraction);
    const std::int64_t finer = whole < 1'000'000'000'000'000 ? 1 : whole < 100'000'000'000'000'000 ? 1'000 : 1'000'000;
    cut = cut || fraction != 0 || whole % finer != 0;
    const std::int64_t ms = whole / finer;
    return detail::time_at(negative ? -ms - (cut ? 1 : 0) : ms);
}

/// The same; raises `serinus.data.timestamp`, naming `field` and the text, where there is no answer.
inline Time parse_time(std::string_view text, std::string_view field = "timestamp") {
    if (const auto time = try_parse_time(text)) return *time;
    raise(Code::data_timestamp,
          std::string(field) + " is " + in_quotes(text) + "; allowed: " + std::string(time_allowed));
}

/// RFC 3339 in UTC: "2026-11-22T21:21:29Z", with three decimal places when the milliseconds are not 0. `parse_time`
/// gives the same number back. Raises `serinus.data.timestamp` outside the years 1 to 9999.
inline std::string format_time(std::int64_t ms) {
    if (!in_time_range(ms)) {
        raise(Code::data_timestamp, "time is " + std::to_string(ms) + " ms; allowed: " + std::to_string(earliest_ms) +
                                        " to " + std::to_string(latest_ms) + " (the years 1 to 9999)");
    }
    // Counted from 0000-03-01, a cycle of the calendar is 146,097 days and a year ends with its leap day
    // (civil_from_days of the same paper). All numbers are positive from here on.
    const std::int64_t shifted = ms + 719'468LL * 86'400'000;
    const std::int64_t days = shifted / 86'400'000;
    const std::int64_t day_of_era = days % 146'097;
    const std::int64_t year_of_era =
        (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
    const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::int64_t march_month = (5 * day_of_year + 2) / 153;
    const std::int64_t day = day_of_year - (153 * march_month + 2) / 5 + 1;
    const std::int64_t month = march_month < 10 ? march_month + 3 : march_month - 9;
    const std::int64_t year = year_of_era + days / 146'097 * 400 + (month <= 2 ? 1 : 0);
    const std::int64_t in_day = shifted % 86'400'000;

    std::string text;
    const auto put = [&text](std::int64_t number, std::size_t width) {
        const std::string digits = std::to_string(number);
        text.append(width - digits.size(), '0');
        text += digits;
    };
    put(year, 4), text += '-', put(month, 2), text += '-', put(day, 2), text += 'T';
    put(in_day / 3'600'000, 2), text += ':', put(in_day / 60'000 % 60, 2), text += ':', put(in_day / 1'000 % 60, 2);
    if (in_day % 1'000 != 0) text += '.', put(in_day % 1'000, 3);
    text += 'Z';
    return text;
}
inline std::string format_time(Time time) { return format_time(to_ms(time)); }

}  // namespace v0
}  // namespace serinus
