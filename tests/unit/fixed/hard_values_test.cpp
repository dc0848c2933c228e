// Every function of one look on the hardest arguments: a value or a clear error, never a NaN that nothing announces,
// and under the sanitizers nothing undefined.

#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/fixed/adjust.hpp>
#include <serinus/fixed/anderson_darling.hpp>
#include <serinus/fixed/block_bootstrap.hpp>
#include <serinus/fixed/brunner_munzel.hpp>
#include <serinus/fixed/cramer_von_mises.hpp>
#include <serinus/fixed/effect_size.hpp>
#include <serinus/fixed/effective_sample_size.hpp>
#include <serinus/fixed/equivalence.hpp>
#include <serinus/fixed/hodges_lehmann.hpp>
#include <serinus/fixed/kolmogorov_smirnov.hpp>
#include <serinus/fixed/mann_whitney.hpp>
#include <serinus/fixed/paired.hpp>
#include <serinus/fixed/power.hpp>
#include <serinus/fixed/proportion.hpp>
#include <serinus/fixed/quantile_difference.hpp>
#include <serinus/fixed/rate.hpp>
#include <serinus/fixed/ratio.hpp>
#include <serinus/fixed/robust_rank.hpp>
#include <serinus/fixed/rolling_mann_whitney.hpp>
#include <serinus/fixed/signed_rank.hpp>
#include <serinus/fixed/welch.hpp>
#include <serinus/fixed/yuen.hpp>

namespace {

using namespace serinus;
using Values = std::vector<double>;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();
constexpr Alternative alternatives[] = {Alternative::two_sided, Alternative::greater, Alternative::less};

Values repeated(std::initializer_list<double> pattern, std::size_t times) {
    Values values;
    for (std::size_t i = 0; i < times; ++i) values.insert(values.end(), pattern);
    return values;
}

struct Sample {
    const char* name;
    Values values;
};

const std::vector<Sample>& samples() {
    static const std::vector<Sample> all{
        {"empty", {}},
        {"one", {1.5}},
        {"two", {1, 2}},
        {"two equal", {2, 2}},
        {"nothing but NaN", {nan_value, nan_value}},
        {"NaN among numbers", {nan_value, 3, 1, nan_value, 2, 5, 4}},
        {"infinite", {-infinity, 1, 2, infinity, infinity}},
        {"all infinite", {infinity, infinity, infinity}},
        {"all tied", Values(40, 7)},
        {"all tied at 1e308", Values(40, 1e308)},
        {"both ends of the doubles", repeated({1e308, -1e308, 1.7e308, 0}, 8)},
        {"denormal", repeated({5e-324, 1e-323, 0, 1.5e-322, -5e-324}, 7)},
        {"signed zeros", repeated({0.0, -0.0}, 12)},
        {"offset of 1e15", repeated({1e15, 1e15 + 0.125, 1e15 + 0.25, 1e15 - 1}, 9)},
        {"neighbours", repeated({1, 1 + 1e-16, 1 + 2.3e-16, 1 + 4.5e-16}, 9)},
        {"all magnitudes", {1e-300, -1e300, 1e-5, 1, 1e5, -1e-300, 1e300, 42, 0, 7, -3, 2, 8}},
        {"plain", {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4}},
    };
    return all;
}

/// A clear error is one that names a field, its value and what is allowed; anything else that is thrown fails.
template <class Call>
bool answers(const std::string& what, const Call& call) {
    SCOPED_TRACE(what);
    try {
        call();
        return true;
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("; allowed: "), std::string::npos) << error.what();
    } catch (const std::exception& other) {
        ADD_FAILURE() << other.what();
    }
    return false;
}

void expect_p(double p) {
    EXPECT_GE(p, 0);  // false for NaN
    EXPECT_LE(p, 1);
}
/// An interval is never NaN; its estimate is, if there was nothing to estimate.
template <class Result>
void expect_interval(const Result& found, bool nothing) {
    EXPECT_LE(found.lower, found.upper);
    EXPECT_EQ(std::isnan(found.estimate), nothing);
}

