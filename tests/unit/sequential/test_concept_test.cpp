// The same of every test of many looks.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/state.hpp>
#include <serinus/sequential/mean.hpp>
#include <serinus/sequential/paired.hpp>
#include <serinus/sequential/proportion.hpp>
#include <serinus/sequential/quantile.hpp>
#include <serinus/sequential/rate.hpp>
#include <serinus/sequential/rotation.hpp>
#include <serinus/sequential/sample_ratio.hpp>
#include <serinus/sequential/signed_rank.hpp>
#include <serinus/sequential/silence.hpp>
#include <serinus/sequential/test_concept.hpp>
#include <serinus/sequential/threshold.hpp>

#include "support/code_of.hpp"
#include "support/example_noise.hpp"

namespace {

using namespace serinus;
using namespace serinus::sequential;

/// What a test may have, and which does not have it: each with the reason why that cannot be true.
using Gap = std::pair<std::string, std::string>;
const std::map<Gap, std::string> gaps{
    {{"PairedTest", "merge"},
     "differences of two regions at one time are not independent, and the horizon counts intervals of one history"},
    {{"RotationTest", "merge"}, "looks are fixed beforehand, and the virtual canaries walk the path of one rollout"},
    {{"SignedRankTest", "interval"}, "its ranks are about its own margin; any other would need ranks of its own"},
    {{"SampleRatioTest", "alpha_safe"}, "it only ever holds a rollout: one error rate serves both sides"},
    {{"SilenceTest", "merge"},
     "intervals of two regions are no intervals that follow: a request in one ends no silence in the other"},
    {{"SilenceTest", "side"}, "that a canary speaks is known from its first request"},
    {{"SilenceTest", "alpha_safe"}, "it has one side"},
    {{"SilenceTest", "interval"}, "SampleRatioTest bounds the share; this one asks whether there is any"},
};

template <class Test>
void look_at(const std::string& name, std::set<Gap>& found) {
    static_assert(SequentialTest<Test>);
    const std::pair<const char*, bool> features[] = {{"update_many", updates_many<Test>},
                                                     {"merge", merges<Test>},
                                                     {"side", has_side<Test>},
                                                     {"alpha_safe", has_alpha_safe<Test>},
                                                     {"interval", has_interval<Test>}};
    for (const auto& [feature, there] : features) {
        if (!there) found.insert({name, feature});
    }
}

TEST(EverySequentialTest, HasAllButTheGapsThatAreNamed) {
    std::set<Gap> found, named;
    look_at<ProportionTest>("ProportionTest", found);
    look_at<RateTest>("RateTest", found);
    look_at<MeanTest>("MeanTest", found);
    look_at<QuantileTest>("QuantileTest", found);
    look_at<PairedTest>("PairedTest", found);
    look_at<SignedRankTest>("SignedRankTest", found);
    look_at<ThresholdTest>("ThresholdTest", found);
    look_at<SampleRatioTest>("SampleRatioTest", found);
    look_at<RotationTest>("RotationTest", found);
    look_at<SilenceTest>("SilenceTest", found);
    for (const auto& [gap, reason] : gaps) named.insert(gap);
    EXPECT_EQ(found, named);
}

std::vector<double> values(int seed, std::size_t size = 24) {
    std::vector<double> out;
    for (std::size_t i = 0; i < size; ++i)
        out.push_back(static_cast<double>((static_cast<std::size_t>(seed) * 37 + i * i * 11 + i * 5) % 97) / 10 + 1);
    return out;
}

/// `feed(test, i)` is one interval, `feed_many(test)` all 12 of them.
template <class Test, class Feed, class FeedMany>
void many_are_one_by_one(const Test& fresh, const Feed& feed, const FeedMany& feed_many) {
    Test single = fresh, many = fresh;
    for (int i = 0; i < 12; ++i) feed(single, i);
    feed_many(many);
    EXPECT_EQ(encode(single.state()), encode(many.state()));
    EXPECT_EQ(single.log_e_value(), many.log_e_value());
    EXPECT_NE(encode(fresh.state()), encode(many.state()));
    const std::string_view method = many.evidence().method;
    EXPECT_NE(method, "");
    EXPECT_NE(std::find(evidence_methods.begin(), evidence_methods.end(), method), evidence_methods.end()) << method;
}

TEST(EverySequentialTest, TakesManyIntervalsAsOneByOne) {
    std::vector<Proportion> bad_b, bad_c;
    std::vector<Rate> rate_b, rate_c;
    std::vector<Pair> pairs;
    std::vector<double> differences;
    std::vector<std::int64_t> counts;
    std::vector<std::vector<double>> kept_b, kept_c;
    for (int i = 0; i < 12; ++i) {
        bad_b.push_back({i % 4, 90});
        bad_c.push_back({i % 3 + 1, 10});
        rate_b.push_back({i % 5, 9.0});
        rate_c.push_back({i % 3 + 1, 1.5});
        pairs.push_back({.baseline = 100.0 + i % 3, .canary = 101.0 + i % 5, .variance = 1.0 + i % 2});
        differences.push_back(i % 7 - 2.5);
        counts.insert(counts.end(), {880 + i, 120 - i});
        kept_b.push_back(values(i));
        kept_c.push_back(values(i + 50));
    }
    std::vector<std::span<const double>> b(kept_b.begin(), kept_b.end()), c(kept_c.begin(), kept_c.end());
    const auto at = [](int i) { return static_cast<std::size_t>(i); };

    many_are_one_by_one(
        ProportionTest(), [&](auto& test, int i) { test.update(bad_b[at(i)], bad_c[at(i)]); },
        [&](auto& test) { test.update_many(bad_b, bad_c); });
    many_are_one_by_one(
        RateTest(), [&](auto& test, int i) { test.update(rate_b[at(i)], rate_c[at(i)]); },
        [&](auto& test) { test.update_many(rate_b, rate_c); });
    const Margin floored{.ratio = 1.5, .difference = {}, .floor = 0.01};
    many_are_one_by_one(
        ProportionTest({.margin = floored}), [&](auto& test, int i) { test.update(bad_b[at(i)], bad_c[at(i)]); },
        [&](auto& test) { test.update_many(bad_b, bad_c); });
    many_are_one_by_one(
        RateTest({.margin = floored}), [&](auto& test, int i) { test.update(rate_b[at(i)], rate_c[at(i)]); },
        [&](auto& test) { test.update_many(rate_b, rate_c); });
    many_are_one_by_one(
        PairedTest({.noise = noise_in(NoiseUnit::own)}), [&](auto& test, int i) { test.update(pairs[at(i)]); },
        [&](auto& test) { test.update_many(pairs); });
    many_are_one_by_one(
        SignedRankTest(), [&](auto& test, int i) { test.update(differences[at(i)]); },
        [&](auto& test) { test.update_many(differences); });
    many_are_one_by_one(
        SampleRatioTest({0.9, 0.1}),
        [&](auto& test, int i) { test.update(std::span<const std::int64_t>(counts).subspan(2 * at(i), 2)); },
        [&](auto& test) { test.update_many(counts); });
    std::vector<std::int64_t> served, answered;
    std::vector<double> told;
    for (int i = 0; i < 12; ++i) {
        served.push_back(90 + i);
        answered.push_back(i % 3 == 0 ? 0 : i);
        told.push_back(i < 6 ? 0.1 : 0.2);
    }
    many_are_one_by_one(
        SilenceTest(), [&](auto& test, int i) { test.update(served[at(i)], answered[at(i)], told[at(i)]); },
        [&](auto& test) { test.update_many(served, answered, told); });
    const auto of_values = [&](const auto& fresh) {
        many_are_one_by_one(
            fresh, [&](auto& test, int i) { test.update(b[at(i)], c[at(i)]); },
            [&](auto& test) { test.update_many(b, c); });
        auto refused = fresh;
        EXPECT_EQ(code_of([&] { refused.update_many(b, std::span(c).first(3)); }), Code::argument_length);
        EXPECT_EQ(encode(refused.state()), encode(fresh.state()));
    };
    of_values(MeanTest());
    of_values(QuantileTest());
    of_values(ThresholdTest(5));
    of_values(RotationTest({.last = 12}));
}

TEST(EverySequentialTest, TakesNoneOfManyIntervalsWhenOneIsImpossible) {
    const auto refuses = [](auto test, Code code, const auto& feed) {
        const auto before = encode(test.state());
        EXPECT_EQ(code_of([&] { feed(test); }), code);
        EXPECT_EQ(encode(test.state()), before);
    };
    const std::vector<Proportion> good_shares{{1, 10}, {2, 10}}, bad_shares{{1, 10}, {11, 10}};
    refuses(ProportionTest(), Code::argument_count, [&](auto& test) { test.update_many(good_shares, bad_shares); });
    const std::vector<Pair> pairs{{.baseline = 1, .canary = 2}, {.baseline = 1, .canary = 2, .variance = -1}};
    refuses(PairedTest(), Code::argument_range, [&](auto& test) { test.update_many(pairs); });
    const std::vector<double> good{1, 2, 3}, bad{1, 1e308 * 10};
    const std::vector<std::span<const double>> b{good, good}, c{good, bad};
    refuses(MeanTest(), Code::argument_infinite, [&](auto& test) { test.update_many(b, c); });
    refuses(RotationTest(), Code::argument_infinite, [&](auto& test) { test.update_many(b, c); });
}

}  // namespace
