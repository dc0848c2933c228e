// Real series without any known regression (data/real): arms made from them are A/A, and an alarm is a false one. Harm
// is injected, and named so. The table is in docs/concepts/promise.md.

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/fixed/mann_whitney.hpp>
#include <serinus/rollout/calibrate.hpp>
#include <serinus/rollout/monitor.hpp>

#include "support/data_dir.hpp"

namespace serinus {
namespace {

using Column = std::vector<double>;

constexpr std::int64_t interval = 60'000;
constexpr std::size_t window = 120;

/// The values of a file, in order of time, by instance ("" where it names none).
std::map<std::string, Column> read(const std::string& path) {
    std::ifstream file(data_dir() + "/real/" + path);
    EXPECT_TRUE(file.good()) << path;
    std::map<std::string, Column> columns;
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line)) {
        if (!line.empty() && line.back() == '\r') line.pop_back();
        const std::size_t first = line.find(','), last = line.rfind(',');
        const std::string instance = first == last ? "" : line.substr(first + 1, last - first - 1);
        double value = 0;
        std::from_chars(line.data() + last + 1, line.data() + line.size(), value);
        columns[instance].push_back(value);
    }
    return columns;
}

struct Arms {
    Column baseline, canary;
    std::size_t size() const { return std::min(baseline.size(), canary.size()); }
};

Batch batch_of(const Arms& arms, std::size_t from, std::size_t to, double worse) {
    Batch batch;
    for (const Arm arm : {Arm::baseline, Arm::canary}) {
        ArmSeries& out = batch.series.emplace_back();
        out.name = "value";
        out.arm = arm;
        for (std::size_t i = from; i < to; ++i) {
            out.series.times_ms.push_back(static_cast<std::int64_t>(i) * interval);
            out.series.values.push_back(arm == Arm::baseline ? arms.baseline[i] : arms.canary[i] * worse);
        }
    }
    return batch;
}

Plan plan_of(Harm harm) {
    Plan plan;
    plan.name = "real";
    plan.interval = std::chrono::milliseconds(interval);
    plan.stages = {Stage{.traffic = 0.5}};
    Metric metric;
    metric.name = "value";
    metric.kind = Kind::gauge;
    metric.series = "value";
    metric.harm = harm;
    metric.margin = {.ratio = std::nullopt, .difference = 0.0};
    metric.detect = Margin{.ratio = std::nullopt, .difference = 1.0};
    plan.metrics = {metric};
    return plan;
}

struct Tally {
    int windows = 0, rank_test = 0, without = 0, with = 0, found = 0, offset = 0;

    Tally& operator+=(const Tally& other) {
        windows += other.windows;
        rank_test += other.rank_test;
        without += other.without;
        with += other.with;
        found += other.found;
        offset += other.offset;
        return *this;
    }
};

/// Windows one after another, each with the intervals before it as history; `harm` is the factor that is injected.
Tally play(const std::vector<Arms>& pairs, double harm) {
    Tally tally;
    const Plan plan = plan_of(Harm::either);
    for (const Arms& arms : pairs) {
        const std::size_t past = std::min<std::size_t>(1000, arms.size() / 2);
        for (std::size_t from = past; from + window <= arms.size(); from += window) {
            ++tally.windows;
            const std::span<const double> b(arms.baseline), c(arms.canary);
            tally.rank_test += mann_whitney(b.subspan(from, window), c.subspan(from, window)).p_value < 0.05;
            const Batch now = batch_of(arms, from, from + window, 1);
            tally.without += judge(plan, now).action == Action::rollback;
            const Calibration learned = calibrate(plan, batch_of(arms, from - past, from, 1));
            for (const Reason& reason : learned.metrics[0].reasons) tally.offset += reason.code == Code::history_offset;
            const Plan with = with_noise(plan, learned);
            tally.with += judge(with, now).action == Action::rollback;
            tally.found += judge(with, batch_of(arms, from, from + window, harm)).action == Action::rollback;
        }
    }
    return tally;
}

void print_head() {
    std::printf(
        "| arms | windows | rank test alarms | without history | with history | injected harm found | told apart by "
        "history |\n"
        "|---|---|---|---|---|---|---|\n");
}

void print(const std::string& what, const Tally& t, double harm) {
    const auto percent = [&](int n) { return 100.0 * n / std::max(1, t.windows); };
    std::printf("| %s | %d | %.0f %% | %.0f %% | %.1f %% | x%.2f: %.0f %% | %.0f %% |\n", what.c_str(), t.windows,
                percent(t.rank_test), percent(t.without), percent(t.with), harm, percent(t.found), percent(t.offset));
    std::fflush(stdout);
}

