#pragma once
/// \file
/// Elementary functions of our own, with the same bits on every IEEE-754 platform and compiler: exp, expm1, log, log1p,
/// log_ndtr, log_ndtr_scaled, log_add_exp, log_sum_exp, and array forms.
///
/// Why not the C library's: glibc, musl, macOS and MSVC round differently, so a decision could depend on the machine.
/// Here only + - * / and integer operations are used, in one fixed order.
///
/// **What the promise needs**: 64-bit doubles evaluated as doubles (checked below), round to nearest, no flushing of
/// denormals, and a compiler that does not fuse a product with a sum: `-ffp-contract=off`. GCC fuses by default as soon
/// as the target has FMA (`-march=haswell`, aarch64); results then still keep their accuracy, but not their bits.
/// Every NaN returned is the same positive quiet NaN, whatever NaN went in.
///
/// **Scalar and array forms** run the same kernel, so every lane of an array form has the scalar's bits, whatever the
/// length, the alignment and the vector unit; array forms take AVX2 where the machine has it (simd.hpp). `exp(in, out)`
/// may work in place (`in` and `out` the same span); spans that overlap partly are not supported. Different lengths
/// raise `serinus.argument.length`.
///
/// **Accuracy** (ulp: units in the last place of the exact result; measured against MPFR on random and structured
/// arguments, 3 to 20 million for each, 0.4 million for log_ndtr; what they cost is in docs/benchmarks.md):
///
/// | function    | claim | worst seen |
/// |-------------|-------|------------|
/// | exp         | 1 ulp | 0.76 (denormal results; else 0.64) |
/// | expm1       | 1 ulp | 0.87 |
/// | log         | 1 ulp | 0.80 |
/// | log1p       | 1 ulp | 0.91 |
/// | log_ndtr    | 4 ulp | 2.31 |
/// | log_add_exp | below | |
/// | log_sum_exp | below | |

#include <array>
#include <bit>
#include <cfloat>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>

#include <serinus/core/error.hpp>
#include <serinus/numeric/simd.hpp>
#include <serinus/numeric/sum.hpp>

