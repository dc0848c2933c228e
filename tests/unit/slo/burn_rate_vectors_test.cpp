// What a real Prometheus says: every value and every firing interval of data/reference/slo/burn_rate.json.
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <serinus/series/duration.hpp>
#include <serinus/slo/alerts.hpp>
#include <serinus/slo/burn_rate.hpp>
#include <serinus/slo/objective.hpp>
#include <serinus/slo/policy.hpp>

#include "support/data_dir.hpp"

namespace serinus::slo {
namespace {

using nlohmann::json;

/// The file of the project, or another one of its format.
const json& vectors() {
    static const json all = [] {
        const char* other = std::getenv("SERINUS_BURN_RATE_VECTORS");
        std::ifstream file(other ? other : data_dir() + "/reference/slo/burn_rate.json");
        return json::parse(file);
    }();
    return all;
}

const std::map<std::string, Semantics>& oracles() {
    static const std::map<std::string, Semantics> known{{"raw", Semantics::exact},
                                                        {"prom2_42", Semantics::prometheus2},
                                                        {"prom3_16", Semantics::prometheus3},
                                                        {"prom3_16_anchored", Semantics::prometheus3_anchored}};
    return known;
}

/// The oracles of a scenario; the anchored one is in the file only where it differs from `raw`.
std::map<std::string, Semantics> oracles_of(const json& scenario) {
    std::map<std::string, Semantics> found;
    for (const auto& [oracle, expected] : scenario["expected"].items()) found[oracle] = oracles().at(oracle);
    return found;
}

struct Samples {
    std::vector<std::int64_t> times;
    std::vector<double> values;
};

Samples samples_of(const json& series) {
    Samples samples;
    for (const json& value : series["v"]) samples.values.push_back(value.get<double>());
    if (series.contains("t_ms")) {
        samples.times = series["t_ms"].get<std::vector<std::int64_t>>();
    } else {
        const auto start = series["t"]["start_ms"].get<std::int64_t>(),
                   step = series["t"]["step_ms"].get<std::int64_t>();
        for (std::int64_t i = 0; i < series["t"]["count"].get<std::int64_t>(); ++i)
            samples.times.push_back(start + i * step);
    }
    return samples;
}

BurnRate loaded(const json& scenario, Semantics semantics, const std::vector<std::chrono::milliseconds>& windows,
                const std::string& version = "") {
    BurnRate burn({.budget = scenario["error_budget"].get<double>(), .windows = windows, .semantics = semantics});
    for (const json& series : scenario["series"]) {
        if (!version.empty() && series["labels"]["version"] != version) continue;
        const Samples samples = samples_of(series);
        // Prometheus knows of no births: with an instance each, nothing is known of what it served before.
        burn.add(burn.add_series(require_word<Role>("role", series["role"].get<std::string>()), SeriesKind::counter,
                                 "instance " + std::to_string(burn.series_count())),
                 samples.times, samples.values);
    }
    return burn;
}

/// Does the window hold the first sample of a series that began at 0 while it was watched? Prometheus does not count it.
bool has_birth(const BurnRate& burn, std::int64_t t, std::chrono::milliseconds window) {
    const BurnRateState state = burn.state();
    for (std::size_t s = 0; s < state.born.size(); ++s) {
        if (state.born[s] == 1 && state.first_ms[s] > t - window.count() && state.first_ms[s] <= t) return true;
    }
    return false;
}

/// Null is absent, "NaN" is 0/0, all else to 1e-9 of the value: the operations are the oracle's, the order in which
/// series are summed is not known.
void expect_same(const json& expected, double found, bool absent, const std::string& where) {
    if (expected.is_null()) {
        EXPECT_TRUE(absent) << where << ": " << found;
        return;
    }
    EXPECT_FALSE(absent) << where << ": expected " << expected;
    if (expected.is_string()) {
        EXPECT_EQ(expected, "NaN") << where;
        EXPECT_TRUE(std::isnan(found)) << where << ": " << found;
        return;
    }
    EXPECT_NEAR(found, expected.get<double>(), 1e-9 * std::fabs(expected.get<double>())) << where;
}

/// All keys of the file are those that the tests below read: a new oracle, column or field would not go unnoticed.
TEST(BurnRateVectors, NothingOfTheFileIsLeftOut) {
    const auto keys = [](const json& object) {
        std::set<std::string> found;
        for (const auto& [key, value] : object.items()) found.insert(key);
        return found;
    };
    EXPECT_EQ(keys(vectors()), (std::set<std::string>{"format", "units", "producers", "rules", "scenarios"}));
    std::set<std::string> seen;
    for (const json& scenario : vectors()["scenarios"]) {
        EXPECT_EQ(keys(scenario),
                  (std::set<std::string>{"name", "description", "slo_target", "error_budget", "slo_period_days", "eval",
                                         "policy", "series", "record_t", "expected", "firing"}));
        EXPECT_EQ(keys(scenario["expected"]), keys(scenario["firing"])) << scenario["name"];
        for (const auto& [oracle, windows] : scenario["expected"].items()) {
            EXPECT_TRUE(oracles().contains(oracle)) << oracle;
            seen.insert(oracle);
            for (const auto& [window, columns] : windows.items()) {
                const bool by_version = window.rfind("by_version:", 0) == 0;
                const json by_window = by_version ? columns : json::object({{window, columns}});
                for (const auto& [inner, more] : by_window.items()) {
                    const auto expected = by_version ? std::set<std::string>{"bad", "total"}
                                                     : std::set<std::string>{"bad", "burn", "total"};
                    EXPECT_EQ(keys(more), expected) << scenario["name"] << " " << oracle << " " << window;
                    for (const auto& [column, values] : more.items())
                        EXPECT_EQ(values.size(), scenario["record_t"].size()) << column;
                }
            }
        }
        // The factors of the file are those of the workbook's shares of the period, and its budgets those of the
        // targets.
        const std::chrono::days period(scenario["slo_period_days"].get<std::int64_t>());
        for (const json& condition : scenario["policy"]) {
            EXPECT_NEAR(condition["factor"].get<double>(),
                        factor_of_share(condition["budget_percent"].get<double>() / 100, period,
                                        parse_duration(condition["long"].get<std::string>())),
                        1e-12);
        }
        EXPECT_EQ(scenario["error_budget"].get<double>(), budget_from_target(scenario["slo_target"].dump()));
    }
    EXPECT_EQ(seen.size(), oracles().size());
}

TEST(BurnRateVectors, EveryValueOfPrometheus) {
    ASSERT_EQ(vectors()["format"], "burnrate-vectors/1");
    int checked = 0, births = 0;
    for (const json& scenario : vectors()["scenarios"]) {
        for (const auto& [oracle, semantics] : oracles_of(scenario)) {
            for (const auto& [key, columns] : scenario["expected"][oracle].items()) {
                const bool by_version = key.rfind("by_version:", 0) == 0;
                if (by_version) {
                    const std::string version = key.substr(11);
                    for (const auto& [window, by_window] : columns.items()) {
                        if (!by_window.is_object()) continue;
                        BurnRate burn = loaded(scenario, semantics, {parse_duration(window)}, version);
                        for (std::size_t i = 0; i < scenario["record_t"].size(); ++i) {
                            const WindowBurn found =
                                burn.at(from_ms(scenario["record_t"][i].get<std::int64_t>() * 1000))[0];
                            const std::string where = scenario["name"].get<std::string>() + " " + oracle + " " + key +
                                                      " " + window + " " + std::to_string(i);
                            expect_same(by_window["bad"][i], found.bad, std::isnan(found.bad), where + " bad");
                            expect_same(by_window["total"][i], found.total, std::isnan(found.total), where + " total");
                            checked += 2;
                        }
                    }
                    continue;
                }
                BurnRate burn = loaded(scenario, semantics, {parse_duration(key)});
                for (std::size_t i = 0; i < scenario["record_t"].size(); ++i) {
                    const WindowBurn found = burn.at(from_ms(scenario["record_t"][i].get<std::int64_t>() * 1000))[0];
                    const std::string where =
                        scenario["name"].get<std::string>() + " " + oracle + " " + key + " " + std::to_string(i);
                    if (semantics == Semantics::exact &&
                        has_birth(burn, scenario["record_t"][i].get<std::int64_t>() * 1000, parse_duration(key))) {
                        EXPECT_GE(found.total, columns["total"][i].get<double>()) << where;
                        ++births;
                        continue;
                    }
                    expect_same(columns["bad"][i], found.bad, std::isnan(found.bad), where + " bad");
                    expect_same(columns["total"][i], found.total, std::isnan(found.total), where + " total");
                    expect_same(columns["burn"][i], found.burn, found.status == BurnStatus::absent, where + " burn");
                    EXPECT_TRUE(found.exact) << where;
                    checked += 3;
                }
                // All at once says the same.
                std::vector<std::int64_t> times;
                for (const json& t : scenario["record_t"]) times.push_back(t.get<std::int64_t>() * 1000);
                const BurnColumn column = burn.over(times)[0];
                for (std::size_t i = 0; i < times.size(); ++i) {
                    const WindowBurn one = burn.at(from_ms(times[i]))[0];
                    EXPECT_TRUE(one.bad == column.bad[i] || (std::isnan(one.bad) && std::isnan(column.bad[i])));
                    EXPECT_TRUE(one.burn == column.burn(i) || (std::isnan(one.burn) && std::isnan(column.burn(i))));
                }
            }
        }
    }
    EXPECT_GT(checked, 30'000);
    EXPECT_GT(births, 0);
    EXPECT_LT(births, 200);
}

json in_seconds(const std::vector<FiringInterval>& intervals) {
    json seconds = json::array();
    for (const FiringInterval& interval : intervals)
        seconds.push_back({to_ms(interval.first) / 1000, to_ms(interval.last) / 1000});
    return seconds;
}

TEST(BurnRateVectors, EveryFiringIntervalOfPrometheus) {
    int checked = 0;
    for (const json& scenario : vectors()["scenarios"]) {
        const auto start = scenario["eval"]["start"].get<std::int64_t>(),
                   end = scenario["eval"]["end"].get<std::int64_t>(),
                   step = scenario["eval"]["step"].get<std::int64_t>();
        std::vector<std::int64_t> times;
        for (std::int64_t t = start; t <= end; t += step) times.push_back(t * 1000);
        Policy policy;
        for (const json& condition : scenario["policy"]) {
            policy.conditions.push_back(
                {.name = condition["severity"].get<std::string>() + "." + condition["speed"].get<std::string>(),
                 .long_window = parse_duration(condition["long"].get<std::string>()),
                 .short_window = parse_duration(condition["short"].get<std::string>()),
                 .factor = condition["factor"].get<double>(),
                 .severity = require_word<Severity>("severity", condition["severity"].get<std::string>())});
        }
        const Objective objective{.name = scenario["name"].get<std::string>(),
                                  .budget = scenario["error_budget"].get<double>()};
        for (const auto& [oracle, semantics] : oracles_of(scenario)) {
            const AlertHistory history =
                alerts_over(policy, objective, loaded(scenario, semantics, windows_of(policy)), times);
            std::map<std::string, json> found{{"page", in_seconds(history.of(Severity::page))},
                                              {"ticket", in_seconds(history.of(Severity::ticket))}};
            for (std::size_t i = 0; i < policy.conditions.size(); ++i)
                found[policy.conditions[i].name] = in_seconds(history.by_condition[i]);
            for (const auto& [name, expected] : scenario["firing"][oracle].items()) {
                EXPECT_EQ(found[name], expected) << scenario["name"] << " " << oracle << " " << name;
                ++checked;
            }
        }
    }
    EXPECT_GE(checked, 200);
}

}  // namespace
}  // namespace serinus::slo
