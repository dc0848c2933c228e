#pragma once
/// \file
/// What is known of the dispersion of counts, what it lets promise, and how that is said; inside the library only.

#include <optional>
#include <vector>

#include "rollout/kinds/metric_kind.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

class DispersionKnown {
  public:
    /// Of the plan's noise of a metric; none where it has none.
    explicit DispersionKnown(const Noise* noise) {
        if (!noise) return;
        dispersion_ = noise->dispersion;
        history_ = noise->intervals;
        refuted_ = noise->refuted;
    }

    std::vector<Reason> obstacles() const {
        if (refuted_) return {reason(Code::history_unusable)};
        return {};
    }
    Promise promise() const {
        if (refuted_) return {Guarantee::none, Code::history_unusable};
        if (!dispersion_) return {Guarantee::none, Code::dispersion_unknown};
        if (history_ && *history_ < fewest_measured) return {Guarantee::none, Code::history_unmeasured};
        // Nobody learned it: a dispersion of 1 is somebody's word that events happen independently of one another, and
        // under that the error rate is a theorem.
        const bool independent = !history_ && *dispersion_ == 1;
        return {independent ? Guarantee::proved : Guarantee::measured, Code::dispersion_given};
    }
    std::vector<Reason> reasons() const {
        std::vector<Reason> reasons;
        if (!refuted_) {
            reasons.push_back(dispersion_ ? reason(Code::dispersion_given, {{"dispersion", *dispersion_}})
                                          : reason(Code::dispersion_unknown));
        }
        add_doubt_of_history(reasons, promise(), history_);
        return reasons;
    }

  private:
    std::optional<double> dispersion_, history_;  // and the intervals that it was learned from; empty: not known
    bool refuted_ = false;                        // history contradicted the noise that it taught
};

}  // namespace detail
}  // namespace v0
}  // namespace serinus
