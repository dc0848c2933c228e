#pragma once
// A service that is measured by metrics of every kind at once, and what its data look like when they are not as one
// would like them: for simulations of whole rollouts. Seeds fixed; one more kind is one more line of `metrics()`.

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <serinus/rollout/batch.hpp>
#include <serinus/rollout/plan.hpp>

namespace mixed_world {

using namespace serinus;
using Random = std::mt19937_64;

inline constexpr std::int64_t interval = 10'000;
inline constexpr double requests = 2000;  // of both arms in an interval

inline double normal(Random& random) { return std::normal_distribution<double>()(random); }
inline double uniform(Random& random) { return std::uniform_real_distribution<double>()(random); }

/// How noise depends from one interval to the next, and what else is in the data.
struct Family {
    std::string name = "iid";
    std::string noise = "ar";  // sig: half of it white; ma: a moving mean of 8
    double phi = 0;
    double tail = 0;        // Student's t with so many degrees of freedom; 0: normal
    double dispersion = 1;  // of counts, by the interval
    double drift = 0;       // of the logarithm of everything, both arms alike
    double missing = 0;     // share of scrapes of an arm that never come
    bool restarts = false;  // both arms, one after the other: counters fall, two scrapes are lost
    double late = 0;        // share of scrapes that come three intervals later
};

/// Of variance 1, one value an interval.
class Noise {
  public:
    Noise(const Family& family, Random& random) : family_(family), state_(normal(random)) {
        for (double& value : last_) value = normal(random);
    }
    double next(Random& random) {
        double value = 0;
        if (family_.noise == "ma") {
            last_[at_++ % last_.size()] = normal(random);
            for (const double of : last_) value += of / std::sqrt(static_cast<double>(last_.size()));
        } else {
            state_ = family_.phi * state_ + std::sqrt(1 - family_.phi * family_.phi) * normal(random);
            value = family_.noise == "sig" ? (state_ + normal(random)) / std::sqrt(2.0) : state_;
        }
        if (!(family_.tail > 0)) return value;
        const double chi = std::chi_squared_distribution<double>(family_.tail)(random) / family_.tail;
        return value / std::sqrt(chi) * std::sqrt((family_.tail - 2) / family_.tail);
    }

  private:
    Family family_;
    double state_;
    std::array<double, 8> last_{};
    std::size_t at_ = 0;
};

/// What an arm does in one interval.
struct Moment {
    double requests = 0;  // of the arm
    double share = 0;     // of the traffic
    double drift = 1;     // both arms' factor
    double noise = 0;     // of the metric in this arm
    double times = 1;     // how much worse than the baseline this metric is, as a ratio
    const Family& family;
    Random& random;