/// Calls `visit(name, baseline, canary, an arm is empty, an arm holds infinite values)` for all pairs of samples.
template <class Visit>
void for_each_pair(const Visit& visit) {
    const auto count = [](const Values& values, bool infinite) {
        std::size_t found = 0;
        for (const double v : values) found += infinite ? std::isinf(v) : !std::isnan(v);
        return found;
    };
    for (const Sample& b : samples()) {
        for (const Sample& c : samples()) {
            const bool nothing = count(b.values, false) == 0 || count(c.values, false) == 0;
            const bool infinite = count(b.values, true) + count(c.values, true) > 0;
            visit(std::string(b.name) + " / " + c.name, b.values, c.values, nothing, infinite);
        }
    }
}

TEST(HardValues, TestsOfTwoSamples) {
    for_each_pair([](const std::string& name, const Values& b, const Values& c, bool nothing, bool infinite) {
        for (const Alternative side : alternatives) {
            for (const auto method : {MannWhitneyMethod::automatic, MannWhitneyMethod::edgeworth,
                                      MannWhitneyMethod::normal, MannWhitneyMethod::exact}) {
                EXPECT_TRUE(answers("mann_whitney " + name, [&] {
                    const auto found = mann_whitney(b, c, {.alternative = side, .method = method});
                    expect_p(found.p_value);
                    EXPECT_FALSE(std::isnan(found.z));
                    EXPECT_EQ(std::isnan(found.effect), nothing);
                    EXPECT_TRUE(!nothing || found.degenerate);
                }));
            }
            for (const auto method : {BrunnerMunzelMethod::automatic, BrunnerMunzelMethod::t,
                                      BrunnerMunzelMethod::normal, BrunnerMunzelMethod::permutation}) {
                EXPECT_TRUE(answers("brunner_munzel " + name, [&] {
                    const auto found = brunner_munzel(b, c, {.alternative = side, .method = method, .resamples = 100});
                    expect_p(found.p_value);
                    expect_interval(found, nothing);
                    EXPECT_FALSE(std::isnan(found.statistic) || std::isnan(found.df));
                }));
            }
            for (const auto method : {KolmogorovSmirnovMethod::automatic, KolmogorovSmirnovMethod::exact,
                                      KolmogorovSmirnovMethod::asymptotic}) {
                EXPECT_TRUE(answers("kolmogorov_smirnov " + name, [&] {
                    const auto found = kolmogorov_smirnov(b, c, {.alternative = side, .method = method});
                    expect_p(found.p_value);
                    expect_p(found.statistic);
                    EXPECT_EQ(std::isnan(found.location), found.sign == 0);
                }));
            }
            // What subtracts and sums refuses infinite values, by name, and gives a value for all others.
            EXPECT_NE(infinite, answers("welch " + name, [&] {
                          const auto found = welch(b, c, {.alternative = side});
                          expect_p(found.p_value);
                          expect_interval(found, nothing);
                          EXPECT_FALSE(std::isnan(found.statistic) || std::isnan(found.df));
                      }));
            EXPECT_NE(infinite, answers("yuen " + name, [&] {
                          const auto found = yuen(b, c, {.alternative = side});
                          expect_p(found.p_value);
                          expect_interval(found, nothing);
                          EXPECT_FALSE(std::isnan(found.statistic) || std::isnan(found.df));
                      }));
            for (const auto method : {HodgesLehmannMethod::automatic, HodgesLehmannMethod::normal}) {
                EXPECT_NE(infinite, answers("hodges_lehmann " + name, [&] {
                              const auto found = hodges_lehmann(b, c, {.alternative = side, .method = method});
                              expect_interval(found, nothing);
                              expect_p(found.confidence);
                          }));
            }
            EXPECT_TRUE(answers("robust_rank_test " + name, [&] {
                const auto found = robust_rank_test(b, c, {.alternative = side});
                expect_p(found.p_value);
                expect_interval(found, nothing);
                EXPECT_FALSE(std::isnan(found.statistic));
            }));
        }
        for (const auto method :
             {QuadraticMethod::automatic, QuadraticMethod::asymptotic, QuadraticMethod::conditional}) {
            EXPECT_TRUE(answers("cramer_von_mises " + name, [&] {
                const auto found = cramer_von_mises(b, c, {.method = method});
                expect_p(found.p_value);
                EXPECT_FALSE(std::isnan(found.statistic));
            }));
            EXPECT_TRUE(answers("anderson_darling " + name, [&] {
                const auto found = anderson_darling(b, c, {.method = method});
                expect_p(found.p_value);
                EXPECT_FALSE(std::isnan(found.statistic) || std::isnan(found.a_squared));
            }));
        }
        EXPECT_TRUE(answers("effect_size " + name, [&] {
            const auto found = effect_size(b, c);
            EXPECT_EQ(std::isnan(found.effect), nothing);
            EXPECT_LE(found.lower, found.upper);
        }));
        for (const auto method : {QuantileDifferenceMethod::order_statistic, QuantileDifferenceMethod::woodruff,
                                  QuantileDifferenceMethod::harrell_davis}) {
            EXPECT_NE(infinite, answers("quantile_difference " + name, [&] {
                          for (const double q : {0.5, 0.99}) {
                              const auto found = quantile_difference(b, c, {.q = q, .method = method});
                              expect_interval(found, nothing);
                          }
                      }));
        }
    });
}

