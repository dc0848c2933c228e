#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include <serinus/core/error.hpp>
#include <serinus/core/text.hpp>
#include <serinus/delivery/indicators.hpp>
#include <serinus/fixed/adjust.hpp>
#include <serinus/fixed/mann_whitney.hpp>
#include <serinus/fixed/proportion.hpp>
#include <serinus/numeric/special.hpp>
#include <serinus/numeric/student.hpp>
#include <serinus/numeric/sum.hpp>

namespace serinus {
inline namespace v0 {
namespace delivery {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr std::size_t least_of_a_mean = 5;
constexpr std::size_t least_of_a_half = 5;
constexpr std::size_t most_points = 24;
constexpr double most_needed = 1e6;

// ---- from events to deployments

struct Attempt {
    std::optional<std::int64_t> started, ended, waiting_since, canary_started, verified, rollback_started,
        rollback_finished;
    std::int64_t waited_ms = 0;
    bool failed = false;
    std::optional<bool> passed{};
    Measures measures{};

    bool finished() const { return ended || rollback_finished; }
    bool successful() const { return ended && !failed && !rollback_finished && !rollback_started; }
    std::int64_t end() const {
        return ended && rollback_finished ? std::max(*ended, *rollback_finished) : ended ? *ended : *rollback_finished;
    }
};

struct Run {
    std::int64_t time_ms = 0;
    bool failed = false;
};

/// What was told, put in order.
struct Told {
    std::vector<std::pair<std::string_view, Attempt>> attempts;  ///< in the order of their ends
    std::vector<Run> runs;                                       ///< flaky ones left out, in the order of their times
    std::int64_t all_runs = 0, flaky = 0;
};

void merge(Measures& into, const Measures& from) {
    const auto take = [](double& a, double b) {
        if (!std::isnan(b)) a = b;
    };
    take(into.bad_baseline, from.bad_baseline);
    take(into.total_baseline, from.total_baseline);
    take(into.bad_canary, from.bad_canary);
    take(into.total_canary, from.total_canary);
    take(into.metrics, from.metrics);
    take(into.metrics_with_data, from.metrics_with_data);
    take(into.cost_baseline, from.cost_baseline);
    take(into.cost_canary, from.cost_canary);
    take(into.budget, from.budget);
}

/// How everything is sorted; what is told more than once then stands together.
auto rank(const Event& event) {
    return std::tie(event.time_ms, event.deployment, event.kind, event.pipeline, event.commit, event.passed);
}

class Reader {
  public:
    explicit Reader(std::vector<Reason>& notes) : notes_(notes) {}

    Told read(const std::vector<Event>& events) {
        std::vector<const Event*> order;
        order.reserve(events.size());
        std::int64_t latest = std::numeric_limits<std::int64_t>::min(), late = 0, repeated = 0;
        for (const Event& event : events) {
            order.push_back(&event);
            late += event.time_ms < latest ? 1 : 0;
            latest = std::max(latest, event.time_ms);
        }
        std::sort(order.begin(), order.end(), [](const Event* a, const Event* b) {
            return std::tuple_cat(rank(*a), std::tie(a->line)) < std::tuple_cat(rank(*b), std::tie(b->line));
        });
        const Event* before = nullptr;
        for (const Event* event : order) {
            if (before && rank(*before) == rank(*event) && event->kind != EventKind::measured) {
                ++repeated;
                continue;
            }
            before = event;
            take(*event);
        }
        if (late > 0) note(Code::log_disorder, {{"count", static_cast<double>(late)}});
        if (repeated > 0) note(Code::log_repeated, {{"count", static_cast<double>(repeated)}});
        finish();
        return std::move(told_);
    }

  private:
    struct Deployment {
        std::vector<Attempt> attempts;
        std::int64_t begun_again = 0, line = 0;
    };

    void note(Code code, std::vector<NamedNumber> numbers, std::vector<NamedText> texts = {}) {
        notes_.push_back({code, "", std::move(numbers), false, std::move(texts)});
    }

    void take(const Event& event) {
        if (event.kind == EventKind::pipeline_finished) return take_run(event);
        Deployment& of = deployments_[event.deployment];
        const std::int64_t time = event.time_ms;
        if (event.kind == EventKind::deployment_started) {
            if (!of.attempts.empty() && of.attempts.back().started && !of.attempts.back().finished()) {
                if (of.begun_again++ == 0) of.line = event.line;
                return;
            }
            of.attempts.emplace_back().started = time;
        } else if (of.attempts.empty()) {
            of.attempts.emplace_back();
        }
        Attempt& attempt = of.attempts.back();
        merge(attempt.measures, event.measures);
        const auto first = [&](std::optional<std::int64_t>& at) {
            if (!at) at = time;
        };
        switch (event.kind) {
            case EventKind::deployment_waiting: first(attempt.waiting_since); break;
            case EventKind::deployment_resumed: end_wait(attempt, time); break;
            case EventKind::canary_started: first(attempt.canary_started); break;
            case EventKind::canary_verified:
                first(attempt.verified);
                attempt.passed = event.passed && attempt.passed.value_or(true);
                break;
            case EventKind::deployment_succeeded:
            case EventKind::deployment_failed:
                end_wait(attempt, time);
                first(attempt.ended);
                attempt.failed = attempt.failed || event.kind == EventKind::deployment_failed;
                break;
            case EventKind::rollback_started: first(attempt.rollback_started); break;
            case EventKind::rollback_finished: first(attempt.rollback_finished); break;
            case EventKind::deployment_started:
            case EventKind::pipeline_finished:
            case EventKind::measured: break;
        }
    }

    static void end_wait(Attempt& attempt, std::int64_t time) {
        if (attempt.waiting_since) attempt.waited_ms += time - *attempt.waiting_since;
        attempt.waiting_since.reset();
    }

    void take_run(const Event& event) {
        ++told_.all_runs;
        // What failed before, and passes unchanged now, was flaky.
        std::vector<std::size_t>& failures =
            failures_[event.commit.empty() ? std::string() : event.pipeline + '\n' + event.commit];
        if (event.passed && !event.commit.empty()) {
            for (const std::size_t at : failures) flaky_.push_back(at);
            failures.clear();
        } else if (!event.passed && !event.commit.empty()) {
            failures.push_back(told_.runs.size());
        }
        told_.runs.push_back({event.time_ms, !event.passed});
    }

    void finish() {
        // A flaky failure and the run that passed after it are one run.
        for (const std::size_t at : flaky_) told_.runs[at].time_ms = std::numeric_limits<std::int64_t>::min();
        told_.flaky = static_cast<std::int64_t>(flaky_.size());
        std::erase_if(told_.runs,
                      [](const Run& run) { return run.time_ms == std::numeric_limits<std::int64_t>::min(); });
        std::int64_t open = 0, headless = 0;
        std::vector<std::pair<std::string_view, const Deployment*>> twice;
        for (auto& [id, of] : deployments_) {
            auto& attempts = of.attempts;
            // An end that came before its beginning: clocks that disagree.
            if (attempts.size() == 2 && !attempts[0].started && attempts[1].started && !attempts[1].finished()) {
                attempts[0].started = attempts[1].started;
                attempts.pop_back();
            }
            if (of.begun_again > 0) twice.emplace_back(id, &of);
            for (const Attempt& attempt : attempts) {
                open += attempt.started && !attempt.finished() ? 1 : 0;
                headless += !attempt.started && attempt.finished() ? 1 : 0;
                told_.attempts.emplace_back(id, attempt);
            }
        }
        std::sort(twice.begin(), twice.end(), [](const auto& a, const auto& b) {
            return std::tie(a.second->line, a.first) < std::tie(b.second->line, b.first);
        });
        for (std::size_t i = 0; i < std::min<std::size_t>(twice.size(), 3); ++i) {
            note(Code::deployment_twice,
                 {{"count", static_cast<double>(twice[i].second->begun_again + 1)},
                  {"line", static_cast<double>(twice[i].second->line)}},
                 {{"deployment", std::string(twice[i].first)}});
        }
        if (open > 0) note(Code::deployment_open, {{"count", static_cast<double>(open)}});
        if (headless > 0) note(Code::deployment_headless, {{"count", static_cast<double>(headless)}});
        const auto when = [](const Attempt& of) {
            return of.finished() ? of.end() : of.verified ? *of.verified : of.started.value_or(0);
        };
        std::sort(told_.attempts.begin(), told_.attempts.end(), [&](const auto& a, const auto& b) {
            return std::tuple(when(a.second), a.first) < std::tuple(when(b.second), b.first);
        });
    }

    std::vector<Reason>& notes_;
    std::unordered_map<std::string_view, Deployment> deployments_;
    std::unordered_map<std::string, std::vector<std::size_t>> failures_;  ///< places of runs, by pipeline and commit
    std::vector<std::size_t> flaky_;
    Told told_;
};

// ---- from values to an indicator

/// One deployment's, or run's, in the order of time. A share is the mean of 0 and 1.
struct Value {
    std::int64_t time_ms = 0;
    double value = 0;
    double weight = 1;  ///< what it is divided by, in a ratio
};

struct Interval {
    double lower = nan, upper = nan;
};

/// Clopper and Pearson (1934).
Interval share_interval(double hits, double n, double confidence) {
    const double tail = (1 - confidence) / 2;
    return {.lower = hits > 0 ? incomplete_beta_inverse(hits, n - hits + 1, tail) : 0,
            .upper = hits < n ? incomplete_beta_upper_inverse(hits + 1, n - hits, tail) : 1};
}

double mean_of(std::span<const Value> values) {
    double sum = 0;
    for (const Value& of : values) sum += of.value;
    return sum / static_cast<double>(values.size());
}

double deviation_of(std::span<const Value> values, double mean) {
    double sum = 0;
    for (const Value& of : values) sum += (of.value - mean) * (of.value - mean);
    return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

double median_of(std::span<const Value> values) {
    std::vector<double> sorted;
    for (const Value& of : values) sorted.push_back(of.value);
    std::sort(sorted.begin(), sorted.end());
    const std::size_t half = sorted.size() / 2;
    return sorted.size() % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

enum class Scale { share, mean, ratio };

double estimate_of(std::span<const Value> values, Scale scale) {
    if (scale != Scale::ratio) return mean_of(values);
    double of = 0, by = 0;
    for (const Value& value : values) {
        of += value.value;
        by += value.weight;
    }
    return by > 0 ? of / by : of > 0 ? infinity : nan;
}

class Maker {
  public:
    Maker(const IndicatorOptions& options) : options_(options) {}

    Indicator make(IndicatorKind kind, Unit unit, Scale scale, std::span<const Value> values, std::int64_t all,
                   std::string_view needed) const {
        Indicator made;
        made.kind = kind;
        made.unit = unit;
        made.at_least = is_least(kind);
        made.target = preset_target(kind);
        for (const auto& [of, target] : options_.targets) {
            if (of == kind) made.target = target;
        }
        made.count = static_cast<std::int64_t>(values.size());
        if (values.empty()) {
            made.reasons.push_back({Code::indicator_untold, "", {}, false, {{"needed", std::string(needed)}}});
            return made;
        }
        made.estimate = estimate_of(values, scale);
        made.confidence = options_.confidence;
        const Interval interval = interval_of(made, scale, values);
        made.lower = interval.lower;
        made.upper = interval.upper;
        judge(made, scale, values);
        if (made.count < all)
            made.reasons.push_back({Code::indicator_partial,
                                    "",
                                    {{"count", static_cast<double>(made.count)}, {"total", static_cast<double>(all)}}});
        draw(made, scale, values);
        return made;
    }

    /// The earlier half against the later; 1 where nothing can be said.
    static double compare(Indicator& made, Scale scale, std::span<const Value> values) {
        const auto before = values.first(values.size() / 2), after = values.subspan(values.size() / 2);
        if (before.size() < least_of_a_half) {
            if (!values.empty())
                made.reasons.push_back(
                    {Code::trend_few,
                     "",
                     {{"before", static_cast<double>(before.size())}, {"after", static_cast<double>(after.size())}}});
            return 1;
        }
        made.halves = {estimate_of(before, scale), estimate_of(after, scale)};
        made.trend = Trend::steady;
        if (scale == Scale::share) {
            const auto counts = [](std::span<const Value> half) {
                double hits = 0;
                for (const Value& of : half) hits += of.value;
                return Proportion{.bad = static_cast<std::int64_t>(hits),
                                  .total = static_cast<std::int64_t>(half.size())};
            };
            return proportion_test(counts(before), counts(after), {.method = ProportionTestMethod::midp}).p_value;
        }
        const auto numbers = [&](std::span<const Value> half) {
            std::vector<double> list;
            for (const Value& of : half) list.push_back(scale == Scale::ratio ? of.value / of.weight : of.value);
            return list;
        };
        return mann_whitney(numbers(before), numbers(after)).p_value;
    }

  private:
    Interval interval_of(const Indicator& made, Scale scale, std::span<const Value> values) const {
        const auto n = static_cast<double>(values.size());
        if (scale == Scale::share) return share_interval(std::round(made.estimate * n), n, options_.confidence);
        const double tail = (1 - options_.confidence) / 2;
        if (scale == Scale::ratio) return ratio_interval(made, values, tail);
        const bool share = made.unit == Unit::share && made.kind == IndicatorKind::observability_coverage;
        const double least = made.unit == Unit::change ? -1 : 0;
        if (values.size() < 2) return {.lower = least, .upper = share ? 1 : infinity};
        const double deviation = deviation_of(values, made.estimate);
        // All of them whole: the mean is at least the share of whole ones.
        if (deviation == 0 && share && made.estimate == 1)
            return {.lower = share_interval(n, n, options_.confidence).lower, .upper = 1};
        const double reach = student_quantile(tail, n - 1) * deviation / std::sqrt(n);
        return {.lower = std::max(least, made.estimate - reach),
                .upper = std::min(share ? 1 : infinity, made.estimate + reach)};
    }

    static Interval ratio_interval(const Indicator& made, std::span<const Value> values, double tail) {
        double events = 0, expected = 0, squares = 0;
        for (const Value& of : values) {
            events += of.value;
            expected += of.weight;
            const double off = of.value - made.estimate * of.weight;
            squares += off * off;
        }
        if (!(expected > 0)) return {.lower = 0, .upper = infinity};
        const auto n = static_cast<double>(values.size());
        // Never narrower than chance alone makes a count of events (Garwood's interval of a Poisson mean).
        const double least = events > 0 ? incomplete_gamma_inverse(events, tail) / expected : 0;
        const double most = incomplete_gamma_upper_inverse(events + 1, tail) / expected;
        if (values.size() < 2 || events <= 0) return {.lower = least, .upper = most};
        const double reach =
            student_quantile(tail, n - 1) * std::sqrt(squares * n / (n - 1)) / expected / made.estimate;
        return {.lower = std::min(least, made.estimate * std::exp(-reach)),
                .upper = std::max(most, made.estimate * std::exp(reach))};
    }

    void judge(Indicator& made, Scale scale, std::span<const Value> values) const {
        const bool enough = scale == Scale::share || values.size() >= least_of_a_mean;
        const bool above = made.lower >= made.target, below = made.upper <= made.target;
        made.verdict = Verdict::inconclusive;
        if (enough && (above || below)) {
            // At the target itself both are true, and it is kept.
            const bool good = made.at_least ? above : below;
            made.verdict = good ? Verdict::pass : Verdict::fail;
            return;
        }
        const double needed =
            enough || !(above || below) ? needed_of(made, scale, values) : static_cast<double>(least_of_a_mean);
        const double count = static_cast<double>(values.size());
        if (needed <= most_needed) {
            made.reasons.push_back(
                {Code::indicator_few, "", {{"count", count}, {"needed", std::max(needed, count + 1)}}});
        } else {
            made.reasons.push_back({Code::indicator_near, "", {{"count", count}}});
        }
    }

    /// How many like these would tell on which side of the target it lies.
    double needed_of(const Indicator& made, Scale scale, std::span<const Value> values) const {
        const double off = std::abs(made.estimate - made.target);
        if (!(off > 0) || !std::isfinite(off)) return infinity;
        const auto n = static_cast<double>(values.size());
        if (scale == Scale::share) {
            double least = n, most = most_needed;
            const auto tells = [&](double of) {
                const Interval interval = share_interval(std::round(made.estimate * of), of, options_.confidence);
                return interval.lower >= made.target || interval.upper <= made.target;
            };
            if (!tells(most)) return infinity;
            while (most - least > 1) {
                const double middle = std::floor((least + most) / 2);
                (tells(middle) ? most : least) = middle;
            }
            return most;
        }
        const double reach = made.estimate > made.target ? made.estimate - made.lower : made.upper - made.estimate;
        if (!std::isfinite(reach))
            return values.size() < least_of_a_mean ? static_cast<double>(least_of_a_mean) : infinity;
        return std::max(std::ceil(n * (reach / off) * (reach / off)), static_cast<double>(least_of_a_mean));
    }

    static void draw(Indicator& made, Scale scale, std::span<const Value> values) {
        const std::size_t points = std::min(most_points, values.size());
        for (std::size_t i = 0; i < points; ++i) {
            const std::size_t from = i * values.size() / points, to = (i + 1) * values.size() / points;
            const auto part = values.subspan(from, to - from);
            made.history.push_back({.time = from_ms(part.back().time_ms),
                                    .value = estimate_of(part, scale),
                                    .count = static_cast<std::int64_t>(part.size())});
        }
    }

    const IndicatorOptions& options_;
};

/// Times that would be negative are left out and counted.
class Durations {
  public:
    void add(std::vector<Value>& to, std::string_view deployment, std::int64_t at_ms, std::int64_t from_ms,
             std::int64_t until_ms, std::int64_t without_ms = 0) {
        const double seconds = static_cast<double>(until_ms - from_ms - without_ms) / 1000;
        if (seconds < 0) {
            if (count_++ == 0) {
                deployment_ = deployment;
                seconds_ = seconds;
            }
            return;
        }
        to.push_back({at_ms, seconds});
    }

    void tell(std::vector<Reason>& notes) const {
        if (count_ == 0) return;
        notes.push_back({Code::clock_skew,
                         "",
                         {{"count", static_cast<double>(count_)}, {"seconds", seconds_}},
                         false,
                         {{"deployment", std::string(deployment_)}}});
    }

  private:
    std::int64_t count_ = 0;
    std::string_view deployment_;
    double seconds_ = 0;
};

void check(const IndicatorOptions& options) {
    if (!(options.confidence > 0 && options.confidence < 1))
        raise(Code::argument_range,
              "confidence is " + given_text(options.confidence) + "; allowed: above 0 and below 1");
    for (const auto& [kind, target] : options.targets) {
        if (!std::isfinite(target))
            raise(Code::argument_range, "the target of " + std::string(word(kind)) + " is " + given_text(target) +
                                            "; allowed: a finite number");
    }
}

/// What the attempts tell, a list an indicator.
struct Lists {
    std::vector<Value> success, deploy, roll_back, errors, canary, latency, coverage, cost, budget, waits;
};

Lists lists_of(const Told& told, Durations& durations) {
    Lists lists;
    for (const auto& [id, of] : told.attempts) {
        const Measures& measures = of.measures;
        const std::int64_t at = of.finished() ? of.end() : of.verified ? *of.verified : of.started.value_or(0);
        if (of.finished()) lists.success.push_back({at, of.successful() ? 1.0 : 0.0});
        if (of.started && of.successful()) durations.add(lists.deploy, id, at, *of.started, *of.ended, of.waited_ms);
        if (of.waited_ms > 0) lists.waits.push_back({at, static_cast<double>(of.waited_ms) / 1000});
        if (of.rollback_started && of.rollback_finished)
            durations.add(lists.roll_back, id, at, *of.rollback_started, *of.rollback_finished);
        if (of.passed) lists.canary.push_back({at, *of.passed ? 1.0 : 0.0});
        const auto begun = of.canary_started ? of.canary_started : of.started;
        if (of.verified && begun) durations.add(lists.latency, id, at, *begun, *of.verified);
        const double share = measures.bad_baseline / measures.total_baseline;
        if (measures.total_canary > 0 && share > 0 && measures.bad_canary >= 0)
            lists.errors.push_back({at, measures.bad_canary, share * measures.total_canary});
        if (measures.metrics > 0 && measures.metrics_with_data >= 0)
            lists.coverage.push_back({at, std::min(1.0, measures.metrics_with_data / measures.metrics)});
        if (measures.cost_baseline > 0 && measures.cost_canary >= 0)
            lists.cost.push_back({at, measures.cost_canary / measures.cost_baseline - 1});
        if (measures.budget >= 0) lists.budget.push_back({at, measures.budget});
    }
    return lists;
}

}  // namespace

double preset_target(IndicatorKind kind) noexcept {
    switch (kind) {
        case IndicatorKind::deployment_success_rate: return 0.95;
        case IndicatorKind::mean_time_to_deploy: return 3600;
        case IndicatorKind::mean_time_to_roll_back: return 600;
        case IndicatorKind::post_deploy_error_rate: return 2;
        case IndicatorKind::canary_pass_rate: return 0.9;
        case IndicatorKind::verification_latency: return 1800;
        case IndicatorKind::observability_coverage: return 0.95;
        case IndicatorKind::cost_delta: return 0.05;
        case IndicatorKind::pipeline_failure_rate: return 0.1;
        case IndicatorKind::budget_consumed: return 0.2;
    }
    return 0;
}

bool is_least(IndicatorKind kind) noexcept {
    return kind == IndicatorKind::deployment_success_rate || kind == IndicatorKind::canary_pass_rate ||
           kind == IndicatorKind::observability_coverage;
}

Report indicators(const Log& log, const IndicatorOptions& options) {
    check(options);
    Report report;
    report.notes = log.notes;
    const Told told = Reader(report.notes).read(log.events);
    for (const Event& event : log.events) {
        const Time time = from_ms(event.time_ms);
        report.from = std::min(report.from.value_or(time), time);
        report.to = std::max(report.to.value_or(time), time);
    }
    Durations durations;
    const Lists lists = lists_of(told, durations);
    durations.tell(report.notes);
    std::vector<Value> runs;
    for (const Run& run : told.runs) runs.push_back({run.time_ms, run.failed ? 1.0 : 0.0});
    report.runs = told.all_runs;
    report.deployments = static_cast<std::int64_t>(lists.success.size());

    const Maker maker(options);
    report.indicators.reserve(10);
    std::vector<double> p_values;      // of the trends that can be told
    std::vector<std::size_t> of_them;  // whose they are
    const auto make = [&](IndicatorKind kind, Unit unit, Scale scale, const std::vector<Value>& values,
                          std::int64_t all, std::string_view needed) -> Indicator& {
        Indicator& made = report.indicators.emplace_back(maker.make(kind, unit, scale, values, all, needed));
        const double p_value = Maker::compare(made, scale, values);
        if (made.trend != Trend::unknown) {
            p_values.push_back(p_value);
            of_them.push_back(report.indicators.size() - 1);
        }
        if (scale == Scale::mean && unit == Unit::seconds && !values.empty())
            made.beside.push_back({"median_seconds", median_of(values)});
        return made;
    };
    const auto successes = static_cast<std::int64_t>(
        std::count_if(lists.success.begin(), lists.success.end(), [](const Value& of) { return of.value > 0; }));
    const std::int64_t ended = report.deployments;
    make(IndicatorKind::deployment_success_rate, Unit::share, Scale::share, lists.success, ended,
         "an end of a deployment (deployment_succeeded, deployment_failed, rollback_finished)");
    Indicator& deploy = make(IndicatorKind::mean_time_to_deploy, Unit::seconds, Scale::mean, lists.deploy, successes,
                             "deployment_started and deployment_succeeded of one deployment");
    deploy.beside.push_back({"waited", static_cast<double>(lists.waits.size())});
    if (!lists.waits.empty()) deploy.beside.push_back({"mean_wait_seconds", mean_of(lists.waits)});
    make(IndicatorKind::mean_time_to_roll_back, Unit::seconds, Scale::mean, lists.roll_back, 0,
         "rollback_started and rollback_finished of one deployment");
    make(IndicatorKind::post_deploy_error_rate, Unit::ratio, Scale::ratio, lists.errors, ended,
         "bad and total of both arms, with bad events in the baseline");
    make(IndicatorKind::canary_pass_rate, Unit::share, Scale::share, lists.canary, 0, "canary_verified");
    make(IndicatorKind::verification_latency, Unit::seconds, Scale::mean, lists.latency, 0,
         "canary_verified, and canary_started or deployment_started before it");
    make(IndicatorKind::observability_coverage, Unit::share, Scale::mean, lists.coverage, ended,
         "metrics and metrics_with_data of a deployment");
    make(IndicatorKind::cost_delta, Unit::change, Scale::mean, lists.cost, ended,
         "cost_baseline and cost_canary of a deployment");
    Indicator& pipelines =
        make(IndicatorKind::pipeline_failure_rate, Unit::share, Scale::share, runs, 0, "pipeline_finished");
    pipelines.beside.push_back({"runs", static_cast<double>(told.all_runs)});
    pipelines.beside.push_back({"flaky", static_cast<double>(told.flaky)});
    Indicator& budget = make(IndicatorKind::budget_consumed, Unit::share, Scale::mean, lists.budget, ended,
                             "the budget that a deployment used");
    const double allowed = budget.target;
    budget.beside.push_back(
        {"over_target", static_cast<double>(std::count_if(lists.budget.begin(), lists.budget.end(),
                                                          [&](const Value& of) { return of.value > allowed; }))});

    const std::vector<double> adjusted = adjust(p_values, AdjustMethod::holm);
    for (std::size_t i = 0; i < adjusted.size(); ++i) {
        Indicator& made = report.indicators[of_them[i]];
        made.trend_p_value = adjusted[i];
        if (adjusted[i] > 1 - options.confidence || made.halves[0] == made.halves[1]) continue;
        made.trend = (made.halves[1] > made.halves[0]) == made.at_least ? Trend::better : Trend::worse;
    }
    return report;
}

}  // namespace delivery
}  // namespace v0
}  // namespace serinus