/// At most alpha, up to four standard errors of so few windows.
void expect_kept(const Tally& t, const std::string& what) {
    EXPECT_LE(t.with, t.windows * 0.05 + 4 * std::sqrt(t.windows * 0.0475)) << what;
    EXPECT_EQ(t.without, 0) << what;
}

std::vector<std::string> machines(const char* kind) {
    if (std::string(kind) == "long")
        return {"postgres_read_latency_ms_long_eastus_b8ms", "redis_get_rps_long_westus2_d8sv5"};
    return {"postgres_read_latency_ms_short_eastus_b8ms", "redis_get_rps_short_eastus_d8sv5"};
}

TEST(Real, LongLivedMachinesAreOnlyJudgedWithTheirHistory) {
    // Each arm is one machine, and machines of one version differ.
    print_head();
    for (const std::string& file : machines("long")) {
        const auto all = read("azure-vm-noise/" + file + ".csv");
        std::vector<Arms> pairs;
        for (const auto& [one, a] : all)
            for (const auto& [other, b] : all)
                if (one != other) pairs.push_back({a, b});
        for (const double harm : {1.05, 1.15}) {
            const Tally t = play(pairs, harm);
            print(file + ", one machine against another", t, harm);
            expect_kept(t, file);
            // Harm of 5 % lies near what 120 intervals can tell, now that slow swings are allowed for: .81 of redis.
            EXPECT_GE(t.found, (harm > 1.1 ? 0.9 : 0.75) * t.windows) << file << harm;
            EXPECT_GE(t.rank_test, t.windows / 10) << "a plain rank test tells these machines apart";
        }
    }
}

TEST(Real, FreshMachines) {
    // One point a fresh machine, taken in turns.
    print_head();
    for (const std::string& file : machines("short")) {
        Column all;
        for (const auto& [instance, values] : read("azure-vm-noise/" + file + ".csv"))
            all.insert(all.end(), values.begin(), values.end());
        Arms arms;
        for (std::size_t i = 0; i < all.size(); ++i) (i % 2 == 0 ? arms.baseline : arms.canary).push_back(all[i]);
        const Tally t = play({arms}, 1.05);
        print(file + ", in turns", t, 1.05);
        expect_kept(t, file);
        EXPECT_GE(t.found, 0.5 * t.windows) << file;
    }
}

TEST(Real, OneSeriesSplitInTwo) {
    // Every other value of one series is the canary's: alike, but for series that swing with every second value.
    print_head();
    Tally all_together, before_together;
    for (const char* file : {"ec2_cpu_utilization_53ea38", "ec2_cpu_utilization_825cc2", "ec2_disk_write_bytes_1ef3de",
                             "ec2_request_latency_system_failure", "elb_request_count_8c0756", "exchange-2_cpm_results",
                             "rds_cpu_utilization_e47b3b"}) {
        const Column all = read(std::string("nab/") + file + ".csv").at("");
        Arms interleaved, before_after;
        for (std::size_t i = 0; i < all.size(); ++i)
            (i % 2 == 0 ? interleaved.baseline : interleaved.canary).push_back(all[i]);
        // The same hour of the day before is the baseline: what a team does that has no second arm. An incident of
        // either day is then a difference, and no test can know better; shown, not promised.
        const std::size_t day = std::string(file).starts_with("exchange") ? 24 : 288;
        before_after.baseline.assign(all.begin(), all.end() - static_cast<std::ptrdiff_t>(day));
        before_after.canary.assign(all.begin() + static_cast<std::ptrdiff_t>(day), all.end());
        const Tally t = play({interleaved}, 1.15), before = play({before_after}, 1.15);
        print(std::string(file) + ", every other value", t, 1.15);
        print(std::string(file) + ", a day before", before, 1.15);
        all_together += t;
        before_together += before;
        EXPECT_EQ(before.without, 0) << file;
        // This one does swing with every second value, and calibration says so.
        if (std::string(file) == "ec2_cpu_utilization_53ea38") {
            EXPECT_EQ(t.offset, t.windows);
        }
    }
    print("all seven, every other value", all_together, 1.15);
    print("all seven, a day before", before_together, 1.15);
    expect_kept(all_together, "every other value");
    EXPECT_LT(before_together.with, before_together.rank_test / 2);
}

}  // namespace
}  // namespace serinus
