#pragma once
/// \file
/// Worlds of pods that count their requests and errors, and what of it somebody sees who scrapes them: the series of
/// two arms with all that goes wrong on the way, drawn by seed.
///
/// A pod serves requests at a Poisson rate, each of which fails by itself; its counters are scraped at some period. What
/// a world says of losses, dips, births and replicas changes what is seen, never what happened.

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <serinus/rollout/batch.hpp>
#include <serinus/rollout/plan.hpp>

namespace serinus::intake_worlds {

using Random = std::mt19937_64;

constexpr std::int64_t second = 1000, minute = 60 * second;
/// When the canary is rolled out.
constexpr std::int64_t epoch = 1'800'000'000 * second;

/// Two members where an arm has its own: baseline, canary.
template <class T>
using Each = std::array<T, 2>;

struct World {
    std::string what;

    // ---- what happens
    double rate = 0.01;                   ///< of the baseline's requests that fail
    double ratio = 1;                     ///< the canary's rate over it
    Each<double> requests{900, 100};      ///< mean of an arm in ten seconds
    Each<int> pods{1, 1};                 ///< that share an arm's requests evenly
    Each<double> past{300'000, 0};        ///< requests that an arm's pods have counted before
    std::int64_t minutes = 40;            ///< of rollout
    std::int64_t before = 0;              ///< of the baseline alone, in ms
    std::int64_t life = 0;                ///< of a pod, in ms, the pods' ages staggered; 0: they stay
    int crashing = 0;                     ///< pods of the canary that crash again and again ...
    std::int64_t crash_life = 0;          ///< ... after this time, in ms
    double crash_rate = 0;                ///< and this share of their requests fails
    double dispersion = 1;                ///< errors vary this many times as much as independent ones
    std::optional<std::int64_t> stopped;  ///< the canary has no request from here on, in ms after the epoch

    // ---- what is counted under which labels
    int paths = 1;            ///< label sets of errors, each a half as frequent as the one before
    bool totals_too = false;  ///< requests are labelled by path and code
    bool born = false;        ///< a series exists from the first time that it counts
    bool by_pod = false;      ///< series name their pods; else they are summed by arm over the pods that live
    bool starts_known = false;

    // ---- what is seen of it
    std::int64_t scrape = 10 * second;
    std::int64_t arms_apart = 0;   ///< the canary is scraped so much later, in ms
    std::int64_t roles_apart = 0;  ///< errors are scraped so much later than requests, in ms
    bool own_phases = false;       ///< every pod is scraped at a phase of its own
    std::int64_t jitter = 0;       ///< every scrape is up to so much late, in ms
    Each<double> lost{};           ///< share of scrapes
    Each<double> lost_bad{};       ///< share of the samples of errors
    int lost_samples = 0;          ///< single samples of errors, anywhere
    int dips = 0;                  ///< samples that read less than one before
    double dip_by = 1;             ///< so much less; 0: what was read two scrapes before
    int dip_of = 0;             ///< 0: the canary's requests, 1: its errors, 2 and 3: the baseline's, -1: any of them
    int zeros = 0;              ///< scrapes of the canary that read 0 in every series
    int replicas = 1;           ///< collectors of each series
    bool replicas_told = true;  ///< by a label that the plan knows
    std::int64_t replica_apart = 0;      ///< the next replica reads so much later, in ms
    bool replicas_fail = false;          ///< each is away for ten minutes
    bool exchanged = false;              ///< each arm is called the other
    std::optional<std::int64_t> silent;  ///< nothing is seen of the canary from here on, in ms after the epoch
    std::optional<std::int64_t> found;   ///< a pod of the canary is seen from here on only, in ms after the epoch ...
    double found_requests = 1e6;         ///< ... that has counted so many requests before
    double found_rate = 0.05;            ///< and so many errors among them

    // ---- the plan
    double margin = 1.5;
    std::int64_t interval = 10 * second;
    std::int64_t settle = 0, warm_up = 0;
    std::int64_t least = 20 * minute;
    double traffic = 0.1;
    Missing missing = Missing::hold;
    bool stage_told = false;
};

/// What happened in the rollout, by arm.
struct Truth {
    Each<double> requests{}, errors{};
};

inline Plan plan_of(const World& world) {
    Plan plan;
    plan.name = "simulation";
    using std::chrono::milliseconds;
    plan.interval = milliseconds(world.interval);
    plan.settle = milliseconds(world.settle);
    plan.warm_up = milliseconds(world.warm_up);
    plan.stages.push_back({.traffic = world.traffic, .min = milliseconds(world.least)});
    Metric& metric = plan.metrics.emplace_back();
    metric.name = "errors";
    metric.bad = "bad";
    metric.total = "requests";
    metric.counter = true;
    metric.margin = {.ratio = world.margin, .difference = {}};
    metric.missing = world.missing;
    if (world.dispersion > 1) plan.noise["errors"].dispersion = world.dispersion;
    return plan;
}

namespace detail {

struct Pod {
    Arm arm = Arm::baseline;
    std::string name;
    std::int64_t born = 0, dies = 0;  ///< it counts in between
    std::int64_t seen = 0;            ///< from here on
    double requests = 0;              ///< mean in ten seconds
    double rate = 0;
    double past = 0, past_rate = 0;  ///< requests that it has counted when it begins
};

/// What a pod has counted: by path, what failed and what did not.
struct Counted {
    std::vector<double> good, bad;
};

constexpr std::int64_t ever = std::numeric_limits<std::int64_t>::max();

inline std::vector<Pod> pods_of(const World& world, Random& random) {
    std::vector<Pod> pods;
    const std::int64_t first = epoch - world.before - world.scrape, end = epoch + world.minutes * minute + minute;
    for (const Arm arm : {Arm::baseline, Arm::canary}) {
        const auto at = static_cast<std::size_t>(arm);
        const std::int64_t begins = arm == Arm::baseline ? first : epoch - world.scrape / 2;
        const double rate = world.rate * (arm == Arm::canary ? world.ratio : 1);
        for (int i = 0; i < world.pods[at]; ++i) {
            Pod pod;
            pod.arm = arm;
            pod.requests = world.requests[at] / world.pods[at];
            pod.rate = pod.past_rate = rate;
            const bool crashes = arm == Arm::canary && i < world.crashing;
            if (crashes) pod.rate = world.crash_rate;
            const std::int64_t life = crashes ? world.crash_life : world.life;
            std::int64_t from = begins;
            pod.past = world.past[at] / world.pods[at];
            const std::string name = std::string(word(arm)) + "-" + std::to_string(i);
            for (int generation = 0; from < end; ++generation) {
                pod.name = name + (life > 0 ? "-" + std::to_string(generation) : "");
                pod.born = pod.seen = from;
                pod.dies = ever;
                if (life > 0) {
                    // The first generation is of any age.
                    const std::int64_t whole = life - (generation == 0 && !crashes ? life * i / world.pods[at] : 0);
                    // Which moment between two scrapes it is is a matter of luck.
                    const auto luck = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(world.scrape));
                    pod.dies = from + std::max(world.scrape, whole - world.scrape / 2 + luck);
                }
                pods.push_back(pod);
                if (life == 0) break;
                from = pod.dies;
                pod.past = 0;
            }
        }
        if (arm == Arm::canary && world.found) {
            Pod pod;
            pod.arm = arm;
            pod.name = "canary-old";
            pod.born = begins;
            pod.dies = ever;
            pod.seen = epoch + *world.found;
            pod.requests = world.requests[at] / world.pods[at];
            pod.rate = rate;
            pod.past = world.found_requests;
            pod.past_rate = world.found_rate;
            pods.push_back(pod);
        }
    }
    return pods;
}

inline std::string label(const World& world, std::size_t path, const char* code) {
    if (world.paths == 1 && !code) return {};
    std::string text = code ? "code=\"" + std::string(code) + "\"" : std::string();
    if (world.paths > 1) text += std::string(code ? "," : "") + "path=\"/" + std::to_string(path) + "\"";
    return "{" + text + "}";
}

/// What is seen of one series: by time, the value and since when it counts.
struct Seen {
    double value = 0;
    std::int64_t start = 0;
};
using Key = std::tuple<std::string, Arm, std::string, std::string>;  // name, arm, pod, labels
using Sights = std::map<Key, std::map<std::int64_t, Seen>>;

/// The times of an arm's scrapes: phase, and whether each is lost.
struct Scrape {
    std::int64_t at = 0;
    bool lost = false;
};

inline std::vector<Scrape> scrapes_of(const World& world, Arm arm, std::int64_t phase, Random& random) {
    std::vector<Scrape> scrapes;
    const auto of = static_cast<std::size_t>(arm);
    const std::int64_t from = arm == Arm::baseline ? epoch - world.before : epoch;
    const std::int64_t end = epoch + world.minutes * minute;
    std::bernoulli_distribution lost(world.lost[of]);
    for (std::int64_t at = from + phase; at < end; at += world.scrape) {
        const std::int64_t late =
            world.jitter > 0 ? static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(world.jitter)) : 0;
        const bool silent = arm == Arm::canary && world.silent && at >= epoch + *world.silent;
        scrapes.push_back({at + late, lost(random) || silent});
    }
    return scrapes;
}

inline double poisson(double mean, Random& random) {
    return mean > 0 ? static_cast<double>(std::poisson_distribution<std::int64_t>(mean)(random)) : 0;
}

/// What a pod has counted at each of these times, in order.
inline std::map<std::int64_t, Counted> count(const World& world, const Pod& pod, const std::set<std::int64_t>& times,
                                             const std::vector<double>& swings, Random& random) {
    const auto paths = static_cast<std::size_t>(world.paths);
    std::vector<double> part(paths);
    double all = 0;
    for (std::size_t k = 0; k < paths; ++k) all += part[k] = 1.0 / static_cast<double>(1ULL << k);
    Counted now;
    for (std::size_t k = 0; k < paths; ++k) {
        part[k] /= all;
        now.bad.push_back(std::round(pod.past * pod.past_rate * part[k]));
        now.good.push_back(std::round(pod.past * part[k]) - now.bad.back());
    }
    std::map<std::int64_t, Counted> counted;
    std::int64_t last = pod.born;
    for (const std::int64_t at : times) {
        std::int64_t until = at;
        if (pod.arm == Arm::canary && world.stopped) until = std::min(until, std::max(last, epoch + *world.stopped));
        const double requests = pod.requests * static_cast<double>(until - last) / (10.0 * second);
        double rate = pod.rate;
        if (!swings.empty()) {
            const std::int64_t k = (at - 1 - (epoch - world.before)) / world.interval + 1;
            rate = std::min(1.0, rate * swings[static_cast<std::size_t>(std::max<std::int64_t>(0, k)) % swings.size()]);
        }
        for (std::size_t k = 0; k < paths; ++k) {
            now.bad[k] += poisson(requests * rate * part[k], random);
            now.good[k] += poisson(requests * (1 - rate) * part[k], random);
        }
        last = at;
        counted.emplace(at, now);
    }
    return counted;
}

/// How the rate of an arm's errors varies by interval about its mean, beyond luck.
inline std::vector<double> swings_of(const World& world, Arm arm, Random& random) {
    if (!(world.dispersion > 1)) return {};
    const auto at = static_cast<std::size_t>(arm);
    const double intervals = static_cast<double>(world.interval) / (10.0 * second);
    const double errors = world.requests[at] * intervals * world.rate * (arm == Arm::canary ? world.ratio : 1);
    const double spread = (world.dispersion - 1) / errors;
    std::gamma_distribution<double> swing(1 / spread, spread);
    std::vector<double> swings;
    for (std::int64_t k = 0; k < (world.minutes * minute + world.before) / world.interval + 2; ++k)
        swings.push_back(swing(random));
    return swings;
}

inline void see(const World& world, Sights& sights, Arm arm, const std::string& name, const Counted& counted,
                std::int64_t start, std::int64_t at, bool bad) {
    const auto put = [&](const std::string& labels, double value) {
        if (world.born && !(value > 0)) return;
        sights[Key{bad ? "bad" : "requests", arm, name, labels}][at] = {value, start};
    };
    double all = 0;
    for (std::size_t k = 0; k < counted.bad.size(); ++k) {
        if (bad) put(label(world, k, world.totals_too ? "500" : nullptr), counted.bad[k]);
        if (!bad && world.totals_too) {
            put(label(world, k, "500"), counted.bad[k]);
            put(label(world, k, "200"), counted.good[k]);
        }
        all += counted.bad[k] + counted.good[k];
    }
    if (!bad && !world.totals_too) put({}, all);
}

/// What a pod served in the rollout since it was there to be seen: requests, and errors among them.
inline void add_truth(Truth& truth, const Pod& pod, const std::map<std::int64_t, Counted>& counted) {
    auto first = counted.lower_bound(epoch);
    if (first == counted.end()) return;
    const auto sums = [](const Counted& of) {
        Each<double> sum{};
        for (std::size_t k = 0; k < of.good.size(); ++k) {
            sum[0] += of.good[k] + of.bad[k];
            sum[1] += of.bad[k];
        }
        return sum;
    };
    const bool fresh = pod.born >= epoch;  // all that it counts is new
    const Each<double> from = fresh ? Each<double>{} : sums(first->second), to = sums(std::prev(counted.end())->second);
    truth.requests[static_cast<std::size_t>(pod.arm)] += to[0] - from[0];
    truth.errors[static_cast<std::size_t>(pod.arm)] += to[1] - from[1];
}

/// All that the counters read, before anything goes wrong with it.
inline Sights sights_of(const World& world, Random& random, Truth& truth) {
    Sights sights;
    const std::vector<Pod> pods = pods_of(world, random);
    for (const Arm arm : {Arm::baseline, Arm::canary}) {
        const std::vector<double> swings = swings_of(world, arm, random);
        const std::int64_t phase = arm == Arm::canary ? world.arms_apart : 0;
        std::vector<Scrape> scrapes = scrapes_of(world, arm, phase, random);
        std::map<std::int64_t, Counted> sums;  // over the pods that live
        for (const Pod& pod : pods) {
            if (pod.arm != arm) continue;
            if (world.by_pod) {
                const auto own = world.own_phases
                                     ? static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(world.scrape))
                                     : phase;
                scrapes = scrapes_of(world, arm, own, random);
            }
            std::set<std::int64_t> times;
            const auto lives = [&](std::int64_t at) { return at >= pod.seen && at < pod.dies; };
            for (const Scrape& scrape : scrapes) {
                for (const std::int64_t at : {scrape.at, scrape.at + world.roles_apart}) {
                    if (lives(at)) times.insert(at);
                }
            }
            const auto counted = count(world, pod, times, swings, random);
            add_truth(truth, pod, counted);
            if (!world.by_pod) {
                for (const auto& [at, of] : counted) {
                    Counted& sum = sums[at];
                    sum.good.resize(of.good.size());
                    sum.bad.resize(of.bad.size());
                    for (std::size_t k = 0; k < of.good.size(); ++k) {
                        sum.good[k] += of.good[k];
                        sum.bad[k] += of.bad[k];
                    }
                }
                continue;
            }
            std::bernoulli_distribution lost_bad(world.lost_bad[static_cast<std::size_t>(arm)]);
            const std::int64_t start = pod.past > 0 ? epoch - 24 * 60 * minute : pod.born;
            for (const Scrape& scrape : scrapes) {
                if (scrape.lost) continue;
                if (lives(scrape.at)) see(world, sights, arm, pod.name, counted.at(scrape.at), start, scrape.at, false);
                const std::int64_t late = scrape.at + world.roles_apart;
                if (lives(late) && !lost_bad(random))
                    see(world, sights, arm, pod.name, counted.at(late), start, late, true);
            }
        }
        if (world.by_pod) continue;
        std::bernoulli_distribution lost_bad(world.lost_bad[static_cast<std::size_t>(arm)]);
        for (const Scrape& scrape : scrapes) {
            if (scrape.lost) continue;
            if (const auto at = sums.find(scrape.at); at != sums.end())
                see(world, sights, arm, "", at->second, 0, at->first, false);
            if (const auto at = sums.find(scrape.at + world.roles_apart); at != sums.end() && !lost_bad(random))
                see(world, sights, arm, "", at->second, 0, at->first, true);
        }
    }
    return sights;
}

