#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <serinus/core/text.hpp>
#include <serinus/report/text.hpp>

#include "report/page.hpp"
#include "report/told.hpp"

namespace serinus {
inline namespace v0 {
namespace report {
namespace {

/// The table: as many columns as fit, aligned; what does not fit follows on the next line.
void show_metrics(Page& page, const std::vector<MetricTold>& metrics) {
    std::vector<std::vector<std::string>> rows;
    std::size_t name_width = label_width;
    for (const MetricTold& metric : metrics) {
        rows.push_back({metric.verdict, metric.estimate, metric.range, metric.allowed, metric.status});
        const std::size_t name_length = length(metric.name);
        if (name_length <= widest_name_column) name_width = std::max(name_width, name_length);
    }
    const std::size_t indent = 2 + name_width + 2;
    std::vector<std::size_t> widths;
    std::size_t columns = 0, used = indent;
    for (std::size_t column = 0; !rows.empty() && column < rows.front().size(); ++column) {
        std::size_t widest = 0;
        for (const auto& row : rows) widest = std::max(widest, length(row[column]));
        widths.push_back(widest);
        if (columns == column && used + widest <= page.width()) {
            ++columns;
            used += widest + 2;
        }
    }

    for (std::size_t i = 0; i < rows.size(); ++i) {
        const MetricTold& metric = metrics[i];
        std::string line;
        if (length(metric.name) <= name_width) {
            line = "  " + padded(metric.name, name_width) + "  ";
        } else {
            page.wrapped_lines(metric.name, 2);
            line.assign(indent, ' ');
        }
        std::vector<std::string> rest;
        for (std::size_t column = 0; column < rows[i].size(); ++column) {
            const std::string& cell = rows[i][column];
            if (column >= columns) {
                if (!cell.empty()) rest.push_back(cell);
                continue;
            }
            line += page.painted(cell, column == 0 ? metric.style : Style::plain);
            if (column + 1 < columns) line += std::string(widths[column] - length(cell) + 2, ' ');
        }
        page.line(std::move(line));
        std::string more = joined(rest);
        if (!metric.safe.empty()) more += (more.empty() ? "" : "; ") + metric.safe;
        if (!more.empty()) page.wrapped_lines(more, indent);
        if (!metric.counts.empty()) page.wrapped_lines(metric.counts, indent, Style::quiet);
    }
}

void show_head(Page& page, const Told& told) {
    std::string line = page.painted(told.verdict, told.style);
    if (!told.who.empty()) line += "  " + told.who;
    const std::size_t used = length(told.verdict) + (told.who.empty() ? 0 : 2 + length(told.who));
    if (used + 3 + told.where.size() <= page.width()) {
        page.line(line + "   " + told.where);
    } else {
        page.line(line);
        page.wrapped_lines(told.where, 2);
    }
}

std::string laid_out(const Told& told, const TextOptions& options) {
    Page page(options.color, options.width);
    show_head(page, told);
    if (!told.metrics.empty()) {
        page.line("");
        show_metrics(page, told.metrics);
    }
    page.line("");
    page.paragraph("why", told.why);
    page.paragraph("budget", told.budget);
    page.paragraph("reached", told.reached);
    page.paragraph("data", told.data);
    page.paragraph("noise", told.noise);
    page.paragraph("promise", told.promise);
    page.paragraph("next", {told.next});
    page.paragraph("all", told.all);
    return page.take();
}

}  // namespace

std::string text(const Decision& decision, const TextOptions& options) {
    return laid_out(told(decision, options.face, options.view), options);
}

std::string text(const Record& record, const TextOptions& options) {
    return record.decisions.empty() ? "" : laid_out(told(record, options.face, options.view), options);
}

}  // namespace report
}  // namespace v0
}  // namespace serinus
