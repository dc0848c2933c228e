// group_sequential, crossing_probabilities.

#include <cmath>
#include <cstdint>
#include <fstream>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <serinus/numeric/normal.hpp>
#include <serinus/numeric/quadrature.hpp>
#include <serinus/sequential/group_sequential.hpp>

#include "support/data_dir.hpp"

namespace {

using namespace serinus::sequential;
using serinus::Code;
using serinus::Error;
using serinus::normal_cdf;
using serinus::normal_density;
using Shares = std::vector<double>;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr Spending every_spending[] = {Spending::obf, Spending::pocock, Spending::kim_demets,
                                       Spending::hwang_shih_decani};

double sum(const std::vector<double>& values) {
    double total = 0;
    for (const double value : values) total += value;
    return total;
}

TEST(GroupSequential, AgreesWithGsdesign) {
    std::ifstream file(data_dir() + "/reference/sequential/group_sequential.json");
    const auto reference = nlohmann::json::parse(file);
    int seen = 0;
    for (const auto& one : reference["cases"]) {
        SCOPED_TRACE(one.dump());
        const Shares information = one["information"];
        const std::string name = one["spending"];
        const Spending spending = name == "OBF"      ? Spending::obf
                                  : name == "Pocock" ? Spending::pocock
                                  : name == "KD"     ? Spending::kim_demets
                                                     : Spending::hwang_shih_decani;
        const auto parameter =
            one["parameter"].is_null() ? std::nullopt : std::optional<double>(one["parameter"].get<double>());
        const auto design = group_sequential(information, one["alpha"], spending, parameter, one["sided"]);
        for (std::size_t k = 0; k < information.size(); ++k) {
            // The reference's grid (r = 160) is right to some 6e-10.
            EXPECT_NEAR(design.bounds[k], one["z"][k].get<double>(), 1e-8);
            const double spent = one["cumulative_alpha"][k];
            EXPECT_NEAR(design.cumulative_alpha[k], spent, 1e-12 * spent);
        }
        if (!one["exit_drift_3"].is_null()) {
            const auto found = crossing_probabilities(information, design.bounds, 3);
            for (std::size_t k = 0; k < information.size(); ++k)
                EXPECT_NEAR(found.upper[k], one["exit_drift_3"][k].get<double>(), 1e-8);
        }
        ++seen;
    }
    EXPECT_EQ(seen, 15);
}

TEST(GroupSequential, StagesOfARollout) {
    const Shares stages{0.01, 0.1, 0.5, 1};
    const auto pocock = group_sequential(stages, 0.05, Spending::pocock);
    const double expected[] = {3.1375, 2.4501, 1.9663, 1.9043};
    for (std::size_t k = 0; k < 4; ++k) EXPECT_NEAR(pocock.bounds[k], expected[k], 5e-5);
    EXPECT_NEAR(group_sequential(stages, 0.05, Spending::obf).bounds[0], 19.564, 5e-4);
}

TEST(GroupSequential, OneLookIsAFixedTest) {
    for (const Spending spending : every_spending) {
        EXPECT_NEAR(group_sequential(Shares{1}, 0.05, spending).bounds[0], 1.6448536269514722, 1e-13);
        EXPECT_NEAR(group_sequential(Shares{1}, 0.05, spending, {}, 2).bounds[0], 1.9599639845400545, 1e-13);
    }
}

/// P(Z_1 < first, Z_2 >= second), the normal distribution of two looks, by quadrature of its own.
double second_look(double first, double second, double before, double now) {
    const double width = std::sqrt((now - before) / before), centre = second * std::sqrt(now / before);
    const auto f = [&](double u) { return normal_density(u) * normal_cdf((u - centre) / width); };
    // In the steps in which the kernel changes, from the end down.
    double total = 0, from = first;
    for (double step = width; from > -12; step *= 2) {
        const double to = std::max(-12.0, from - step);
        total += serinus::integrate(f, to, from, 4);
        from = to;
    }
    return total;
}

TEST(GroupSequential, LooksThatAreCloseTogether) {
    for (const double apart : {1e-1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-8, 1e-10}) {
        const Shares information{0.5, 0.5 + apart, 1};
        const auto design = group_sequential(information, 0.05, Spending::pocock);
        const double spent = design.cumulative_alpha[1] - design.cumulative_alpha[0];
        const double found = second_look(design.bounds[0], design.bounds[1], information[0], information[1]);
        // The difference of the cumulative errors has 1e-17 of its own.
        EXPECT_NEAR(found, spent, 1e-9 * spent + 2e-17) << apart;
        // Two looks at nearly the same data are nearly one.
        const auto without = group_sequential(Shares{0.5, 1}, 0.05, Spending::pocock);
        EXPECT_NEAR(design.bounds[2], without.bounds[1], 10 * std::sqrt(apart)) << apart;
    }
}

TEST(GroupSequential, SpendsExactlyWhatItMay) {
    const std::vector<Shares> plans{{0.01, 0.1, 0.5, 1},
                                    {0.3, 0.31, 0.9, 1},
                                    {0.0005, 0.001, 0.0011, 0.1, 1},
                                    {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1},
                                    {0.2, 0.5, 0.8}};
    for (const Shares& information : plans) {
        for (const Spending spending : every_spending) {
            for (const double alpha : {1e-12, 0.001, 0.05, 0.4}) {
                for (const int sided : {1, 2}) {
                    const auto design = group_sequential(information, alpha, spending, {}, sided);
                    const auto found = crossing_probabilities(information, design.bounds, 0, sided);
                    double before = 0;
                    for (std::size_t k = 0; k < information.size(); ++k) {
                        const double spent = design.cumulative_alpha[k] - before;
                        before = design.cumulative_alpha[k];
                        EXPECT_NEAR(found.upper[k] + found.lower[k], spent, 1e-9 * alpha);
                        if (sided == 2) {
                            EXPECT_NEAR(found.lower[k], found.upper[k], 1e-12 * alpha);
                        }
                    }
                    if (information.back() == 1) {
                        EXPECT_EQ(design.cumulative_alpha.back(), alpha);
                    }
                }
            }
        }
    }
}

TEST(GroupSequential, FiftyLooks) {
    Shares information;
    for (int k = 1; k <= 50; ++k) information.push_back(k / 50.0);
    const auto design = group_sequential(information, 0.05, Spending::pocock);
    for (std::size_t k = 1; k < 50; ++k) EXPECT_GT(design.bounds[k], 1.645);
    // Half of the looks, with the same spending: nothing is lost by looking more often but a little power.
    Shares fewer;
    for (std::size_t k = 1; k < 50; k += 2) fewer.push_back(information[k]);
    const auto rarer = group_sequential(fewer, 0.05, Spending::pocock);
    const double power = sum(crossing_probabilities(information, design.bounds, 3).upper);
    const double power_rarer = sum(crossing_probabilities(fewer, rarer.bounds, 3).upper);
    EXPECT_LT(power, power_rarer);
    EXPECT_GT(power, power_rarer - 0.01);
}

TEST(GroupSequential, RunsOver) {
    // The last look spends what is left, whatever it comes to; the looks before know nothing of it.
    const auto planned = group_sequential(Shares{0.25, 0.5, 1}, 0.05, Spending::obf);
    const auto over = group_sequential(Shares{0.25, 0.5, 1.3}, 0.05, Spending::obf);
    EXPECT_EQ(over.bounds[1], planned.bounds[1]);
    EXPECT_EQ(over.cumulative_alpha[2], 0.05);
    EXPECT_GT(over.bounds[2], planned.bounds[2]);  // less correlated with the looks before
    EXPECT_NEAR(sum(crossing_probabilities(Shares{0.25, 0.5, 1.3}, over.bounds, 0).upper), 0.05, 1e-12);
}

TEST(GroupSequential, HwangShihDecaniContainsTheOthers) {
    const Shares stages{0.01, 0.1, 0.5, 1};
    const auto even = group_sequential(stages, 0.05, Spending::kim_demets, 1);
    for (const double zero : {0.0, 1e-13, 1e-9, -1e-9}) {
        const auto found = group_sequential(stages, 0.05, Spending::hwang_shih_decani, zero);
        for (std::size_t k = 0; k < 4; ++k) EXPECT_NEAR(found.bounds[k], even.bounds[k], 1e-8);
    }
    // Extreme ones spend all at the last, or all at the first look.
    const auto late = group_sequential(stages, 0.05, Spending::hwang_shih_decani, -600);
    EXPECT_NEAR(late.bounds[3], 1.6448536269514722, 1e-12);
    const auto early = group_sequential(Shares{0.5, 1}, 0.05, Spending::hwang_shih_decani, 600);
    EXPECT_NEAR(early.bounds[0], 1.6448536269514722, 1e-12);
    EXPECT_EQ(early.bounds[1], infinity);
}

TEST(GroupSequential, SaysWhatIsWrong) {
    const auto refused = [](const Shares& information, double alpha, Spending spending, std::optional<double> parameter,
                            int sided, Code code, const char* part) {
        try {
            group_sequential(information, alpha, spending, parameter, sided);
            ADD_FAILURE() << part;
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), code);
            EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
        }
    };
    using enum Spending;
    const Code range = Code::argument_range;
    refused({}, 0.05, obf, {}, 1, Code::argument_length, "information is empty");
    refused(Shares(1001, 1), 0.05, obf, {}, 1, Code::argument_length, "1001 looks");
    refused({0.5, 0.5, 1}, 0.05, obf, {}, 1, range, "information[1] is 0.5");
    refused({0.5, 0.4, 1}, 0.05, obf, {}, 1, range, "information[1] is 0.4");
    refused({0, 1}, 0.05, obf, {}, 1, range, "information[0] is 0");
    refused({0.5, 1.2, 1.3}, 0.05, obf, {}, 1, range, "only the last may run over");
    refused({0.5, std::nan("")}, 0.05, obf, {}, 1, range, "information[1]");
    refused({0.5, infinity}, 0.05, obf, {}, 1, range, "information[1]");
    refused({0.5, 1}, 0, obf, {}, 1, range, "alpha is 0");
    refused({0.5, 1}, 1, obf, {}, 1, range, "alpha is 1");
    refused({0.5, 1}, 0.05, obf, 1.0, 1, range, "none with obf");
    refused({0.5, 1}, 0.05, kim_demets, 0.0, 1, range, "parameter is 0");
    refused({0.5, 1}, 0.05, hwang_shih_decani, infinity, 1, range, "parameter");
    refused({0.5, 1}, 0.05, pocock, {}, 3, range, "sided is 3");
    EXPECT_THROW(crossing_probabilities(Shares{0.5, 1}, Shares{2}, 0), Error);
    EXPECT_THROW(crossing_probabilities(Shares{0.5, 1}, Shares{2, -1}, 0, 2), Error);
    EXPECT_THROW(crossing_probabilities(Shares{0.5, 1}, Shares{2, -infinity}, 0), Error);
    EXPECT_THROW(crossing_probabilities(Shares{0.5, 1}, Shares{2, 2}, infinity), Error);
    EXPECT_THROW(crossing_probabilities(Shares{1, 0.5}, Shares{2, 2}, 0), Error);
}

