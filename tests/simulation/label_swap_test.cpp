// One look at gauges by label swaps, simulated: how often a good canary fails (nominal .05 and .01), how often harm is
// found, and what becomes of families of canaries. Fixed seeds. SERINUS_SIMULATION_SCALE multiplies the repetitions
// (4,000 at 1). The tables are in docs/concepts/fixed-look.md.
//
// A share that must stay below a level is asserted to be at most that level plus 4 standard errors of a share that is
// exactly there.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/fixed/label_swap.hpp>

#include "support/repetitions.hpp"

namespace serinus {
namespace {

using Values = std::vector<double>;
using Random = std::mt19937_64;
using Arms = std::pair<Values, Values>;  // baseline, canary

int repetitions() { return support::repetitions(400, 4000); }

double normal(Random& random) { return std::normal_distribution<double>()(random); }
double uniform(Random& random, double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random);
}
int whole(Random& random, int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); }
bool chance(Random& random, double p) { return std::bernoulli_distribution(p)(random); }

/// One unit of noise of a shape, about 0.
double noise(const std::string& shape, Random& random) {
    if (shape == "t3") return std::student_t_distribution<double>(3)(random);
    if (shape == "t5") return std::student_t_distribution<double>(5)(random) / std::sqrt(5.0 / 3);
    if (shape == "log-normal") return std::exp(normal(random));
    if (shape == "gamma") return (std::gamma_distribution<double>(4, 1)(random) - 4) / 2;
    if (shape == "uniform") return uniform(random, -std::sqrt(3.0), std::sqrt(3.0));
    if (shape == "Cauchy") return std::cauchy_distribution<double>()(random);
    return normal(random);
}

Values series(std::size_t n, const std::string& shape, Random& random, double phi = 0) {
    Values values(n);
    double state = noise(shape, random);
    for (double& value : values) {
        state = phi * state + std::sqrt(1 - phi * phi) * noise(shape, random);
        value = state;
    }
    return values;
}

void scale_to(Values& values, double level, double deviation) {
    for (double& value : values) value = level + deviation * value;
}

bool fails(const Arms& arms, double alpha, std::uint64_t seed, bool of_ratio = true) {
    const Margin margin = of_ratio ? Margin{.ratio = 1.0, .difference = {}} : Margin{.ratio = {}, .difference = 0.0};
    return label_swap_test(arms.first, arms.second,
                           {.alpha = alpha, .margin = margin, .resamples = alpha < 0.05 ? 1999U : 999U, .seed = seed})
               .verdict == Verdict::fail;
}

void expect_at_most(double share, double level, int of, const std::string& what) {
    EXPECT_LE(share, level + 4 * std::sqrt(level * (1 - level) / of)) << what;
}

struct Law {
    std::string name;
    bool of_ratio;
    std::function<Arms(std::size_t, Random&)> draw;
    double known = 0, known_at_one = 0;  // what is known to be above .05 and .01
};

Law of_shape(const std::string& name, const std::string& shape, double phi = 0) {
    return {name, false, [=](std::size_t n, Random& random) {
                Arms arms{series(n, shape, random, phi), series(n, shape, random, phi)};
                scale_to(arms.first, 300, 20);
                scale_to(arms.second, 300, 20);
                return arms;
            }};
}

