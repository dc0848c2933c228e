#include "rollout/kinds/quantiles.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

#include <serinus/core/counts.hpp>
#include <serinus/numeric/elementary.hpp>
#include <serinus/sequential/boundaries/beta_binomial.hpp>

#include "rollout/kinds/count_history.hpp"
#include "rollout/plan_checks.hpp"
#include "rollout/state_checks.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
/// A bound this far, as a share, from what is wanted stands for it.
constexpr double near_enough = 0.25;
/// Without history: so many observations beyond each quantile, in so many intervals, tell it.
constexpr double enough_beyond = 20, enough_intervals = 5;

bool near_to(double bound, double wanted) {
    return std::fabs(bound - wanted) <= near_enough * std::fabs(wanted) * (1 + 1e-9);
}

/// The next bound at or beyond a value, up or down; none where there is none.
std::optional<double> next_bound(const std::vector<double>& bounds, double value, bool up) {
    if (up) {
        for (const double bound : bounds)
            if (bound >= value || std::fabs(bound - value) <= 1e-9 * std::fabs(value)) return bound;
        return std::nullopt;
    }
    for (auto at = bounds.rbegin(); at != bounds.rend(); ++at)
        if (*at <= value || std::fabs(*at - value) <= 1e-9 * std::fabs(value)) return *at;
    return std::nullopt;
}

std::optional<double> nearest_bound(const std::vector<double>& bounds, double value) {
    std::optional<double> found;
    for (const double bound : bounds)
        if (!found || std::fabs(bound - value) < std::fabs(*found - value)) found = bound;
    return found;
}

/// Where exponential buckets would have bounds around a value, though nothing is in them yet.
void add_grid(std::vector<double>& bounds, const std::optional<int>& scale, double value) {
    if (!scale || !(value > 0) || !std::isfinite(value)) return;
    const double index = std::ldexp(std::log2(value), *scale);
    for (const double at : {std::floor(index), std::ceil(index)}) {
        const double bound = exponential_bucket_end(*scale, static_cast<std::int64_t>(at));
        const auto place = std::lower_bound(bounds.begin(), bounds.end(), bound);
        const bool there = (place != bounds.end() && same_bound(*place, bound)) ||
                           (place != bounds.begin() && same_bound(*std::prev(place), bound));
        if (!there) bounds.insert(place, bound);
    }
}

}  // namespace

double shifted(double threshold, const Margin& margin, bool increase) {
    if (margin.difference) return increase ? threshold + *margin.difference : threshold - *margin.difference;
    return increase ? threshold * *margin.ratio : threshold / *margin.ratio;
}

Threshold choose_threshold(const Partition& seen, double quantile, const Metric& metric) {
    Threshold chosen;
    const double n = seen.total();
    if (!(n > 0) || seen.bounds.empty()) return chosen;
    chosen.last = seen.bounds.back();
    const bool increase = metric.harm != Harm::decrease;
    const Ends ends = part_at(seen, quantile * n);
    const double wanted_share = increase ? 1 - quantile : quantile;
    // Between its ends the quantile is taken by how many are on either side.
    double guess = std::isfinite(ends.upper) ? ends.upper : ends.lower;
    if (std::isfinite(ends.lower) && std::isfinite(ends.upper)) {
        const double below = n - above(seen, ends.lower), upto = n - above(seen, ends.upper);
        if (upto > below) guess = ends.lower + (ends.upper - ends.lower) * (quantile * n - below) / (upto - below);
    }
    std::vector<double> bounds = seen.bounds;
    const std::optional<int> scale = scale_of(seen.bounds);
    double best = infinity;
    for (const double candidate : {ends.upper, ends.lower}) {
        if (!std::isfinite(candidate)) continue;
        const double beyond = above(seen, candidate) / n, share = increase ? beyond : 1 - beyond;
        const bool alike = share >= wanted_share / 3 && share <= 3 * wanted_share;
        // Beyond the last bound nothing is known of how far the quantile is.
        if (!(alike || (std::isfinite(ends.upper) && near_to(candidate, guess)))) continue;
        const double wanted = shifted(candidate, metric.margin, increase);
        add_grid(bounds, scale, wanted);
        const auto bound = next_bound(bounds, wanted, increase);
        const double off =
            std::fabs(std::log(std::max(share, 1e-9) / wanted_share)) + (bound && near_to(*bound, wanted) ? 0 : 100);
        if (off < best) {
            best = off;
            chosen.value = candidate;
        }
    }
    return chosen;
}

// ---- the plan

