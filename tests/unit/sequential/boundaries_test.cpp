// The mixture martingales and their boundaries.

#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <serinus/core/quadrature.hpp>
#include <serinus/sequential/boundaries.hpp>

namespace {

using namespace serinus::sequential;
using serinus::Code;
using serinus::Error;

constexpr double infinity = std::numeric_limits<double>::infinity();

const nlohmann::json& cases(const char* name) {
    static std::map<std::string, nlohmann::json> known;
    auto& found = known[name];
    if (found.is_null()) {
        std::ifstream file(std::string(SERINUS_DATA_DIR "/reference/sequential/") + name + ".json");
        found = nlohmann::json::parse(file)["cases"];
    }
    return found;
}

/// The value of the mixture that a case names; `one_sided` is called is_one_sided by confseq.
double value_of(const nlohmann::json& one) {
    const auto at = [&](const char* key) { return one[key].get<double>(); };
    const std::string function = one["function"];
    const bool one_sided = one.value("one_sided", one.value("is_one_sided", true));
    if (function.find("normal") != std::string::npos)
        return log_normal_mixture(at("s"), at("v"), at("v_opt"), at("alpha_opt"), one_sided);
    if (function.find("exponential") != std::string::npos)
        return log_gamma_exponential(at("s"), at("v"), at("v_opt"), at("c"), at("alpha_opt"));
    if (function.find("poisson") != std::string::npos)
        return log_gamma_poisson(at("s"), at("v"), at("v_opt"), at("c"), at("alpha_opt"));
    return log_beta_binomial(at("s"), at("v"), at("v_opt"), at("g"), at("h"), at("alpha_opt"), one_sided);
}

TEST(Mixtures, AgreeWithMpmath) {
    int seen = 0;
    for (const auto& one : cases("mixtures")) {
        SCOPED_TRACE(one.dump());
        const double expected = one["output"];
        // Closed forms: 1e-12, over twelve decades of v, v_opt and c.
        EXPECT_NEAR(value_of(one), expected, 1e-12 * std::max(1.0, std::fabs(expected)));
        ++seen;
    }
    EXPECT_EQ(seen, 200);
}

TEST(Mixtures, AgreeWithConfseq) {
    int seen = 0;
    for (const auto& one : cases("boundaries")) {
        const std::string function = one["function"];
        if (function.find("log_mixture") == std::string::npos) continue;
        SCOPED_TRACE(one.dump());
        const double expected = one["output"];
        const double v = one["v"].get<double>() + one["v_opt"].get<double>();
        // confseq adds logs of gamma functions of the size of x log(x), x = v/c^2 or v/(g h), and is off by their last
        // bits: up to 1.6e-9 at v = 10,000 and g h = 0.0099. mpmath, above, is on our side.
        const double size = one.contains("c")   ? v / (one["c"].get<double>() * one["c"].get<double>())
                            : one.contains("g") ? v / (one["g"].get<double>() * one["h"].get<double>())
                                                : 0;
        EXPECT_NEAR(value_of(one), expected, 1e-12 + 2e-16 * size * std::log(1 + size));
        ++seen;
    }
    EXPECT_EQ(seen, 60);
}

}  // namespace
