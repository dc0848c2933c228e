#include <string>

#include <serinus/core/error.hpp>
#include <serinus/io/audit.hpp>
#include <serinus/report/audit.hpp>

#include "cli/audit_file.hpp"
#include "cli/options.hpp"

namespace serinus {
inline namespace v0 {
namespace cli {

Exit replay_command(const ReplayCommandOptions& options) {
    const std::string text = read_file(options.log);
    io::ReplayOptions replaying{.key = {}, .last = options.last};
    if (options.audit_key) replaying.key = read_key_file(*options.audit_key);
    AuditReport report;
    try {
        report = io::replay(text, replaying);
    } catch (const Error& error) {
        raise(error.within(shown_file(options.log)));
    }
    if (options.format == Format::json) {
        write_output(io::write_replay(report) + "\n");
    } else {
        write_output(report::text(report, {.color = colored(options.color), .width = output_width()}));
    }
    if (!report.good()) return Exit::rollback;
    if (!report.findings.empty()) return Exit::hold;
    const bool decided = report.count(Reproduced::exactly) + report.count(Reproduced::nearly) > 0;
    return decided ? Exit::promote : Exit::no_data;
}

}  // namespace cli
}  // namespace v0
}  // namespace serinus
