#include <algorithm>
#include <cmath>
#include <fstream>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <serinus/sequential/quantile_ab.hpp>

#include "support/data_dir.hpp"

namespace serinus::sequential {
namespace {

using Column = std::vector<double>;

TEST(QuantileAb, AgreesWithConfseq) {
    std::ifstream file(data_dir() + "/reference/sequential/values.json");
    int seen = 0;
    const auto document = nlohmann::json::parse(file);
    for (const auto& one : document["cases"]) {
        if (one["function"] != "quantile_ab_p_value") continue;
        const auto& in = one["inputs"];
        auto a = in["a_values"].get<Column>(), b = in["b_values"].get<Column>();
        std::sort(a.begin(), a.end());
        std::sort(b.begin(), b.end());
        for (const bool swap : {false, true}) {
            const double log_e =
                quantile_ab_log_e_value(swap ? b : a, swap ? a : b, in["quantile_p"], in["t_opt"], in["alpha_opt"]);
            const double expected = one["output"];
            EXPECT_NEAR(std::min(1.0, std::exp(-log_e)), expected, 1e-8 * expected);
        }
        ++seen;
    }
    EXPECT_EQ(seen, 9);
}

}  // namespace
}  // namespace serinus::sequential
