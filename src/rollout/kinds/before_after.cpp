// A metric without arms: its part of a plan, its intervals, and what there is to say of it.

#include "rollout/kinds/before_after.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include <serinus/core/counts.hpp>

#include "rollout/plan_checks.hpp"
#include "rollout/roles.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {
namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

}  // namespace

// ---- distances

double BeforeAfterScale::level(double part, double whole) const {
    if (!(whole > 0)) return nothing;
    if (!logs_ || kind_ == Kind::gauge) return part / whole;
    return (part + 0.5) / (kind_ == Kind::proportion ? whole + 1 : whole);
}

double BeforeAfterScale::scaled(double level) const {
    if (!logs_) return level;
    return level + floor_ > 0 ? elementary::log(level + floor_) : nothing;
}

double BeforeAfterScale::distance(double before, double after) const {
    const double up = scaled(after) - scaled(before);
    return harm_ == Harm::increase ? up : harm_ == Harm::decrease ? -up : std::fabs(up);
}

double BeforeAfterScale::allowed(const Margin& margin, double before, double after) const {
    if (!margin.ratio) return *margin.difference;
    if (!margin.floor) return elementary::log(*margin.ratio);
    // Of a decrease it is what was before that lies beyond what is after.
    const double base = harm_ == Harm::decrease ? after : before;
    return scaled(std::max(*margin.ratio * base, base + *margin.floor)) - scaled(base);
}

std::vector<std::size_t> before_after_windows(std::size_t horizon) {
    std::vector<std::size_t> windows;
    for (std::size_t length = 5; length <= std::max<std::size_t>(horizon, 5); length *= 2) windows.push_back(length);
    return windows;
}

// ---- its part of a plan

void BeforeAfterKind::check(const std::string& path, const Metric& metric) {
    const auto no = [&](std::string_view key, bool given, const std::string& shown, std::string_view allowed) {
        if (given) refuse(path + "." + std::string(key), shown + " with \"arm\": \"none\"", std::string(allowed));
    };
    if (metric.kind != Kind::proportion && metric.kind != Kind::rate && metric.kind != Kind::gauge) {
        no("kind", true, quoted(std::string(word(metric.kind))), "\"proportion\", \"rate\", \"gauge\"");
    }
    if (metric.missing == Missing::fail) {
        refuse(path + ".missing", "\"fail\" with \"arm\": \"none\"",
               "\"hold\" or \"ignore\": missing data that fail roll back, and what has no canary only holds");
    }
    no("instances_differ", metric.instances_differ.has_value(), "given",
       "no such key: nothing is compared with instances");
    no("watch", metric.watch.has_value(), "given", "no such key: its level is watched");
    no("method", metric.method != sequential::ProportionMethod::automatic, "given",
       "no such key: it is compared with its own history");
}

void BeforeAfterKind::check_noise(const std::string& path, const Noise& noise, const Metric& metric, const Plan& plan) {
    if (noise.dispersion || noise.intervals || !noise.stages.empty() || noise.spikes || noise.instances ||
        noise.baseline || noise.floored || !noise.before_after) {
        refuse(path, "that of a metric with arms", "what `serinus calibrate` writes of one without");
    }
    const BeforeAfterNoise& own = *noise.before_after;
    const std::string at = path + ".before_after";
    const auto sound = [&](std::string_view key, double value, double least, double most) {
        require_value(value >= least && value <= most, at + "." + std::string(key), value,
                      "what `serinus calibrate` wrote (calibrate again)");
    };
    sound("before", own.before, 1, 1e6);
    sound("horizon", own.horizon, 1, 1e7);
    sound("starts", own.starts, 1, 1e7);
    sound("independent", own.independent, 0, 1e7);
    const auto numbers = [&](std::string_view key, const std::vector<double>& values, bool ascending) {
        for (std::size_t i = 0; i < values.size(); ++i) {
            const bool good =
                std::isfinite(values[i]) && (ascending ? i == 0 || values[i] >= values[i - 1] : values[i] > 0);
            if (!good) require_value(false, at + "." + std::string(key), values[i], "what `serinus calibrate` wrote");
        }
    };
    numbers("scales", own.scales, false);
    numbers("highest", own.highest, true);
    numbers("lowest", own.lowest, true);
    if (own.scales.size() != before_after_windows(static_cast<std::size_t>(own.horizon)).size() ||
        own.highest.empty() || own.lowest.empty()) {
        refuse(at, "not whole", "what `serinus calibrate` wrote (calibrate again)");
    }
    if (own.logs != BeforeAfterScale::uses_logs(metric)) {
        refuse(at + ".logs", own.logs ? "true" : "false",
               "true with a ratio margin, false with a difference (calibrate again)");
    }
    require_value(own.floor == BeforeAfterScale::floor_of(metric), at + ".floor", own.floor,
                  "that of the margin (calibrate again)");
    static_cast<void>(plan);
}