TEST(CrossingProbabilities, UnderDriftAndWithoutBounds) {
    // A bound of infinity is no look.
    const auto found = crossing_probabilities(Shares{0.3, 0.6, 1}, Shares{2.5, infinity, 2}, 1.5);
    const auto direct = crossing_probabilities(Shares{0.3, 1}, Shares{2.5, 2}, 1.5);
    EXPECT_NEAR(found.upper[0], direct.upper[0], 1e-15);
    EXPECT_EQ(found.upper[1], 0);
    EXPECT_NEAR(found.upper[2], direct.upper[1], 1e-12);
    // A strong drift stops at the first look; its mirror image below.
    const auto strong = crossing_probabilities(Shares{0.5, 1}, Shares{2, 2}, 40, 2);
    EXPECT_NEAR(strong.upper[0], 1, 1e-15);
    const auto mirrored = crossing_probabilities(Shares{0.2, 0.5, 1}, Shares{2, 2.1, 1.9}, -2.5, 2);
    const auto straight = crossing_probabilities(Shares{0.2, 0.5, 1}, Shares{2, 2.1, 1.9}, 2.5, 2);
    for (std::size_t k = 0; k < 3; ++k) {
        EXPECT_NEAR(mirrored.lower[k], straight.upper[k], 1e-12);
        EXPECT_NEAR(mirrored.upper[k], straight.lower[k], 1e-12);
    }
    // Information in other units: drift sqrt(information) is what counts.
    const auto scaled = crossing_probabilities(Shares{20, 50, 100}, Shares{2, 2.1, 1.9}, 0.25, 2);
    for (std::size_t k = 0; k < 3; ++k) EXPECT_NEAR(scaled.upper[k], straight.upper[k], 1e-12);
}

