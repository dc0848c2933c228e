#include <string>
#include <string_view>
#include <vector>

#include <serinus/report/markdown.hpp>

#include "report/told.hpp"

namespace serinus {
inline namespace v0 {
namespace report {
namespace {

bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

/// Text that GitHub shows as it is. Signs that could begin markup, a link or a mention become character references: a
/// backslash would not keep `@name`, `#1` and bare addresses from being linked.
std::string escaped(std::string_view text) {
    constexpr std::string_view signs = "&<>|`*_~[]\\@#:$!";
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        // A colon only makes an address before "//", and what lies between letters emphasises nothing.
        const bool within = i > 0 && i + 1 < text.size() && letter(text[i - 1]) && letter(text[i + 1]);
        const bool harmless = (c == ':' && text.substr(i, 3) != "://") || (c == '_' && within);
        if (signs.find(c) != std::string_view::npos && !harmless) {
            out += "&#" + std::to_string(static_cast<int>(c)) + ";";
        } else {
            out += c;
        }
    }
    return out;
}

void list(std::string& out, std::string_view label, const std::vector<std::string>& sentences) {
    if (sentences.empty()) return;
    out += "\n**" + std::string(label) + "**\n\n";
    for (const std::string& sentence : sentences) out += "- " + escaped(sentence) + "\n";
}

std::string_view sign(Style style) {
    switch (style) {
        case Style::good: return "\U0001F7E2";
        case Style::bad: return "\U0001F534";
        default: return "\U0001F7E1";
    }
}

std::string laid_out(const Told& told) {
    std::string out = "## " + std::string(sign(told.style)) + " " + escaped(told.verdict);
    if (!told.who.empty()) out += ": " + escaped(told.who);
    out += "\n\n" + escaped(told.where) + "\n";
    if (!told.metrics.empty()) {
        out += "\n| Metric | Verdict | Estimate | Range | Allowed | Evidence |\n|---|---|---|---|---|---|\n";
        for (const MetricTold* metric : by_gravity(told.metrics)) {
            const std::string more = metric->safe.empty() ? "" : "; " + metric->safe;
            for (const std::string& cell :
                 {escaped(metric->name), "**" + escaped(metric->verdict) + "**", escaped(metric->estimate),
                  escaped(metric->range), escaped(metric->allowed), escaped(metric->status + more)})
                out += "| " + cell + " ";
            out += "|\n";
        }
    }
    list(out, "Why", told.why);
    list(out, "Error budget", told.budget);
    list(out, "Reached", told.reached);
    list(out, "Next", {told.next});
    if (told.promise.empty()) return out;
    out += "\n<details><summary>Data, noise and promise</summary>\n";
    std::vector<std::string> counts;
    for (const MetricTold& metric : told.metrics) {
        if (!metric.counts.empty()) counts.push_back(metric.name + ": " + metric.counts);
    }
    list(out, "Counts", counts);
    list(out, "Data", told.data);
    list(out, "Noise", told.noise);
    list(out, "Promise", told.promise);
    list(out, "All", told.all);
    return out + "\n</details>\n";
}

}  // namespace

std::string markdown(const Record& record, Face face, View view) {
    return record.decisions.empty() ? "" : laid_out(told(record, face, view));
}

std::string markdown(const Decision& decision, Face face, View view) { return laid_out(told(decision, face, view)); }

}  // namespace report
}  // namespace v0
}  // namespace serinus
