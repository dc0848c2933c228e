#pragma once
/// \file
/// Has something become worse since the release was promoted? Watched for good, with a known mean time between false
/// alarms.

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <serinus/core/describe.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/evidence.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/state.hpp>
#include <serinus/core/words.hpp>
#include <serinus/numeric/elementary.hpp>
#include <serinus/sequential/detail/same_options.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

struct ChangeOptions {
    /// Mean number of intervals to a false alarm, at least 1; default: as many as 30 days have.
    std::optional<double> run_length = std::nullopt;
    double interval_seconds = 60;  ///< length of an interval, for the default of `run_length`

    friend bool operator==(const ChangeOptions&, const ChangeOptions&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("run_length", self.run_length);
        visit("interval_seconds", self.interval_seconds);
    }
};
static_assert(described_whole<ChangeOptions>());

/// All that a ChangeDetector remembers.
template <class TestState>
struct ChangeState {
    static constexpr std::string_view kind = "chng";
    static constexpr std::int64_t version = 1;

    double run_length = 0;
    std::int64_t intervals = 0;
    std::int64_t alarm = 0;    // the interval of the alarm, from 1; 0: none
    double log_statistic = 0;  // 0 before the first interval
    TestState test;            // with the start of the next interval

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("run_length", self.run_length);
        visit("intervals", self.intervals);
        visit("alarm", self.alarm);
        visit("log_statistic", self.log_statistic);
        visit("test", self.test);
    }
};

/// A Shiryaev-Roberts detector made of a test.
///
/// Answers, after each interval: has the canary (now in full service, against a baseline, a holdback or the rest of the
/// fleet) become worse than the margin *at some time*, be it long after the start? A test that runs on loses its
/// capital while all is well, and at 1/alpha a detector would alarm every few hundred intervals; here a new start of
/// the test is added every interval, and the threshold is a mean time to a false alarm.
///
/// Formula (Shin, Ramdas and Rinaldo 2024, "E-detectors", section 2): R_t = sum over k <= t of E^(k)_t, the test's
/// e-process begun at interval k; alarm when R_t >= run_length. For the mixture of conditional_mixture.hpp that is one
/// recursion a node, R_t = (R_(t-1) + 1) L_t, averaged over the nodes with the prior's weights (Shiryaev 1963, Roberts
/// 1966). While the null of the test holds, R_t - t is a supermartingale, so the mean run to the alarm is at least
/// run_length.
/// **Proved** where the test's e-process is (ProportionTest and RateTest: independent events, dispersion at least 1);
/// **measured**, like the test itself, elsewhere (docs/concepts/sequential.md).
///
/// `Test` is a test with `add_start`, given fresh: ProportionTest or RateTest, whose starts need no memory (with the
/// block method, and for PairedTest, the 24 newest starts are kept and older ones pooled, which costs 24 times an
/// update; PairedTest's starts say nothing before their twelfth interval, so it is slow to see a large change). It must
/// gather evidence of harm; a test of the safe side raises `serinus.argument.word`. `run_length` is in intervals, at
/// least 1, finite; an interval without information counts like any other.
///
/// An alarm stays until `reset`, which begins anew. There is no p-value and no interval: the statistic is no e-value,
/// for it grows by 1 an interval by itself, and a confidence interval has no start to hold from. There is no `merge`:
/// starts of one time belong together, and a sum over starts does not say which they are.
///
/// Raises what the test raises; nothing is changed then. Cost: the test's, and a log and an exponential a node (0.3
/// us).
///
///     ChangeDetector detector(RateTest({.margin = {.ratio = 1.5}}), {.run_length = 10080});  // a week of minutes
///     detector.update(Rate{9, 18.0}, Rate{4, 2.0});
///     bool alarm = detector.alarmed();
template <class Test>
class ChangeDetector {
  public:
    explicit ChangeDetector(Test fresh, const ChangeOptions& options = {})
        : fresh_(std::move(fresh)), test_(fresh_), run_length_(checked(options)) {
        if constexpr (requires { fresh_.options().side; }) {
            if (fresh_.options().side == Side::safe)
                raise(Code::argument_word, "the side of a ChangeDetector's test is \"safe\"; allowed: \"harm\"");
        }
    }

