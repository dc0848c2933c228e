#pragma once
/// \file
/// Counts of events, the same for one look and for many: whole numbers from 0 to 2^53, which a double holds exactly.

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include <serinus/core/error.hpp>
#include <serinus/core/text.hpp>
#include <serinus/core/version.hpp>

namespace serinus {
inline namespace v0 {

/// What happened in one arm, in one interval or in all: `bad` of `total` requests.
struct Proportion {
    std::int64_t bad = 0;
    std::int64_t total = 0;
};

/// What happened in one arm, in one interval or in all: `events` in an `exposure` of instance-hours, requests, bytes,
/// or whatever they could happen in.
struct Rate {
    std::int64_t events = 0;
    double exposure = 0;
};

/// The largest count, 2^53: up to here every whole number is a double.
inline constexpr std::int64_t most_count = std::int64_t{1} << 53;

constexpr bool is_count(std::int64_t value) noexcept { return value >= 0 && value <= most_count; }
inline bool is_count(double value) noexcept {
    return value >= 0 && value <= static_cast<double>(most_count) && value == std::floor(value);
}

/// A count as the double that it is, for formulas.
constexpr double as_double(std::int64_t count) noexcept { return static_cast<double>(count); }

/// The count that a number is; raises `serinus.argument.count`, naming the field, for a number that is none.
inline std::int64_t require_count(std::string_view field, double value) {
    if (is_count(value)) return static_cast<std::int64_t>(value);
    raise(Code::argument_count, std::string(field) + " is " + given_text(value) +
                                    "; allowed: a whole number from 0 to " + std::to_string(most_count));
}
inline void require_count(std::string_view field, std::int64_t value) {
    if (is_count(value)) return;
    raise(Code::argument_count, std::string(field) + " is " + std::to_string(value) +
                                    "; allowed: a whole number from 0 to " + std::to_string(most_count));
}

/// Can an arm have had these? Raises `serinus.argument.count`, naming the arm, if not.
constexpr bool is_possible(const Proportion& counts) noexcept {
    return counts.bad >= 0 && counts.bad <= counts.total && is_count(counts.total);
}
inline void require_possible(std::string_view arm, const Proportion& counts) {
    if (is_possible(counts)) return;
    raise(Code::argument_count, std::string(arm) + " has " + std::to_string(counts.bad) + " bad of " +
                                    std::to_string(counts.total) + "; allowed: 0 <= bad <= total <= 2^53");
}

}  // namespace v0
}  // namespace serinus