inline std::size_t any(std::size_t n, Random& random) { return static_cast<std::size_t>(random() % n); }

/// Single samples that are lost, and such as read less than one before.
inline void spoil(const World& world, Sights& sights, Random& random) {
    std::vector<Key> keys;
    for (const auto& [key, seen] : sights) {
        if (seen.size() > 20) keys.push_back(key);
    }
    const auto pick = [&](const std::string& name, std::optional<Arm> arm) -> std::map<std::int64_t, Seen>* {
        std::vector<Key> fit;
        for (const Key& key : keys) {
            if (std::get<0>(key) == name && (!arm || std::get<1>(key) == *arm)) fit.push_back(key);
        }
        return fit.empty() ? nullptr : &sights[fit[any(fit.size(), random)]];
    };
    for (int i = 0; i < world.lost_samples; ++i) {
        if (auto* const seen = pick("bad", std::nullopt))
            seen->erase(std::next(seen->begin(), static_cast<std::ptrdiff_t>(1 + any(seen->size() - 2, random))));
    }
    for (int i = 0; i < world.zeros; ++i) {
        const auto* const seen = pick("requests", Arm::canary);
        if (!seen) continue;
        const auto when =
            std::next(seen->begin(), static_cast<std::ptrdiff_t>(1 + any(seen->size() - 2, random)))->first;
        for (auto& [key, of] : sights) {
            const auto sight = of.find(when);
            if (std::get<Arm>(key) == Arm::canary && sight != of.end()) sight->second.value = 0;
        }
    }
    for (int i = 0; i < world.dips; ++i) {
        const int of = world.dip_of < 0 ? static_cast<int>(any(4, random)) : world.dip_of;
        auto* const seen = pick(of % 2 == 0 ? "requests" : "bad", of < 2 ? Arm::canary : Arm::baseline);
        if (!seen) continue;
        const auto dip = std::next(seen->begin(), static_cast<std::ptrdiff_t>(2 + any(seen->size() - 3, random)));
        const double before = std::prev(dip)->second.value;
        dip->second.value = world.dip_by > 0 ? std::max(0.0, before - world.dip_by) : std::prev(dip, 2)->second.value;
    }
}

}  // namespace detail

