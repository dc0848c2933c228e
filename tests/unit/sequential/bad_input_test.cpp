// What every test of many looks does with input that cannot be: an error of a stable code that names the field, the
// value and what is allowed, and an object that is to the byte what it was.
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/quote.hpp>
#include <serinus/core/state.hpp>
#include <serinus/sequential/boundaries.hpp>
#include <serinus/sequential/change_detector.hpp>
#include <serinus/sequential/combine.hpp>
#include <serinus/sequential/distribution_band.hpp>
#include <serinus/sequential/group_sequential.hpp>
#include <serinus/sequential/mean.hpp>
#include <serinus/sequential/paired.hpp>
#include <serinus/sequential/proportion.hpp>
#include <serinus/sequential/quantile.hpp>
#include <serinus/sequential/quantile_ab.hpp>
#include <serinus/sequential/rate.hpp>
#include <serinus/sequential/rotation.hpp>
#include <serinus/sequential/sample_ratio.hpp>
#include <serinus/sequential/signed_rank.hpp>
#include <serinus/sequential/silence.hpp>
#include <serinus/sequential/start_mixture.hpp>
#include <serinus/sequential/threshold.hpp>

#include "support/example_noise.hpp"

namespace serinus::sequential {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
const double none = std::nan("");
constexpr std::int64_t most = std::int64_t{1} << 53;
constexpr Margin ratio(double value) { return {.ratio = value, .difference = {}}; }
constexpr Margin difference(double value) { return {.ratio = {}, .difference = value}; }
constexpr Margin both{.ratio = 1.0, .difference = 0.0};
constexpr Margin neither{.ratio = {}, .difference = {}};

using Bytes = std::vector<std::byte>;
using Values = std::vector<double>;
using Counts = std::vector<std::int64_t>;

/// A call that must be refused: with this code, and a sentence that holds these words.
struct Wrong {
    std::string name;
    Code code;
    std::vector<std::string> words;
    std::function<void()> call;
};

void expect_refused(const Wrong& wrong) {
    try {
        wrong.call();
    } catch (const Error& error) {
        const std::string text = error.what();
        EXPECT_EQ(error.code(), wrong.code) << wrong.name << ": " << text;
        for (const std::string& word : wrong.words)
            EXPECT_NE(text.find(word), std::string::npos) << wrong.name << ": " << text << " does not say " << word;
        EXPECT_NE(text.find("; allowed: "), std::string::npos) << wrong.name << ": " << text;
        return;
    }
    ADD_FAILURE() << wrong.name << " was not refused";
}

/// One kind of test that has seen something: what can be done to it, and how it is read.
struct Subject {
    std::string name;
    std::vector<Wrong> wrong;                  // calls on the test that change nothing
    std::vector<std::function<void()>> empty;  // updates without information, which change nothing either
    std::function<Bytes()> save;               // its state
    std::function<void(std::span<const std::byte>)> load;
    std::function<void()> go_on;  // an ordinary update, and everything that can be asked
};

template <class Test>
struct Made {
    std::shared_ptr<Test> test;
    Subject subject;

