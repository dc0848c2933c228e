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

namespace {

constexpr std::string_view space = " \t\r\n";

std::string_view trimmed(std::string_view text) {
    const std::size_t from = text.find_first_not_of(space);
    return from == std::string_view::npos ? "" : text.substr(from, text.find_last_not_of(space) - from + 1);
}

/// Where the bracket that `text` begins with is closed; quoted text is passed over. npos: nowhere.
std::size_t closed_at(std::string_view text) {
    const char open = text.front(), close = open == '(' ? ')' : '}';
    std::size_t depth = 0;
    char quote = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (quote != 0) {
            if (text[i] == '\\' && quote != '`') {
                ++i;
            } else if (text[i] == quote) {
                quote = 0;
            }
        } else if (text[i] == '"' || text[i] == '\'' || text[i] == '`') {
            quote = text[i];
        } else if (text[i] == open) {
            ++depth;
        } else if (text[i] == close && --depth == 0) {
            return i;
        }
    }
    return std::string_view::npos;
}

/// Takes `by (...)` or `without (...)` from the front, if it is there.
bool skip_grouping(std::string_view& text) {
    for (const std::string_view word : {std::string_view("by"), std::string_view("without")}) {
        if (!text.starts_with(word)) continue;
        const std::string_view rest = trimmed(text.substr(word.size()));
        const std::size_t end = rest.starts_with('(') ? closed_at(rest) : std::string_view::npos;
        if (end == std::string_view::npos) continue;
        text = trimmed(rest.substr(end + 1));
        return true;
    }
    return false;
}

bool in_name(char c, bool first) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' || (!first && c >= '0' && c <= '9');
}

}  // namespace

std::optional<std::string> selector_of(std::string_view query, std::optional<double> le) {
    std::string_view rest = trimmed(query);
    for (;;) {
        if (rest.starts_with("sum")) {
            std::string_view after = trimmed(rest.substr(3));
            skip_grouping(after);
            const std::size_t end = after.starts_with('(') ? closed_at(after) : std::string_view::npos;
            if (end != std::string_view::npos) {
                std::string_view behind = trimmed(after.substr(end + 1));
                skip_grouping(behind);
                if (!behind.empty()) return std::nullopt;
                rest = trimmed(after.substr(1, end - 1));
                continue;
            }
        }
        if (!rest.starts_with('(') || closed_at(rest) != rest.size() - 1) break;
        rest = trimmed(rest.substr(1, rest.size() - 2));
    }
    std::size_t name = 0;
    while (name < rest.size() && in_name(rest[name], name == 0)) ++name;
    const std::string_view braces = trimmed(rest.substr(name));
    if (rest.empty() || (braces.empty() ? name == 0 : braces.front() != '{' || closed_at(braces) != braces.size() - 1))
        return std::nullopt;
    std::string selector(rest.substr(0, name));
    const std::string_view matchers =
        braces.empty() ? std::string_view() : trimmed(braces.substr(1, braces.size() - 2));
    std::string all(matchers);
    if (le) {
        // Prometheus 3 writes a bound of 1 as 1.0, version 2 as the process did.
        const std::string bound = promql(*le);
        const bool whole = bound.find_first_not_of("0123456789") == std::string::npos;
        if (!all.empty() && !matchers.ends_with(',')) all += ",";
        all += whole ? "le=~\"" + bound + "|" + bound + "[.]0\"" : "le=\"" + bound + "\"";
    }
    return all.empty() ? selector : selector + "{" + all + "}";
}

std::string write_rules(const slo::Objective& objective, const slo::Policy& policy, const RulesOptions& options) {
    check(policy, objective);
    if (options.good.empty()) {
        check_selector("bad", options.bad);
    } else {
        check_selector("good", options.good);
        if (!options.bad.empty())
            raise(Code::argument_word, "bad and good are both given; allowed: one of them, and total");
    }
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
        const std::string share =
            options.good.empty() ? increase(options.bad, window) + " / " + increase(options.total, window)
                                 : "1 - " + increase(options.good, window) + " / " + increase(options.total, window);
        out += "      - record: " + recorded(window) + "\n        expr: " + yaml(share) + "\n" + labels;
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