TEST(HardValues, NanByPolicy) {
    const Values with{1, nan_value, 2, 3}, without{2, 3, 4, 5};
    constexpr NanPolicy error = NanPolicy::error;
    const std::vector<std::function<void(const Values&)>> calls{
        [](const Values& c) {
            mann_whitney(Values{1, 2}, c, {.nan_policy = error});
        },
        [](const Values& c) {
            brunner_munzel(Values{1, 2}, c, {.nan_policy = error});
        },
        [](const Values& c) {
            welch(Values{1, 2}, c, {.nan_policy = error});
        },
        [](const Values& c) {
            yuen(Values{1, 2}, c, {.nan_policy = error});
        },
        [](const Values& c) {
            hodges_lehmann(Values{1, 2}, c, {.nan_policy = error});
        },
        [](const Values& c) {
            effect_size(Values{1, 2}, c, {.nan_policy = error});
        },
        [](const Values& c) {
            kolmogorov_smirnov(Values{1, 2}, c, {.nan_policy = error});
        },
        [](const Values& c) {
            cramer_von_mises(Values{1, 2}, c, {.nan_policy = error});
        },
        [](const Values& c) {
            anderson_darling(Values{1, 2}, c, {.nan_policy = error});
        },
        [](const Values& c) {
            quantile_difference(Values{1, 2}, c, {.nan_policy = error});
        },
        [](const Values& c) {
            robust_rank_test(Values{1, 2}, c, {.nan_policy = error});
        },
        [](const Values& c) { paired_test(c, {.nan_policy = error}); },
        [](const Values& c) { signed_rank(c, {.nan_policy = error}); },
        [](const Values& c) { effective_sample_size(c, error); },
        [](const Values& c) { block_bootstrap(c, [](auto v) { return v[0]; }, {.nan_policy = error}); },
        [](const Values& c) {
            ratio_test({Values{1, 2}, Values{1, 2}}, {c, c}, {.nan_policy = error});
        },
    };
    for (std::size_t i = 0; i < calls.size(); ++i) {
        EXPECT_NO_THROW(calls[i](without)) << i;
        try {
            calls[i](with);
            ADD_FAILURE() << "nothing was raised by " << i;
        } catch (const Error& raised) {
            EXPECT_EQ(raised.code(), Code::argument_nan) << i;
            EXPECT_NE(std::string(raised.what()).find("[1] is NaN"), std::string::npos) << raised.what();
        }
    }
}

