// Many scores at once.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/sequential/detail/score_table.hpp>

#include "support/paired_history.hpp"

namespace {

using namespace serinus;
using namespace serinus::sequential;
using Random = std::mt19937_64;
using Values = std::vector<double>;

constexpr double infinity = std::numeric_limits<double>::infinity();

TEST(ScoreTable, IsTheScoreToTheBit) {
    // Tables shorter than the padding, with ties and zeros, of every length that a search can stumble over.
    for (const std::size_t size : {1U, 2U, 3U, 17U, 127U, 128U, 129U, 255U, 256U}) {
        PairedNoise noise = noise_of(draw(600, size));
        Random random(size);
        std::uniform_int_distribution<int> steps(0, 40);
        noise.table.resize(size);
        for (double& value : noise.table) value = steps(random) / 16.0;
        std::sort(noise.table.begin(), noise.table.end());
        for (const double resolution : {0.0, 0.05}) {
            noise.resolution = resolution;
            const ScoreTable table(noise);
            Values differences = draw(400, size + 1, 0, 0, 1.5);
            for (const double value : noise.table) {
                for (const double near : {-1e-8, -1e-10, 0.0, 1e-10, 1e-8}) {
                    differences.push_back(value * (1 + near));
                    differences.push_back(-value * (1 + near));
                }
            }
            for (const double extreme : {0.0, -0.0, 1e300, -1e300, infinity, -infinity, 5e-324})
                differences.push_back(extreme);
            for (std::size_t from = 0; from < differences.size(); from += ScoreTable::most) {
                const std::size_t count = std::min(ScoreTable::most, differences.size() - from);
                Values scores(differences.begin() + static_cast<std::ptrdiff_t>(from),
                              differences.begin() + static_cast<std::ptrdiff_t>(from + count));
                table.score(noise, scores);
                for (std::size_t i = 0; i < count; ++i)
                    ASSERT_EQ(scores[i], noise.score(differences[from + i])) << size << " " << differences[from + i];
            }
        }
    }
}

}  // namespace
