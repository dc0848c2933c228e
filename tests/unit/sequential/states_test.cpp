// States that an earlier Serinus wrote, in data/reference/states: each must load for ever and mean what it meant then.
// And how large a state may be.
//
// A test (or a version of its state) that has no file yet is written by running this program with SERINUS_WRITE_STATES
// set to the directory; files that are there are never written again. NAME.bin is the oldest, NAME_2.bin what came when
// the state changed.

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <serinus/core/state.hpp>
#include <serinus/sequential/change_detector.hpp>
#include <serinus/sequential/paired.hpp>
#include <serinus/sequential/proportion.hpp>
#include <serinus/sequential/rate.hpp>
#include <serinus/sequential/rotation.hpp>
#include <serinus/sequential/sample_ratio.hpp>
#include <serinus/sequential/signed_rank.hpp>
#include <serinus/sequential/silence.hpp>
#include <serinus/sequential/start_mixture.hpp>
#include <serinus/sequential/threshold.hpp>

#include "support/example_noise.hpp"
#include "support/state_fixture.hpp"

namespace serinus::sequential {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr Margin ratio(double value) { return {.ratio = value, .difference = {}}; }
constexpr Margin difference(double value) { return {.ratio = {}, .difference = value}; }
constexpr Margin floored(double value, double floor) { return {.ratio = value, .difference = {}, .floor = floor}; }
constexpr int intervals = 40;
using Values = std::vector<double>;

/// Made by arithmetic alone, so that whoever reads a file can make the same.
std::int64_t bad_b(int i) { return 7 + (i * 5) % 6; }
std::int64_t bad_c(int i) { return 1 + (i * 7) % 4; }
double gauge(int i) { return 0.9 + ((i * 37) % 29 - 14) / 7.0; }

/// A test in a form that all of them have: how it is fed, and what is read from it.
struct Subject {
    std::string name;
    std::size_t most_bytes;
    std::function<void(int)> update;
    std::function<std::vector<std::byte>()> save;
    std::function<void(std::span<const std::byte>)> load;
    std::function<json()> numbers;
};

template <class Test>
json numbers_of(const Test& test) {
    const Evidence evidence = test.evidence();
    return {{"log_e_value", evidence.log_e_value},
            {"p_value", evidence.p_value},
            {"estimate", evidence.estimate},
            {"lower", evidence.lower},
            {"upper", evidence.upper},
            {"n_baseline", evidence.n_baseline},
            {"n_canary", evidence.n_canary}};
}

template <class Test>
json numbers_of(const ChangeDetector<Test>& detector) {
    return {{"log_statistic", detector.log_statistic()}};
}

template <class Test, class Update>
Subject subject(std::string name, std::size_t most_bytes, Test fresh, Update update) {
    const auto test = std::make_shared<Test>(std::move(fresh));
    using State = decltype(test->state());
    return {std::move(name),
            most_bytes,
            [=](int i) { update(*test, i); },
            [=] { return encode(test->state()); },
            [=](std::span<const std::byte> bytes) { test->restore(decode<State>(bytes)); },
            [=] { return numbers_of(*test); }};
}

/// With starts every ten intervals, and the first where nothing has been seen.
template <class Test, class Update>
Subject mixture(std::string name, std::size_t most_bytes, Test fresh, Update update) {
    return subject(std::move(name), most_bytes, StartMixture<Test>(std::move(fresh)), [=](auto& test, int i) {
        if (i % 10 == 0) test.begin(start_weight(i / 10));
        update(test, i);
    });
}

/// Most bytes: 4 KiB for tests that carry a grid of nodes or margins, 1 KiB for those that do not; SignedRankTest keeps
/// 256 sizes a direction, a mixture of block processes all its starts.
std::vector<Subject> subjects() {
    const auto counts = [](auto& test, int i) { test.update(Proportion{bad_b(i), 900}, Proportion{bad_c(i), 100}); };
    const auto rates = [](auto& test, int i) { test.update(Rate{bad_b(i), 9.5}, Rate{bad_c(i), 1.0 + i % 3}); };
    const auto differences = [](auto& test, int i) { test.update(gauge(i)); };
    const auto pairs = [](auto& test, int i) { test.update(Pair{.baseline = 100, .canary = 100 + 8 * gauge(i)}); };
    const auto values = [](auto& test, int i) {
        const std::array<double, 4> baseline{90.0 + i, 95.0 - i, 101, 80};
        const std::array<double, 3> canary{110.0 - i, 104, 99.0 + i};
        test.update(baseline, canary);
    };
    const ProportionMethod block = ProportionMethod::block;
    const ProportionOptions by_ratio{.margin = ratio(1.5)};
    const ProportionOptions by_difference{.alpha = 0.01, .margin = difference(0.005), .dispersion = 2};
    const std::array<double, 2> shares{0.9, 0.1};

    std::vector<Subject> all;
    all.push_back(subject("proportion_conditional", 4096, ProportionTest(by_ratio), counts));
    all.push_back(subject("proportion_conditional_either", 4096,
                          ProportionTest({.alpha_safe = 0.1, .harm = Harm::either, .margin = ratio(1.2)}), counts));
    all.push_back(subject("proportion_conditional_without_interval", 1024,
                          ProportionTest({.margin = ratio(1.5), .side = Side::safe, .interval = false}), counts));
    all.push_back(
        subject("proportion_block_ratio", 4096, ProportionTest({.margin = ratio(1.5), .method = block}), counts));
    all.push_back(subject("proportion_block_difference", 4096, ProportionTest(by_difference), counts));
    all.push_back(subject("proportion_block_without_interval", 1024,
                          ProportionTest({.margin = difference(0.005), .interval = false}), counts));
    all.push_back(mixture("mixture_of_conditional", 4096, ProportionTest(by_ratio), counts));
    all.push_back(mixture("mixture_of_block", 4096, ProportionTest(by_difference), counts));
    all.push_back(mixture("mixture_of_rate", 4096, RateTest({.margin = ratio(1.5)}), rates));
    all.push_back(
        mixture("mixture_of_paired", 4096, PairedTest({.margin = difference(0.1), .noise = noise()}), differences));
    all.push_back(subject("paired", 4096, PairedTest({.margin = difference(0.1), .noise = noise()}), differences));
    all.push_back(subject("paired_ratio_either", 4096,
                          PairedTest({.harm = Harm::either, .margin = ratio(1.02), .noise = noise()}), pairs));
    all.push_back(subject("paired_without_interval", 1024,
                          PairedTest({.margin = difference(0.1), .noise = noise(), .interval = false}), differences));
    all.push_back(subject("paired_learn", 4096, PairedTest({.margin = difference(0.1)}), differences));
    all.push_back(subject("paired_own_3", 4096,
                          PairedTest({.margin = difference(0.1), .noise = noise_in(NoiseUnit::own)}), differences));
    all.push_back(subject("paired_log_either_3", 4096,
                          PairedTest({.harm = Harm::either, .margin = ratio(1.02), .noise = noise_in(NoiseUnit::log)}),
                          pairs));
    all.push_back(subject("paired_own_without_interval_3", 1024,
                          PairedTest({.margin = difference(0.1), .noise = noise_in(NoiseUnit::own), .interval = false}),
                          differences));
    all.push_back(mixture("mixture_of_paired_own_3", 4096,
                          PairedTest({.margin = difference(0.1), .noise = noise_in(NoiseUnit::own)}), differences));
    all.push_back(subject("signed_rank", 4096, SignedRankTest({.margin = difference(0.1)}), differences));
    all.push_back(subject("rate", 4096, RateTest({.margin = ratio(1.5)}), rates));
    all.push_back(subject("threshold", 4096, ThresholdTest(100), values));
    all.push_back(subject("floor", 4096, ProportionTest({.margin = floored(1.5, 0.005)}), counts));
    all.push_back(subject("floor_either_safe", 4096,
                          ProportionTest({.harm = Harm::either, .margin = floored(1.5, 0.03), .side = Side::safe}),
                          counts));
    all.push_back(subject("floor_without_interval", 1024,
                          ProportionTest({.margin = floored(1.2, 0.001), .interval = false}), counts));
    all.push_back(subject("floor_of_exposures", 4096,
                          RateTest({.harm = Harm::decrease, .margin = floored(1.5, 0.1), .dispersion = 2}), rates));
    all.push_back(mixture("mixture_of_floor", 4096, ProportionTest({.margin = floored(1.5, 0.005)}), counts));
    // Three instances, of which one ends after 20 intervals, against one; the guard is looser than what they show.
    const auto instances = [](auto& test, int i) {
        const std::array<double, 3> baseline{100 + 3 * gauge(i), 95 + 3 * gauge(i + 7),
                                             i < 20 ? 104 + 3 * gauge(i + 11) : std::nan("")};
        const std::array<double, 1> canary{118 + 3 * gauge(i + 17)};
        test.update(baseline, canary);
    };
    all.push_back(subject("rotation", 2048, RotationTest({.margin = ratio(1.02), .last = 60, .seed = 5}), instances));
    InstanceSpread known{.looks = rotation_looks(60), .gram = {}, .degrees = 0};
    for (int i = 0; i < 3; ++i) {
        Values row;
        for (std::size_t j = 0; j < known.looks.size(); ++j)
            row.push_back(0.04 - 0.03 * i + 0.001 * gauge(static_cast<int>(j) + i));
        known.add_row(row);
    }
    all.push_back(subject("rotation_guard_either", 2560,
                          RotationTest({.harm = Harm::either,
                                        .margin = ratio(1.01),
                                        .last = 60,
                                        .since = 8,
                                        .instances_differ = 0.05,
                                        .known = known}),
                          instances));
    all.push_back(subject("rotation_safe_without_interval", 2048,
                          RotationTest({.margin = difference(60), .side = Side::safe, .last = 60, .interval = false}),
                          instances));
    all.push_back(subject("sample_ratio", 1024, SampleRatioTest(shares), [](auto& test, int i) {
        test.update({900 + bad_b(i), 100 + 9 * bad_c(i)});
    }));
    all.push_back(subject("silence", 1024, SilenceTest({.dispersion = 2}), [](auto& test, int i) {
        test.update(90 + bad_b(i), i % 20 < 12 ? 9 * bad_c(i) : 0, i % 40 < 20 ? 0.2 : 0.1);
    }));
    all.push_back(subject("change_detector", 4096,
                          ChangeDetector<ProportionTest>(ProportionTest({.margin = ratio(1.5), .interval = false})),
                          counts));
    return all;
}

/// The files of a test, oldest first. Those on counts have had two priors (PriorShape), and those on shares of requests
/// then learned of a level (SharedLevel); since then a margin may have a floor.
std::vector<std::string> files_of(const std::string& name) {
    if (name == "paired_learn") return {name, name + "_3"};  // of PairedTest since its noise has a unit
    if (name == "signed_rank") return {name, name + "_2"};   // since it has a side
    for (const char* on_values :
         {"paired", "sample", "rotation", "silence", "mixture_of_paired", "floor", "mixture_of_floor"}) {
        if (name.starts_with(on_values)) return {name};
    }
    if (name.find("rate") != std::string::npos) return {name, name + "_2", name + "_3"};
    return {name, name + "_2", name + "_3", name + "_4"};
}

/// Kind, version and length: another one where the state, or one inside it, has grown since.
std::vector<std::byte> head_of(const std::vector<std::byte>& bytes) { return {bytes.begin(), bytes.begin() + 20}; }

/// JSON has no infinities: they are null, as are estimates that are none.
void expect_numbers(const json& now, const json& then, const std::string& name) {
    for (const auto& [key, value] : then.items()) {
        if (value.is_null()) {
            EXPECT_FALSE(std::isfinite(now.at(key).get<double>())) << name << ' ' << key;
            continue;
        }
        // e-values are promised to the bit as far as they are state; sums of them and the ends of intervals are solved
        // for, and a better solution may round otherwise.
        const double expected = value.get<double>();
        EXPECT_NEAR(now.at(key).get<double>(), expected, 1e-12 + 1e-8 * std::fabs(expected)) << name << ' ' << key;
    }
}

TEST(States, WrittenEarlierLoadAndMeanWhatTheyMeant) {
    if (const char* out = std::getenv("SERINUS_WRITE_STATES")) {
        for (Subject& one : subjects()) {
            const std::string newest = files_of(one.name).back();
            const fs::path path = fs::path(out) / (newest + ".bin");
            if (fs::exists(path)) continue;
            json document;
            for (int i = 0; i < intervals; ++i) one.update(i);
            const auto bytes = one.save();
            std::ofstream(path, std::ios::binary)
                .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
            document["then"] = one.numbers();
            for (int i = intervals; i < 2 * intervals; ++i) one.update(i);
            document["later"] = one.numbers();
            std::ofstream(fs::path(out) / (newest + ".json")) << document.dump(1) << '\n';
        }
    }
    int loaded = 0, same = 0;
    for (Subject& one : subjects()) {
        for (const std::string& file : files_of(one.name)) {
            const json expected = state_fixture::json_of(file + ".json");
            const auto bytes = state_fixture::bytes_of(file + ".bin");
            one.load(bytes);
            if (const auto again = one.save(); file == files_of(one.name).back() && head_of(again) == head_of(bytes)) {
                EXPECT_TRUE(again == bytes) << file;
                ++same;
            }
            expect_numbers(one.numbers(), expected.at("then"), file);
            for (int i = intervals; i < 2 * intervals; ++i) one.update(i);
            expect_numbers(one.numbers(), expected.at("later"), file + ", later");
            ++loaded;
        }
    }
    EXPECT_EQ(loaded, 22 + 12 + 10 + 5 + 1 + 1 + 12 + 5);
    EXPECT_GE(same, 20);
}

// One by one, with a stop and a start in between at every interval, is to the bit the run without.
TEST(States, StoppingAfterEveryIntervalChangesNothing) {
    std::vector<Subject> whole = subjects();
    for (std::size_t s = 0; s < whole.size(); ++s) {
        std::vector<std::byte> saved;
        for (int i = 0; i < intervals; ++i) {
            whole[s].update(i);
            Subject stopped = std::move(subjects()[s]);
            if (!saved.empty()) stopped.load(saved);
            stopped.update(i);
            saved = stopped.save();
            ASSERT_EQ(saved, whole[s].save()) << whole[s].name << ' ' << i;
            ASSERT_EQ(stopped.numbers().dump(), whole[s].numbers().dump()) << whole[s].name << ' ' << i;
        }
    }
}

TEST(States, AreSmall) {
    for (Subject& one : subjects()) {
        for (int i = 0; i < 1000; ++i) one.update(i);
        const std::size_t size = one.save().size();
        RecordProperty(one.name, static_cast<int>(size));
        EXPECT_LE(size, one.most_bytes) << one.name;
    }
}

// Whatever is cut off, added or changed: an error, and a test that is as it was.
TEST(States, BrokenBytesAreRefusedAndChangeNothing) {
    for (Subject& one : subjects()) {
        for (int i = 0; i < 5; ++i) one.update(i);
        const std::vector<std::byte> good = one.save();
        const auto refused = [&](const std::vector<std::byte>& bytes) {
            try {
                one.load(bytes);
            } catch (const Error& error) {
                return std::string(error.name()).starts_with("serinus.state.") && one.save() == good;
            }
            return false;
        };
        for (std::size_t at = 0; at < good.size(); at += 1 + good.size() / 97) {
            EXPECT_TRUE(refused({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(at)})) << one.name << at;
            std::vector<std::byte> changed = good;
            changed[at] ^= std::byte{0x10};
            EXPECT_TRUE(refused(changed)) << one.name << ' ' << at;
        }
        std::vector<std::byte> longer = good;
        longer.push_back(std::byte{0});
        EXPECT_TRUE(refused(longer)) << one.name;
        // A state of another test, or of the same under other options.
        for (Subject& other : subjects()) {
            if (other.name != one.name) {
                EXPECT_TRUE(refused(other.save())) << one.name << " took that of " << other.name;
            }
        }
    }
}

}  // namespace
}  // namespace serinus::sequential
