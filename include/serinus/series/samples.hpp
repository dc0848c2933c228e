#pragma once
/// \file
/// The values of one arm, as a test takes them.

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/error.hpp>
#include <serinus/core/words.hpp>

namespace serinus {
inline namespace v0 {

/// What a test does with a NaN: leave it out (a monitoring system writes NaN where it has no sample), or refuse.
/// A NaN is never compared with anything, whatever the policy.
enum class NanPolicy : std::uint8_t { drop = 1, error = 2 };

template <>
struct Words<NanPolicy> {
    static constexpr std::array<std::pair<NanPolicy, std::string_view>, 2> table{
        {{NanPolicy::drop, "drop"}, {NanPolicy::error, "error"}}};
};

/// Values without NaN, in the order given; they live in the scratch buffer that `take_samples` was handed.
struct Samples {
    std::span<double> values;
    std::size_t dropped = 0;  ///< how many NaN were left out
};

/// Copies the values of one arm into `scratch`, ready to be sorted and compared: NaN dropped or refused, -0.0 made
/// +0.0 (the two are equal, but their bit patterns are not, and some sorts look at bits). Infinities stay: they rank
/// like any other value. `scratch` grows to the length of `values` and never shrinks; it must not be the memory that
/// `values` lies in.
///
/// With `NanPolicy::error` the first NaN raises `serinus.argument.nan`, naming the arm and the index.
/// Cost: one pass, no branch that depends on the values.
///
/// ```
/// std::vector<double> scratch;
/// const Samples samples = take_samples(latencies, Arm::canary, NanPolicy::drop, scratch);
/// ```
inline Samples take_samples(std::span<const double> values, Arm arm, NanPolicy policy, std::vector<double>& scratch) {
    if (scratch.size() < values.size()) scratch.resize(values.size());
    double* const out = scratch.data();
    std::size_t kept = 0;
    for (const double value : values) {
        out[kept] = value + 0.0;
        kept += value == value ? 1U : 0U;
    }
    if (kept < values.size() && policy == NanPolicy::error) {
        std::size_t index = 0;
        while (!std::isnan(values[index])) ++index;
        raise(Code::argument_nan, std::string(word(arm)) + "[" + std::to_string(index) +
                                      "] is NaN; allowed: numbers and infinities, or the NaN policy \"drop\"");
    }
    return {{out, kept}, values.size() - kept};
}

}  // namespace v0
}  // namespace serinus