void QuantilesKind::check(const std::string& path, const Metric& metric) {
    if (metric.quantile.empty()) refuse(path + ".quantile", "empty", "a quantile such as 0.95, or several");
    for (std::size_t i = 0; i < metric.quantile.size(); ++i) {
        const double q = metric.quantile[i];
        require_value(q > 0 && q < 1, path + ".quantile[" + std::to_string(i) + "]", q, "above 0, below 1");
        require_value(std::count(metric.quantile.begin(), metric.quantile.end(), q) == 1,
                      path + ".quantile[" + std::to_string(i) + "]", q, "each once");
    }
    if (metric.harm == Harm::either)
        refuse(path + ".harm", "\"either\"", "\"increase\" or \"decrease\"; two metrics have both");
    if (metric.kind == Kind::sample && metric.counter)
        refuse(path + ".counter", "true", "false: single observations are no counter");
}

void QuantilesKind::check_noise(const std::string& path, const Noise& noise, const Metric& metric, const Plan&) {
    check_count_noise(path, noise);
    const auto each = [&](std::string_view key, const std::vector<double>& values, std::size_t size, double least) {
        const std::string name = path + "." + std::string(key);
        if (!values.empty() && values.size() != size)
            refuse(name, std::to_string(values.size()) + " numbers", std::to_string(size) + " of them");
        for (std::size_t i = 0; i < values.size(); ++i)
            require_value(std::isfinite(values[i]) && values[i] >= least, name + "[" + std::to_string(i) + "]",
                          values[i], least >= 1 ? "at least 1, finite" : "finite");
    };
    each("thresholds", noise.thresholds, metric.quantile.size(), std::numeric_limits<double>::lowest());
    each("dispersions", noise.dispersions, metric.quantile.size(), 1);
    each("shape", noise.shape, shape_quantiles.size(), std::numeric_limits<double>::lowest());
}

QuantilesKind::QuantilesKind(const Plan& plan, const Metric& metric, double share)
    : metric_(metric),
      alpha_(alpha_used(plan, share)),
      log_needed_(-elementary::log(alpha_)),
      mirror_alpha_(plan.alpha_promote.value_or(plan.alpha)),
      alpha_safe_(mirror_alpha_),
      known_(noise_of(plan, metric)) {
    if (effective_promote_when(metric) == PromoteWhen::no_harm_found) {
        detect_ = effective_detect(metric);
        mirror_alpha_ = plan.beta;
    }
    const Noise* const noise = noise_of(plan, metric);
    for (std::size_t i = 0; i < metric.quantile.size(); ++i) {
        OneQuantile& of = quantiles_.emplace_back();
        of.quantile = metric.quantile[i];
        if (!noise) continue;
        of.dispersion = i < noise->dispersions.size() ? noise->dispersions[i] : noise->dispersion.value_or(1);
        if (i < noise->thresholds.size()) of.threshold = noise->thresholds[i];
    }
    ranks_.resize(quantiles_.size());
    if (!noise) return;
    refuted_ = noise->refuted;
    given_ = noise->thresholds;
    given_shape_ = noise->shape;
    shape_dispersion_ = noise->dispersion.value_or(1);
}

QuantilesKind::Values QuantilesKind::gather(const Interval& interval, const Metric& metric, Arm arm) {
    const MetricCounts& counts = interval.counts();
    Values values;
    values.present = counts.arms[static_cast<std::size_t>(arm)].present;
    if (metric.kind == Kind::sample) {
        values.single = &counts.values[static_cast<std::size_t>(arm)];
    } else {
        values.whole = &counts.observations[static_cast<std::size_t>(arm)];
    }
    return values;
}

// ---- thresholds

/// Whether what was learned of the baseline is enough.
bool QuantilesKind::ready() const {
    if (learned_intervals_ < enough_intervals) return false;
    return std::all_of(quantiles_.begin(), quantiles_.end(), [&](const OneQuantile& of) {
        return learned_observations_ * std::min(of.quantile, 1 - of.quantile) >= enough_beyond;
    });
}

void QuantilesKind::listen(const Interval& interval, const Metric& metric, std::int64_t /*from_ms*/, bool /*warming*/) {
    if (!given_.empty() || std::any_of(quantiles_.begin(), quantiles_.end(),
                                       [](const OneQuantile& of) { return of.threshold.has_value(); })) {
        return;
    }
    // What was learned before this interval; this one is learned from, or compared, never both.
    usable_ = ready();
    const Values baseline = gather(interval, metric, Arm::baseline);
    if (usable_ || interval.counts().waiting || !baseline.present) return;
    if (baseline.single) {
        add_to(learning_, binned(*baseline.single));
    } else {
        if (baseline.whole->empty() || !std::all_of(baseline.whole->counts.begin(), baseline.whole->counts.end(),
                                                    [](double count) { return is_count(count); })) {
            return;
        }
        add_to(learning_, *baseline.whole);
    }
    learned_observations_ = learning_.total();
    ++learned_intervals_;
}

