#pragma once
/// \file
/// The reference numbers of data/reference/fixed, for the tests of one look.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <utility>
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

inline std::int64_t count(const nlohmann::json& value) { return static_cast<std::int64_t>(number(value)); }

inline std::vector<double> numbers(const nlohmann::json& array) {
    std::vector<double> values;
    for (const auto& value : array) values.push_back(number(value));
    return values;
}

/// A golden file of data/reference (tools/reference says how it came about).
inline nlohmann::json parsed(const std::string& name) {
    std::ifstream file(data_dir() + "/reference/" + name);
    return nlohmann::json::parse(file);
}

/// The function that a case's source names: "brunnermunzel" of "scipy brunnermunzel".
inline std::string function_of(const nlohmann::json& one) {
    const std::string source = one["source"];
    const std::size_t begin = source.find(' ') + 1;
    return source.substr(begin, source.find(' ', begin) - begin);
}

inline const nlohmann::json& datasets() {
    static const nlohmann::json known = parsed("fixed/datasets.json")["datasets"];
    return known;
}

/// The cases of all tests of one look but Mann-Whitney's, each with its `function`.
inline const std::vector<nlohmann::json>& all() {
    static const std::vector<nlohmann::json> known = [] {
        std::vector<nlohmann::json> cases;
        for (const auto& entry : std::filesystem::directory_iterator(data_dir() + "/reference/fixed")) {
            const std::string name = entry.path().filename().string();
            if (name == "mann_whitney.json") continue;  // of its own form
            nlohmann::json file = parsed("fixed/" + name);
            for (auto& one : file.value("cases", nlohmann::json::array())) cases.push_back(one);
        }
        for (auto& one : cases) one["function"] = function_of(one);
        return cases;
    }();
    return known;
}

/// Calls `check(case)` for every case of a function of a package; returns how many there were.
template <class Check>
int for_each_case(const std::string& function, const Check& check) {
    int seen = 0;
    for (const auto& one : all()) {
        if (one["function"] != function) continue;
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
        const auto& data = datasets()[one["inputs"]["dataset"].get<std::string>()];
        check(one, numbers(data["baseline"]), numbers(data["canary"]));
    });
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