TEST(HardValues, TestsOfOneSeries) {
    for (const Sample& sample : samples()) {
        bool infinite = false;
        for (const double v : sample.values) infinite = infinite || std::isinf(v);
        for (const Alternative side : alternatives) {
            EXPECT_NE(infinite, answers(std::string("paired_test ") + sample.name, [&] {
                          const auto found = paired_test(sample.values, {.alternative = side});
                          expect_p(found.p_value);
                          EXPECT_EQ(std::isnan(found.estimate), found.n == 0);
                          EXPECT_LE(found.lower, found.upper);
                          EXPECT_FALSE(std::isnan(found.statistic) || std::isnan(found.n_effective));
                      }));
            for (const auto method : {SignedRankMethod::automatic, SignedRankMethod::normal}) {
                EXPECT_NE(infinite, answers(std::string("signed_rank ") + sample.name, [&] {
                              const auto found = signed_rank(sample.values, {.alternative = side, .method = method});
                              expect_p(found.p_value);
                              expect_interval(found, found.n == 0);
                          }));
            }
        }
        EXPECT_NE(infinite, answers(std::string("effective_sample_size ") + sample.name, [&] {
                      const auto found = effective_sample_size(sample.values);
                      EXPECT_TRUE(found.n_effective >= 0 && found.n_effective <= std::max(found.n, 1.5));
                      EXPECT_FALSE(std::isnan(found.mean) && found.n > 0);
                      EXPECT_FALSE(std::isnan(found.variance));
                  }));
        EXPECT_NE(infinite, answers(std::string("block_bootstrap ") + sample.name, [&] {
                      const auto middle = [](std::span<const double> v) { return v[v.size() / 2]; };
                      const auto found = block_bootstrap(sample.values, middle, {.resamples = 100});
                      expect_interval(found, found.n == 0);
                      EXPECT_FALSE(std::isnan(found.standard_error));
                      EXPECT_FALSE(std::isnan(automatic_block_length(sample.values)) && found.n > 0);
                  }));
        RollingMannWhitney rolling(3);
        for (const double v : sample.values) {
            rolling.push_baseline(v);
            rolling.push_canary(-v);
            EXPECT_FALSE(std::isnan(rolling.u()));
        }
        EXPECT_EQ(std::isnan(rolling.effect()), rolling.n_baseline() == 0);
    }
}

TEST(HardValues, RatiosOfSeries) {
    for (const Sample& top : samples()) {
        for (const Sample& bottom : samples()) {
            const std::size_t n = std::min(top.values.size(), bottom.values.size());
            const RatioSeries arm{std::span(top.values).first(n), std::span(bottom.values).first(n)};
            const Values plain_top = repeated({2, 3, 2.5, 2.2}, 20), plain_bottom = repeated({1, 1.1, 0.9}, 27);
            const RatioSeries plain{plain_top, std::span(plain_bottom).first(80)};
            for (const auto method : {RatioTestMethod::delta, RatioTestMethod::block_bootstrap}) {
                answers(std::string("ratio_test ") + top.name + " / " + bottom.name, [&] {
                    const auto found = ratio_test(arm, plain, {.method = method, .resamples = 100});
                    expect_p(found.p_value);
                    EXPECT_LE(found.lower, found.upper);
                    EXPECT_FALSE(found.conclusive && std::isnan(found.ratio));
                    EXPECT_FALSE(std::isnan(found.statistic) || std::isnan(found.df));
                });
            }
        }
    }
}

