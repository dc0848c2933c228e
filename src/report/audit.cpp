#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <serinus/core/words.hpp>
#include <serinus/report/audit.hpp>
#include <serinus/series/time.hpp>

#include "report/page.hpp"

namespace serinus {
inline namespace v0 {
namespace report {
namespace {

std::string time_text(const std::optional<Time>& time) { return time ? format_time(*time) : ""; }

std::string reproduced_text(Reproduced how) {
    switch (how) {
        case Reproduced::exactly: return "";
        case Reproduced::nearly: return "   nearly: made by another build";
        case Reproduced::no: return "   NOT REPRODUCED";
        case Reproduced::not_tried: return "   not tried: it rests on what was changed";
        case Reproduced::nothing: return "";
    }
    return "";
}

/// Lines of cells, each column as wide as its widest cell.
void table(Page& page, const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths;
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], length(row[i]));
    }
    for (const auto& row : rows) {
        std::string line = "  ";
        for (std::size_t i = 0; i < row.size(); ++i) line += padded(row[i], widths[i] + 2);
        page.line(line);
    }
}

}  // namespace

std::string text(const AuditReport& report, const TextOptions& options) {
    Page page(options.color, options.width);
    const std::int64_t exactly = report.count(Reproduced::exactly), nearly = report.count(Reproduced::nearly);
    std::int64_t decisions = 0;
    for (const AuditedLine& line : report.lines) decisions += line.reproduced != Reproduced::nothing ? 1 : 0;
    std::string head = "CHANGED";
    Style style = Style::bad;
    const auto any = [&](AuditProblem problem) {
        return std::any_of(report.findings.begin(), report.findings.end(),
                           [&](const AuditFinding& finding) { return finding.problem == problem; });
    };
    if (report.good()) {
        head = decisions == 0 ? "NO DECISION" : report.findings.empty() ? "REPRODUCED" : "TORN";
        style = head == "REPRODUCED" ? Style::good : Style::open;
    } else if (!any(AuditProblem::changed) && !any(AuditProblem::missing) && !any(AuditProblem::misplaced)) {
        head = any(AuditProblem::different) ? "NOT REPRODUCED" : "NOT READ";
    }
    std::string line = page.painted(head, style) + "  " + count(static_cast<double>(exactly + nearly)) + " of " +
                       plural(decisions, "decision") + " reproduced";
    if (nearly > 0) {
        line += ", " + count(static_cast<double>(exactly)) + " bit for bit and " + count(static_cast<double>(nearly)) +
                " as another build may have them";
    } else if (exactly > 0) {
        line += ", bit for bit";
    }
    page.line(line);
    page.line("");
    if (!report.findings.empty()) {
        std::vector<std::string> sentences;
        for (const AuditFinding& finding : report.findings) sentences.push_back(printable(finding.what, 400));
        page.paragraph("found", sentences);
        page.line("");
    }
    std::vector<std::vector<std::string>> rows{{"line", "asked", "call", "for", "decision", "deployment"}};
    for (const AuditedLine& of : report.lines) {
        if (of.reproduced == Reproduced::nothing) continue;
        rows.push_back({std::to_string(of.line), time_text(of.asked), std::string(word(of.call)), time_text(of.time),
                        shown_name(of.decision), shown_name(of.deployment) + reproduced_text(of.reproduced)});
    }
    if (rows.size() > 1) {
        table(page, rows);
        page.line("");
    }
    if (report.mended > 0)
        page.paragraph("torn",
                       {plural(report.mended, "line") + " in the middle did not end; the line after each says so"});
    page.paragraph("last", {report.last.empty() ? "no line is whole" : report.last});
    page.paragraph(
        "sealed",
        {report.sealed
             ? "with a key: nobody without it can make a line"
             : "by hashes alone: they find what was changed, not somebody who makes them anew (--audit-key)"});
    return page.take();
}

}  // namespace report
}  // namespace v0
}  // namespace serinus
