#include <cmath>

#include <serinus/io/calibration.hpp>

#include "json.hpp"
#include "parts.hpp"

namespace serinus {
inline namespace v0 {
namespace io {

using nlohmann::ordered_json;

namespace {

ordered_json metric_json(const MetricCalibration& metric) {
    ordered_json out{{"name", metric.name},
                     {"kind", word(metric.kind)},
                     {"learned", metric.learned},
                     {"alpha", number_json(metric.alpha)},
                     {"differences", number_json(metric.differences)},
                     {"independent", number_json(metric.independent)}};
    if (facts_of(metric.kind).counts) {
        out["dispersion"] = number_json(metric.dispersion);
    } else {
        out["typical"] = number_json(metric.typical);
        out["level"] = number_json(metric.level);
        out["instance_deviation"] = number_json(metric.instance_deviation);
    }
    out["instances"] = number_json(metric.instances);
    out["held_back"] = ordered_json::array();
    for (const HeldBack& held : metric.held_back) {
        out["held_back"].push_back({{"traffic", number_json(held.traffic)},
                                    {"windows", held.windows},
                                    {"intervals", held.intervals},
                                    {"alarms", held.alarms},
                                    {"alpha", number_json(held.alpha)},
                                    {"p_value", number_json(held.p_value)}});
    }
    out["refuted"] = metric.refuted;
    out["reasons"] = reasons_json(metric.reasons);
    return out;
}

}  // namespace

std::string write_calibration(const Calibration& calibration, int indent) {
    ordered_json out{{"version", version()}, {"metrics", ordered_json::array()}, {"noise", ordered_json::object()}};
    for (const MetricCalibration& metric : calibration.metrics) out["metrics"].push_back(metric_json(metric));
    for (const auto& [name, noise] : calibration.noise) out["noise"][name] = noise_json(noise);
    return document_text(out, indent);
}

}  // namespace io
}  // namespace v0
}  // namespace serinus