QuantilesKind::Test QuantilesKind::make_test(double threshold, const Margin& margin, Side side, double alpha_safe,
                                             double dispersion) const {
    return Test(threshold, {.alpha = alpha_,
                            .alpha_safe = alpha_safe,
                            .harm = metric_.harm,
                            .margin = margin,
                            .side = side,
                            .dispersion = dispersion,
                            .interval = false});
}

void QuantilesKind::make_tests(OneQuantile& of, const std::array<Values, 2>& arms) {
    const bool up = increase();
    const double asked = *of.threshold;
    if (!(asked > 0) && metric_.margin.ratio.value_or(1) > 1) return;  // an obstacle says so
    double tau = asked, harm = shifted(asked, metric_.margin, up);
    double detect = detect_ ? shifted(asked, *detect_, up) : harm;
    bool nearer = false;  // what is ruled out lies nearer than what proves harm
    if (arms[0].whole) {
        std::vector<double> bounds = common_bounds(*arms[0].whole, *arms[1].whole);
        const std::optional<int> scale = scale_of(bounds);
        const auto known = [&](double value) {
            return std::isfinite(value) && known_at(*arms[0].whole, value) && known_at(*arms[1].whole, value);
        };
        const auto grid = [&](double value) {
            std::vector<double> wanted;
            add_grid(wanted, scale, value);
            for (const double bound : wanted)
                if (known(bound)) add_grid(bounds, scale, bound);
        };
        grid(asked);
        auto own = next_bound(bounds, asked, up);
        if (!own || !near_to(*own, asked)) own = next_bound(bounds, asked, !up);
        if (!own || !near_to(*own, asked)) {
            of.nearest = nearest_bound(bounds, asked);
            of.at = {asked, asked, asked};
            return;
        }
        tau = *own;
        const double wanted = shifted(tau, metric_.margin, up);
        grid(wanted);
        const auto bound = next_bound(bounds, wanted, up);
        if (!bound || !near_to(*bound, wanted)) {
            of.nearest = nearest_bound(bounds, wanted);
            of.at = {tau, wanted, wanted};
            return;
        }
        harm = detect = *bound;
        if (detect_) {
            const double beyond = shifted(tau, *detect_, up);
            grid(beyond);
            // Rounded to the near side, so that what is ruled out is never less than what was asked.
            const auto inner = next_bound(bounds, beyond, !up);
            if (inner && (up ? *inner > harm : *inner < harm)) detect = *inner;
        } else if (const auto inner = next_bound(bounds, wanted, !up); inner && *inner != harm) {
            detect = up ? std::max(*inner, tau) : std::min(*inner, tau);
            nearer = true;
        }
    }
    of.nearest.reset();
    of.at = {tau, harm, detect};
    const auto margin = [&](double to) {
        if (metric_.margin.difference) return Margin{.ratio = {}, .difference = std::fabs(to - tau)};
        return Margin{.ratio = std::max(1.0, up ? to / tau : tau / to), .difference = {}};
    };
    std::optional<Test> against;
    if (detect_ || nearer) against.emplace(make_test(tau, margin(detect), Side::safe, mirror_alpha_, of.dispersion));
    of.tests.emplace(Tests<Test>{
        sequential::StartMixture<Test>(make_test(tau, margin(harm), Side::harm, alpha_safe_, of.dispersion)),
        make_test(tau, margin(harm), Side::safe, alpha_safe_, of.dispersion), std::move(against)});
    if (begun_ > 0) of.tests->harm.begin(std::min(1.0, begun_));
}

void QuantilesKind::make_shape(std::size_t index, double threshold, double dispersion) {
    if (!std::isfinite(threshold)) return;
    sequential::ThresholdOptions options;
    options.alpha = alpha_ / static_cast<double>(shape_.size());
    options.harm = Harm::either;
    options.dispersion = dispersion;
    options.interval = false;
    shape_[index].test.emplace(threshold, options);
}