    void refuse(std::string name, Code code, std::vector<std::string> words, std::function<void(Test&)> call) {
        subject.wrong.push_back({subject.name + ' ' + std::move(name), code, std::move(words),
                                 [test = test, call = std::move(call)] { call(*test); }});
    }
    void nothing(std::function<void(Test&)> call) {
        subject.empty.push_back([test = test, call = std::move(call)] { call(*test); });
    }
};

template <class Test>
Made<Test> make(std::string name, Test fresh, std::function<void(Test&)> good) {
    const auto test = std::make_shared<Test>(std::move(fresh));
    for (int i = 0; i < 3; ++i) good(*test);
    using State = decltype(test->state());
    Subject subject{std::move(name),
                    {},
                    {},
                    [=] { return encode(test->state()); },
                    [=](std::span<const std::byte> bytes) { test->restore(decode<State>(bytes)); },
                    [=] {
                        good(*test);
                        if constexpr (requires { test->evidence(); }) (void)test->evidence();
                        if constexpr (requires { test->log_statistic(); }) (void)test->log_statistic();
                        if constexpr (requires { test->order(); }) (void)test->order();
                    }};
    return {test, std::move(subject)};
}

/// Counts of requests that cannot be, in either arm.
template <class Test>
void refuse_proportions(Made<Test>& made) {
    const Proportion good{1, 100};
    const std::vector<std::pair<Proportion, std::vector<std::string>>> wrong{
        {{-1, 100}, {"-1 bad of 100"}}, {{101, 100}, {"101 bad of 100"}},
        {{0, -5}, {"0 bad of -5"}},     {{0, most + 2}, {"of 9007199254740994", "2^53"}},
        {{1, 0}, {"1 bad of 0"}},
    };
    for (const auto& [counts, words] : wrong) {
        for (const bool canary : {false, true}) {
            auto all = words;
            all.push_back(canary ? "canary has" : "baseline has");
            made.refuse("update", Code::argument_count, all, [counts = counts, good, canary](Test& test) {
                test.update(canary ? good : counts, canary ? counts : good);
            });
        }
    }
}

template <class Test>
void refuse_rates(Made<Test>& made) {
    const Rate good{1, 10};
    const std::vector<std::pair<Rate, std::pair<Code, std::vector<std::string>>>> wrong{
        {{-1, 10}, {Code::argument_count, {"-1 events"}}},
        {{most + 2, 10}, {Code::argument_count, {"9007199254740994 events", "2^53"}}},
        {{1, -0.5}, {Code::argument_range, {"exposure of -0.5"}}},
        {{1, none}, {Code::argument_range, {"exposure of nan"}}},
        {{1, infinity}, {Code::argument_range, {"exposure of inf"}}},
        {{1, 0}, {Code::argument_range, {"1 events in an exposure of 0"}}},
    };
    for (const auto& [rate, expected] : wrong) {
        for (const bool canary : {false, true}) {
            auto words = expected.second;
            words.push_back(canary ? "canary has" : "baseline has");
            const Rate b = canary ? good : rate, c = canary ? rate : good;
            made.refuse("update", expected.first, words, [b, c](Test& test) { test.update(b, c); });
            if constexpr (requires(Test& test, std::vector<Rate> rates) { test.update_many(rates, rates); }) {
                made.refuse("update_many", expected.first, words, [b, c, good](Test& test) {
                    test.update_many(std::vector<Rate>{good, b}, std::vector<Rate>{good, c});
                });
            }
        }
    }
}

std::vector<Subject> subjects() {
    std::vector<Subject> all;
    const Values baseline{90, 95, 101, 80}, canary{110, 104, 99};

    for (const ProportionMethod method : {ProportionMethod::conditional, ProportionMethod::block}) {
        auto made =
            make<ProportionTest>("ProportionTest " + std::string(word(method)),
                                 ProportionTest({.margin = ratio(1.5), .method = method}), [](ProportionTest& test) {
                                     test.update({9, 900}, {2, 100});
                                 });
        refuse_proportions(made);
        made.nothing([](ProportionTest& test) { test.update({0, 0}, {2, 100}); });
        made.nothing([](ProportionTest& test) { test.update({9, 900}, {0, 0}); });
        made.refuse("merge", Code::state_options, {"ProportionTest.merge"},
                    [](ProportionTest& test) { test.merge(ProportionTest({.alpha = 0.01})); });
        all.push_back(made.subject);
    }
    {
        auto made = make<RateTest>("RateTest", RateTest({.margin = ratio(1.5)}), [](RateTest& test) {
            test.update({9, 9.5}, {2, 1});
        });
        refuse_rates(made);
        made.nothing([](RateTest& test) { test.update({0, 0}, {2, 1}); });
        made.nothing([](RateTest& test) { test.update({9, 9.5}, {0, 0}); });
        made.refuse("update_many", Code::argument_length, {"baseline has 2 intervals", "canary 1"},
                    [](RateTest& test) { test.update_many(std::vector<Rate>(2), std::vector<Rate>(1)); });
        made.refuse("merge", Code::state_options, {"RateTest.merge"},
                    [](RateTest& test) { test.merge(RateTest({.alpha = 0.01})); });
        all.push_back(made.subject);
    }
    {
        const std::array<double, 2> shares{0.9, 0.1};
        auto made = make<SampleRatioTest>("SampleRatioTest", SampleRatioTest(shares), [](SampleRatioTest& test) {
            test.update({900, 101});
        });
        made.refuse("update", Code::argument_count, {"-1"}, [](SampleRatioTest& test) { test.update({900, -1}); });
        made.refuse("update", Code::argument_count, {"9007199254740994"}, [](SampleRatioTest& test) {
            test.update({most + 2, 1});
        });
        made.refuse("update", Code::argument_length, {"3"}, [](SampleRatioTest& test) { test.update({1, 2, 3}); });
        made.refuse("update_many", Code::argument_count, {"-7"}, [](SampleRatioTest& test) {
            test.update_many(Counts{900, 100, 900, -7});
        });
        made.refuse("update_many", Code::argument_length, {"3 elements"}, [](SampleRatioTest& test) {
            test.update_many(Counts{900, 100, 900});
        });
        made.refuse("share", Code::argument_range, {"arm is 2"}, [](SampleRatioTest& test) { (void)test.share(2); });
        made.refuse("merge", Code::state_options, {"SampleRatioTest"},
                    [shares](SampleRatioTest& test) { test.merge(SampleRatioTest(shares, {.alpha = 0.05})); });
        made.nothing([](SampleRatioTest& test) { test.update({0, 0}); });
        all.push_back(made.subject);
    }
    {
        auto made = make<SilenceTest>("SilenceTest", SilenceTest(), [](SilenceTest& test) {
            test.update(900, 101, 0.1);
            test.update(900, 0, 0.1);
        });
        made.refuse("update", Code::argument_count, {"canary is -1"},
                    [](SilenceTest& test) { test.update(900, -1, 0.1); });
        made.refuse("update", Code::argument_count, {"baseline is 9007199254740994"},
                    [](SilenceTest& test) { test.update(most + 2, 1, 0.1); });
        for (const double share : {0.0, 1.0, -0.1, none}) {
            made.refuse("update", Code::argument_range, {"share is " + given_text(share)},
                        [share](SilenceTest& test) { test.update(1, 2, share); });
        }
        made.refuse("update_many", Code::argument_count, {"canary is -7"}, [](SilenceTest& test) {
            test.update_many(Counts{900, 900}, Counts{100, -7}, Values{0.1, 0.1});
        });
        made.refuse("update_many", Code::argument_length, {"shares has 1 intervals, baseline 2"},
                    [](SilenceTest& test) {
                        test.update_many(Counts{900, 900}, Counts{100, 7}, Values{0.1});
                    });
        made.nothing([](SilenceTest& test) { test.update(0, 0, 0.1); });
        all.push_back(made.subject);
    }
    for (const Harm harm : {Harm::increase, Harm::either}) {
        auto made = make<ThresholdTest>("ThresholdTest " + std::string(word(harm)), ThresholdTest(100, {.harm = harm}),
                                        [=](ThresholdTest& test) { test.update(baseline, canary); });
        const Values bounds{50, 100, 200};
        const auto buckets = [bounds](const Counts& b, const Counts& c) {
            return [=](ThresholdTest& test) { test.update_buckets(bounds, b, c); };
        };
        const Counts good{3, 5, 2, 1};
        made.refuse("update_buckets", Code::argument_count, {"canary[1] is -1"}, buckets(good, {3, -1, 2, 1}));
        made.refuse("update_buckets", Code::argument_count, {"baseline[0] is 9007199254740994", "2^53"},
                    buckets({most + 2, 0, 0, 0}, good));
        made.refuse("update_buckets", Code::argument_count, {"canary[3] is 1"}, buckets(good, {most, 0, 0, 1}));
        made.refuse("update_buckets", Code::argument_length, {"canary has 2 counts for 3 bounds"},
                    buckets(good, {1, 2}));
        made.refuse("update_buckets", Code::argument_range, {"bounds[1] is 50"}, [good](ThresholdTest& test) {
            test.update_buckets(Values{50, 50, 200}, good, good);
        });
        made.refuse("update_buckets", Code::argument_range, {"bounds[0] is nan"}, [good](ThresholdTest& test) {
            test.update_buckets(Values{none, 50, 200}, good, good);
        });
        made.refuse("update_many", Code::argument_length, {"baseline has 1 intervals, canary 2"},
                    [baseline](ThresholdTest& test) {
                        const std::array<std::span<const double>, 2> rows{baseline, baseline};
                        test.update_many(std::span(rows).first(1), rows);
                    });
        made.refuse("merge", Code::state_options, {"ThresholdTest.merge"},
                    [](ThresholdTest& test) { test.merge(ThresholdTest(101)); });
        made.nothing([=](ThresholdTest& test) { test.update({}, canary); });
        made.nothing([=](ThresholdTest& test) { test.update(baseline, Values{none}); });
        made.nothing(buckets({0, 0, 0, 0}, good));
        made.nothing(buckets(good, {0, 0, 0}));
        all.push_back(made.subject);
    }
    {
        auto made = make<MeanTest>("MeanTest", MeanTest(), [=](MeanTest& test) { test.update(baseline, canary); });
        made.refuse("update", Code::argument_infinite, {"canary"}, [=](MeanTest& test) {
            test.update(baseline, Values{1, infinity});
        });
        made.refuse("update", Code::argument_infinite, {"baseline"},
                    [=](MeanTest& test) { test.update(Values{-infinity}, canary); });
        made.refuse("update", Code::argument_range, {"canary", "1e75"},
                    [=](MeanTest& test) { test.update(baseline, Values{1e300}); });
        const MeanMoments good{.n = 4, .mean = 1, .squares = 2};
        const auto moments = [good](const MeanMoments& c) { return [=](MeanTest& test) { test.update(good, c); }; };
        made.refuse("moments", Code::argument_count, {"canary.n is -1"}, moments({.n = -1}));
        made.refuse("moments", Code::argument_count, {"canary.n is 1.5"}, moments({.n = 1.5}));
        made.refuse("moments", Code::argument_range, {"canary.mean is nan"}, moments({.n = 2, .mean = none}));
        made.refuse("moments", Code::argument_range, {"canary.squares is -1"}, moments({.n = 2, .squares = -1}));
        made.refuse("moments", Code::argument_range, {"canary.cubes is inf"},
                    moments({.n = 2, .squares = 1, .cubes = infinity}));
        made.refuse("moments", Code::argument_range, {"canary.fourths is 0.1"},
                    moments({.n = 2, .squares = 1, .cubes = 0, .fourths = 0.1}));
        made.refuse("merge", Code::state_options, {"MeanTest"},
                    [](MeanTest& test) { test.merge(MeanTest({.alpha = 0.01})); });
        made.nothing([](MeanTest& test) { test.update(Values{}, Values{none}); });
        made.nothing([](MeanTest& test) { test.update(MeanMoments{}, MeanMoments{.n = 0, .mean = none}); });
        all.push_back(made.subject);
    }
    {
        auto made = make<QuantileTest>("QuantileTest", QuantileTest({.q = 0.5}),
                                       [=](QuantileTest& test) { test.update(baseline, canary); });
        made.refuse("merge", Code::state_options, {"QuantileTest"},
                    [](QuantileTest& test) { test.merge(QuantileTest({.q = 0.9})); });
        made.nothing([](QuantileTest& test) { test.update(Values{}, Values{none}); });
        all.push_back(made.subject);
    }
    {
        auto made = make<DistributionBand>("DistributionBand", DistributionBand({.from_size = 5}),
                                           [=](DistributionBand& band) { band.update(baseline, canary); });
        made.refuse("merge", Code::state_options, {"DistributionBand"},
                    [](DistributionBand& band) { band.merge(DistributionBand({.alpha = 0.01})); });
        made.nothing([](DistributionBand& band) { band.update(Values{}, Values{none}); });
        all.push_back(made.subject);
    }
    {
        // Of values of instances, one an interval; three intervals are judged, the first look is after five.
        auto made = make<RotationTest>("RotationTest", RotationTest({.last = 30}),
                                       [=](RotationTest& test) { test.update(baseline, canary); });
        made.refuse("update", Code::argument_infinite, {"canary"}, [=](RotationTest& test) {
            test.update(baseline, Values{1, infinity});
        });
        made.refuse("update", Code::argument_infinite, {"baseline"},
                    [=](RotationTest& test) { test.update(Values{-infinity}, canary); });
        made.refuse("update", Code::argument_range, {"canary is 1e+200", "1e150"},
                    [=](RotationTest& test) { test.update(baseline, Values{1e200}); });
        made.refuse("set_known", Code::argument_range, {"known.looks", "rotation_looks"}, [](RotationTest& test) {
            test.set_known({.looks = rotation_looks(31), .gram = {}, .degrees = 0});
        });
        InstanceSpread known{.looks = rotation_looks(30), .gram = {}, .degrees = 1};
        made.refuse("set_known", Code::argument_length, {"known.gram has 0", "allowed: 81"},
                    [=](RotationTest& test) { test.set_known(known); });
        known.gram.assign(81, 1.0);
        const auto spoilt = [&](std::size_t at, double value) {
            InstanceSpread spread = known;
            spread.gram[at] = value;
            return [=](RotationTest& test) { test.set_known(spread); };
        };
        made.refuse("set_known", Code::argument_range, {"known.gram has nan", "row 0, column 0"}, spoilt(0, none));
        made.refuse("set_known", Code::argument_range, {"known.gram has -1", "row 8, column 8"}, spoilt(80, -1));
        made.refuse("set_known", Code::argument_range, {"known.gram has 0.5", "row 0, column 1"}, spoilt(1, 0.5));
        made.refuse("set_known", Code::argument_range, {"known.gram"}, spoilt(10, infinity));
        InstanceSpread half = known;
        half.degrees = 1.5;
        made.refuse("set_known", Code::argument_count, {"known.degrees is 1.5"},
                    [=](RotationTest& test) { test.set_known(half); });
        made.nothing([=](RotationTest& test) { test.update({}, canary); });
        made.nothing([=](RotationTest& test) { test.update(baseline, Values{none, none, none, none, none}); });
        made.nothing([=](RotationTest& test) { test.update(baseline, Values{0, -1}); });  // no logs
        made.nothing([](RotationTest& test) { test.set_known({}); });
        all.push_back(made.subject);
    }
    {
        auto made = make<RotationTest>("RotationTest after a look", RotationTest({.last = 3}),
                                       [=](RotationTest& test) { test.update(baseline, canary); });
        made.refuse("set_known", Code::argument_order,
                    {"known is set after 3 judged intervals", "before the first look"},
                    [](RotationTest& test) { test.set_known({}); });
        all.push_back(made.subject);
    }
    for (const bool learn : {false, true}) {
        auto made = make<PairedTest>(learn ? "PairedTest learn" : "PairedTest",
                                     PairedTest({.margin = difference(0.1), .noise = learn ? nullptr : noise()}),
                                     [](PairedTest& test) { test.update(0.7); });
        made.refuse("update", Code::argument_range, {"variance is 0"}, [](PairedTest& test) { test.update(1.0, 0.0); });
        made.refuse("update", Code::argument_range, {"variance is nan"},
                    [](PairedTest& test) { test.update(1, none); });
        made.refuse("update", Code::argument_range, {"instances_canary is -1"},
                    [](PairedTest& test) { test.update(Pair{.baseline = 1, .canary = 2, .instances_canary = -1}); });
        made.refuse("set_noise", Code::argument_range, {"noise"},
                    [learn](PairedTest& test) { test.set_noise(learn ? noise() : nullptr); });
        made.nothing([](PairedTest& test) { test.update(none); });
        made.nothing([](PairedTest& test) { test.update(Pair{.baseline = infinity, .canary = infinity}); });
        all.push_back(made.subject);
    }
    {
        auto made = make<PairedTest>("PairedTest ratio", PairedTest({.margin = ratio(1.1), .noise = noise()}),
                                     [](PairedTest& test) { test.update(Pair{.baseline = 100, .canary = 108}); });
        made.refuse("update", Code::argument_margin, {"margin is a ratio"}, [](PairedTest& test) { test.update(1.0); });
        all.push_back(made.subject);
    }
    {
        auto made = make<SignedRankTest>("SignedRankTest", SignedRankTest({.harm = Harm::either}),
                                         [](SignedRankTest& test) { test.update(0.7); });
        made.nothing([](SignedRankTest& test) { test.update(none); });
        all.push_back(made.subject);
    }
    {
        using Mixture = StartMixture<ProportionTest>;
        Mixture begun(ProportionTest({.margin = ratio(1.5)}));
        begun.begin(start_weight(0));
        auto made = make<Mixture>("StartMixture", begun, [](Mixture& test) {
            test.update(Proportion{9, 900}, Proportion{2, 100});
        });
        refuse_proportions(made);
        for (const double weight : {0.0, -0.1, none, 0.34})
            made.refuse("begin", Code::argument_range, {"weight is "}, [=](Mixture& test) { test.begin(weight); });
        made.nothing([](Mixture& test) { test.update(Proportion{0, 0}, Proportion{2, 100}); });
        all.push_back(made.subject);
    }
    {
        using Detector = ChangeDetector<RateTest>;
        auto made = make<Detector>("ChangeDetector", Detector(RateTest({.margin = ratio(1.5)}), {.run_length = 300}),
                                   [](Detector& test) {
                                       test.update(Rate{9, 9.5}, Rate{2, 1});
                                   });
        refuse_rates(made);
        made.refuse("update_many", Code::argument_length, {"a column has 1 intervals, the first one 2"},
                    [](Detector& test) { test.update_many(std::vector<Rate>(2), std::vector<Rate>(1)); });
        all.push_back(made.subject);
    }
    return all;
}

TEST(BadInput, IsRefusedAndChangesNothing) {
    for (const Subject& one : subjects()) {
        const Bytes before = one.save();
        for (const Wrong& wrong : one.wrong) {
            expect_refused(wrong);
            EXPECT_EQ(one.save(), before) << wrong.name;
        }
        for (const auto& nothing : one.empty) {
            nothing();
            EXPECT_EQ(one.save(), before) << one.name << ": an update without information";
        }
    }
}

// On a test that has seen nothing, too.
TEST(BadInput, NoInformationIsNoneFromTheStart) {
    ThresholdTest threshold(100);
    const Bytes before = encode(threshold.state());
    threshold.update(Values{}, Values{1, 2});
    threshold.update_buckets(Values{1, 2}, Counts{0, 0, 0}, Counts{1, 2, 3});
    EXPECT_EQ(encode(threshold.state()), before);
    EXPECT_TRUE(threshold.conclusive());
    MeanTest mean;
    const Bytes fresh = encode(mean.state());
    mean.update(MeanMoments{}, MeanMoments{});
    mean.update(none, none);
    EXPECT_EQ(encode(mean.state()), fresh);
}

TEST(BadInput, CountsOfTwoToTheFiftyThirdAreCounts) {
    ProportionTest proportion;
    proportion.update({0, most}, {most, most});
    EXPECT_TRUE(proportion.decided());
    for (int i = 0; i < 1100; ++i) proportion.update({0, most}, {0, most});
    EXPECT_EQ(proportion.baseline().total, std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(proportion.canary().bad, most);
    RateTest rate;
    rate.update({0, 1}, {most, 1});
    EXPECT_TRUE(rate.decided());
    SampleRatioTest split({0.5, 0.5});
    split.update({0, most});
    EXPECT_TRUE(split.decided());
    SilenceTest silence;
    silence.update(most, 0, 0.5);
    EXPECT_TRUE(silence.decided());
    EXPECT_TRUE(std::isfinite(silence.log_e_value()));
    ThresholdTest threshold(1);
    threshold.update_buckets(Values{1}, Counts{most, 0}, Counts{0, most});
    EXPECT_TRUE(threshold.decided());
    MeanTest mean;
    mean.update(MeanMoments{.n = static_cast<double>(most), .squares = 1}, MeanMoments{.n = 1, .mean = 1});
    EXPECT_TRUE(std::isfinite(mean.log_e_value()));
}

// ---- options

/// Options that every test on both sides has.
template <class Options, class Make>
void refuse_sides(std::vector<Wrong>& all, const std::string& name, const Options& good, const Make& construct) {
    const auto add = [&](Code code, std::vector<std::string> words, const auto& spoil) {
        Options options = good;
        spoil(options);
        all.push_back({name, code, std::move(words), [=] { construct(options); }});
    };
    for (const double alpha : {0.0, 1.0, -0.1, 1.5, none, infinity}) {
        add(Code::argument_range, {"alpha is " + given_text(alpha)}, [=](Options& o) { o.alpha = alpha; });
        if constexpr (requires { good.alpha_safe; }) {
            add(Code::argument_range, {"alpha_safe is " + given_text(alpha)},
                [=](Options& o) { o.alpha_safe = alpha; });
        }
    }
    for (const double size : {0.5, -1.0, 1001.0, none, infinity})
        add(Code::argument_margin, {"margin"}, [=](Options& o) { o.margin = ratio(size); });
    for (const double size : {-1.0, none, infinity})
        add(Code::argument_margin, {"margin"}, [=](Options& o) { o.margin = difference(size); });
    add(Code::argument_margin, {"margin has both"}, [](Options& o) { o.margin = both; });
    add(Code::argument_margin, {"margin has neither"}, [](Options& o) { o.margin = neither; });
    if constexpr (requires { good.dispersion; }) {
        for (const double phi : {0.99999, 0.0, -1.0, none, infinity})
            add(Code::argument_range, {"dispersion is " + given_text(phi)}, [=](Options& o) { o.dispersion = phi; });
    }
    if constexpr (requires { good.tuned_at; }) {
        for (const double n : {0.0, -1.0, none, infinity})
            add(Code::argument_range, {"tuned_at is " + given_text(n)}, [=](Options& o) { o.tuned_at = n; });
    }
}

TEST(BadInput, ImpossibleOptionsAreNamed) {
    std::vector<Wrong> all;
    refuse_sides(all, "ProportionTest", ProportionOptions{}, [](const auto& o) { ProportionTest test(o); });
    refuse_sides(all, "RateTest", RateOptions{}, [](const auto& o) { RateTest test(o); });
    refuse_sides(all, "ThresholdTest", ThresholdOptions{}, [](const auto& o) { ThresholdTest test(100, o); });
    refuse_sides(all, "MeanTest", MeanOptions{}, [](const auto& o) { MeanTest test(o); });
    refuse_sides(all, "QuantileTest", QuantileOptions{}, [](const auto& o) { QuantileTest test(o); });
    refuse_sides(all, "PairedTest", PairedOptions{}, [](const auto& o) { PairedTest test(o); });
    refuse_sides(all, "RotationTest", RotationOptions{}, [](const auto& o) { RotationTest test(o); });
    refuse_sides(all, "SignedRankTest", SignedRankOptions{}, [](const auto& o) { SignedRankTest test(o); });
    refuse_sides(all, "DistributionBand", BandOptions{}, [](const auto& o) { DistributionBand band(o); });

    const auto add = [&](Code code, std::vector<std::string> words, std::function<void()> call) {
        all.push_back({words.front(), code, std::move(words), std::move(call)});
    };
    constexpr auto margin = Code::argument_margin, range = Code::argument_range;
    add(margin, {"margin is a difference of 0.01", "conditional", "block"},
        [] { ProportionTest test({.margin = difference(0.01), .method = ProportionMethod::conditional}); });
    add(margin, {"margin.difference is 1", "below 1"}, [] { ProportionTest test({.margin = difference(1)}); });
    add(margin, {"margin is a difference of 0.01", "a ratio"}, [] { RateTest test({.margin = difference(0.01)}); });
    const Margin floored{.ratio = 1.5, .difference = {}, .floor = 0.01};
    add(margin, {"margin.floor is 0.01", "none here"}, [=] { MeanTest test({.margin = floored}); });
    add(margin, {"margin.floor is 0.01", "none here"}, [=] { QuantileTest test({.margin = floored}); });
    add(margin, {"margin.floor is 0.01", "none here"}, [=] { PairedTest test({.margin = floored}); });
    add(margin, {"margin.floor is 0.01", "none here"}, [=] { RotationTest test({.margin = floored}); });
    add(margin, {"margin.floor is 0.01", "none here"}, [=] { SignedRankTest test({.margin = floored}); });
    add(margin, {"margin.floor is 0.01", "none here"}, [=] { ThresholdTest test(100, {.margin = floored}); });
    add(margin, {"margin.floor is 0.01", "none here"}, [=] { DistributionBand band({.margin = floored}); });
    add(margin, {"margin.floor is 0.01", "\"block\"", "\"floor\""},
        [=] { ProportionTest test({.margin = floored, .method = ProportionMethod::block}); });
    add(margin, {"margin is a ratio of 1.5", "a difference"}, [] { SignedRankTest test({.margin = ratio(1.5)}); });
    for (const double threshold : {none, infinity})
        add(range, {"threshold is " + given_text(threshold)}, [=] { ThresholdTest test(threshold); });
    add(range, {"threshold is -5", "above 0"}, [] { ThresholdTest test(-5, {.margin = ratio(1.1)}); });
    for (const double q : {0.0, 1.0, none}) {
        add(range, {"q is " + given_text(q)}, [=] { QuantileTest test({.q = q}); });
        add(range, {"q is " + given_text(q)}, [=] { (void)quantile_ab_log_e_value({}, {}, q, 100); });
    }
    for (const double gate : {0.0, -1.0, none})
        add(range, {"gate is " + given_text(gate)}, [=] { MeanTest test({.gate = gate}); });
    for (const std::int64_t last : {std::int64_t{0}, std::int64_t{-5}, std::int64_t{1'000'001}}) {
        add(range, {"last is " + given_text(static_cast<double>(last))}, [=] { RotationTest test({.last = last}); });
        add(range, {"last is " + given_text(static_cast<double>(last))}, [=] { (void)rotation_looks(last); });
    }
    for (const std::int64_t since : {-1, 31})
        add(range, {"since is ", "from 0 to last"}, [=] { RotationTest test({.last = 30, .since = since}); });
    for (const double differ : {0.0, -0.5, none, infinity})
        add(range, {"instances_differ is "}, [=] { RotationTest test({.instances_differ = differ}); });
    for (const double zero : {-1.0, none, infinity})
        add(range, {"zero is "}, [=] { RotationTest test({.zero = zero}); });
    add(range, {"alpha is 6.1e-05", "1/16384"}, [] { RotationTest test({.alpha = 6.1e-5}); });
    add(range, {"alpha is 0.00012206", "1/8192"},
        [] { RotationTest test({.alpha = 1.2206e-4, .harm = Harm::either}); });
    add(range, {"alpha_safe is 1e-05"}, [] { RotationTest test({.alpha_safe = 1e-5, .side = Side::safe}); });
    for (const double t : {0.5, none, infinity})
        add(range, {"from_size is " + given_text(t)}, [=] { DistributionBand band({.from_size = t}); });
    for (const double run_length : {0.5, none, infinity})
        add(range, {"run_length is " + given_text(run_length)},
            [=] { ChangeDetector test(RateTest(), {.run_length = run_length}); });
    add(range, {"interval_seconds is 0"}, [] { ChangeDetector test(RateTest(), {.interval_seconds = 0}); });
    add(Code::argument_word, {"side", "\"safe\""}, [] { ChangeDetector test(RateTest({.side = Side::safe})); });
    add(range, {"no start yet"}, [] {
        StartMixture<RateTest> mixture{RateTest()};
        mixture.update(Rate{1, 1}, Rate{1, 1});
    });
    {
        PairedNoise broken = *noise();
        broken.long_run_variance = none;
        const auto given = std::make_shared<const PairedNoise>(broken);
        add(range, {"noise.long_run_variance is nan"}, [=] { PairedTest test({.noise = given}); });
    }
    for (const double alpha : {0.0, 1.0, none})
        add(range, {"alpha is " + given_text(alpha)}, [=] { SampleRatioTest test({0.5, 0.5}, {.alpha = alpha}); });
    for (const double tolerance : {-0.1, 1.0, none}) {
        add(range, {"tolerance is " + given_text(tolerance)}, [=] {
            SampleRatioTest test({0.5, 0.5}, {.tolerance = tolerance});
        });
    }
    add(range, {"dispersion is 0.5"}, [] { SampleRatioTest test({0.5, 0.5}, {.dispersion = 0.5}); });
    add(range, {"concentration is 0"}, [] { SampleRatioTest test({0.5, 0.5}, {.concentration = 0}); });
    add(Code::argument_length, {"shares has 1 elements"}, [] { SampleRatioTest test({1.0}); });
    for (const Values& shares : {Values{0.5, 0.6}, Values{0, 1}, Values{-0.5, 1.5}, Values{none, 0.5}})
        add(range, {"share"}, [=] { SampleRatioTest test(shares); });
    for (const double alpha : {0.0, 1.0, none})
        add(range, {"alpha is " + given_text(alpha)}, [=] { SilenceTest test({.alpha = alpha}); });
    for (const double tolerance : {-0.1, 1.0, none})
        add(range, {"tolerance is " + given_text(tolerance)}, [=] { SilenceTest test({.tolerance = tolerance}); });
    add(range, {"dispersion is 0.5"}, [] { SilenceTest test({.dispersion = 0.5}); });

    // Functions without a memory.
    const Values two{1, 2};
    add(Code::argument_nan, {"log_e_values[1] is NaN"}, [] { (void)combine(Values{1, none}); });
    add(range, {"weights[0] is -1"}, [=] { (void)combine(two, Values{-1, 1}); });
    add(range, {"weights are all 0"}, [=] { (void)combine(two, Values{0, 0}); });
    add(Code::argument_length, {"weights has 1 elements"}, [=] { (void)combine(two, Values{1}); });
    for (const double alpha : {0.0, 1.0, none}) {
        const std::string said = "alpha is " + given_text(alpha);
        add(range, {said}, [=] { (void)NormalMixture(100, 0.05, true).bound(10, alpha); });
        add(range, {said}, [=] { (void)GammaExponentialMixture(100, 0.5, 0.05).bound(10, alpha); });
        add(range, {said}, [=] { (void)GammaPoissonMixture(100, 0.5, 0.05).bound(10, alpha); });
        add(range, {said}, [=] { (void)BetaBinomialMixture(100, 0.5, 0.5, 0.05, true).bound(10, alpha); });
        add(range, {said}, [=] { (void)bernoulli_confidence_interval(1, 2, alpha, 100); });
        add(range, {said}, [=] { (void)empirical_process_lil_bound(100, alpha, 10); });
        add(range, {said}, [=] { (void)group_sequential(Values{0.5, 1}, alpha, Spending::pocock); });
    }
    for (const double v : {-1.0, none})
        add(range, {"v is " + given_text(v)}, [=] { (void)NormalMixture(100, 0.05, true).bound(v, 0.05); });
    add(range, {"tuned_at is 0"}, [] { NormalMixture mixture(0, 0.05, true); });
    add(range, {"tuned_alpha is 0.5"}, [] { NormalMixture mixture(100, 0.5, true); });
    add(range, {"successes is 3"}, [] { (void)bernoulli_confidence_interval(3, 2, 0.05, 100); });
    add(range, {"information[1] is 0.5"}, [] { (void)group_sequential(Values{0.5, 0.5}, 0.05, Spending::pocock); });
    add(range, {"information[0] is nan"}, [] { (void)group_sequential(Values{none}, 0.05, Spending::pocock); });
    add(Code::argument_length, {"information"}, [] { (void)group_sequential(Values{}, 0.05, Spending::pocock); });
    add(range, {"parameter is 2", "pocock"}, [] { (void)group_sequential(Values{1}, 0.05, Spending::pocock, 2.0); });
    add(range, {"parameter is 0"}, [] { (void)group_sequential(Values{1}, 0.05, Spending::kim_demets, 0.0); });
    add(range, {"sided is 3"}, [] { (void)group_sequential(Values{1}, 0.05, Spending::pocock, {}, 3); });
    add(Code::argument_length, {"bounds has 1 looks"}, [] {
        (void)crossing_probabilities(Values{0.5, 1}, Values{2}, 0);
    });
    add(range, {"drift is nan"}, [] { (void)crossing_probabilities(Values{1}, Values{2}, none); });
    for (const Wrong& wrong : all) expect_refused(wrong);
}

// ---- states

/// Bytes whose checksum is right, as somebody makes them who changes a number and knows the format.
Bytes resealed(Bytes bytes) {
    const std::uint32_t sum = crc32c(std::span(bytes).first(bytes.size() - 4));
    for (std::size_t i = 0; i < 4; ++i) bytes[bytes.size() - 4 + i] = static_cast<std::byte>((sum >> (8 * i)) & 0xFFU);
    return bytes;
}

TEST(BadInput, BrokenStatesAreRefusedAndChangeNothing) {
    for (const Subject& one : subjects()) {
        const Bytes good = one.save();
        const auto refused = [&](std::span<const std::byte> bytes) {
            try {
                one.load(bytes);
            } catch (const Error& error) {
                // What is shown of the bytes must be text, whatever they are.
                return std::string(error.name()).starts_with("serinus.state.") && valid_utf8(error.what());
            }
            return false;
        };
        for (std::size_t at = 0; at < good.size(); ++at) {
            ASSERT_TRUE(refused(std::span(good).first(at))) << one.name << " cut off at " << at;
            Bytes changed = good;
            changed[at] ^= static_cast<std::byte>(0x80U | 1U << (at % 7));
            ASSERT_TRUE(refused(changed)) << one.name << " changed at " << at;
        }
        Bytes longer = good;
        longer.push_back(std::byte{0});
        EXPECT_TRUE(refused(longer)) << one.name;
        Bytes version = good;
        version[8] = std::byte{99};
        EXPECT_TRUE(refused(resealed(version))) << one.name;
        for (const Subject& other : subjects()) {
            if (other.name == one.name) continue;
            EXPECT_TRUE(refused(other.save())) << one.name << " took that of " << other.name;
        }
        EXPECT_EQ(one.save(), good) << one.name;
    }
}

// A changed number under a right checksum: refused, with nothing changed, or a state that the test can live with.
TEST(BadInput, ForgedStatesAreRefusedOrHarmless) {
    constexpr std::size_t head = 20, tail = 4;
    const std::array<double, 5> numbers{none, infinity, -infinity, -1, 1e300};
    for (const Subject& one : subjects()) {
        const Bytes good = one.save();
        int taken = 0, kept_out = 0;
        const auto load = [&](const Bytes& bytes) {
            try {
                one.load(bytes);
            } catch (const Error& error) {
                ASSERT_TRUE(std::string(error.name()).starts_with("serinus.state.")) << one.name << error.what();
                ASSERT_EQ(one.save(), good) << one.name;
                ++kept_out;
                return;
            }
            ++taken;
            try {
                one.go_on();
            } catch (const Error&) {  // of an update that no longer fits, say of a value too far from a forged origin
            }
            one.load(good);
            ASSERT_EQ(one.save(), good) << one.name;
        };
        // A byte at a time, and eight that make another number.
        for (std::size_t at = head; at + tail < good.size(); at += good.size() < 1000 ? 1U : 7U) {
            Bytes changed = good;
            changed[at] ^= static_cast<std::byte>(1U << (at % 8));
            load(resealed(changed));
            if (at + tail + 8 > good.size()) continue;
            changed = good;
            const auto bits = std::bit_cast<std::uint64_t>(numbers[at % numbers.size()]);
            for (std::size_t i = 0; i < 8; ++i) changed[at + i] = static_cast<std::byte>((bits >> (8 * i)) & 0xFFU);
            load(resealed(changed));
        }
        EXPECT_GT(kept_out, 0) << one.name;
        EXPECT_GT(taken, 0) << one.name;
    }
}

// What an infinite value has made of a sum is a state like any other.
TEST(BadInput, StatesOfInfiniteGaugesComeBack) {
    PairedTest paired({.margin = difference(0.1), .noise = noise()});
    SignedRankTest ranks;
    for (const double d : {1.0, infinity, -infinity, 2.0}) {
        paired.update(d);
        ranks.update(d);
    }
    PairedTest paired_again({.margin = difference(0.1), .noise = noise()});
    paired_again.restore(decode<PairedState>(encode(paired.state())));
    EXPECT_EQ(encode(paired_again.state()), encode(paired.state()));
    EXPECT_EQ(paired_again.log_e_value(), paired.log_e_value());
    SignedRankTest ranks_again;
    ranks_again.restore(decode<SignedRankState>(encode(ranks.state())));
    EXPECT_EQ(encode(ranks_again.state()), encode(ranks.state()));
    EXPECT_EQ(ranks_again.log_e_value(), ranks.log_e_value());
}

}  // namespace
}  // namespace serinus::sequential
