#include <cstddef>
#include <string>
#include <vector>

#include <serinus/io/calibration.hpp>
#include <serinus/io/plan.hpp>
#include <serinus/report/calibration.hpp>
#include <serinus/rollout/calibrate.hpp>

#include "cli/inputs.hpp"
#include "cli/options.hpp"

namespace serinus {
inline namespace v0 {
namespace cli {

Exit calibrate_command(const CalibrateOptions& options) {
    const Plan plan = read_plan_file(options.plan);
    const DataWords words{options.arms, options.columns};
    const Batch history = read_data_files(options.history, plan, words);
    note_counters(history, plan);
    std::vector<Batch> former;
    for (const std::string& name : options.releases) {
        for (const std::string& file : files_in(name)) former.push_back(read_data_files({file}, plan, words));
    }
    const Calibration learned = calibrate(plan, history, former);
    const bool written = options.output && !learned.noise.empty();
    if (written) write_file(*options.output, io::write_plan(with_noise(plan, learned)));
    if (options.format == Format::json) {
        write_output(io::write_calibration(learned) + "\n");
    } else {
        write_output(report::text(plan, learned, {.color = colored(options.color), .width = output_width()},
                                  written ? *options.output : ""));
    }
    std::size_t known = 0;
    for (const MetricCalibration& metric : learned.metrics) known += metric.learned ? 1 : 0;
    return known == learned.metrics.size() ? Exit::promote : known > 0 ? Exit::hold : Exit::no_data;
}

}  // namespace cli
}  // namespace v0
}  // namespace serinus
