#pragma once
/// \file
/// What a kind of metric is to the rest of the rollout: the concept `MetricKind`, and what kinds have in common; inside
/// the library only.
///
/// A kind is a class in a file of its own beside this one, which kinds/all.hpp names. It says how its part of a plan is
/// checked, how the samples of an interval become what its tests take, which tests these are, what noise it needs and
/// which reasons say so, and how history is measured. One that a single sequential test judges derives from `JudgedBy`
/// and writes down only what is its own.

#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <serinus/core/error.hpp>
#include <serinus/core/evidence.hpp>
#include <serinus/core/reason.hpp>
#include <serinus/rollout/decision.hpp>
#include <serinus/rollout/kind.hpp>
#include <serinus/rollout/monitor_state.hpp>
#include <serinus/rollout/plan.hpp>
#include <serinus/sequential/start_mixture.hpp>

#include "rollout/interval.hpp"
#include "rollout/limits.hpp"
#include "rollout/state_checks.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

struct Learning;  // rollout/history.hpp

/// What every kind's `Values`, of one arm in one interval, begin with.
struct ArmPresence {
    bool present = false;   // an instance with all that the metric needs
    bool unpaired = false;  // an instance with a part of it only
};

// ---- what a kind says

/// A reason of the metric that is asked; who asks knows its name.
inline Reason reason(Code code, std::vector<NamedNumber> numbers = {}) { return {code, "", std::move(numbers), false}; }

/// What the failure of a metric rests on.
struct Failure {
    bool down = false;  // the canary is lower
    double bound = 0;   // how far, at least; by spikes: the canary's share of them
    bool spikes = false;
    double baseline = 0;  // by spikes: the baseline's share
};

/// Of harm beyond the evidence of this stage's interval: the margin at least, since that much is proven.
inline Failure failure_beyond_margin(const Metric& metric, const Evidence& shown) {
    const bool floor = metric.margin.floor.has_value(), ratio = metric.margin.ratio.has_value() && !floor;
    Failure failure;
    failure.down = metric.harm == Harm::either ? shown.estimate < (ratio ? 1 : 0) : metric.harm == Harm::decrease;
    // Under a floor all is in units of what is allowed.
    failure.bound = floor ? 1 : ratio ? *metric.margin.ratio : *metric.margin.difference;
    double bound = shown.lower;
    if (failure.down) bound = ratio ? 1 / shown.upper : -shown.upper;
    if (bound > failure.bound && std::isfinite(bound)) failure.bound = bound;
    return failure;
}

/// The codes that say of a kind that harm is proven.
struct HarmCodes {
    Code ratio_up, ratio_down, difference_up, difference_down;
    Code floor_up = Code::harm_proven_floor, floor_down = Code::harm_proven_decrease_floor;
};

inline Reason harm_reason(const HarmCodes& codes, const Metric& metric, const Failure& failure, double after_seconds) {
    if (metric.margin.floor) {
        return reason(failure.down ? codes.floor_down : codes.floor_up, {{"bound", failure.bound},
                                                                         {"ratio", *metric.margin.ratio},
                                                                         {"floor", *metric.margin.floor},
                                                                         {"after", after_seconds}});
    }
    const bool ratio = metric.margin.ratio.has_value();
    const Code code = ratio ? (failure.down ? codes.ratio_down : codes.ratio_up)
                            : (failure.down ? codes.difference_down : codes.difference_up);
    return reason(code, {{"bound", failure.bound},
                         {"margin", ratio ? *metric.margin.ratio : *metric.margin.difference},
                         {"after", after_seconds}});
}

/// What stands behind a metric's share of alpha, and the code of the reason why.
using Promise = std::pair<Guarantee, Code>;

