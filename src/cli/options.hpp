#pragma once
/// \file
/// The commands and their options, each written down once (options.cpp): the C++ program hands them to CLI11, the
/// Python package to argparse, and both hand back what they were given.

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/words.hpp>
#include <serinus/report/record.hpp>
#include <serinus/report/text.hpp>
#include <serinus/rollout/backtest.hpp>

#include "cli/files.hpp"

namespace serinus {
inline namespace v0 {
namespace cli {

/// What a first plan is for.
enum class Service { web, batch, serverless };

struct InitOptions {
    Service kind = Service::web;
    bool prometheus = false;            ///< with what to ask Prometheus for
    std::optional<std::string> output;  ///< where to write the plan; else to standard output
};

/// How a decision is shown.
struct Shown {
    ReportFormat format = ReportFormat::text;
    report::View view = report::View::on_call;
    std::string environment = "production";  ///< of cdevents
    std::optional<std::string> summary;      ///< a file that its Markdown is added to
    Color color = Color::automatic;
};

struct JudgeOptions : Shown {
    std::string plan;               ///< a file
    std::vector<std::string> data;  ///< files, taken together; "-" is standard input
    std::string arms, columns;      ///< how the data are to be understood, see io/read_options.hpp
    std::optional<std::string> now;
    std::optional<std::string> stage, since;  ///< of data that do not say it: their stage, and when it began
    std::optional<double> hold_exit_code;     ///< what a hold returns, in place of 3 and 4
    std::optional<std::string> audit;         ///< the log that the decision is appended to
    std::optional<std::string> audit_key;     ///< the file of the key that seals it
};

struct ReportOptions : Shown {
    std::string file;  ///< of one decision as JSON, or of several, one a line; "-" is standard input
};

struct TogetherOptions {
    std::vector<std::string> decisions;  ///< files, one decision each; "-" is standard input
    Format format = Format::text;
    Color color = Color::automatic;
};

struct CheckOptions {
    std::string plan;               ///< a file
    std::vector<std::string> data;  ///< files, taken together; "-" is standard input; none: the plan alone
    std::string arms, columns;      ///< how the data are to be understood, see io/read_options.hpp
    Format format = Format::text;
    Color color = Color::automatic;
};

struct CalibrateOptions {
    std::string plan;                   ///< a file
    std::vector<std::string> history;   ///< files, taken together; "-" is standard input
    std::vector<std::string> releases;  ///< files of former releases, or folders of them
    std::string arms, columns;          ///< how the data are to be understood, see io/read_options.hpp
    std::optional<std::string> output;  ///< where to write the plan with its noise
    Format format = Format::text;
    Color color = Color::automatic;
};

struct BacktestOptions {
    std::string plan;                ///< a file
    std::string releases;            ///< a folder with one folder a release
    std::vector<std::string> tries;  ///< "metrics[0].margin.ratio=2", each tried by itself
    std::string since, until;        ///< columns of labels.csv; empty: "since" and "until" where there are such
    std::string arms, columns;       ///< how the data are to be understood, see io/read_options.hpp
    TableFormat format = TableFormat::text;
    Color color = Color::automatic;
};

struct BurnOptions {
    std::vector<std::string> data;        ///< files, taken together; "-" is standard input; none with `rules`
    std::string plan;                     ///< a file whose objective is meant: its budget, period, policy and series
    std::string policy = "sre_workbook";  ///< or a file with one
    std::string bad, good, total;  ///< names of series; two of the three; with `rules` selectors of bad and total
    std::string target;            ///< "99.9%"; or
    std::string budget;            ///< "0.001"
    std::string period;            ///< empty: 30d
    std::string windows;           ///< "5m,1h": shown beside those of the policy
    std::string semantics = "exact";
    std::string arm = "both";
    bool deltas = false;  ///< the series are counts since the sample before, not cumulative counters
    std::optional<double> min_events;
    std::optional<double> min_probability;
    std::string lasts;  ///< a duration: a condition fires once it has held this long; empty: what the policy says
    std::string keeps_firing;        ///< a duration: it goes on firing this long; empty: what the policy says
    std::string interval;            ///< of evaluations; empty: 1m, in rules the server's
    std::string no_data;             ///< rules: the severity of an alert when a ratio is not known; empty: none
    std::optional<std::string> now;  ///< RFC 3339 or Unix time; without it the newest sample
    bool rules = false;              ///< write the policy as Prometheus rules and look at no data
    std::string name;                ///< of the objective; with `plan`: which of its objectives
    std::string arms, columns;       ///< how the data are to be understood, see io/read_options.hpp
    Format format = Format::text;
    Color color = Color::automatic;
};

struct ReplayCommandOptions {
    std::string log;  ///< a file
    std::optional<std::string> audit_key;
    std::string last;  ///< a hash that the log must have
    Format format = Format::text;
    Color color = Color::automatic;
};

struct IndicatorsCommandOptions {
    std::vector<std::string> logs;     ///< files, taken together; "-" is standard input
    std::vector<std::string> targets;  ///< "NAME=NUMBER"
    DashboardFormat format = DashboardFormat::text;
    Color color = Color::automatic;
};

/// One option ("--now") or argument ("PLAN") of a command, as a person meets it.
struct Option {
    std::string name;
    std::string value;  ///< what its value is called: "TIME", or its choices: "{text,json}"; empty: it has none
    std::string help;   ///< with the preset value, where there is one: "How to answer [text]"
    bool required = false;
    bool many = false;  ///< it may be given more than once

    bool positional() const { return name.front() != '-'; }
};

/// What was given: the texts of each option by its name; of one without a value: none.
using Given = std::map<std::string, std::vector<std::string>, std::less<>>;

struct Command {
    std::string name;
    std::string help;
    std::string more;  ///< below the options
    std::vector<Option> options;
    std::function<Exit(const Given&)> run;
};

/// Every command, in the order of the help.
std::vector<Command> commands();

/// What the program is for, what stands below its list of commands, and the help of the options that it always has.
inline constexpr std::string_view about =
    "Serinus decides from metrics whether a canary release is safe: promote, hold or roll back.";
std::string more_help();
inline constexpr std::string_view help_help = "Show this help and exit";
inline constexpr std::string_view version_help = "Show the version and exit";

/// Does what a command does with what was given. Errors become a line on standard error and `Exit::error`: those of the
/// library by name, and "usage: ..." for an unknown command, a missing argument, an option that is given twice, and a
/// value that is none of its choices.
Exit run(std::string_view command, const Given& given) noexcept;

/// Says what is wrong with a command line, on standard error, and whose help says more: that of the command, or of the
/// program where it is empty. Returns `Exit::error`.
Exit refuse_usage(const std::string& problem, std::string_view command = {});

/// Writes a first plan, with comments, that `check` finds nothing wrong with. A file that is there already is not
/// touched: `serinus.file.write`.
Exit init_command(const InitOptions& options);

/// Reads, judges and writes. 0: promote; 1: rollback; 3: hold; 4: a hold because no metric that could decide has data;
/// or what `hold_exit_code` says of both holds. A code outside 0 to 255 raises `serinus.argument.range`. With `audit`
/// nothing is told before the log has it.
Exit judge_command(const JudgeOptions& options);

/// Shows decisions that were written as JSON before. 0: they could be read.
Exit report_command(const ReportOptions& options);

/// Writes the last decision of a record, as a command shows it.
void write_decision(const report::Record& record, const Shown& shown);

/// Reads a decision of each of several services, and writes the one answer for all of them. 0: promote; 1: rollback; 3:
/// hold.
Exit together_command(const TogetherOptions& options);

/// Reads a plan, and data where there are any, and writes what should be mended before the rollout and how the data are
/// understood; nothing is judged. 0: nothing is to be mended; 2: something is.
Exit check_command(const CheckOptions& options);

/// Reads, learns how two arms of one version differ, and writes. 0: every metric was learned, 3: some were not, 4: none
/// was. A plan is written unless none was.
Exit calibrate_command(const CalibrateOptions& options);

/// Reads an audit log and makes its decisions again. 0: all as it was written; 1: changed, or a decision does not come
/// out again; 3: the last line is torn, the rest is good; 4: there is no decision in it.
Exit replay_command(const ReplayCommandOptions& options);
/// The former releases in the folder that the options name, by name: each folder's `history.*` and `rollout.*`, and what
/// `labels.csv` says of it. Raises `serinus.file.read` for a folder without a release and for a release without its
/// rollout, `serinus.data.value` for a label of a release that is not there, and what reading the files raises.
std::vector<FormerRelease> read_releases(const BacktestOptions& options, const Plan& plan);

/// Replays former releases through a plan and its tries, and writes what would have been decided. 0: no release that is
/// labelled was decided wrongly by the plan as it is; 1: a good one was rolled back, or a bad one promoted.
Exit backtest_command(const BacktestOptions& options);

/// Reads logs of deployments and pipelines, and writes the ten indicators of delivery. 0: those that can be told pass; 1:
/// one fails; 3: one is open, and none fails; 4: none can be told.
Exit indicators_command(const IndicatorsCommandOptions& options);

/// How fast a service spends its error budget, and whether somebody should look; with `rules` the same policy for
/// Prometheus. 0: nothing fires; 1: a page fires; 3: a ticket fires, or a condition would but for too few events; 4: no
/// window has data. A series that is in no file raises `serinus.argument.word` and says which ones there are. With
/// `rules` it writes them: 0. Data with `rules`, and neither, raise `serinus.argument.range`, as do a plan beside what
/// a plan says.
Exit burn_command(const BurnOptions& options);

}  // namespace cli

template <>
struct Words<cli::Service> {
    static constexpr std::array<std::pair<cli::Service, std::string_view>, 3> table{
        {{cli::Service::web, "web"}, {cli::Service::batch, "batch"}, {cli::Service::serverless, "serverless"}}};
};
template <>
struct Words<cli::Format> {
    static constexpr std::array<std::pair<cli::Format, std::string_view>, 2> table{
        {{cli::Format::text, "text"}, {cli::Format::json, "json"}}};
};
template <>
struct Words<cli::TableFormat> {
    static constexpr std::array<std::pair<cli::TableFormat, std::string_view>, 3> table{
        {{cli::TableFormat::text, "text"}, {cli::TableFormat::json, "json"}, {cli::TableFormat::csv, "csv"}}};
};
template <>
struct Words<cli::ReportFormat> {
    static constexpr std::array<std::pair<cli::ReportFormat, std::string_view>, 8> table{
        {{cli::ReportFormat::text, "text"},
         {cli::ReportFormat::json, "json"},
         {cli::ReportFormat::markdown, "markdown"},
         {cli::ReportFormat::html, "html"},
         {cli::ReportFormat::github, "github"},
         {cli::ReportFormat::junit, "junit"},
         {cli::ReportFormat::openmetrics, "openmetrics"},
         {cli::ReportFormat::cdevents, "cdevents"}}};
};

template <>
struct Words<cli::DashboardFormat> {
    static constexpr std::array<std::pair<cli::DashboardFormat, std::string_view>, 3> table{
        {{cli::DashboardFormat::text, "text"},
         {cli::DashboardFormat::json, "json"},
         {cli::DashboardFormat::html, "html"}}};
};
template <>
struct Words<cli::Color> {
    static constexpr std::array<std::pair<cli::Color, std::string_view>, 3> table{
        {{cli::Color::automatic, "auto"}, {cli::Color::always, "always"}, {cli::Color::never, "never"}}};
};

}  // namespace v0
}  // namespace serinus