    double count(double mean) const {
        if (!(mean > 0)) return 0;
        const double phi = family.dispersion;
        if (phi > 1) mean = std::gamma_distribution<double>(mean / (phi - 1), phi - 1)(random);
        return mean > 0 ? static_cast<double>(std::poisson_distribution<int>(mean)(random)) : 0;
    }
};

/// A metric: how a plan has it, and the values of its series in one interval, in the order of `series_of`. Of a histogram
/// the values are the counts of its `buckets`, of a sample the single observations.
struct Measured {
    std::function<void(Metric&)> declare;
    std::function<std::vector<double>(const Moment&)> values;
    std::vector<HistogramBucket> buckets = {};
};

/// Counts fluctuate as gauges do where these depend on what was before, and a history teaches it.
inline double wavering(const Moment& at) { return at.drift * (at.family.phi > 0 ? std::exp(0.2 * at.noise) : 1); }

inline Measured errors() {
    return {[](Metric& metric) {
                metric.name = "errors";
                metric.bad = "errors";
                metric.total = "requests";
                metric.counter = true;
                metric.margin = {.ratio = 1.5};
            },
            [](const Moment& at) {
                const double bad = at.count(0.01 * at.requests * at.times * wavering(at));
                return std::vector{std::min(bad, at.requests), at.requests};
            }};
}
inline Measured timeouts() {
    return {[](Metric& metric) {
                metric.name = "timeouts";
                metric.bad = "timeouts";
                metric.total = "calls";
                metric.margin = {.ratio = 1.5, .difference = {}, .floor = 0.001};
                metric.detect = Margin{.ratio = 3, .difference = {}, .floor = 0.005};
            },
            [](const Moment& at) {
                double p = 0.0005 * wavering(at);
                if (at.times > 1) p = std::max(1.5 * p, p + 0.001);
                return std::vector{std::min(at.count(p * at.requests), at.requests), at.requests};
            }};
}
inline Measured crashes() {
    return {[](Metric& metric) {
                metric.name = "crashes";
                metric.kind = Kind::rate;
                metric.events = "crashes";
                metric.exposure = "pod_minutes";
                metric.margin = {.ratio = 1.5};
                metric.detect = Margin{.ratio = 3};
            },
            [](const Moment& at) {
                const double minutes = 40 * at.share;
                return std::vector{at.count(0.5 * minutes * at.times * wavering(at)), minutes};
            }};
}
inline Measured latency() {
    return {[](Metric& metric) {
                metric.name = "latency";
                metric.kind = Kind::gauge;
                metric.series = "latency_p95";
                metric.margin = {.ratio = 1.05};
                metric.detect = Margin{.ratio = 1.15};
            },
            [](const Moment& at) { return std::vector{120 * at.drift * at.times * std::exp(0.05 * at.noise)}; }};
}
inline Measured cpu() {
    return {[](Metric& metric) {
                metric.name = "cpu";
                metric.kind = Kind::ratio;
                metric.numerator = "cpu_seconds";
                metric.denominator = "served";
                metric.counter = true;
                metric.margin = {.ratio = 1.1};
                metric.detect = Margin{.ratio = 1.3};
            },
            [](const Moment& at) {
                return std::vector{at.requests * 0.03 * at.times * std::exp(0.1 * at.noise), at.requests};
            }};
}
inline Measured queue() {
    return {[](Metric& metric) {
                metric.name = "queue";
                metric.kind = Kind::gauge;
                metric.series = "queue_length";
                metric.margin = {.ratio = 1.5, .difference = {}, .floor = 10};
            },
            [](const Moment& at) {
                const double length = 5 * at.drift * std::exp(0.3 * at.noise);
                return std::vector{at.times > 1 ? std::max(1.5 * length, length + 10) : length};
            }};
}

/// What observations of an arm share in an interval, beside their own law.
inline double shifted(const Moment& at) { return at.drift * at.times * std::exp(0.02 * at.noise); }

/// Every request's duration: log-normal, in the buckets of a native histogram of schema 3 (9 % apart).
inline Measured duration() {
    Measured measured;
    measured.declare = [](Metric& metric) {
        metric.name = "duration";
        metric.kind = Kind::histogram;
        metric.series = "duration_seconds";
        metric.quantile = {0.5, 0.95};
        metric.counter = true;
        metric.margin = {.ratio = 1.25};
        metric.detect = Margin{.ratio = 1.6};
    };
    constexpr int schema = 3, first = -48, last = 16;  // .016 to 4 seconds
    for (int i = first; i <= last; ++i)
        measured.buckets.push_back({exponential_bucket_end(schema, i - 1), exponential_bucket_end(schema, i), 0});
    measured.values = [buckets = measured.buckets](const Moment& at) {
        const double middle = 0.2 * shifted(at);
        const auto below = [&](double x) { return 0.5 * std::erfc(-std::log(x / middle) / 0.5 / std::sqrt(2.0)); };
        std::vector<double> counts;
        double before = 0;
        for (const HistogramBucket& bucket : buckets) {
            const double here = below(bucket.upper);
            counts.push_back(at.count(at.requests * (here - before)));
            before = here;
        }
        return counts;
    };
    return measured;
}

/// The sizes of a tenth of the answers, one by one: log-normal.
inline Measured sizes() {
    return {[](Metric& metric) {
                metric.name = "sizes";
                metric.kind = Kind::sample;
                metric.series = "answer_kilobytes";
                metric.quantile = {0.9};
                metric.margin = {.ratio = 1.5};
                metric.detect = Margin{.ratio = 2.5};
            },
            [](const Moment& at) {
                std::vector<double> values(static_cast<std::size_t>(at.count(0.1 * at.requests)));
                const double middle = 40 * shifted(at);
                for (double& value : values) value = middle * std::exp(0.5 * normal(at.random));
                return values;
            }};
}

/// All of them. A further kind: its function, and here its name.
inline std::vector<Measured> metrics() {
    return {errors(), timeouts(), crashes(), latency(), cpu(), queue(), duration(), sizes()};
}

inline constexpr std::size_t nobody = static_cast<std::size_t>(-1);

/// The plan of all metrics: three stages, and an objective. `observations`: those that are judged by single observations
/// as well, whose states are larger.
inline Plan plan(bool observations = true) {
    Plan plan;
    plan.name = "checkout";
    plan.deployment = "checkout-1";
    plan.interval = std::chrono::milliseconds(interval);
    plan.warm_up = std::chrono::seconds(30);
    plan.settle = std::chrono::seconds(30);
    for (const double traffic : {0.05, 0.2, 0.5})
        plan.stages.push_back({.traffic = traffic, .min = std::chrono::minutes(3), .max = std::chrono::minutes(10)});
    for (const Measured& one : metrics()) one.declare(plan.metrics.emplace_back());
    if (!observations) std::erase_if(plan.metrics, [](const Metric& metric) { return !metric.quantile.empty(); });
    SloRule& rule = plan.slo.emplace_back();
    rule.objective.name = "availability";
    rule.objective.budget = 0.02;
    rule.objective.expected_events = requests * 6 * 60 * 24 * 30;
    rule.metric = "errors";
    // With more metrics the objective's part of alpha is smaller, and the bound that it is judged by further away.
    if (observations) rule.max_budget_per_release = 1;
    return plan;
}

/// The data of one service, interval by interval.
class Service {
  public:
    /// `times`: by metric, how much worse the canary is, as a ratio; of a floor anything above 1 is its edge.
    Service(const Plan& plan, Family family, std::vector<double> times, Random& random)
        : plan_(plan), family_(std::move(family)), times_(std::move(times)), random_(random), measured_(metrics()) {
        times_.resize(measured_.size(), 1);
        for (std::size_t m = 0; m < measured_.size(); ++m) {
            for (std::size_t arm = 0; arm < 2; ++arm) noise_[arm].emplace_back(family_, random_);
        }
        for (const Metric& metric : plan_.metrics) sums_.emplace_back(series_of(metric).size());
        for (auto& of : sums_) {
            for (auto& sum : of) sum = {1e5, 1e4};
        }
        for (const Measured& measured : measured_)
            counted_.push_back(
                {std::vector<double>(measured.buckets.size()), std::vector<double>(measured.buckets.size())});
    }

