#include "parts.hpp"

#include <cstdint>

#include "json.hpp"

namespace serinus {
inline namespace v0 {
namespace io {

using nlohmann::ordered_json;

ordered_json numbers_json(const std::vector<NamedNumber>& numbers) {
    ordered_json out = ordered_json::object();
    for (const NamedNumber& number : numbers) out[number.name] = number_json(number.value);
    return out;
}

ordered_json reasons_json(const std::vector<Reason>& reasons) {
    ordered_json out = ordered_json::array();
    for (const Reason& reason : reasons) {
        ordered_json entry{{"code", name(reason.code)}, {"number", static_cast<std::int32_t>(reason.code)}};
        if (!reason.metric.empty()) entry["metric"] = reason.metric;
        entry["sentence"] = sentence(reason);
        entry["numbers"] = numbers_json(reason.numbers);
        if (reason.outside_alpha) entry["outside_alpha"] = true;
        out.push_back(std::move(entry));
    }
    return out;
}

ordered_json noise_json(const Noise& noise) {
    ordered_json out = ordered_json::object();
    if (noise.dispersion) out["dispersion"] = number_json(*noise.dispersion);
    if (noise.intervals) out["intervals"] = number_json(*noise.intervals);
    for (const sequential::PairedNoise& stage : noise.stages) {
        ordered_json& entry = out["stages"].emplace_back(ordered_json::object());
        sequential::for_each_number(stage, [&](const char* key, double number) { entry[key] = number_json(number); });
        if (stage.unit != sequential::NoiseUnit::former) entry["unit"] = word(stage.unit);
        sequential::for_each_list(stage, [&](const char* key, const std::vector<double>& values) {
            entry[key] = ordered_json::array();
            for (const double value : values) entry[key].push_back(number_json(value));
        });
    }
    if (noise.spikes) {
        ordered_json& entry = out["spikes"];
        for_each_spike_number(*noise.spikes, [&](const char* key, double number) { entry[key] = number_json(number); });
    }
    if (noise.refuted) out["refuted"] = true;
    if (noise.instances) {
        const KnownInstances& known = *noise.instances;
        const auto numbers = [](const std::vector<double>& values) {
            ordered_json list = ordered_json::array();
            for (const double value : values) list.push_back(number_json(value));
            return list;
        };
        ordered_json& entry = out["instances"];
        entry = {{"logs", known.logs}, {"level", number_json(known.level)}, {"looks", known.looks}};
        entry["names"] = ordered_json::array();
        for (const std::string& name : known.names) entry["names"].push_back(name);
        entry["levels"] = ordered_json::array();
        for (const std::vector<double>& levels : known.levels) entry["levels"].push_back(numbers(levels));
        if (known.former_degrees > 0) {
            entry["former"] = numbers(known.former);
            entry["former_degrees"] = number_json(known.former_degrees);
        }
    }
    return out;
}

}  // namespace io
}  // namespace v0
}  // namespace serinus
