#include "cli/options.hpp"

#include <algorithm>
#include <cstddef>
#include <exception>
#include <span>
#include <type_traits>
#include <utility>
#include <variant>

#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/core/text.hpp>
#include <serinus/core/version.hpp>
#include <serinus/rollout/kind.hpp>

namespace serinus {
inline namespace v0 {
namespace cli {
namespace {

/// What is wrong with a command line.
struct UsageError {
    std::string problem;
};

std::string with_advice(const std::string& problem, std::string_view command) {
    return problem + "; serinus " + std::string(command) + (command.empty() ? "" : " ") + "--help says more";
}

// ---- the tables: name, member, what its value is called, help

enum class Need { optional, required };

template <class Options>
struct Row {
    std::string_view name;
    std::variant<std::string Options::*, std::vector<std::string> Options::*, std::optional<std::string> Options::*,
                 std::optional<double> Options::*, bool Options::*, Service Options::*, Format Options::*,
                 TableFormat Options::*, ReportFormat Options::*, DashboardFormat Options::*, Color Options::*,
                 report::View Options::*>
        member;
    std::string_view value;
    std::string_view help;
    Need need = Need::optional;
};

constexpr std::string_view files_help = "The data: files, taken together; - is standard input";
constexpr std::string_view arms_value = "label=NAME,baseline=VALUE,canary=VALUE";
constexpr std::string_view arms_help = "What tells the arms apart in the data, where it is not as the plan says";
constexpr std::string_view columns_value = "time=NAME,value=NAME,...";
constexpr std::string_view columns_help = "What a table's columns are called";
constexpr std::string_view color_help = "auto: on a terminal, unless NO_COLOR is set";

constexpr std::string_view view_help = "Who reads text, markdown or html";
constexpr std::string_view summary_help = "Also add the Markdown to this file";
constexpr std::string_view environment_help = "Of cdevents: what is deployed to";
constexpr std::string_view audit_key_help = "The key that seals the log's lines (HMAC): 16 bytes or more";

constexpr Row<InitOptions> init_options[] = {
    {"--kind", &InitOptions::kind, "", "What is rolled out"},
    {"--prometheus", &InitOptions::prometheus, "", "With what to ask Prometheus for"},
    {"--output", &InitOptions::output, "FILE", "Write the plan here, where no file is yet"}};

constexpr Row<JudgeOptions> judge_options[] = {
    {"PLAN", &JudgeOptions::plan, "FILE", "The plan, a JSON file", Need::required},
    {"DATA", &JudgeOptions::data, "FILE", files_help, Need::required},
    {"--arms", &JudgeOptions::arms, arms_value, arms_help},
    {"--columns", &JudgeOptions::columns, columns_value, columns_help},
    {"--format", &JudgeOptions::format, "", "How to answer"},
    {"--view", &JudgeOptions::view, "", view_help},
    {"--color", &JudgeOptions::color, "", color_help},
    {"--summary", &JudgeOptions::summary, "FILE", summary_help},
    {"--environment", &JudgeOptions::environment, "NAME", environment_help},
    {"--hold-exit-code", &JudgeOptions::hold_exit_code, "CODE", "What a hold returns, in place of 3 and 4"},
    {"--now", &JudgeOptions::now, "TIME", "Decide as of this time: RFC 3339 or Unix time"},
    {"--stage", &JudgeOptions::stage, "NUMBER", "The stage that the data are of, from 1, where they do not say it"},
    {"--since", &JudgeOptions::since, "TIME", "When that stage began; default: the canary's first sample"},
#ifndef SERINUS_COMMAND_OF_WHEEL
    {"--audit", &JudgeOptions::audit, "LOG", "Append the decision, and all it rests on, to this log"},
    {"--audit-key", &JudgeOptions::audit_key, "FILE", audit_key_help},
#endif
};

constexpr Row<ReplayCommandOptions> replay_options[] = {
    {"LOG", &ReplayCommandOptions::log, "FILE", "An audit log; - is standard input", Need::required},
    {"--audit-key", &ReplayCommandOptions::audit_key, "FILE", audit_key_help},
    {"--last", &ReplayCommandOptions::last, "HASH", "The hash of a line that must be there"},
    {"--format", &ReplayCommandOptions::format, "", "How to answer"},
    {"--color", &ReplayCommandOptions::color, "", color_help}};

constexpr Row<ReportOptions> report_options[] = {
    {"FILE", &ReportOptions::file, "FILE", "Decisions as JSON: one, or one a line; - is standard input",
     Need::required},
    {"--format", &ReportOptions::format, "", "How to show it"},
    {"--view", &ReportOptions::view, "", view_help},
    {"--color", &ReportOptions::color, "", color_help},
    {"--summary", &ReportOptions::summary, "FILE", summary_help},
    {"--environment", &ReportOptions::environment, "NAME", environment_help}};

constexpr Row<TogetherOptions> together_options[] = {
    {"DECISION", &TogetherOptions::decisions, "FILE", "A decision of each service: what judge --format json wrote",
     Need::required},
    {"--format", &TogetherOptions::format, "", "How to answer"},
    {"--color", &TogetherOptions::color, "", color_help}};

constexpr Row<IndicatorsCommandOptions> indicators_options[] = {
    {"LOG", &IndicatorsCommandOptions::logs, "FILE", "Logs, taken together; - is standard input", Need::required},
    {"--target", &IndicatorsCommandOptions::targets, "NAME=NUMBER", "Another target of an indicator; may be repeated"},
    {"--format", &IndicatorsCommandOptions::format, "", "How to answer"},
    {"--color", &IndicatorsCommandOptions::color, "", color_help}};

constexpr Row<CheckOptions> check_options[] = {
    {"PLAN", &CheckOptions::plan, "FILE", "The plan, a JSON file", Need::required},
    {"DATA", &CheckOptions::data, "FILE", "Data to try it on: files, taken together; - is standard input"},
    {"--arms", &CheckOptions::arms, arms_value, arms_help},
    {"--columns", &CheckOptions::columns, columns_value, columns_help},
    {"--format", &CheckOptions::format, "", "How to answer"},
    {"--color", &CheckOptions::color, "", color_help}};

constexpr Row<CalibrateOptions> calibrate_options[] = {
    {"PLAN", &CalibrateOptions::plan, "FILE", "The plan, a JSON file", Need::required},
    {"HISTORY", &CalibrateOptions::history, "FILE", files_help, Need::required},
    {"--release", &CalibrateOptions::releases, "PATH",
     "Data of a former release: a file, or a folder of them; may be repeated"},
    {"--arms", &CalibrateOptions::arms, arms_value, arms_help},
    {"--columns", &CalibrateOptions::columns, columns_value, columns_help},
    {"--output", &CalibrateOptions::output, "FILE", "Write the plan with its noise here"},
    {"--format", &CalibrateOptions::format, "", "How to answer"},
    {"--color", &CalibrateOptions::color, "", color_help}};

constexpr Row<BacktestOptions> backtest_options[] = {
    {"PLAN", &BacktestOptions::plan, "FILE", "The plan, a JSON file", Need::required},
    {"RELEASES", &BacktestOptions::releases, "FOLDER", "A folder with one folder a release", Need::required},
    {"--try", &BacktestOptions::tries, "CHANGE",
     "Also with a key of the plan changed: metrics[0].margin.ratio=2; may be repeated, each is tried alone"},
    {"--since", &BacktestOptions::since, "COLUMN", "The column of labels.csv that says when the canary was started"},
    {"--until", &BacktestOptions::until, "COLUMN", "The column of labels.csv that says as of when it is judged"},
    {"--arms", &BacktestOptions::arms, arms_value, arms_help},
    {"--columns", &BacktestOptions::columns, columns_value, columns_help},
    {"--format", &BacktestOptions::format, "", "How to answer"},
    {"--color", &BacktestOptions::color, "", color_help}};

constexpr Row<BurnOptions> burn_options[] = {
    {"DATA", &BurnOptions::data, "FILE", files_help},
    {"--bad", &BurnOptions::bad, "SERIES", "The series that counts bad events"},
    {"--good", &BurnOptions::good, "SERIES", "The series that counts good events"},
    {"--total", &BurnOptions::total, "SERIES", "The series that counts all events"},
    {"--target", &BurnOptions::target, "TARGET", "What is promised: 99.9% or 0.999"},
    {"--budget", &BurnOptions::budget, "SHARE", "Instead: the share that may be bad, 0.001"},
    {"--period", &BurnOptions::period, "DURATION", "The period of the budget [30d]"},
    {"--plan", &BurnOptions::plan, "FILE", "Instead: the objective, policy and series of a plan's slo"},
    {"--policy", &BurnOptions::policy, "POLICY", "sre_workbook, or a JSON file: a list of conditions as in a plan"},
    {"--windows", &BurnOptions::windows, "DURATIONS", "More windows to show: 10m,12h"},
    {"--semantics", &BurnOptions::semantics, "{exact,prometheus2,prometheus3,prometheus3_anchored}",
     "What an increase is"},
    {"--arm", &BurnOptions::arm, "{both,baseline,canary}", "Whose events count"},
    {"--deltas", &BurnOptions::deltas, "", "The series are counts, not cumulative counters"},
    {"--min-events", &BurnOptions::min_events, "COUNT", "No alert with fewer events in its long window"},
    {"--min-probability", &BurnOptions::min_probability, "SHARE",
     "No alert unless it is this probable that burn is too high"},
    {"--for", &BurnOptions::lasts, "DURATION", "Every condition fires once it has held this long"},
    {"--keep-firing-for", &BurnOptions::keeps_firing, "DURATION", "And goes on firing this long"},
    {"--interval", &BurnOptions::interval, "DURATION",
     "How often alerts are evaluated [1m; --rules: as the server is set]"},
    {"--rules", &BurnOptions::rules, "", "Write the alerts as Prometheus rules; without DATA"},
    {"--no-data", &BurnOptions::no_data, "{page,ticket,info}",
     "Rules: alert with this severity when a ratio is not known"},
    {"--name", &BurnOptions::name, "NAME", "The objective's name: of the plan's, or the label slo of the rules"},
    {"--arms", &BurnOptions::arms, arms_value, arms_help},
    {"--columns", &BurnOptions::columns, columns_value, columns_help},
    {"--now", &BurnOptions::now, "TIME", "The time to look at; default: the newest sample"},
    {"--format", &BurnOptions::format, "", "How to answer"},
    {"--color", &BurnOptions::color, "", color_help}};

// ---- the texts below them

const std::string exit_codes = R"(Exit codes:
  0  promote        1  rollback       2  usage or bad input
  3  hold           4  no data (hold, and no metric has any)
)";

const std::string init_help = R"(The plan is JSON with comments: the share of failed events by two counters, the
share of slow ones by a histogram's bucket, and the memory of each pod. Change
its names, times and margins. With --prometheus it says what to ask Prometheus
for (docs/how-to/prometheus.md).

Examples:
  serinus init > plan.json
  serinus init --prometheus --output plan.json
  serinus init --kind batch

Exit codes:
  0  written      2  usage or bad input
)";

const std::string judge_help = R"(DATA is CSV in long form, one sample a row:
  timestamp,series,arm,value[,instance][,le][,stage][,labels][,replica][,start]
  2026-11-22T21:21:29Z,http_requests,baseline,806
  2026-11-22T21:21:29Z,http_requests,canary,9
or in wide form, as Grafana and pandas write it, one column a series:
  Time,http_requests stable,http_requests canary
or a document of Prometheus answers, one a series of the plan:
  {"http_requests": {"status": "success", "data": {...}}, "http_errors": {...}}
whose label "track" is "stable" or "canary" (the plan's "arms" can say otherwise).
Counts are those of an interval; cumulative counters, as Prometheus has them, need
"counter": true in their metric.

Without --now the data count as complete, and all of them are judged at once.
With --now the answer is what a watcher would have said at that time: later
samples are left out, intervals that have not settled wait, and silence since
the newest sample makes the data stale.

Data of a plan with several stages say in a column "stage" which they are of. Of
others --stage says it, and --since when that stage began: what came before is
left out. Without both they are of stage 1, from the canary's first sample on.

Examples:
  serinus judge plan.json data.csv
  serinus judge plan.json requests.csv errors.csv --format json
  fetch-metrics | serinus judge plan.json -
  serinus judge plan.json data.csv --now 2026-11-22T21:40:00Z
  serinus judge plan.json data.json --stage 2 --since 2026-11-22T21:30:00Z
  serinus judge plan.json data.csv --format github --summary "$GITHUB_STEP_SUMMARY"
  serinus judge plan.json data.csv --format junit > serinus.xml
)"
#ifndef SERINUS_COMMAND_OF_WHEEL
                               R"(  serinus judge plan.json data.csv --audit rollout.jsonl
)"
#endif
                               "\n" +
                               exit_codes;

const std::string report_help = R"(FILE is what serinus judge --format json wrote. Of several decisions, one a line,
the last one is shown; html also draws how it came about.
The formats for pipelines are those of judge: github (workflow commands), junit,
openmetrics, cdevents (docs/how-to/pipelines.md).

Examples:
  serinus report decision.json
  serinus report decision.json --view executive
  serinus report decision.json --format html > rollout.html

Exit codes:
  0  shown      2  usage or bad input
)";