    /// What a scrape after interval t brings, the canary having that share of the traffic; of scrapes that are late
    /// what comes now.
    Batch next(double share) {
        Batch batch;
        const auto t = static_cast<double>(t_);
        const double drift = std::exp(family_.drift * std::sin(t / 30));
        for (const Arm arm : {Arm::baseline, Arm::canary}) {
            const auto a = static_cast<std::size_t>(arm);
            const double of_arm = arm == Arm::canary ? share : 1 - share;
            const bool restarted = family_.restarts && t_ == (arm == Arm::canary ? 80 : 120);
            const bool down = family_.restarts && (t_ == (arm == Arm::canary ? 79 : 119) || restarted);
            const bool lost = down || uniform(random_) < family_.missing;
            Scrape scrape;
            for (std::size_t m = 0; m < plan_.metrics.size(); ++m) {
                const Metric& metric = plan_.metrics[m];
                const double noise = noise_[a][m].next(random_);
                const std::vector<double> values = measured_[m].values({.requests = std::round(requests * of_arm),
                                                                        .share = of_arm,
                                                                        .drift = drift,
                                                                        .noise = noise,
                                                                        .times = arm == Arm::canary ? times_[m] : 1,
                                                                        .family = family_,
                                                                        .random = random_});
                const std::vector<std::string> names = series_of(metric);
                if (metric.kind == Kind::histogram) {
                    scrape.histograms.push_back(
                        histogram(metric, arm, measured_[m], values, counted_[m][a], restarted));
                    continue;
                }
                if (metric.kind == Kind::sample) {
                    const std::vector<std::int64_t> times(values.size(), t_ * interval + interval / 2);
                    scrape.series.push_back(
                        {names[0], arm, std::numeric_limits<double>::quiet_NaN(), {times, values, ""}});
                    continue;
                }
                for (std::size_t s = 0; s < names.size(); ++s) {
                    double& sum = sums_[m][s][a];
                    if (restarted) sum = 0;
                    sum += values[s];
                    const std::int64_t at = t_ * interval + (metric.counter ? interval : interval / 2);
                    scrape.series.push_back({names[s],
                                             arm,
                                             std::numeric_limits<double>::quiet_NaN(),
                                             {{at}, {metric.counter ? sum : values[s]}, ""}});
                }
            }
            auto& waiting = waiting_[a];
            if (!lost) {
                const std::int64_t comes = t_ + (uniform(random_) < family_.late ? 3 : 0);
                waiting.emplace_back(comes, std::move(scrape));
            }
            for (auto& [comes, of] : waiting) {
                if (comes > t_) continue;
                for (ArmSeries& series : of.series) batch.series.push_back(std::move(series));
                for (ArmHistogram& series : of.histograms) batch.histograms.push_back(std::move(series));
            }
            std::erase_if(waiting, [&](const auto& one) { return one.first <= t_; });
        }
        ++t_;
        return batch;
    }
    std::int64_t now_ms() const { return t_ * interval; }

