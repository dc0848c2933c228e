#pragma once
/// \file
/// The reference numbers of data/reference/fixed/{one_look,shift_and_effect}.json, for the tests of one look.

#include <cmath>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <serinus/core/words.hpp>

#include "support/data_dir.hpp"

namespace reference {

inline double number(const nlohmann::json& value) {
    if (value.is_number()) return value.get<double>();
    if (value == "Infinity") return std::numeric_limits<double>::infinity();
    if (value == "-Infinity") return -std::numeric_limits<double>::infinity();
    return std::numeric_limits<double>::quiet_NaN();
}

inline std::vector<double> numbers(const nlohmann::json& array) {
    std::vector<double> values;
    for (const auto& value : array) values.push_back(number(value));
    return values;
}

inline nlohmann::json parsed(const std::string& name) {
    std::ifstream file(data_dir() + "/reference/fixed/" + name);
    return nlohmann::json::parse(file);
}
inline const nlohmann::json& all() {
    static const nlohmann::json known = parsed("one_look.json");
    return known;
}
inline const nlohmann::json& shifts() {
    static const nlohmann::json known = parsed("shift_and_effect.json");
    return known;
}

/// Calls `check(case)` for every case of a function of a package; returns how many there were.
template <class Check>
int for_each_case(const std::string& function, const Check& check) {
    int seen = 0;
    for (const auto& one : all()["cases"]) {
        if (one["fn"] != function) continue;
        SCOPED_TRACE(one.dump().substr(0, 400));
        check(one);
        ++seen;
    }
    return seen;
}

/// The same with the arms of the case's dataset: `check(case, baseline, canary)`.
template <class Check>
int for_each_pair(const std::string& function, const Check& check) {
    return for_each_case(function, [&](const nlohmann::json& one) {
        const auto& data = all()["datasets"][one["inputs"]["dataset"].get<std::string>()];
        check(one, numbers(data["baseline"]), numbers(data["canary"]));
    });
}

/// The same of the cases of shifts and effects, which keep their options beside their names.
template <class Check>
int for_each_shift(const std::string& function, const Check& check) {
    int seen = 0;
    for (const auto& one : shifts()["cases"]) {
        if (one["fn"] != function) continue;
        const auto& data = shifts()["datasets"][one["dataset"].get<std::string>()];
        SCOPED_TRACE(one.dump().substr(0, 300));
        check(one, numbers(data["baseline"]), numbers(data["canary"]));
        ++seen;
    }
    return seen;
}

inline serinus::Alternative alternative_of(const nlohmann::json& word) {
    const std::string text = word;
    if (text == "greater" || text == "larger") return serinus::Alternative::greater;
    return text == "less" || text == "smaller" ? serinus::Alternative::less : serinus::Alternative::two_sided;
}
inline serinus::Alternative alternative(const nlohmann::json& one) {
    return alternative_of(one["options"]["alternative"]);
}
inline serinus::Alternative mirrored(serinus::Alternative alternative) {
    using enum serinus::Alternative;
    return alternative == greater ? less : alternative == less ? greater : two_sided;
}

/// Within `relative` of the expected value, and of `absolute` where that is given.
inline void expect_close(double actual, double expected, double relative = 1e-9, double absolute = 0) {
    if (std::isnan(expected)) {
        EXPECT_TRUE(std::isnan(actual)) << actual;
    } else if (std::isinf(expected)) {
        EXPECT_EQ(actual, expected);
    } else {
        EXPECT_LE(std::fabs(actual - expected), relative * std::fabs(expected) + absolute)
            << actual << " against " << expected;
    }
}

/// Within `tolerance`, relative of what is larger than 1.
inline void expect_near(double actual, double expected, double tolerance) {
    expect_close(actual, expected, std::fabs(expected) > 1 ? tolerance : 0, std::fabs(expected) > 1 ? 0 : tolerance);
}

inline bool finite(const std::vector<double>& values) {
    for (const double value : values)
        if (!std::isfinite(value)) return false;
    return true;
}

}  // namespace reference
