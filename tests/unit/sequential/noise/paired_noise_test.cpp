// The noise as it is given: what it must be.

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <gtest/gtest.h>

#include <serinus/sequential/noise/paired_noise.hpp>
#include <serinus/sequential/paired.hpp>

#include "support/code_of.hpp"
#include "support/paired_history.hpp"

namespace {

using namespace serinus;
using namespace serinus::sequential;
const double nan_value = std::nan("");

TEST(PairedNoise, EveryFieldThatCannotBeIsNamed) {
    const PairedNoise good = noise_of(draw(500, 9));
    int numbers = 0;
    for (const std::string_view field : described_names<PairedNoise>()) {
        PairedNoise bad = good;
        bool number = false;
        const auto spoil = [&](std::string_view name, auto& member) {
            if constexpr (std::is_same_v<decltype(member), double&>) {
                if (name != field) return;
                member = nan_value;
                number = true;
            }
        };
        PairedNoise::describe(spoil, bad);
        if (!number) continue;
        ++numbers;
        const auto found = defect(bad);
        ASSERT_TRUE(found) << field;
        EXPECT_EQ(found->field, field);
        EXPECT_EQ(code_of([&] { PairedTest({.noise = shared(bad)}); }), Code::argument_range);
    }
    EXPECT_EQ(numbers, 16);
    PairedNoise bad = good;
    std::swap(bad.table.front(), bad.table.back());
    EXPECT_EQ(defect(bad)->field, "table[1]");
}

}  // namespace