/// Adds why history is too little for the promise, where that is why.
inline void add_doubt_of_history(std::vector<Reason>& reasons, const Promise& promise, std::optional<double> history) {
    if (promise.second == Code::noise_former) reasons.push_back(reason(Code::noise_former));
    if (promise.second == Code::history_unmeasured)
        reasons.push_back(reason(Code::history_unmeasured, {{"differences", *history}, {"needed", fewest_measured}}));
}

/// A muted metric has no share of alpha; it is shown as if it had all of it.
inline double alpha_used(const Plan& plan, double share) { return share > 0 ? share : plan.alpha; }

/// The noise that the plan has of a metric; none where it has none.
inline const Noise* noise_of(const Plan& plan, const Metric& metric) {
    const auto known = plan.noise.find(metric.name);
    return known == plan.noise.end() ? nullptr : &known->second;
}

// ---- kinds that one sequential test judges

/// The three tests of a metric.
template <class Test>
struct Tests {
    using State = TestsState<std::remove_cvref_t<decltype(std::declval<const Test&>().state())>>;
    using Options = std::remove_cvref_t<decltype(std::declval<const Test&>().options())>;

    sequential::StartMixture<Test> harm;  // over the whole rollout, beyond the margin
    Test stage;                           // this stage: safety at the margin, and the interval that is shown
    std::optional<Test> detect;           // this stage: safety at `detect`
    // What the tests of a stage begin with; set_noise changes the tests' own.
    Options stage_options = stage.options();
    std::optional<Options> detect_options = detect ? std::optional(detect->options()) : std::nullopt;

    const Test& mirror() const { return detect ? *detect : stage; }

    void enter_stage() {
        stage = begun_anew(stage, stage_options);
        if (detect) *detect = begun_anew(*detect, *detect_options);
    }
    template <class... Arguments>
    void update(const Arguments&... arguments) {
        harm.update(arguments...);
        stage.update(arguments...);
        if (detect) detect->update(arguments...);
    }
    void gap() {
        harm.gap();
        stage.gap();
        if (detect) detect->gap();
    }
    template <class Noise>
    void set_noise(const Noise& noise) {
        harm.set_noise(noise);
        stage.set_noise(noise);
        if (detect) detect->set_noise(noise);
    }

    State state() const {
        State state;
        state.harm = harm.state();
        state.stage = stage.state();
        if (detect) state.detect = detect->state();
        return state;
    }
    void restore(const std::optional<State>& state) {
        require_state(state.has_value(), "a metric of another kind");
        require_state(state->detect.has_value() == detect.has_value(), "a metric with another promote_when");
        harm.restore(state->harm);
        stage.restore(state->stage);
        if (detect) detect->restore(*state->detect);
    }

  private:
    /// The test as it was before any data, but for noise that it was given since.
    static Test begun_anew(const Test& test, const Options& options) {
        if constexpr (requires { test.threshold(); }) {
            return Test(test.threshold(), options);
        } else {
            return Test(options);
        }
    }
};

/// The tests of a metric with `alpha`; `own(options)` sets what is the kind's own.
template <class Test, class Own>
Tests<Test> make_tests(const Plan& plan, const Metric& metric, double alpha, const Own& own) {
    using Options = std::remove_cvref_t<decltype(std::declval<const Test&>().options())>;
    const auto with = [&](Side side, const Margin& margin, bool interval) {
        Options options;
        options.alpha = alpha;
        options.alpha_safe = plan.alpha_promote.value_or(plan.alpha);
        options.harm = metric.harm;
        options.margin = margin;
        options.side = side;
        options.interval = interval;
        own(options);
        return options;
    };
    std::optional<Test> detect;
    if (effective_promote_when(metric) == PromoteWhen::no_harm_found) {
        Options against = with(Side::safe, *effective_detect(metric), false);
        against.alpha_safe = plan.beta;
        detect.emplace(against);
    }
    return {sequential::StartMixture<Test>(Test(with(Side::harm, metric.margin, false))),
            Test(with(Side::safe, metric.margin, true)), detect};
}