// ---- under judgement

BeforeAfterKind::BeforeAfterKind(const Plan& plan, const Metric& metric, double share)
    : metric_(metric),
      alpha_(alpha_used(plan, share)),
      mirror_alpha_(plan.alpha_promote.value_or(plan.alpha)),
      scale_(metric, BeforeAfterScale::uses_logs(metric), BeforeAfterScale::floor_of(metric)) {
    if (effective_promote_when(metric) == PromoteWhen::no_harm_found) {
        detect_ = effective_detect(metric);
        mirror_alpha_ = plan.beta;
    }
    if (const Noise* const noise = noise_of(plan, metric)) noise_ = noise->before_after;
    if (noise_) windows_ = before_after_windows(static_cast<std::size_t>(noise_->horizon));
}

std::int64_t BeforeAfterKind::wants_before() const {
    return noise_ && !state_.began ? static_cast<std::int64_t>(noise_->before) : 0;
}

void BeforeAfterKind::tell_before(const Values& values) {
    const bool there = values.present && std::isfinite(values.part) && values.whole > 0;
    state_.before_parts.push_back(there ? values.part : 0);
    state_.before_wholes.push_back(there ? values.whole : 0);
}

void BeforeAfterKind::enter_stage(std::size_t /*stage*/, bool fresh) {
    if (!fresh) return;
    state_.heard_stage = false;
    state_.lowest = state_.stage_part = state_.stage_whole = state_.stage_intervals = 0;
}

BeforeAfterKind::Values BeforeAfterKind::gather(const Interval& interval, const Metric& metric, Arm arm) {
    Values values;
    if (metric.kind == Kind::gauge) {
        interval.each(name_of_values(metric), arm, [&](const std::string&, const Brought& value) {
            values.part += value.sum / value.samples;
            values.whole += 1;
        });
        if (values.whole > 0) {
            values.part /= values.whole;
            values.whole = 1;
        }
        values.present = values.whole > 0 && std::isfinite(values.part);
        return values;
    }
    const ArmCounts& counts = interval.counts(arm);
    values.present = counts.present;
    values.unpaired = counts.unpaired;
    values.whole = counts.sums[1];
    values.part = metric.good.empty() ? counts.sums[0] : counts.sums[1] - counts.sums[0];
    return values;
}

bool BeforeAfterKind::update(const std::array<Values, 2>& arms) {
    const Values& now = arms[1];  // both are told the same
    const bool counts = metric_.kind != Kind::gauge;
    if (counts && (!is_count(now.part) || !(now.whole >= 0) || !std::isfinite(now.whole))) return false;
    if (metric_.kind == Kind::proportion && now.part > now.whole) return false;
    state_.stage_part += now.part;
    state_.stage_whole += now.whole;
    state_.stage_intervals += 1;
    add(now.part, now.whole);
    return true;
}

double BeforeAfterKind::before() const {
    return scale_.level(std::accumulate(state_.before_parts.begin(), state_.before_parts.end(), 0.0),
                        std::accumulate(state_.before_wholes.begin(), state_.before_wholes.end(), 0.0));
}

bool BeforeAfterKind::enough_before() const {
    const auto there =
        std::count_if(state_.before_wholes.begin(), state_.before_wholes.end(), [](double whole) { return whole > 0; });
    return noise_ && 2 * static_cast<double>(there) >= noise_->before;
}

void BeforeAfterKind::add(double part, double whole) {
    if (!noise_) return;
    state_.after += 1;
    state_.parts.push_back(part);
    state_.wholes.push_back(whole);
    if (state_.parts.size() > windows_.back()) {
        state_.parts.erase(state_.parts.begin());
        state_.wholes.erase(state_.wholes.begin());
    }
    const double old = before();
    if (!enough_before() || std::isnan(old) || state_.after > noise_->horizon) return;
    const Margin& target = detect_ ? *detect_ : metric_.margin;
    double sum = 0, of = 0;
    std::size_t next = 0;
    for (std::size_t length = 1; length <= state_.parts.size() && next < windows_.size(); ++length) {
        sum += state_.parts[state_.parts.size() - length];
        of += state_.wholes[state_.wholes.size() - length];
        if (length != windows_[next]) continue;
        const double scale = noise_->scales[next++];
        const double now = scale_.level(sum, of);
        const double distance = scale_.distance(old, now);
        if (std::isnan(distance)) continue;
        const double beyond = (distance - scale_.allowed(metric_.margin, old, now)) / scale;
        state_.highest = state_.heard ? std::max(state_.highest, beyond) : beyond;
        state_.heard = true;
        // Safe is what this stage shows over the longest window that it fills.
        const auto stage = static_cast<std::size_t>(state_.stage_intervals);
        const bool longest = next == windows_.size() || windows_[next] > stage;
        if (length > stage || !longest) continue;
        const double safe = (distance - scale_.allowed(target, old, now)) / scale;
        state_.lowest = state_.heard_stage ? std::min(state_.lowest, safe) : safe;
        state_.heard_stage = true;
    }
}

