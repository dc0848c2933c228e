#pragma once
/// \file
/// How instances of one version differ, as far as it is known from elsewhere than the rollout: what a RotationTest is
/// given besides its own instances.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <serinus/core/error.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/state.hpp>
#include <serinus/core/text.hpp>
#include <serinus/numeric/rotation.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

/// The numbers of judged intervals at which a RotationTest looks: 5 6 8 10 12 15 19 24 30 38 48 60 75 94 118 ... and
/// `last`. Raises `serinus.argument.range` unless 1 <= last <= 1,000,000.
inline std::vector<std::int64_t> rotation_looks(std::int64_t last) {
    require(last >= 1 && last <= 1'000'000, "last", static_cast<double>(last), "from 1 to 1000000");
    return rotation::looks(last);
}

/// One instance's levels: at each look n the mean of its first n values. NaN among the values is no value and is not
/// counted; where there are fewer values than n, the mean of those that there are; NaN where there is none yet.
/// \param values of one instance, one an interval; their logs where the margin is a ratio
/// \param looks  ascending
/// Raises `serinus.argument.infinite` for an infinite value.
inline std::vector<double> running_levels(std::span<const double> values, std::span<const std::int64_t> looks) {
    require_finite("values", values);
    std::vector<double> levels;
    double sum = 0, count = 0;
    std::size_t i = 0;
    for (const std::int64_t n : looks) {
        for (; i < values.size() && static_cast<std::int64_t>(i) < n; ++i) {
            if (std::isnan(values[i])) continue;
            sum += values[i];
            count += 1;
        }
        levels.push_back(count > 0 ? sum / count : std::numeric_limits<double>::quiet_NaN());
    }
    return levels;
}

/// How instances of one version differ, from elsewhere than this rollout: instances that were replaced, former
/// releases. Of every contrast between them (a row over the looks) only the products are kept, so that a hundred former
/// releases take no more room than one.
struct InstanceSpread {
    static constexpr std::string_view kind = "sprd";
    static constexpr std::int64_t version = 1;

    std::vector<std::int64_t> looks;  ///< the judged intervals that the rows and columns of `gram` belong to
    std::vector<double> gram;         ///< looks x looks, row by row: the sum over the contrasts of row' row
    double degrees = 0;               ///< how many contrasts it is the sum of

    /// Adds a contrast over the looks: a combination of instances' levels whose coefficients sum to 0 and their squares
    /// to 1. Raises `serinus.argument.length` for another number of looks, `serinus.argument.infinite` for NaN or
    /// infinite values. O(looks^2).
    void add_row(std::span<const double> row) {
        const std::size_t size = looks.size();
        if (row.size() != size) {
            raise(Code::argument_length, "row has " + std::to_string(row.size()) +
                                             " values; allowed: " + std::to_string(size) + ", one a look");
        }
        for (const double value : row) {
            if (std::isfinite(value)) continue;
            raise(Code::argument_infinite, "row holds " + given_text(value) + "; allowed: finite values");
        }
        gram.resize(size * size);
        for (std::size_t i = 0; i < size; ++i)
            for (std::size_t j = 0; j < size; ++j) gram[i * size + j] += row[i] * row[j];
        degrees += 1;
    }

    /// Adds instances that ran at the same time: the contrast of each with the mean of those before it (Helmert's).
    /// \param levels levels[instance][look], as `running_levels` makes them
    /// \param known  what the first so many differ by is counted already, in the rollout itself: only what each further
    ///               one adds to them is new. 1: all are new.
    /// An instance with NaN at a look is left out. k instances add k - known contrasts.
    void add_instances(std::span<const std::vector<double>> levels, std::size_t known = 1) {
        const std::size_t size = looks.size();
        std::vector<double> sum(size), row(size);
        std::size_t before = 0;
        for (std::size_t p = 0; p < levels.size(); ++p) {
            const std::vector<double>& level = levels[p];
            if (level.size() != size) {
                raise(Code::argument_length, "levels of an instance are " + std::to_string(level.size()) +
                                                 "; allowed: " + std::to_string(size) + ", one a look");
            }
            if (std::any_of(level.begin(), level.end(), [](double value) { return std::isnan(value); })) continue;
            if (before > 0 && p >= known) {
                const double k = static_cast<double>(before), norm = std::sqrt(k * (k + 1));
                for (std::size_t j = 0; j < size; ++j) row[j] = (k * level[j] - sum[j]) / norm;
                add_row(row);
            }
            for (std::size_t j = 0; j < size; ++j) sum[j] += level[j];
            ++before;
        }
    }

    template <class Visitor, class Self>
    static void describe(Visitor& visit, Self& self) {
        visit("looks", self.looks);
        // The half above the diagonal says all.
        const std::size_t size = self.looks.size();
        std::vector<double> half;
        if constexpr (std::is_const_v<Self>) {
            if (self.gram.size() == size * size) {
                for (std::size_t i = 0; i < size; ++i)
                    for (std::size_t j = i; j < size; ++j) half.push_back(self.gram[i * size + j]);
            }
        }
        visit("gram", half);
        if constexpr (!std::is_const_v<Self>) {
            if (!half.empty() && half.size() != size * (size + 1) / 2) {
                raise(Code::state_invariant, "gram of an InstanceSpread has " + std::to_string(half.size()) +
                                                 " numbers; allowed: none or " + std::to_string(size * (size + 1) / 2));
            }
            self.gram.assign(half.empty() ? 0 : size * size, 0);
            for (std::size_t i = 0, k = 0; i < size && !half.empty(); ++i)
                for (std::size_t j = i; j < size; ++j) self.gram[i * size + j] = self.gram[j * size + i] = half[k++];
        }
        visit("degrees", self.degrees);
    }

    friend bool operator==(const InstanceSpread&, const InstanceSpread&) = default;
};
// The half that is written cannot be made at compile time; its members can be counted.
static_assert(serinus::detail::has_members<InstanceSpread, 3>(), "a member that describe() does not know");

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
