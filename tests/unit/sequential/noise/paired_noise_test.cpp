// The noise as it is given: what it must be.

#include <algorithm>
#include <cmath>
#include <string>
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
    for_each_number(good, [&](const char* field, double) {
        PairedNoise bad = good;
        for_each_number(bad, [&](const char* same, double& number) {
            if (std::string(same) == field) number = nan_value;
        });
        const auto found = defect(bad);
        ASSERT_TRUE(found) << field;
        EXPECT_EQ(found->field, field);
        EXPECT_EQ(code_of([&] { PairedTest({.noise = shared(bad)}); }), Code::argument_range);
    });
    PairedNoise bad = good;
    std::swap(bad.table.front(), bad.table.back());
    EXPECT_EQ(defect(bad)->field, "table[1]");
}

}  // namespace