/// Sets what is not set yet; false while the thresholds are not known.
bool QuantilesKind::make_all(const std::array<Values, 2>& arms) {
    if (std::all_of(quantiles_.begin(), quantiles_.end(), [](const OneQuantile& of) { return of.tests.has_value(); }))
        return true;
    const bool learned = !quantiles_.front().threshold;
    if (learned) {
        if (!usable_) return false;
        std::vector<double> thresholds;
        for (const OneQuantile& of : quantiles_) {
            const Threshold chosen = choose_threshold(learning_, of.quantile, metric_);
            if (!chosen.value) {
                beyond_last_ = {of.quantile, chosen.last};
                return false;
            }
            thresholds.push_back(*chosen.value);
        }
        for (std::size_t i = 0; i < quantiles_.size(); ++i) quantiles_[i].threshold = thresholds[i];
    }
    for (OneQuantile& of : quantiles_)
        if (!of.tests) make_tests(of, arms);
    for (std::size_t i = 0; i < shape_.size(); ++i) {
        if (shape_[i].test) continue;
        if (!given_shape_.empty()) {
            make_shape(i, given_shape_[i], shape_dispersion_);
        } else if (learned) {
            if (const auto chosen = choose_threshold(learning_, shape_quantiles[i], metric_).value)
                make_shape(i, *chosen, shape_dispersion_);
        }
    }
    if (learned) learning_ = {};
    return true;
}

// ---- an interval

void QuantilesKind::begin(double weight) {
    begun_ += weight;
    for (OneQuantile& of : quantiles_)
        if (of.tests) of.tests->harm.begin(weight);
}

void QuantilesKind::enter_stage(std::size_t /*stage*/, bool fresh) {
    if (!fresh) return;
    for (OneQuantile& of : quantiles_) {
        of.beyond = {};
        if (of.tests) of.tests->enter_stage();
    }
    for (Shape& of : shape_) of.beyond = {};
    totals_ = {};
    stage_ = {};
    ranks_.assign(quantiles_.size(), {});
    intervals_ = apart_ = 0;
}

/// Bounds that both arms have: the thresholds, and all others where one of these is not known in an arm.
std::vector<double> QuantilesKind::bounds_for(const Partition& baseline, const Partition& canary) const {
    std::vector<double> bounds;
    bool all = true;
    const auto add = [&](double threshold) {
        if (known_at(baseline, threshold) && known_at(canary, threshold)) {
            bounds.push_back(threshold);
        } else {
            all = false;
        }
    };
    for (const OneQuantile& of : quantiles_) {
        if (!of.tests) continue;
        for (const double threshold : of.at) add(threshold);
    }
    for (const Shape& of : shape_)
        if (of.test) add(of.test->threshold());
    if (!all) {
        const std::vector<double> common = common_bounds(baseline, canary);
        bounds.insert(bounds.end(), common.begin(), common.end());
    }
    std::sort(bounds.begin(), bounds.end());
    bounds.erase(std::unique(bounds.begin(), bounds.end(), same_bound), bounds.end());
    return bounds;
}

template <class Update, class Beyond>
void QuantilesKind::compare(const Update& update, const Beyond& beyond) {
    for (OneQuantile& of : quantiles_) {
        if (!of.tests) continue;
        update(*of.tests);
        for (std::size_t arm = 0; arm < 2; ++arm) of.beyond[arm] += beyond(arm, of.at[arm]);
    }
    for (Shape& of : shape_) {
        if (!of.test) continue;
        update(*of.test);
        for (std::size_t arm = 0; arm < 2; ++arm) of.beyond[arm] += beyond(arm, of.test->threshold());
    }
    log_largest_ = std::max(log_largest_, harm_log_e_value());
}

bool QuantilesKind::compare_buckets(const Partition& baseline, const Partition& canary) {
    const std::vector<double> bounds = bounds_for(baseline, canary);
    std::array<std::vector<std::int64_t>, 2> counts;
    std::array<double, 2> totals{};
    for (std::size_t arm = 0; arm < 2; ++arm) {
        const Partition& whole = arm == 0 ? baseline : canary;
        const Partition part = between(whole, bounds);
        for (const double count : part.counts) {
            counts[arm].push_back(static_cast<std::int64_t>(count));
            totals[arm] += count;
        }
    }
    for (const OneQuantile& of : quantiles_) {
        if (!of.tests) continue;
        const auto own = next_bound(bounds, of.at[0], increase()), other = next_bound(bounds, of.at[1], increase());
        if (own && other && near_to(*own, of.at[0]) && near_to(*other, of.at[1])) continue;
        apart_ += 1;
        break;
    }
    const auto update = [&](auto& test) {
        if (!bounds.empty())
            test.update(std::span<const double>(bounds), std::span<const std::int64_t>(counts[0]),
                        std::span<const std::int64_t>(counts[1]));
    };
    compare(update, [&](std::size_t arm, double threshold) {
        const double more = above(arm == 0 ? baseline : canary, threshold);
        return increase() ? more : totals[arm] - more;
    });
    for (std::size_t arm = 0; arm < 2; ++arm) {
        totals_[arm] += totals[arm];
        add_to(stage_[arm], arm == 0 ? baseline : canary);
    }
    return true;
}

