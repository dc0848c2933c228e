#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/words.hpp>
#include <serinus/io/burn.hpp>
#include <serinus/io/rules.hpp>
#include <serinus/report/burn.hpp>
#include <serinus/rollout/service.hpp>
#include <serinus/series/duration.hpp>
#include <serinus/series/time.hpp>
#include <serinus/slo/burn_report.hpp>

#include "cli/inputs.hpp"
#include "cli/options.hpp"
#include "cli/promise.hpp"

namespace serinus {
inline namespace v0 {
namespace cli {
namespace {

/// What says something about data says nothing to rules, and is refused rather than ignored.
std::string rules_of(const BurnOptions& options) {
    const std::array<std::pair<std::string_view, bool>, 10> idle{{{"DATA", !options.data.empty()},
                                                                  {"--arms", !options.arms.empty()},
                                                                  {"--columns", !options.columns.empty()},
                                                                  {"--good", !options.good.empty()},
                                                                  {"--windows", !options.windows.empty()},
                                                                  {"--semantics", options.semantics != "exact"},
                                                                  {"--arm", options.arm != "both"},
                                                                  {"--deltas", options.deltas},
                                                                  {"--now", options.now.has_value()},
                                                                  {"--format json", options.format == Format::json}}};
    for (const auto& [name, there] : idle) {
        if (there)
            refuse_beside(name, "--rules",
                          "--bad and --total as PromQL selectors, --name, the objective and its policy, or --plan");
    }
    if (options.name.empty() && options.plan.empty())
        raise(Code::argument_range,
              "--name is missing; allowed: the objective's name, which --rules takes as label slo");
    const Promise promise = promise_of(options);
    io::RulesOptions rules{.bad = promise.selector(promise.names.bad, "--bad", options.bad),
                           .total = promise.selector(promise.names.total, "--total", options.total)};
    rules.good = promise.selector(promise.names.good, "--bad", {}, promise.names.le);
    if (!options.interval.empty()) rules.interval = parse_duration(options.interval, "--interval");
    if (!options.no_data.empty()) rules.no_data = require_word<Severity>("--no-data", options.no_data);
    return io::write_rules(promise.objective, promise.policy, rules);
}

slo::BurnReportOptions report_options(const BurnOptions& options) {
    slo::BurnReportOptions asked{.semantics = require_word<slo::Semantics>("--semantics", options.semantics)};
    for (std::string_view rest = options.windows; !rest.empty();) {
        const std::size_t comma = std::min(rest.find(','), rest.size());
        asked.windows.push_back(parse_duration(rest.substr(0, comma), "--windows"));
        rest.remove_prefix(std::min(rest.size(), comma + 1));
    }
    if (options.now) asked.now = parse_time(*options.now, "--now");
    if (!options.interval.empty()) asked.interval = parse_duration(options.interval, "--interval");
    require(asked.interval.count() > 0, "--interval", static_cast<double>(asked.interval.count()), "above 0 ms");
    return asked;
}

struct Found {
    slo::BurnReport report;
    std::optional<EqualSeries> equal;
};

/// Nothing where the data are not what they are taken for, which is said then.
std::optional<Found> report_of(const BurnOptions& options) {
    Promise promise = promise_of(options);
    if (!options.no_data.empty())
        refuse_beside("--no-data", "DATA", "--no-data with --rules; no data is exit code 4 here");
    const slo::BurnReportOptions asked = report_options(options);
    promise.names.start_times = asked.semantics == slo::Semantics::exact;
    if (options.arm != "both") promise.names.arm = require_word<Arm>("--arm", options.arm);
    const Batch batch =
        read_service_files(options.data, promise.reading, {promise.names.bad, promise.names.good, promise.names.total},
                           {options.arms, options.columns});
    const std::vector<slo::ServiceSeries> series = service_series(batch, promise.names, "--");
    if (promise.names.kind == slo::SeriesKind::delta) {
        note_counters(batch, {promise.names.bad, promise.names.good, promise.names.total},
                      options.plan.empty() ? "leave out --deltas" : "the plan's metric needs \"counter\": true");
    }
    if (const auto counts = counts_for_counter(series)) {
        const std::string& name = counts->role == slo::Role::bad    ? promise.names.bad
                                  : counts->role == slo::Role::good ? promise.names.good
                                                                    : promise.names.total;
        write_error(in_quotes(name) + " falls in " + std::to_string(counts->falls) + " of " +
                    std::to_string(counts->steps) +
                    " steps, as no cumulative counter does, and no burn rate is told of it: counts an interval need " +
                    (options.plan.empty() ? "--deltas" : "\"counter\": false in the plan's metric"));
        return std::nullopt;
    }
    Found found{slo::burn_report(promise.objective, promise.policy, series, asked),
                equal_series(batch, promise.names, "--")};
    if (const auto& twins = found.equal) {
        write_error("note: " + twins->series + " and " + twins->other + " of the " + std::string(word(twins->arm)) +
                    " are equal sample by sample: if one target is scraped twice, all of its events count twice; " +
                    "name the label that tells its collectors apart in the plan's \"replica_labels\"");
    }
    return found;
}

}  // namespace

Exit burn_command(const BurnOptions& options) {
    if (options.rules) {
        write_output(rules_of(options));
        return Exit::promote;
    }
    if (options.data.empty()) raise(Code::argument_range, "DATA is missing; allowed: at least one file, or --rules");
    const std::optional<Found> known = report_of(options);
    if (!known) return Exit::no_data;
    const slo::BurnReport& report = known->report;
    write_output(options.format == Format::json ? io::write_burn(report) + "\n"
                                                : report::text(report, {.color = colored(options.color)}));
    if (report.firing == Severity::page) return Exit::rollback;
    if (!report.has_data()) return Exit::no_data;
    // Conditions of severity info only inform.
    // Series that are counted twice make no burn rate that a release could be promoted on.
    return report.firing == Severity::ticket || report.insufficient() || known->equal ? Exit::hold : Exit::promote;
}

}  // namespace cli
}  // namespace v0
}  // namespace serinus
