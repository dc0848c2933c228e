#pragma once
/// \file
/// The scores of many differences within one noise, side by side: for the carried margins of PairedTest.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include <serinus/sequential/noise/paired_noise.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

/// The scores of many differences at once, to the bit those of `PairedNoise::score`: the searches of up to 64 go side
/// by side, without branches, in a tenth of the time.
class ScoreTable {
  public:
    static constexpr std::size_t most = 64;

    ScoreTable() = default;
    explicit ScoreTable(const PairedNoise& noise) : size_(noise.table.size()) {
        padded_.fill(std::numeric_limits<double>::infinity());
        std::copy(noise.table.begin(), noise.table.end(), padded_.begin());
    }

    /// Overwrites `differences` (at most 64) with their scores; `noise` is that of the constructor.
    void score(const PairedNoise& noise, std::span<double> differences) const noexcept {
        std::array<double, most> from{};
        std::array<std::uint32_t, most> at{};
        const std::size_t n = differences.size();
        for (std::size_t j = 0; j < n; ++j) from[j] = noise.ties_of(differences[j]).from;
        for (std::uint32_t step = PairedNoise::most / 2; step > 0; step /= 2) {
            for (std::size_t j = 0; j < n; ++j) at[j] += step * (padded_[at[j] + step - 1] < from[j] ? 1U : 0U);
        }
        for (std::size_t j = 0; j < n; ++j) {
            const PairedNoise::Ties ties = noise.ties_of(differences[j]);
            std::size_t below = at[j] + (padded_[at[j]] < ties.from ? 1U : 0U), above = below;
            while (above < size_ && padded_[above] <= ties.to) ++above;
            differences[j] = ties.counts ? noise.score_at(differences[j], below, above) : 0;
        }
    }

  private:
    std::array<double, PairedNoise::most> padded_{};
    std::size_t size_ = 0;
};

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