bool QuantilesKind::compare_values(const std::vector<double>& baseline, const std::vector<double>& canary) {
    const auto update = [&](auto& test) {
        test.update(std::span<const double>(baseline), std::span<const double>(canary));
    };
    compare(update, [&](std::size_t arm, double threshold) {
        const std::vector<double>& values = arm == 0 ? baseline : canary;
        return static_cast<double>(std::count_if(values.begin(), values.end(), [&](double value) {
            return increase() ? value > threshold : value <= threshold;
        }));
    });
    for (std::size_t arm = 0; arm < 2; ++arm) {
        const std::vector<double>& values = arm == 0 ? baseline : canary;
        totals_[arm] += static_cast<double>(values.size());
        add_to(stage_[arm], binned(values));
    }
    return true;
}

bool QuantilesKind::update(const std::array<Values, 2>& arms) {
    ++intervals_;
    for (const Values& arm : arms) {
        if (arm.whole && !std::all_of(arm.whole->counts.begin(), arm.whole->counts.end(),
                                      [](double count) { return is_count(count); })) {
            return false;
        }
    }
    if (!make_all(arms)) return true;
    if (arms[0].whole) {
        compare_buckets(*arms[0].whole, *arms[1].whole);
    } else {
        compare_values(*arms[0].single, *arms[1].single);
    }
    set_ranks();
    return true;
}

/// By how many ranks the quantiles may be off: asked for the next of sizes a tenth apart, and right up to that one.
void QuantilesKind::set_ranks() {
    for (std::size_t i = 0; i < quantiles_.size(); ++i) {
        for (std::size_t arm = 0; arm < 2; ++arm) {
            Ranks& of = ranks_[i][arm];
            if (totals_[arm] <= of.until || !(totals_[arm] > 0)) continue;
            const double q = quantiles_[i].quantile, phi = quantiles_[i].dispersion;
            of.until = std::pow(1.1, std::ceil(std::log(totals_[arm]) / std::log(1.1) + 1e-9));
            constexpr double tuned_at = 10;  // events' worth of variance
            const double v = q * (1 - q) * of.until / phi;
            of.up = phi * sequential::BetaBinomialMixture(tuned_at, q, 1 - q).bound(v, alpha_ / 4);
            of.down = phi * sequential::BetaBinomialMixture(tuned_at, 1 - q, q).bound(v, alpha_ / 4);
        }
    }
}

// ---- evidence

double QuantilesKind::harm_log_e_value() const {
    double sum = -infinity;
    for (const OneQuantile& of : quantiles_)
        sum = elementary::log_add_exp(sum, of.tests ? of.tests->harm.log_e_value() : 0);
    return sum - elementary::log(static_cast<double>(quantiles_.size()));
}

double QuantilesKind::harm_p_value() const { return elementary::exp(-std::max(0.0, log_largest_)); }

double QuantilesKind::mirror_log_e_value() const {
    double least = infinity;
    for (const OneQuantile& of : quantiles_) least = std::min(least, of.tests ? of.tests->mirror().log_e_value() : 0);
    return least;
}
double QuantilesKind::mirror_p_value() const {
    double most = 0;
    for (const OneQuantile& of : quantiles_) most = std::max(most, of.tests ? of.tests->mirror().p_value() : 1);
    return most;
}
bool QuantilesKind::mirror_decided() const {
    return std::all_of(quantiles_.begin(), quantiles_.end(),
                       [](const OneQuantile& of) { return of.tests && of.tests->mirror().decided(); });
}

std::size_t QuantilesKind::worst() const {
    std::size_t found = 0;
    double most = -infinity;
    for (std::size_t i = 0; i < quantiles_.size(); ++i) {
        const double own = quantiles_[i].tests ? quantiles_[i].tests->harm.log_e_value() : 0;
        if (own > most) {
            most = own;
            found = i;
        }
    }
    return found;
}

Margin QuantilesKind::tested(const OneQuantile& of) const {
    if (metric_.margin.difference) return {.ratio = {}, .difference = std::fabs(of.at[1] - of.at[0])};
    return {.ratio = increase() ? of.at[1] / of.at[0] : of.at[0] / of.at[1], .difference = {}};
}

