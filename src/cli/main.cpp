#include <algorithm>
#include <exception>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <serinus/core/error.hpp>
#include <serinus/core/version.hpp>

#include "cli/burn.hpp"
#include "cli/calibrate.hpp"
#include "cli/files.hpp"
#include "cli/judge.hpp"

namespace {

using namespace serinus;

const std::string exit_codes = R"(Exit codes:
  0  promote        1  rollback       2  usage or bad input
  3  hold           4  no data (hold, and no metric has any)
)";

const std::string judge_help = R"(DATA is CSV in long form, one sample a row, separated by commas:
  timestamp,series,arm,value[,instance][,le][,stage]
  2026-11-22T21:21:29Z,http_requests,baseline,806
  2026-11-22T21:21:29Z,http_requests,canary,9
or a document of Prometheus answers, one a series of the plan:
  {"http_requests": {"status": "success", "data": {...}}, "http_errors": {...}}
whose label "track" is "stable" or "canary" (the plan's "arms" can say otherwise).
Counts are those of an interval; cumulative counters, as Prometheus has them, need
"counter": true in their metric.

Without --now the data count as complete, and all of them are judged at once.
With --now the answer is what a watcher would have said at that time: later
samples are left out, intervals that have not settled wait, and silence since
the newest sample makes the data stale.

Examples:
  serinus judge plan.json data.csv
  serinus judge plan.json requests.csv errors.csv --format json
  fetch-metrics | serinus judge plan.json -
  serinus judge plan.json data.csv --now 2026-11-22T21:40:00Z

)" + exit_codes;

const std::string calibrate_help = R"(HISTORY is data of the plan's series in the same formats as for judge, from a
time when both arms ran one version. Best are 1,500 intervals or more of
  several instances of the baseline (column "instance"): they take turns as the
  canary, and five or more tell how far instances differ by themselves;
  or both arms: then what they differ by themselves is subtracted.

A gauge whose rollout has several instances (3, or 2 and one that history still
knows) is judged between them, and needs no history. Former releases (--release:
the data of a rollout, or a folder of such files) tell more of how far instances
differ. Without instances and without its noise a gauge decides nothing; counts
are then taken as independent.
With --output the plan is written with its noise, for judge.

Examples:
  serinus calibrate plan.json last-week.csv
  serinus calibrate plan.json last-week.csv --output plan-with-noise.json
  serinus calibrate plan.json today.csv --release former/ --output known.json
  serinus judge plan-with-noise.json data.csv

Exit codes:
  0  every metric was learned     2  usage or bad input
  3  some metrics were not        4  none was
)";

const std::string burn_help = R"(DATA is data in the same formats as for judge; Prometheus answers need no label
"track" here. The series are cumulative counters (--deltas: counts since the
sample before). Burn 1 spends exactly the budget in
exactly the period. The alerts are those of the Site Reliability Workbook: page
for 2 % of the budget in 1 h or 5 % in 6 h, ticket for 10 % in 1 d or 3 d; or
those of --policy, or of the plan whose slo gates the rollout (--plan). With
--rules they are written as Prometheus rules; --bad and --total are selectors then
(with --plan by default the names of the metric's series).

Examples:
  serinus burn data.csv --bad http_errors --total http_requests --target 99.9%
  serinus burn data.csv --good ok --total all --budget 0.001 --period 28d
  serinus burn data.csv --bad e --total n --target 99.9% --arm canary
  serinus burn data.csv --bad e --total n --target 99.9% --policy policy.json
  serinus burn data.csv --plan plan.json
  serinus burn --rules --plan plan.json --interval 30s --for 2m --no-data ticket
  serinus burn --rules --name availability --target 99.9% \
    --bad 'http_requests_total{code=~"5.."}' --total http_requests_total

Exit codes:
  0  no page and no ticket fires      1  a page fires     2  usage or bad input
  3  a ticket fires, or there are too few events to say      4  no data
)";

const std::string version_text = std::string("serinus ") + version() + R"(
judges  proportion (bad of total) and gauge (one value an interval), margins as ratio or difference,
        harm by increase, decrease or either