const std::string replay_help = R"(LOG is what judge --audit appended, or a monitor of C++ (AuditedMonitor): one line of
JSON a decision, with the data that it rests on, each with the hash of the line
before. Every decision is made again and compared. A line that was changed, left
out, put in or moved is named. A torn last line (a process was killed) is named,
and the rest is good. That the log was cut off between two lines is seen by
nobody, unless the last hash was kept elsewhere: --last.

Examples:
  serinus judge plan.json data.csv --audit rollout.jsonl
  serinus replay rollout.jsonl
  serinus replay rollout.jsonl --audit-key key.txt --format json

Exit codes:
  0  as it was written, every decision comes out again
  1  changed, or a decision does not come out again
  2  usage or bad input
  3  the last line is torn, the rest is good
  4  no decision in it
)";

const std::string together_help = R"(For services whose versions need each other: each is judged by its own plan on
its own data. A rollback of any rolls all of them back; they are promoted only
if all are. Good services are ever rolled back with a probability of at most the
sum of their plans' alphas.

Examples:
  serinus judge orders.json orders.csv --format json > orders.decision
  serinus judge payments.json payments.csv --format json > payments.decision
  serinus together orders.decision payments.decision

Exit codes:
  0  promote        1  rollback       2  usage or bad input
  3  hold
)";