double BeforeAfterKind::p_value(std::span<const double> quantiles, double value, bool upwards) const {
    // The share of history's moments that are as extreme; the rollout itself counts as one stretch of time.
    const auto beyond = upwards ? quantiles.end() - std::lower_bound(quantiles.begin(), quantiles.end(), value)
                                : std::upper_bound(quantiles.begin(), quantiles.end(), value) - quantiles.begin();
    const double share = static_cast<double>(beyond) / static_cast<double>(quantiles.size());
    return (1 + noise_->independent * share) / (noise_->independent + 1);
}

double BeforeAfterKind::harm_p_value() const {
    return noise_ && state_.heard ? p_value(noise_->highest, state_.highest, true) : 1;
}

double BeforeAfterKind::mirror_p_value() const {
    return noise_ && state_.heard_stage ? p_value(noise_->lowest, state_.lowest, false) : 1;
}

Evidence BeforeAfterKind::evidence() const {
    Evidence evidence;
    evidence.method = "before_after";
    evidence.n_baseline = static_cast<double>(state_.before_wholes.size());
    evidence.n_canary = state_.stage_intervals;
    const double old = before(), now = stage_level();
    evidence.estimate = !metric_.margin.ratio ? now - old : old > 0 ? now / old : nothing;
    if (metric_.margin.floor) {
        const double base = metric_.harm == Harm::decrease ? now : old;
        evidence.estimate = (now - old) / std::max((*metric_.margin.ratio - 1) * base, *metric_.margin.floor);
    }
    return evidence;
}

std::vector<NamedNumber> BeforeAfterKind::observed() const {
    const auto told = [](double part, double whole) { return whole > 0 ? part / whole : nothing; };
    const double part = std::accumulate(state_.before_parts.begin(), state_.before_parts.end(), 0.0);
    const double whole = std::accumulate(state_.before_wholes.begin(), state_.before_wholes.end(), 0.0);
    if (!(whole > 0) || !(state_.stage_whole > 0)) return {};
    return {{"before", told(part, whole)},
            {"after", told(state_.stage_part, state_.stage_whole)},
            {"intervals_before", static_cast<double>(state_.before_wholes.size())},
            {"intervals", state_.stage_intervals}};
}

std::optional<Failure> BeforeAfterKind::failure(const Metric& metric, double /*log_gain*/) const {
    const double now = stage_level(), old = before();
    return Failure{.down = metric.harm == Harm::decrease || (metric.harm == Harm::either && now < old),
                   .bound = now,
                   .baseline = old};
}

// ---- what there is to say

Reason BeforeAfterKind::failure_reason(const Metric& /*metric*/, const Failure& failure, double after_seconds) const {
    return reason(Code::before_after_proven, {{"after_level", failure.bound},
                                              {"before_level", failure.baseline},
                                              {"share", alpha_},
                                              {"after", after_seconds}});
}

std::vector<Reason> BeforeAfterKind::obstacles(double /*intervals*/) const {
    if (!noise_) return {reason(Code::before_after_unknown)};
    if (state_.began && !enough_before()) {
        const auto there = std::count_if(state_.before_wholes.begin(), state_.before_wholes.end(),
                                         [](double whole) { return whole > 0; });
        return {reason(Code::before_missing,
                       {{"count", static_cast<double>(there)}, {"needed", std::ceil(noise_->before / 2)}})};
    }
    return {};
}

std::vector<Reason> BeforeAfterKind::doubts(std::int64_t /*judged*/, bool /*passed*/) const {
    if (!noise_ || state_.after <= noise_->horizon) return {};
    return {reason(Code::before_after_over, {{"horizon", noise_->horizon}})};
}

Promise BeforeAfterKind::promise() const {
    if (!noise_) return {Guarantee::none, Code::before_after_unknown};
    return {Guarantee::measured, Code::before_after_noise};
}

std::vector<Reason> BeforeAfterKind::noise_reasons() const {
    if (!noise_) return {};
    return {reason(Code::before_after_noise,
                   {{"starts", noise_->starts}, {"independent", noise_->independent}, {"alpha", alpha_}})};
}

void BeforeAfterKind::restore(const MetricState& state, std::size_t /*stage*/) {
    require_state(state.before_after.has_value(), "a metric with arms");
    const BeforeAfterState& of = *state.before_after;
    require_state(of.parts.size() == of.wholes.size() && of.before_parts.size() == of.before_wholes.size() &&
                      of.parts.size() <= (windows_.empty() ? 0 : windows_.back()),
                  "intervals of a metric without arms that cannot be");
    state_ = of;
}

}  // namespace detail
}  // namespace v0
}  // namespace serinus