TEST(HardValues, CountsUpToTwoToTheFiftyThird) {
    const std::array<std::int64_t, 8> counts{0, 1, 2, 40, 1000, 1'000'000, most_count / 2, most_count};
    const auto part = [](double share, std::int64_t of) { return static_cast<std::int64_t>(share * as_double(of)); };
    for (const std::int64_t total_b : counts) {
        for (const std::int64_t total_c : counts) {
            for (const double share_b : {0.0, 1e-9, 0.3, 1.0}) {
                for (const double share_c : {0.0, 0.3, 1.0}) {
                    const Proportion b{part(share_b, total_b), total_b}, c{part(share_c, total_c), total_c};
                    const std::string name = std::to_string(b.bad) + "/" + std::to_string(total_b) + " " +
                                             std::to_string(c.bad) + "/" + std::to_string(total_c);
                    for (const Alternative side : alternatives) {
                        for (const auto method : {ProportionTestMethod::automatic, ProportionTestMethod::score,
                                                  ProportionTestMethod::fisher, ProportionTestMethod::midp}) {
                            EXPECT_TRUE(answers("proportion_test " + name, [&] {
                                const auto found = proportion_test(b, c, {.alternative = side, .method = method});
                                expect_p(found.p_value);
                                EXPECT_LE(found.lower, found.upper);
                                EXPECT_FALSE(std::isnan(found.statistic));
                                EXPECT_EQ(std::isnan(found.difference), total_b == 0 || total_c == 0);
                            }));
                        }
                        for (const Margin& margin : {Margin{.ratio = 2.0}, Margin{.ratio = 1e-6},
                                                     Margin{.difference = 0.2}, Margin{.difference = -0.999}}) {
                            EXPECT_TRUE(answers("proportion_test with a margin " + name, [&] {
                                const auto found = proportion_test(b, c, {.margin = margin, .alternative = side});
                                expect_p(found.p_value);
                                EXPECT_LE(found.lower, found.upper);
                                EXPECT_FALSE(std::isnan(found.statistic));
                            }));
                        }
                        for (const auto method : {RateTestMethod::automatic, RateTestMethod::exact,
                                                  RateTestMethod::midp, RateTestMethod::score}) {
                            for (const double exposure : {1e-300, 1.0, 3e7, 1e300}) {
                                EXPECT_TRUE(answers("rate_test " + name, [&] {
                                    const auto found = rate_test({total_b, 1}, {total_c, exposure},
                                                                 {.alternative = side, .method = method});
                                    expect_p(found.p_value);
                                    EXPECT_LE(found.lower, found.upper) << exposure << word(method);
                                    EXPECT_EQ(std::isnan(found.ratio), total_b + total_c == 0);
                                }));
                            }
                        }
                    }
                }
            }
        }
    }
}

