#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <serinus/core/quote.hpp>
#include <serinus/core/reason.hpp>
#include <serinus/report/calibration.hpp>

#include "report/number.hpp"
#include "report/page.hpp"

namespace serinus {
inline namespace v0 {
namespace report {
namespace {

std::vector<std::string> learned_lines(const MetricCalibration& metric) {
    std::vector<std::string> lines;
    for (const Reason& reason : metric.reasons) {
        if (reason.code != Code::before_after_learned) continue;
        return {"how far it moves by itself: " + plural(static_cast<std::int64_t>(metric.differences), "interval") +
                " of history, room for " + number(metric.independent, Round::down) + " rollouts that do not overlap"};
    }
    const bool counts = facts_of(metric.kind).counts;
    if (!counts && metric.differences == 0) {
        return {"how far instances differ, for a rollout that names them; too little for one that does not"};
    }
    if (!counts) {
        std::string typical = "two arms of one version typically differ by " + number(metric.typical);
        if (metric.level > 0)
            typical +=
                " (" + percent(metric.typical / metric.level) + " of the baseline's " + number(metric.level) + ")";
        lines.push_back(std::move(typical));
    } else {
        lines.push_back("dispersion " + number(metric.dispersion, Round::up) + ": " +
                        (metric.dispersion > 1 ? "counts vary " + number(metric.dispersion, Round::up) +
                                                     " times as much as those of independent requests would"
                                               : "counts vary no more than those of independent requests"));
    }
    lines.push_back(plural(static_cast<std::int64_t>(metric.differences), "interval") + " of history, worth " +
                    number(metric.independent, Round::down) + " independent ones");
    if (metric.spikes) {
        lines.push_back(percent(metric.spikes->share) +
                        " of the readings leave their usual level by far, and are watched as spikes");
    }
    std::int64_t windows = 0, alarms = 0;
    for (const HeldBack& held : metric.held_back) {
        windows += held.windows;
        alarms += held.alarms;
    }
    if (windows > 0) {
        lines.push_back("quiet rollouts on the half of history held back: " + count(static_cast<double>(alarms)) +
                        " of " + count(static_cast<double>(windows)) + " rolled back (its share of alpha is " +
                        percent(metric.alpha) + ")");
    } else {
        lines.push_back("too little history to hold a half of it back and try the noise there");
    }
    return lines;
}

}  // namespace

std::string text(const Plan& plan, const Calibration& calibration, const TextOptions& options,
                 std::string_view written) {
    Page page(options.color, options.width);
    std::size_t learned = 0, width = label_width;
    for (const MetricCalibration& metric : calibration.metrics) {
        learned += metric.learned ? 1 : 0;
        width = std::max(width, std::min(widest_name_column, length(shown_name(metric.name))));
    }
    const std::size_t all = calibration.metrics.size();
    const std::string head = learned == all ? "CALIBRATED" : learned > 0 ? "INCOMPLETE" : "NOTHING LEARNED";
    page.line(page.painted(head, learned == all ? Style::good : Style::open) + "  " + shown_name(plan.name) + "   " +
              std::to_string(learned) + " of " + plural(static_cast<std::int64_t>(all), "metric"));
    page.line("");
    constexpr std::string_view yes = "learned      ", no = "not learned  ";
    const std::size_t indent = 2 + width + 2;
    std::vector<std::string> reasons;
    for (const MetricCalibration& metric : calibration.metrics) {
        const std::string name = shown_name(metric.name);
        std::string line(indent, ' ');
        if (length(name) <= width) {
            line = "  " + padded(name, width) + "  ";
        } else {
            page.wrapped_lines(name, 2);
        }
        line += page.painted(std::string(metric.learned ? yes : no), metric.learned ? Style::good : Style::open);
        const std::vector<std::string> told =
            metric.learned ? learned_lines(metric) : std::vector<std::string>{"see why"};
        for (const std::string& sentence : told) {
            for (const std::string& part : wrapped(sentence, page.width() - indent - yes.size())) {
                page.line(line + part);
                line.assign(indent + yes.size(), ' ');
            }
        }
        for (const Reason& reason : metric.reasons) {
            // What the lines above say already.
            if (reason.code == Code::history_dependence && metric.learned) continue;
            reasons.push_back(name + "." + std::string(serinus::name(reason.code)) + ": " + sentence(reason));
        }
    }
    page.line("");
    page.paragraph("why", reasons);
    const bool python = options.face == Face::python;
    page.paragraph("next", {learned == 0       ? "find more history: see why"
                            : !written.empty() ? "judge with the plan and its noise, written to " + in_quotes(written)
                            : python ? "judge with the plan and its noise: serinus.judge(calibration.plan, data)"
                                     : "give the plan its noise: serinus calibrate PLAN HISTORY --output FILE"});
    return page.take();
}

}  // namespace report
}  // namespace v0
}  // namespace serinus