QuantilesKind::Band QuantilesKind::band(std::size_t quantile, std::size_t arm) const {
    const double q = quantiles_[quantile].quantile, n = totals_[arm];
    const Ranks& ranks = ranks_[quantile][arm];
    Band band{-infinity, infinity, std::numeric_limits<double>::quiet_NaN()};
    if (!(n > 0) || ranks.until < 0) return band;
    const Partition& seen = stage_[arm];
    const double low = std::ceil(q * n - ranks.down), high = std::floor(q * n + ranks.up) + 1;
    if (low >= 1) band.lower = part_at(seen, low).lower;
    if (high <= n) band.upper = part_at(seen, high).upper;
    const Ends ends = part_at(seen, std::max(1.0, q * n));
    if (std::isfinite(ends.lower) && std::isfinite(ends.upper)) {
        const double below = n - above(seen, ends.lower), upto = n - above(seen, ends.upper);
        band.guess = ends.lower + (ends.upper - ends.lower) * (upto > below ? (q * n - below) / (upto - below) : 1);
    } else {
        band.guess = std::isfinite(ends.upper) ? ends.upper : ends.lower;
    }
    return band;
}

namespace {

/// What a quantile differs by, as the margin is given.
struct Difference {
    double estimate = std::numeric_limits<double>::quiet_NaN(), lower = -infinity, upper = infinity;
};

template <class Band>
Difference difference_of(const Band& b, const Band& c, bool ratio) {
    if (!ratio) return {c.guess - b.guess, c.lower - b.upper, c.upper - b.lower};
    Difference found{.estimate = c.guess / b.guess, .lower = 0, .upper = infinity};
    if (c.lower > 0 && b.upper > 0 && std::isfinite(b.upper)) found.lower = c.lower / b.upper;
    if (b.lower > 0 && std::isfinite(c.upper)) found.upper = c.upper / b.lower;
    return found;
}

}  // namespace

Evidence QuantilesKind::evidence() const {
    Evidence evidence;
    evidence.log_e_value = harm_log_e_value();
    evidence.p_value = harm_p_value();
    evidence.n_baseline = totals_[0];
    evidence.n_canary = totals_[1];
    evidence.method = "threshold";
    const std::size_t index = worst();
    if (!quantiles_[index].tests) return evidence;
    const auto found = difference_of(band(index, 0), band(index, 1), metric_.margin.ratio.has_value());
    evidence.estimate = found.estimate;
    evidence.lower = found.lower;
    evidence.upper = found.upper;
    evidence.confidence = 1 - alpha_;
    return evidence;
}

std::optional<Failure> QuantilesKind::failure(const Metric& metric, double /*log_gain*/) const {
    const std::size_t index = worst();
    if (!quantiles_[index].tests) return std::nullopt;
    Metric really = metric;
    really.margin = tested(quantiles_[index]);
    Failure failure = failure_beyond_margin(really, evidence());
    failure.baseline = 100 * quantiles_[index].quantile;
    return failure;
}

std::optional<Arm> QuantilesKind::without_requests() const {
    if (!quantiles_.front().tests) return std::nullopt;
    if (totals_[1] == 0) return Arm::canary;
    if (totals_[0] == 0) return Arm::baseline;
    return std::nullopt;
}

// ---- reasons

Reason QuantilesKind::failure_reason(const Metric& metric, const Failure& failure, double after_seconds) const {
    constexpr HarmCodes codes{Code::quantile_proven_above, Code::quantile_proven_below,
                              Code::quantile_proven_above_difference, Code::quantile_proven_below_difference};
    Reason why = harm_reason(codes, metric, failure, after_seconds);
    why.numbers.push_back({"percent", failure.baseline});
    return why;
}

std::vector<Reason> QuantilesKind::obstacles(double /*intervals*/) const {
    std::vector<Reason> reasons;
    if (refuted_) return {reason(Code::history_unusable)};
    if (beyond_last_) {
        return {reason(Code::quantile_beyond_buckets,
                       {{"percent", 100 * beyond_last_->first}, {"bound", beyond_last_->second}})};
    }
    if (!quantiles_.front().threshold && intervals_ > 0) {
        double needed = enough_beyond;
        for (const OneQuantile& of : quantiles_)
            needed = std::max(needed, std::ceil(enough_beyond / std::min(of.quantile, 1 - of.quantile) - 1e-9));
        reasons.push_back(reason(Code::thresholds_awaited, {{"count", learned_observations_}, {"needed", needed}}));
    }
    for (const OneQuantile& of : quantiles_) {
        if (of.tests || !of.threshold) continue;
        if (of.nearest) {
            reasons.push_back(reason(Code::no_near_bound,
                                     {{"percent", 100 * of.quantile}, {"wanted", of.at[1]}, {"nearest", *of.nearest}}));
        } else if (!(*of.threshold > 0) && metric_.margin.ratio.value_or(1) > 1) {
            reasons.push_back(
                reason(Code::threshold_not_positive, {{"percent", 100 * of.quantile}, {"value", *of.threshold}}));
        }
    }
    if (apart_ > std::max(1.0, 0.05 * intervals_)) reasons.push_back(reason(Code::buckets_apart, {{"count", apart_}}));
    return reasons;
}

