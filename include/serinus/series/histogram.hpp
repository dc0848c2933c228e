#pragma once
/// \file
/// Histograms as monitoring systems record them, read into one form: buckets with both ends, not cumulative, the empty
/// ones left out.
///
///     const HistogramSample& last = histogram.samples.back();
///     for (const HistogramBucket& bucket : last.buckets) ...  // (bucket.lower, bucket.upper], bucket.count

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/describe.hpp>
#include <serinus/core/words.hpp>

namespace serinus {
inline namespace v0 {

/// How a histogram's buckets are laid out, and with that, which histograms can be added up.
enum class HistogramLayout : std::uint8_t {
    exponential = 1,  ///< ends at powers of 2^(2^-scale): Prometheus' native histograms, OTLP's exponential ones
    custom = 2,       ///< native histograms whose ends somebody chose (Prometheus' custom buckets)
    classic = 3  ///< ends that somebody chose, in every sample the same, empty buckets told too (OTLP's explicit ones)
};

template <>
struct Words<HistogramLayout> {
    static constexpr std::array<std::pair<HistogramLayout, std::string_view>, 3> table{
        {{HistogramLayout::exponential, "exponential"},
         {HistogramLayout::custom, "custom"},
         {HistogramLayout::classic, "classic"}}};
};

/// Which of its ends belong to a bucket.
enum class BucketEnds : std::uint8_t { upper = 0, lower = 1, neither = 2, both = 3 };

template <>
struct Words<BucketEnds> {
    static constexpr std::array<std::pair<BucketEnds, std::string_view>, 4> table{{{BucketEnds::upper, "upper"},
                                                                                   {BucketEnds::lower, "lower"},
                                                                                   {BucketEnds::neither, "neither"},
                                                                                   {BucketEnds::both, "both"}}};
};

/// How many observations lie between two values. Counts of rates and averages are fractions.
struct HistogramBucket {
    double lower = 0;  ///< -infinity: there is no lower end
    double upper = 0;  ///< +infinity: there is no upper end
    double count = 0;
    BucketEnds ends = BucketEnds::upper;  ///< (lower, upper] but for negative exponential buckets and those around zero

    friend bool operator==(const HistogramBucket&, const HistogramBucket&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("lower", self.lower);
        visit("upper", self.upper);
        visit("count", self.count);
        visit("ends", self.ends);
    }
};
static_assert(described_whole<HistogramBucket>());

/// A histogram at one time. `buckets` ascend and do not overlap; neighbours need not touch, for empty buckets may be left
/// out. Their counts add up to `count`, except for observations of NaN, which are in `count` and in no bucket, and where
/// the source told no buckets at all.
struct HistogramSample {
    HistogramLayout layout = HistogramLayout::exponential;
    double count = 0;
    double sum =
        std::numeric_limits<double>::quiet_NaN();  ///< of the observations; NaN: not told, or one of them was NaN
    std::vector<HistogramBucket> buckets;

    friend bool operator==(const HistogramSample&, const HistogramSample&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("layout", self.layout);
        visit("count", self.count);
        visit("sum", self.sum);
        visit("buckets", self.buckets);
    }
};
static_assert(described_whole<HistogramSample>());

/// Histograms of one instance over time: `samples[i]` was seen at `times_ms[i]`. Order is free, as in Series.
struct HistogramSeries {
    std::vector<std::int64_t> times_ms;
    std::vector<HistogramSample> samples;
    std::string instance;
    /// Since when each has counted (0: not said); empty where nobody said of any.
    std::vector<std::int64_t> starts_ms = {};
    /// Each sample counts what came since the one before (OTLP's delta temporality), not all since a start.
    bool delta = false;

    friend bool operator==(const HistogramSeries&, const HistogramSeries&) = default;
};

/// What the buckets themselves count: less than `count` where observations were NaN or no buckets were told.
/// Cost: O(buckets).
inline double bucket_total(const HistogramSample& sample) noexcept {
    double total = 0;
    for (const HistogramBucket& bucket : sample.buckets) total += bucket.count;
    return total;
}

/// The end 2^(index x 2^-scale) of exponential buckets: bucket i of the positive ones lies between the ends i and i + 1
/// (OpenTelemetry metrics data model, "ExponentialHistogram"; Prometheus calls the scale schema). Ends beyond the range
/// of a double are infinity and 0. Exact where index x 2^-scale is a whole number. Cost: O(1).
inline double exponential_bucket_end(int scale, std::int64_t index) noexcept {
    return std::exp2(std::ldexp(static_cast<double>(index), -scale));
}

/// Whether ends are those of exponential buckets, or ones that somebody chose: documents of Prometheus do not say.
/// Chosen are a lowest bucket without a lower end, buckets (lower, upper] that begin at 0 or below, and ends that are no
/// powers of one 2^(2^-scale), -4 <= scale <= 8. Without buckets: exponential. Chosen ends that happen to be such powers,
/// all of them, are taken for exponential ones, which they equal. Cost: O(buckets).
inline HistogramLayout guess_layout(const std::vector<HistogramBucket>& buckets) noexcept {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    int scale = -4;
    for (const HistogramBucket& bucket : buckets) {
        double lower = bucket.lower;
        double upper = bucket.upper;
        if (bucket.ends == BucketEnds::both) {  // around zero, or the lowest chosen one
            if (lower == -infinity || lower != -upper) return HistogramLayout::custom;
            continue;
        }
        if (bucket.ends == BucketEnds::lower) {
            lower = -bucket.upper;
            upper = -bucket.lower;
        }
        if (!(lower > 0)) return HistogramLayout::custom;
        if (upper == infinity) {  // beyond the largest double
            if (lower < std::numeric_limits<double>::max()) return HistogramLayout::custom;
            continue;
        }
        const double low = std::log2(lower);
        const double high = std::log2(upper);
        const double tolerance = 1e-9 * std::fmax(1, std::fmax(std::fabs(low), std::fabs(high)));
        const auto fits = [&](int with) {
            const double a = std::ldexp(low, with);
            const double b = std::ldexp(high, with);
            const double within = std::ldexp(tolerance, with);
            return std::fabs(a - std::round(a)) <= within && std::fabs(b - a - 1) <= 2 * within;
        };
        while (scale <= 8 && !fits(scale)) ++scale;
        if (scale > 8) return HistogramLayout::custom;
    }
    return HistogramLayout::exponential;
}

}  // namespace v0
}  // namespace serinus
