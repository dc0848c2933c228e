#include <string>
#include <vector>

#include <serinus/core/error.hpp>
#include <serinus/io/decision.hpp>
#include <serinus/io/together.hpp>
#include <serinus/report/together.hpp>
#include <serinus/rollout/together.hpp>

#include "cli/options.hpp"

namespace serinus {
inline namespace v0 {
namespace cli {

Exit together_command(const TogetherOptions& options) {
    std::vector<Decision> decisions;
    for (const std::string& path : options.decisions) {
        try {
            decisions.push_back(io::read_decision(read_file(path)));
        } catch (const Error& error) {
            raise(error.within(shown_file(path)));
        }
    }
    const Together all = decide_together(decisions);
    if (options.format == Format::json) {
        write_output(io::write_together(all, decisions) + "\n");
    } else {
        write_output(report::text(all, decisions, {.color = colored(options.color), .width = output_width()}));
    }
    return all.action == Action::promote ? Exit::promote : all.action == Action::rollback ? Exit::rollback : Exit::hold;
}

}  // namespace cli
}  // namespace v0
}  // namespace serinus
