// Former releases, played again through a plan.

#include <algorithm>
#include <cstddef>
#include <limits>
#include <numeric>
#include <tuple>

#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/numeric/special.hpp>
#include <serinus/rollout/backtest.hpp>
#include <serinus/rollout/calibrate.hpp>
#include <serinus/rollout/monitor.hpp>

namespace serinus {
inline namespace v0 {
namespace {

/// Hands out the samples of a batch in order of time, each once.
class Feed {
  public:
    explicit Feed(const Batch& batch) : batch_(batch) {
        const auto track = [&](const std::string& name, std::size_t values, const std::vector<std::int64_t>& times) {
            if (times.size() != values)
                raise(Code::argument_length, "series " + in_quotes(name) + " has " + std::to_string(times.size()) +
                                                 " times and " + std::to_string(values) +
                                                 " values; allowed: as many of both");
            tracks_.push_back(Track(times));
        };
        for (const ArmSeries& of : batch.series) track(of.name, of.series.values.size(), of.series.times_ms);
        for (const ArmHistogram& of : batch.histograms) track(of.name, of.series.samples.size(), of.series.times_ms);
    }

    /// Those before `end_ms` that were not handed out yet; every series is in it, if only by its name.
    Batch before(std::int64_t end_ms) {
        Batch piece;
        if (!told_) piece.notes = batch_.notes;
        told_ = true;
        std::size_t track = 0;
        for (const ArmSeries& of : batch_.series) {
            ArmSeries& part = piece.series.emplace_back(
                ArmSeries{of.name, of.arm, of.le, {{}, {}, of.series.instance}, of.labels, of.replica});
            tracks_[track++].hand_out(of.series, part.series, &Series::values, end_ms);
        }
        for (const ArmHistogram& of : batch_.histograms) {
            ArmHistogram& part = piece.histograms.emplace_back();
            part.name = of.name;
            part.arm = of.arm;
            part.labels = of.labels;
            part.replica = of.replica;
            part.series.instance = of.series.instance;
            part.series.delta = of.series.delta;
            tracks_[track++].hand_out(of.series, part.series, &HistogramSeries::samples, end_ms);
        }
        return piece;
    }

  private:
    /// How far one series has been handed out.
    struct Track {
        explicit Track(const std::vector<std::int64_t>& times) : order(times.size()) {
            std::iota(order.begin(), order.end(), std::size_t{0});
            std::stable_sort(order.begin(), order.end(),
                             [&](std::size_t x, std::size_t y) { return times[x] < times[y]; });
        }

        template <class Whole, class Values>
        void hand_out(const Whole& whole, Whole& part, Values values, std::int64_t end_ms) {
            for (; next < order.size() && whole.times_ms[order[next]] < end_ms; ++next) {
                const std::size_t at = order[next];
                part.times_ms.push_back(whole.times_ms[at]);
                (part.*values).push_back((whole.*values)[at]);
                if (at < whole.starts_ms.size()) part.starts_ms.push_back(whole.starts_ms[at]);
            }
        }

        std::vector<std::size_t> order;
        std::size_t next = 0;
    };

    const Batch& batch_;
    std::vector<Track> tracks_;
    bool told_ = false;
};

struct Span {
    std::optional<std::int64_t> first, last, first_of_canary;
};

Span span_of(const Batch& batch) {
    Span span;
    const auto widen = [&](Arm arm, const std::vector<std::int64_t>& times) {
        for (const std::int64_t time : times) {
            span.first = std::min(span.first.value_or(time), time);
            span.last = std::max(span.last.value_or(time), time);
            if (arm == Arm::canary) span.first_of_canary = std::min(span.first_of_canary.value_or(time), time);
        }
    };
    for (const ArmSeries& of : batch.series) widen(of.arm, of.series.times_ms);
    for (const ArmHistogram& of : batch.histograms) widen(of.arm, of.series.times_ms);
    return span;
}

/// The last thing that a controller was told of a release, and how long after its start.
struct Answer {
    Decision decision;
    double minutes = 0;
    std::int64_t unready = 0;
};

Answer replay(const Plan& plan, const FormerRelease& release) {
    const Batch& data = release.rollout;
    const Span span = span_of(data);
    Monitor monitor(plan);
    Answer answer{.decision = monitor.decision()};
    std::optional<std::int64_t> begin = release.since_ms;
    if (!begin && !data.stages.empty()) begin = data.stages.front().at_ms;
    if (!begin) begin = span.first_of_canary ? span.first_of_canary : span.first;
    if (!begin) return answer;

    const std::int64_t interval = plan.interval.count();
    const std::int64_t last = span.last.value_or(*begin) + interval + plan.settle.count();
    const std::int64_t end = std::max(*begin, release.until_ms.value_or(last));
    Feed feed(data);
    // (Told before the first sample: who watches without a stage waits for a canary that is due.)
    if (data.stages.empty()) monitor.enter_stage(1, *begin);
    std::size_t told = 0;  // stages that the data tell of and that were entered
    const bool once = plan.analysis == Analysis::fixed;
    for (std::int64_t now = *begin; now < end;) {
        // The last look is at the end, however long the interval before it is.
        now = once ? end : std::min(now + interval, end);
        for (; told < data.stages.size() && data.stages[told].at_ms <= now; ++told) {
            if (told > 0) {
                const Decision before = monitor.observe(feed.before(data.stages[told].at_ms));
                answer.unready += before.action == Action::hold ? 1 : 0;
            }
            monitor.enter_stage(data.stages[told].stage, data.stages[told].at_ms);
        }
        answer.decision = monitor.observe(feed.before(now + 1), now);
        if (once) answer.decision = monitor.flush();
        answer.minutes = static_cast<double>(now - *begin) / 60000;
        if (answer.decision.action == Action::rollback || answer.decision.finished) break;
        if (answer.decision.action == Action::promote && data.stages.empty())
            monitor.enter_stage(answer.decision.stage + 1, now);
    }
    return answer;
}

/// Whose doing a decision is.
std::vector<std::string> decided_by(const Decision& decision) {
    if (decision.action == Action::rollback) return decision.failed;
    std::vector<std::string> names;
    if (decision.action == Action::promote) return names;
    for (const MetricResult& metric : decision.metrics) {
        if (!metric.muted && metric.verdict != Verdict::pass) names.push_back(metric.name);
    }
    for (const BurnResult& burn : decision.burn) {
        if (burn.verdict != Verdict::pass) names.push_back(burn.objective);
    }
    return names;
}

ReplayedRelease replayed(Plan plan, const FormerRelease& release) {
    if (!release.history.series.empty() || !release.history.histograms.empty())
        plan = with_noise(plan, calibrate(plan, release.history));
    Answer answer = replay(plan, release);
    Decision& told = answer.decision;
    // A promotion out of a stage that another one follows is no end of the rollout.
    if (told.action == Action::promote && !told.finished) told.action = Action::hold;
    ReplayedRelease out;
    out.name = release.name;
    out.label = release.label;
    out.decision = told.action;
    out.stage = told.stage;
    out.minutes = answer.minutes;
    out.unready = answer.unready;
    out.decided_by = decided_by(told);
    for (const MetricResult& metric : told.metrics) {
        if (metric.verdict == Verdict::no_data) out.without_data.push_back(metric.name);
    }
    out.reasons = std::move(told.reasons);
    return out;
}

ReleaseShare share_of(std::int64_t count, std::int64_t of, double confidence) {
    ReleaseShare share{.count = count, .of = of};
    const double x = static_cast<double>(count), n = static_cast<double>(of), tail = (1 - confidence) / 2;
    if (count > 0) share.lower = incomplete_beta_inverse(x, n - x + 1, tail);
    if (count < of) share.upper = incomplete_beta_upper_inverse(x + 1, n - x, tail);
    return share;
}

bool among(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

/// Counts what was done with the releases.
void add_up(const Plan& plan, Backtest& all) {
    const auto count = [&](std::optional<ReleaseLabel> label, std::optional<Action> decision) {
        return std::count_if(all.releases.begin(), all.releases.end(), [&](const ReplayedRelease& release) {
            return (!label || release.label == label) && (!decision || release.decision == *decision);
        });
    };
    all.promoted = count({}, Action::promote);
    all.held = count({}, Action::hold);
    all.rolled_back = count({}, Action::rollback);
    const auto share = [&](ReleaseLabel label, Action decision) {
        return share_of(count(label, decision), count(label, {}), all.confidence);
    };
    all.false_alarms = share(ReleaseLabel::good, Action::rollback);
    all.misses = share(ReleaseLabel::bad, Action::promote);
    all.good_held = share(ReleaseLabel::good, Action::hold);
    all.bad_held = share(ReleaseLabel::bad, Action::hold);
    for (const Metric& metric : plan.metrics) all.metrics.push_back({.name = metric.name});
    for (const SloRule& rule : plan.slo) all.metrics.push_back({.name = rule.objective.name});
    for (MetricRecord& metric : all.metrics) {
        for (const ReplayedRelease& release : all.releases) {
            metric.without_data += among(release.without_data, metric.name) ? 1 : 0;
            if (!among(release.decided_by, metric.name)) continue;
            if (release.decision == Action::hold) {
                ++metric.held;
                continue;
            }
            ++metric.rolled_back;
            metric.alone += release.decided_by.size() == 1 ? 1 : 0;
            metric.good += release.label == ReleaseLabel::good ? 1 : 0;
        }
    }
}

}  // namespace

Backtest backtest(const Plan& plan, std::span<const FormerRelease> releases,
                  const std::function<void(double)>& progress) {
    check(plan);
    Plan live = plan;
    live.dry_run = false;
    Backtest all{.plan = plan.name, .digest = digest(plan)};
    for (const FormerRelease& release : releases) {
        try {
            all.releases.push_back(replayed(live, release));
        } catch (const Error& error) {
            raise(error.within("release " + in_quotes(release.name)));
        }
        if (progress) progress(static_cast<double>(all.releases.size()) / static_cast<double>(releases.size()));
    }
    add_up(plan, all);
    return all;
}

std::vector<std::size_t> changed_releases(const Backtest& before, const Backtest& after) {
    const auto same = [](const ReplayedRelease& x, const ReplayedRelease& y) { return x.name == y.name; };
    if (!std::equal(before.releases.begin(), before.releases.end(), after.releases.begin(), after.releases.end(),
                    same)) {
        raise(Code::argument_length, "the two back-tests have " + std::to_string(before.releases.size()) + " and " +
                                         std::to_string(after.releases.size()) +
                                         " releases, or others; allowed: the same releases in the same order");
    }
    std::vector<std::size_t> changed;
    for (std::size_t i = 0; i < before.releases.size(); ++i) {
        if (before.releases[i].decision != after.releases[i].decision) changed.push_back(i);
    }
    return changed;
}

}  // namespace v0
}  // namespace serinus
