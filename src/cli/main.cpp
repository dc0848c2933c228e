#include <cstddef>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <serinus/core/error.hpp>
#include <serinus/core/version.hpp>

#include "cli/files.hpp"
#include "cli/options.hpp"

namespace {

using namespace serinus;

/// What CLI11 makes of one option of the table.
CLI::Option* add(CLI::App& command, const cli::Option& option) {
    if (option.value.empty()) return command.add_flag(option.name, option.help)->disable_flag_override();
    CLI::Option* const made = command.add_option(option.name, option.help)->type_name(option.value);
    if (option.many && option.positional())
        made->expected(1, CLI::detail::expected_max_vector_size)->allow_extra_args();
    if (option.many && !option.positional()) made->take_all();
    return made->required(option.required);
}

int run(int argc, char** argv) {
    CLI::App app(std::string(cli::about), "serinus");
    app.footer(cli::more_help());
    app.require_subcommand(1);
    app.set_help_flag("-h,--help", std::string(cli::help_help));
    app.set_version_flag("--version", std::string("serinus ") + version(), std::string(cli::version_help));
    using Made = std::pair<const cli::Option*, CLI::Option*>;
    const std::vector<cli::Command> commands = cli::commands();
    std::vector<std::pair<CLI::App*, std::vector<Made>>> parsers;
    for (const cli::Command& command : commands) {
        CLI::App* const parser = app.add_subcommand(command.name, command.help);
        parser->footer(command.more);
        parsers.emplace_back(parser, std::vector<Made>());
        for (const cli::Option& option : command.options)
            parsers.back().second.emplace_back(&option, add(*parser, option));
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& wanted) {
        std::string text = std::string(wanted.what()) + "\n";
        if (wanted.get_name() == "CallForHelp") text = app.help();
        if (wanted.get_name() == "CallForAllHelp") text = app.help("", CLI::AppFormatMode::All);
        cli::write_output(text);
        return 0;
    } catch (const CLI::ParseError& error) {
        for (std::size_t i = 0; i < commands.size(); ++i) {
            if (*parsers[i].first) return static_cast<int>(cli::refuse_usage(error.what(), commands[i].name));
        }
        // The first that is no option is no command, or there is none.
        for (int i = 1; i < argc; ++i) {
            const std::string_view given = argv[i];
            if (!given.starts_with('-')) return static_cast<int>(cli::run(given, {}));
        }
        return static_cast<int>(cli::refuse_usage(error.what()));
    }
    for (std::size_t i = 0; i < commands.size(); ++i) {
        if (!*parsers[i].first) continue;
        cli::Given given;
        for (const auto& [option, made] : parsers[i].second) {
            if (made->count() > 0) given[option->name] = made->results();
        }
        return static_cast<int>(cli::run(commands[i].name, given));
    }
    return static_cast<int>(cli::Exit::error);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        cli::write_error(std::string(name(Code::internal)) + ": " + error.what());
    }
    return static_cast<int>(cli::Exit::error);
}
