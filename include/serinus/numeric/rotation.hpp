#pragma once
/// \file
/// Numbers of the rotation test (sequential/rotation.hpp): when it looks, what it may spend there, how instances
/// of one version differ, and the virtual canaries that walk the same path as the real one.
///
/// **Why virtual canaries.** Let the canary's path X and nu rows Z_1 .. Z_nu be independent Gaussian processes of one
/// law over the looks 1 .. J, whatever that law is. Write W for the (nu + 1) x J matrix of all of them. W and R W have
/// the same law for every rotation R, so given G = W'W the columns of W are a uniformly rotated copy of any fixed
/// matrix with that G (Langsrud 2005, Statistics and Computing 15, 53-60, section 2). The canary is the first
/// coordinate of it. Turning the picture round, the columns P_j are held fixed and the direction u that is called the
/// canary is uniform on the sphere of R^(nu + 1): its path is u . P_j. A virtual canary is a u drawn by us. Given G the
/// true direction and M virtual ones are exchangeable.
///
/// **What each look does** (`Walk`): of those still alive the best `go` in u . P_j die, so that floor(A(n) (M + 1)) of
/// the M + 1 are dead after a look at which A(n) is spent. This treats all M + 1 alike, and exactly
/// floor(alpha (M + 1)) of them ever die; so the canary does with at most the probability alpha, over all looks. The
/// factor of G is made look by look (`RowFactor`): a later look never moves the points of an earlier one, so that the
/// death at a look depends on what was seen until then alone.

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <serinus/core/version.hpp>
#include <serinus/numeric/elementary.hpp>
#include <serinus/numeric/random.hpp>
#include <serinus/numeric/simd.hpp>

