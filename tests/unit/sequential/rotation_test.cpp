// The rotation test between instances: against the reference in numpy, symmetries, rules of what may be said, states.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <serinus/core/state.hpp>
#include <serinus/sequential/rotation.hpp>

#include "support/code_of.hpp"
#include "support/data_dir.hpp"

namespace serinus::sequential {
namespace {

using nlohmann::json;

constexpr double infinity = std::numeric_limits<double>::infinity();
const double none = std::nan("");
constexpr Margin ratio(double value) { return {.ratio = value, .difference = {}}; }
constexpr Margin difference(double value) { return {.ratio = {}, .difference = value}; }

using Values = std::vector<double>;

/// One interval: a value of each instance.
struct Step {
    Values baseline, canary;
};
using Rollout = std::vector<Step>;

/// Instances whose logs have levels of deviation tau and noise of .2; the canary's times a factor.
Rollout rollout(unsigned seed, std::size_t kb, std::size_t kc, int intervals, double tau, double factor = 1) {
    std::mt19937_64 random(seed);
    std::normal_distribution<double> law;
    Values levels(kb + kc);
    for (double& level : levels) level = tau * law(random);
    Rollout steps(static_cast<std::size_t>(intervals));
    for (Step& step : steps) {
        for (std::size_t i = 0; i < kb + kc; ++i) {
            const double value = 40 * std::exp(levels[i] + 0.2 * law(random));
            (i < kb ? step.baseline : step.canary).push_back(i < kb ? value : factor * value);
        }
    }
    return steps;
}
Rollout mapped(Rollout steps, auto&& map) {
    for (Step& step : steps) {
        for (double& value : step.baseline) value = map(value);
        for (double& value : step.canary) value = map(value);
    }
    return steps;
}

RotationTest after(const RotationOptions& options, const Rollout& steps) {
    RotationTest test(options);
    for (const Step& step : steps) test.update(step.baseline, step.canary);
    return test;
}

/// The first interval at which the test had decided, 0: never.
int decided_at(const RotationOptions& options, const Rollout& steps) {
    RotationTest test(options);
    int n = 0;
    for (const Step& step : steps) {
        ++n;
        test.update(step.baseline, step.canary);
        if (test.decided()) return n;
    }
    return 0;
}

/// Instances of former releases: `many` contrasts of the given deviation, each its own noise.
InstanceSpread former(std::int64_t last, int many, double tau, unsigned seed = 99) {
    std::mt19937_64 random(seed);
    std::normal_distribution<double> law;
    InstanceSpread spread;
    spread.looks = rotation_looks(last);
    for (int i = 0; i < many; ++i) {
        std::vector<Values> levels;
        for (int k = 0; k < 2; ++k) {
            Values logs(static_cast<std::size_t>(last));
            const double level = tau * law(random);
            for (double& value : logs) value = level + 0.2 * law(random);
            levels.push_back(running_levels(logs, spread.looks));
        }
        spread.add_instances(levels);
    }
    return spread;
}

Values of(const json& list) {
    Values values;
    for (const json& value : list) values.push_back(value.is_null() ? none : value.get<double>());
    return values;
}

// ---- against numpy

TEST(RotationTest, HasTheRowsAndThePathOfTheReference) {
    std::ifstream file(data_dir() + "/reference/sequential/rotation.json");
    const json reference = json::parse(file);
    int cases = 0;
    for (const json& given : reference["cases"]) {
        const std::string name = given["name"];
        ++cases;
        RotationOptions options{.last = given["last"], .interval = false};
        const bool is_ratio = !given["ratio"].is_null();
        options.margin = is_ratio ? ratio(given["ratio"]) : difference(given["difference"]);
        const auto looks = rotation_looks(options.last);
        ASSERT_EQ(looks, given["looks"].get<std::vector<std::int64_t>>());
        const auto levels_of = [&](const json& instances) {
            std::vector<Values> levels;
            for (const json& instance : instances) {
                Values values = of(instance);
                if (is_ratio) {
                    for (double& value : values) value = std::log(value);
                }
                levels.push_back(running_levels(values, looks));
            }
            return levels;
        };
        options.known.looks = looks;
        if (!given["history"].empty())
            options.known.add_instances(levels_of(given["history"]), given["baseline"].size());
        for (const json& release : given["former"]) options.known.add_instances(levels_of(release));
        EXPECT_EQ(options.known.degrees, given["known_degrees"].get<double>()) << name;
        for (std::size_t i = 0; i < options.known.gram.size(); ++i) {
            EXPECT_NEAR(options.known.gram[i], given["known"][i / looks.size()][i % looks.size()].get<double>(), 1e-12)
                << name;
        }

        RotationTest test(options);
        std::vector<Values> baseline, canary;
        for (const json& instance : given["baseline"]) baseline.push_back(of(instance));
        for (const json& instance : given["canary"]) canary.push_back(of(instance));
        for (std::size_t i = 0; i < baseline[0].size(); ++i) {
            Values b, c;
            for (const Values& values : baseline) b.push_back(values[i]);
            for (const Values& values : canary) c.push_back(values[i]);
            test.update(b, c);
        }
        EXPECT_EQ(test.degrees(), given["degrees"].get<double>()) << name;
        const InstanceSpread spread = test.spread();
        const std::size_t size = given["path"].size();
        ASSERT_EQ(spread.looks.size(), size) << name;
        const double edge = is_ratio ? std::log(*options.margin.ratio) : *options.margin.difference;
        const RotationState state = test.state();
        rotation::RowFactor factor(std::min(static_cast<std::size_t>(test.degrees()), looks.size()));
        for (std::size_t j = 0; j < size; ++j) {
            // Of the size of what it is compared with: in a difference of milliseconds the squares are hundreds.
            const double scale = std::max(1.0, given["gram"][j][j].get<double>());
            for (std::size_t i = 0; i < size; ++i)
                EXPECT_NEAR(spread.gram[i * size + j], given["gram"][i][j].get<double>(), 1e-12 * scale) << name;
            EXPECT_NEAR((state.differences[j] - edge) / std::sqrt(state.scales[j]), given["path"][j].get<double>(),
                        1e-12 * scale)
                << name;
            std::vector<double> column;
            for (std::size_t i = 0; i <= j; ++i) column.push_back(spread.gram[i * size + j]);
            factor.add(column);
            // What an early pivot loses to cancellation a row loses over the pivot's size.
            for (std::size_t r = 0; r < given["rows"][j].size(); ++r) {
                const double row = r < factor.column(j).size() ? factor.column(j)[r] : 0;
                EXPECT_NEAR(row, given["rows"][j][r].get<double>(), 1e-12 * scale) << name << j << ' ' << r;
            }
        }
        if (given["instances_differ"].is_null()) continue;
        const auto rows = rotation::declared_rows(
            looks, 8, std::log1p(given["instances_differ"].get<double>()) / (1.645 * std::sqrt(2.0)));
        for (std::size_t i = 0; i < looks.size(); ++i) {
            for (std::size_t j = 0; j < looks.size(); ++j) {
                double sum = 0;
                for (std::size_t k = 0; k < rows[i].size(); ++k) sum += rows[i][k] * rows[j][k];
                EXPECT_NEAR(sum, given["declared"][i][j].get<double>(), 1e-12) << name;
            }
        }
    }
    EXPECT_EQ(cases, 4);
}

// ---- when and what

TEST(RotationTest, LooksAtItsLooksOnly) {
    const Rollout steps = rollout(1, 4, 1, 30, 0.05, 3);
    RotationTest test({.margin = ratio(1.2), .last = 30});
    double before = 0;
    const auto looks = rotation_looks(30);
    for (std::size_t i = 0; i < steps.size(); ++i) {
        test.update(steps[i].baseline, steps[i].canary);
        if (test.log_e_value() != before) {
            EXPECT_TRUE(std::count(looks.begin(), looks.end(), static_cast<std::int64_t>(i + 1)) == 1);
        }
        EXPECT_GE(test.log_e_value(), before);
        before = test.log_e_value();
        EXPECT_EQ(test.decided(), test.log_e_value() >= test.log_needed());
        EXPECT_NEAR(test.p_value(), std::exp(-test.log_e_value()), 1e-15);
    }
    EXPECT_TRUE(test.decided());
    EXPECT_EQ(test.n(), 30);
    EXPECT_NEAR(test.evidence().estimate, test.mean_canary() / test.mean_baseline(), 1e-12);
    EXPECT_NEAR(test.mean_baseline(), 40, 8);
}

TEST(RotationTest, NothingIsDecidedAfterLast) {
    Rollout steps = rollout(1, 3, 1, 12, 0.1);
    const Rollout harm = rollout(2, 3, 1, 100, 0.1, 20);
    RotationTest test = after({.last = 12}, steps);
    const double then = test.log_e_value();
    for (const Step& step : harm) test.update(step.baseline, step.canary);
    EXPECT_EQ(test.log_e_value(), then);
    EXPECT_EQ(test.n(), 112);
}

TEST(RotationTest, SinceDelaysTheFirstDecision) {
    const Rollout steps = rollout(4, 4, 1, 30, 0.02, 8);
    EXPECT_EQ(decided_at({.last = 30}, steps), 5);
    EXPECT_EQ(decided_at({.last = 30, .since = 8}, steps), 8);
    EXPECT_EQ(decided_at({.last = 30, .since = 9}, steps), 10);
}

TEST(RotationTest, EstimateIsOfTheInstancesThatAreThere) {
    RotationTest test({.margin = difference(0), .last = 20});
    test.update(Values{1, none}, Values{5});
    test.update(Values{3, 5}, Values{7, 9});  // both arms have a new instance
    EXPECT_EQ(test.evidence().estimate, (4.0 + (8.0 - 4.0)) / 2);
    test.update(Values{none, none}, Values{7, 9});  // not judged
    test.update(Values{1, 2}, Values{none});
    test.update(Values{}, Values{});
    EXPECT_EQ(test.n(), 2);
    EXPECT_EQ(test.mean_baseline(), 2.5);
    EXPECT_EQ(test.mean_canary(), 6.5);
}

TEST(RotationTest, ZerosCountAsWhatIsGiven) {
    RotationTest none_counts({.margin = ratio(1), .last = 20}), counts({.margin = ratio(1), .last = 20, .zero = 0.5});
    for (RotationTest* test : {&none_counts, &counts}) {
        test->update(Values{2, 2}, Values{2});
        test->update(Values{2, 2}, Values{0});
        test->update(Values{2, 2}, Values{-3});
    }
    EXPECT_EQ(none_counts.n(), 1);
    EXPECT_EQ(none_counts.evidence().estimate, 1);
    EXPECT_EQ(counts.n(), 3);
    EXPECT_NEAR(counts.evidence().estimate, std::pow(0.25, 2.0 / 3), 1e-12);
    RotationTest plain({.margin = difference(0), .last = 20});
    plain.update(Values{2, -2}, Values{0});
    EXPECT_EQ(plain.evidence().estimate, 0);
}

// ---- symmetries

TEST(RotationTest, TheUnitChangesNothing) {
    for (unsigned seed = 1; seed <= 8; ++seed) {
        const Rollout steps = rollout(seed, 3, 1, 30, 0.1, 2);
        const Rollout larger = mapped(steps, [](double value) { return 1024 * value; });
        const Rollout shifted = mapped(steps, [](double value) { return value + 1048576; });
        const RotationOptions by_ratio{.margin = ratio(1.1), .last = 30},
            by_difference{.margin = difference(3), .last = 30};
        EXPECT_EQ(decided_at(by_ratio, steps), decided_at(by_ratio, larger));
        EXPECT_EQ(decided_at(by_difference, steps), decided_at(by_difference, shifted));
        RotationOptions in_large = by_difference;
        in_large.margin = difference(3 * 1024);
        EXPECT_EQ(decided_at(by_difference, steps), decided_at(in_large, larger));
        EXPECT_NEAR(after(by_ratio, steps).evidence().upper, after(by_ratio, larger).evidence().upper, 1e-9);
    }
}

TEST(RotationTest, OrderOfInstancesChangesNothing) {
    for (unsigned seed = 1; seed <= 8; ++seed) {
        const Rollout steps = rollout(seed, 4, 2, 30, 0.1, 1.6);
        Rollout turned = steps;
        for (Step& step : turned) {
            std::reverse(step.baseline.begin(), step.baseline.end());
            std::reverse(step.canary.begin(), step.canary.end());
        }
        EXPECT_EQ(decided_at({.last = 30}, steps), decided_at({.last = 30}, turned));
    }
}

TEST(RotationTest, DecreaseIsIncreaseOfTheInverse) {
    for (unsigned seed = 1; seed <= 8; ++seed) {
        const Rollout steps = rollout(seed, 3, 1, 30, 0.1, seed % 2 == 0 ? 2 : 1);
        const Rollout inverse = mapped(steps, [](double value) { return 1 / value; });
        for (const Side side : {Side::harm, Side::safe}) {
            RotationOptions up{.margin = ratio(1.5), .side = side, .last = 30}, down = up;
            down.harm = Harm::decrease;
            const Evidence a = after(up, steps).evidence(), b = after(down, inverse).evidence();
            EXPECT_EQ(a.log_e_value, b.log_e_value);
            EXPECT_NEAR(a.estimate, 1 / b.estimate, 1e-12);
            EXPECT_NEAR(a.lower, 1 / b.upper, 1e-9);
            EXPECT_NEAR(a.upper, 1 / b.lower, 1e-9);
        }
    }
}

TEST(RotationTest, EitherIsBothDirections) {
    int found = 0, safe = 0;
    for (unsigned seed = 1; seed <= 30; ++seed) {
        const Rollout steps = rollout(seed, 3, 1, 30, 0.05, seed % 3 == 0 ? 2.2 : seed % 3 == 1 ? 1 : 0.4);
        const auto at = [&](Harm harm, Side side, double alpha) {
            return decided_at({.alpha = alpha,
                               .alpha_safe = alpha,
                               .harm = harm,
                               .margin = ratio(1.4),
                               .side = side,
                               .last = 30,
                               .interval = false},
                              steps);
        };
        const int up = at(Harm::increase, Side::harm, 0.025), down = at(Harm::decrease, Side::harm, 0.025);
        EXPECT_EQ(at(Harm::either, Side::harm, 0.05), up > 0 && down > 0 ? std::min(up, down) : std::max(up, down));
        const int not_up = at(Harm::increase, Side::safe, 0.2), not_down = at(Harm::decrease, Side::safe, 0.2);
        EXPECT_EQ(at(Harm::either, Side::safe, 0.2), not_up > 0 && not_down > 0 ? std::max(not_up, not_down) : 0);
        found += at(Harm::either, Side::harm, 0.05) > 0 ? 1 : 0;
        safe += at(Harm::either, Side::safe, 0.2) > 0 ? 1 : 0;
    }
    EXPECT_GT(found, 5);
    EXPECT_GT(safe, 2);
}

// ---- what may be said

TEST(RotationTest, OneContrastMayPassAndNeverFails) {
    const Rollout same = rollout(3, 2, 1, 60, 0.01), harm = rollout(3, 2, 1, 60, 0.01, 1000);
    EXPECT_EQ(after({.last = 60}, harm).degrees(), 1);
    EXPECT_EQ(decided_at({.alpha = 0.4, .last = 60}, harm), 0);
    EXPECT_GT(decided_at({.alpha_safe = 0.2, .margin = ratio(4), .side = Side::safe, .last = 60}, same), 0);
    // One that is known from elsewhere makes two.
    EXPECT_GT(decided_at({.alpha = 0.05, .last = 60, .known = former(60, 1, 0.01)}, harm), 0);
}

TEST(RotationTest, NoContrastSaysNothing) {
    const Rollout harm = rollout(3, 1, 1, 60, 0.01, 1000);
    for (const Side side : {Side::harm, Side::safe}) {
        for (const std::optional<double> differ : {std::optional<double>(), std::optional(0.5)}) {
            const RotationTest test = after({.alpha = 0.4, .side = side, .last = 60, .instances_differ = differ}, harm);
            EXPECT_EQ(test.degrees(), 0);
            EXPECT_FALSE(test.decided());
            EXPECT_EQ(test.p_value(), 1);
            EXPECT_EQ(test.evidence().lower, -infinity);
            EXPECT_EQ(test.evidence().upper, infinity);
            EXPECT_NEAR(test.evidence().estimate, 1000, 300);
        }
    }
    EXPECT_GT(decided_at({.last = 60, .known = former(60, 3, 0.1)}, harm), 0);
}

TEST(RotationTest, GaugeAtItsFloorFailsByTheGuardOnly) {
    // Two of three baseline instances read alike in every interval.
    Rollout steps = rollout(5, 3, 1, 30, 0.1, 6);
    for (Step& step : steps) step.baseline[1] = step.baseline[0];
    EXPECT_TRUE(after({.last = 30}, steps).at_floor());
    EXPECT_EQ(decided_at({.last = 30}, steps), 0);
    EXPECT_EQ(after({.last = 30}, steps).log_e_value(), 0);
    EXPECT_GT(decided_at({.last = 30, .instances_differ = 0.3}, steps), 0);
    EXPECT_GT(decided_at({.margin = ratio(12), .side = Side::safe, .last = 30}, steps), 0);
    // Once more than half of the intervals tell them apart, what was seen before counts.
    Rollout later = steps;
    const Rollout apart = rollout(6, 3, 1, 60, 0.1, 6);
    later.insert(later.end(), apart.begin(), apart.begin() + 30);
    EXPECT_EQ(decided_at({.last = 60}, later), 60);
}

TEST(RotationTest, GuardRejectsNothingThatTheInstancesDoNot) {
    int held = 0, both = 0;
    for (unsigned seed = 1; seed <= 60; ++seed) {
        const Rollout steps = rollout(seed, 3, 1, 30, 0.03, 1.8);
        const int without = decided_at({.last = 30, .interval = false}, steps);
        const int with = decided_at({.last = 30, .instances_differ = 0.5, .interval = false}, steps);
        EXPECT_TRUE(with == 0 || (without > 0 && with >= without)) << seed;
        held += without > 0 && with == 0 ? 1 : 0;
        both += with > 0 ? 1 : 0;
        // In the metric's unit the guard is the same for a difference of logs.
        const Rollout logs = mapped(steps, [](double value) { return std::log(value); });
        EXPECT_EQ(
            decided_at({.margin = difference(0), .last = 30, .instances_differ = std::log(1.5), .interval = false},
                       logs),
            with);
    }
    EXPECT_GT(held, 5);
    EXPECT_GT(both, 5);
}

TEST(RotationTest, ConstantInstancesDecideNothing) {
    for (const Margin& margin : {ratio(1), difference(0)}) {
        RotationTest test({.margin = margin, .last = 20});
        for (int i = 0; i < 20; ++i) test.update(Values{5, 5, 5}, Values{5});
        EXPECT_FALSE(test.decided());
        EXPECT_EQ(test.p_value(), 1);
    }
}

TEST(RotationTest, KnownRowsAreSetBeforeTheFirstLook) {
    const Rollout steps = rollout(8, 2, 1, 30, 0.1, 3);
    RotationTest test({.last = 30}), given({.last = 30, .known = former(30, 4, 0.1)});
    for (int i = 0; i < 4; ++i) {
        test.update(steps[static_cast<std::size_t>(i)].baseline, steps[static_cast<std::size_t>(i)].canary);
        given.update(steps[static_cast<std::size_t>(i)].baseline, steps[static_cast<std::size_t>(i)].canary);
    }
    EXPECT_EQ(test.degrees(), 1);
    test.set_known(former(30, 4, 0.1));
    EXPECT_EQ(test.degrees(), 5);
    for (std::size_t i = 4; i < 30; ++i) {
        test.update(steps[i].baseline, steps[i].canary);
        given.update(steps[i].baseline, steps[i].canary);
        EXPECT_EQ(test.log_e_value(), given.log_e_value());
        EXPECT_EQ(code_of([&] { test.set_known({}); }), Code::argument_order);
    }
    EXPECT_EQ(test.degrees(), 5);
}

TEST(RotationTest, LaterInstancesCountForTheMean) {
    Rollout steps = rollout(9, 3, 1, 20, 0.1);
    RotationTest test({.last = 20});
    for (std::size_t i = 0; i < steps.size(); ++i) {
        if (i >= 8) {
            steps[i].canary.push_back(50);
            steps[i].baseline[0] = none;  // and one ends
        }
        test.update(steps[i].baseline, steps[i].canary);
    }
    EXPECT_EQ(test.degrees(), 2);
    const RotationState state = test.state();
    EXPECT_EQ(state.counts[1].size(), 2U);
    EXPECT_EQ(state.counts[0][0], 8);
    // Three instances all the time would be 1/3; the shares are uneven now, and two were left.
    const double first = 8.0 / 20 / 3, others = first + 12.0 / 20 / 2;
    const double baseline = std::max(first * first + 2 * others * others, (8.0 / 3 + 12.0 / 2) / 20);
    const double canary = std::max(0.7 * 0.7 + 0.3 * 0.3, (8 + 12 / 2.0) / 20);
    EXPECT_NEAR(state.scales.back(), baseline + canary, 1e-12);
}

// ---- interval

TEST(RotationTest, IntervalAndDecisionAgree) {
    for (unsigned seed = 1; seed <= 12; ++seed) {
        const Rollout steps = rollout(seed, 3, 1, 30, 0.05, 1 + 0.2 * (seed % 6));
        for (const double margin : {1.0, 1.3, 1.8}) {
            const RotationTest harm = after({.margin = ratio(margin), .last = 30}, steps);
            const RotationTest safe = after({.margin = ratio(margin), .side = Side::safe, .last = 30}, steps);
            EXPECT_EQ(harm.decided(),
                      harm.evidence().lower > margin || (harm.decided() && harm.evidence().lower >= margin));
            EXPECT_TRUE(harm.decided() || harm.evidence().lower <= margin);
            EXPECT_TRUE(!safe.decided() || safe.evidence().upper <= margin);
            EXPECT_TRUE(safe.decided() || safe.evidence().upper >= margin);
            EXPECT_LT(harm.evidence().lower, harm.evidence().upper);
        }
    }
}

// Margins well outside of the interval are rejected, those well inside are not: the ends are where the test turns.
TEST(RotationTest, EndsAreWhereTheTestTurns) {
    int checked = 0;
    for (unsigned seed = 1; seed <= 12; ++seed) {
        const Rollout steps = mapped(rollout(seed, 4, 1, 30, 0.1, 2), [](double value) { return std::log(value); });
        const Evidence evidence = after({.margin = difference(0), .last = 30}, steps).evidence();
        const double fine = 0.04 * (evidence.upper - evidence.lower);
        const auto rejects = [&](double margin, Side side) {
            return after({.margin = difference(margin), .side = side, .last = 30, .interval = false}, steps).decided();
        };
        if (evidence.lower - fine > 0) {
            EXPECT_TRUE(rejects(evidence.lower - fine, Side::harm)) << seed;
            ++checked;
        }
        if (evidence.lower + 2 * fine > 0) {
            EXPECT_FALSE(rejects(evidence.lower + 2 * fine, Side::harm)) << seed;
        }
        EXPECT_TRUE(rejects(evidence.upper + fine, Side::safe)) << seed;
        if (evidence.upper - 2 * fine > 0) {
            EXPECT_FALSE(rejects(evidence.upper - 2 * fine, Side::safe)) << seed;
        }
    }
    EXPECT_GT(checked, 4);
}

TEST(RotationTest, WithoutIntervalDecisionsAreTheSame) {
    for (unsigned seed = 1; seed <= 8; ++seed) {
        const Rollout steps = rollout(seed, 3, 1, 30, 0.1, 2);
        const RotationTest with = after({.last = 30}, steps), without = after({.last = 30, .interval = false}, steps);
        EXPECT_EQ(with.log_e_value(), without.log_e_value());
        EXPECT_EQ(without.evidence().confidence, 0);
        EXPECT_NEAR(with.evidence().confidence, 0.9, 1e-12);
    }
}

// ---- states

TEST(RotationTest, GoesOnFromItsStateAtEveryStep) {
    std::vector<RotationOptions> kinds;
    for (const Harm harm : {Harm::increase, Harm::either}) {
        for (const Side side : {Side::harm, Side::safe}) {
            kinds.push_back(
                {.harm = harm, .margin = ratio(1.3), .side = side, .last = 30, .seed = 0xfedcba9876543210ULL});
            kinds.push_back({.harm = harm,
                             .margin = difference(9),
                             .side = side,
                             .last = 30,
                             .since = 8,
                             .instances_differ = 12,
                             .known = former(30, 2, 3)});
        }
    }
    for (const RotationOptions& options : kinds) {
        const Rollout steps = rollout(12, 3, 2, 34, 0.1, 1.7);
        RotationTest test(options);
        for (std::size_t i = 0; i < steps.size(); ++i) {
            RotationTest other(options);
            other.restore(decode<RotationState>(encode(test.state())));
            test.update(steps[i].baseline, steps[i].canary);
            other.update(steps[i].baseline, steps[i].canary);
            ASSERT_EQ(encode(test.state()), encode(other.state())) << i;
        }
    }
}

TEST(RotationTest, StateIsSmall) {
    const auto size = [](std::size_t kb, std::int64_t last) {
        const Rollout steps = rollout(1, kb, 1, static_cast<int>(last), 0.1);
        return encode(after({.last = last, .known = former(last, 5, 0.1), .interval = false}, steps).state()).size();
    };
    EXPECT_LE(size(3, 17), 1100U);
    EXPECT_LE(size(3, 60), 1750U);
    EXPECT_LE(size(9, 30), 1950U);
    EXPECT_LE(size(9, 120), 3400U);
}

TEST(RotationTest, RefusesStatesThatAreNotItsOwn) {
    const Rollout steps = rollout(1, 3, 1, 12, 0.1, 2);
    const RotationOptions options{.last = 30};
    const RotationState good = after(options, steps).state();
    RotationTest test(options);
    const auto refuse = [&](Code code, auto&& spoil) {
        RotationState state = good;
        spoil(state);
        const auto before = encode(test.state());
        EXPECT_EQ(code_of([&] { test.restore(state); }), code);
        EXPECT_EQ(encode(test.state()), before);
    };
    refuse(Code::state_options, [](RotationState& s) { s.last = 31; });
    refuse(Code::state_options, [](RotationState& s) { s.since = 3; });
    refuse(Code::state_options, [](RotationState& s) { s.seed = 3; });
    refuse(Code::state_options, [](RotationState& s) { s.alpha = 0.04; });
    refuse(Code::state_options, [](RotationState& s) { s.instances_differ = 0.5; });
    refuse(Code::state_options, [](RotationState& s) { s.zero = 0.5; });
    refuse(Code::state_options, [](RotationState& s) { s.ratio = 1.5; });
    refuse(Code::state_options, [](RotationState& s) { s.interval = false; });
    refuse(Code::state_invariant, [](RotationState& s) { s.n = -1; });
    refuse(Code::state_invariant, [](RotationState& s) { s.n = 30; });
    refuse(Code::state_invariant, [](RotationState& s) { s.tied = 13; });
    refuse(Code::state_invariant, [](RotationState& s) { s.origin.reset(); });
    refuse(Code::state_invariant, [](RotationState& s) { s.levels.pop_back(); });
    refuse(Code::state_invariant, [](RotationState& s) { s.levels[0] = none; });
    refuse(Code::state_invariant, [](RotationState& s) { s.rows[0][1] = 7; });
    refuse(Code::state_invariant, [](RotationState& s) { s.rows[0][1] = -7; });
    refuse(Code::state_invariant, [](RotationState& s) { s.scales[0] = 0; });
    refuse(Code::state_invariant, [](RotationState& s) { s.differences.push_back(0); });
    refuse(Code::state_invariant, [](RotationState& s) { s.counts[0][0] = 1.5; });
    refuse(Code::state_invariant, [](RotationState& s) { s.sums[0].push_back(1); });
    refuse(Code::state_invariant, [](RotationState& s) { s.shares[1][0] = 1e9; });
    refuse(Code::state_invariant, [](RotationState& s) { s.granted = -1; });
    refuse(Code::state_invariant, [](RotationState& s) { s.granted = 1 << 20; });
    refuse(Code::state_invariant, [](RotationState& s) { s.lower = none; });
    refuse(Code::state_invariant, [](RotationState& s) { s.known.degrees = 0.5; });
    refuse(Code::state_invariant, [](RotationState& s) { s.known = former(60, 1, 0.1); });
    test.restore(good);
    EXPECT_EQ(encode(test.state()), encode(good));
}

TEST(RotationTest, SharedNumbersChangeNothing) {
    const Rollout steps = rollout(2, 3, 1, 30, 0.1, 1.5);
    const RotationOptions options{.margin = ratio(1.1), .last = 30, .seed = 5};
    const RotationTest test = after(options, steps);
    ASSERT_NE(test.normals(), nullptr);
    RotationOptions safe = options;
    safe.side = Side::safe;
    RotationTest shared(safe, test.normals());
    RotationOptions elsewhere = options;
    elsewhere.seed = 6;
    RotationTest other(elsewhere, test.normals());
    for (const Step& step : steps) {
        shared.update(step.baseline, step.canary);
        other.update(step.baseline, step.canary);
    }
    EXPECT_EQ(shared.normals(), test.normals());
    EXPECT_NE(other.normals(), test.normals());
    EXPECT_EQ(shared.log_e_value(), after(safe, steps).log_e_value());
    EXPECT_EQ(other.log_e_value(), after(elsewhere, steps).log_e_value());
}

}  // namespace
}  // namespace serinus::sequential