  private:
    struct Scrape {
        std::vector<ArmSeries> series;
        std::vector<ArmHistogram> histograms;
    };

    /// What a process has counted since it began: `counts` more than `so_far`.
    ArmHistogram histogram(const Metric& metric, Arm arm, const Measured& measured, const std::vector<double>& counts,
                           std::vector<double>& so_far, bool restarted) const {
        if (restarted) std::fill(so_far.begin(), so_far.end(), 0);
        HistogramSample sample;
        for (std::size_t b = 0; b < counts.size(); ++b) {
            so_far[b] += counts[b];
            sample.count += so_far[b];
            if (!(so_far[b] > 0)) continue;
            sample.buckets.push_back(measured.buckets[b]);
            sample.buckets.back().count = so_far[b];
        }
        ArmHistogram of;
        of.name = metric.series;
        of.arm = arm;
        of.series.times_ms = {(t_ + 1) * interval};
        of.series.samples = {std::move(sample)};
        return of;
    }

    const Plan& plan_;
    Family family_;
    std::vector<double> times_;
    Random& random_;
    std::vector<Measured> measured_;
    std::array<std::vector<Noise>, 2> noise_;
    std::vector<std::vector<std::array<double, 2>>> sums_;     // of counters, by metric, series and arm
    std::vector<std::array<std::vector<double>, 2>> counted_;  // of histograms, by metric, arm and bucket
    std::array<std::vector<std::pair<std::int64_t, Scrape>>, 2> waiting_;
    std::int64_t t_ = 0;
};

/// `n` intervals in which both arms run one version, the second with that share of the traffic.
inline Batch history(const Plan& plan, Family family, double share, int n, Random& random) {
    family.missing = family.late = 0;
    family.restarts = false;
    Service service(plan, family, {}, random);
    const auto append = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
    Batch all;
    for (int t = 0; t < n; ++t) {
        Batch one = service.next(share);
        if (all.series.empty()) {
            all = std::move(one);
            continue;
        }
        for (std::size_t s = 0; s < one.series.size(); ++s) {
            append(all.series[s].series.times_ms, one.series[s].series.times_ms);
            append(all.series[s].series.values, one.series[s].series.values);
        }
        for (std::size_t s = 0; s < one.histograms.size(); ++s) {
            append(all.histograms[s].series.times_ms, one.histograms[s].series.times_ms);
            append(all.histograms[s].series.samples, one.histograms[s].series.samples);
        }
    }
    return all;
}

}  // namespace mixed_world