std::vector<Law> laws() {
    std::vector<Law> all{of_shape("normal", "normal"),           of_shape("t3", "t3"),
                         of_shape("log-normal", "log-normal"),   of_shape("Cauchy", "Cauchy"),
                         of_shape("AR .3", "normal", 0.3),       of_shape("AR .6", "normal", 0.6),
                         of_shape("AR .6, t3 shocks", "t3", 0.6)};
    for (auto& law : all) law.of_ratio = law.name != "Cauchy";
    all.push_back({"70 % zeros", false, [](std::size_t n, Random& random) {
                       Arms arms{Values(n), Values(n)};
                       for (auto* arm : {&arms.first, &arms.second})
                           for (double& value : *arm) value = chance(random, 0.7) ? 0 : std::exp(normal(random));
                       return arms;
                   }});
    all.push_back({"spikes in both", true, [](std::size_t n, Random& random) {
                       Arms arms{series(n, "normal", random), series(n, "normal", random)};
                       for (auto* arm : {&arms.first, &arms.second}) {
                           scale_to(*arm, 300, 20);
                           for (double& value : *arm)
                               if (chance(random, 0.057)) value += uniform(random, 200, 600);
                       }
                       return arms;
                   }});
    all.push_back({"rounded to 1 sd", true, [](std::size_t n, Random& random) {
                       Arms arms{series(n, "normal", random), series(n, "normal", random)};
                       for (auto* arm : {&arms.first, &arms.second})
                           for (double& value : *arm) value = 300 + 20 * std::round(value);
                       return arms;
                   }});
    all.push_back({"shared drift of 5 sd", true, [](std::size_t n, Random& random) {
                       Arms arms{series(n, "normal", random), series(n, "normal", random)};
                       for (auto* arm : {&arms.first, &arms.second})
                           for (std::size_t t = 0; t < n; ++t)
                               (*arm)[t] = 300 + 20 * ((*arm)[t] + 5 * double(t) / double(n));
                       return arms;
                   }});
    all.push_back({"shared drift, AR .3", true, [](std::size_t n, Random& random) {
                       Arms arms{series(n, "normal", random, 0.3), series(n, "normal", random, 0.3)};
                       for (auto* arm : {&arms.first, &arms.second})
                           for (std::size_t t = 0; t < n; ++t)
                               (*arm)[t] = 300 + 20 * ((*arm)[t] + 3 * std::sin(double(t) / 8));
                       return arms;
                   }});
    // What one look without history cannot tell from harm; that this is so is asserted nowhere, its size is.
    all.push_back(of_shape("AR .8", "normal", 0.8));
    all.back().known = 0.03;
    all.back().known_at_one = 0.025;
    all.push_back({"AR .9 and white noise", true, [](std::size_t n, Random& random) {
                       Arms arms{series(n, "normal", random, 0.9), series(n, "normal", random, 0.9)};
                       for (auto* arm : {&arms.first, &arms.second})
                           for (double& value : *arm) value = 300 + 20 * (value + normal(random));
                       return arms;
                   }});
    all.back().known = 0.2;
    all.back().known_at_one = 0.13;
    all.push_back({"canary better by 1 sd", true, [](std::size_t n, Random& random) {
                       Arms arms{series(n, "normal", random), series(n, "normal", random)};
                       scale_to(arms.first, 300, 20);
                       scale_to(arms.second, 280, 20);
                       return arms;
                   }});
    return all;
}

TEST(LabelSwapSize, GoodCanariesFailRarely) {
    std::printf("%-24s n 20 .05   .01  n 31 .05   .01  n 60 .05   .01\n", "law");
    for (const Law& law : laws()) {
        std::printf("%-24s", law.name.c_str());
        for (const std::size_t n : {20UL, 31UL, 60UL}) {
            for (const double alpha : {0.05, 0.01}) {
                const int looks = alpha < 0.05 ? repetitions() / 2 : repetitions();
                Random random(1000 * n + law.name.size());
                int failed = 0;
                for (int i = 0; i < looks; ++i)
                    failed += fails(law.draw(n, random), alpha, std::uint64_t(i), law.of_ratio) ? 1 : 0;
                const double share = double(failed) / looks;
                std::printf("    %.4f", share);
                expect_at_most(share, alpha + (alpha < 0.05 ? law.known_at_one : law.known), looks,
                               law.name + " " + std::to_string(n));
            }
        }
        std::printf("\n");
    }
}

TEST(LabelSwapSize, SeveralMetricsAreOneError) {
    for (const double phi : {0.0, 0.6}) {
        Random random(7);
        const int looks = repetitions();
        int failed = 0;
        for (int i = 0; i < looks; ++i) {
            std::vector<Values> kept;
            for (int arm = 0; arm < 2; ++arm) {
                const Values shared = series(31, "normal", random, phi);
                for (int metric = 0; metric < 3; ++metric) {
                    Values own = series(31, "normal", random, phi);
                    for (std::size_t t = 0; t < 31; ++t)
                        own[t] = 300 + 20 * (std::sqrt(0.6) * shared[t] + std::sqrt(0.4) * own[t]);
                    kept.push_back(own);
                }
            }
            std::vector<LabelSwapMetric> metrics;
            for (std::size_t k = 0; k < 3; ++k) metrics.push_back({std::to_string(k), kept[k], kept[3 + k]});
            failed += label_swap_test(metrics, {.resamples = 999U, .seed = std::uint64_t(i)}).verdict == Verdict::fail;
        }
        std::printf("three correlated metrics, AR %.1f: %.4f\n", phi, double(failed) / looks);
        expect_at_most(double(failed) / looks, 0.05, looks, "three metrics");
    }
}

