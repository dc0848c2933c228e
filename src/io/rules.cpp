#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/io/rules.hpp>
#include <serinus/series/duration.hpp>
#include <serinus/slo/alerts.hpp>

namespace serinus {
inline namespace v0 {
namespace io {
namespace {

/// A double-quoted scalar: a JSON text is one.
std::string yaml(const std::string& text) {
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// The shortest decimal that is this number and no other, so that PromQL computes with the same one.
std::string promql(double number) {
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
    return {text.data(), end};
}

void check_selector(std::string_view field, const std::string& selector) {
    if (!selector.empty() && selector.find_first_of("\r\n") == std::string::npos) return;
    raise(Code::argument_word, std::string(field) + " is " + in_quotes(selector) +
                                   "; allowed: a PromQL selector of counters on one line, such as "
                                   "http_requests_total{code=~\"5..\"}");
}

std::string recorded(std::chrono::milliseconds window) {
    return "serinus:error_ratio:increase" + format_duration(window);
}

std::string increase(const std::string& selector, std::chrono::milliseconds window) {
    return "sum(increase(" + selector + "[" + format_duration(window) + "]))";
}

}  // namespace

std::string write_rules(const slo::Objective& objective, const slo::Policy& policy, const RulesOptions& options) {
    check(policy, objective);
    check_selector("bad", options.bad);
    check_selector("total", options.total);
    if (policy.min_probability) {
        raise(Code::argument_word,
              "min_probability is " + number_text(*policy.min_probability) +
                  "; allowed: none, since PromQL has no beta distribution (min_events can be said)");
    }
    std::vector<std::chrono::milliseconds> windows = slo::windows_of(policy);
    std::sort(windows.begin(), windows.end());
    // A matcher's value is quoted as a Go string; JSON's escapes are among Go's.
    const std::string of_slo = "{slo=" + yaml(objective.name) + "}";
    const std::string labels = "        labels:\n          slo: " + yaml(objective.name) + "\n";

    std::string out = "# Error budget of " + std::string(printable(objective.name)) + ": " + promql(objective.budget) +
                      " of all events in " + format_duration(objective.period) +
                      "\ngroups:\n  - name: " + yaml("serinus-slo-" + objective.name) + "\n";
    if (options.interval) out += "    interval: " + format_duration(*options.interval) + "\n";
    out += "    rules:\n";
    for (const std::chrono::milliseconds window : windows) {
        out += "      - record: " + recorded(window) +
               "\n        expr: " + yaml(increase(options.bad, window) + " / " + increase(options.total, window)) +
               "\n" + labels;
    }
    for (const slo::Condition& condition : policy.conditions) {
        const std::string threshold = " > (" + promql(condition.factor) + " * " + promql(objective.budget) + ")";
        const std::chrono::milliseconds whole = condition.long_window, brief = condition.short_window;
        std::string holds = recorded(whole) + of_slo + threshold;
        if (brief != whole) holds += " and " + recorded(brief) + of_slo + threshold;
        if (policy.min_events > 0) {
            holds += " and on () (" + increase(options.total, whole) + " >= " + promql(policy.min_events) + ")";
        }
        out += "      - alert: ErrorBudgetBurn\n        expr: " + yaml(holds) + "\n";
        if (condition.pending_for.count() > 0) out += "        for: " + format_duration(condition.pending_for) + "\n";
        if (condition.keep_firing_for.count() > 0)
            out += "        keep_firing_for: " + format_duration(condition.keep_firing_for) + "\n";
        out +=
            labels + "          condition: " + yaml(condition.name) +
            "\n          severity: " + std::string(word(condition.severity)) + "\n        annotations:\n" +
            "          summary: " +
            yaml("the error budget of " + objective.name + " burns more than " + number_text(condition.factor) +
                 " times as fast as it lasts, over " + format_duration(whole) + " and over " + format_duration(brief)) +
            "\n";
    }
    if (options.no_data) {
        const std::string ratio = recorded(windows.front()) + of_slo;
        out += "      - alert: ErrorBudgetNoData\n        expr: " +
               yaml("absent(" + ratio + ") or (" + ratio + " != " + ratio + ")") + "\n" + labels +
               "          severity: " + std::string(word(*options.no_data)) + "\n        annotations:\n" +
               "          summary: " + yaml("the error ratio of " + objective.name + " is not known") + "\n";
    }
    return out;
}

}  // namespace io
}  // namespace v0
}  // namespace serinus
