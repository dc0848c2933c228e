// A controller that may be stopped at any moment: it hands each scrape to a Monitor, and keeps the Monitor's state as
// bytes between two scrapes, as a plugin without a memory of its own has to.
#include <cstddef>
#include <iostream>
#include <vector>

#include <serinus/core/state.hpp>
#include <serinus/io/plan.hpp>
#include <serinus/rollout/monitor.hpp>
#include <serinus/rollout/monitor_state.hpp>

namespace {

constexpr const char* plan_json = R"({
  "name": "payments", "alpha": 0.05, "interval": "10s", "stages": [{"traffic": 0.1}],
  "metrics": [{"name": "errors", "kind": "proportion", "bad": "http_errors", "total": "http_requests",
               "margin": {"ratio": 2}}]
})";

serinus::ArmSeries sample(const char* name, serinus::Arm arm, std::int64_t time_ms, double value) {
    serinus::ArmSeries series;
    series.name = name;
    series.arm = arm;
    series.series.times_ms = {time_ms};
    series.series.values = {value};
    return series;
}

}  // namespace

int main() {
    using serinus::Arm;
    const serinus::Plan plan = serinus::io::read_plan(plan_json);
    std::vector<std::byte> kept;
    for (int scrape = 0; scrape < 60; ++scrape) {
        serinus::Monitor monitor(plan);
        if (!kept.empty()) monitor.restore(serinus::decode<serinus::MonitorState>(kept));

        const std::int64_t time = 1'795'382'480'000 + scrape * 10'000;
        serinus::Batch batch;
        batch.series = {sample("http_errors", Arm::baseline, time, 9),
                        sample("http_requests", Arm::baseline, time, 900), sample("http_errors", Arm::canary, time, 5),
                        sample("http_requests", Arm::canary, time, 100)};
        const serinus::Decision decision = monitor.observe(batch, time + 10'000);
        if (decision.action == serinus::Action::rollback) {
            std::cout << "roll back after " << scrape + 1 << " scrapes: " << serinus::sentence(decision.reasons.front())
                      << '\n';
            return 0;
        }
        kept = serinus::encode(monitor.state());
    }
    std::cout << "still watching\n";
    return 1;
}