const std::string indicators_help = R"(LOG is JSON, one event a line, of any of these kinds, mixed as they come:
  {"event": "deployment_started", "deployment": "pay-12", "time": "2026-11-22T21:40:00Z"}
  {"event": "deployment_succeeded", "deployment": "pay-12", "time": "2026-11-22T21:52:00Z",
   "bad_baseline": 9, "total_baseline": 900, "bad_canary": 1, "total_canary": 100}
(docs/how-to/indicators.md), CDEvents, GitHub's webhooks deployment_status and
workflow_run, and what judge --format json and --audit write.

Ten indicators with their intervals: each passes or fails where the whole
interval lies on one side of its target, and else is open, with how many
deployments would do. html is a page with all of it.

Examples:
  serinus indicators deployments.jsonl
  serinus indicators deployments.jsonl audit.jsonl --format html > delivery.html
  serinus indicators log.jsonl --target deployment_success_rate=99% --format json

Exit codes:
  0  all that can be told pass      1  one fails      2  usage or bad input
  3  one is open, and none fails    4  none can be told
)";

const std::string check_help = R"(Of the plan alone: a burn window or a settling time longer than a stage, a gauge
that has neither noise nor instances, a query that loses the label of the arms
or asks for the rate of what its metric takes for a counter.
With DATA, in the same formats as for judge: which series, arms and instances
were found and how often they are sampled, what was born, restarted or fell,
what is absent, what is ignored, and what would stand in the way of a promotion;
a margin that can hardly be decided within a stage at the data's traffic.
Nothing is judged: no verdict is told.