std::vector<Reason> QuantilesKind::noise_reasons() const {
    std::vector<Reason> reasons = known_.reasons();
    if (refuted_ || !quantiles_.front().threshold) return reasons;
    if (given_.empty()) {
        reasons.push_back(
            reason(Code::thresholds_learned, {{"count", learned_observations_}, {"intervals", learned_intervals_}}));
    }
    const bool ratio = metric_.margin.ratio.has_value();
    for (std::size_t i = 0; i < quantiles_.size(); ++i) {
        const OneQuantile& of = quantiles_[i];
        if (!of.tests || !(totals_[0] > 0) || !(totals_[1] > 0)) continue;
        const double percent = 100 * of.quantile;
        const Margin really = tested(of);
        reasons.push_back(reason(ratio ? Code::quantile_thresholds : Code::quantile_thresholds_difference,
                                 {{"percent", percent},
                                  {"baseline", of.at[0]},
                                  {"canary", of.at[1]},
                                  {"share", of.beyond[0] / totals_[0]},
                                  {"share_canary", of.beyond[1] / totals_[1]},
                                  {"tested", ratio ? *really.ratio : *really.difference},
                                  {"asked", ratio ? *metric_.margin.ratio : *metric_.margin.difference}}));
        const Band b = band(i, 0), c = band(i, 1);
        const auto found = difference_of(b, c, false);
        if (!std::isfinite(found.lower) || !std::isfinite(found.upper)) continue;
        reasons.push_back(reason(Code::quantile_band, {{"percent", percent},
                                                       {"canary_lower", c.lower},
                                                       {"canary_upper", c.upper},
                                                       {"baseline_lower", b.lower},
                                                       {"baseline_upper", b.upper},
                                                       {"lower", found.lower},
                                                       {"upper", found.upper},
                                                       {"confidence", 1 - alpha_}}));
    }
    std::vector<NamedNumber> shares;
    constexpr std::array<std::array<std::string_view, 2>, 3> names{
        {{"half_baseline", "half"}, {"tenth_baseline", "tenth"}, {"hundredth_baseline", "hundredth"}}};
    for (std::size_t i = 0; i < shape_.size(); ++i) {
        if (!shape_[i].test || !(totals_[0] > 0) || !(totals_[1] > 0)) break;
        for (std::size_t arm = 0; arm < 2; ++arm) {
            const double share = shape_[i].beyond[arm] / totals_[arm];
            shares.push_back({std::string(names[i][arm]), increase() ? share : 1 - share});
        }
    }
    if (shares.size() == 6) reasons.push_back(reason(Code::shape_shown, shares));
    for (std::size_t i = 0; i < shape_.size() && 2 * i + 1 < shares.size(); ++i) {
        if (!shape_[i].test->decided()) continue;
        reasons.push_back(reason(Code::shape_differs, {{"quantile", shape_quantiles[i]},
                                                       {"canary", shares[2 * i + 1].value},
                                                       {"baseline", shares[2 * i].value}}));
        break;
    }
    return reasons;
}

// ---- state

void QuantilesKind::save(MetricState& out) const {
    QuantilesState& state = out.quantiles.emplace();
    const bool known = quantiles_.front().threshold.has_value();
    for (const OneQuantile& of : quantiles_) {
        if (known) {
            state.thresholds.push_back(of.threshold.value_or(0));
            state.thresholds.insert(state.thresholds.end(), of.at.begin(), of.at.end());
        }
        state.tested.push_back(of.tests ? 1 : 0);
        if (of.tests) state.tests.push_back(of.tests->state());
        state.nearest.push_back(of.nearest.value_or(0));
        state.beyond.insert(state.beyond.end(), of.beyond.begin(), of.beyond.end());
    }
    for (const Shape& of : shape_) {
        state.tested.push_back(of.test ? 1 : 0);
        if (of.test) state.shape.push_back(of.test->state());
        state.beyond.insert(state.beyond.end(), of.beyond.begin(), of.beyond.end());
    }
    if (beyond_last_) state.beyond_buckets = {beyond_last_->first, beyond_last_->second};
    state.begun = begun_;
    state.log_largest = log_largest_;
    state.learning = state_of(learning_);
    state.learned_intervals = learned_intervals_;
    state.learned_observations = learned_observations_;
    state.intervals = intervals_;
    state.apart = apart_;
    state.totals = totals_;
    for (std::size_t arm = 0; arm < 2; ++arm) state.stage[arm] = state_of(stage_[arm]);
}

