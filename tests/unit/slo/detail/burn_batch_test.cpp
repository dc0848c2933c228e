#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/slo/detail/burn_batch.hpp>

namespace serinus::slo::detail {
namespace {

/// What was counted in (time - window, time] of counters that never begin again, sampled every second.
double counted(const std::vector<double>& values, std::int64_t time, std::int64_t window) {
    const auto at = [&](std::int64_t t) { return values[static_cast<std::size_t>(t < 0 ? 0 : t / 1000)]; };
    return at(time) - at(time - window);
}

TEST(BurnBatch, SharesOfEveryWindowAtManyTimes) {
    std::mt19937_64 random(1);
    ServiceEvents events({{}}, std::nullopt);
    std::vector<std::vector<double>> values(3);
    for (const Role role : {Role::bad, Role::total, Role::total}) {
        const std::size_t id = events.add_series(events.make_series(role, SeriesKind::counter));
        double value = 0;
        for (std::int64_t i = 0; i < 400; ++i) {
            values[id].push_back(value += static_cast<double>(random() % (role == Role::bad ? 2 : 20)));
            events.take(id, 1000 * i, value);
        }
    }
    const std::vector<std::int64_t> windows{10'000, 60'000};
    BurnBatch batch(events, windows, 0.01);
    std::vector<std::int64_t> times;
    for (std::int64_t i = 60; i < 400; i += 3) times.push_back(1000 * i);
    std::vector<std::vector<double>> burn(2, std::vector<double>(times.size())), bad = burn, total = burn;
    std::vector<float> coverage(times.size());
    std::vector<BurnArrays> out(2);
    for (std::size_t w = 0; w < 2; ++w)
        out[w] = {.burn = burn[w].data(), .bad = bad[w].data(), .total = total[w].data()};
    out[1].coverage = coverage.data();
    batch.evaluate<Semantics::exact>(times, out);
    for (std::size_t w = 0; w < 2; ++w) {
        for (std::size_t i = 0; i < times.size(); ++i) {
            EXPECT_EQ(bad[w][i], counted(values[0], times[i], windows[w]));
            EXPECT_EQ(total[w][i], counted(values[1], times[i], windows[w]) + counted(values[2], times[i], windows[w]));
            EXPECT_EQ(burn[w][i], bad[w][i] / total[w][i] / 0.01);
        }
    }
    for (const float share : coverage) EXPECT_EQ(share, 1);
    batch.evaluate<Semantics::exact>({}, out);  // no times: nothing to do
}

}  // namespace
}  // namespace serinus::slo::detail
