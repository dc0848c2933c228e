// Judges a canary with the whole library. The second file includes the same umbrella header: everything in it must be
// defined in both without a clash.
#include <chrono>
#include <cstdint>
#include <cstdio>

#include <serinus.hpp>

serinus::Batch counts(double bad_of_canary);

int main() {
    serinus::Plan plan;
    plan.name = "consumer";
    plan.stages = {{.traffic = 0.1}};
    plan.interval = std::chrono::seconds(10);
    serinus::Metric errors;
    errors.name = "errors";
    errors.bad = "bad";
    errors.total = "total";
    errors.margin = {.ratio = 2.0};
    plan.metrics = {errors};

    // One bad request in a hundred against forty: nobody would keep this canary; and against one: nobody would blame
    // it.
    const serinus::Decision harmful = serinus::judge(plan, counts(40));
    const serinus::Decision harmless = serinus::judge(plan, counts(1));
    std::printf("harmful: %d, harmless: %d\n", static_cast<int>(harmful.action), static_cast<int>(harmless.action));
    return harmful.action == serinus::Action::rollback && harmless.action != serinus::Action::rollback ? 0 : 1;
}
