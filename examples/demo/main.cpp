// Rollouts made from real requests, with and without harm.
//
//     serinus-demo REQUESTS.csv FOLDER
//
// reads arrival times of real requests, sends each to the canary with probability 1/10 (fixed seed), lets requests fail
// independently at stated rates, and writes a plan and the data of three rollouts into FOLDER, for `serinus judge`.
// Then it replays them as a controller would see them, interval by interval, and shows beside it what a plain test
// would have said that is run again at every look.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <limits>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <serinus/core/error.hpp>
#include <serinus/core/reason.hpp>
#include <serinus/io/csv.hpp>
#include <serinus/io/plan.hpp>
#include <serinus/rollout/monitor.hpp>
#include <serinus/series/time.hpp>

namespace {

constexpr std::int64_t interval_ms = 10'000;
constexpr double error_rate = 0.03;
constexpr double injected = 3;  // times the error rate, in the bad canary

constexpr std::string_view plan_json = R"({
  "name": "real requests",
  "deployment": "demo-1",
  "alpha": 0.05,
  "interval": "10s",
  "stages": [{"traffic": 0.1, "min": "10m", "max": "1h"}],
  "metrics": [
    {"name": "errors", "kind": "proportion", "bad": "http_errors", "total": "http_requests",
     "harm": "increase", "margin": {"ratio": 1.5}, "detect": {"ratio": 3}}
  ]
}
)";

/// A random number for each request that depends on nothing but the seed and the request (SplitMix64).
class Random {
  public:
    explicit Random(std::uint64_t seed) : state_(seed) {}
    double uniform() {
        state_ += 0x9E3779B97F4A7C15U;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
        return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
    }

  private:
    std::uint64_t state_;
};

std::vector<std::int64_t> read_arrivals(const std::string& path) {
    std::ifstream file(path);
    std::vector<std::int64_t> times;
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line))
        times.push_back(serinus::to_ms(serinus::parse_time(line.substr(0, line.find(',')))));
    std::sort(times.begin(), times.end());
    return times;
}

/// Counts of each interval: [arm] of http_requests and http_errors.
struct Rollout {
    std::int64_t start_ms = 0;
    std::vector<double> requests[2], errors[2];

    std::size_t intervals() const { return requests[0].size(); }

    serinus::Batch batch(std::size_t from, std::size_t to, std::size_t canary_until) const {
        serinus::Batch batch;
        for (const serinus::Arm arm : {serinus::Arm::baseline, serinus::Arm::canary}) {
            const auto a = static_cast<std::size_t>(arm);
            for (const bool bad : {false, true}) {
                serinus::ArmSeries series;
                series.name = bad ? "http_errors" : "http_requests";
                series.arm = arm;
                for (std::size_t i = from; i < to; ++i) {
                    if (arm == serinus::Arm::canary && i >= canary_until) break;
                    series.series.times_ms.push_back(start_ms + static_cast<std::int64_t>(i) * interval_ms);
                    series.series.values.push_back(bad ? errors[a][i] : requests[a][i]);
                }
                batch.series.push_back(series);
            }
        }
        return batch;
    }
};

Rollout split(const std::vector<std::int64_t>& arrivals, std::uint64_t seed, double canary_rate) {
    Rollout rollout;
    rollout.start_ms = arrivals.front() / interval_ms * interval_ms;
    const auto count = static_cast<std::size_t>((arrivals.back() - rollout.start_ms) / interval_ms + 1);
    for (const std::size_t arm : {0U, 1U}) {
        rollout.requests[arm].assign(count, 0);
        rollout.errors[arm].assign(count, 0);
    }
    Random random(seed);
    for (const std::int64_t time : arrivals) {
        const auto i = static_cast<std::size_t>((time - rollout.start_ms) / interval_ms);
        const std::size_t arm = random.uniform() < 0.1 ? 1 : 0;
        rollout.requests[arm][i] += 1;
        rollout.errors[arm][i] += random.uniform() < (arm == 1 ? canary_rate : error_rate) ? 1 : 0;
    }
    return rollout;
}

/// What was decided first, and when; interval 0 means never.
struct Replay {
    std::size_t rolled_back = 0, promoted = 0;
    serinus::Action last = serinus::Action::hold;
};

Replay replay(const serinus::Plan& plan, const Rollout& rollout, std::size_t canary_until) {
    serinus::Monitor monitor(plan);
    Replay result;
    for (std::size_t i = 0; i < rollout.intervals(); ++i) {
        const std::int64_t now = rollout.start_ms + static_cast<std::int64_t>(i + 1) * interval_ms;
        result.last = monitor.observe(rollout.batch(i, i + 1, canary_until), now).action;
        if (result.last == serinus::Action::rollback && result.rolled_back == 0) result.rolled_back = i + 1;
        if (result.last == serinus::Action::promote && result.promoted == 0) result.promoted = i + 1;
    }
    return result;
}