Examples:
  serinus check plan.json
  serinus check plan.json data.csv
  serinus check plan.json requests.csv errors.csv --format json

Exit codes:
  0  nothing is to be mended      2  something is; usage or bad input
)";

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

const std::string backtest_help = R"(RELEASES has a folder for each former release, with its data as for judge:
  RELEASES/2026-10-09/rollout.csv    the rollout, both arms
  RELEASES/2026-10-09/history.csv    what was before it, if known: noise is
                                     learned from it, as by calibrate
  RELEASES/labels.csv                what is known of them, if anything:
    release,label,since,until
    2026-10-09,bad,2026-10-09T12:00:00Z,
Each release is replayed as a controller would have asked: a look at every
interval that sees what had been sampled by then, and the next stage entered as
soon as the plan promotes (or when a column "stage" says so). Told is what would
have been decided, after how long, by which metric, and which never decide;
with labels also the false alarms (good releases rolled back) and the misses
(bad ones promoted), with 95 % intervals.

Examples:
  serinus backtest plan.json releases/
  serinus backtest plan.json releases/ --try metrics[errors].margin.ratio=2
  serinus backtest plan.json releases/ --try alpha=0.01 --format json
  serinus backtest plan.json releases/ --since canary_ready --format csv

Exit codes:
  0  no labelled release was decided wrongly (or there are no labels)
  1  a good one was rolled back, or a bad one promoted
  2  usage or bad input
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
  3  a ticket fires, there are too few events to say, or a series comes twice
  4  no data
)";

