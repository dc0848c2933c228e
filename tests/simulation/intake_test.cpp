// The promise of the intake, simulated through Monitor: whatever a scraper loses, doubles or sees late, a good canary is
// rolled back with at most alpha and promoted, a bad one is found, and what cannot be judged is named and held.
// Fixed seeds, 30 worlds a row; SERINUS_SIMULATION_SCALE multiplies them. The table is in docs/concepts/intake.md.
//
// A row is right where at least 95 of 100 of its worlds end as they should. Every world is judged at once; the first few
// are watched scrape by scrape too, by a monitor whose state is saved and restored at every look: both say the same.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/state.hpp>
#include <serinus/rollout/monitor.hpp>
#include <serinus/rollout/monitor_state.hpp>

#include "simulation/intake_worlds.hpp"
#include "support/looks.hpp"
#include "support/repetitions.hpp"

namespace serinus {
namespace {

using intake_worlds::minute;
using intake_worlds::second;
using intake_worlds::World;
using support::told;

int repetitions() { return support::repetitions(30, 30); }

/// How many of them are watched scrape by scrape.
int watched() { return std::min(3, repetitions()); }

enum class Right { promoted, rolled_back, not_promoted, not_rolled_back, held };

struct Row {
    World world;
    Right right = Right::promoted;
    std::vector<Code> named = {};  // at least one of them is told
    /// How much of an arm's requests and of its errors is counted at least, where the row decides.
    double counted = 0.95;
};

/// Of what happened, the least and the largest share that is counted: of an arm's requests or errors, over all worlds.
struct Counted {
    std::array<double, 4> seen{}, all{};