/// What a kind that one test judges has in common with others. A kind derives from it, and hides what it knows better;
/// nothing here calls what a kind may hide.
template <class Test>
class JudgedBy {
  public:
    explicit JudgedBy(Tests<Test> tests) : tests_(std::move(tests)) {}

    // ---- time passes

    /// `fresh`: the stage is really a new one, not the one of a state that is being restored.
    void enter_stage(std::size_t /*stage*/, bool fresh) {
        if (fresh) tests_.enter_stage();
    }
    /// A start of the harm evidence, with its part of the capital.
    void begin(double weight) { tests_.harm.begin(weight); }
    /// An interval with nothing to compare.
    void gap() {}
    /// Every interval, those of the stage's warm-up included.
    void listen(const Interval& /*interval*/, const Metric& /*metric*/, std::int64_t /*from_ms*/, bool /*warming*/) {}

    // ---- evidence

    Evidence evidence() const { return tests_.stage.evidence(); }
    double harm_log_e_value() const { return tests_.harm.log_e_value(); }
    double harm_log_largest() const { return tests_.harm.log_largest(); }
    double harm_log_needed() const { return tests_.harm.log_needed(); }
    double harm_p_value() const { return tests_.harm.p_value(); }
    /// What counts in a mean of e-values over metrics.
    double mean_log_e_value() const { return tests_.harm.log_e_value(); }
    /// No less than that, and cheaper.
    double mean_log_at_most() const { return tests_.harm.log_at_most(); }
    double mirror_log_e_value() const { return tests_.mirror().log_e_value(); }
    double mirror_p_value() const { return tests_.mirror().p_value(); }
    bool mirror_decided() const { return tests_.mirror().decided(); }
    double mirror_alpha() const { return *tests_.mirror().options().alpha_safe; }
    std::optional<Margin> detect_margin() const {
        return tests_.detect ? std::optional(tests_.detect->options().margin) : std::nullopt;
    }
    /// The mirror has decided in this stage, which stays: is there nothing else that must be calm?
    bool calm() const { return true; }

    /// What a failure rests on, once the evidence and `log_gain` are enough; empty: it may not fail by this evidence.
    std::optional<Failure> failure(const Metric& metric, double /*log_gain*/) const {
        return failure_beyond_margin(metric, tests_.stage.evidence());
    }

    // ---- reasons

    /// What forbids to decide, of `intervals` in the stage: never which way the evidence points.
    std::vector<Reason> obstacles(double /*intervals*/) const { return {}; }
    /// The share of its intervals in which the canary seems to do nothing; empty: it does something.
    std::optional<double> idle_share() const { return std::nullopt; }
    /// Do the numbers of its tests promise nothing, so that none are shown?
    bool blind() const { return false; }
    /// Nothing of what is counted has happened.
    bool nothing_happened() const { return false; }
    /// An arm that has had no request at all, where requests are counted.
    std::optional<Arm> without_requests() const { return std::nullopt; }
    /// What hinders a metric that is open.
    std::vector<Reason> hindrances() const { return {}; }
    /// What of the rollout its noise does not reach to, `judged` intervals into the stage, and what is not calm though
    /// its mirror has `passed`.
    std::vector<Reason> doubts(std::int64_t /*judged*/, bool /*passed*/) const { return {}; }

  protected:
    Tests<Test> tests_;
};

// ---- the concept, and lists of kinds