const std::string version_text = std::string("serinus ") + version() + R"(
judges  )" + judged_kinds() +
                                 R"(,
        margins as ratio, difference or ratio with a floor; harm by increase, decrease or either
learns  the noise of both from history
reads   plans in JSON; data in CSV (long and wide), Prometheus answers, OpenMetrics, OTLP/JSON,
        VictoriaMetrics and InfluxDB exports; gzip is unpacked
writes  text, JSON, Markdown, HTML; GitHub annotations, JUnit, OpenMetrics, CDEvents
)";

// ---- from a table to what both programs show, and from what was given to the options

template <class Value>
concept Worded = requires { Words<Value>::table; };

/// "{text,json}"
template <Worded Value>
std::string choices() {
    std::vector<std::string> words;
    for (const auto& entry : Words<Value>::table) words.emplace_back(entry.second);
    return "{" + joined(words, ",") + "}";
}

template <class Options>
Option shown(const Row<Options>& row) {
    Option option{.name = std::string(row.name),
                  .value = std::string(row.value),
                  .help = std::string(row.help),
                  .required = row.need == Need::required};
    static const Options standard{};
    std::visit(
        [&](auto member) {
            using Value = std::remove_cvref_t<decltype(standard.*member)>;
            // What is larger than the struct is no member of it, and GCC looks into it nevertheless.
            if constexpr (sizeof(Value) > sizeof(Options)) return;
            const Value& preset = standard.*member;
            if constexpr (Worded<Value>) {
                option.value = choices<Value>();
                option.help += " [" + std::string(word(preset)) + "]";
            } else if constexpr (std::is_same_v<Value, std::string>) {
                if (!preset.empty()) option.help += " [" + preset + "]";
            } else if constexpr (std::is_same_v<Value, std::vector<std::string>>) {
                option.many = true;
            }
        },
        row.member);
    return option;
}

/// Refuses a text that is none of an option's choices.
void check_choice(const Option& option, const std::string& text) {
    if (!option.value.starts_with('{')) return;
    std::string_view rest = std::string_view(option.value).substr(1);
    while (!rest.empty()) {
        const std::size_t end = rest.find_first_of(",}");
        if (rest.substr(0, end) == text) return;
        rest.remove_prefix(end + 1);
    }
    throw UsageError{option.name + ": " + text + " not in " + option.value};
}

template <class Options>
void take(Options& options, const Row<Options>& row, const std::vector<std::string>& texts) {
    const Option option = shown(row);
    if (texts.size() > 1 && !option.many && !option.value.empty())
        throw UsageError{option.name + ": At Most 1 required but received " + std::to_string(texts.size())};
    for (const std::string& text : texts) check_choice(option, text);
    std::visit(
        [&](auto member) {
            auto& value = options.*member;
            using Value = std::remove_reference_t<decltype(value)>;
            if constexpr (Worded<Value>) {
                value = *parse_word<Value>(texts.front());
            } else if constexpr (std::is_same_v<Value, std::vector<std::string>>) {
                value = texts;
            } else if constexpr (std::is_same_v<Value, bool>) {
                value = true;
            } else if constexpr (std::is_same_v<Value, std::optional<double>>) {
                value = parse_number(texts.front());
                if (!value) throw UsageError{"Could not convert: " + option.name + " = " + texts.front()};
            } else {
                value = texts.front();
            }
        },
        row.member);
}