TEST(CrossingProbabilities, AreThoseOfARandomWalk) {
    // 40,000 walks: each design stops as often as it says, under the null hypothesis and under drift; 4 s.e.
    const Shares stages{0.01, 0.1, 0.5, 1};
    constexpr int walks = 40'000;
    for (const double drift : {0.0, 2.5}) {
        for (const int sided : {1, 2}) {
            for (const Spending spending : every_spending) {
                const auto design = group_sequential(stages, 0.05, spending, {}, sided);
                const auto expected = crossing_probabilities(stages, design.bounds, drift, sided);
                std::mt19937_64 random(7);
                std::normal_distribution<double> normal;
                int stopped = 0, below = 0;
                for (int walk = 0; walk < walks; ++walk) {
                    double score = 0, before = 0;
                    for (std::size_t k = 0; k < 4; ++k) {
                        score += std::sqrt(stages[k] - before) * normal(random) + drift * (stages[k] - before);
                        before = stages[k];
                        const double z = score / std::sqrt(before);
                        const bool down = sided == 2 && z <= -design.bounds[k];
                        if (z < design.bounds[k] && !down) continue;
                        ++stopped;
                        below += down ? 1 : 0;
                        break;
                    }
                }
                const double p = sum(expected.upper) + sum(expected.lower), q = sum(expected.lower);
                if (drift == 0) {
                    EXPECT_NEAR(p, 0.05, 1e-12);
                }
                EXPECT_NEAR(stopped, walks * p, 4 * std::sqrt(walks * p * (1 - p)));
                // Where a fraction of a walk is expected, a handful may come.
                EXPECT_NEAR(below, walks * q, 4 * std::sqrt(walks * q * (1 - q)) + 4);
            }
        }
    }
}

}  // namespace
