#include <string>

#include <serinus/io/lint.hpp>
#include <serinus/report/lint.hpp>
#include <serinus/rollout/lint.hpp>

#include "cli/inputs.hpp"
#include "cli/options.hpp"

namespace serinus {
inline namespace v0 {
namespace cli {

Exit check_command(const CheckOptions& options) {
    const Plan plan = read_plan_file(options.plan);
    Understood found;
    if (options.data.empty()) {
        found.mend = lint(plan);
    } else {
        found = understand(plan, read_data_files(options.data, plan));
    }
    if (options.format == Format::json) {
        write_output(io::write_understood(found) + "\n");
    } else {
        write_output(report::text(plan, found, {.color = colored(options.color), .width = output_width()}));
    }
    return found.mend.empty() ? Exit::promote : Exit::mend;
}

}  // namespace cli
}  // namespace v0
}  // namespace serinus
