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
    const Understood found =
        options.data.empty()
            ? understand(plan)
            : understand(plan, read_data_files(options.data, plan, {.arms = options.arms, .columns = options.columns}));
    if (options.format == Format::json) {
        write_output(io::write_understood(found) + "\n");
    } else {
        write_output(report::text(found, {.color = colored(options.color), .width = output_width()}));
    }
    return found.mend.empty() ? Exit::promote : Exit::mend;
}

}  // namespace cli
}  // namespace v0
}  // namespace serinus