    void add(const Decision& decision, const intake_worlds::Truth& truth) {
        const std::array<double, 4> true_counts{truth.errors[0], truth.requests[0], truth.errors[1], truth.requests[1]};
        const auto& observed = decision.metrics.at(0).observed;
        for (std::size_t i = 0; i < 4 && observed.size() == 4; ++i) {
            seen[i] += observed[i].value;
            all[i] += true_counts[i];
        }
    }
    std::array<double, 4> shares() const {
        std::array<double, 4> shares{};
        for (std::size_t i = 0; i < 4; ++i) shares[i] = all[i] > 0 ? seen[i] / all[i] : 1;
        return shares;
    }
};

/// What a rollout came to.
struct Outcome {
    Decision last;
    bool ever_promoted = false;
};

Outcome watch(const Plan& plan, const Batch& batch) {
    Monitor monitor(plan);
    Outcome outcome;
    if (!batch.stages.empty()) monitor.enter_stage(1, batch.stages[0].at_ms);
    for (const auto& [time, news] : support::looks_of(batch)) {
        const Decision decision = monitor.observe(news, time);
        outcome.ever_promoted = outcome.ever_promoted || decision.action == Action::promote;
        // All that it knows goes through its bytes.
        const std::vector<std::byte> saved = encode(monitor.state());
        monitor = Monitor(plan);
        monitor.restore(decode<MonitorState>(saved));
    }
    outcome.last = monitor.flush();
    outcome.ever_promoted = outcome.ever_promoted || outcome.last.action == Action::promote;
    return outcome;
}

bool is_right(Right right, const Outcome& outcome) {
    const Action action = outcome.last.action;
    switch (right) {
        case Right::promoted: return action == Action::promote;
        case Right::rolled_back: return action == Action::rollback;
        case Right::not_promoted: return action != Action::promote && !outcome.ever_promoted;
        case Right::not_rolled_back: return action != Action::rollback;
        case Right::held: return action == Action::hold && !outcome.ever_promoted;
    }
    return false;
}

/// Both ways of handing the data over come to the same. A rollback by policy says how long nothing had come when it was
/// decided, which is another time.
void expect_agreement(const Decision& watched, const Decision& at_once, const std::string& what) {
    EXPECT_EQ(watched.action, at_once.action) << what;
    if (!told(watched).contains(Code::missing_rollback)) {
        EXPECT_EQ(support::all_said(watched), support::all_said(at_once)) << what;
    }
    EXPECT_EQ(watched.telemetry, at_once.telemetry) << what;
    ASSERT_EQ(watched.metrics.size(), at_once.metrics.size()) << what;
    for (std::size_t i = 0; i < watched.metrics.size(); ++i) {
        const MetricResult &a = watched.metrics[i], &b = at_once.metrics[i];
        EXPECT_EQ(a.verdict, b.verdict) << what;
        EXPECT_EQ(a.observed, b.observed) << what;
        EXPECT_EQ(a.evidence.log_e_value, b.evidence.log_e_value) << what;
        EXPECT_EQ(a.mirror.log_e_value, b.mirror.log_e_value) << what;
    }
}

/// A canary no worse than its margin is ever rolled back with at most alpha: that many and four standard errors.
double most_rolled_back(double alpha, int n) { return alpha * n + 4 * std::sqrt(alpha * (1 - alpha) * n); }

std::string codes(const std::set<Code>& all) {
    std::string text;
    for (const Code code : all) text += (text.empty() ? "" : ", ") + std::string(name(code));
    return text;
}

void simulate(const std::vector<Row>& rows, std::uint64_t seed) {
    std::printf("| world | right | promoted | held | rolled back | named | counted of errors, requests |\n");
    for (const Row& row : rows) {
        const int n = repetitions();
        int right = 0, named = 0, rolled_back = 0, promoted = 0;
        std::string wrong;
        Counted counted;
        // What must never be promoted at any look is watched at every look, some of it at least.
        const bool every_look = row.right == Right::not_promoted || row.right == Right::held;
        for (int i = 0; i < n; ++i) {
            const std::uint64_t own = 1'000'003 * seed + static_cast<std::uint64_t>(i);
            const Plan plan = intake_worlds::plan_of(row.world);
            const auto [batch, truth] = intake_worlds::seen_of(row.world, own);
            Outcome outcome;
            outcome.last = judge(plan, batch);
            counted.add(outcome.last, truth);
            if (i < watched() || (every_look && i < 10 * watched())) {
                const Outcome looked = watch(plan, batch);
                expect_agreement(looked.last, outcome.last, row.world.what + ", seed " + std::to_string(own));
                outcome.ever_promoted = looked.ever_promoted;
            }
            const std::set<Code> said = told(outcome.last);
            const bool names = row.named.empty() || std::any_of(row.named.begin(), row.named.end(),
                                                                [&](Code code) { return said.contains(code); });
            const bool fits = is_right(row.right, outcome);
            right += fits;
            named += names;
            rolled_back += outcome.last.action == Action::rollback;
            promoted += outcome.last.action == Action::promote;
            if ((!fits || !names) && wrong.empty())
                wrong =
                    "seed " + std::to_string(own) + ": " + std::string(word(outcome.last.action)) + ", " + codes(said);
        }
        static const char* const as_words[] = {"promote", "rollback", "no promote", "no rollback", "hold"};
        const auto shares = counted.shares();
        std::printf("| %s | %s | %d | %d | %d | %d of %d | %.3f %.3f, %.3f %.3f |\n", row.world.what.c_str(),
                    as_words[static_cast<std::size_t>(row.right)], promoted, n - promoted - rolled_back, rolled_back,
                    named, n, shares[0], shares[1], shares[2], shares[3]);
        std::fflush(stdout);
        EXPECT_GE(right, 0.95 * n) << row.world.what << "; " << wrong;
        EXPECT_GE(named, 0.95 * n) << row.world.what << "; not named; " << wrong;
        if (row.world.ratio <= row.world.margin && row.world.crashing == 0 && row.right != Right::rolled_back) {
            EXPECT_LE(rolled_back, most_rolled_back(0.05, n)) << row.world.what << "; " << wrong;
        }
        if (row.right == Right::promoted || row.right == Right::rolled_back) {
            EXPECT_GE(*std::min_element(shares.begin(), shares.end()), row.counted) << row.world.what;
            EXPECT_LE(*std::max_element(shares.begin(), shares.end()), 1.01) << row.world.what;
        }
        ++seed;
    }
}

// ---- worlds: of a share of errors of 1 % with 900 and 100 requests in ten seconds, or .1 % with ten times as many

World one_percent(const std::string& what) {
    World world;
    world.what = what;
    return world;
}

World one_thousandth(const std::string& what) {
    World world = one_percent(what + ", .1 %");
    world.rate = 0.001;
    world.requests = {9000, 1000};
    world.past = {3'000'000, 0};
    return world;
}

/// The same world with a good canary and with bad ones.
std::vector<Row> good_and_bad(const World& world, const std::vector<Code>& named = {},
                              const std::vector<double>& ratios = {3}) {
    std::vector<Row> rows{{world, Right::promoted, named}};
    for (const double ratio : ratios) {
        Row& row = rows.emplace_back(Row{world, Right::rolled_back, named});
        row.world.ratio = ratio;
        row.world.what += ratio == 3 ? ", x3" : ", x4.7";
    }
    return rows;
}

std::vector<Row> operator+(std::vector<Row> rows, const std::vector<Row>& more) {
    rows.insert(rows.end(), more.begin(), more.end());
    return rows;
}

template <class Change>
World with(World world, const Change& change) {
    change(world);
    return world;
}

void pods(World& world) {
    world.by_pod = true;
    world.pods = {9, 3};
}

TEST(IntakeSimulation, WithoutDefects) {
    World scattered = one_percent("plain, errors vary five times as much, as the plan says");
    scattered.requests = {9000, 1000};
    scattered.past = {3'000'000, 0};
    scattered.dispersion = 5;
    simulate(good_and_bad(one_percent("plain"), {}, {3, 4.7}) + good_and_bad(one_thousandth("plain")) +
                 good_and_bad(with(one_percent("by pod"), pods)) + good_and_bad(scattered),
             1);
}

TEST(IntakeSimulation, SeriesAreBornWithTheirFirstError) {
    std::vector<Row> rows;
    for (World world : {one_percent("born with the first error"), one_thousandth("born with the first error")}) {
        world.past = {0, 0};
        world.born = true;
        rows = rows + good_and_bad(world, {}, {3, 4.7});
        World paths = world;
        paths.what += ", by path";
        paths.paths = 8;
        rows = rows + good_and_bad(paths);
        World by_pod = with(world, pods);
        by_pod.what += ", by pod";
        rows = rows + good_and_bad(by_pod);
        by_pod.what += " and path";
        by_pod.paths = 8;
        rows = rows + good_and_bad(by_pod);
        by_pod.what += ", and so are requests";
        by_pod.totals_too = true;
        rows = rows + good_and_bad(by_pod);
    }
    simulate(rows, 101);
}

TEST(IntakeSimulation, PodsAreReplacedEveryMinute) {
    World world = with(one_percent("pods live a minute"), pods);
    world.past = {0, 0};
    world.life = minute;
    World born = world;
    born.what += ", errors born by path";
    born.born = true;
    born.paths = 5;
    World known = world;
    known.what += ", start times known";
    known.starts_known = true;
    World rare = with(one_thousandth("pods live a minute"), pods);
    rare.past = {0, 0};
    rare.life = minute;
    rare.born = true;
    World sum = world;
    sum.what += ", summed by arm";
    sum.by_pod = false;
    World few = sum;
    few.what += ", 3 and 1";
    few.pods = {3, 1};
    simulate(
        good_and_bad(world, {Code::births}) + good_and_bad(born, {Code::births}) + good_and_bad(known) +
            good_and_bad(rare, {Code::births}) +
            std::vector<Row>{
                {sum, Right::not_rolled_back, {Code::unexplained_falls, Code::counter_dips, Code::counter_restarts}},
                {few, Right::not_rolled_back, {Code::unexplained_falls, Code::counter_dips, Code::counter_restarts}}},
        201);
}

TEST(IntakeSimulation, ACounterDips) {
    std::vector<Row> rows;
    for (const int of : {0, 1, 2, 3}) {
        static const char* const names[] = {"the canary's requests", "the canary's errors", "the baseline's requests",
                                            "the baseline's errors"};
        for (const double by : {1.0, 0.0}) {
            for (const int dips : {1, 8, 20}) {
                if (by == 0 && dips != 8) continue;
                World world = one_percent(std::to_string(dips) + (dips == 1 ? " dip of " : " dips of ") + names[of] +
                                          (by > 0 ? " by 1" : " by a scrape"));
                world.past = {4'000'000, 200'000};
                world.dips = dips;
                world.dip_by = by;
                world.dip_of = of;
                rows = rows + good_and_bad(world, {Code::counter_dips, Code::unexplained_falls});
            }
        }
    }
    // What is missing is filled with zeros.
    for (const bool by_pod : {false, true}) {
        World world = one_percent(std::string("8 scrapes read 0") + (by_pod ? ", by pod" : ""));
        if (by_pod) pods(world);
        world.past = {4'000'000, 0};
        world.zeros = 8;
        rows = rows + good_and_bad(world, {Code::counter_dips, Code::unexplained_falls, Code::counter_restarts});
        world.past = {4'000'000, 200'000};
        world.what += ", counters are old";
        rows = rows + good_and_bad(world, {Code::counter_dips, Code::unexplained_falls, Code::counter_restarts});
    }
    simulate(rows, 301);
}

TEST(IntakeSimulation, APodCrashesAgainAndAgain) {
    std::vector<Row> rows;
    for (const std::int64_t life : {2, 1}) {
        World world =
            with(one_percent("one of three pods lives " + std::to_string(life) + " scrapes and fails 60 %"), pods);
        world.past = {300'000, 0};
        world.crashing = 1;
        world.crash_life = life * world.scrape;
        world.crash_rate = 0.6;
        rows.push_back({world, Right::not_promoted, {}});
        world.born = true;
        world.paths = 5;
        world.what += ", errors born by path";
        rows.push_back({world, Right::not_promoted, {}});
    }
    simulate(rows, 401);
}

TEST(IntakeSimulation, ScrapesAreNoMultipleOfTheInterval) {
    std::vector<Row> rows;
    for (const std::int64_t scrape : {5, 15, 30, 60}) {
        World world = one_percent("scrapes of " + std::to_string(scrape) + " s");
        world.scrape = scrape * second;
        const std::vector<Code> named = scrape > 10 ? std::vector{Code::bridged_intervals} : std::vector<Code>{};
        rows = rows + good_and_bad(world, named);
        World apart = world;
        apart.what += ", arms 7 s apart";
        apart.arms_apart = 7 * second;
        rows = rows + good_and_bad(apart, named);
        apart = world;
        apart.what += ", errors 7 s after requests";
        apart.roles_apart = 7 * second;
        rows = rows + good_and_bad(apart, named);
        apart = with(world, pods);
        apart.what += ", every pod at its own time";
        apart.own_phases = true;
        rows = rows + good_and_bad(apart);
    }
    simulate(rows, 501);
}

TEST(IntakeSimulation, ScrapesAreLost) {
    std::vector<Row> rows;
    for (const std::size_t arm : {0U, 1U}) {
        const std::string of = arm == 0 ? " of the baseline's scrapes are lost" : " of the canary's scrapes are lost";
        World world = one_percent("a fifth" + of);
        world.lost[arm] = 0.2;
        rows = rows + good_and_bad(world);
        world = with(world, pods);
        world.what += ", by pod";
        rows = rows + good_and_bad(world);
        world = one_percent("a fifth" + of + ", of errors alone");
        world.lost_bad[arm] = 0.2;
        rows = rows + good_and_bad(world);
    }
    World one = one_percent("one sample of errors is lost");
    one.lost_samples = 1;
    rows = rows + good_and_bad(one);
    simulate(rows, 601);
}

TEST(IntakeSimulation, SeveralCollectorsReadOneTarget) {
    std::vector<Row> rows;
    for (const int replicas : {2, 3}) {
        World world = one_percent(std::to_string(replicas) + " collectors");
        world.replicas = replicas;
        rows = rows + good_and_bad(world);
        World failing = with(world, pods);
        failing.what += " that fail, by pod";
        failing.replicas_fail = true;
        failing.replica_apart = 3 * second;
        rows = rows + good_and_bad(failing);
        world.what += " whose label nobody told";
        world.replicas_told = false;
        rows.push_back({world, Right::held, {Code::duplicate_series}});
        world.ratio = 3;
        world.what += ", x3";
        rows.push_back({world, Right::not_promoted, {Code::duplicate_series}});
    }
    simulate(rows, 701);
}

TEST(IntakeSimulation, TrafficIsNotSplitAsTold) {
    const std::vector<Code> exchanged{Code::arms_exchanged}, off{Code::split_off, Code::arms_exchanged};
    std::vector<Row> rows;
    World arms = one_percent("arms exchanged");
    arms.exchanged = true;
    rows.push_back({arms, Right::held, exchanged});
    arms.ratio = 3;  // of the one that is called baseline
    arms.what += ", x3";
    rows.push_back({arms, Right::held, exchanged});
    arms.ratio = 1.0 / 3;
    arms.what = "arms exchanged, x1/3, which reads as x3";
    rows.push_back({arms, Right::held, exchanged});
    World ninety = one_percent("90 % where 10 % were told");
    ninety.requests = {100, 900};
    rows.push_back({ninety, Right::held, exchanged});
    World half = one_percent("50 % where 10 % were told");
    half.requests = {500, 500};
    rows.push_back({half, Right::not_rolled_back, off});
    // Within the fifth that is let pass.
    World about = one_percent("8.5 % where 10 % were told");
    about.requests = {915, 85};
    rows = rows + good_and_bad(about);
    simulate(rows, 801);
}

TEST(IntakeSimulation, ACanaryFallsSilent) {
    std::vector<Row> rows;
    for (const std::int64_t after : {0, 5, 15}) {
        for (const bool gone : {true, false}) {
            World world = one_percent((gone ? "the canary is gone after " : "the canary has no request after ") +
                                      std::to_string(after) + " min");
            world.stage_told = true;
            (gone ? world.silent : world.stopped) = after * minute;
            rows.push_back({world, Right::held, {Code::canary_silent}});
            world.missing = Missing::fail;
            world.what += ", which fails";
            rows.push_back({world, Right::rolled_back, {}, 0});  // what no canary stands against is not judged
        }
    }
    simulate(rows, 901);
}

TEST(IntakeSimulation, AnOldPodIsFoundLate) {
    std::vector<Row> rows;
    for (const double requests : {1e6, 1e4, 500.0}) {
        World world = with(one_percent("a pod is found late that has counted " +
                                       std::to_string(static_cast<int>(requests)) + " requests, 5 % failed"),
                           pods);
        world.found = 12 * minute;
        world.found_requests = requests;
        rows = rows + good_and_bad(world);
        world.what += ", errors by path";
        world.paths = 5;
        rows.push_back({world, Right::promoted, {}});
    }
    simulate(rows, 1001);
}

}  // namespace
}  // namespace serinus