template <class K>
concept MetricKind =
    std::copyable<K> && std::constructible_from<K, const Plan&, const Metric&, double> &&
    std::derived_from<typename K::Values, ArmPresence> &&
    requires(K kind, const K known, const Plan& plan, const Metric& metric, const Noise& noise, const std::string& path,
             const Interval& interval, const std::array<typename K::Values, 2>& arms, MetricState& state,
             const Failure& failure, Learning& learning) {
        { K::facts } -> std::convertible_to<const KindFacts&>;
        // the plan; `path` leads to the metric, or to its noise
        K::check(path, metric);
        K::check_noise(path, noise, metric, plan);
        // history
        K::learn(learning);
        // an interval
        kind.listen(interval, metric, std::int64_t{}, bool{});
        { K::gather(interval, metric, Arm{}) } -> std::same_as<typename K::Values>;
        { kind.update(arms) } -> std::same_as<bool>;  // false: what came cannot be
        kind.gap();
        kind.begin(double{});
        kind.enter_stage(std::size_t{}, bool{});
        // evidence
        { known.evidence() } -> std::same_as<Evidence>;
        { known.harm_log_e_value() } -> std::same_as<double>;
        { known.harm_log_largest() } -> std::same_as<double>;
        { known.harm_log_needed() } -> std::same_as<double>;
        { known.harm_p_value() } -> std::same_as<double>;
        { known.mean_log_e_value() } -> std::same_as<double>;
        { known.mean_log_at_most() } -> std::same_as<double>;  // no less
        { known.mirror_log_e_value() } -> std::same_as<double>;
        { known.mirror_p_value() } -> std::same_as<double>;
        { known.mirror_alpha() } -> std::same_as<double>;
        { known.mirror_decided() } -> std::same_as<bool>;
        { known.detect_margin() } -> std::same_as<std::optional<Margin>>;
        { known.calm() } -> std::same_as<bool>;
        { known.fewest() } -> std::same_as<double>;  // requests, or values, of the arm that has fewer in this stage
        { known.observed() } -> std::same_as<std::vector<NamedNumber>>;  // this stage's data
        { known.failure(metric, double{}) } -> std::same_as<std::optional<Failure>>;
        // reasons, without the metric's name
        { known.failure_reason(metric, failure, double{}) } -> std::same_as<Reason>;
        { known.obstacles(double{}) } -> std::same_as<std::vector<Reason>>;
        { known.idle_share() } -> std::same_as<std::optional<double>>;
        { known.blind() } -> std::same_as<bool>;
        { known.nothing_happened() } -> std::same_as<bool>;
        { known.without_requests() } -> std::same_as<std::optional<Arm>>;
        { known.hindrances() } -> std::same_as<std::vector<Reason>>;
        { known.doubts(std::int64_t{}, bool{}) } -> std::same_as<std::vector<Reason>>;
        { known.promise() } -> std::same_as<Promise>;
        { known.noise_reasons() } -> std::same_as<std::vector<Reason>>;  // what noise it is judged against
        // state; `restore` raises serinus.state.*
        known.save(state);
        kind.restore(std::as_const(state), std::size_t{});
    };

template <MetricKind... Ks>
struct Kinds {
    using Any = std::variant<Ks...>;

    /// `what.template operator()<K>()` for the kind of that number; which of them it is, `check` has made sure.
    template <class What>
    static void with(Kind kind, const What& what) {
        static_cast<void>(((Ks::facts.kind == kind && (what.template operator()<Ks>(), true)) || ...));
    }

    /// The same for what judges a metric: its kind, unless another of the list takes it.
    template <class What>
    static void with(const Metric& metric, const What& what) {
        static_cast<void>(((judges<Ks>(metric) && (what.template operator()<Ks>(), true)) || ...));
    }

    /// A metric of its kind, under judgement.
    static Any make(const Plan& plan, const Metric& metric, double share) {
        std::optional<Any> made;
        with(metric, [&]<class K>() { made.emplace(std::in_place_type<K>, plan, metric, share); });
        return std::move(made).value();
    }

  private:
    template <class K>
    static bool judges(const Metric& metric) {
        if constexpr (requires { K::takes(metric); }) {
            return K::takes(metric);
        } else {
            return metric.arm == MetricArm::both && K::facts.kind == metric.kind;
        }
    }
};

}  // namespace detail
}  // namespace v0
}  // namespace serinus
