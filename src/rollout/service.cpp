#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <serinus/core/counts.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/core/text.hpp>
#include <serinus/rollout/service.hpp>
#include <serinus/series/counter_follower.hpp>
#include <serinus/series/time.hpp>
#include <serinus/slo/burn_report.hpp>

#include "rollout/roles.hpp"

namespace serinus {
inline namespace v0 {
namespace {

using Roles = std::array<std::pair<std::string_view, slo::Role>, 3>;

void require_two(const Roles& roles, std::string_view prefix) {
    if (std::count_if(roles.begin(), roles.end(), [](const auto& role) { return !role.first.empty(); }) == 2) return;
    std::vector<std::string> words;
    for (const auto& role : roles) words.push_back(std::string(prefix) + std::string(word(role.second)));
    raise(Code::argument_range, joined(words) + " must name series; allowed: two of the three");
}

void require_known(const Batch& batch, const Roles& roles, std::string_view prefix) {
    std::vector<std::string> known;
    for (const ArmSeries& series : batch.series) known.push_back(series.name);
    std::sort(known.begin(), known.end());
    known.erase(std::unique(known.begin(), known.end()), known.end());
    for (const auto& [name, role] : roles) {
        if (name.empty() || std::binary_search(known.begin(), known.end(), name)) continue;
        constexpr std::size_t most = 12;
        std::vector<std::string> shown;
        for (std::size_t i = 0; i < std::min(known.size(), most); ++i) shown.push_back(in_quotes(known[i]));
        if (known.size() > most) shown.push_back(std::to_string(known.size() - most) + " more");
        raise(Code::argument_word, std::string(prefix) + std::string(word(role)) + " is " + in_quotes(name) +
                                       ", which is no series of the data; allowed: " + listed(shown));
    }
}

void require_counts(const ArmSeries& series, slo::Role role, std::string_view prefix) {
    for (std::size_t i = 0; i < series.series.values.size(); ++i) {
        const double value = series.series.values[i];
        if (!(value < 0)) continue;
        raise(Code::argument_count, std::string(prefix) + std::string(word(role)) + ": " + in_quotes(series.name) +
                                        " is " + number_text(value) + " at " + format_time(series.series.times_ms[i]) +
                                        "; allowed: 0 or more");
    }
}

/// Adds that a counter was 0 when its process began, where that is known and was not before `first_ms`.
void begin_at_zero(Series& series, std::int64_t first_ms) {
    if (series.starts_ms.size() != series.times_ms.size()) return;
    std::set<std::int64_t> beginnings;
    for (std::size_t i = 0; i < series.times_ms.size(); ++i) {
        const std::int64_t start = series.starts_ms[i];
        if (start != 0 && start >= first_ms && start < series.times_ms[i]) beginnings.insert(start);
    }
    for (const std::int64_t time : series.times_ms) beginnings.erase(time);
    for (const std::int64_t start : beginnings) {
        series.times_ms.push_back(start);
        series.values.push_back(0);
    }
}

using Samples = std::vector<std::pair<std::int64_t, double>>;

/// The finite samples in order of time, the first of each time.
Samples samples_of(const slo::ServiceSeries& of) {
    Samples samples;
    for (std::size_t i = 0; i < of.series.values.size(); ++i) {
        if (std::isfinite(of.series.values[i])) samples.emplace_back(of.series.times_ms[i], of.series.values[i]);
    }
    std::stable_sort(samples.begin(), samples.end(), [](const auto& x, const auto& y) { return x.first < y.first; });
    const auto same_time = [](const auto& x, const auto& y) { return x.first == y.first; };
    samples.erase(std::unique(samples.begin(), samples.end(), same_time), samples.end());
    return samples;
}

/// What a series has counted by each of its samples, from the first one on.
Samples counted(const slo::ServiceSeries& of) {
    Samples samples = samples_of(of);
    CounterFollower follower;
    double sum = 0;
    for (auto& [time, value] : samples) {
        sum += of.kind == slo::SeriesKind::delta ? value : follower.next(time, value)->increment;
        value = sum;
    }
    return samples;
}

/// All of one role together: its growth by time.
std::map<std::int64_t, double> growth_of(const std::vector<slo::ServiceSeries>& all, slo::Role role) {
    std::map<std::int64_t, double> growth;
    for (const slo::ServiceSeries& of : all) {
        if (of.role != role) continue;
        double before = 0;
        for (const auto& [time, sum] : counted(of)) {
            growth[time] += sum - before;
            before = sum;
        }
    }
    return growth;
}

/// More good events than all there were, by more than a scrape that falls between two counts can make it look.
void require_no_more_good(const std::vector<slo::ServiceSeries>& all, const ServiceNames& names,
                          std::string_view prefix) {
    if (names.good.empty() || names.total.empty()) return;
    const auto good = growth_of(all, slo::Role::good), total = growth_of(all, slo::Role::total);
    double goods = 0, totals = 0, largest = 0;
    auto next = total.begin();
    for (const auto& [time, more] : good) {
        goods += more;
        for (; next != total.end() && next->first <= time; ++next) {
            totals += next->second;
            largest = std::max(largest, next->second);
        }
        if (!(goods > (totals + largest) * (1 + 1e-12))) continue;
        raise(Code::argument_count, std::string(prefix) + "good: " + in_quotes(names.good) + " has counted " +
                                        number_text(goods) + " by " + format_time(time) + ", " +
                                        in_quotes(names.total) + " " + number_text(totals) +
                                        "; allowed: at most as many good events as all");
    }
    if (!(goods > totals * (1 + 1e-12)) || next != total.end() || total.empty() || good.empty()) return;
    raise(Code::argument_count, std::string(prefix) + "good: " + in_quotes(names.good) + " has counted " +
                                    number_text(goods) + " by " + format_time(good.rbegin()->first) + ", " +
                                    in_quotes(names.total) + " " + number_text(totals) +
                                    "; allowed: at most as many good events as all");
}

/// A series as burn_report takes it, and what tells it apart from the others.
struct KnownSeries {
    slo::ServiceSeries counts;
    Arm arm = Arm::baseline;
    std::string text;  ///< for people: name, labels and instance
};

std::vector<KnownSeries> known_series(const Batch& batch, const ServiceNames& names, std::string_view prefix) {
    const Roles roles{{{names.bad, slo::Role::bad}, {names.good, slo::Role::good}, {names.total, slo::Role::total}}};
    require_two(roles, prefix);
    require_known(batch, roles, prefix);
    std::vector<KnownSeries> all;
    std::vector<std::map<std::string, Series>> replicas;  // of each
    // A counter that goes on in another series of the batch, as in the next of several files, is one counter.
    std::map<std::tuple<slo::Role, Arm, std::string, std::string>, std::size_t> places;
    for (const ArmSeries& series : batch.series) {
        if (names.arm && series.arm != *names.arm) continue;
        for (const auto& [name, role] : roles) {
            if (name.empty() || series.name != name) continue;
            // Of a histogram, the one bucket that is meant.
            if (role == slo::Role::good && names.le && series.le != *names.le) continue;
            require_counts(series, role, prefix);
            const std::string& instance = series.series.instance;
            const auto [place, fresh] = places.try_emplace({role, series.arm, instance, series.labels}, all.size());
            if (fresh) {
                all.push_back({{role, names.kind, {}},
                               series.arm,
                               series.name + series.labels + (instance.empty() ? "" : " of " + instance)});
                replicas.emplace_back();
            }
            Series& whole = replicas[place->second][series.replica];
            whole.instance = instance;
            whole.times_ms.insert(whole.times_ms.end(), series.series.times_ms.begin(), series.series.times_ms.end());
            whole.values.insert(whole.values.end(), series.series.values.begin(), series.series.values.end());
            whole.starts_ms.insert(whole.starts_ms.end(), series.series.starts_ms.begin(),
                                   series.series.starts_ms.end());
        }
    }
    for (std::size_t i = 0; i < all.size(); ++i) all[i].counts.series = detail::joined_replicas(std::move(replicas[i]));
    return all;
}

/// Whether two series are one, by all times that both have.
bool equal(const Samples& x, const Samples& y, slo::SeriesKind kind) {
    constexpr double enough_to_differ =
        50;  // counts of so many in a step seldom agree; of fewer it takes longer to know
    constexpr std::size_t steps_needed = 2, steps_needed_of_few = 10, changes_needed = 2;
    std::size_t common = 0, steps = 0, large = 0, changes = 0;
    double before = 0, growth_before = 0;
    for (std::size_t i = 0, j = 0; i < x.size() && j < y.size();) {
        if (x[i].first != y[j].first) {
            ++(x[i].first < y[j].first ? i : j);
            continue;
        }
        const double value = x[i++].second;
        if (value != y[j++].second) return false;
        const double growth = kind == slo::SeriesKind::delta ? value : value - before;
        before = value;
        if (++common == 1 && kind == slo::SeriesKind::counter) continue;
        ++steps;
        large += growth >= enough_to_differ ? 1U : 0U;
        changes += growth != growth_before ? 1U : 0U;
        growth_before = growth;
    }
    return 2 * common >= std::max(x.size(), y.size()) && changes >= changes_needed &&
           (large >= steps_needed || steps >= steps_needed_of_few);
}

}  // namespace

ServiceNames service_names(const Plan& plan, const SloRule& rule) {
    const auto metric = std::find_if(plan.metrics.begin(), plan.metrics.end(),
                                     [&](const Metric& of) { return of.name == rule.metric; });
    if (metric == plan.metrics.end()) {
        raise(Code::plan_value, "the objective " + in_quotes(rule.objective.name) + " is of the metric " +
                                    in_quotes(rule.metric) + "; allowed: a metric of the plan");
    }
    return {.bad = metric->bad,
            .good = metric->good,
            .total = metric->total,
            .kind = metric->counter ? slo::SeriesKind::counter : slo::SeriesKind::delta,
            .le = metric->le};
}

std::vector<slo::ServiceSeries> service_series(const Batch& batch, const ServiceNames& names, std::string_view prefix) {
    std::vector<slo::ServiceSeries> all;
    std::optional<std::int64_t> first_ms;
    for (KnownSeries& known : known_series(batch, names, prefix)) {
        all.push_back(std::move(known.counts));
        for (const std::int64_t time : all.back().series.times_ms) first_ms = std::min(first_ms.value_or(time), time);
    }
    const bool begins = names.start_times && names.kind == slo::SeriesKind::counter && first_ms;
    for (slo::ServiceSeries& of : all) {
        if (begins) begin_at_zero(of.series, *first_ms);
        of.series.starts_ms.clear();
    }
    require_no_more_good(all, names, prefix);
    return all;
}

std::optional<EqualSeries> equal_series(const Batch& batch, const ServiceNames& names, std::string_view prefix) {
    const slo::Role whole = names.total.empty() ? slo::Role::good : slo::Role::total;
    struct Of {
        const KnownSeries* known;
        Samples samples;
    };
    const std::vector<KnownSeries> all = known_series(batch, names, prefix);
    std::map<std::pair<Arm, std::string>, std::vector<Of>> instances;
    for (const KnownSeries& known : all) {
        if (known.counts.role == whole)
            instances[{known.arm, known.counts.series.instance}].push_back({&known, samples_of(known.counts)});
    }
    for (const auto& [instance, series] : instances) {
        std::optional<EqualSeries> first;
        std::size_t twins = 0;
        for (std::size_t i = 1; i < series.size(); ++i) {
            for (std::size_t j = 0; j < i; ++j) {
                if (!equal(series[j].samples, series[i].samples, names.kind)) continue;
                ++twins;
                if (!first) first = EqualSeries{series[j].known->text, series[i].known->text, instance.first};
                break;
            }
        }
        if (first && 2 * twins >= series.size()) return first;
    }
    return std::nullopt;
}

std::optional<CountsForCounter> counts_for_counter(const std::vector<slo::ServiceSeries>& series) {
    for (const slo::ServiceSeries& of : series) {
        if (of.kind != slo::SeriesKind::counter) continue;
        const Samples samples = samples_of(of);
        CountsForCounter found{.role = of.role};
        for (std::size_t i = 1; i < samples.size(); ++i) {
            ++found.steps;
            found.falls += samples[i].second < samples[i - 1].second ? 1 : 0;
        }
        // A process that begins again every fifth scrape would be no service.
        if (found.falls >= 5 && found.falls * 5 >= found.steps) return found;
    }
    return std::nullopt;
}

}  // namespace v0
}  // namespace serinus
