#include <serinus/core/words.hpp>
#include <serinus/io/decision.hpp>
#include <serinus/report/document.hpp>
#include <serinus/report/markdown.hpp>

#include "cli/inputs.hpp"
#include "cli/options.hpp"

namespace serinus {
inline namespace v0 {
namespace cli {
void write_decision(const report::Record& record, const Shown& shown) {
    if (shown.format == ReportFormat::json) {
        write_output(io::write_decision(record.decisions.back()) + "\n");
    } else {
        write_output(
            report::document(record, *parse_word<report::Form>(word(shown.format)),
                             {.text = {.color = colored(shown.color), .width = output_width(), .view = shown.view},
                              .environment = shown.environment}));
    }
    if (shown.summary)
        append_to_file(*shown.summary, report::markdown(record, report::Face::program, shown.view) + "\n");
}

Exit report_command(const ReportOptions& options) {
    report::Record record;
    record.decisions = read_decision_file(options.file);
    write_decision(record, options);
    return Exit::promote;
}

}  // namespace cli
}  // namespace v0
}  // namespace serinus
