// Two real machines that run the same version, as the two arms of a rollout; and the same with injected latency.
//
//     serinus-demo-machines MACHINES.csv FOLDER
//
// reads the read latency of two cloud machines, measured again and again over months, takes every measurement as one
// interval (a minute, so that they fit a rollout), and writes a plan, 1,000 intervals of history and two rollouts of
// the 120 intervals after it into FOLDER, for `serinus calibrate` and `serinus judge`. Then it says over all such
// windows how often a plain rank test tells the machines apart, and how often Serinus would have rolled back.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <limits>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <serinus/core/reason.hpp>
#include <serinus/fixed/mann_whitney.hpp>
#include <serinus/io/csv.hpp>
#include <serinus/io/plan.hpp>
#include <serinus/rollout/calibrate.hpp>
#include <serinus/rollout/monitor.hpp>

namespace {

constexpr std::int64_t interval_ms = 60'000;
constexpr std::int64_t start_ms = 1'795'381'200'000;  // 2026-11-22T21:00:00Z
constexpr std::size_t past = 1000, window = 120;
constexpr double injected = 1.15;

constexpr std::string_view plan_json = R"({
  "name": "two machines",
  "interval": "1m",
  "stages": [{"traffic": 0.5, "min": "30m", "max": "2h"}],
  "metrics": [
    {"name": "read_latency", "kind": "gauge", "series": "read_latency_ms",
     "harm": "increase", "margin": {"ratio": 1.02}, "detect": {"ratio": 1.15}}
  ]
}
)";

using Machines = std::map<std::string, std::vector<double>>;

/// The measurements of each machine, in order of time.
Machines read(const std::string& path) {
    std::ifstream file(path);
    Machines machines;
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line)) {
        const std::size_t first = line.find(','), last = line.rfind(',');
        if (first == last) throw std::runtime_error(path + " has a row without timestamp, instance and value");
        machines[line.substr(first + 1, last - first - 1)].push_back(std::strtod(line.c_str() + last + 1, nullptr));
    }
    return machines;
}

serinus::Batch batch(const std::vector<double>& baseline, const std::vector<double>& canary, std::size_t from,
                     std::size_t to, double factor) {
    serinus::Batch batch;
    for (const serinus::Arm arm : {serinus::Arm::baseline, serinus::Arm::canary}) {
        serinus::ArmSeries& out = batch.series.emplace_back();
        out.name = "read_latency_ms";
        out.arm = arm;
        for (std::size_t i = from; i < to; ++i) {
            out.series.times_ms.push_back(start_ms + static_cast<std::int64_t>(i) * interval_ms);
            out.series.values.push_back(arm == serinus::Arm::baseline ? baseline[i] : canary[i] * factor);
        }
    }
    return batch;
}

void write(const std::string& path, const std::string& content) {
    std::ofstream file(path, std::ios::binary);
    file << content;
    if (!file) throw std::runtime_error("cannot write " + path);
}

int run(const std::string& path, const std::string& folder) {
    const serinus::Plan plan = serinus::io::read_plan(plan_json);
    const Machines machines = read(path);
    if (machines.size() < 2) throw std::runtime_error("fewer than two machines in " + path);
    const std::vector<double>&one = machines.begin()->second, &other = std::next(machines.begin())->second;
    write(folder + "/machines.json", std::string(plan_json));
    write(folder + "/history.csv", serinus::io::write_csv(batch(one, other, 0, past, 1)));
    write(folder + "/same_version.csv", serinus::io::write_csv(batch(one, other, past, past + window, 1)));
    write(folder + "/slower.csv", serinus::io::write_csv(batch(one, other, past, past + window, injected)));

    int windows = 0, plain = 0, without = 0, with = 0, found = 0;
    for (const auto& [a, baseline] : machines) {
        for (const auto& [b, canary] : machines) {
            const std::size_t size = std::min(baseline.size(), canary.size());
            for (std::size_t from = past; a != b && from + window <= size; from += window) {
                const std::span<const double> x(baseline), y(canary);
                plain += serinus::mann_whitney(x.subspan(from, window), y.subspan(from, window)).p_value < 0.05;
                const auto rolled_back = [&](const serinus::Plan& by, double factor) {
                    const serinus::Batch now = batch(baseline, canary, from, from + window, factor);
                    return serinus::judge(by, now).action == serinus::Action::rollback;
                };
                const serinus::Plan known =
                    with_noise(plan, calibrate(plan, batch(baseline, canary, from - past, from, 1)));
                without += rolled_back(plan, 1);
                with += rolled_back(known, 1);
                found += rolled_back(known, injected);
                ++windows;
            }
        }
    }
    const auto of = [&](int count) { return std::to_string(count) + " of " + std::to_string(windows); };
    std::cout << machines.size() << " real machines, one version, every pair as baseline and canary in windows of "
              << window << " intervals:\n\n  a plain rank test tells them apart            " << of(plain)
              << "\n  Serinus without history rolls back            " << of(without)
              << " (it holds: it cannot know how machines differ)"
              << "\n  Serinus with " << past << " intervals of history         " << of(with)
              << "\n  and with 15 % more latency injected           " << of(found) << '\n';
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "usage: serinus-demo-machines MACHINES.csv FOLDER\n";
        return 2;
    }
    try {
        return run(argv[1], argv[2]);
    } catch (const std::exception& error) {
        std::cerr << "serinus-demo-machines: " << error.what() << '\n';
        return 2;
    }
}