/// What harm does to a canary, in standard deviations of its noise.
using Harming = std::function<void(Values&, Random&)>;

Harming raise_in(double by, double from, double to) {
    return [=](Values& canary, Random&) {
        const auto n = static_cast<double>(canary.size());
        for (std::size_t t = 0; t < canary.size(); ++t)
            if (double(t) >= from * n && double(t) < to * n) canary[t] += by;
    };
}

TEST(LabelSwapPower, FindsHarmOfEveryForm) {
    struct Row {
        std::string name;
        std::size_t n;
        double expected;  // of the table; asserted within 4 standard errors below
        Harming harm;
    };
    const Harming spread_2 = [](Values& c, Random&) {
        for (double& v : c) v *= 2;
    };
    const Harming spread_3 = [](Values& c, Random&) {
        for (double& v : c) v *= 3;
    };
    const Harming drift_2 = [](Values& c, Random&) {
        for (std::size_t t = 0; t < c.size(); ++t) c[t] += 2 * double(t) / double(c.size() - 1);
    };
    const auto spikes = [](double share) {
        return [=](Values& c, Random& random) {
            std::vector<std::size_t> order(c.size());
            for (std::size_t t = 0; t < c.size(); ++t) order[t] = t;
            std::shuffle(order.begin(), order.end(), random);
            for (std::size_t i = 0; i < std::size_t(std::lround(share * double(c.size()))); ++i)
                c[order[i]] += uniform(random, 6, 15);
        };
    };
    // The values of the baseline's law, the largest two fifths of them in one run.
    const Harming same_values = [](Values& c, Random&) {
        Values sorted = c;
        std::sort(sorted.begin(), sorted.end());
        const auto run = std::size_t(std::lround(0.4 * double(c.size()))), begin = (c.size() - run) / 2;
        for (std::size_t t = 0, high = c.size() - run, low = 0; t < c.size(); ++t)
            c[t] = t >= begin && t < begin + run ? sorted[high++] : sorted[low++];
    };
    const std::vector<Row> rows{{"one run, same values", 31, 0, same_values},
                                {"one run, same values", 60, 0, same_values},
                                {"level .5 sd", 31, 0.40, raise_in(0.5, 0, 1)},
                                {"level 1 sd", 20, 0.69, raise_in(1, 0, 1)},
                                {"level 1 sd", 31, 0.91, raise_in(1, 0, 1)},
                                {"level 1 sd", 60, 0.99, raise_in(1, 0, 1)},
                                {"level 2 sd", 31, 0.99, raise_in(2, 0, 1)},
                                {"spread x 2", 31, 0.75, spread_2},
                                {"spread x 2", 60, 0.97, spread_2},
                                {"spread x 3", 31, 0.96, spread_3},
                                {"drift to 2 sd", 31, 0.93, drift_2},
                                {"last third + 2 sd", 31, 0.80, raise_in(2, 2.0 / 3, 1)},
                                {"last third + 2 sd", 60, 0.99, raise_in(2, 2.0 / 3, 1)},
                                {"first third + 2 sd", 31, 0.65, raise_in(2, 0, 1.0 / 3)},
                                {"run of n/4 + 3 sd", 31, 0.67, raise_in(3, 0.4, 0.65)},
                                {"run of n/4 + 2 sd", 60, 0.88, raise_in(2, 0.4, 0.65)},
                                {"spikes in 13 %", 31, 0.68, spikes(0.13)},
                                {"spikes in 20 %", 31, 0.85, spikes(0.20)}};
    const int looks = repetitions() / 2;
    for (const Row& row : rows) {
        Random random(99);
        int found = 0;
        for (int i = 0; i < looks; ++i) {
            Arms arms{series(row.n, "normal", random), series(row.n, "normal", random)};
            row.harm(arms.second, random);
            scale_to(arms.first, 300, 20);
            scale_to(arms.second, 300, 20);
            found += fails(arms, 0.05, std::uint64_t(i)) ? 1 : 0;
        }
        const double share = double(found) / looks;
        std::printf("%-20s n %2zu: %.3f (%.2f)\n", row.name.c_str(), row.n, share, row.expected);
        EXPECT_GE(share, row.expected - 0.03 - 4 * std::sqrt(row.expected * (1 - row.expected) / looks))
            << row.name << ' ' << row.n;
    }
}

