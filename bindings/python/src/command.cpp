/// \file
/// The program `serinus` for Python: the same commands as the C++ program's, from the same table, run by the same code.

#include <string>

#include <pybind11/stl.h>

#include "arguments.hpp"
#include "cli/options.hpp"
#include "functions.hpp"

namespace serinus::python {

void register_command(Module& module) {
    using namespace py::literals;
    module.def("command_texts", [] {
        return py::dict("about"_a = std::string(cli::about), "more"_a = cli::more_help(),
                        "help"_a = std::string(cli::help_help), "version"_a = std::string(cli::version_help));
    });
    module.def("commands", [] {
        py::list all;
        for (const cli::Command& command : cli::commands()) {
            py::list options;
            for (const cli::Option& option : command.options) {
                options.append(py::dict("name"_a = option.name, "value"_a = option.value, "help"_a = option.help,
                                        "required"_a = option.required, "many"_a = option.many));
            }
            all.append(py::dict("name"_a = command.name, "help"_a = command.help, "more"_a = command.more,
                                "options"_a = std::move(options)));
        }
        return all;
    });
    module.def("run_command", [](const std::string& name, const cli::Given& given) {
        const py::gil_scoped_release release;
        return static_cast<int>(cli::run(name, given));
    });
    module.def("refuse_usage", [](const std::string& problem, const std::string& command) {
        return static_cast<int>(cli::refuse_usage(problem, command));
    });
}

}  // namespace serinus::python
