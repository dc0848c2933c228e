#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include <serinus/core/text.hpp>
#include <serinus/report/together.hpp>

#include "report/number.hpp"
#include "report/page.hpp"

namespace serinus {
inline namespace v0 {
namespace report {
namespace {

Style style_of(Action action) {
    return action == Action::promote ? Style::good : action == Action::rollback ? Style::bad : Style::open;
}

std::string name_of(const Decision& decision) {
    return shown_name(decision.deployment.empty() ? decision.plan : decision.deployment);
}

std::string next_of(const Together& together) {
    if (together.would) return "nothing: a dry run; without it: " + std::string(word(*together.would));
    switch (together.action) {
        case Action::rollback: return "roll all of them back";
        case Action::hold: return "hold all of them, and ask again";
        case Action::promote: break;
    }
    return together.finished ? "all of them are through their last stage" : "let each go on to its next stage";
}

}  // namespace

std::string text(const Together& together, std::span<const Decision> decisions, const TextOptions& options) {
    Page page(options.color, options.width);
    std::string head = page.painted(upper_case(word(together.action)), style_of(together.action)) + "  " +
                       plural(static_cast<std::int64_t>(decisions.size()), "service") + " together";
    if (!together.decided_by.empty()) head += "   because of " + printable(joined(together.decided_by), 200);
    page.line(head);
    page.line("");
    std::size_t width = label_width;
    for (const Decision& one : decisions) width = std::max(width, std::min<std::size_t>(40, length(name_of(one))));
    for (const Decision& one : decisions) {
        const std::string name = name_of(one), what(word(one.action));
        if (length(name) > width) page.wrapped_lines(name, 2);
        std::vector<std::string> why;
        for (const Reason& reason : one.reasons) why.push_back(printable(serinus::name(reason), 100));
        std::string line = "  " + padded(length(name) > width ? "" : name, width) + "  " +
                           page.painted(what, style_of(one.action)) + std::string(10 - what.size(), ' ');
        const std::string told =
            "stage " + std::to_string(one.stage) + " of " + std::to_string(one.stages) + ": " + joined(why);
        const std::size_t indent = 2 + width + 2 + 10;
        for (const std::string& part : wrapped(told, page.width() - indent)) {
            page.line(line + part);
            line.assign(indent, ' ');
        }
    }
    page.line("");
    page.paragraph("promise", {"good services are ever rolled back together with probability at most " +
                               percent(together.alpha) + ", the sum of their plans' alphas"});
    page.paragraph("next", {next_of(together)});
    return page.take();
}

}  // namespace report
}  // namespace v0
}  // namespace serinus
