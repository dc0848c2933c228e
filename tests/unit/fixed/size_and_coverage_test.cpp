// The promises of the tests that their own files do not simulate: how often a test at 5 % rejects what is true, and how
// often an interval of 95 % holds the truth. Fixed seeds; bounds of four standard errors of the share.

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/fixed/adjust.hpp>
#include <serinus/fixed/brunner_munzel.hpp>
#include <serinus/fixed/effective_sample_size.hpp>
#include <serinus/fixed/equivalence.hpp>
#include <serinus/fixed/kolmogorov_smirnov.hpp>
#include <serinus/fixed/mann_whitney.hpp>
#include <serinus/fixed/paired.hpp>
#include <serinus/fixed/power.hpp>
#include <serinus/fixed/proportion.hpp>
#include <serinus/fixed/quantile_difference.hpp>
#include <serinus/fixed/rate.hpp>
#include <serinus/fixed/robust_rank.hpp>
#include <serinus/fixed/signed_rank.hpp>
#include <serinus/fixed/welch.hpp>
#include <serinus/fixed/yuen.hpp>

namespace {

using namespace serinus;
using Random = std::mt19937_64;
using Values = std::vector<double>;

/// How often something of a promised share came.
struct Share {
    int seen = 0, all = 0;

    void add(bool yes) {
        seen += yes ? 1 : 0;
        ++all;
    }
    double slack(double share) const { return 4 * std::sqrt(share * (1 - share) / all); }
    double share() const { return double(seen) / all; }
    /// At most 5 %, and what the method itself is known to be off by.
    void expect_size(double known = 0) const { EXPECT_LE(share(), 0.05 + known + slack(0.05 + known)); }
    void expect_coverage(double known = 0) const { EXPECT_GE(share(), 0.95 - known - slack(0.95 - known)); }
};

Values normal(std::size_t n, double mean, double deviation, Random& random, double phi = 0) {
    std::normal_distribution<double> draw;
    Values values(n);
    double state = draw(random);
    for (double& value : values) {
        state = phi * state + std::sqrt(1 - phi * phi) * draw(random);
        value = mean + deviation * state;
    }
    return values;
}

template <class Interval>
bool holds(const Interval& interval, double truth) {
    return interval.lower <= truth && truth <= interval.upper;
}

TEST(Sizes, MannWhitneyByEveryMethodWithAndWithoutTies) {
    Random random(101);
    for (const double unit : {0.0, 0.5, 2.0}) {
        std::array<Share, 3> rejected;
        for (int round = 0; round < 4000; ++round) {
            Values b = normal(30, 0, 1, random), c = normal(45, 0, 1, random);
            if (unit > 0) {
                for (Values* arm : {&b, &c})
                    for (double& value : *arm) value = std::round(value / unit);
            }
            rejected[0].add(mann_whitney(b, c).p_value <= 0.05);
            rejected[1].add(mann_whitney(b, c, {.method = MannWhitneyMethod::edgeworth}).p_value <= 0.05);
            rejected[2].add(mann_whitney(b, c, {.method = MannWhitneyMethod::normal}).p_value <= 0.05);
        }
        // The Edgeworth expansion is no exact test: off by less than 0.001 at such sizes, more with three values.
        rejected[0].expect_size();
        rejected[1].expect_size(unit > 1 ? 0.005 : 0.001);
        rejected[2].expect_size();
    }
}

TEST(Sizes, BrunnerMunzelPermutedForSmallSamplesOfOneLaw) {
    // Exact for one law, with ties and without; in the limit, and nearly so at 6 and 7, for unequal spreads.
    Random random(102);
    for (const double deviation : {1.0, 3.0}) {
        Share plain, tied, covered;
        for (int round = 0; round < (deviation > 1 ? 800 : 1500); ++round) {
            Values b = normal(7, 0, 1, random), c = normal(6, 0, deviation, random);
            const auto found = brunner_munzel(b, c, {.method = BrunnerMunzelMethod::automatic});
            plain.add(found.p_value <= 0.05);
            covered.add(holds(found, 0.5));
            for (Values* arm : {&b, &c})
                for (double& value : *arm) value = std::round(value);
            tied.add(brunner_munzel(b, c, {.method = BrunnerMunzelMethod::automatic}).p_value <= 0.05);
        }
        const double known = deviation > 1 ? 0.02 : 0;
        plain.expect_size(known);
        tied.expect_size(known);
        covered.expect_coverage(known);
        EXPECT_GE(plain.share(), 0.02);
    }
}

TEST(Sizes, BrunnerMunzelIntervalCoversTheEffect) {
    // N(0, 1) against N(1, 4): P(canary > baseline) = Phi(1/sqrt(5)).
    Random random(103);
    const double truth = normal_cdf(1 / std::sqrt(5.0));
    Share t, limit;
    for (int round = 0; round < 3000; ++round) {
        const Values b = normal(40, 0, 1, random), c = normal(30, 1, 2, random);
        t.add(holds(brunner_munzel(b, c), truth));
        limit.add(holds(brunner_munzel(b, c, {.method = BrunnerMunzelMethod::normal}), truth));
    }
    t.expect_coverage(0.01);  // off the middle placements are skewed
    limit.expect_coverage(0.02);
}

TEST(Sizes, WelchAndYuenWithUnequalVariances) {
    Random random(104);
    Share welch_size, welch_coverage, yuen_size, yuen_coverage;
    for (int round = 0; round < 4000; ++round) {
        const Values b = normal(12, 5, 1, random), c = normal(25, 5, 4, random);
        const auto mean = welch(b, c);
        welch_size.add(mean.p_value <= 0.05);
        welch_coverage.add(holds(mean, 0));
        // Symmetric tails of Student's t with 3 degrees of freedom: the trimmed means are 0 apart.
        std::student_t_distribution<double> heavy(3);
        Values d(40), e(25);
        for (double& value : d) value = heavy(random);
        for (double& value : e) value = 2 * heavy(random);
        const auto trimmed = yuen(d, e);
        yuen_size.add(trimmed.p_value <= 0.05);
        yuen_coverage.add(holds(trimmed, 0));
    }
    welch_size.expect_size(0.003);  // Satterthwaite's approximation at 12 values
    welch_coverage.expect_coverage(0.003);
    yuen_size.expect_size(0.005);
    yuen_coverage.expect_coverage(0.005);
}

TEST(Sizes, KolmogorovSmirnovIsNeverAboveItsLevel) {
    Random random(105);
    Share exact, limit, tied;
    for (int round = 0; round < 1500; ++round) {
        Values b = normal(60, 0, 1, random), c = normal(40, 0, 1, random);
        exact.add(kolmogorov_smirnov(b, c).p_value <= 0.05);
        limit.add(kolmogorov_smirnov(b, c, {.method = DistributionMethod::asymptotic}).p_value <= 0.05);
        for (Values* arm : {&b, &c})
            for (double& value : *arm) value = std::round(2 * value);
        tied.add(kolmogorov_smirnov(b, c).p_value <= 0.05);
    }
    exact.expect_size();
    limit.expect_size();
    tied.expect_size();
    EXPECT_GE(exact.share(), 0.025);
}

TEST(Sizes, CountsByScoreAndMidP) {
    // All outcomes of two binomials weighted by their probabilities: no chance involved.
    const auto size = [](double n, double m, double share, ProportionTestMethod method) {
        double sum = 0;
        for (double x = 0; x <= m; ++x)
            for (double y = 0; y <= n; ++y)
                if (proportion_test({y, n}, {x, m}, {.method = method}).p_value <= 0.05)
                    sum += binomial_density(x, m, share, 1 - share) * binomial_density(y, n, share, 1 - share);
        return sum;
    };
    for (const double share : {0.1, 0.3, 0.5}) {
        // Not exact; published sizes of both are within .01 of 5 % where 5 events are expected.
        EXPECT_LE(size(60, 50, share, ProportionTestMethod::score), 0.06) << share;
        EXPECT_LE(size(60, 50, share, ProportionTestMethod::midp), 0.06) << share;
    }
    Random random(106);
    for (const auto method : {RateMethod::midp, RateMethod::score}) {
        Share rejected, covered;
        for (int round = 0; round < 4000; ++round) {
            const Rate b{double(std::poisson_distribution<int>(40)(random)), 4};
            const Rate c{double(std::poisson_distribution<int>(15)(random)), 1};
            const auto found = rate_test(b, c, {.margin = {.ratio = 1.5}, .method = method});
            rejected.add(found.p_value <= 0.05);
            covered.add(holds(found, 1.5));
        }
        rejected.expect_size(0.005);
        covered.expect_coverage(0.005);
    }
}

TEST(Sizes, SeriesOfDependentValues) {
    Random random(107);
    Share paired, robust_size, robust, quantile;
    for (int round = 0; round < 800; ++round) {
        paired.add(holds(paired_test(normal(240, 2, 1, random, 0.6)), 2));
        const Values b = normal(240, 0, 1, random, 0.6), c = normal(240, 0, 2, random, 0.6);
        const auto found = robust_rank_test(b, c);
        robust_size.add(found.p_value <= 0.05);
        robust.add(holds(found, 0.5));
        const auto median = quantile_difference(b, c,
                                                {.q = 0.5,
                                                 .n_effective_baseline = effective_sample_size(b).n_effective,
                                                 .n_effective_canary = effective_sample_size(c).n_effective});
        quantile.add(holds(median, 0));
    }
    paired.expect_coverage(0.01);  // docs/concepts/promise.md: .06 at n = 60
    robust_size.expect_size(0.01);
    robust.expect_coverage(0.01);
    quantile.expect_coverage(0.01);
}

TEST(Sizes, SignedRankByTheNormalLimit) {
    Random random(108);
    Share rejected, covered;
    for (int round = 0; round < 2000; ++round) {
        const auto found = signed_rank(normal(80, 0, 1, random));
        rejected.add(found.p_value <= 0.05);
        covered.add(holds(found, 0));
    }
    rejected.expect_size();
    covered.expect_coverage();
}

TEST(Sizes, TwoOneSidedTestsPassAtMostAtTheirLevelOnTheMargin) {
    Random random(109);
    Share passed;
    for (int round = 0; round < 4000; ++round) {
        const auto found = welch(normal(40, 0, 1, random), normal(40, 0.8, 1, random), {.confidence = 0.90});
        passed.add(equivalence(found.lower, found.upper, {.difference = 0.8}).equivalent);
    }
    passed.expect_size();
    EXPECT_GE(passed.share(), 0.03);
}

TEST(Sizes, AdjustedValuesKeepTheirPromises) {
    // Ten metrics, six of them healthy: any false find (holm, hochberg, bonferroni), the share of false ones (bh, by).
    Random random(110);
    std::array<Share, 3> any;
    double false_share[2] = {};
    constexpr int rounds = 4000;
    for (int round = 0; round < rounds; ++round) {
        Values p(10);
        for (std::size_t i = 0; i < p.size(); ++i)
            p[i] = normal_survival(std::normal_distribution<double>()(random) + (i < 4 ? 3 : 0));
        std::size_t at = 0;
        for (const auto method : {Adjustment::holm, Adjustment::hochberg, Adjustment::bonferroni}) {
            const Values adjusted = adjust(p, method);
            any[at++].add(*std::min_element(adjusted.begin() + 4, adjusted.end()) <= 0.05);
        }
        at = 0;
        for (const auto method : {Adjustment::bh, Adjustment::by}) {
            const Values adjusted = adjust(p, method);
            const auto below = [](double value) { return value <= 0.05; };
            const auto found = std::count_if(adjusted.begin(), adjusted.end(), below);
            const auto wrong = std::count_if(adjusted.begin() + 4, adjusted.end(), below);
            false_share[at++] += found > 0 ? double(wrong) / double(found) / rounds : 0;
        }
    }
    for (const Share& share : any) share.expect_size();
    // bh: exactly 6/10 of 5 % for independent values. The share of one round has a variance below its mean.
    EXPECT_NEAR(false_share[0], 0.03, 4 * std::sqrt(0.03 / rounds));
    EXPECT_LE(false_share[1], false_share[0]);
}

TEST(Sizes, PowerIsWhatTheTestsHave) {
    Random random(111);
    Share ranks, shares, rates;
    const double effect = normal_cdf(0.5 / std::sqrt(2.0));
    for (int round = 0; round < 3000; ++round) {
        ranks.add(mann_whitney(normal(60, 0, 1, random), normal(60, 0.5, 1, random)).p_value <= 0.05);
        const Proportion b{double(std::binomial_distribution<int>(2000, 0.02)(random)), 2000};
        const Proportion c{double(std::binomial_distribution<int>(1000, 0.035)(random)), 1000};
        shares.add(proportion_test(b, c, {.alternative = Alternative::greater}).p_value <= 0.05);
        const Rate d{double(std::poisson_distribution<int>(60)(random)), 600};
        const Rate e{double(std::poisson_distribution<int>(45)(random)), 300};
        rates.add(rate_test(d, e, {.method = RateMethod::score}).p_value <= 0.05);
    }
    // 0.03: each is a normal approximation of its test's power.
    const auto near = [](const Share& found, double expected) {
        EXPECT_NEAR(found.share(), expected, 0.03 + found.slack(expected));
    };
    near(ranks, power(RankDesign{effect}, 60, 60));
    near(shares, power(ProportionDesign{0.02, 0.035}, 2000, 1000, {.alternative = Alternative::greater}));
    near(rates, power(RateDesign{0.1, 0.15}, 600, 300));
}

// Uneven exposures and few events: the score test's own variances are within .02, the logarithm of the ratio was .05 to
// .1 off.
TEST(Sizes, PowerOfRatesIsThatOfTheScoreTest) {
    Random random(112);
    for (const auto& [baseline, canary, n, m] : {std::tuple{0.05, 0.12, 1000.0, 100.0},
                                                 {0.01, 0.03, 5000.0, 500.0},
                                                 {0.1, 0.03, 1000.0, 300.0},
                                                 {0.05, 0.02, 2000.0, 500.0},
                                                 {0.01, 0.03, 20000.0, 300.0}}) {
        Share found;
        std::poisson_distribution<int> b(baseline * n), c(canary * m);
        for (int round = 0; round < 4000; ++round) {
            const Rate of_b{double(b(random)), n}, of_c{double(c(random)), m};
            found.add(rate_test(of_b, of_c, {.method = RateMethod::score}).p_value <= 0.05);
        }
        const double expected = power(RateDesign{baseline, canary}, n, m);
        EXPECT_NEAR(found.share(), expected, 0.016 + found.slack(expected)) << baseline << ' ' << canary;
    }
    EXPECT_NEAR(power(RateDesign{0.05, 0.12}, 1000, 100), 0.7256, 1e-3);
}

}  // namespace