namespace serinus {
inline namespace v0 {
namespace elementary {

static_assert(std::numeric_limits<double>::is_iec559 && sizeof(double) == 8, "Serinus needs IEEE-754 double");
static_assert(FLT_EVAL_METHOD >= 0 && FLT_EVAL_METHOD != 2,
              "Serinus needs double arithmetic in double precision: on 32-bit x86 compile with -msse2 -mfpmath=sse");

namespace detail {

inline constexpr double infinity = std::numeric_limits<double>::infinity();
inline constexpr double nan = std::numeric_limits<double>::quiet_NaN();

SERINUS_ALWAYS_INLINE inline std::uint64_t bits(double x) noexcept { return std::bit_cast<std::uint64_t>(x); }
SERINUS_ALWAYS_INLINE inline double from_bits(std::uint64_t x) noexcept { return std::bit_cast<double>(x); }

// Choices are made with masks and integer operations only: gcc turns neither `?:` on doubles nor, for SSE2, a
// comparison into vector code. A condition is the top bit of a word, the other bits do not matter.
inline constexpr std::uint64_t sign_bit = 0x8000000000000000;
inline constexpr std::uint64_t infinity_bits = 0x7ff0000000000000;
inline constexpr std::uint64_t quiet_bit = 0x0008000000000000;  // infinity_bits and this one make the NaN we return

SERINUS_ALWAYS_INLINE inline std::uint64_t magnitude(double x) noexcept { return bits(x) & ~sign_bit; }

/// All ones where the condition holds, else 0.
SERINUS_ALWAYS_INLINE inline std::uint64_t spread(std::uint64_t condition) noexcept {
    return std::uint64_t{0} - (condition >> 63);
}

/// `yes` where the mask is all ones, `no` where it is 0.
SERINUS_ALWAYS_INLINE inline std::uint64_t choose(std::uint64_t mask, std::uint64_t yes, std::uint64_t no) noexcept {
    return (yes & mask) | (no & ~mask);
}

/// Condition: x, given by its magnitude, is NaN.
SERINUS_ALWAYS_INLINE inline std::uint64_t is_nan(std::uint64_t magnitude) noexcept {
    return infinity_bits - magnitude;
}

/// Condition: x, given by its magnitude, is +-0.
SERINUS_ALWAYS_INLINE inline std::uint64_t is_zero(std::uint64_t magnitude) noexcept { return magnitude - 1; }

/// The quiet bit where the condition holds, else 0.
SERINUS_ALWAYS_INLINE inline std::uint64_t quiet_if(std::uint64_t condition) noexcept {
    return (condition >> 12) & quiet_bit;
}

/// The first 26 bits of x: their square is exact.
SERINUS_ALWAYS_INLINE inline double leading_half(double x) noexcept { return from_bits(bits(x) & 0xfffffffff8000000); }

// log(2) as a sum: the first part has 42 bits, so that its product with an exponent (11 bits) is exact.
inline constexpr double log_2_high = 0x1.62e42fefa38p-1;
inline constexpr double log_2_low = 0x1.ef35793c7673p-45;

// Added to a number below 2^51 it leaves the nearest integer in the low bits.
inline constexpr double integer_shift = 0x1.8p52;

/// An exponential under way: exp(high + low) = 2^power exp(remainder + correction), |remainder| <= 0.3466.
struct ReducedExponential {
    double power;
    double remainder;
    double correction;
    std::uint64_t biased_power;  ///< power + 2046
};

/// Cody and Waite's reduction (1980, "Software manual for the elementary functions", chapter 6). `low` is a small part
/// of the argument that does not fit into `high`. |high| <= 1024.
SERINUS_ALWAYS_INLINE inline ReducedExponential reduce_exponential(double high, double low) noexcept {
    const double shifted = high * 0x1.71547652b82fep+0 + integer_shift;
    const double power = shifted - integer_shift;
    const double large = high - power * log_2_high;  // exact
    const double small = power * log_2_low - low;
    const double remainder = large - small;
    return {power, remainder, (large - remainder) - small, bits(shifted) - bits(integer_shift) + 2046};
}

/// exp(r + correction) - 1 - r - r^2/2, for a reduced argument and its square: r^3 times a minimax polynomial of degree
/// 9, error 3e-19 of e^r. The r^2/2 stands apart because its rounding matters most.
SERINUS_ALWAYS_INLINE inline double exponential_tail(double r, double r2, double correction) noexcept {
    const double r4 = r2 * r2;
    const double first =
        (0x1.5555555555556p-3 + r * 0x1.5555555555556p-5) + r2 * (0x1.11111111109b1p-7 + r * 0x1.6c16c16c15dc2p-10);
    const double second =
        (0x1.a01a01a7c6099p-13 + r * 0x1.a01a01a93839bp-16) + r2 * (0x1.71de0da70bba9p-19 + r * 0x1.27e4d4ce303d3p-22);
    const double third = 0x1.af38baee74a1bp-26 + r * 0x1.1f7f329ba71a2p-29;
    return r * r2 * (first + r4 * (second + r4 * third)) + correction;
}

/// 2^power y, rounded once also when the result is denormal: the first factor keeps y normal.
SERINUS_ALWAYS_INLINE inline double scale(double y, std::uint64_t biased_power) noexcept {
    const std::uint64_t half = biased_power >> 1;
    return y * from_bits(half << 52) * from_bits((biased_power - half) << 52);
}

/// exp(high + low) without the factor 2^power.
SERINUS_ALWAYS_INLINE inline double exponential_significand(const ReducedExponential& reduced) noexcept {
    const double r = reduced.remainder;
    const double r2 = r * r;
    const double sum = 1.0 + r;
    const double rounding = r - (sum - 1.0);
    return sum + (rounding + (0.5 * r2 + exponential_tail(r, r2, reduced.correction)));
}

/// x = 2^power significand, with the significand in [0.695, 1.39). The natural choice would be [sqrt(1/2), sqrt(2));
/// this one keeps the rounding of the largest terms small where power = -1 and log(x) is near -0.35.
struct Split {
    double power;
    double significand;
};

/// x must be positive, finite and not denormal; the result for others is finite nonsense.
SERINUS_ALWAYS_INLINE inline Split split(double x) noexcept {
    constexpr std::uint64_t lower_end = 0x3fe63d70a3d70a3d;
    constexpr std::uint64_t one = 0x3ff0000000000000;
    const std::uint64_t shifted = bits(x) + (one - lower_end);
    // The exponent field as a double without a conversion, which SSE2 and AVX2 do not have: the low bits of 2^52 + e.
    const double power = from_bits((shifted >> 52) | 0x4330000000000000) - (0x1p52 + 1023.0);
    return {power, from_bits((shifted & 0x000fffffffffffff) + lower_end)};
}

/// R of `assemble_logarithm`, for z = s^2 and w = z^2.
SERINUS_ALWAYS_INLINE inline double logarithm_rest(double z, double w) noexcept {
    const double even = w * (0x1.9999999991934p-2 + w * (0x1.c71c5b9a960a8p-3 + w * 0x1.39c044dce2b65p-3));
    const double odd =
        z * (0x1.555555555555bp-1 + w * (0x1.24924933fb32ap-2 + w * (0x1.7464ac7f8e294p-3 + w * 0x1.2e31e9aeed27dp-3)));
    return even + odd;
}

/// power log(2) + log(1 + f) + correction, for 1 + f in [0.695, 1.39] and a correction of at most some ulps.
/// log(1 + f) = f - (f^2/2 - s (f^2/2 + R(s^2))), s = f/(2 + f); minimax polynomial of degree 6 for
/// R(z)/z = (2 atanh(s)/s - 2)/z, error 2^-59 of the logarithm. The decomposition is that of Ng's fdlibm (1993); the
/// large terms are added with their rounding errors.
SERINUS_ALWAYS_INLINE inline double assemble_logarithm(double f, double power, double correction) noexcept {
    const double s = f / (2.0 + f);
    const double z = s * s;
    const double w = z * z;
    const double half_square = 0.5 * f * f;
    const double high = power * log_2_high;  // exact
    const double sum = high + f;
    const double rounding = f - (sum - high);
    const double small = rounding + (correction + power * log_2_low);
    return sum + (small - (half_square - s * (half_square + logarithm_rest(z, w))));
}

/// See elementary::exp.
SERINUS_ALWAYS_INLINE inline double exp_kernel(double x) noexcept {
    const std::uint64_t size = magnitude(x);
    // Between the last finite result and 1024 the scaling itself overflows to infinity or underflows to 0.
    const std::uint64_t inside = spread(size - bits(1024.0));
    const ReducedExponential reduced = reduce_exponential(from_bits(bits(x) & inside), 0.0);
    const double result = scale(exponential_significand(reduced), reduced.biased_power);
    const std::uint64_t outside = (infinity_bits & spread(~bits(x) | is_nan(size))) | quiet_if(is_nan(size));
    return from_bits(choose(inside, bits(result), outside));
}

/// See elementary::expm1.
SERINUS_ALWAYS_INLINE inline double expm1_kernel(double x) noexcept {
    const std::uint64_t size = magnitude(x);
    // Below -40 the result is -1 to the last bit.
    const std::uint64_t inside = spread((size - bits(1024.0)) & ~bits(x + 40.0));
    const ReducedExponential reduced = reduce_exponential(from_bits(bits(x) & inside), 0.0);
    // 2^-power; from power = 60 on it does not count, and soon has no exponent field.
    const double one_over =
        from_bits((bits(integer_shift + 1023.0 - reduced.power) << 52) & spread(bits(reduced.power - 60.0)));
    const double constant = 1.0 - one_over;
    const double constant_rounding = (1.0 - constant) - one_over;
    const double r = reduced.remainder;
    const double line = constant + r;
    const double line_rounding = r - (line - constant);
    const double r_high = leading_half(r);
    const double square_high = 0.5 * r_high * r_high;  // exact
    const double square_low = 0.5 * (r - r_high) * (r + r_high);
    const double parabola = line + square_high;
    const double parabola_rounding = square_high - (parabola - line);
    const double small = (constant_rounding + line_rounding) + (parabola_rounding + square_low);
    const double tail = exponential_tail(r, r * r, reduced.correction);
    const double result = scale(parabola + (small + tail), reduced.biased_power);
    // The result has the sign of x; this gives it to a zero.
    const std::uint64_t signed_result = bits(result) | (bits(x) & sign_bit);
    const std::uint64_t limit = choose(spread(bits(x) & ~is_nan(size)), bits(-1.0), infinity_bits);
    return from_bits(choose(inside, signed_result, limit | quiet_if(is_nan(size))));
}

/// See elementary::log.
SERINUS_ALWAYS_INLINE inline double log_kernel(double x) noexcept {
    const std::uint64_t denormal = spread(bits(x - 0x1p-1022));
    const Split parts = split(from_bits(choose(denormal, bits(x * 0x1p54), bits(x))));
    const double power = parts.power - from_bits(bits(54.0) & denormal);
    const double result = assemble_logarithm(parts.significand - 1.0, power, 0.0);
    const std::uint64_t size = magnitude(x);
    const std::uint64_t inside = spread((size - infinity_bits) & ~is_zero(size) & ~bits(x));
    const std::uint64_t outside =
        infinity_bits | (is_zero(size) & sign_bit) | quiet_if((bits(x) & ~is_zero(size)) | is_nan(size));
    return from_bits(choose(inside, bits(result), outside));
}

/// log1p where it needs no reduction, -0.305 <= x <= 0.39: half the cost, and as accurate.
SERINUS_ALWAYS_INLINE inline double log1p_near_0_kernel(double x) noexcept {
    const double s = x / (2.0 + x);
    const double z = s * s;
    const double w = z * z;
    const double half_square = 0.5 * x * x;
    return x - (half_square - s * (half_square + logarithm_rest(z, w)));
}

/// log1p of a finite x > -1, without the questions about others, for who has `inverse` = 1/(1 + x) anyway. The bits are
/// those of `log1p_kernel`, but for the last one in rare cases and the sign of 0; <= 1.5 ulp.
SERINUS_ALWAYS_INLINE inline double log1p_inside_kernel(double x, double inverse) noexcept {
    const double u = 1.0 + x;
    const double x_part = u - 1.0;
    const double lost = (1.0 - (u - x_part)) + (x - x_part);
    const Split parts = split(u);
    return assemble_logarithm(parts.significand - 1.0, parts.power, lost * inverse);
}

/// See elementary::log1p.
SERINUS_ALWAYS_INLINE inline double log1p_kernel(double x) noexcept {
    const double u = 1.0 + x;
    const double x_part = u - 1.0;
    const double lost = (1.0 - (u - x_part)) + (x - x_part);  // 1 + x - u, exact (Knuth's two-sum)
    const Split parts = split(u);
    const double result = assemble_logarithm(parts.significand - 1.0, parts.power, lost / u);
    // The result has the sign of x; this gives it to a zero.
    const std::uint64_t signed_result = bits(result) | (bits(x) & sign_bit);
    const std::uint64_t size = magnitude(u);  // u is never -0
    const std::uint64_t inside = spread((size - infinity_bits) & ~is_zero(size) & ~bits(u));
    const std::uint64_t outside = infinity_bits | (is_zero(size) & sign_bit) | quiet_if(bits(u) | is_nan(size));
    return from_bits(choose(inside, signed_result, outside));
}

/// Runs a kernel over an array, four at a time. The fixed count lets the compiler make the inner loop one vector
/// operation, and the block in between lets `out` be `in`. The last four are done together even if some of them belong
/// to the four before: the same bits come twice. They are read first, before `out` could have overwritten them.
template <class Kernel>
SERINUS_ALWAYS_INLINE inline void map_loop(const double* in, double* out, std::size_t size, Kernel kernel) noexcept {
    constexpr std::size_t width = 4;
    double last[width] = {};
    const std::size_t count = size < width ? size : width;
    const std::size_t start = size - count;
    for (std::size_t lane = 0; lane < count; ++lane) last[lane] = in[start + lane];
    for (std::size_t lane = 0; lane < width; ++lane) last[lane] = kernel(last[lane]);
    for (std::size_t i = 0; i + width < size; i += width) {
        double block[width];
        for (std::size_t lane = 0; lane < width; ++lane) block[lane] = kernel(in[i + lane]);
        for (std::size_t lane = 0; lane < width; ++lane) out[i + lane] = block[lane];
    }
    for (std::size_t lane = 0; lane < count; ++lane) out[start + lane] = last[lane];
}

template <class Kernel>
inline void map(std::span<const double> in, std::span<double> out, Kernel kernel) {
    if (in.size() != out.size()) {
        raise(Code::argument_length, "out has " + std::to_string(out.size()) +
                                         " elements; allowed: " + std::to_string(in.size()) + ", the length of in");
    }
    const double* const from = in.data();
    double* const to = out.data();
    const std::size_t size = in.size();
    simd::widest([=]() SERINUS_ALWAYS_INLINE { map_loop(from, to, size, kernel); });
}

/// exp(x) for x <= 0, bit for bit, but 0 below -700: beside a term of 1 there is no difference. NaN gives NaN.
SERINUS_ALWAYS_INLINE inline double exp_beside_one(double x) noexcept {
    const ReducedExponential reduced = reduce_exponential(x, 0.0);
    const double power_of_two = from_bits((reduced.biased_power - 1023) << 52);
    const std::uint64_t size = magnitude(x);
    const std::uint64_t result = bits(exponential_significand(reduced) * power_of_two) & spread(size - bits(700.0));
    return from_bits(result | ((infinity_bits | quiet_bit) & spread(is_nan(size))));
}

/// What `log_sum_exp` makes of one block of PairwiseSum: its largest number, NaNs passed over, and the sum of exp(x -
/// largest) in the order of PairwiseSum: NaN where a number is, and nonsense where the largest is infinite.
struct LargestAndSum {
    double largest, sum;
};
inline LargestAndSum largest_and_sum(std::span<const double> values) noexcept {
    constexpr std::size_t width = 4;
    const double* const from = values.data();
    const std::size_t size = values.size();
    LargestAndSum result;
    LargestAndSum* const out = &result;
    simd::widest([=]() SERINUS_ALWAYS_INLINE {
        const std::size_t whole = size / width * width;
        // Four lanes, so that one comparison need not wait for the other; the largest does not depend on the order.
        double most[width] = {-infinity, -infinity, -infinity, -infinity};
        for (std::size_t i = 0; i < whole; i += width) {
            for (std::size_t lane = 0; lane < width; ++lane)
                most[lane] = most[lane] < from[i + lane] ? from[i + lane] : most[lane];
        }
        for (std::size_t i = whole; i < size; ++i) most[0] = most[0] < from[i] ? from[i] : most[0];
        const double left = most[0] < most[1] ? most[1] : most[0], right = most[2] < most[3] ? most[3] : most[2];
        const double largest = left < right ? right : left;
        double block[width], sum[width] = {};
        for (std::size_t i = 0; i < whole; i += width) {
            for (std::size_t lane = 0; lane < width; ++lane) block[lane] = exp_beside_one(from[i + lane] - largest);
            for (std::size_t lane = 0; lane < width; ++lane) sum[lane] += block[lane];
        }
        // The last ones, filled up with terms of +0, which change nothing.
        for (std::size_t lane = 0; lane < width; ++lane)
            block[lane] = whole + lane < size ? from[whole + lane] - largest : -infinity;
        for (std::size_t lane = 0; lane < width; ++lane) sum[lane] += exp_beside_one(block[lane]);
        *out = {largest, (sum[0] + sum[1]) + (sum[2] + sum[3])};
    });
    return result;
}

/// Polynomial in z with coefficients from the constant upwards, the first one in two parts: c[0] + c[1] is the constant
/// to twice the precision, so that its rounding does not count. Two chains, for the odd and the even powers.
template <std::size_t count>
inline double polynomial(const double (&c)[count], double z) noexcept {
    static_assert(count >= 5);
    constexpr std::size_t top = count - 1;
    const double z2 = z * z;
    double upper = c[top];
    double lower = c[top - 1];
    std::size_t i = top - 2;
    for (; i >= 3; i -= 2) {
        upper = c[i] + z2 * upper;
        lower = c[i - 1] + z2 * lower;
    }
    // Left over is c[2] or nothing, below the two chains.
    double rest = lower + z * upper;
    if (i == 2) rest = c[2] + z * rest;
    return c[1] + (c[0] + z * rest);
}

// log_ndtr, left part: -log(Phi(-t)) - t^2/2 as a polynomial in t - i, on i - 1/2 <= t <= i + 1/2; i = 0 ... 6.
inline constexpr double log_ndtr_left[7][16] = {
    {0x1.bf3bc4c505e89p-56, 0x1.62e42fefa39efp-1, 0x1.9884533d43651p-1, -0x1.7419f246c6f0bp-3, 0x1.29a947f9c9e54p-5,
     -0x1.39668594e65f0p-8, -0x1.363787271c4f4p-15, 0x1.bca673e7a0800p-13, -0x1.b58cc297f61e8p-15,
     0x1.b2035b4c073dap-20, 0x1.7eb4936579ebfp-19, -0x1.f3a14a7273666p-21, 0x1.4a23098f8787dp-24, 0x1.72d0c8f243c74p-25,
     -0x1.340ae5ce91da1p-26, 0x1.12198edb71676p-29},
    {-0x1.3c2d63ec21cb4p-54, 0x1.574d31cc8afc1p+0, 0x1.0cde87ea2cb83p-1, -0x1.97c08452ad3f2p-4, 0x1.3f4cd4819ccfdp-6,
     -0x1.b066a676d566bp-9, 0x1.aa3cf4b6503bbp-12, -0x1.8e2b07dce14b7p-17, -0x1.742983c763b9fp-17,
     0x1.f6bd902c41ad4p-19, -0x1.6054f8328e2fdp-21, 0x1.108e1d5528145p-25, 0x1.70d4e6ab6e2ffp-26,
     -0x1.2362e6ee9b4d8p-27, 0x1.bba37fc0f812ap-30, -0x1.590fbb8a4adf7p-34},
    {0x1.231e44f1e6e06p-54, 0x1.c87ec4bbe7649p+0, 0x1.7e2c366f5550dp-2, -0x1.d416526e5103ep-5, 0x1.442982418fb15p-7,
     -0x1.ae97e26649542p-10, 0x1.fc8aabe63fcd5p-13, -0x1.dfc84013952d5p-16, 0x1.d9aa4a7cea388p-20,
     0x1.400f2a0d50e3ep-22, -0x1.2b6d3176fa3e5p-23, 0x1.101d1d8a95386p-25, -0x1.4e573144d2aeep-28,
     0x1.aa72b349d22d6p-32, 0x1.0a03fc6d31132p-34, -0x1.1dcf6af139ec6p-35},
    {-0x1.24f6b9471e624p-54, 0x1.0dc9f90b27805p+1, 0x1.21e49d21df0aap-2, -0x1.2102ab7acd22bp-5, 0x1.57be61193dad6p-8,
     -0x1.9d8b4ae64c665p-11, 0x1.da9bfd0b70426p-14, -0x1.f13eb23395615p-17, 0x1.bc9100f3a0b3ap-20,
     -0x1.168f5bfab0462p-23, -0x1.abdb06a14a1e7p-30, 0x1.d16bfc78367bfp-29, -0x1.e83a71552463bp-31,
     0x1.643254561b6aep-33, -0x1.8f8bc287204cap-36, 0x1.2cb3d52ead40dp-39},
    {0x1.50e8d38495641p-53, 0x1.2e17ce35f016ep+1, 0x1.ce0b1e5a9c1bdp-3, -0x1.7e580950e8d7ep-6, 0x1.8613e31e183e2p-9,
     -0x1.9f5941e9ebaeep-12, 0x1.b519ba81740a7p-15, -0x1.b8fa94843f55fp-18, 0x1.9e782034c982fp-21,
     -0x1.5b5c462d34ceap-24, 0x1.d3b587e894a45p-28, -0x1.2d15703c99d15p-32, -0x1.d57ce4f30e372p-35,
     0x1.4202334ac5abdp-36, -0x1.01b32f3632ad6p-38, 0x1.4078f52b3dc95p-41},
    {-0x1.67955599ca89bp-56, 0x1.4851de0c3caf5p+1, 0x1.7df5cabb09baep-3, -0x1.0bd964ac0aa4dp-6, 0x1.d8fc2056de885p-10,
     -0x1.bc94fc8c061cdp-13, 0x1.a5bd8434f2412p-16, -0x1.893f054df751ep-19, 0x1.61aff065ca784p-22,
     -0x1.2cd51c0d984d5p-25, 0x1.d5e2a6a7c9f91p-29, -0x1.3d0a4f1cd2999p-32, 0x1.3046231f52475p-36,
     0x1.97cd41adbb834p-43, -0x1.525ffaaef40fap-42, 0x1.272c1ca5c38d3p-44},
    {-0x1.035e6661d385fp-60, 0x1.5e4e71e86cc06p+1, 0x1.4492871c0818bp-3, -0x1.890370e123991p-7, 0x1.2fce0019abf72p-10,
     -0x1.faac44325e553p-14, 0x1.b0310abc24baep-17, -0x1.6fd610bf7ba7ap-20, 0x1.338fdfdc6769cp-23,
     -0x1.f2da56c615561p-27, 0x1.82d8a69943c3dp-30, -0x1.1900fa93040e1p-33, 0x1.701444f9e5581p-37,
     -0x1.8af7e4167844bp-41, 0x1.a7346633434abp-46, 0x1.e0a56692f6cd0p-49}};

// ... and further left: the same less log(t), as a polynomial in 1/t^2, t >= 6.5.
inline constexpr double log_ndtr_far_left[14] = {0x0p+0,
                                                 0x1.d67f1c864beb5p-1,
                                                 0x1.ffffffffffceap-1,
                                                 -0x1.3fffffff89796p+1,
                                                 0x1.8aaaaa3aa4539p+3,
                                                 -0x1.60ffe46463bbap+6,
                                                 0x1.9815865b082d8p+9,
                                                 -0x1.1f54bc4834d35p+13,
                                                 0x1.d96ae00d9a601p+16,
                                                 -0x1.b2e5d8b67ed4fp+20,
                                                 0x1.980788d389078p+24,
                                                 -0x1.5282905ece22dp+28,
                                                 0x1.9585333d91451p+31,
                                                 -0x1.ed2f3a9b79dfap+33};

// Right part: -exp(x^2/2) log(Phi(x)) as a polynomial in x - (i/2 + 1/4), on i/2 <= x <= i/2 + 1/2; i = 0 ... 16.
inline constexpr double log_ndtr_right[17][15] = {
    {0x1.cfe88753ca275p-56, 0x1.0efc3508aea48p-1, -0x1.116b882f8160ap-1, 0x1.a6f8052a2d4c4p-2, -0x1.04435ab6929c3p-2,
     0x1.10012c3ba3d8cp-3, -0x1.f97b7123ca0fap-5, 0x1.aa25a7336d93dp-6, -0x1.4a6e58771da12p-7, 0x1.ddaeec7984085p-9,
     -0x1.449ce155b2ddep-10, 0x1.a10fee2019d1cp-12, -0x1.fe03a71096c25p-14, 0x1.2f0b75098715bp-15,
     -0x1.510c04627668cp-17},
    {-0x1.94ffb5eca06d5p-59, 0x1.5ca217f24fecbp-2, -0x1.0ac0bbff2c20fp-2, 0x1.62403d45e02bfp-3, -0x1.842beee3f1f50p-4,
     0x1.6931fc5d70c68p-5, -0x1.2dd54a17f4dc8p-6, 0x1.d108658eef748p-8, -0x1.4a88479a440f7p-9, 0x1.b67239c18dc82p-11,
     -0x1.140633ad52fe5p-12, 0x1.49f532d93808ep-14, -0x1.7649ed638e77cp-16, 0x1.9e9dd0eff5974p-18,
     -0x1.b2d6f445b4f06p-20},
    {-0x1.ae7295bf5d708p-57, 0x1.f378fe31dbb47p-3, -0x1.213599636d69ep-3, 0x1.4487f7190b6d5p-4, -0x1.4172c051489b2p-5,
     0x1.0d6d41fda3f2ap-6, -0x1.9004fb39bbd52p-8, 0x1.188c875ce835ap-9, -0x1.73e70ef126d06p-11, 0x1.c3e5f809b8965p-13,
     -0x1.027332a400325p-14, 0x1.23e291aa2a837p-16, -0x1.3a18de3d33bccp-18, 0x1.38cca32ce4336p-20,
     -0x1.3088fb5fd05f2p-22},
    {-0x1.01fb95272c645p-57, 0x1.832977746d668p-3, -0x1.5b31133613e9ep-4, 0x1.3fbbd0981682fp-5, -0x1.1eba7ffd517b9p-6,
     0x1.c142a76ed2caep-8, -0x1.2a1a4a8834480p-9, 0x1.6b89975d019b2p-11, -0x1.c2fec8d0ee925p-13, 0x1.0de168cdac73fp-14,
     -0x1.146b35b53a57fp-16, 0x1.02d3cc39f79bdp-18, -0x1.1adb39fcc57cap-20, 0x1.3c58aae4d4ba6p-22,
     -0x1.e0a15d690cb32p-25},
    {0x1.b4bc0428ee977p-59, 0x1.3c9e4e3e4e6ddp-3, -0x1.cb03f037a6e56p-5, 0x1.5400718bbd476p-6, -0x1.0a0abc397b78dp-7,
     0x1.90860875ff51dp-9, -0x1.006d930a02164p-10, 0x1.0d9526d71a596p-12, -0x1.0c13c9fbfed76p-14, 0x1.3e133599fd660p-16,
     -0x1.82aceda84d704p-18, 0x1.4bf422029c2b6p-20, -0x1.4bc6f5c4bdb21p-23, 0x1.50ce2985f3892p-25,
     -0x1.8e278c0bfe849p-26},
    {-0x1.482bc5f3a2f13p-57, 0x1.0c1fb9ae9cc6fp-3, -0x1.488a11ffaaf0dp-5, 0x1.8dd1a09468ff8p-7, -0x1.011e936ab9356p-8,
     0x1.642d0ef046816p-10, -0x1.d40bdb6a59cc3p-12, 0x1.f6f175abfb31dp-14, -0x1.944e9cd8f5282p-16,
     0x1.1ea0d0a057989p-18, -0x1.66167f25f9118p-20, 0x1.21ea9c56dd94bp-21, -0x1.13e6efb1193a3p-23,
     0x1.c481b93541714p-29, 0x1.58341eabbd73bp-28},
    {0x1.555e6dfd00517p-58, 0x1.d0d571ef1e194p-4, -0x1.f134806d0169cp-6, 0x1.00b23f5c307edp-7, -0x1.0f236ca208fddp-9,
     0x1.3b93e469b21f0p-11, -0x1.8f446a2f4f28ep-13, 0x1.dc7e475f1587ep-15, -0x1.c04804a117b49p-17,
     0x1.0a1d8893fd56fp-19, -0x1.dd05e0156448fp-24, 0x1.2533ac1310992p-25, -0x1.65f04428b965ep-25,
     0x1.197043f2413c6p-26, -0x1.0cc41710ee7eep-29},
    {-0x1.1048f7957283fp-58, 0x1.99c75a1bbe8bbp-4, -0x1.862ae211f3631p-6, 0x1.64956340962f9p-8, -0x1.4107db1b2854dp-10,
     0x1.2ecfa3c9e5392p-12, -0x1.4330e96f71c08p-14, 0x1.7ea8a475f928dp-16, -0x1.afb5696fea109p-18,
     0x1.7cc333bcd6cdfp-20, -0x1.710afc9f415f0p-23, -0x1.d52f692d26edfp-27, 0x1.10063c19de70dp-27,
     0x1.32c393f9f4770p-30, -0x1.868d9f4591dcbp-30},
    {0x1.21b94ac44212ap-58, 0x1.6e0489a2ea49dp-4, -0x1.3a09f29b65c08p-6, 0x1.036f71698784ap-8, -0x1.a08d07a82646dp-11,
     0x1.4d86e84b4727ap-13, -0x1.1c2de799735bap-15, 0x1.1848c789aba37p-17, -0x1.3b5cece91d07ap-19,
     0x1.5b72c4be038bap-21, -0x1.3422c06185bcap-23, 0x1.393d9ff72f430p-26, 0x1.b97ba83667638p-30,
     -0x1.72798101b202ap-30, 0x1.ceef173a6eef9p-33},
    {-0x1.4e9b9412a158ep-59, 0x1.4a725493f2922p-4, -0x1.01caa08718cccp-6, 0x1.853d09045099cp-9, -0x1.1d6eaaaf430d2p-11,
     0x1.99dc993e84a8bp-14, -0x1.275c15eb00f76p-16, 0x1.c8383217fc792p-19, -0x1.9eecc4da42f75p-21,
     0x1.bd709d50468cap-23, -0x1.e7fce72765938p-25, 0x1.c5830ae5d2d5ep-27, -0x1.16b81caceea7ap-29,
     -0x1.882b057b0f4c3p-37, 0x1.ec4d0216ccbdbp-34},
    {0x1.7d79ae96064fap-59, 0x1.2d01ff827abd9p-4, -0x1.ae36bd678d373p-7, 0x1.2ae3f6cc59a74p-9, -0x1.94a1bf464e82ep-12,
     0x1.0b92450bea47cp-14, -0x1.5bfba7b2706a2p-17, 0x1.c6e456d899380p-20, -0x1.3e0a5bcca2d12p-22,
     0x1.07dd7f2f2cc6cp-24, -0x1.0bff7e3213d5bp-26, 0x1.24ae46d877e35p-28, -0x1.1ffced7ff9cd5p-30,
     0x1.a86e9e7be9f88p-33, -0x1.0e1fcc6178f26p-36},
    {0x1.238c3ac5a1f71p-58, 0x1.1445a5370f142p-4, -0x1.6c06bb965cbefp-7, 0x1.d41a26d13192dp-10, -0x1.262cb211f7468p-12,
     0x1.69ed6baf5785fp-15, -0x1.b4b866cd2ab4fp-18, 0x1.03b58d87597fbp-20, -0x1.35d500abf8e77p-23,
     0x1.8753ce490aa1fp-26, -0x1.23571d3eb6905p-28, 0x1.120e10d2e215dp-30, -0x1.26dbf8e35ff5bp-32,
     0x1.32a5384a78f76p-34, -0x1.0493c216dca9fp-36},
    {0x1.3316baf9e0dcap-59, 0x1.fe6e5e31fce2dp-5, -0x1.37c334f3bd24cp-7, 0x1.74d5bbd31613cp-10, -0x1.b50524f385f99p-13,
     0x1.f69f0165fa6f0p-16, -0x1.1be39c9ef564ep-18, 0x1.3b68cc8bf96eap-21, -0x1.59d8517bf28fcp-24,
     0x1.7aec9fa45dfd3p-27, -0x1.b086d025cd125p-30, 0x1.1c42c1af9b84ep-32, -0x1.df689026a6f07p-35,
     0x1.f5b1a4a5ac4b6p-37, -0x1.09e3d6ad53ff2p-38},
    {0x1.fff46746845c3p-59, 0x1.da2cad485d5a3p-5, -0x1.0dd4210833292p-7, 0x1.2d6b58d522bddp-10, -0x1.4acbda2c5e0e5p-13,
     0x1.64f5b57a355efp-16, -0x1.7b08864e85526p-19, 0x1.8c53847c65184p-22, -0x1.9874b2a5039fdp-25,
     0x1.9fcd2676bfde2p-28, -0x1.a556835868849p-31, 0x1.b5152708d86c0p-34, -0x1.f717c73877041p-37,
     0x1.733692cfd154ap-39, -0x1.607f397e18a01p-41},
    {0x1.c9624ebb2c556p-60, 0x1.baa643d0bc6bfp-5, -0x1.d769720640337p-8, 0x1.edd68f64fababp-11, -0x1.fd4001c3f0158p-14,
     0x1.02a46fce767b4p-16, -0x1.02f30a827a1b0p-19, 0x1.ff5a56ae04346p-23, -0x1.f22f43236ddcap-26,
     0x1.df34e6c30094ep-29, -0x1.c7aca1a936a51p-32, 0x1.ae251e6a5a2d6p-35, -0x1.99ada6666b49fp-38,
     0x1.a26003a795f27p-41, -0x1.00b5802e31772p-43},
    {-0x1.9a2e15fc3280cp-59, 0x1.9eff960c1b23cp-5, -0x1.9f2e7862471f5p-8, 0x1.99522d9cd7ec5p-11, -0x1.8de7aeddcebf2p-14,
     0x1.7d9bc37379a90p-17, -0x1.693d47a20577dp-20, 0x1.51aef4712766cp-23, -0x1.37d9d31b10471p-26,
     0x1.1ca19460b470dp-29, -0x1.00dd1542a009cp-32, 0x1.cab4c5b83e76fp-36, -0x1.9613dbd6e3ebcp-39,
     0x1.686b3240e5ddfp-42, -0x1.48cfe571ea7cdp-45},
    {0x1.156b617f5c094p-59, 0x1.868e8a7fd36a7p-5, -0x1.70551a5c57d28p-8, 0x1.56d8ea131b78ap-11, -0x1.3b1e14b8510e4p-14,
     0x1.1e1e4b50e8961p-17, -0x1.00bdf3dd62d3cp-20, 0x1.c788a77cbc351p-24, -0x1.8fad8d15bf40fp-27,
     0x1.5aed8d5e40652p-30, -0x1.2a04da9e171bdp-33, 0x1.fadc69c9f08bep-37, -0x1.aadd461fafdfbp-40,
     0x1.653297b809be3p-43, -0x1.289e68fbffb48p-46}};

// ... and further right, times x, as a polynomial in 1/x^2, 8.5 <= x <= 40.
inline constexpr double log_ndtr_far_right[13] = {
    0x1.ca57e4dd4658bp-56,  0x1.9884533d43650p-2,  -0x1.9884533d434a5p-2, 0x1.32633e6dc78c5p+0,   -0x1.7efc0de478aaap+2,
    0x1.4f1c82adf0f15p+5,   -0x1.78fe801e6f3f7p+8, 0x1.0318922e976e8p+12, -0x1.a354dcf461f58p+15, 0x1.7dd5cddbe4149p+19,
    -0x1.6349675f8ff21p+23, 0x1.153bcc3d485a9p+27, -0x1.ebfd6247ad567p+29};

/// -(log(Phi(-t)) + t^2/2) for t >= 0: how much smaller the tail is than its leading behaviour.
inline double log_ndtr_rest(double t) noexcept {
    if (t < 6.5) {
        const auto index = static_cast<std::size_t>(t + 0.5);
        return polynomial(log_ndtr_left[index], t - static_cast<double>(index));
    }
    return log_kernel(t) + polynomial(log_ndtr_far_left, 1.0 / (t * t));
}

}  // namespace detail

/// e^x.
///
/// Reduction to |r| <= log(2)/2 (Cody and Waite 1980), polynomial of degree 12, scaling by a power of two.
/// \param x any double. +inf gives +inf, -inf gives +0, +-0 gives 1, NaN gives NaN. Above 709.78 the result overflows
///          to +inf, below -708.4 it is denormal (rounded once), below -745.2 it is +0. No floating-point exception
///          flag is promised.
/// Accuracy: <= 1 ulp. Cost: see the top of the file.
inline double exp(double x) noexcept { return detail::exp_kernel(x); }

/// e^x - 1, without the cancellation near 0.
///
/// 2^k ((1 - 2^-k) + (e^r - 1)) with the reduction and the polynomial of `exp`; the large terms, 1 - 2^-k + r + r^2/2,
/// are added with their rounding errors.
/// \param x any double. +inf gives +inf, -inf gives -1, +-0 gives +-0, NaN gives NaN, a denormal gives itself.
/// Accuracy: <= 1 ulp. Cost: see the top of the file.
inline double expm1(double x) noexcept { return detail::expm1_kernel(x); }

/// The natural logarithm.
///
/// x = 2^k (1 + f) with 1 + f near 1, then k log(2) + log(1 + f).
/// \param x any double. +inf gives +inf, +-0 gives -inf, a negative number or NaN gives NaN; denormals are as accurate
///          as others. log(1) is +0.
/// Accuracy: <= 1 ulp. Cost: see the top of the file.
inline double log(double x) noexcept { return detail::log_kernel(x); }

/// log(1 + x), without the cancellation near 0.
///
/// As `log`, of the rounded u = 1 + x; what the rounding lost comes back as a correction, lost / u.
/// \param x any double. +inf gives +inf, -1 gives -inf, below -1 and NaN give NaN, +-0 gives +-0, a denormal gives
///          itself.
/// Accuracy: <= 1 ulp. Cost: see the top of the file.
inline double log1p(double x) noexcept { return detail::log1p_kernel(x); }

/// e^x of each element; bit for bit the scalar form.
inline void exp(std::span<const double> in, std::span<double> out) {
    detail::map(in, out, [](double x) SERINUS_ALWAYS_INLINE { return detail::exp_kernel(x); });
}

/// e^x - 1 of each element; bit for bit the scalar form.
inline void expm1(std::span<const double> in, std::span<double> out) {
    detail::map(in, out, [](double x) SERINUS_ALWAYS_INLINE { return detail::expm1_kernel(x); });
}

/// log(x) of each element; bit for bit the scalar form.
inline void log(std::span<const double> in, std::span<double> out) {
    detail::map(in, out, [](double x) SERINUS_ALWAYS_INLINE { return detail::log_kernel(x); });
}

/// log(1 + x) of each element; bit for bit the scalar form.
inline void log1p(std::span<const double> in, std::span<double> out) {
    detail::map(in, out, [](double x) SERINUS_ALWAYS_INLINE { return detail::log1p_kernel(x); });
}

/// log(Phi(x)): the logarithm of the standard normal distribution function.
///
/// The function falls like -x^2/2 on the left and like -exp(-x^2/2) on the right. Each side is divided by its own
/// leading behaviour, and what is left is smooth: with t = -x, log(Phi) = -(t^2/2 + h(t)) for x < 0, two positive
/// terms, so nothing cancels; log(Phi) = -exp(-x^2/2) g(x) for x >= 0. h and g are piecewise minimax polynomials
/// (error below 0.02 ulp, Remez with 50 digits). x^2/2 is kept as an exact sum of two doubles.
/// \param x any double. Below -1.89e154 the result overflows to -inf; from 37.7 it is denormal, from 38.6 it is -0
///          (the limit from below); NaN gives NaN.
/// Accuracy: <= 4 ulp wherever the result is finite. Cost: see the top of the file.
/// Example: `log_ndtr(-1.6448536269514729)` is log(0.05) = -2.995732...
inline double log_ndtr(double x) noexcept {
    if (!(x < 39.0)) return x == x ? -0.0 : detail::nan;
    if (x < -2e154) return -detail::infinity;
    const double x_high = detail::leading_half(x);
    const double square_high = 0.5 * x_high * x_high;  // exact
    const double square_low = 0.5 * (x - x_high) * (x + x_high);
    if (x < 0.0) return -(square_high + (square_low + detail::log_ndtr_rest(-x)));
    double factor = 0;
    if (x < 8.5) {
        const auto index = static_cast<std::size_t>(2.0 * x);
        factor = detail::polynomial(detail::log_ndtr_right[index], x - (0.5 * static_cast<double>(index) + 0.25));
    } else {
        factor = detail::polynomial(detail::log_ndtr_far_right, 1.0 / (x * x)) / x;
    }
    const detail::ReducedExponential reduced = detail::reduce_exponential(-square_high, -square_low);
    return detail::scale(-factor * detail::exponential_significand(reduced), reduced.biased_power);
}

/// log(e^(x^2/2) Phi(x)): log_ndtr without its leading x^2/2, which formulas often add again, losing digits.
///
/// \param x any double: on the left about -log(-x sqrt(2 pi)), on the right about x^2/2 (+inf from 1.89e154); NaN gives
///        NaN.
/// Accuracy: left of 0 as `log_ndtr`, right of it 4 ulp of x^2/2 + 2^-53. Cost: that of `log_ndtr`.
/// Example: `log_ndtr_scaled(-10.0)` is -3.2313..., of which `log_ndtr(-10.0)` is 50 less.
inline double log_ndtr_scaled(double x) noexcept {
    if (x < 0.0) return -detail::log_ndtr_rest(-x);
    return 0.5 * x * x + log_ndtr(x);
}

/// log(e^a + e^b), without overflow: the larger one plus log1p(exp(-|a - b|)).
///
/// \param a, b any doubles; -inf is the logarithm of 0 and adds nothing; +inf with anything but NaN gives +inf; a NaN
///        gives NaN. Symmetric bit for bit.
/// Accuracy: |error| <= 1 ulp of max(|a|, |b|, |result|) + 2^-52. (Where e^a + e^b is near 1 the result is near 0, and
/// no more is possible: the argument's own last bit counts as much.)
inline double log_add_exp(double a, double b) noexcept {
    const double larger = a < b ? b : a;
    const double smaller = a < b ? a : b;
    if (!(a == a && b == b)) return detail::nan;
    if (larger == smaller && larger - larger != 0.0) return larger;  // both the same infinity
    return larger + log1p(exp(smaller - larger));
}

/// log(sum of e^x_i), without overflow: max + log(sum of exp(x_i - max)), summed in the order of `pairwise_sum`, so
/// that the bits do not depend on the vector unit.
///
/// \param values any doubles. The sum of nothing is 0, so an empty span gives -inf, as do values that are all -inf; a
///        +inf gives +inf; a NaN anywhere gives NaN.
/// Accuracy: |error| <= 1 ulp of max(|max|, |result|) + about (n_levels + 3) 2^-53, n_levels the rounding steps of the
/// sum, at most 34 + log2(n/128).
/// Cost: 2 passes, that of `exp` a number; no allocation.
/// Example: `log_sum_exp(std::vector{1000.0, 1000.0})` is 1000.693...
inline double log_sum_exp(std::span<const double> values) noexcept {
    double largest = -detail::infinity, sum = 0;
    if (values.size() <= PairwiseSum::block_size) {
        const detail::LargestAndSum found = detail::largest_and_sum(values);
        largest = found.largest;
        sum = found.sum;
    } else {
        for (const double x : values) largest = largest < x ? x : largest;
    }
    if (largest - largest != 0.0) {  // infinite
        for (const double x : values) {
            if (x != x) return detail::nan;
        }
        return largest;
    }
    if (values.size() > PairwiseSum::block_size) {
        PairwiseSum blocks;
        std::array<double, PairwiseSum::block_size> block;
        while (!values.empty()) {
            const std::size_t count = values.size() < block.size() ? values.size() : block.size();
            const std::span<double> part = std::span(block).first(count);
            for (std::size_t i = 0; i < count; ++i) part[i] = values[i] - largest;
            exp(part, part);
            blocks.add_block(part);
            values = values.subspan(count);
        }
        sum = blocks.value();
    }
    return sum == sum ? largest + log(sum) : detail::nan;
}

}  // namespace elementary
}  // namespace v0
}  // namespace serinus