namespace serinus {
inline namespace v0 {
namespace rotation {

/// How many virtual canaries there are. With the true one they are 2^14. Any number is exact.
inline constexpr std::size_t canaries = 16383;
/// The same, filled up to whole vectors.
inline constexpr std::size_t padded = 16384;

/// The numbers of judged intervals at which one looks: 5, then a quarter more each time (halves to the even number),
/// and the last. 5 6 8 10 12 15 19 24 30 38 48 60 75 94 118 ... last >= 1. About 3.1 log(last) of them.
inline std::vector<std::int64_t> looks(std::int64_t last) {
    std::vector<std::int64_t> at{std::min<std::int64_t>(5, last)};
    while (at.back() < last) {
        const std::int64_t five = 5 * at.back(), whole = five / 4, quarters = five % 4;
        const bool up = quarters > 2 || (quarters == 2 && whole % 2 == 1);
        at.push_back(std::min(last, std::max(at.back() + 1, whole + (up ? 1 : 0))));
    }
    return at;
}

/// Error spent until n intervals: alpha sqrt(n/last), at most alpha; nothing before `since`.
inline double spent(std::int64_t n, std::int64_t last, double alpha, std::int64_t since) noexcept {
    if (n < since) return 0;
    return alpha * std::sqrt(static_cast<double>(std::min(n, last)) / static_cast<double>(last));
}

/// How many of `all` canaries (M virtual ones and the true one) may be dead when that much is spent. A whole number
/// that rounding has missed by 1e-9 counts as reached.
inline std::int64_t may_be_dead(double spent, std::size_t all = canaries + 1) noexcept {
    return static_cast<std::int64_t>(spent * static_cast<double>(all) + 1e-9);
}

/// How many canaries an interval's end at error rate alpha is found with: 2^12 to 2^14, of which alpha is 64 where
/// possible. Any number is exact.
inline std::size_t enough_for(double alpha) noexcept {
    std::size_t all = 4096;
    while (all < canaries + 1 && alpha * static_cast<double>(all) < 64) all *= 2;
    return all;
}

/// Rows with a given Gram matrix, look by look (Cholesky): column j depends on the Gram matrix's first j + 1 columns
/// alone. Rows with one Gram matrix are rotations of one another, so any of them will do.
class RowFactor {
  public:
    /// At most so many rows: the smaller of nu and the number of looks.
    explicit RowFactor(std::size_t most = 0) : most_(most) {}

    /// Adds a look: column j of the Gram matrix, its entries 0 to j. A look that adds no direction (what is left is
    /// below 1e-9 of its square) gets none. O(j most).
    void add(std::span<const double> column) {
        std::vector<double> rows;
        const std::size_t j = columns_.size();
        double left = column[j];
        for (std::size_t a = 0; a < pivots_.size(); ++a) {
            const std::vector<double>& pivot = columns_[pivots_[a]];
            double rest = column[pivots_[a]];
            for (std::size_t b = 0; b < a; ++b) rest -= pivot[b] * rows[b];
            rows.push_back(rest / pivot[a]);
            left -= rows[a] * rows[a];
        }
        if (pivots_.size() < most_ && left > 1e-9 * column[j]) {
            rows.push_back(std::sqrt(left));
            pivots_.push_back(j);
        } else if (left < 0) {
            // Small pivots lose digits; the length at least is what it should be.
            const double factor = std::sqrt(std::max(column[j], 0.0) / (column[j] - left));
            for (double& row : rows) row *= factor;
        }
        columns_.push_back(std::move(rows));
    }

    /// What the rows are at look j; those after the last are 0.
    const std::vector<double>& column(std::size_t j) const { return columns_[j]; }
    std::size_t size() const noexcept { return columns_.size(); }

  private:
    std::size_t most_;
    std::vector<std::size_t> pivots_;
    std::vector<std::vector<double>> columns_;
};

/// Rows over the looks that stand for a declared standard deviation of an instance's level, look by look: `degrees` of
/// them, or as many as there are looks, with the products degrees deviation^2 C, C_jl = sqrt(min(n_j, n_l)/max(n_j,
/// n_l)) the correlation of means of white noise over the first n_j and n_l values. With more looks than rows C is
/// brought to their rank: its largest eigenvectors alone, each look back to its length. They are known beforehand, so
/// no look has to wait for its Gram matrix, whose factor look by look would lose all digits here. O(looks^3).
inline std::vector<std::vector<double>> declared_rows(std::span<const std::int64_t> looks, std::size_t degrees,
                                                      double deviation) {
    const std::size_t size = looks.size();
    std::vector<double> a(size * size), v(size * size);
    for (std::size_t j = 0; j < size; ++j) {
        v[j * size + j] = 1;
        for (std::size_t l = 0; l < size; ++l) {
            a[j * size + l] = std::sqrt(static_cast<double>(std::min(looks[j], looks[l])) /
                                        static_cast<double>(std::max(looks[j], looks[l])));
        }
    }
    // Jacobi's rotations (Golub and Van Loan 2013, Matrix Computations, section 8.5). They converge quadratically:
    // 60 looks need nine sweeps.
    for (int sweep = 0; sweep < 12; ++sweep) {
        for (std::size_t p = 0; p < size; ++p) {
            for (std::size_t q = p + 1; q < size; ++q) {
                const double off = a[p * size + q];
                if (off == 0) continue;
                const double tau = (a[q * size + q] - a[p * size + p]) / (2 * off);
                const double t = (tau < 0 ? -1.0 : 1.0) / (std::fabs(tau) + std::sqrt(1 + tau * tau));
                const double cosine = 1 / std::sqrt(1 + t * t), sine = t * cosine;
                for (std::size_t k = 0; k < size; ++k) {
                    const double x = a[k * size + p], y = a[k * size + q];
                    a[k * size + p] = cosine * x - sine * y;
                    a[k * size + q] = sine * x + cosine * y;
                }
                for (std::size_t k = 0; k < size; ++k) {
                    const double x = a[p * size + k], y = a[q * size + k];
                    a[p * size + k] = cosine * x - sine * y;
                    a[q * size + k] = sine * x + cosine * y;
                    const double u = v[k * size + p], w = v[k * size + q];
                    v[k * size + p] = cosine * u - sine * w;
                    v[k * size + q] = sine * u + cosine * w;
                }
            }
        }
    }
    std::vector<std::size_t> largest(size);
    for (std::size_t i = 0; i < size; ++i) largest[i] = i;
    std::sort(largest.begin(), largest.end(),
              [&](std::size_t x, std::size_t y) { return a[x * size + x] > a[y * size + y]; });
    std::vector<std::vector<double>> rows(size);
    for (std::size_t j = 0; j < size; ++j) {
        double square = 0;
        for (std::size_t k = 0; k < std::min(degrees, size); ++k) {
            const std::size_t e = largest[k];
            rows[j].push_back(v[j * size + e] * std::sqrt(std::max(a[e * size + e], 0.0)));
            square += rows[j].back() * rows[j].back();
        }
        for (double& row : rows[j]) row *= deviation * std::sqrt(static_cast<double>(degrees) / square);
    }
    return rows;
}

namespace detail {

/// A number from -1 to 1, 2^53 of them.
inline double signed_unit(RandomStream& stream) noexcept {
    return static_cast<double>(stream.next() >> 11) * 0x1p-52 - 1.0;
}

/// 1/sqrt(x) to 2 units in the last place, x positive and normal: Newton's steps, each of which squares the error, from
/// a start good to 3.5 % (the exponent halved; Lomont 2003, Fast Inverse Square Root, section 4). By products and
/// differences alone, so that a loop of it is made of whole vectors; compilers keep std::sqrt out of them for errno.
inline double inverse_root(double x) noexcept {
    double y = std::bit_cast<double>(0x5fe6ec85e7de30daULL - (std::bit_cast<std::uint64_t>(x) >> 1));
    const double half = 0.5 * x;
    y = y * (1.5 - half * y * y);
    y = y * (1.5 - half * y * y);
    y = y * (1.5 - half * y * y);
    return y * (1.5 - half * y * y);
}

/// Two uniform numbers in the unit disc, not its centre, and the square of their distance from it.
struct DiscPoint {
    double x, y, square;
};
inline DiscPoint disc_point(RandomStream& stream) noexcept {
    while (true) {
        const double x = signed_unit(stream), y = signed_unit(stream);
        const double square = x * x + y * y;
        if (square < 1 && square > 0) return {x, y, square};
    }
}

/// A standard normal number (Marsaglia and Bray 1964, SIAM Review 6, 260-264: the polar method, exact in law).
inline double normal(RandomStream& stream) noexcept {
    const DiscPoint point = disc_point(stream);
    return point.x * std::sqrt(-2 * elementary::log(point.square) / point.square);
}

/// Chi-square on df >= 1 degrees: for one the square of a normal, else twice a gamma of shape df/2 by rejection
/// (Marsaglia and Tsang 2000, ACM Transactions on Mathematical Software 26, 363-372), which is exact in law for every
/// df and takes about two draws whatever its size.
inline double chi_square(double df, RandomStream& stream) noexcept {
    if (df < 2) {
        const double z = normal(stream);
        return z * z;
    }
    const double d = df / 2 - 1.0 / 3.0, c = 1 / (3 * std::sqrt(d));
    while (true) {
        const double x = normal(stream), root = 1 + c * x;
        const double uniform = (static_cast<double>(stream.next() >> 11) + 0.5) * 0x1p-53;
        if (!(root > 0)) continue;
        const double v = root * root * root;
        if (elementary::log(uniform) < 0.5 * x * x + d - d * v + d * elementary::log(v)) return 2 * d * v;
    }
}

}  // namespace detail

/// Normal numbers of the virtual canaries: `dims` of each, from a seed. The d-th of them does not depend on `dims`, and
/// by our own log (numeric/elementary) they have the same bits on every platform. Four bytes a canary and dimension. They
/// do not change once made, so tests of one seed may share them, in several threads as well.
class Normals {
  public:
    Normals(std::uint64_t seed, std::size_t dims) : seed_(seed), dims_(dims), values_((dims + dims % 2) * padded) {
        std::vector<double> x(canaries), y(canaries), square(canaries), log(canaries);
        for (std::size_t d = 0; d < dims; d += 2) {
            RandomStream stream(seed, d);
            for (std::size_t m = 0; m < canaries; ++m) {
                const detail::DiscPoint point = detail::disc_point(stream);
                x[m] = point.x;
                y[m] = point.y;
                square[m] = point.square;
            }
            elementary::log(square, log);
            float* first = values_.data() + d * padded;
            float* second = first + padded;
            for (std::size_t m = 0; m < canaries; ++m) {
                const double factor = std::sqrt(-2 * log[m] / square[m]);
                first[m] = static_cast<float>(x[m] * factor);
                second[m] = static_cast<float>(y[m] * factor);
            }
        }
    }

    std::uint64_t seed() const noexcept { return seed_; }
    std::size_t dims() const noexcept { return dims_; }
    /// The d-th number of every virtual canary.
    const float* of(std::size_t d) const noexcept { return values_.data() + d * padded; }

  private:
    std::uint64_t seed_;
    std::size_t dims_;
    std::vector<float> values_;
};

/// The virtual canaries' directions: uniform on the unit sphere of R^(nu + 1), their first `dims` coordinates. A
/// normal vector over its length is uniform on the sphere; of the coordinates that no point has only the sum of squares
/// is drawn, a chi-square on nu + 1 - dims degrees. Directions are rounded to float, 6e-8 of their length: that moves
/// the rank of a canary with a probability of about 1e-7 a look.
class Sphere {
  public:
    Sphere() = default;
    /// nu >= 1 rows, 1 <= dims <= nu + 1, dims <= normals->dims().
    Sphere(std::shared_ptr<const Normals> normals, double nu, std::size_t dims)
        : normals_(std::move(normals)), dims_(dims), inverse_(padded) {
        const double rest = nu + 1 - static_cast<double>(dims);
        RandomStream stream(normals_->seed() ^ 0x5bd1e995a3c7f21dULL, static_cast<std::uint64_t>(nu));
        const float* first = normals_->of(0);
        float* inverse = inverse_.data();
        double square[block];
        for (std::size_t b = 0; b < padded; b += block) {
            simd::widest([&]() SERINUS_ALWAYS_INLINE {
                for (std::size_t i = 0; i < block; ++i) square[i] = 0;
                for (std::size_t d = 0; d < dims; ++d) {
                    const float* z = first + d * padded + b;
                    for (std::size_t i = 0; i < block; ++i)
                        square[i] += static_cast<double>(z[i]) * static_cast<double>(z[i]);
                }
            });
            const std::size_t real = std::min(block, canaries - b);
            for (std::size_t i = 0; i < real && rest > 0; ++i) square[i] += detail::chi_square(rest, stream);
            if (real < block) square[real] = 1;
            simd::widest([&]() SERINUS_ALWAYS_INLINE {
                for (std::size_t i = 0; i < block; ++i)
                    inverse[b + i] = static_cast<float>(detail::inverse_root(square[i]));
            });
        }
    }

    std::size_t dims() const noexcept { return dims_; }

    /// Writes the coordinates of the first `all` virtual canaries, a multiple of 64, along a point of at most `dims`
    /// coordinates.
    void along(std::span<const float> point, std::size_t all, float* out) const noexcept {
        const float* inverse = inverse_.data();
        const float* first = normals_->of(0);
        const float* at = point.data();
        const std::size_t size = point.size();
        simd::widest([&]() SERINUS_ALWAYS_INLINE {
            for (std::size_t b = 0; b < all; b += block) {
                float sum[block];
                for (std::size_t i = 0; i < block; ++i) sum[i] = first[b + i] * at[0];
                for (std::size_t d = 1; d < size; ++d) {
                    const float* z = first + d * padded + b;
                    const float p = at[d];
                    for (std::size_t i = 0; i < block; ++i) sum[i] += z[i] * p;
                }
                for (std::size_t i = 0; i < block; ++i) sum[i] *= inverse[b + i];
                std::copy(sum, sum + block, out + b);
            }
        });
    }

  private:
    static constexpr std::size_t block = 64;

    std::shared_ptr<const Normals> normals_;
    std::size_t dims_ = 0;
    std::vector<float> inverse_;
};

/// What a point of the path is for the walk: (x, rows) over their length. `any` is false where there is no direction:
/// all are 0, or their squares leave the range of doubles (below 1e-280, infinite).
struct Point {
    std::vector<float> coordinates;
    bool any = false;
};
inline Point point_of(double x, std::span<const double> rows) {
    Point point;
    double square = x * x;
    for (const double row : rows) square += row * row;
    point.any = square > 1e-280 && std::isfinite(square);
    const double inverse = point.any ? 1 / std::sqrt(square) : 0;
    point.coordinates.push_back(static_cast<float>(x * inverse));
    for (const double row : rows) point.coordinates.push_back(static_cast<float>(row * inverse));
    return point;
}

/// Selects among coordinates by counting them in whole vectors: no processor can foresee the comparisons of a sort.
class Selection {
  public:
    /// Where the coordinates of at least `bound` are, ascending.
    std::span<const std::uint16_t> at_least(const float* values, std::size_t size, float bound) {
        if (found_.size() < size + 1) found_.resize(size + 1);
        std::uint16_t* found = found_.data();
        std::size_t many = 0;
        simd::widest([&]() SERINUS_ALWAYS_INLINE {
            for (std::size_t begin = 0; begin < size; begin += lanes) {
                const std::size_t end = std::min(size, begin + lanes);
                if (end - begin == lanes) {  // most blocks have none
                    std::int32_t any = 0;
                    for (std::size_t i = 0; i < lanes; ++i) any |= values[begin + i] >= bound ? 1 : 0;
                    if (any == 0) continue;
                }
                for (std::size_t i = begin; i < end; ++i) {
                    found[many] = static_cast<std::uint16_t>(i);
                    many += values[i] >= bound ? 1 : 0;
                }
            }
        });
        return std::span(found_).first(many);
    }

    /// A bound that at least `wanted` coordinates reach, 1 <= wanted <= size, and, unless many are equal, not many
    /// more: no more than `spare` of them lie below a bound that too few reach.
    static float bound_for(const float* values, std::size_t size, std::size_t wanted, std::size_t spare) noexcept {
        return bracket(values, size, wanted, spare, -2).low;
    }

    /// Brings the best `go` to the front, 1 <= go <= size, in which order is unsaid: the largest coordinates, of equal
    /// ones those with the smaller number. At least `go` must reach `low`. Returns the smallest coordinate of them.
    /// O(size) for each of about log2(size/24) + 3 halvings.
    float best_first(float* values, std::uint16_t* numbers, std::size_t size, std::size_t go, float low) {
        const Bracket cut = bracket(values, size, go, 24, low);
        const std::span<const std::uint16_t> found = at_least(values, size, cut.low);
        between_.clear();
        for (const std::uint16_t at : found) {
            if (values[at] < cut.high) between_.push_back({values[at], numbers[at]});
        }
        const auto last = between_.begin() + static_cast<std::ptrdiff_t>(go - cut.at_high - 1);
        std::nth_element(between_.begin(), last, between_.end());
        const Place worst = *last;
        std::size_t front = 0;
        for (const std::uint16_t at : found) {  // front <= at
            if (worst < Place{values[at], numbers[at]}) continue;
            std::swap(values[front], values[at]);
            std::swap(numbers[front], numbers[at]);
            ++front;
        }
        return worst.value;
    }

  private:
    static constexpr std::size_t lanes = 32, block = 64;

    struct Place {
        float value;
        std::uint16_t number;
        /// Better.
        friend bool operator<(const Place& a, const Place& b) noexcept {
            return a.value != b.value ? a.value > b.value : a.number < b.number;
        }
    };
    /// at_low >= wanted > at_high of them are at least `low`, at least `high`.
    struct Bracket {
        float low, high;
        std::size_t at_low, at_high;
    };

    static Bracket bracket(const float* values, std::size_t size, std::size_t wanted, std::size_t spare,
                           float low) noexcept {
        Bracket cut{low, 2, low > -2 ? count(values, size, low) : size, 0};
        while (cut.at_low - cut.at_high > spare) {
            const float middle = cut.low + (cut.high - cut.low) * 0.5F;
            if (!(cut.low < middle && middle < cut.high)) break;  // they are equal
            const std::size_t at = count(values, size, middle);
            if (at >= wanted) {
                cut.low = middle;
                cut.at_low = at;
            } else {
                cut.high = middle;
                cut.at_high = at;
            }
        }
        return cut;
    }

    static std::size_t count(const float* values, std::size_t size, float bound) noexcept {
        std::size_t total = 0;
        simd::widest([&]() SERINUS_ALWAYS_INLINE {
            std::int32_t sum = 0;
            const std::size_t whole = size - size % block;
            for (std::size_t begin = 0; begin < whole; begin += block) {
                std::int32_t of_block = 0;
                for (std::size_t i = 0; i < block; ++i) of_block += values[begin + i] >= bound ? 1 : 0;
                sum += of_block;
            }
            for (std::size_t i = whole; i < size; ++i) sum += values[i] >= bound ? 1 : 0;
            total = static_cast<std::size_t>(sum);
        });
        return total;
    }

    std::vector<std::uint16_t> found_;
    std::vector<Place> between_;
};

/// What the walks of a test work in, one after the other: ten numbers a virtual canary at most.
struct WalkScratch {
    std::vector<float> values;  // of every virtual canary
    std::vector<float> listed;  // of those that are dead at some level or may die
    Selection selection;
};

/// Who is alive, at several error rates at once, each of which has a population of its own. The error rates ascend, and
/// no fewer die at a look at one of them than at the one before it, as with a, 2a, 4a ... Then who is dead at one is
/// dead at the next (by induction: one that dies at a and lives on at 2a has above it all who die at 2a; they die at a
/// too, so more would die at a than at 2a). So all populations are one list: the dead of the first error rate, those
/// whom the second adds, and so on.
class Walk {
  public:
    static constexpr std::size_t most_levels = 16;

    Walk() = default;
    /// \param all the virtual canaries of it, the first all - 1, and the true one: a power of two, 64 to 2^14
    explicit Walk(std::size_t levels, std::size_t all = canaries + 1) : all_(all), open_(levels) {}

    std::size_t all() const noexcept { return all_; }

    /// One look. `allowed[i]`: how many may be dead at level i after it (`may_be_dead` of `all`). The canary's
    /// coordinate is the point's first. Of equal virtual canaries the one with the smaller number dies first; the true
    /// one dies where it is above the last that must go. Levels at which it is dead already stay as they are.
    void look(WalkScratch& scratch, const Sphere& sphere, const Point& point, std::span<const std::int64_t> allowed) {
        if (!point.any || open_ == 0) return;
        std::array<std::size_t, most_levels> go{};
        std::size_t most = all_ - 1 - died_[open_ - 1];
        for (std::size_t i = open_; i-- > 0;) {
            const std::int64_t more = allowed[i] - static_cast<std::int64_t>(died_[i]);
            most = std::min(most, static_cast<std::size_t>(std::max<std::int64_t>(more, 0)));
            go[i] = most;
        }
        if (go[open_ - 1] == 0) return;
        const float own = point.coordinates[0];
        std::size_t alive_to = list(scratch, sphere, point, go[open_ - 1]), still_open = open_;
        float cut = bound_;
        for (std::size_t i = open_; i-- > 0 && go[i] > 0;) {
            // Those who live at this level, and are dead at the next or die there now.
            cut = scratch.selection.best_first(scratch.listed.data() + died_[i], dead_.data() + died_[i],
                                               alive_to - died_[i], go[i], cut);
            alive_to = died_[i] += go[i];
            if (own > cut) still_open = i;
        }
        for (std::size_t i = still_open; i < open_; ++i) rejected_ |= 1U << i;
        open_ = still_open;
        dead_.resize(open_ > 0 ? died_[open_ - 1] : 0);
    }

    /// Bit i: the canary has died at level i.
    std::uint32_t rejected() const noexcept { return rejected_; }
    /// How many virtual canaries have died at level i.
    std::int64_t died(std::size_t i) const noexcept { return static_cast<std::int64_t>(died_[i]); }

  private:
    /// Lists the dead, and after them living ones of the last open level, the best `go` and some more. Returns how many
    /// there are; all have reached `bound_`.
    std::size_t list(WalkScratch& scratch, const Sphere& sphere, const Point& point, std::size_t go) {
        scratch.values.resize(padded);
        float* values = scratch.values.data();
        sphere.along(point.coordinates, all_, values);
        values[all_ - 1] = nowhere;  // the true canary's place
        std::vector<float>& listed = scratch.listed;
        listed.clear();
        for (const std::uint16_t m : dead_) {
            listed.push_back(values[m]);
            values[m] = nowhere;
        }
        // The first 1,024 say about where the best are. A bound that is too high is found out; one that is too low
        // costs time alone.
        const std::size_t some = std::min<std::size_t>(1024, all_);
        const double expected = static_cast<double>(go * some) / static_cast<double>(all_);
        auto wanted = static_cast<std::size_t>(expected + 4 * std::sqrt(expected) + 4);
        std::span<const std::uint16_t> found;
        while (true) {
            bound_ = wanted < some ? Selection::bound_for(values, some, wanted, 8) : nowhere;
            bound_ = std::max(bound_, lowest);
            found = scratch.selection.at_least(values, all_, bound_);
            if (found.size() >= go) break;
            wanted *= 2;
        }
        for (const std::uint16_t m : found) {
            listed.push_back(values[m]);
            dead_.push_back(m);
        }
        return dead_.size();
    }

    static constexpr float nowhere = -2, lowest = -1.5;  // below all coordinates

    std::size_t all_ = 0, open_ = 0;
    std::vector<std::uint16_t> dead_;  // at the last open level; the first died_[i] of them at level i
    std::array<std::size_t, most_levels> died_{};
    float bound_ = 0;
    std::uint32_t rejected_ = 0;
};

}  // namespace rotation
}  // namespace v0
}  // namespace serinus