/// All that is seen of a world, by seed, and what is true of it.
inline std::pair<Batch, Truth> seen_of(const World& world, std::uint64_t seed) {
    Random random(seed);
    std::pair<Batch, Truth> seen;
    auto& [batch, truth] = seen;
    detail::Sights sights = detail::sights_of(world, random, truth);
    detail::spoil(world, sights, random);
    if (world.stage_told) batch.stages.push_back({1, epoch});
    for (const auto& [key, sights_of_one] : sights) {
        const auto& [name, arm, pod, labels] = key;
        for (int replica = 0; replica < world.replicas; ++replica) {
            ArmSeries& out = batch.series.emplace_back();
            out.name = name;
            out.arm = world.exchanged ? (arm == Arm::canary ? Arm::baseline : Arm::canary) : arm;
            out.labels = labels;
            const std::string called = "prometheus-" + std::to_string(replica);
            if (world.replicas > 1 && world.replicas_told) out.replica = called;
            if (world.replicas > 1 && !world.replicas_told) {
                const std::string inner = labels.empty() ? "" : labels.substr(1, labels.size() - 2) + ",";
                out.labels = "{" + inner + "prom=\"" + called + "\"}";
            }
            out.series.instance = pod;
            const std::int64_t away = epoch + (5 + 11 * replica) * minute;
            for (const auto& [at, sight] : sights_of_one) {
                if (world.replicas_fail && at >= away && at < away + 10 * minute) continue;
                out.series.times_ms.push_back(at + replica * world.replica_apart);
                out.series.values.push_back(sight.value);
                if (world.starts_known && !pod.empty()) out.series.starts_ms.push_back(sight.start);
            }
        }
    }
    return seen;
}

inline Batch batch_of(const World& world, std::uint64_t seed) { return seen_of(world, seed).first; }

}  // namespace serinus::intake_worlds
