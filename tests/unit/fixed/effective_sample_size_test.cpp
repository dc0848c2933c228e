#include <algorithm>
#include <cstddef>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/error.hpp>
#include <serinus/fixed/effective_sample_size.hpp>

#include "support/draws.hpp"
#include "support/reference.hpp"

namespace {

using namespace serinus;
using namespace reference;
using namespace support;
using Values = std::vector<double>;

TEST(EffectiveSampleSize, AutocorrelationsAreThoseOfStatsmodelsWithTheBiasTakenOff) {
    EXPECT_GE(for_each_pair("acf",
                            [](const auto& one, const auto&, const auto& values) {
                                const auto ours = effective_sample_size(values);
                                for (std::size_t lag = 1; lag <= 3; ++lag) {
                                    const double raw = number(one["outputs"]["acf"][lag]);
                                    const auto n = static_cast<double>(values.size());
                                    expect_near(ours.autocorrelation[lag - 1],
                                                std::clamp(raw + (1 + 4 * raw) / n, -1.0, 1.0), 1e-9);
                                }
                            }),
              10);
}

TEST(EffectiveSampleSize, LeavesGapsOut) {
    Values values = draw(300, 12, 0, 0.8);
    const double whole = effective_sample_size(values).n_effective;
    for (std::size_t i = 0; i < values.size(); i += 50) values[i] = std::nan("");
    const auto gappy = effective_sample_size(values);
    EXPECT_EQ(gappy.n, 294);
    EXPECT_NEAR(gappy.n_effective, whole, 0.3 * whole);
    EXPECT_THROW(effective_sample_size(values, NanPolicy::error), Error);
}

}  // namespace