learns  the noise of both from history
reads   plans in JSON; data in CSV (long form) or as Prometheus API documents
writes  text, JSON
)";

int run(int argc, char** argv) {
    CLI::App app("Serinus decides from metrics whether a canary release is safe: promote, hold or roll back.",
                 "serinus");
    app.footer(
        "serinus judge --help shows the data formats and examples.\n\nOf judge (the other commands say theirs):\n" +
        exit_codes);
    app.require_subcommand(1);
    app.set_version_flag("--version", std::string("serinus ") + version());

    cli::JudgeOptions options;
    CLI::App* const judge = app.add_subcommand("judge", "Judge a rollout by its plan and all its data");
    judge->footer(judge_help);
    judge->add_option("PLAN", options.plan, "The plan, a JSON file")->required()->type_name("FILE");
    judge->add_option("DATA", options.data, "The data: files, taken together; - is standard input")
        ->required()
        ->type_name("FILE");
    std::string format = "text", color = "auto", now;
    judge->add_option("--format", format, "How to answer")
        ->check(CLI::IsMember({"text", "json"}))
        ->capture_default_str();
    judge->add_option("--color", color, "auto: on a terminal, unless NO_COLOR is set")
        ->check(CLI::IsMember({"auto", "always", "never"}))
        ->capture_default_str();
    CLI::Option* const now_option =
        judge->add_option("--now", now, "Decide as of this time: RFC 3339 or Unix time")->type_name("TIME");
    cli::CalibrateOptions learning;
    std::string output;
    CLI::App* const calibrate =
        app.add_subcommand("calibrate", "Learn from history how two arms of one version differ");
    calibrate->footer(calibrate_help);
    calibrate->add_option("PLAN", learning.plan, "The plan, a JSON file")->required()->type_name("FILE");
    calibrate->add_option("HISTORY", learning.history, "The data: files, taken together; - is standard input")
        ->required()
        ->type_name("FILE");
    calibrate
        ->add_option("--release", learning.releases,
                     "Data of a former release: a file, or a folder of them; may be repeated")
        ->type_name("PATH");
    CLI::Option* const output_option =
        calibrate->add_option("--output", output, "Write the plan with its noise here")->type_name("FILE");
    calibrate->add_option("--format", format, "How to answer")
        ->check(CLI::IsMember({"text", "json"}))
        ->capture_default_str();
    calibrate->add_option("--color", color, "auto: on a terminal, unless NO_COLOR is set")
        ->check(CLI::IsMember({"auto", "always", "never"}))
        ->capture_default_str();
    cli::BurnOptions burning;
    double probability = 0;
    CLI::App* const burn = app.add_subcommand("burn", "How fast a service spends its error budget");
    burn->footer(burn_help);
    burn->add_option("DATA", burning.data, "The data: files, taken together; - is standard input")->type_name("FILE");
    burn->add_option("--bad", burning.bad, "The series that counts bad events")->type_name("SERIES");
    burn->add_option("--good", burning.good, "The series that counts good events")->type_name("SERIES");
    burn->add_option("--total", burning.total, "The series that counts all events")->type_name("SERIES");
    burn->add_option("--target", burning.target, "What is promised: 99.9% or 0.999")->type_name("TARGET");
    burn->add_option("--budget", burning.budget, "Instead: the share that may be bad, 0.001")->type_name("SHARE");
    burn->add_option("--period", burning.period, "The period of the budget [30d]")->type_name("DURATION");
    burn->add_option("--plan", burning.plan, "Instead: the objective, policy and series of a plan's slo")
        ->type_name("FILE");
    burn->add_option("--policy", burning.policy, "sre_workbook, or a JSON file: a list of conditions as in a plan")
        ->type_name("POLICY")
        ->capture_default_str();
    burn->add_option("--windows", burning.windows, "More windows to show: 10m,12h")->type_name("DURATIONS");
    burn->add_option("--semantics", burning.semantics, "What an increase is")
        ->check(CLI::IsMember({"exact", "prometheus2", "prometheus3", "prometheus3_anchored"}))
        ->capture_default_str();
    burn->add_option("--arm", burning.arm, "Whose events count")
        ->check(CLI::IsMember({"both", "baseline", "canary"}))
        ->capture_default_str();
    burn->add_flag("--deltas", burning.deltas, "The series are counts, not cumulative counters");
    double events = 0;
    CLI::Option* const events_option =
        burn->add_option("--min-events", events, "No alert with fewer events in its long window")->type_name("COUNT");
    CLI::Option* const probability_option =
        burn->add_option("--min-probability", probability, "No alert unless it is this probable that burn is too high")
            ->type_name("SHARE");
    burn->add_option("--for", burning.lasts, "Every condition fires once it has held this long")->type_name("DURATION");
    burn->add_option("--keep-firing-for", burning.keeps_firing, "And goes on firing this long")->type_name("DURATION");
    burn->add_option("--interval", burning.interval,
                     "How often alerts are evaluated [1m; --rules: as the server is set]")
        ->type_name("DURATION");
    burn->add_flag("--rules", burning.rules, "Write the alerts as Prometheus rules; without DATA");
    burn->add_option("--no-data", burning.no_data, "Rules: alert with this severity when a ratio is not known")
        ->check(CLI::IsMember({"page", "ticket", "info"}));
    burn->add_option("--name", burning.name, "The objective's name: of the plan's, or the label slo of the rules")
        ->type_name("NAME");
    CLI::Option* const burn_now =
        burn->add_option("--now", now, "The time to look at; default: the newest sample")->type_name("TIME");
    burn->add_option("--format", format, "How to answer")
        ->check(CLI::IsMember({"text", "json"}))
        ->capture_default_str();
    burn->add_option("--color", color, "auto: on a terminal, unless NO_COLOR is set")
        ->check(CLI::IsMember({"auto", "always", "never"}))
        ->capture_default_str();
    CLI::App* const show_version = app.add_subcommand("version", "Show the version and what it can do");

    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& wanted) {
        std::string text = std::string(wanted.what()) + "\n";
        if (wanted.get_name() == "CallForHelp") text = app.help();
        if (wanted.get_name() == "CallForAllHelp") text = app.help("", CLI::AppFormatMode::All);
        cli::write_output(text);
        return 0;
    } catch (const CLI::ParseError& error) {
        cli::write_error("usage: " + std::string(error.what()) + "; serinus --help and serinus judge --help say more");
        return static_cast<int>(cli::Exit::error);
    }
    if (*show_version) {
        cli::write_output(version_text);
        return 0;
    }
    const std::vector<std::string>& files = *burn ? burning.data : *calibrate ? learning.history : options.data;
    if (std::count(files.begin(), files.end(), "-") > 1) {
        cli::write_error("usage: " + std::string(*calibrate ? "HISTORY" : "DATA") +
                         " names standard input (-) more than once; it can be read once");
        return static_cast<int>(cli::Exit::error);
    }
    options.format = learning.format = burning.format = format == "json" ? cli::Format::json : cli::Format::text;
    options.color = learning.color = burning.color = color == "always"  ? cli::Color::always
                                                     : color == "never" ? cli::Color::never
                                                                        : cli::Color::automatic;
    if (*burn) {
        if (*burn_now) burning.now = now;
        if (*events_option) burning.min_events = events;
        if (*probability_option) burning.min_probability = probability;
        return static_cast<int>(cli::burn_command(burning));
    }
    if (*calibrate) {
        if (*output_option) learning.output = output;
        return static_cast<int>(cli::calibrate_command(learning));
    }
    if (*now_option) options.now = now;
    return static_cast<int>(cli::judge_command(options));
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const serinus::Error& error) {
        serinus::cli::write_error(error.what());
    } catch (const std::exception& error) {
        serinus::cli::write_error(std::string(serinus::name(serinus::Code::internal)) + ": " + error.what());
    }
    return static_cast<int>(serinus::cli::Exit::error);
}
