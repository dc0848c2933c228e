#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/io/plan.hpp>

#include "support/data_dir.hpp"

namespace {

using namespace serinus;

Plan plan_in(const std::string& name) {
    std::ifstream in(data_dir() + "/plans/" + name + ".json");
    Plan plan = io::read_plan(std::string(std::istreambuf_iterator<char>(in), {}));
    plan.severity.clear();  // younger than the digests below
    return plan;
}

/// A state belongs to its plan by the plan's digest: a rollout that is on its way must find its plan again, whatever
/// version reads it. What a plan leaves out is not in its digest where versions before did not have it.
TEST(PlanDigest, NoPlanChangesItsDigest) {
    using Change = std::function<void(Plan&)>;
    const Plan full = plan_in("full");
    const auto gauge_noise = [](Plan& plan) -> Noise& { return plan.noise.at("latency_p95"); };
    const std::vector<std::pair<std::string, Change>> changes{
        {"nothing", [](Plan&) {}},
        {"deployment", [](Plan& p) { p.deployment.clear(); }},
        {"alpha_promote", [](Plan& p) { p.alpha_promote.reset(); }},
        {"max", [](Plan& p) { p.stages[0].max.reset(); }},
        {"deadline", [](Plan& p) { p.on_deadline = Deadline::hold; }},
        {"ratio", [](Plan& p) { p.metrics[0].margin = {.ratio = 3, .difference = std::nullopt}; }},
        {"detect", [](Plan& p) { p.metrics[1].detect.reset(); }},
        {"empty detect", [](Plan& p) { p.metrics[1].detect.emplace(); }},
        {"promote_when", [](Plan& p) { p.metrics[0].promote_when.reset(); }},
        {"instances_differ", [](Plan& p) { p.metrics[3].instances_differ.reset(); }},
        {"no noise", [](Plan& p) { p.noise.clear(); }},
        {"dispersion", [](Plan& p) { p.noise["errors"].dispersion.reset(); }},
        {"intervals", [](Plan& p) { p.noise["errors"].intervals = 1440; }},
        {"no intervals", [](Plan& p) { p.noise["errors"].intervals.reset(); }},
        {"refuted", [](Plan& p) { p.noise["errors"] = Noise{.refuted = true}; }},
        {"no stages", [&](Plan& p) { gauge_noise(p).stages.clear(); }},
        {"no spikes", [&](Plan& p) { gauge_noise(p).spikes.reset(); }},
        {"no instances", [&](Plan& p) { gauge_noise(p).instances.reset(); }},
        {"refuted instances", [&](Plan& p) { gauge_noise(p).refuted = true; }},
        {"former", [&](Plan& p) { gauge_noise(p).stages[0].unit = sequential::NoiseUnit::former; }},
        {"own unit", [&](Plan& p) { gauge_noise(p).stages[1].unit = sequential::NoiseUnit::own; }},
        {"former degrees", [&](Plan& p) { gauge_noise(p).instances->former_degrees += 1; }},
        {"learn",
         [](Plan& p) {
             p.noise.clear();
             p.learn_noise = true;
         }},
        {"no slo", [](Plan& p) { p.slo.clear(); }},
        {"expected_events", [](Plan& p) { p.slo[0].objective.expected_events.reset(); }},
        {"halt window", [](Plan& p) { p.slo[0].halt_window.reset(); }},
        {"workbook", [](Plan& p) { p.slo[0].policy.conditions.clear(); }},
        {"min_probability", [](Plan& p) { p.slo[0].policy.min_probability = 0.95; }},
        {"no min_probability", [](Plan& p) { p.slo[0].policy.min_probability.reset(); }},
        {"weight", [](Plan& p) { p.slo[0].weight = 3; }},
        {"arms", [](Plan& p) { p.arms.canary = "new"; }},
        {"queries", [](Plan& p) { p.queries["more"] = "up"; }},
        {"stale_after", [](Plan& p) { p.telemetry.stale_after.reset(); }},
    };
    const std::vector<std::pair<std::string, std::string>> known{
        {"full", "b691dee212a44f0434e361e47e74ce17b51fc581708c334da43f7d90caa4503c"},
        {"gauge", "740e1d046116864d63f5c282fd85d8f133b3d17fb54023bee536b543a6453aac"},
        {"instances", "6d61892a9c9e5a2edb2f924198fce3109e1096c8d6470e25dd51dfd82f39898d"},
        {"minimal", "8a1a642989cf2ee1cc9f299fc9b20da65c8aad38abca56a79303035b02390f18"},
        {"slo", "012bd77527043a43a5387c1682865b8e99569a30ad938b55f0b0e7850778a411"},
        {"nothing", "b691dee212a44f0434e361e47e74ce17b51fc581708c334da43f7d90caa4503c"},
        {"deployment", "1af2a74169bc732be61b5732371713354f4cc979cfb57c0131e89a10780a6257"},
        {"alpha_promote", "3f74eb7a17395e1ad0c3471e5dd260fa10c9fce2a6a0347f70f70fc919ef81d3"},
        {"max", "15a966806995e3c1bd34cb036719002462fb09fd301cc832cd38d24ea1ea013c"},
        {"deadline", "e362d6b6a176d6796039124c5b51dda606959a6fbec180d4c1142db2c71a0e70"},
        {"ratio", "26197769a77e0c3be04dc23b99604cc05c7120a736120ac040f0ec5a8239ab5d"},
        {"detect", "5435081dedd295c68d12ad3fb450d00132fa1b3b30a17d70e25578245f8b6fc7"},
        {"empty detect", "5435081dedd295c68d12ad3fb450d00132fa1b3b30a17d70e25578245f8b6fc7"},
        {"promote_when", "4e3b1694bd8d7b1ad472f71a169243ace12239539e7187b88a06f56008c133f1"},
        {"instances_differ", "0629c4165f3c56c64f7b35b2401da44e91621d98eb2224f7a3e73cd3a6a4cb14"},
        {"no noise", "53d1ccb7488c307fae9575f7b724e074898cbda3937cde053e997aa1ce70e3b5"},
        {"dispersion", "1a1eb6455078a7357ed4f52f708d01af9738cd7879a80832b2c9070fb93e77fc"},
        {"intervals", "6c9e5f12a28408515167b1c7a3ab9b43e1f73de70a53a2d6fdb4daefaa6fb281"},
        {"no intervals", "a4dd2be333c0ee4524006d90fc98c7e03936a6962e6b3678532dfd99f4986935"},
        {"refuted", "d2988acdafaa30f21b4791616abfbbe41dbd95402105ad43fa786f657c19e294"},
        {"no stages", "ebdbdd8fd28f5f2337575095580dd32bd7f47b8b358b0e58165379a62046341f"},
        {"no spikes", "e57b154eb5457d563ed02cd82f87aa21a1b5b60cf76d6dc87ca74fe555b0b73b"},
        {"no instances", "02211e0288b4b88de8e1a1a9b8f2692531f4bbe4f3273a63d4f50845fa18c890"},
        {"refuted instances", "3db4d2a96a0da812c2eb85a9368c4d25921cfdfbf79d4ae1084e8ab11736bb75"},
        {"former", "e79fa15559a532b93f5c79a5db7ecc510ab3e65293413d8daf7403e262376f65"},
        {"own unit", "9304937796e20bda0ee38da24ad5fb585c021b22f8363b892bcba9ba4ecdbdd2"},
        {"former degrees", "0fea951150620b482310183caf69960632296d4b29e2a445376e3d12f15cf858"},
        {"learn", "c3d1f8b70bd88d5b7bfac6c49afd19dd3d134ea3a2143d6956b798123c652ac8"},
        {"no slo", "b699442c3a95cf90c5ba877bcaa92e71ec4077bc5c2acdbce842dd8c083ef327"},
        {"expected_events", "6a6bdd0a4953bb68129bf12e8c26765f9ce5aeccaf581393395d6ffedc2a6e52"},
        {"halt window", "c2e234e7fde3cd863de52e91d78ea4335d9a524fe3cdd837839f2392e65c1240"},
        {"workbook", "eb95352b256e19dcaa75212ed92ea5e059bbd16e9952e434ccc5cca25d95e50b"},
        {"min_probability", "b691dee212a44f0434e361e47e74ce17b51fc581708c334da43f7d90caa4503c"},
        {"no min_probability", "003322ba18ff41033a61910ed7c17f4883a6a5afcaa2f8cc4038a03266366624"},
        {"weight", "6a82053102c2f1194de6e2041f67efcf01a30dfb2433993889d5cc1ca9b7bd06"},
        {"arms", "a4588042efd04af0261a08eaa67d3d4f1e19a491827ab9f35b523768e3805d76"},
        {"queries", "c9c68f7636a7e1fc638224dd7e104d05094218ab35edbbdb9e6dd28dc1e9b64e"},
        {"stale_after", "93ff432254add8f79eeeb6ec7010128c0d969e31b2b26ea3a5f59f7ccf902c47"},
    };
    std::vector<std::pair<std::string, std::string>> now;
    for (const char* name : {"full", "gauge", "instances", "minimal", "slo"})
        now.emplace_back(name, digest(plan_in(name)));
    for (const auto& [name, change] : changes) {
        Plan plan = full;
        change(plan);
        now.emplace_back(name, digest(plan));
    }
    ASSERT_EQ(now.size(), known.size());
    for (std::size_t i = 0; i < now.size(); ++i) EXPECT_EQ(now[i], known[i]);
}

}  // namespace
