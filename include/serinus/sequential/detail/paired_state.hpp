#pragma once
/// \file
/// What a PairedTest remembers.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <serinus/core/describe.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/state.hpp>
#include <serinus/core/words.hpp>
#include <serinus/sequential/detail/field_numbers.hpp>
#include <serinus/series/dependence.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

/// All that a PairedTest remembers; the noise is not in it, only what it is recognised by.
struct PairedState {
    static constexpr std::string_view kind = "pair";
    static constexpr std::int64_t version = 3;
    static constexpr std::array<std::string_view, 2> beside{"noise", "floor"};  // its marks are kept; there is none
    static constexpr std::int64_t oldest = 2;
    static constexpr std::int64_t since(std::string_view field) {
        for (const std::string_view late : {"noise_unit", "banked", "carried", "log_ratios", "not_positive", "steps",
                                            "step_sum", "last", "score_sums", "score_squares"}) {
            if (field == late) return 3;
        }
        return 2;
    }

    /// A start of one direction: its weight, and the sums when it began.
    struct Start {
        static constexpr std::string_view kind = "pstr";
        static constexpr std::int64_t version = 2;
        double log_weight = 0;
        double sum = 0, time = 0, drift = 0, n = 0;
        RunningDependence learned;  // noise to be learned: what was seen since

        template <class Visitor, class Self>
        static void describe(Visitor& visit, Self& self) {
            visit("log_weight", self.log_weight);
            visit("sum", self.sum);
            visit("time", self.time);
            visit("drift", self.drift);
            visit("n", self.n);
            // With noise from history nothing is learned, and nothing is written: many starts stay within 4,096 bytes.
            std::vector<double> none, numbers;
            sequential::detail::Gather gather_none{none}, gather{numbers};
            const RunningDependence fresh;
            RunningDependence::describe(gather_none, fresh);
            RunningDependence::describe(gather, std::as_const(self.learned));
            if (numbers == none) numbers.clear();
            visit("learned", numbers);
            if constexpr (!std::is_const_v<Self>) {
                if (numbers.empty()) numbers = none;
                if (numbers.size() != none.size()) {
                    raise(Code::state_invariant, "a start of a PairedTest has learned " +
                                                     std::to_string(numbers.size()) + " numbers; allowed: none or " +
                                                     std::to_string(none.size()));
                }
                sequential::detail::Spread put_back{numbers};
                RunningDependence::describe(put_back, self.learned);
            }
        }
    };

    double alpha = 0;
    double alpha_safe = 0;
    Harm harm = Harm::increase;
    std::optional<double> ratio;
    std::optional<double> difference;
    Side side = Side::harm;
    bool interval = true;
    std::array<double, 4> noise{};  // of the noise: size, long-run variance, mean score, offset

    double n = 0, time = 0, drift = 0, unit = 0;
    std::array<double, 2> means{};  // sums of the arms' values
    double spread = 0;              // largest 1/k_b + 1/k_c so far
    double log_largest = 0;
    std::vector<double> sums;                // one a direction
    std::vector<std::vector<Start>> starts;  // one list a direction
    std::vector<double> above, below;        // the carried margins' sums
    // Since version 3; a state of before has noise of before.
    std::int64_t noise_unit = 0;
    std::vector<double> banked;  // one a direction: what starts are worth that bet no more
    std::array<double, 3> carried{-1, 0,
                                  0};  // n, time and drift that the carried margins' sums are of; -1: those above
    double log_ratios = 0;             // sum of log(canary/baseline)
    double not_positive = 0;           // intervals that a ratio cannot judge
    double steps = 0, step_sum = 0;    // changes from interval to interval: how many, and their scores' sum
    std::optional<double> last;        // the difference that the next one is a change from
    std::vector<double> score_sums, score_squares;  // one a direction: of the scores themselves, and of their squares

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("alpha", self.alpha);
        visit("alpha_safe", self.alpha_safe);
        visit("harm", self.harm);
        visit("ratio", self.ratio);
        visit("difference", self.difference);
        visit("side", self.side);
        visit("interval", self.interval);
        visit("noise", self.noise);
        visit("n", self.n);
        visit("time", self.time);
        visit("drift", self.drift);
        visit("unit", self.unit);
        visit("means", self.means);
        visit("spread", self.spread);
        visit("log_largest", self.log_largest);
        visit("sums", self.sums);
        visit("starts", self.starts);
        visit("above", self.above);
        visit("below", self.below);
        visit("noise_unit", self.noise_unit);
        visit("banked", self.banked);
        visit("carried", self.carried);
        visit("log_ratios", self.log_ratios);
        visit("not_positive", self.not_positive);
        visit("steps", self.steps);
        visit("step_sum", self.step_sum);
        visit("last", self.last);
        visit("score_sums", self.score_sums);
        visit("score_squares", self.score_squares);
    }
};
static_assert(described_whole<PairedState>());
// What a start has learned is gathered when it is written, which no compiler can; its members can be counted.
static_assert(serinus::detail::has_members<PairedState::Start, 6>(), "a member that describe() does not know");

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