TEST(HardValues, WhatCountsAndOptionsMayNotBe) {
    const auto code = [](const auto& call) {
        try {
            call();
        } catch (const Error& raised) {
            EXPECT_NE(std::string(raised.what()).find("; allowed: "), std::string::npos) << raised.what();
            return raised.code();
        }
        return Code::none;
    };
    constexpr std::int64_t most = most_count;
    for (const std::int64_t bad : {std::int64_t{-1}, most + 1}) {
        EXPECT_EQ(code([&] { proportion_test({bad, most}, {1, 2}); }), Code::argument_count) << bad;
        EXPECT_EQ(code([&] { proportion_test({1, 2}, {bad, most}); }), Code::argument_count) << bad;
        EXPECT_EQ(code([&] { proportion_test({0, bad}, {1, 2}); }), Code::argument_count) << bad;
        EXPECT_EQ(code([&] { rate_test({bad, 1}, {1, 2}); }), Code::argument_count) << bad;
        EXPECT_EQ(code([&] { rate_test({1, 1}, {bad, 2}); }), Code::argument_count) << bad;
    }
    EXPECT_EQ(code([] { proportion_test({3, 2}, {1, 2}); }), Code::argument_count);
    EXPECT_EQ(code([] { proportion_test({1, 2}, {3, 2}); }), Code::argument_count);
    for (const double exposure : {0.0, -1.0, infinity, nan_value}) {
        EXPECT_EQ(code([&] { rate_test({1, exposure}, {1, 2}); }), Code::argument_range);
        EXPECT_EQ(code([&] { rate_test({1, 1}, {1, exposure}); }), Code::argument_range);
    }
    EXPECT_EQ(code([] { rate_test({1, 1e-300}, {1, 1e300}); }), Code::argument_range);
    EXPECT_EQ(code([] { rate_test({1, 1}, {1, 1e300}, {.margin = {.ratio = 1e300}}); }), Code::argument_range);
    const Values b{1, 2, 3, 4}, c{2, 3, 4, 5};
    for (const double outside : {0.0, 1.0, -0.1, 1.5, infinity, nan_value}) {
        const auto range = [&](const auto& call) { EXPECT_EQ(code(call), Code::argument_range) << outside; };
        range([&] { hodges_lehmann(b, c, {.confidence = outside}); });
        range([&] { effect_size(b, c, {.confidence = outside}); });
        range([&] { brunner_munzel(b, c, {.confidence = outside}); });
        range([&] { brunner_munzel(b, c, {.margin = outside}); });
        range([&] { welch(b, c, {.confidence = outside}); });
        range([&] { yuen(b, c, {.confidence = outside}); });
        range([&] { quantile_difference(b, c, {.confidence = outside}); });
        range([&] { quantile_difference(b, c, {.q = outside}); });
        range([&] { proportion_test({1, 4}, {1, 4}, {.confidence = outside}); });
        range([&] { rate_test({1, 4}, {1, 4}, {.confidence = outside}); });
        range([&] { ratio_test({b, c}, {b, c}, {.confidence = outside}); });
        range([&] { paired_test(b, {.confidence = outside}); });
        range([&] { robust_rank_test(b, c, {.confidence = outside}); });
        range([&] { signed_rank(b, {.confidence = outside}); });
        range([&] { block_bootstrap(b, [](auto v) { return v[0]; }, {.confidence = outside}); });
        range([&] { power(RankDesign{0.6}, 10, 10, {.alpha = outside}); });
        range([&] { sample_size(RankDesign{outside}); });
        if (outside != 1) range([&] { power(RankDesign{0.6}, 10, 10, {.independent = outside}); });
        if (outside != 0 && outside != 1 && !std::isnan(outside)) range([&] { adjust(Values{0.5, outside}); });
    }
    for (const double margin : {0.0, -1.0, infinity, nan_value}) {
        const auto refused = [&](const auto& call) { EXPECT_EQ(code(call), Code::argument_margin) << margin; };
        refused([&] { proportion_test({1, 4}, {1, 4}, {.margin = {.ratio = margin}}); });
        refused([&] { rate_test({1, 4}, {1, 4}, {.margin = {.ratio = margin}}); });
        refused([&] { ratio_test({b, c}, {b, c}, {.margin = {.ratio = margin}}); });
        if (!(margin >= 1)) refused([&] { equivalence(0, 1, {.ratio = margin}); });
    }
    for (const double margin : {-1.0, 1.0, 1.5, infinity, nan_value})
        EXPECT_EQ(code([&] {
                      proportion_test({1, 4}, {1, 4}, {.margin = {.difference = margin}});
                  }),
                  Code::argument_margin);
    EXPECT_EQ(code([] { equivalence(nan_value, 1, {.difference = 1.0}); }), Code::argument_range);
    for (const double n : {0.0, -1.0, infinity, nan_value})
        EXPECT_EQ(code([&] { power(MeanDesign{1, 1}, n, 10); }), Code::argument_range);
}

TEST(HardValues, PowerIsAProbabilityAndSizesArePositive) {
    const auto check = [](const auto& design) {
        for (const double n : {1e-3, 1.0, 3.0, 1e3, 1e9, 1e15}) {
            for (const Alternative side : alternatives) {
                for (const double alpha : {1e-12, 0.05, 0.9}) {
                    const double found = power(design, n, 2 * n, {.alpha = alpha, .alternative = side});
                    EXPECT_GE(found, 0) << n;
                    EXPECT_LE(found, 1) << n;
                }
            }
        }
        EXPECT_GT(sample_size(design, 0.9).n_baseline, 0);
    };
    check(RankDesign{0.5});
    check(RankDesign{1 - 1e-12});
    check(MeanDesign{0, 1});
    check(MeanDesign{1e-300, 1e300});
    check(MeanDesign{1e308, 1e-308});
    check(ProportionDesign{1e-15, 1e-14});
    check(ProportionDesign{0.5, 0.5});
    check(RateDesign{1e-300, 1e300});
    check(RateDesign{5, 5});
}

}  // namespace
