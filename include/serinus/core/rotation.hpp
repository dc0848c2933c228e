#pragma once
/// \file
/// Numbers of the rotation test (sequential/rotation_test.hpp): when it looks, what it may spend there, how instances
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

#include <serinus/core/elementary.hpp>
#include <serinus/core/random.hpp>
#include <serinus/core/simd.hpp>
#include <serinus/core/version.hpp>

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
/// by our own log (core/elementary) they have the same bits on every platform. 64 KiB a dimension; about 0.2 ms each.
/// They do not change once made, so tests of one seed may share them, in several threads as well.
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
        std::vector<double> squares(padded);
        double* square = squares.data();
        float* inverse = inverse_.data();
        for (std::size_t d = 0; d < dims; ++d) {
            const float* z = normals_->of(d);
            simd::widest([&]() SERINUS_ALWAYS_INLINE {
                for (std::size_t m = 0; m < padded; ++m)
                    square[m] += static_cast<double>(z[m]) * static_cast<double>(z[m]);
            });
        }
        for (std::size_t m = 0; m < canaries && rest > 0; ++m) square[m] += detail::chi_square(rest, stream);
        square[canaries] = 1;
        simd::widest([&]() SERINUS_ALWAYS_INLINE {
            for (std::size_t m = 0; m < padded; ++m) inverse[m] = static_cast<float>(1 / std::sqrt(square[m]));
        });
    }

    std::size_t dims() const noexcept { return dims_; }

    /// Writes the coordinates of the first `all` virtual canaries, a multiple of 64, along a point of at most `dims`
    /// coordinates.
    void along(std::span<const float> point, std::size_t all, float* out) const noexcept {
        constexpr std::size_t block = 64;
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
                for (std::size_t i = 0; i < block; ++i) out[b + i] = sum[i] * inverse[b + i];
            }
        });
    }

  private:
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

/// The virtual canaries along a point, the best first. Memory to work in: 260 KiB.
class Order {
  public:
    /// Sorts the best `most` of the first all - 1, most < all <= 2^14, a power of two of at least 64. By 4,096 buckets,
    /// each sorted by itself: O(all + most).
    void take(const Sphere& sphere, const Point& point, std::size_t most, std::size_t all) {
        values_.resize(padded);
        buckets_.resize(padded);
        order_.resize(padded);
        sphere.along(point.coordinates, all, values_.data());
        float* values = values_.data();
        std::int32_t* buckets = buckets_.data();
        values[all - 1] = 0;  // the true canary's place
        // The eight lanes are one order of comparisons whatever the width of vectors; a maximum has no rounding.
        float lanes[8] = {};
        simd::widest([&]() SERINUS_ALWAYS_INLINE {
            for (std::size_t b = 0; b < all; b += 8) {
                for (std::size_t i = 0; i < 8; ++i) {
                    const float size = std::fabs(values[b + i]);
                    lanes[i] = lanes[i] < size ? size : lanes[i];
                }
            }
        });
        const float largest = *std::max_element(lanes, lanes + 8);
        const float scale = largest > 0 ? 2047.5F / largest : 0;
        simd::widest([&]() SERINUS_ALWAYS_INLINE {
            for (std::size_t b = 0; b < all; b += 64) {
                for (std::size_t i = 0; i < 64; ++i)
                    buckets[b + i] = static_cast<std::int32_t>(2047.5F - values[b + i] * scale);
            }
        });
        std::uint32_t* begin = begin_.data();  // bucket 0 has the largest values
        begin_.fill(0);
        for (std::size_t m = 0; m < all - 1; ++m) ++begin[buckets[m] + 1];
        std::int32_t last = 0;
        while (begin[last + 1] < most) {
            begin[last + 2] += begin[last + 1];
            ++last;
        }
        std::uint32_t* order = order_.data();
        auto& next = next_;
        next = begin_;
        for (std::size_t m = 0; m < all - 1; ++m) {
            if (buckets[m] <= last) order[next[static_cast<std::size_t>(buckets[m])]++] = static_cast<std::uint32_t>(m);
        }
        const auto better = [values](std::uint32_t a, std::uint32_t b) { return values[a] > values[b]; };
        for (std::int32_t b = 0; b <= last; ++b) {
            if (begin[b + 1] - begin[b] > 1) std::sort(order + begin[b], order + begin[b + 1], better);
        }
        size_ = begin[last + 1];
    }

    std::size_t size() const noexcept { return size_; }
    const std::uint32_t* order() const noexcept { return order_.data(); }
    const float* values() const noexcept { return values_.data(); }

  private:
    std::vector<float> values_;
    std::vector<std::int32_t> buckets_;
    std::vector<std::uint32_t> order_;
    std::array<std::uint32_t, 4098> begin_{}, next_{};
    std::size_t size_ = 0;
};

/// Who is alive, at several error rates at once, each of which has a population of its own.
class Walk {
  public:
    static constexpr std::size_t most_levels = 16;

    Walk() = default;
    /// \param all the virtual canaries of it, the first all - 1, and the true one: a power of two, 64 to 2^14
    explicit Walk(std::size_t levels, std::size_t all = canaries + 1) : levels_(levels), dead_(all) {}

    std::size_t all() const noexcept { return dead_.size(); }

    /// One look. `allowed[i]`: how many may be dead at level i after it (`may_be_dead` of `all`). The canary's
    /// coordinate is the point's first. Levels at which the canary is dead already stay as they are.
    void look(Order& order, const Sphere& sphere, const Point& point, std::span<const std::int64_t> allowed) {
        if (!point.any) return;
        std::array<std::int64_t, most_levels> go{};
        std::uint32_t open = 0;
        std::int64_t most = 0;
        for (std::size_t i = 0; i < levels_; ++i) {
            go[i] = allowed[i] - died_[i];
            if (go[i] <= 0 || (rejected_ >> i & 1U) != 0) continue;
            open |= 1U << i;
            most = std::max(most, allowed[i]);
        }
        if (open == 0) return;
        // Of the best `most` at least `go` are alive at every level: no more than `allowed - go` are dead.
        order.take(sphere, point, std::min(static_cast<std::size_t>(most), all() - 1), all());
        const float own = point.coordinates[0];
        const float* values = order.values();
        for (std::size_t k = 0; k < order.size() && open != 0; ++k) {
            const std::uint32_t m = order.order()[k];
            std::uint32_t dying = open & ~std::uint32_t{dead_[m]};
            dead_[m] = static_cast<std::uint16_t>(dead_[m] | dying);
            for (; dying != 0; dying &= dying - 1) {
                const auto i = static_cast<std::size_t>(std::countr_zero(dying));
                ++died_[i];
                if (--go[i] > 0) continue;
                open &= ~(1U << i);
                if (own > values[m]) rejected_ |= 1U << i;
            }
        }
    }

    /// Bit i: the canary has died at level i.
    std::uint32_t rejected() const noexcept { return rejected_; }
    /// How many virtual canaries have died at level i.
    std::int64_t died(std::size_t i) const noexcept { return died_[i]; }

  private:
    std::size_t levels_ = 0;
    std::vector<std::uint16_t> dead_;
    std::array<std::int64_t, most_levels> died_{};
    std::uint32_t rejected_ = 0;
};

}  // namespace rotation
}  // namespace v0
}  // namespace serinus
