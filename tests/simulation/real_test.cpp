// Real series without any known regression (data/real): arms made from them are A/A, and an alarm is a false one. Harm
// is injected, and named so. The table is in docs/concepts/promise.md.

#include <algorithm>
#include <charconv>
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

namespace serinus {
namespace {

using Column = std::vector<double>;

constexpr std::int64_t interval = 60'000;
constexpr std::size_t past = 1000, window = 120;

/// The values of a file, in order of time, by instance ("" where it names none).
std::map<std::string, Column> read(const std::string& path) {
    std::ifstream file(std::string(SERINUS_DATA_DIR) + "/real/" + path);
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
    plan.interval_ms = interval;
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
    int windows = 0, rank_test = 0, without = 0, with = 0, found = 0, unknown = 0;
};

/// Windows one after another, each with the intervals before it as history.
Tally play(const std::vector<Arms>& pairs, double harm) {
    Tally tally;
    const Plan plan = plan_of(Harm::either);
    for (const Arms& arms : pairs) {
        for (std::size_t from = past; from + window <= arms.size(); from += window) {
            ++tally.windows;
            const std::span<const double> b(arms.baseline), c(arms.canary);
            tally.rank_test += mann_whitney(b.subspan(from, window), c.subspan(from, window)).p_value < 0.05;
            const Batch now = batch_of(arms, from, from + window, 1);
            tally.without += judge(plan, now).decision == Action::rollback;
            const Calibration learned = calibrate(plan, batch_of(arms, from - past, from, 1));
            tally.unknown += !learned.metrics[0].learned;
            const Plan with = with_noise(plan, learned);
            tally.with += judge(with, now).decision == Action::rollback;
            tally.found += judge(with, batch_of(arms, from, from + window, harm)).decision == Action::rollback;
        }
    }
    return tally;
}

void print(const std::string& what, const Tally& t) {
    const auto percent = [&](int n) { return 100.0 * n / std::max(1, t.windows); };
    std::printf("| %s | %d | %.0f %% | %.0f %% | %.1f %% | %.0f %% | %d |\n", what.c_str(), t.windows,
                percent(t.rank_test), percent(t.without), percent(t.with), percent(t.found), t.unknown);
    std::fflush(stdout);
}

TEST(Real, Everything) {
    std::printf("| series | windows | plain rank test | without history | with | +15 %% found | nothing learned |\n");
    for (const char* file : {"postgres_read_latency_ms_long_eastus_b8ms", "redis_get_rps_long_westus2_d8sv5"}) {
        const auto machines = read(std::string("azure-vm-noise/") + file + ".csv");
        std::vector<Arms> pairs;
        for (const auto& [one, a] : machines)
            for (const auto& [other, b] : machines)
                if (one != other) pairs.push_back({a, b});
        print(file, play(pairs, 1.15));
        print(std::string(file) + " +5", play(pairs, 1.05));
    }
    for (const char* file : {"postgres_read_latency_ms_short_eastus_b8ms", "redis_get_rps_short_eastus_d8sv5"}) {
        Column all;
        for (const auto& [instance, values] : read(std::string("azure-vm-noise/") + file + ".csv"))
            all.insert(all.end(), values.begin(), values.end());
        Arms arms;
        for (std::size_t i = 0; i < all.size(); ++i) (i % 2 == 0 ? arms.baseline : arms.canary).push_back(all[i]);
        print(file, play({arms}, 1.05));
    }
    for (const char* file : {"ec2_cpu_utilization_53ea38", "ec2_cpu_utilization_825cc2", "ec2_disk_write_bytes_1ef3de",
                             "ec2_request_latency_system_failure", "elb_request_count_8c0756", "exchange-2_cpm_results",
                             "rds_cpu_utilization_e47b3b"}) {
        const Column all = read(std::string("nab/") + file + ".csv").at("");
        Arms interleaved, before_after;
        for (std::size_t i = 0; i < all.size(); ++i)
            (i % 2 == 0 ? interleaved.baseline : interleaved.canary).push_back(all[i]);
        const std::size_t day = std::string(file).starts_with("exchange") ? 24 : 288;
        before_after.baseline.assign(all.begin(), all.end() - static_cast<std::ptrdiff_t>(day));
        before_after.canary.assign(all.begin() + static_cast<std::ptrdiff_t>(day), all.end());
        print(std::string(file) + " interleaved", play({interleaved}, 1.15));
        print(std::string(file) + " a day before", play({before_after}, 1.15));
    }
}

}  // namespace
}  // namespace serinus
