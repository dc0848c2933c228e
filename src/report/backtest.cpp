#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include <serinus/core/text.hpp>
#include <serinus/report/backtest.hpp>
#include <serinus/series/duration.hpp>

#include "report/number.hpp"
#include "report/page.hpp"

namespace serinus {
inline namespace v0 {
namespace report {
namespace {

std::string counted(std::int64_t number) { return count(static_cast<double>(number)); }

/// "1 of 9 good releases rolled back (11.1 %, between 0.281 % and 48.3 %)"
std::string share_text(const ReleaseShare& share, std::string_view label, std::string_view done) {
    std::string out =
        counted(share.count) + " of " + plural(share.of, std::string(label) + " release") + " " + std::string(done);
    if (share.of == 0) return out;
    return out + " (" + percent(static_cast<double>(share.count) / static_cast<double>(share.of)) + ", between " +
           number(100 * share.lower, Round::down) + " % and " + number(100 * share.upper, Round::up) + " %)";
}

std::vector<std::string> wrong_lines(const Backtest& run) {
    if (run.false_alarms.of + run.misses.of == 0)
        return {"no release has a label: how often it was wrong is not known"};
    std::vector<std::string> lines{share_text(run.false_alarms, "good", "rolled back"),
                                   share_text(run.misses, "bad", "promoted")};
    if (run.good_held.count + run.bad_held.count > 0)
        lines.push_back("held to their end: " + counted(run.good_held.count) + " good, " + counted(run.bad_held.count) +
                        " bad");
    return lines;
}

std::string record_text(const MetricRecord& metric) {
    std::vector<std::string> parts;
    if (metric.rolled_back > 0) {
        parts.push_back("rolled back " + counted(metric.rolled_back) + " (alone " + counted(metric.alone) +
                        ", good ones " + counted(metric.good) + ")");
    }
    if (metric.held > 0) parts.push_back("held " + counted(metric.held));
    if (metric.never_decided()) parts.emplace_back("never decided");
    if (metric.without_data > 0) parts.push_back("no data in " + counted(metric.without_data));
    return joined(parts, "; ");
}

Style style_of(Action action) {
    return action == Action::promote ? Style::good : action == Action::rollback ? Style::bad : Style::open;
}

std::string label_of(const ReplayedRelease& release) { return release.label ? std::string(word(*release.label)) : "?"; }

std::string minutes_text(double minutes) {
    return format_duration(std::chrono::milliseconds(std::llround(minutes * 60) * 1000));
}

}  // namespace

std::string text(std::span<const Backtest> runs, const TextOptions& options) {
    if (runs.empty()) return "";
    const Backtest& run = runs.front();
    Page page(options.color, options.width);
    page.line("BACK-TEST  " + shown_name(run.plan) + "   " +
              plural(static_cast<std::int64_t>(run.releases.size()), "release") + "   " + counted(run.promoted) +
              " promoted, " + counted(run.held) + " held, " + counted(run.rolled_back) + " rolled back");
    page.line("");
    page.paragraph("wrong", wrong_lines(run));
    page.line("");
    std::size_t width = label_width;
    for (const MetricRecord& metric : run.metrics)
        width = std::max(width, std::min(widest_name_column, length(shown_name(metric.name))));
    for (const MetricRecord& metric : run.metrics) {
        const std::string name = shown_name(metric.name);
        if (length(name) > width) page.wrapped_lines(name, 2);
        page.line("  " + padded(length(name) > width ? "" : name, width) + "  " + record_text(metric));
    }

    // A promoted release that nobody calls bad is as it should be.
    std::vector<const ReplayedRelease*> shown;
    width = label_width;
    for (const ReplayedRelease& release : run.releases) {
        if (release.decision == Action::promote && release.label != ReleaseLabel::bad) continue;
        shown.push_back(&release);
        width = std::max(width, std::min<std::size_t>(40, length(shown_name(release.name))));
    }
    if (!shown.empty()) page.line("");
    for (const ReplayedRelease* const release : shown) {
        const std::string name = shown_name(release->name);
        if (length(name) > width) page.wrapped_lines(name, 2);
        std::vector<std::string> why;
        for (const Reason& reason : release->reasons) {
            std::string told = printable(serinus::name(reason), 100);
            if (reason.code == Code::waiting) told += " for " + printable(joined(release->decided_by), 200);
            why.push_back(std::move(told));
        }
        const std::string head =
            "  " + padded(length(name) > width ? "" : name, width) + "  " + padded(label_of(*release), 4) + "  ";
        const std::string what(word(release->decision));
        const std::string told = "after " + minutes_text(release->minutes) + ", stage " +
                                 std::to_string(release->stage) +
                                 (release->unready > 0 ? " (entered while the plan held)" : "") +
                                 (release->decision == Action::promote ? "" : ": " + joined(why, ", "));
        std::string line = head + page.painted(what, style_of(release->decision)) + std::string(10 - what.size(), ' ');
        const std::size_t indent = 2 + width + 2 + 4 + 2 + 10;
        for (const std::string& part : wrapped(told, page.width() - indent)) {
            page.line(line + part);
            line.assign(indent, ' ');
        }
    }

    for (const Backtest& tried : runs.subspan(1)) {
        const std::vector<std::size_t> changed = changed_releases(run, tried);
        std::vector<std::string> lines{
            printable(tried.change, 200) + ": " + counted(static_cast<std::int64_t>(changed.size())) + " of " +
            plural(static_cast<std::int64_t>(run.releases.size()), "release") + " decided differently"};
        if (tried.false_alarms.of + tried.misses.of > 0) {
            for (std::string& line : wrong_lines(tried)) lines.push_back(std::move(line));
        }
        for (const std::size_t i : changed) {
            const ReplayedRelease& release = tried.releases[i];
            lines.push_back(shown_name(release.name) + (release.label ? ", " + label_of(release) : "") + ": " +
                            std::string(word(run.releases[i].decision)) + ", would be " +
                            std::string(word(release.decision)));
        }
        page.line("");
        page.paragraph("try", lines);
    }
    return page.take();
}

}  // namespace report
}  // namespace v0
}  // namespace serinus
