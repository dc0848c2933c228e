#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>

#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/core/text.hpp>
#include <serinus/report/record.hpp>
#include <serinus/rollout/monitor.hpp>
#include <serinus/series/time.hpp>

#include "cli/inputs.hpp"
#include "cli/options.hpp"
#ifndef SERINUS_COMMAND_OF_WHEEL
#include "cli/audit_file.hpp"
#endif

namespace serinus {
inline namespace v0 {
namespace cli {
namespace {

/// The code of a decision. `no_data`: a hold because no metric that could decide has any data.
Exit exit_of(const Decision& decision) {
    switch (decision.action) {
        case Action::promote: return Exit::promote;
        case Action::rollback: return Exit::rollback;
        case Action::hold: break;
    }
    bool any = false, data = false;
    for (const MetricResult& metric : decision.metrics) {
        if (metric.muted) continue;
        any = true;
        data = data || metric.verdict != Verdict::no_data;
    }
    return any && !data ? Exit::no_data : Exit::hold;
}

/// What a hold returns, where it is told.
std::optional<Exit> exit_of_hold(const std::optional<double>& code) {
    if (!code) return std::nullopt;
    if (!(*code >= 0 && *code <= 255 && *code == std::floor(*code)))
        raise(Code::argument_range,
              "--hold-exit-code is " + given_text(*code) + "; allowed: a whole number from 0 to 255");
    return static_cast<Exit>(static_cast<int>(*code));
}

constexpr int looks_of_a_page = 120;

/// What --stage and --since say of the data.
void tell_stage(Batch& batch, const JudgeOptions& options, std::optional<std::int64_t> now_ms) {
    if (!options.stage && !options.since) return;
    const std::string text = options.stage.value_or("1");
    const auto stage = parse_number(text);
    if (!stage || !(*stage >= 1 && *stage <= 1e6 && *stage == std::floor(*stage)))
        raise(Code::argument_range, "--stage is " + in_quotes(text) + "; allowed: the number of a stage, from 1");
    std::optional<std::int64_t> since_ms;
    if (options.since) since_ms = to_ms(parse_time(*options.since, "--since"));
    if (since_ms && now_ms && *since_ms > *now_ms)
        raise(Code::argument_range,
              "--since is " + format_time(*since_ms) + ", after --now; allowed: at most " + format_time(*now_ms));
    batch.begin_stage(static_cast<std::int64_t>(*stage), since_ms);
}

}  // namespace

Exit judge_command(const JudgeOptions& options) {
    const std::optional<Exit> of_hold = exit_of_hold(options.hold_exit_code);
    std::optional<std::int64_t> now_ms;
    if (options.now) now_ms = to_ms(parse_time(*options.now, "--now"));
#ifndef SERINUS_COMMAND_OF_WHEEL
    if (options.audit_key && !options.audit)
        raise(Code::argument_range, "--audit-key is given without a log; allowed: beside --audit");
    std::optional<AuditFile> audit;
    if (options.audit) audit.emplace(*options.audit, options.audit_key ? read_key_file(*options.audit_key) : "");
#endif
    const Plan plan = read_plan_file(options.plan);
    Batch batch = read_data_files(options.data, plan, {options.arms, options.columns});
    tell_stage(batch, options, now_ms);
    note_counters(batch, plan);

    // A page shows how it came about, the others only what was decided.
    const int looks = options.format == ReportFormat::html ? looks_of_a_page : 0;
    const report::Record record = report::recorded(plan, std::move(batch), now_ms, looks);
    const Decision& decision = record.decisions.back();
#ifndef SERINUS_COMMAND_OF_WHEEL
    if (audit) {
        audit->append([&](io::AuditLog& log) { log.judged(record.plan, record.batch, now_ms, decision, clock_ms()); });
    }
#endif
    write_decision(record, options);
    return decision.action == Action::hold && of_hold ? *of_hold : exit_of(decision);
}

}  // namespace cli
}  // namespace v0
}  // namespace serinus