void QuantilesKind::restore(const MetricState& in, std::size_t /*stage*/) {
    require_state(in.quantiles.has_value(), "a metric of another kind");
    require_state(!in.spikes, "spikes of a metric that watches none");
    require_state(!in.instances, "instances of a metric that is no gauge");
    const QuantilesState& state = *in.quantiles;
    const std::size_t size = quantiles_.size();
    const bool known = !state.thresholds.empty();
    require_state(state.tested.size() == size + shape_.size() && state.nearest.size() == size &&
                      state.beyond.size() == 2 * (size + shape_.size()) &&
                      (!known || state.thresholds.size() == 4 * size),
                  "quantiles that the metric has not");
    require_state(sound(state.learning) && sound(state.stage[0]) && sound(state.stage[1]), "buckets that cannot be");
    require_state(
        state.log_largest >= 0 && std::isfinite(state.log_largest) && state.begun >= 0 && state.begun <= 1 + 1e-9,
        "evidence that cannot be");
    begun_ = state.begun;
    std::size_t next = 0;
    for (std::size_t i = 0; i < size; ++i) {
        OneQuantile& of = quantiles_[i];
        if (known) {
            of.threshold = state.thresholds[4 * i];
            for (std::size_t k = 0; k < 3; ++k) of.at[k] = state.thresholds[4 * i + 1 + k];
        }
        of.beyond = {state.beyond[2 * i], state.beyond[2 * i + 1]};
        of.nearest.reset();
        if (known && state.tested[i] == 0 && state.nearest[i] != 0) of.nearest = state.nearest[i];
        if (state.tested[i] == 0) continue;
        require_state(known && next < state.tests.size(), "a quantile without tests");
        const auto& tests = state.tests[next++];
        const auto margin = [](const sequential::ThresholdState& test) {
            return Margin{.ratio = test.ratio, .difference = test.difference};
        };
        // Where harm is ruled out at the margin there is one of its own where buckets have no bound there.
        require_state(std::isfinite(tests.stage.threshold) && (tests.detect || !detect_),
                      "a metric with another promote_when");
        std::optional<Test> against;
        if (tests.detect) {
            against.emplace(
                make_test(tests.stage.threshold, margin(*tests.detect), Side::safe, mirror_alpha_, of.dispersion));
        }
        of.tests.emplace(
            Tests<Test>{sequential::StartMixture<Test>(make_test(tests.stage.threshold, margin(tests.stage), Side::harm,
                                                                 alpha_safe_, of.dispersion)),
                        make_test(tests.stage.threshold, margin(tests.stage), Side::safe, alpha_safe_, of.dispersion),
                        std::move(against)});
        of.tests->restore(tests);
    }
    require_state(next == state.tests.size(), "tests of quantiles that the metric has not");
    next = 0;
    for (std::size_t i = 0; i < shape_.size(); ++i) {
        shape_[i].beyond = {state.beyond[2 * (size + i)], state.beyond[2 * (size + i) + 1]};
        shape_[i].test.reset();
        if (state.tested[size + i] == 0) continue;
        require_state(next < state.shape.size(), "a quantile without tests");
        make_shape(i, state.shape[next].threshold, shape_dispersion_);
        require_state(shape_[i].test.has_value(), "a threshold that cannot be");
        shape_[i].test->restore(state.shape[next++]);
    }
    require_state(state.beyond_buckets.empty() || state.beyond_buckets.size() == 2, "buckets that cannot be");
    if (!state.beyond_buckets.empty()) beyond_last_ = {state.beyond_buckets[0], state.beyond_buckets[1]};
    log_largest_ = state.log_largest;
    learning_ = partition_of(state.learning);
    learned_intervals_ = state.learned_intervals;
    learned_observations_ = state.learned_observations;
    intervals_ = state.intervals;
    apart_ = state.apart;
    totals_ = state.totals;
    for (std::size_t arm = 0; arm < 2; ++arm) stage_[arm] = partition_of(state.stage[arm]);
    ranks_.assign(size, {});
    set_ranks();
}

}  // namespace detail
}  // namespace v0
}  // namespace serinus
