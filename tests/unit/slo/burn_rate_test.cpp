#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/state.hpp>
#include <serinus/series/counter_follower.hpp>
#include <serinus/slo/burn_rate.hpp>

#include "support/code_of.hpp"
#include "support/lengths.hpp"

namespace serinus::slo {
namespace {

constexpr std::int64_t second = 1000, minute = 60 * second, hour = 60 * minute, day = 24 * hour;
const double nan = std::numeric_limits<double>::quiet_NaN();
const double stale = std::bit_cast<double>(std::uint64_t{0x7ff0000000000002});

struct Sample {
    std::int64_t time;
    double value;
};

// ---- the definitions, by looking at every sample (methods of the header comments, nothing shared with the code)
struct Reference {
    SeriesKind kind = SeriesKind::counter;
    Role role = Role::bad;
    std::map<std::int64_t, double> samples;

    void add(std::int64_t time, double value) {
        if (std::isfinite(value)) samples.emplace(time, value);  // the first one counts
    }
    /// All that a counter has counted from its first sample until then, where a fall need not be a restart.
    double counted(std::int64_t t) const {
        CounterFollower follower;
        double sum = 0;
        for (const auto& [time, value] : samples) {
            if (time <= t) sum += follower.next(time, value)->increment;
        }
        return sum;
    }
    double increase(Semantics semantics, std::int64_t t, std::int64_t w) const {
        const std::int64_t lo = t - w;
        const bool closed = semantics == Semantics::prometheus2;
        std::vector<Sample> inside;
        const Sample* base = nullptr;
        Sample base_sample{};
        for (const auto& [time, value] : samples) {
            if (time <= lo) {
                base_sample = {time, value};
                base = &base_sample;
            }
            if (time <= t && (closed ? time >= lo : time > lo)) inside.push_back({time, value});
        }
        if (inside.empty()) return nan;
        if (kind == SeriesKind::delta) {
            double sum = 0;
            for (const Sample& sample : inside) sum += sample.value;
            return sum;
        }
        const bool anchored = semantics == Semantics::prometheus3_anchored;
        if (semantics == Semantics::exact || anchored) {
            if (base && (!anchored || base->time > lo - 5 * minute)) inside.insert(inside.begin(), *base);
        } else if (inside.size() < 2) {
            return nan;
        }
        if (semantics == Semantics::exact) return counted(inside.back().time) - counted(inside.front().time);
        double growth = inside.back().value - inside.front().value;
        for (std::size_t i = 1; i < inside.size(); ++i) {
            if (inside[i].value < inside[i - 1].value) growth += inside[i - 1].value;
        }
        if (anchored) return growth;
        const double si = static_cast<double>(inside.back().time - inside.front().time) / 1000;
        const double avg = si / static_cast<double>(inside.size() - 1);
        double ds = static_cast<double>(inside.front().time - lo) / 1000;
        double de = static_cast<double>(t - inside.back().time) / 1000;
        const double zero = growth > 0 && inside.front().value >= 0 ? si * inside.front().value / growth : 1e300;
        if (closed) {
            ds = std::min(ds, zero);
            return growth * (si + (ds < 1.1 * avg ? ds : avg / 2) + (de < 1.1 * avg ? de : avg / 2)) / si;
        }
        if (ds >= 1.1 * avg) ds = avg / 2;
        ds = std::min(ds, zero);
        if (de >= 1.1 * avg) de = avg / 2;
        return growth * (si + ds + de) / si;
    }
};

/// Tells the definition which series are born, and when they were not there yet: that alone is taken from the code, and
/// looked at by tests of its own.
void know_births(std::vector<Reference>& all, const BurnRate& burn) {
    const BurnRateState state = burn.state();
    for (std::size_t s = 0; s < all.size(); ++s) {
        if (state.semantics != Semantics::exact || all[s].kind == SeriesKind::delta) continue;
        std::erase_if(all[s].samples, [&](const auto& one) { return one.first < state.first_ms[s]; });
        if (state.born[s] == 0) continue;
        const auto& times = state.histories[s].tiers[0].times;
        const auto& values = state.histories[s].tiers[0].values;
        for (std::size_t i = 0; i < times.size() && times[i] < state.first_ms[s]; ++i) all[s].add(times[i], values[i]);
    }
}

struct Expected {
    double bad = nan, total = nan;
};

Expected reference_window(const std::vector<Reference>& all, Semantics semantics, std::int64_t t, std::int64_t w) {
    std::map<Role, double> sums;
    std::map<Role, bool> known;
    for (const Reference& series : all) {
        known[series.role] = true;
        const double found = series.increase(semantics, t, w);
        if (std::isnan(found)) continue;
        sums.emplace(series.role, 0.0).first->second += found;
    }
    const auto sum = [&](Role role) { return sums.count(role) ? sums[role] : nan; };
    Expected expected{sum(Role::bad), sum(Role::total)};
    if (known[Role::good] && (known[Role::bad] || !known[Role::total])) {
        expected.total = sum(Role::good);
        if (!std::isnan(expected.bad))
            expected.total = expected.bad + (std::isnan(expected.total) ? 0 : expected.total);
    } else if (known[Role::good]) {
        expected.bad = expected.total - sum(Role::good);
    }
    return expected;
}

void expect_close(double expected, double found, double scale, const std::string& where) {
    if (std::isnan(expected)) {
        EXPECT_TRUE(std::isnan(found)) << where << ": " << found;
    } else {
        EXPECT_NEAR(found, expected, 1e-11 * (scale + std::fabs(expected))) << where;
    }
}

struct Case {
    std::vector<Reference> reference;
    std::vector<std::vector<Sample>> arrivals;  // by series, in the order of arrival
    std::vector<std::int64_t> windows;
    std::int64_t start = 0, end = 0;
};

/// Services as they are at their worst: jitter, gaps, resets, births and deaths, NaN, duplicates, conflicts.
Case random_case(std::mt19937_64& random, bool late) {
    const auto chance = [&](double p) { return std::uniform_real_distribution<>(0, 1)(random) < p; };
    const auto between = [&](std::int64_t a, std::int64_t b) {
        return std::uniform_int_distribution<std::int64_t>(a, b)(random);
    };
    Case made;
    made.start = between(-5, 5) * 1'000'003;
    const std::int64_t step =
        std::vector<std::int64_t>{1, 1000, 15'000, 60'000}[static_cast<std::size_t>(between(0, 3))];
    const std::int64_t samples = between(0, 90);
    made.end = made.start + step * samples;
    const std::vector<std::vector<Role>> roles{{Role::bad, Role::total},
                                               {Role::good, Role::total},
                                               {Role::good, Role::bad},
                                               {Role::bad},
                                               {Role::good},
                                               {Role::total},
                                               {Role::good, Role::bad, Role::total}};
    const bool jitter = chance(0.5), whole = chance(0.7), delta = chance(0.25);
    for (const Role role : roles[static_cast<std::size_t>(between(0, 6))]) {
        for (std::int64_t instance = between(1, 3); instance-- > 0;) {
            Reference series{delta ? SeriesKind::delta : SeriesKind::counter, role, {}};
            std::vector<Sample> given;
            double value = chance(0.5) ? 0 : static_cast<double>(between(0, 1000));
            const std::int64_t born = chance(0.3) ? between(0, samples) : 0;
            const std::int64_t dead = chance(0.2) ? between(born, samples) : samples;
            for (std::int64_t i = born; i <= dead; ++i) {
                if (chance(0.05)) i += between(1, 12);
                const std::int64_t time = made.start + i * step + (jitter ? between(-step / 3, step / 3) : 0);
                double grown = chance(0.3) ? 0 : static_cast<double>(between(0, 50));
                if (!whole) grown *= 0.1;
                value = delta ? grown : chance(0.04) ? static_cast<double>(between(0, 5)) : value + grown;
                if (chance(0.03)) given.push_back({time, chance(0.5) ? nan : stale});
                given.push_back({time, value});
                if (chance(0.03)) given.push_back({time, value});
                if (chance(0.03)) given.push_back({time, value + 1});
            }
            // In order unless late ones are asked for: those swap places with one up to 20 later.
            std::stable_sort(given.begin(), given.end(),
                             [](const Sample& a, const Sample& b) { return a.time < b.time; });
            if (late) {
                for (std::size_t i = 0; i + 1 < given.size(); ++i) {
                    if (chance(0.3))
                        std::swap(given[i],
                                  given[std::min(given.size() - 1, i + static_cast<std::size_t>(between(1, 20)))]);
                }
            }
            for (const Sample& sample : given) series.add(sample.time, sample.value);
            made.reference.push_back(series);
            made.arrivals.push_back(std::move(given));
        }
    }
    for (std::int64_t i = between(1, 5); i-- > 0;)
        made.windows.push_back(std::max<std::int64_t>(1, chance(0.5) ? step * between(1, 100) : between(1, step * 60)));
    return made;
}

/// Times to ask at: on samples, on edges of windows, anywhere, before and after all data.
std::vector<std::int64_t> times_of(const Case& made, std::mt19937_64& random) {
    std::vector<std::int64_t> times{made.start - 10, made.start, made.end, made.end + 1, made.end + 10 * minute};
    for (const Reference& series : made.reference) {
        for (const auto& [time, value] : series.samples) {
            if (std::uniform_int_distribution<>(0, 3)(random) != 0) continue;
            times.push_back(time);
            times.push_back(time + made.windows[0]);
            times.push_back(time + made.windows.back() + std::uniform_int_distribution<>(-1, 1)(random));
        }
    }
    std::sort(times.begin(), times.end());
    return times;
}

BurnRate fed(const Case& made, const BurnRateOptions& options, bool bulk) {
    BurnRate burn(options);
    for (std::size_t s = 0; s < made.arrivals.size(); ++s) {
        const std::size_t id = burn.add_series(made.reference[s].role, made.reference[s].kind);
        if (bulk) {
            std::vector<std::int64_t> times;
            std::vector<double> values;
            for (const Sample& sample : made.arrivals[s]) {
                times.push_back(sample.time);
                values.push_back(sample.value);
            }
            burn.add(id, times, values);
        } else {
            for (const Sample& sample : made.arrivals[s]) burn.add(id, from_ms(sample.time), sample.value);
        }
    }
    return burn;
}

class EverySemantics : public testing::TestWithParam<Semantics> {};

TEST_P(EverySemantics, AgreeWithTheDefinitionOnRandomServices) {
    std::mt19937_64 random(20'261'126);
    std::int64_t checked = 0;
    for (int run = 0; run < 400; ++run) {
        const bool late = run % 2 == 1;
        Case made = random_case(random, late);
        const BurnRateOptions options{.budget = 0.01, .windows = lengths(made.windows), .semantics = GetParam()};
        // Whether a series is born is settled by what has come by then: late samples tell it to the batch alone.
        const bool one_answer = !late || GetParam() != Semantics::exact;
        BurnRate one_by_one = fed(made, options, !one_answer), at_once = fed(made, options, true);
        know_births(made.reference, one_by_one);
        const auto times = times_of(made, random);
        const auto columns = at_once.over(times);
        double scale = 0;
        for (const Reference& series : made.reference) {
            for (const auto& [time, value] : series.samples) scale += std::fabs(value);
        }
        for (std::size_t i = 0; i < times.size(); ++i) {
            const auto found = one_by_one.at(from_ms(times[i]));
            const auto sorted = at_once.at(from_ms(times[i]));
            for (std::size_t w = 0; w < made.windows.size(); ++w) {
                const auto expected = reference_window(made.reference, GetParam(), times[i], made.windows[w]);
                const std::string where = "run " + std::to_string(run) + " time " + std::to_string(times[i]) +
                                          " window " + std::to_string(made.windows[w]);
                expect_close(expected.bad, found[w].bad, scale, where + " bad");
                expect_close(expected.total, found[w].total, scale, where + " total");
                EXPECT_TRUE(found[w].exact);
                EXPECT_EQ(found[w].edge_error_events, 0);
                const bool absent = std::isnan(expected.bad) || std::isnan(expected.total);
                EXPECT_EQ(found[w].status == BurnStatus::absent, absent) << where;
                EXPECT_GE(found[w].coverage, 0);
                EXPECT_LE(found[w].coverage, 1);
                // Batch and stream: the same bits; but for the order of additions, where late deltas are fractions.
                const auto same = [&](double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); };
                EXPECT_TRUE(same(columns[w].bad[i], (late ? sorted : found)[w].bad)) << where;
                EXPECT_TRUE(same(columns[w].total[i], (late ? sorted : found)[w].total)) << where;
                EXPECT_TRUE(same(columns[w].ratio(i), (late ? sorted : found)[w].ratio)) << where;
                EXPECT_TRUE(same(columns[w].burn(i), (late ? sorted : found)[w].burn)) << where;
                EXPECT_EQ(columns[w].status(i), found[w].status) << where;
                ++checked;
            }
            if (HasFailure()) return;
        }
        EXPECT_EQ(one_by_one.tally(), at_once.tally()) << run;
    }
    EXPECT_GT(checked, 20'000);
}

/// Sample by sample, asked after each: what a monitor does. Only what has come by then counts.
TEST_P(EverySemantics, AgreeWithTheDefinitionWhileTheStreamComes) {
    std::mt19937_64 random(7);
    for (int run = 0; run < 150; ++run) {
        const Case made = random_case(random, run % 2 == 1);
        for (const Keep keep : {Keep::all, Keep::thinned}) {
            BurnRate burn({.budget = 0.01, .windows = lengths(made.windows), .semantics = GetParam(), .keep = keep});
            std::vector<Reference> seen;
            for (const Reference& series : made.reference) {
                burn.add_series(series.role, series.kind);
                seen.push_back({series.kind, series.role, {}});
            }
            std::vector<std::size_t> next(made.arrivals.size(), 0);
            std::int64_t now = made.start - hour;
            for (bool more = true; more;) {
                more = false;
                for (std::size_t s = 0; s < next.size(); ++s) {
                    if (next[s] == made.arrivals[s].size()) continue;
                    more = true;
                    const Sample sample = made.arrivals[s][next[s]++];
                    burn.add(s, from_ms(sample.time), sample.value);
                    seen[s].add(sample.time, sample.value);
                    now = std::max(now, sample.time);
                }
                std::vector<Reference> known = seen;
                know_births(known, burn);
                const auto found = burn.at(from_ms(now));
                for (std::size_t w = 0; w < made.windows.size(); ++w) {
                    // Up to 100 minutes of samples: a thinned history has them all.
                    const auto expected = reference_window(known, GetParam(), now, made.windows[w]);
                    expect_close(expected.bad, found[w].bad, 1e5, "bad " + std::to_string(run));
                    expect_close(expected.total, found[w].total, 1e5, "total " + std::to_string(run));
                    EXPECT_TRUE(found[w].exact);
                }
                if (HasFailure()) return;
            }
        }
    }
}

INSTANTIATE_TEST_SUITE_P(All, EverySemantics,
                         testing::Values(Semantics::exact, Semantics::prometheus2, Semantics::prometheus3,
                                         Semantics::prometheus3_anchored),
                         [](const auto& one) { return std::string(word(one.param)); });

// ---- what the header promises, one by one

std::size_t add_counter(BurnRate& burn, Role role, const std::vector<std::pair<std::int64_t, double>>& samples) {
    const std::size_t id = burn.add_series(role);
    for (const auto& [time, value] : samples) burn.add(id, from_ms(time), value);
    return id;
}

TEST(BurnRate, CountsWhatWasSeenBetweenTheEdges) {
    BurnRate burn({.budget = 0.01, .windows = lengths({minute, 10 * minute})});
    add_counter(burn, Role::bad, {{0, 5}, {minute, 6}, {2 * minute, 8}});
    add_counter(burn, Role::total, {{0, 100}, {minute, 200}, {2 * minute, 300}});
    const auto found = burn.at(from_ms(2 * minute));
    EXPECT_EQ(found[0].bad, 2);
    EXPECT_EQ(found[0].total, 100);
    EXPECT_EQ(found[0].ratio, 0.02);
    EXPECT_EQ(found[0].burn, 2);
    EXPECT_EQ(found[0].status, BurnStatus::ok);
    EXPECT_EQ(found[0].coverage, 1);
    EXPECT_EQ(found[1].bad, 3);  // longer than the data: from the first sample on
    EXPECT_EQ(found[1].total, 200);
    EXPECT_DOUBLE_EQ(found[1].coverage, 0.2);
}

TEST(BurnRate, SaysWhenItKnowsNothing) {
    BurnRate burn({.budget = 0.01, .windows = lengths({minute})});
    EXPECT_EQ(burn.at(from_ms(0))[0].status, BurnStatus::absent);  // no series
    const std::size_t bad = burn.add_series(Role::bad), total = burn.add_series(Role::total);
    EXPECT_EQ(burn.at(from_ms(0))[0].status, BurnStatus::absent);  // empty series
    EXPECT_EQ(burn.newest(), std::nullopt);
    burn.add(total, from_ms(0), 7);
    burn.add(bad, from_ms(0), 1);
    EXPECT_EQ(burn.at(from_ms(-1))[0].status, BurnStatus::absent);  // before the first sample
    EXPECT_EQ(burn.at(from_ms(-1))[0].coverage, 0);
    EXPECT_EQ(burn.at(from_ms(0))[0].status, BurnStatus::no_traffic);
    EXPECT_TRUE(std::isnan(burn.at(from_ms(0))[0].burn));
    EXPECT_EQ(burn.at(from_ms(0))[0].total, 0);
    burn.add(total, from_ms(10'000), 8);
    EXPECT_EQ(burn.at(from_ms(10'000))[0].status, BurnStatus::ok);
    EXPECT_EQ(burn.at(from_ms(10'000))[0].ratio, 0);
    EXPECT_EQ(burn.at(from_ms(10'000 + minute))[0].status, BurnStatus::absent);  // silence
    burn.add(total, from_ms(2 * minute), 9);
    const WindowBurn half = burn.at(from_ms(2 * minute))[0];  // bad is silent, total is not
    EXPECT_EQ(half.status, BurnStatus::absent);
    EXPECT_TRUE(std::isnan(half.bad));
    EXPECT_EQ(half.total, 1);
    EXPECT_TRUE(std::isnan(half.burn));
}

TEST(BurnRate, AResetOnTheEdgeBelongsToTheSampleThatShowsIt) {
    // 100, then a restart: 30 is seen at one minute, as many as there were in the minute before.
    BurnRate burn({.budget = 0.01, .windows = lengths({minute})});
    add_counter(burn, Role::total, {{-minute, 70}, {0, 100}, {minute, 30}, {2 * minute, 40}});
    EXPECT_EQ(burn.at(from_ms(minute))[0].total, 30);          // the window (0, 1 min] has the restart
    EXPECT_EQ(burn.at(from_ms(2 * minute))[0].total, 10);      // (1 min, 2 min] has not
    EXPECT_EQ(burn.at(from_ms(2 * minute - 1))[0].total, 30);  // its edge lies 1 ms before the restart
    EXPECT_EQ(burn.tally().resets, 1);
}

TEST(BurnRate, ADipIsNoRestart) {
    const auto total_of = [](Semantics semantics, bool backwards) {
        BurnRate burn({.budget = 0.01, .windows = lengths({hour}), .semantics = semantics});
        std::vector<std::pair<std::int64_t, double>> samples;
        for (int i = 0; i <= 40; ++i) samples.emplace_back(i * minute, 1000 + 100 * i - (i == 20 ? 101 : 0));
        if (backwards) std::reverse(samples.begin(), samples.end());
        add_counter(burn, Role::total, samples);
        const double found = burn.at(from_ms(40 * minute))[0].total;
        EXPECT_EQ(burn.tally().dips, semantics == Semantics::exact);
        EXPECT_EQ(burn.tally().resets, semantics != Semantics::exact);
        return found;
    };
    EXPECT_EQ(total_of(Semantics::exact, false), 4000);
    EXPECT_EQ(total_of(Semantics::exact, true), 4000);
    EXPECT_EQ(total_of(Semantics::prometheus3_anchored, false), 4000 + 2900);  // all of it once more
    // One of three processes behind a series restarts: what the others have counted is not counted again.
    BurnRate burn({.budget = 0.01, .windows = lengths({hour})});
    std::vector<std::pair<std::int64_t, double>> sums;
    for (int i = 0; i <= 30; ++i)
        sums.emplace_back(i * minute, 2.0 * (5000 + 50 * i) + (i < 10 ? 5000 + 50 * i : 50 * (i - 9)));
    add_counter(burn, Role::total, sums);
    const double found = burn.at(from_ms(30 * minute))[0].total;
    EXPECT_LE(found, 30 * 150);
    EXPECT_GE(found, 24 * 150);  // what passes while it is below is lost
    EXPECT_EQ(burn.tally().dips, 1);
}

TEST(BurnRate, AnErrorSeriesBornWithItsFirstErrorIsZeroBefore) {
    // Errors first or last, one by one or at once: the same.
    for (const bool errors_first : {true, false}) {
        for (const bool bulk : {true, false}) {
            for (const Keep keep : {Keep::all, Keep::thinned}) {
                BurnRate burn({.budget = 0.01, .windows = lengths({5 * minute, hour}), .keep = keep});
                const std::size_t bad = burn.add_series(Role::bad, SeriesKind::counter, "a"),
                                  total = burn.add_series(Role::total, SeriesKind::counter, "a");
                std::vector<std::int64_t> times, late;
                std::vector<double> requests, errors;
                for (int i = 0; i <= 40; ++i) {
                    times.push_back(i * minute);
                    requests.push_back(7000 + 100.0 * i);
                    if (i < 20) continue;
                    late.push_back(i * minute);
                    errors.push_back(3 + (i - 20) / 10);  // three at once, then two more
                }
                if (bulk) {
                    if (errors_first) burn.add(bad, late, errors);
                    burn.add(total, times, requests);
                    if (!errors_first) burn.add(bad, late, errors);
                } else {
                    for (std::size_t i = 0; i < times.size(); ++i) {
                        const auto add_bad = [&] {
                            if (i >= 20) burn.add(bad, from_ms(times[i]), errors[i - 20]);
                        };
                        if (errors_first) add_bad();
                        burn.add(total, from_ms(times[i]), requests[i]);
                        if (!errors_first) add_bad();
                    }
                }
                if (keep == Keep::all) {
                    const auto before = burn.at(from_ms(10 * minute));
                    EXPECT_EQ(before[0].status, BurnStatus::ok);
                    EXPECT_EQ(before[0].bad, 0);
                    EXPECT_EQ(burn.at(from_ms(20 * minute))[0].bad, 3);
                }
                const auto found = burn.at(from_ms(40 * minute));
                EXPECT_EQ(found[1].bad, 5);
                EXPECT_EQ(found[1].total, 4000);
                EXPECT_EQ(burn.tally(bad).taken, 21);
                // A stop and a start between.
                BurnRate later({.budget = 0.01, .windows = lengths({5 * minute, hour}), .keep = keep});
                later.restore(decode<BurnRateState>(encode(burn.state())));
                EXPECT_EQ(encode(later.state()), encode(burn.state()));
                EXPECT_EQ(later.at(from_ms(40 * minute))[1].bad, 5);
            }
        }
    }
}

TEST(BurnRate, WhatCannotHaveBeenCountedSinceIsNoBirth) {
    const auto found = [](double first_error, const char* instance, int born) {
        BurnRate burn({.budget = 0.01, .windows = lengths({hour})});
        const std::size_t total = burn.add_series(Role::total, SeriesKind::counter, "a");
        for (int i = 0; i <= 40; ++i) burn.add(total, from_ms(i * minute), 100.0 * i);
        const std::size_t bad = burn.add_series(Role::bad, SeriesKind::counter, instance);
        for (int i = born; i <= 40; ++i) burn.add(bad, from_ms(i * minute), first_error + (i == 40 ? 1 : 0));
        return burn.at(from_ms(40 * minute))[0].bad;
    };
    EXPECT_EQ(found(100, "a", 20), 101);
    EXPECT_EQ(found(101, "a", 20), 1);  // its instance had 100 requests in that minute
    EXPECT_EQ(found(5, "b", 20), 1);    // nobody knows what the instance served
    EXPECT_EQ(found(5, "a", 0), 1);     // there from the beginning
    EXPECT_EQ(found(5, "a", 1), 6);
    // A new instance: all of its requests since the cut before, and its errors.
    const auto fresh = [](double first_total, double first_error) {
        BurnRate burn({.budget = 0.01, .windows = lengths({hour})});
        const std::size_t old = burn.add_series(Role::total, SeriesKind::counter, "a");
        const std::size_t bad = burn.add_series(Role::bad, SeriesKind::counter, "b"),
                          total = burn.add_series(Role::total, SeriesKind::counter, "b");
        for (int i = 0; i <= 40; ++i) {
            burn.add(old, from_ms(i * minute), 10'000 + 100.0 * i);
            if (i < 20) continue;
            burn.add(bad, from_ms(i * minute), first_error);
            burn.add(total, from_ms(i * minute), first_total + 100 * (i - 20));
        }
        const WindowBurn window = burn.at(from_ms(40 * minute))[0];
        return std::pair(window.bad, window.total);
    };
    EXPECT_EQ(fresh(90, 40), std::pair(40.0, 4000 + 2090.0));
    EXPECT_EQ(fresh(1e6, 40), std::pair(0.0, 6000.0));  // an old one that is found late
    EXPECT_EQ(fresh(90, 91), std::pair(0.0, 4000 + 2090.0));
}

TEST(BurnRate, ALateSampleOlderThanTheBirthIsTheFirst) {
    BurnRate burn({.budget = 0.01, .windows = lengths({hour})});
    const std::size_t total = burn.add_series(Role::total), bad = burn.add_series(Role::bad);
    for (int i = 0; i <= 40; ++i) burn.add(total, from_ms(i * minute), 100.0 * i);
    for (int i = 30; i <= 40; ++i) burn.add(bad, from_ms(i * minute), 8);
    EXPECT_EQ(burn.at(from_ms(40 * minute))[0].bad, 8);
    burn.add(bad, from_ms(20 * minute), 5);
    EXPECT_EQ(burn.at(from_ms(40 * minute))[0].bad, 8);
    EXPECT_EQ(burn.at(from_ms(25 * minute))[0].bad, 5);
    burn.add(bad, from_ms(0), 2);
    EXPECT_EQ(burn.at(from_ms(40 * minute))[0].bad, 6);
}

TEST(BurnRate, StaleMarkersNaNAndInfinitiesAreNoSamples) {
    BurnRate burn({.budget = 0.01, .windows = lengths({10 * minute})});
    const double infinity = std::numeric_limits<double>::infinity();
    add_counter(burn, Role::total,
                {{0, 100}, {1000, stale}, {2000, nan}, {3000, infinity}, {4000, -infinity}, {5000, 150}});
    EXPECT_EQ(burn.at(from_ms(5000))[0].total, 50);  // over the gap, whole
    EXPECT_EQ(burn.tally().not_numbers, 4);
    EXPECT_EQ(burn.tally().taken, 2);
    EXPECT_EQ(burn.tally().resets, 0);
}

TEST(BurnRate, TheFirstOfTwoSamplesAtOneTimeCounts) {
    BurnRate burn({.budget = 0.01, .windows = lengths({10 * minute})});
    add_counter(burn, Role::total, {{0, 0}, {1000, 5}, {1000, 5}, {1000, 7}, {2000, 9}, {0, 0}, {0, 3}});
    EXPECT_EQ(burn.at(from_ms(1000))[0].total, 5);
    EXPECT_EQ(burn.tally().duplicates, 2);
    EXPECT_EQ(burn.tally().conflicts, 2);
    EXPECT_EQ(burn.tally().taken, 3);
}

TEST(BurnRate, RolesAreBadAndTotalOrGoodAndTotalOrBothHalves) {
    const auto counted = [](std::vector<std::pair<Role, double>> grown) {
        BurnRate burn({.budget = 0.01, .windows = lengths({minute})});
        for (const auto& [role, value] : grown) add_counter(burn, role, {{0, 0}, {minute, value}});
        return burn.at(from_ms(minute))[0];
    };
    for (const WindowBurn& found :
         {counted({{Role::bad, 3}, {Role::total, 100}}), counted({{Role::good, 97}, {Role::total, 100}}),
          counted({{Role::good, 97}, {Role::bad, 3}}), counted({{Role::total, 100}, {Role::bad, 1}, {Role::bad, 2}}),
          counted({{Role::good, 97}, {Role::bad, 3}, {Role::total, 1e6}})}) {
        EXPECT_EQ(found.bad, 3);
        EXPECT_EQ(found.total, 100);
        EXPECT_EQ(found.burn, 3.0 / 100 / 0.01);
    }
    EXPECT_EQ(counted({{Role::bad, 3}}).status, BurnStatus::absent);
    EXPECT_EQ(counted({{Role::good, 3}}).status, BurnStatus::absent);
    EXPECT_EQ(counted({{Role::good, 3}}).total, 3);
    EXPECT_EQ(counted({{Role::total, 3}}).status, BurnStatus::absent);
}

TEST(BurnRate, ADeltaCountsFromItsFirstSample) {
    BurnRate burn({.budget = 0.1, .windows = lengths({minute, 3 * minute})});
    const std::size_t bad = burn.add_series(Role::bad, SeriesKind::delta);
    const std::size_t good = burn.add_series(Role::good, SeriesKind::delta);
    for (std::int64_t i = 1; i <= 3; ++i) {
        burn.add(bad, from_ms(i * minute), i == 2 ? 1 : 0);  // slices of a probe, good or bad
        burn.add(good, from_ms(i * minute), i == 2 ? 0 : 1);
    }
    EXPECT_EQ(burn.at(from_ms(minute))[0].total, 1);
    EXPECT_EQ(burn.at(from_ms(2 * minute))[0].ratio, 1);
    EXPECT_EQ(burn.at(from_ms(3 * minute))[1].total, 3);
    EXPECT_EQ(burn.at(from_ms(3 * minute))[1].bad, 1);
}

TEST(BurnRate, WindowsThatTileAddUpExactly) {
    std::mt19937_64 random(3);
    for (int run = 0; run < 20; ++run) {
        BurnRate burn({.budget = 0.01, .windows = lengths({7 * second, 7 * 64 * second})});
        const std::size_t bad = burn.add_series(Role::bad), total = burn.add_series(Role::total);
        double b = 0, t = 0;
        std::int64_t time = 0;
        while (time < 7 * 64 * second) {
            const bool reset = random() % 50 == 0;
            b = reset ? static_cast<double>(random() % 3) : b + static_cast<double>(random() % 3);
            t = reset ? static_cast<double>(random() % 100) : t + static_cast<double>(random() % 100);
            burn.add(bad, from_ms(time), b);
            burn.add(total, from_ms(time), t);
            time += 1 + static_cast<std::int64_t>(random() % 1500);
        }
        double bads = 0, totals = 0;
        for (std::int64_t i = 1; i <= 64; ++i) {
            const auto found = burn.at(from_ms(i * 7 * second));
            bads += found[0].bad;
            totals += found[0].total;
        }
        const auto whole = burn.at(from_ms(64 * 7 * second));
        EXPECT_EQ(whole[1].bad, bads);
        EXPECT_EQ(whole[1].total, totals);
    }
}

TEST(BurnRate, WholeCountsUpTo2To53StayWhole) {
    const double most = 9007199254740992.0;
    BurnRate burn({.budget = 0.01, .windows = lengths({minute})});
    add_counter(burn, Role::total, {{0, most - 3}, {minute, most}, {2 * minute, 5}, {3 * minute, most - 1}});
    add_counter(burn, Role::bad, {{0, 0}, {minute, 1}, {2 * minute, 1}, {3 * minute, 2}});
    EXPECT_EQ(burn.at(from_ms(minute))[0].total, 3);
    EXPECT_EQ(burn.at(from_ms(2 * minute))[0].total, 5);
    EXPECT_EQ(burn.at(from_ms(3 * minute))[0].total, most - 6);
    BurnRate deltas({.budget = 0.01, .windows = lengths({minute})});
    const std::size_t id = deltas.add_series(Role::total, SeriesKind::delta);
    deltas.add(id, from_ms(0), most - 10);
    deltas.add(id, from_ms(minute), 7);
    EXPECT_EQ(deltas.at(from_ms(minute))[0].total, 7);
}

TEST(BurnRate, CoverageIsTheObservedShareOfTheWindow) {
    BurnRate burn({.budget = 0.01, .windows = lengths({10 * minute, hour})});
    const std::size_t id = burn.add_series(Role::total);
    std::int64_t time = 0;
    for (; time <= 2 * hour; time += 15 * second) {
        if (time > hour && time < hour + 5 * minute) continue;  // a gap of five minutes
        burn.add(id, from_ms(time), static_cast<double>(time));
    }
    EXPECT_EQ(burn.at(from_ms(hour))[0].coverage, 1);
    EXPECT_EQ(burn.at(from_ms(hour + 37'500))[0].coverage, 1);  // 2.5 spacings without a sample are nothing yet
    EXPECT_DOUBLE_EQ(burn.at(from_ms(hour + minute))[0].coverage, 0.9);
    EXPECT_DOUBLE_EQ(burn.at(from_ms(hour + 5 * minute))[0].coverage, 0.5);
    EXPECT_DOUBLE_EQ(burn.at(from_ms(hour + 12 * minute))[0].coverage, 0.7);
    EXPECT_EQ(burn.at(from_ms(hour + 15 * minute))[0].coverage, 1);
    EXPECT_DOUBLE_EQ(burn.at(from_ms(2 * hour))[1].coverage, 55.0 / 60);
    // A second instance that was there in the gap closes it.
    add_counter(burn, Role::total, {});
    const std::size_t other = burn.add_series(Role::total);
    for (time = hour - minute; time <= hour + 6 * minute; time += 15 * second) burn.add(other, from_ms(time), 0);
    EXPECT_EQ(burn.at(from_ms(2 * hour))[1].coverage, 1);
    // The interval may be told instead of learned.
    BurnRate told({.budget = 0.01, .windows = lengths({10 * minute}), .interval = std::chrono::milliseconds(minute)});
    add_counter(told, Role::total, {{0, 0}, {150 * second, 1}, {10 * minute, 2}});
    EXPECT_DOUBLE_EQ(told.at(from_ms(10 * minute))[0].coverage, 0.25);
}

TEST(BurnRate, AnythingMayBeAskedWhereAllIsKeptAndOnlyTheFutureWhereItIsThinned) {
    BurnRate all({.budget = 0.01, .windows = lengths({minute})});
    BurnRate thinned({.budget = 0.01, .windows = lengths({minute}), .keep = Keep::thinned});
    for (BurnRate* burn : {&all, &thinned}) add_counter(*burn, Role::total, {{0, 0}, {minute, 5}, {2 * minute, 9}});
    EXPECT_EQ(all.at(from_ms(2 * minute))[0].total, 4);
    EXPECT_EQ(all.at(from_ms(minute))[0].total, 5);
    EXPECT_EQ(thinned.at(from_ms(2 * minute))[0].total, 4);
    EXPECT_EQ(thinned.at(from_ms(2 * minute))[0].total, 4);  // the same time again is legal
    EXPECT_EQ(code_of([&] { thinned.at(from_ms(2 * minute - 1)); }), Code::data_order);
    EXPECT_EQ(code_of([&] { thinned.over(std::vector<std::int64_t>{minute}); }), Code::argument_word);
}

TEST(BurnRate, RefusesWhatMeansNothing) {
    EXPECT_EQ(code_of([] { BurnRate({.budget = 0, .windows = lengths({minute})}); }), Code::argument_range);
    EXPECT_EQ(code_of([] { BurnRate({.budget = 1, .windows = lengths({minute})}); }), Code::argument_range);
    EXPECT_EQ(code_of([] { BurnRate({.budget = 0.1, .windows = lengths({})}); }), Code::argument_range);
    EXPECT_EQ(code_of([] { BurnRate({.budget = 0.1, .windows = lengths({0})}); }), Code::argument_range);
    EXPECT_EQ(
        code_of([] { BurnRate({.budget = 0.1, .windows = lengths({1}), .interval = std::chrono::milliseconds(0)}); }),
        Code::argument_range);
    BurnRate burn({.budget = 0.1, .windows = lengths({minute})});
    EXPECT_EQ(code_of([&] { burn.add(0, from_ms(0), 1); }), Code::argument_range);
    const std::size_t id = burn.add_series(Role::bad);
    EXPECT_EQ(code_of([&] { burn.add(id, from_ms(latest_ms + 1), 1); }), Code::data_timestamp);
    EXPECT_EQ(code_of([&] { burn.at(from_ms(earliest_ms - 1)); }), Code::data_timestamp);
    const std::vector<std::int64_t> times{0, 1};
    const std::vector<double> values{0};
    EXPECT_EQ(code_of([&] { burn.add(id, times, values); }), Code::argument_length);
    EXPECT_EQ(burn.tally(), SampleTally{});
}

TEST(BurnRate, ManyWindowsOfAnyLength) {
    std::vector<std::int64_t> windows;
    for (std::int64_t i = 1; i <= 500; ++i) windows.push_back(i * 90 * day / 500);
    BurnRate burn({.budget = 0.01, .windows = lengths(windows)});
    add_counter(burn, Role::total, {{0, 0}, {day, 10}, {89 * day, 17}, {90 * day, 18}});
    const auto found = burn.at(from_ms(90 * day));
    for (std::size_t w = 0; w < windows.size(); ++w) {
        EXPECT_EQ(found[w].window.count(), windows[w]);
        EXPECT_EQ(found[w].total, windows[w] <= day ? 1 : windows[w] <= 89 * day ? 8 : 18) << w;
    }
}

TEST(BurnRate, AnAnchorOlderThanTheLookBackIsNotUsed) {
    for (const std::int64_t gap : {5 * minute - 1, 5 * minute}) {
        for (const bool anchored : {false, true}) {
            BurnRate burn({.budget = 0.01,
                           .windows = lengths({10 * minute}),
                           .semantics = anchored ? Semantics::prometheus3_anchored : Semantics::exact});
            add_counter(burn, Role::total, {{-gap, 0}, {minute, 10}, {9 * minute, 17}});
            const double expected = anchored && gap == 5 * minute ? 7 : 17;
            EXPECT_EQ(burn.at(from_ms(10 * minute))[0].total, expected) << gap;
            EXPECT_EQ(burn.over(std::vector<std::int64_t>{10 * minute})[0].total[0], expected) << gap;
        }
    }
}

TEST(BurnRate, ArraysHaveWhatIsWantedAndNothingElse) {
    std::mt19937_64 random(5);
    for (const Semantics semantics : {Semantics::exact, Semantics::prometheus2}) {
        BurnRate burn({.budget = 0.01, .windows = lengths({minute, hour}), .semantics = semantics});
        for (const Role role : {Role::bad, Role::good}) {
            const std::size_t id = burn.add_series(role);
            double value = 0;
            for (std::int64_t t = 0; t < 5 * hour; t += role == Role::bad ? 15 * second : 20 * second)
                burn.add(id, from_ms(t), value += static_cast<double>(random() % 5));
        }
        std::vector<std::int64_t> times;
        for (std::int64_t t = -hour; t < 6 * hour; t += 17 * second) times.push_back(t);
        const std::vector<BurnColumn> columns = burn.over(times);
        const auto same = [](double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); };
        for (int wanted = 0; wanted < 32; ++wanted) {
            std::vector<std::vector<double>> numbers(8, std::vector<double>(times.size(), -7));
            std::vector<std::vector<float>> coverage(2, std::vector<float>(times.size(), -7));
            std::vector<BurnArrays> arrays(2);
            for (std::size_t w = 0; w < 2; ++w) {
                const auto at = [&](std::size_t field) {
                    return (wanted >> field) & 1 ? numbers[4 * w + field].data() : nullptr;
                };
                arrays[w] = {at(0), at(1), at(2), at(3), (wanted & 16) != 0 ? coverage[w].data() : nullptr};
            }
            burn.over(times, std::span<const BurnArrays>(arrays));
            for (std::size_t w = 0; w < 2; ++w) {
                for (std::size_t i = 0; i < times.size(); ++i) {
                    const BurnColumn& column = columns[w];
                    const std::array<double, 4> right{column.burn(i), column.ratio(i), column.bad[i], column.total[i]};
                    for (std::size_t field = 0; field < 4; ++field) {
                        const double expected = ((wanted >> field) & 1) != 0 ? right[field] : -7;
                        ASSERT_TRUE(same(numbers[4 * w + field][i], expected)) << wanted << " " << field << " " << i;
                    }
                    ASSERT_EQ(coverage[w][i], (wanted & 16) != 0 ? column.coverage[i] : -7);
                }
            }
        }
        EXPECT_EQ(code_of([&] { burn.over(times, std::vector<BurnArrays>(3)); }), Code::argument_length);
    }
}

// ---- thinned histories

TEST(ThinnedBurnRate, NeverOffByMoreThanItSays) {
    std::mt19937_64 random(11);
    for (const Semantics semantics :
         {Semantics::exact, Semantics::prometheus2, Semantics::prometheus3, Semantics::prometheus3_anchored}) {
        const std::vector<std::int64_t> windows{5 * minute, 2 * hour, 6 * hour, day, 3 * day, 7 * day, 40 * day};
        BurnRateOptions options{.budget = 0.01, .windows = lengths(windows), .semantics = semantics};
        BurnRate all(options);
        options.keep = Keep::thinned;
        BurnRate thinned(options);
        for (BurnRate* burn : {&all, &thinned}) {
            burn->add_series(Role::bad);
            burn->add_series(Role::total, semantics == Semantics::exact ? SeriesKind::delta : SeriesKind::counter);
        }
        double bad = 0, total = 0;
        std::int64_t time = 0, asked = 0, inexact = 0, exact_long = 0;
        for (std::int64_t i = 0; i < 60'000; ++i) {
            time += random() % 500 == 0 ? 3 * hour : 20 * second + static_cast<std::int64_t>(random() % 20'000);
            bad = random() % 5000 == 0 ? 0 : bad + static_cast<double>(random() % 3);
            total = semantics == Semantics::exact ? static_cast<double>(random() % 100)
                                                  : total + static_cast<double>(random() % 100);
            for (BurnRate* burn : {&all, &thinned}) {
                burn->add(0, from_ms(time), bad);
                burn->add(1, from_ms(time), total);
            }
            if (i % 97 != 0) continue;
            const std::int64_t now = i % 2 == 0 ? time : (time / (10 * minute)) * 10 * minute;
            if (now < asked) continue;
            asked = now;
            const auto right = all.at(from_ms(now)), found = thinned.at(from_ms(now));
            for (std::size_t w = 0; w < windows.size(); ++w) {
                EXPECT_TRUE(found[w].exact || windows[w] > 2 * hour);
                if (found[w].exact) {
                    EXPECT_EQ(found[w].bad == right[w].bad || std::isnan(right[w].bad), true);
                    EXPECT_EQ(found[w].total == right[w].total || std::isnan(right[w].total), true);
                    EXPECT_EQ(found[w].edge_error_events, 0);
                    exact_long += windows[w] > 2 * hour;
                } else if (semantics == Semantics::exact) {
                    ++inexact;
                    EXPECT_GE(found[w].total, right[w].total);
                    EXPECT_LE(found[w].total - right[w].total, found[w].edge_error_events);
                    EXPECT_GE(found[w].bad, right[w].bad);
                    EXPECT_LE(found[w].bad - right[w].bad, found[w].edge_error_bad);
                } else {
                    // Stretched to the edge as well: by at most what lies around it, and once more by extrapolation.
                    ++inexact;
                    EXPECT_NEAR(found[w].total, right[w].total, 3 * found[w].edge_error_events + 1);
                }
                EXPECT_NEAR(found[w].coverage, right[w].coverage, 1e-12);
            }
            if (HasFailure()) return;
        }
        EXPECT_GT(inexact, 100);
        EXPECT_GT(exact_long, 500);  // times on whole ten minutes
    }
}

TEST(ThinnedBurnRate, IsBounded) {
    BurnRate burn({.budget = 0.001, .windows = lengths({5 * minute, hour, 3 * day, 30 * day}), .keep = Keep::thinned});
    const std::size_t bad = burn.add_series(Role::bad), total = burn.add_series(Role::total);
    std::size_t most = 0;
    for (std::int64_t i = 0; i < 4 * 172'800; ++i) {
        burn.add(bad, from_ms(i * 15 * second), static_cast<double>(i / 100));
        burn.add(total, from_ms(i * 15 * second), static_cast<double>(i % 50'000));  // with resets
        if (i % 1000 == 0) most = std::max(most, burn.memory_bytes());
    }
    EXPECT_LE(most / 2, std::size_t{2} << 20);
    // A series that has ended keeps one sample a tier.
    const std::int64_t end = 4 * 172'800 * 15 * second;
    burn.at(from_ms(end + 400 * day));
    EXPECT_LE(burn.memory_bytes(), std::size_t{64} << 10);
    burn.add(total, from_ms(end + 400 * day), 1e6);
    EXPECT_EQ(burn.at(from_ms(end + 400 * day))[0].total, 1e6 - (4 * 172'800 - 1) % 50'000);
}

TEST(ThinnedBurnRate, SamplesOlderThanTheRawPartAreDroppedAndCounted) {
    BurnRate burn({.budget = 0.01,
                   .windows = lengths({hour, day}),
                   .keep = Keep::thinned,
                   .raw = std::chrono::milliseconds(hour)});
    const std::size_t id = burn.add_series(Role::total);
    for (std::int64_t i = 0; i <= 600; ++i) {
        if (i % 100 != 50) burn.add(id, from_ms(i * minute), static_cast<double>(i));
    }
    burn.add(id, from_ms(550 * minute), 550);  // 50 minutes late
    burn.add(id, from_ms(450 * minute), 450);  // 150 minutes late
    EXPECT_EQ(burn.tally(id).reordered, 1);
    EXPECT_EQ(burn.tally(id).late, 1);
    EXPECT_EQ(burn.at(from_ms(600 * minute))[0].total, 60);
    EXPECT_EQ(burn.at(from_ms(610 * minute))[0].total, 50);
}

// ---- state

TEST(BurnRateState, GoesOnBitForBit) {
    std::mt19937_64 random(5);
    for (const Keep keep : {Keep::all, Keep::thinned}) {
        const BurnRateOptions options{
            .budget = 0.01, .windows = lengths({5 * minute, 6 * hour, 2 * day}), .keep = keep};
        BurnRate burn(options);
        burn.add_series(Role::bad);
        burn.add_series(Role::total);
        burn.add_series(Role::total, SeriesKind::delta);
        double bad = 0, total = 0;
        const auto go = [&](BurnRate& target, std::int64_t i) {
            target.add(0, from_ms(i * 30 * second), bad);
            target.add(1, from_ms(i * 30 * second), total);
            target.add(2, from_ms(i * 30 * second), static_cast<double>(i % 3) * 0.1);
        };
        for (std::int64_t i = 0; i < 9000; ++i) {
            bad = random() % 1000 == 0 ? 0 : bad + static_cast<double>(random() % 2);
            total += static_cast<double>(random() % 100);
            go(burn, i);
        }
        burn.at(from_ms(9000 * 30 * second));
        const auto bytes = encode(burn.state());
        BurnRate other(options);
        other.restore(decode<BurnRateState>(bytes));
        EXPECT_EQ(encode(other.state()), bytes);
        for (std::int64_t i = 9001; i < 9300; ++i) {
            bad += 1;
            total += 10;
            go(burn, i);
            go(other, i);
            if (i % 10 == 0) {  // late ones too
                burn.add(0, from_ms(i * 30 * second - 45'000), bad);
                other.add(0, from_ms(i * 30 * second - 45'000), bad);
            }
            const auto a = burn.at(from_ms(i * 30 * second)), b = other.at(from_ms(i * 30 * second));
            for (std::size_t w = 0; w < 3; ++w) {
                EXPECT_EQ(a[w].bad, b[w].bad);
                EXPECT_EQ(a[w].total, b[w].total);
                EXPECT_EQ(a[w].burn, b[w].burn);
                EXPECT_EQ(a[w].coverage, b[w].coverage);
                EXPECT_EQ(a[w].exact, b[w].exact);
            }
        }
        EXPECT_EQ(encode(other.state()), encode(burn.state()));
        EXPECT_EQ(other.tally(), burn.tally());
    }
}

TEST(BurnRateState, ForgetsTheSeriesOfBefore) {
    const BurnRateOptions options{.budget = 0.01, .windows = lengths({minute})};
    BurnRate both(options), bad_alone(options);
    for (const Role role : {Role::bad, Role::total}) add_counter(both, role, {{0, 0}, {minute, 7}});
    EXPECT_EQ(both.at(from_ms(minute))[0].total, 7);
    add_counter(bad_alone, Role::bad, {{0, 0}, {minute, 3}});
    both.restore(bad_alone.state());
    EXPECT_EQ(both.at(from_ms(minute))[0].bad, 3);
    EXPECT_EQ(both.at(from_ms(minute))[0].status, BurnStatus::absent);
}

TEST(BurnRateState, RefusesWhatCannotBe) {
    const BurnRateOptions options{.budget = 0.01, .windows = lengths({minute}), .keep = Keep::thinned};
    BurnRate burn(options);
    add_counter(burn, Role::bad, {{0, 0}, {1000, 1}, {2000, 0}});
    const BurnRateState good = burn.state();
    const auto refused = [&](auto&& change) {
        BurnRateState state = good;
        change(state);
        BurnRate other(options);
        add_counter(other, Role::total, {{0, 7}});
        const auto before = encode(other.state());
        const Code code = code_of([&] { other.restore(state); });
        EXPECT_EQ(encode(other.state()) == before, code != Code::none);
        return code;
    };
    EXPECT_EQ(refused([](BurnRateState&) {}), Code::none);
    EXPECT_EQ(refused([](BurnRateState& s) { s.budget = 0.02; }), Code::state_options);
    EXPECT_EQ(refused([](BurnRateState& s) { s.windows_ms.push_back(5); }), Code::state_options);
    EXPECT_EQ(refused([](BurnRateState& s) { s.histories[0].tiers.pop_back(); }), Code::state_options);
    EXPECT_EQ(refused([](BurnRateState& s) { s.roles.push_back(Role::bad); }), Code::state_invariant);
    EXPECT_EQ(refused([](BurnRateState& s) { s.last_ms = latest_ms + 1; }), Code::state_invariant);
    EXPECT_EQ(refused([](BurnRateState& s) { s.spacings[0].last = {0}; }), Code::state_invariant);
    EXPECT_EQ(refused([](BurnRateState& s) { s.covered.ends = {-5}; }), Code::state_invariant);
    EXPECT_EQ(refused([](BurnRateState& s) { s.histories[0].sum = nan; }), Code::state_invariant);
    const auto tier = [&](auto&& change) {
        return refused([&](BurnRateState& s) { change(s.histories[0].tiers[0]); });
    };
    EXPECT_EQ(tier([](HistoryTier& t) { t.times = {5, 5, 6}; }), Code::state_invariant);
    EXPECT_EQ(tier([](HistoryTier& t) { t.values.pop_back(); }), Code::state_invariant);
    EXPECT_EQ(tier([](HistoryTier& t) { t.values[0] = nan; }), Code::state_invariant);
    EXPECT_EQ(tier([](HistoryTier& t) { t.lost = {1}; }), Code::state_invariant);
    EXPECT_EQ(tier([](HistoryTier& t) { t.first = 3; }), Code::state_invariant);
    EXPECT_EQ(tier([](HistoryTier& t) { t.first = -1; }), Code::state_invariant);
    EXPECT_EQ(tier([](HistoryTier& t) { t.ordinals = {1, 2, 3}; }), Code::state_invariant);
    EXPECT_EQ(tier([](HistoryTier& t) { t.times[2] = latest_ms + 1; }), Code::state_invariant);
}

}  // namespace
}  // namespace serinus::slo