/// The looks at which a plain one-sided z-test of the two totals so far has p < 0.05.
std::vector<std::size_t> plain_alarms(const Rollout& rollout) {
    double x[2] = {0, 0}, n[2] = {0, 0};
    std::vector<std::size_t> alarms;
    for (std::size_t i = 0; i < rollout.intervals(); ++i) {
        for (const std::size_t arm : {0U, 1U}) {
            x[arm] += rollout.errors[arm][i];
            n[arm] += rollout.requests[arm][i];
        }
        const double p = (x[0] + x[1]) / (n[0] + n[1]);
        const double z = (x[1] / n[1] - x[0] / n[0]) / std::sqrt(p * (1 - p) * (1 / n[0] + 1 / n[1]));
        if (z > 1.6448536269514722) alarms.push_back(i + 1);
    }
    return alarms;
}

std::string minutes(std::size_t intervals) {
    return serinus::number_text(static_cast<double>(intervals) * interval_ms / 60'000, 3) + " minutes";
}

void write(const std::string& path, const std::string& content) {
    std::ofstream file(path, std::ios::binary);
    file << content;
    if (!file) throw std::runtime_error("cannot write " + path);
}

int run(const std::string& requests, const std::string& folder) {
    const serinus::Plan plan = serinus::io::read_plan(plan_json);
    const std::vector<std::int64_t> arrivals = read_arrivals(requests);
    if (arrivals.empty()) throw std::runtime_error("no requests in " + requests);
    constexpr std::uint64_t seed = 1;
    const Rollout good = split(arrivals, seed, error_rate), bad = split(arrivals, seed, injected * error_rate);
    const std::size_t all = good.intervals(), cut = all / 4;

    write(folder + "/plan.json", std::string(plan_json));
    write(folder + "/good.csv", serinus::io::write_csv(good.batch(0, all, all)));
    write(folder + "/harmful.csv", serinus::io::write_csv(bad.batch(0, all, all)));
    write(folder + "/cut_off.csv", serinus::io::write_csv(good.batch(0, all, cut)));

    std::cout << arrivals.size() << " real requests in " << minutes(all)
              << ", a tenth of them to the canary; each fails with\n"
              << "probability " << 100 * error_rate << " %, in the harmful canary with " << 100 * injected * error_rate
              << " % (injected). Judged every 10 seconds, " << all << " looks:\n\n";
    const auto line = [](const char* what, const std::string& outcome) {
        std::printf("  %-28s %s\n", what, outcome.c_str());
    };
    const Replay on_good = replay(plan, good, all), on_bad = replay(plan, bad, all), on_cut = replay(plan, good, cut);
    line("good canary", on_good.rolled_back ? "rolled back after " + minutes(on_good.rolled_back)
                        : on_good.promoted  ? "ready to promote after " + minutes(on_good.promoted)
                                            : "held");
    line("errors times three", on_bad.rolled_back ? "rolled back after " + minutes(on_bad.rolled_back) : "not found");
    line("canary's telemetry cut off",
         std::string(serinus::word(on_cut.last)) + " (it went silent after " + minutes(cut) + ")");

    const std::vector<std::size_t> alarms = plain_alarms(good);
    std::cout << "\nA plain z-test at 5 %, run again at every look, of the same good canary: ";
    if (alarms.empty()) {
        std::cout << "no alarm this time.\n";
    } else {
        std::cout << "alarm at " << alarms.size() << " of " << all << " looks, the first after "
                  << minutes(alarms.front()) << ".\n";
    }
    constexpr int repetitions = 300;
    int plain = 0, ours = 0, promoted = 0;
    for (int i = 0; i < repetitions; ++i) {
        const Rollout other = split(arrivals, 1000 + static_cast<std::uint64_t>(i), error_rate);
        plain += plain_alarms(other).empty() ? 0 : 1;
        const Replay result = replay(plan, other, other.intervals());
        ours += result.rolled_back ? 1 : 0;
        promoted += result.promoted ? 1 : 0;
    }
    const auto percent = [](int part) { return serinus::number_text(100.0 * part / repetitions, 3) + " %"; };
    std::cout << "Of " << repetitions << " good canaries made from these requests the plain test would have stopped "
              << percent(plain) << ";\nSerinus rolled back " << percent(ours)
              << " (promised: at most 5 %) and was ready to promote " << percent(promoted) << ".\n";
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "usage: serinus-demo REQUESTS.csv FOLDER\n";
        return 2;
    }
    try {
        return run(argv[1], argv[2]);
    } catch (const std::exception& error) {
        std::cerr << "serinus-demo: " << error.what() << '\n';
        return 2;
    }
}
