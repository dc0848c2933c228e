#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <serinus/core/reason.hpp>
#include <serinus/core/text.hpp>
#include <serinus/report/lint.hpp>
#include <serinus/series/time.hpp>

#include "report/number.hpp"
#include "report/page.hpp"

namespace serinus {
inline namespace v0 {
namespace report {
namespace {

/// "3 series of 3 instances (a, b, c), 720 samples, every 15s"
std::string found_text(const SeriesSeen& seen) {
    if (seen.series == 0) return "none";
    std::string text = count(static_cast<double>(seen.series)) + " series";
    if (!seen.instances.empty()) {
        text += " of " + plural(static_cast<std::int64_t>(seen.instances.size()), "instance") + " (";
        constexpr std::size_t most = 3;
        for (std::size_t i = 0; i < std::min(most, seen.instances.size()); ++i)
            text += (i > 0 ? ", " : "") + shown_name(seen.instances[i]);
        if (seen.instances.size() > most) text += ", ...";
        text += ")";
    }
    if (seen.replicas > 1) text += " through " + plural(seen.replicas, "collector");
    text += ", " + plural(seen.samples, "sample");
    if (seen.spacing.count() > 0) text += ", every " + seconds_text(static_cast<double>(seen.spacing.count()) / 1000);
    return text;
}

std::vector<std::string> sentences(const std::vector<Reason>& reasons) {
    std::vector<std::string> told;
    for (const Reason& reason : reasons) {
        std::string name = reason.metric.empty() ? "" : shown_name(reason.metric) + ".";
        told.push_back(name + std::string(serinus::name(reason.code)) + ": " + sentence(reason));
    }
    return told;
}

void series_lines(Page& page, const std::vector<SeriesSeen>& series) {
    std::size_t metric_width = label_width, name_width = 0;
    for (const SeriesSeen& seen : series) {
        metric_width = std::max(metric_width, std::min(widest_name_column, length(shown_name(seen.metric))));
        name_width = std::max(name_width, std::min(widest_name_column, length(shown_name(seen.name))));
    }
    std::string metric, key;
    for (const SeriesSeen& seen : series) {
        const bool fresh = seen.metric != metric, other = fresh || seen.key != key;
        metric = seen.metric;
        key = seen.key;
        std::string line = "  " + padded(fresh ? shown_name(seen.metric) : "", metric_width) + "  " +
                           padded(other ? seen.key : "", 6) + "  " +
                           padded(other ? shown_name(seen.name) : "", name_width) + "  " +
                           padded(std::string(word(seen.arm)), 8) + "  ";
        // Beside names that are long as those of Prometheus often are there is no room left.
        const std::size_t indent = length(line) + 30 > page.width() ? 8 : length(line);
        if (indent < length(line)) {
            page.line(std::move(line));
            line = std::string(indent, ' ');
        }
        for (const std::string& part : wrapped(found_text(seen), page.width() - indent)) {
            page.line(line + part);
            line.assign(indent, ' ');
        }
    }
}

}  // namespace

std::string text(const Understood& understood, const TextOptions& options) {
    Page page(options.color, options.width);
    const bool ready = understood.mend.empty();
    const auto things = static_cast<std::int64_t>(understood.mend.size());
    page.line(page.painted(ready ? "READY" : "MEND", ready ? Style::good : Style::open) + "  " +
              shown_name(understood.plan) + "   " + (ready ? "nothing to mend" : plural(things, "thing") + " to mend"));
    page.line("");
    series_lines(page, understood.series);
    page.paragraph("mend", sentences(understood.mend));
    page.paragraph("notes", sentences(understood.notes));
    std::optional<Time> first, last;
    for (const SeriesSeen& seen : understood.series) {
        if (seen.first) first = std::min(first.value_or(*seen.first), *seen.first);
        if (seen.last) last = std::max(last.value_or(*seen.last), *seen.last);
    }
    if (first && last) page.paragraph("data", {format_time(to_ms(*first)) + " to " + format_time(to_ms(*last))});
    const std::string next = !ready                      ? "mend what is named, and check again"
                             : understood.series.empty() ? "try it on data: " + call(options.face, "check", "data")
                                                         : "judge: " + call(options.face, "judge", "data");
    page.paragraph("next", {next});
    return page.take();
}

}  // namespace report
}  // namespace v0
}  // namespace serinus
