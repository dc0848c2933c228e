/// \file
/// The program `serinus` for Python: the same commands as the C++ program's, run by the same code.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <pybind11/stl.h>

#include "arguments.hpp"
#include "cli/burn.hpp"
#include "cli/calibrate.hpp"
#include "cli/files.hpp"
#include "cli/judge.hpp"

namespace serinus::python {

namespace {

cli::Color color_of(const std::string& word) {
    return word == "always" ? cli::Color::always : word == "never" ? cli::Color::never : cli::Color::automatic;
}

}  // namespace

void register_command(py::module_& module) {
    module.def("judge_command", [](std::string plan, std::vector<std::string> data, bool json, const std::string& color,
                                   std::optional<std::string> now) {
        const cli::JudgeOptions options{.plan = std::move(plan),
                                        .data = std::move(data),
                                        .format = json ? cli::Format::json : cli::Format::text,
                                        .color = color_of(color),
                                        .now = std::move(now)};
        const py::gil_scoped_release release;
        return static_cast<int>(cli::judge_command(options));
    });
    module.def("calibrate_command",
               [](std::string plan, std::vector<std::string> history, std::vector<std::string> releases,
                  std::optional<std::string> output, bool json, const std::string& color) {
                   const cli::CalibrateOptions options{.plan = std::move(plan),
                                                       .history = std::move(history),
                                                       .releases = std::move(releases),
                                                       .output = std::move(output),
                                                       .format = json ? cli::Format::json : cli::Format::text,
                                                       .color = color_of(color)};
                   const py::gil_scoped_release release;
                   return static_cast<int>(cli::calibrate_command(options));
               });
    module.def("burn_command", [](std::vector<std::string> data, std::string bad, std::string good, std::string total,
                                  std::string target, std::string budget, std::string period, std::string windows,
                                  std::string semantics, std::string arm, bool deltas, double min_events,
                                  std::optional<double> min_probability, std::optional<std::string> now, bool json,
                                  const std::string& color, bool rules, std::string name) {
        const cli::BurnOptions options{.data = std::move(data),
                                       .bad = std::move(bad),
                                       .good = std::move(good),
                                       .total = std::move(total),
                                       .target = std::move(target),
                                       .budget = std::move(budget),
                                       .period = std::move(period),
                                       .windows = std::move(windows),
                                       .semantics = std::move(semantics),
                                       .arm = std::move(arm),
                                       .deltas = deltas,
                                       .min_events = min_events,
                                       .min_probability = min_probability,
                                       .now = std::move(now),
                                       .rules = rules,
                                       .name = std::move(name),
                                       .format = json ? cli::Format::json : cli::Format::text,
                                       .color = color_of(color)};
        const py::gil_scoped_release release;
        return static_cast<int>(cli::burn_command(options));
    });
    module.def("write_output", [](const std::string& text) { cli::write_output(text); });
    module.def("write_error", [](const std::string& message) { cli::write_error(message); });
}

}  // namespace serinus::python