    /// Takes what the test takes.
    template <class... Arguments>
    void update(const Arguments&... arguments) {
        test_.update(arguments...);
        log_statistic_ = test_.log_e_value();
        // The next interval's start; a fresh test is the first one's.
        test_.add_start(1);
        ++intervals_;
        if (alarm_ == 0 && log_statistic_ >= log_needed()) alarm_ = intervals_;
    }

    /// Takes many intervals, in order: as many columns as `update` has arguments (arrays, vectors, spans), an element
    /// of each an interval; to the bit what so many calls of `update` do. Nothing is taken when an interval is
    /// impossible. Raises `serinus.argument.length` for columns of different lengths.
    template <class... Columns>
    void update_many(const Columns&... columns) {
        const std::array<std::size_t, sizeof...(Columns)> sizes{std::size(columns)...};
        for (const std::size_t size : sizes) {
            if (size == sizes[0]) continue;
            raise(Code::argument_length, "a column has " + std::to_string(size) + " intervals, the first one " +
                                             std::to_string(sizes[0]) + "; allowed: the same number");
        }
        ChangeDetector next = *this;
        for (std::size_t i = 0; i < sizes[0]; ++i) next.update(columns[i]...);
        *this = std::move(next);
    }

    /// Natural log of R_t; -infinity before the first interval.
    double log_statistic() const { return intervals_ > 0 ? log_statistic_ : -std::numeric_limits<double>::infinity(); }
    /// What it has to reach: log(run_length).
    double log_needed() const { return elementary::log(run_length_); }

    bool alarmed() const noexcept { return alarm_ > 0; }
    /// The interval of the alarm, counted from 1 since the last `reset`; 0: none.
    std::int64_t alarm() const noexcept { return alarm_; }
    std::int64_t intervals() const noexcept { return intervals_; }
    double run_length() const noexcept { return run_length_; }
    /// The test, with what it has seen since the last `reset` (counts, estimate) and the next interval's start.
    const Test& test() const noexcept { return test_; }

    /// Begins anew: after an alarm was dealt with, or a release.
    void reset() {
        test_ = fresh_;
        log_statistic_ = 0;
        intervals_ = alarm_ = 0;
    }

    auto state() const {
        static_assert(described_whole<ChangeState<decltype(test_.state())>>());
        return ChangeState<decltype(test_.state())>{run_length_, intervals_, alarm_, log_statistic_, test_.state()};
    }

    /// Takes over a state. Raises `serinus.state.options` for one of another `run_length` or other options of the test,
    /// `serinus.state.invariant` for numbers that cannot be; the object is unchanged then.
    template <class TestState>
    void restore(const ChangeState<TestState>& state) {
        detail::require_same("the state of a ChangeDetector", "run_length", state.run_length, run_length_);
        if (!(state.intervals >= 0 && state.alarm >= 0 && state.alarm <= state.intervals) ||
            !std::isfinite(state.log_statistic)) {
            raise(Code::state_invariant,
                  "the state of a ChangeDetector has an alarm after its last interval, or a statistic that cannot be");
        }
        test_.restore(state.test);
        intervals_ = state.intervals;
        alarm_ = state.alarm;
        log_statistic_ = state.log_statistic;
    }

  private:
    static double checked(const ChangeOptions& options) {
        require(options.run_length || (options.interval_seconds > 0 && std::isfinite(options.interval_seconds)),
                "interval_seconds", options.interval_seconds, "above 0, finite");
        constexpr double days_30 = 30 * 86400.0;
        const double run_length =
            options.run_length ? *options.run_length : std::fmax(1, days_30 / options.interval_seconds);
        require(run_length >= 1 && std::isfinite(run_length), "run_length", run_length, "1 or more, finite");
        return run_length;
    }

    Test fresh_, test_;
    double run_length_;
    std::int64_t intervals_ = 0;
    std::int64_t alarm_ = 0;
    double log_statistic_ = 0;
};

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
