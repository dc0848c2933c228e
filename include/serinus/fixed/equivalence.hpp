#pragma once
/// \file
/// Is the canary as good as the baseline, within a margin? What an interval proves, and what it leaves open.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <serinus/core/describe.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/evidence.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/text.hpp>
#include <serinus/core/words.hpp>

namespace serinus {
inline namespace v0 {

/// What an interval says of a margin.
struct EquivalenceResult {
    bool equivalent = false;                  ///< all of the interval is within the margin, on both sides
    bool non_inferior = false;                ///< none of it is beyond the margin on the side of harm
    bool harm = false;                        ///< all of it is beyond the margin on the side of harm
    Verdict verdict = Verdict::inconclusive;  ///< pass: harm beyond the margin ruled out; fail: proven

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("equivalent", self.equivalent);
        visit("non_inferior", self.non_inferior);
        visit("harm", self.harm);
        visit("verdict", self.verdict);
    }
};
static_assert(described_whole<EquivalenceResult>());

/// Does an interval rule out harm beyond a margin, or prove it?
///
/// Two one-sided tests at alpha are an interval of confidence 1 - 2 alpha (Schuirmann 1987): `equivalent` when both
/// ends lie within [1/ratio, ratio], or within [-difference, difference]; `non_inferior` when the end on the side of
/// harm does; `harm` when the other end lies beyond. An interval that does neither is *inconclusive*, which is never
/// "no difference".
///
/// lower, upper: of canary/baseline for a ratio margin (at least 1), of canary - baseline for a difference (at least
/// 0), in that order; infinite ends are legal, NaN is not (`serinus.argument.range`). `harm`: the direction that is
/// worse; with `either` `non_inferior` is `equivalent`, and harm on either side counts.
///
///     const auto found = hodges_lehmann(baseline, canary, {.confidence = 0.90});
///     equivalence(found.lower, found.upper, {.difference = 5.0}).equivalent;
inline EquivalenceResult equivalence(double lower, double upper, const Margin& margin, Harm harm = Harm::increase) {
    const bool of_ratio = margin.ratio.has_value();
    require_one(margin);
    const double high = of_ratio ? *margin.ratio : *margin.difference;
    if (!(high >= (of_ratio ? 1 : 0))) {
        raise(Code::argument_margin, std::string("margin is a ") + (of_ratio ? "ratio" : "difference") + " of " +
                                         number_text(high) + "; allowed: a ratio from 1, or a difference from 0");
    }
    if (!(lower <= upper)) {
        raise(Code::argument_range,
              "the interval is from " + number_text(lower) + " to " + number_text(upper) + "; allowed: lower <= upper");
    }
    const double low = of_ratio ? 1 / high : -high;
    EquivalenceResult result;
    result.equivalent = lower >= low && upper <= high;
    result.non_inferior = harm == Harm::increase   ? upper <= high
                          : harm == Harm::decrease ? lower >= low
                                                   : result.equivalent;
    result.harm = (harm != Harm::decrease && lower > high) || (harm != Harm::increase && upper < low);
    result.verdict = result.harm ? Verdict::fail : result.non_inferior ? Verdict::pass : Verdict::inconclusive;
    return result;
}

}  // namespace v0
}  // namespace serinus