template <class Options, std::size_t size>
Command command(std::string name, std::string help, std::string more, std::span<const Row<Options>, size> rows,
                Exit (*run)(const Options&)) {
    Command made{.name = std::move(name), .help = std::move(help), .more = std::move(more), .options = {}, .run = {}};
    for (const Row<Options>& row : rows) made.options.push_back(shown(row));
    made.run = [rows, run](const Given& given) {
        Options options;
        for (const Row<Options>& row : rows) {
            if (const auto found = given.find(row.name); found != given.end()) take(options, row, found->second);
        }
        return run(options);
    };
    return made;
}

/// What must be there is, and standard input is read once.
void check(const Command& command, const Given& given) {
    for (const Option& option : command.options) {
        const auto found = given.find(option.name);
        if (option.required && found == given.end()) throw UsageError{option.name + " is required"};
        if (option.positional() && found != given.end() &&
            std::count(found->second.begin(), found->second.end(), "-") > 1)
            throw UsageError{option.name + " names standard input (-) more than once; it can be read once"};
    }
}

}  // namespace

std::string more_help() {
    return "serinus judge --help shows the data formats and examples.\n\nOf judge (the other commands say theirs):\n" +
           exit_codes;
}

std::vector<Command> commands() {
    return {
        command("init", "Write a first plan", init_help, std::span(init_options), init_command),
        command("judge", "Judge a rollout by its plan and all its data", judge_help, std::span(judge_options),
                judge_command),
        command("report", "Show a decision that was written as JSON", report_help, std::span(report_options),
                report_command),
        command("together", "One answer for services that are rolled out together", together_help,
                std::span(together_options), together_command),
        command("check", "Look for what is wrong with a plan, and how its data are understood", check_help,
                std::span(check_options), check_command),
        command("calibrate", "Learn from history how two arms of one version differ", calibrate_help,
                std::span(calibrate_options), calibrate_command),
#ifndef SERINUS_COMMAND_OF_WHEEL
        command("backtest", "What a plan would have done with former releases", backtest_help,
                std::span(backtest_options), backtest_command),
#endif
        command("burn", "How fast a service spends its error budget", burn_help, std::span(burn_options), burn_command),
#ifndef SERINUS_COMMAND_OF_WHEEL
        command("replay", "Make the decisions of an audit log again", replay_help, std::span(replay_options),
                replay_command),
        command("indicators", "How well deployments go: ten indicators of a log", indicators_help,
                std::span(indicators_options), indicators_command),
#endif
        Command{.name = "version",
                .help = "Show the version and what it can do",
                .more = "",
                .options = {},
                .run = [](const Given&) {
                    write_output(version_text);
                    return Exit::promote;
                }}};
}

Exit refuse_usage(const std::string& problem, std::string_view command) {
    write_error("usage: " + with_advice(problem, command));
    return Exit::error;
}

Exit run(std::string_view name, const Given& given) noexcept {
    try {
        const std::vector<Command> all = commands();
        const auto found = std::find_if(all.begin(), all.end(), [&](const auto& known) { return known.name == name; });
        if (found == all.end()) {
            std::vector<std::string> names;
            for (const Command& known : all) names.push_back(known.name);
            return refuse_usage(in_quotes(name) + " is no command; allowed: " + joined(names));
        }
        check(*found, given);
        return found->run(given);
    } catch (const UsageError& error) {
        return refuse_usage(error.problem, name);
    } catch (const Error& error) {
        write_error(error.what());
    } catch (const std::exception& error) {
        write_error(std::string(serinus::name(Code::internal)) + ": " + error.what());
    }
    return Exit::error;
}

}  // namespace cli
}  // namespace v0
}  // namespace serinus
