#pragma once
/// \file
/// Durations as people and monitoring systems write them, to whole milliseconds and back.
///
///     parse_duration("1h30m");                       // 5'400'000 ms
///     format_duration(std::chrono::minutes(90));     // "1h30m"

#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>

namespace serinus {
inline namespace v0 {

/// 9999 years of 365 days, in milliseconds: the longest duration.
inline constexpr std::int64_t longest_ms = 315'328'464'000'000;

/// What errors say of texts that are no duration.
inline constexpr std::string_view duration_allowed =
    "whole numbers with the units y, w, d, h, m, s, ms, largest first, each at most once (10m, 1h30m, 250ms), or 0";

/// A duration, written as Prometheus writes it: whole numbers with the units y (365 days), w, d, h, m,
/// s, ms, largest first, each at most once: "10m", "1h30m", "250ms"; "0" needs no unit. Nothing for any other text and
/// for more than 9999 years.
inline std::optional<std::chrono::milliseconds> try_parse_duration(std::string_view text) noexcept {
    if (text == "0") return std::chrono::milliseconds(0);
    if (text.empty()) return std::nullopt;
    constexpr std::array<std::pair<std::string_view, std::int64_t>, 7> units{{{"y", 31'536'000'000},
                                                                              {"w", 604'800'000},
                                                                              {"d", 86'400'000},
                                                                              {"h", 3'600'000},
                                                                              {"m", 60'000},
                                                                              {"s", 1'000},
                                                                              {"ms", 1}}};
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    std::size_t next_unit = 0;
    std::int64_t total = 0;
    while (!text.empty()) {
        std::int64_t number = 0;
        if (!digit(text.front())) return std::nullopt;
        const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (problem != std::errc{}) return std::nullopt;
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        std::size_t letters = 0;
        while (letters < text.size() && !digit(text[letters])) ++letters;
        while (next_unit < units.size() && units[next_unit].first != text.substr(0, letters)) ++next_unit;
        if (next_unit == units.size() || number > (longest_ms - total) / units[next_unit].second) return std::nullopt;
        total += number * units[next_unit].second;
        ++next_unit;
        text.remove_prefix(letters);
    }
    return std::chrono::milliseconds(total);
}

/// The same; raises `serinus.data.duration`, naming `field` and the text, where there is no answer.
inline std::chrono::milliseconds parse_duration(std::string_view text, std::string_view field = "duration") {
    if (const auto length = try_parse_duration(text)) return *length;
    raise(Code::data_duration,
          std::string(field) + " is " + in_quotes(text) + "; allowed: " + std::string(duration_allowed));
}

/// A duration as Prometheus prints it: "12m40s", "1d12h", "250ms", "0s"; years and weeks only where nothing is left
/// over ("1w", but "8d"). `parse_duration` gives the same number back. A negative one begins with "-".
inline std::string format_duration(std::int64_t ms) {
    if (ms == 0) return "0s";
    std::string text;
    auto left = static_cast<std::uint64_t>(ms);
    if (ms < 0) {
        text = "-";
        left = 0 - left;
    }
    const auto put = [&](std::uint64_t unit_ms, std::string_view unit, bool only_whole) {
        if (left < unit_ms || (only_whole && left % unit_ms != 0)) return;
        text += std::to_string(left / unit_ms);
        text += unit;
        left %= unit_ms;
    };
    put(31'536'000'000, "y", true);
    put(604'800'000, "w", true);
    put(86'400'000, "d", false);
    put(3'600'000, "h", false);
    put(60'000, "m", false);
    put(1'000, "s", false);
    put(1, "ms", false);
    return text;
}
inline std::string format_duration(std::chrono::milliseconds length) { return format_duration(length.count()); }

}  // namespace v0
}  // namespace serinus
