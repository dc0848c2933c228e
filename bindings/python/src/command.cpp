/// \file
/// The program `serinus` for Python: the same commands as the C++ program's, run by the same code.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <pybind11/stl.h>

#include "cli/files.hpp"
#include "cli/judge.hpp"
#include "core.hpp"

namespace serinus::python {

void register_command(py::module_& module) {
    module.def("judge_command", [](std::string plan, std::vector<std::string> data, bool json, const std::string& color,
                                   std::optional<std::string> now) {
        const cli::JudgeOptions options{.plan = std::move(plan),
                                        .data = std::move(data),
                                        .format = json ? cli::Format::json : cli::Format::text,
                                        .color = color == "always"  ? cli::Color::always
                                                 : color == "never" ? cli::Color::never
                                                                    : cli::Color::automatic,
                                        .now = std::move(now)};
        const py::gil_scoped_release release;
        return static_cast<int>(cli::judge_command(options));
    });
    module.def("write_output", [](const std::string& text) { cli::write_output(text); });
    module.def("write_error", [](const std::string& message) { cli::write_error(message); });
}

}  // namespace serinus::python