// Families of canaries as a published board describes its own, of other lengths, levels, deviations and shapes.
TEST(LabelSwapFamilies, AreToldApart) {
    const std::vector<std::string> names{"no change",  "noisy and alike", "level",  "spread", "tail",
                                         "late drift", "three metrics",   "subtle", "healed"};
    const std::vector<std::string> shapes{"normal", "t5", "gamma", "uniform"};
    const int looks = std::max(20, repetitions() / 20);
    int right_of_all = 0, of_all = 0, false_of_all = 0, good_of_all = 0;
    std::printf("%-18s", "share right");
    for (const std::string& name : names) std::printf(" %15s", name.c_str());
    std::printf("\n");
    for (const std::size_t n : {24UL, 31UL, 45UL, 60UL, 90UL}) {
        for (const std::string& shape : shapes) {
            Random random(n * 31 + shape.size());
            std::printf("n %2zu %-12s ", n, shape.c_str());
            for (const std::string& name : names) {
                const bool good = name == "no change" || name == "noisy and alike";
                int right = 0;
                for (int i = 0; i < looks; ++i) {
                    std::vector<Arms> metrics;
                    for (int metric = 0; metric < (name == "three metrics" ? 3 : 1); ++metric) {
                        Arms arms{series(n, shape, random), series(n, shape, random)};
                        Values& c = arms.second;
                        double deviation = uniform(random, 0.01, 0.08);
                        if (name == "noisy and alike") deviation = uniform(random, 0.1, 0.25);
                        if (name == "level") raise_in(uniform(random, 3, 9), 0, 1)(c, random);
                        if (name == "subtle") raise_in(uniform(random, 1.7, 2.5), 0, 1)(c, random);
                        if (name == "three metrics")
                            raise_in(metric == 1 ? uniform(random, 1.8, 3) : uniform(random, 0.4, 0.9), 0, 1)(c,
                                                                                                              random);
                        if (name == "spread") {
                            const double times = uniform(random, 4, 8);
                            for (double& value : c) value *= times;
                        }
                        if (name == "tail") {
                            const int count = std::max(4, int(std::lround(uniform(random, 0.12, 0.17) * double(n))));
                            for (int k = 0; k < count; ++k) c[std::size_t(whole(random, 0, int(n) - 1))] = 1e9;
                            int there = int(std::count(c.begin(), c.end(), 1e9));
                            for (std::size_t t = 0; there < count; ++t) {
                                if (c[t] == 1e9) continue;
                                c[t] = 1e9;
                                ++there;
                            }
                            for (double& value : c)
                                if (value == 1e9) value = uniform(random, 25, 90);
                        }
                        if (name == "late drift") {
                            const double last = std::round(uniform(random, 0.17, 0.3) * double(n));
                            const double to = uniform(random, 20, 45);
                            for (std::size_t t = 0; t < n; ++t)
                                c[t] += to * std::max(0.0, (double(t) + 1 - double(n) + last) / last);
                        }
                        if (name == "healed") raise_in(uniform(random, 8, 20), 0, uniform(random, 0.4, 0.5))(c, random);
                        const double level = std::pow(10, uniform(random, -3, 9));
                        scale_to(arms.first, level, deviation * level);
                        scale_to(arms.second, level, deviation * level);
                        metrics.push_back(std::move(arms));
                    }
                    std::vector<LabelSwapMetric> given;
                    for (const Arms& arms : metrics)
                        given.push_back({std::to_string(given.size()), arms.first, arms.second});
                    const auto found =
                        label_swap_test(given, {.detect = Margin{.ratio = 1.25}, .seed = std::uint64_t(i)});
                    const bool failed = found.verdict == Verdict::fail;
                    right += failed != good && (name != "healed" || found.healed) ? 1 : 0;
                }
                std::printf(" %15.3f", double(right) / looks);
                (good ? good_of_all : of_all) += looks;
                (good ? false_of_all : right_of_all) += good ? looks - right : right;
            }
            std::printf("\n");
        }
    }
    const double found = double(right_of_all) / of_all, false_alarms = double(false_of_all) / good_of_all;
    std::printf("found %.4f of %d, false alarms %.4f of %d\n", found, of_all, false_alarms, good_of_all);
    EXPECT_GE(found, 0.95);
    EXPECT_LE(false_alarms, 0.05);
}

}  // namespace
}  // namespace serinus
