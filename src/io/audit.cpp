#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/core/state.hpp>
#include <serinus/io/audit.hpp>
#include <serinus/io/decision.hpp>
#include <serinus/io/plan.hpp>
#include <serinus/rollout/monitor_state.hpp>
#include <serinus/series/time.hpp>

#include "audit_chain.hpp"
#include "json.hpp"
#include "observations.hpp"

namespace serinus {
inline namespace v0 {
namespace io {

using nlohmann::ordered_json;

namespace {

constexpr std::int64_t audit_version = 1;

std::string compact_plan(const Plan& plan) { return parse_ordered_json(write_plan(plan), "the plan").dump(); }

ordered_json time_json(std::optional<std::int64_t> ms) {
    return ms && in_time_range(*ms) ? ordered_json(format_time(*ms)) : ordered_json(nullptr);
}

ordered_json build_json(const Build& build) {
    return {{"version", build.version}, {"compiler", build.compiler}, {"target", build.target}, {"id", build.id}};
}

ordered_json now_json(std::optional<std::int64_t> now_ms) {
    return now_ms ? ordered_json(*now_ms) : ordered_json(nullptr);
}

std::optional<std::int64_t> read_now(const ordered_json& line) {
    const ordered_json& now = wanted(line, "now_ms", "");
    if (now.is_null()) return std::nullopt;
    return read_whole(now, "now_ms");
}

}  // namespace

// ---- writing

struct AuditLog::Impl {
    std::string key;
    std::string build = build_json(this_build()).dump();
    std::int64_t number = 1;
    std::string before = no_hash;
    std::string torn;  ///< that the next line tells of
    std::string plan;  ///< the last one, as JSON
    Batch base;        ///< of the last line that has one
    std::string fresh;

    /// `members`: `,"stage":2`, behind what every line has.
    void line(AuditCall call, std::optional<std::int64_t> asked_ms, const std::string& members) {
        std::string content = "{\"n\":" + std::to_string(number) + ",\"before\":\"" + before + "\"" + torn +
                              ",\"call\":\"" + std::string(word(call)) + "\",\"asked\":" + time_json(asked_ms).dump() +
                              ",\"build\":" + build + members;
        before = seal_of(content, key);
        fresh += content + seal_text(content, key) + "\n";
        torn.clear();
        ++number;
    }
    void write_new_plan(const Plan& of, std::string text, std::optional<std::int64_t> asked_ms) {
        line(AuditCall::plan, asked_ms,
             ",\"audit\":" + std::to_string(audit_version) + ",\"digest\":\"" + digest(of) + "\",\"plan\":" + text);
        plan = std::move(text);
    }
    void seen(AuditCall call, const Batch& batch, std::optional<std::int64_t> now_ms, const Decision& decision,
              std::optional<std::int64_t> asked_ms) {
        line(call, asked_ms,
             ",\"now_ms\":" + now_json(now_ms).dump() + ",\"observations\":" + observations_json(batch, base).dump() +
                 decided(decision));
        base = batch;
    }
    static std::string decided(const Decision& decision) { return ",\"decision\":" + write_decision(decision, -1); }
};

AuditLog::AuditLog(std::string_view text, std::string_view key) : impl_(std::make_unique<Impl>()) {
    Impl& log = *impl_;
    log.key = key;
    const Chain chain = chain_of(text, key);
    for (const AuditFinding& finding : chain.findings) {
        if (finding.problem != AuditProblem::torn)
            raise(Code::audit_changed,
                  finding.what + "; allowed: a log as it was written (serinus replay says more), or a new one");
    }
    for (const ChainLine& line : chain.lines) {
        const ordered_json document = parse_ordered_json(line.text, "line " + std::to_string(line.line));
        if (const auto plan = document.find("plan"); plan != document.end()) log.plan = plan->dump();
        if (const auto seen = document.find("observations"); seen != document.end())
            log.base = read_observations(*seen, log.base);
    }
    if (!chain.lines.empty()) {
        log.number = chain.lines.back().number + 1;
        log.before = chain.lines.back().hash;
    }
    if (chain.open) log.fresh = "\n";
    if (!chain.torn.empty()) {
        // The blank tells a torn line that was ended from one that was changed.
        log.fresh = " \n";
        log.torn = torn_text(std::string(chain.torn) + log.fresh);
    }
}

AuditLog::AuditLog(AuditLog&&) noexcept = default;
AuditLog& AuditLog::operator=(AuditLog&&) noexcept = default;
AuditLog::~AuditLog() = default;

void AuditLog::judged(const Plan& plan, const Batch& batch, std::optional<std::int64_t> now_ms,
                      const Decision& decision, std::optional<std::int64_t> asked_ms) {
    std::string text = compact_plan(plan);
    if (text != impl_->plan) impl_->write_new_plan(plan, std::move(text), asked_ms);
    impl_->seen(AuditCall::judge, batch, now_ms, decision, asked_ms);
}

void AuditLog::began(const Plan& plan, std::optional<std::int64_t> asked_ms) {
    impl_->write_new_plan(plan, compact_plan(plan), asked_ms);
}

void AuditLog::observed(const Batch& batch, std::optional<std::int64_t> now_ms, const Decision& decision,
                        std::optional<std::int64_t> asked_ms) {
    impl_->seen(AuditCall::observe, batch, now_ms, decision, asked_ms);
}

void AuditLog::flushed(const Decision& decision, std::optional<std::int64_t> asked_ms) {
    impl_->line(AuditCall::flush, asked_ms, Impl::decided(decision));
}

void AuditLog::entered_stage(int stage, std::int64_t at_ms, const Decision& decision,
                             std::optional<std::int64_t> asked_ms) {
    impl_->line(
        AuditCall::enter_stage, asked_ms,
        ",\"stage\":" + std::to_string(stage) + ",\"at_ms\":" + std::to_string(at_ms) + Impl::decided(decision));
}

void AuditLog::restarted(Arm arm, std::string_view instance, std::int64_t at_ms, const Decision& decision,
                         std::optional<std::int64_t> asked_ms) {
    impl_->line(AuditCall::restart, asked_ms,
                ",\"arm\":\"" + std::string(word(arm)) + "\",\"instance\":" + bytes_json(instance).dump() +
                    ",\"at_ms\":" + std::to_string(at_ms) + Impl::decided(decision));
}

void AuditLog::restored(const MonitorState& state, const Decision& decision, std::optional<std::int64_t> asked_ms) {
    const std::vector<std::byte> bytes = encode(state);
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    impl_->line(AuditCall::restore, asked_ms, ",\"state\":\"" + hex_text(text) + "\"" + Impl::decided(decision));
}

std::string AuditLog::take() {
    if (impl_->fresh.size() < 3) return {};  // the end of the line before alone
    return std::exchange(impl_->fresh, {});
}

AuditedMonitor::AuditedMonitor(Plan plan, AuditLog& log, std::optional<std::int64_t> asked_ms)
    : monitor_(std::move(plan)), log_(&log) {
    log_->began(monitor_.plan(), asked_ms);
}

Decision AuditedMonitor::observe(const Batch& batch, std::optional<std::int64_t> now_ms,
                                 std::optional<std::int64_t> asked_ms) {
    Decision decision = monitor_.observe(batch, now_ms);
    log_->observed(batch, now_ms, decision, asked_ms);
    return decision;
}

Decision AuditedMonitor::flush(std::optional<std::int64_t> asked_ms) {
    Decision decision = monitor_.flush();
    log_->flushed(decision, asked_ms);
    return decision;
}

void AuditedMonitor::enter_stage(int stage, std::int64_t at_ms, std::optional<std::int64_t> asked_ms) {
    monitor_.enter_stage(stage, at_ms);
    log_->entered_stage(stage, at_ms, monitor_.decision(), asked_ms);
}

void AuditedMonitor::restart(Arm arm, std::string_view instance, std::int64_t at_ms,
                             std::optional<std::int64_t> asked_ms) {
    monitor_.restart(arm, instance, at_ms);
    log_->restarted(arm, instance, at_ms, monitor_.decision(), asked_ms);
}

void AuditedMonitor::restore(const MonitorState& state, std::optional<std::int64_t> asked_ms) {
    monitor_.restore(state);
    log_->restored(state, monitor_.decision(), asked_ms);
}

Decision AuditedMonitor::decision() const { return monitor_.decision(); }
MonitorState AuditedMonitor::state() const { return monitor_.state(); }
const Plan& AuditedMonitor::plan() const { return monitor_.plan(); }

// ---- replaying

namespace {

/// What follows from the rest, or names the version: not compared between builds.
bool follows_from_rest(std::string_view key) {
    return key == "sentence" || key == "e_value" || key == "needed_e_value" || key == "version";
}

/// The first place where what comes out is not what was written, in words; nothing where there is none.
std::optional<std::string> difference(const ordered_json& written, const ordered_json& made, bool exactly,
                                      const std::string& path) {
    const auto told = [&] { return path + " is " + shown(written) + ", and " + shown(made) + " comes out"; };
    if (!exactly && written.is_number() && made.is_number()) {
        const double a = written.get<double>(), b = made.get<double>();
        if (std::abs(a - b) <= 1e-9 * std::max(std::abs(a), std::abs(b)) || std::abs(a - b) <= 1e-12)
            return std::nullopt;
        return told();
    }
    if (written.is_object() && made.is_object()) {
        for (const auto& [key, value] : written.items()) {
            if (!exactly && follows_from_rest(key)) continue;
            const auto found = made.find(key);
            if (found == made.end()) return member(path, key) + " is " + shown(value) + ", and does not come out";
            if (auto different = difference(value, *found, exactly, member(path, key))) return different;
        }
        // A later version says more of a decision.
        if (exactly && written.size() != made.size()) return path + " has other members";
        return std::nullopt;
    }
    if (written.is_array() && made.is_array() && written.size() == made.size()) {
        for (std::size_t i = 0; i < written.size(); ++i) {
            if (auto different = difference(written[i], made[i], exactly, element(path, i))) return different;
        }
        return std::nullopt;
    }
    if (written == made && written.type() == made.type()) return std::nullopt;
    return told();
}

/// Whether any evidence lies so close to its threshold that another build may see it on the other side.
bool at_threshold(const ordered_json& value) {
    if (value.is_object() && value.contains("log_e_value") && value.contains("needed_log_e_value")) {
        const ordered_json &has = value["log_e_value"], &needs = value["needed_log_e_value"];
        if (has.is_number() && needs.is_number() && std::abs(has.get<double>() - needs.get<double>()) <= 1e-9)
            return true;
    }
    if (!value.is_structured()) return false;
    return std::any_of(value.begin(), value.end(), at_threshold);
}

/// Makes the decisions of a log again, line by line.
class Replay {
  public:
    explicit Replay(std::string build) : build_(std::move(build)) {}

    /// What the line says of itself, and whether its decision came out; `what` says why it did not.
    AuditedLine line(const ChainLine& of, std::string& what) {
        const ordered_json document = parse_ordered_json(of.text, "line " + std::to_string(of.line));
        AuditedLine told = outline(of, document);
        if (told.call == AuditCall::plan) {
            if (const std::int64_t version = read_whole(wanted(document, "audit", ""), "audit");
                version != audit_version)
                raise(Code::data_document,
                      "audit is " + std::to_string(version) + "; allowed: " + std::to_string(audit_version));
            plan_ = read_plan(wanted(document, "plan", "").dump());
            monitor_.emplace(*plan_);
            told.deployment = plan_->deployment;
            return told;
        }
        const Decision made = decide(told.call, document);
        compare(document, made, told, what);
        return told;
    }

    /// The same without making it again.
    AuditedLine outline(const ChainLine& of) const {
        return outline(of, parse_ordered_json(of.text, "line " + std::to_string(of.line)));
    }

  private:
    AuditedLine outline(const ChainLine& of, const ordered_json& document) const {
        AuditedLine told;
        told.line = of.line;
        const ordered_json& call = wanted(document, "call", "");
        const auto known = call.is_string() ? parse_word<AuditCall>(call.get_ref<const std::string&>()) : std::nullopt;
        if (!known) raise(Code::data_document, "call is " + shown(call) + "; allowed: a call of an audit log");
        told.call = *known;
        told.asked = time_of(wanted(document, "asked", ""));
        told.same_build = !build_.empty() && wanted(document, "build", "").dump() == build_;
        if (const auto decision = document.find("decision"); decision != document.end()) {
            const auto text = [&](const char* key) {
                const auto found = decision->find(key);
                return found != decision->end() && found->is_string() ? found->get<std::string>() : std::string();
            };
            told.decision = text("decision");
            told.deployment = text("deployment");
            if (const auto time = decision->find("time"); time != decision->end()) told.time = time_of(*time);
            told.reproduced = Reproduced::not_tried;
        }
        return told;
    }

    static std::optional<Time> time_of(const ordered_json& value) {
        return value.is_string() ? try_parse_time(value.get_ref<const std::string&>()) : std::nullopt;
    }

    Decision decide(AuditCall call, const ordered_json& line) {
        if (!plan_) raise(Code::data_document, "no plan stands before it; allowed: a log that begins with its plan");
        switch (call) {
            case AuditCall::judge:
            case AuditCall::observe: {
                base_ = read_observations(wanted(line, "observations", ""), base_);
                if (call == AuditCall::judge) return judge(*plan_, base_, read_now(line));
                return monitor_->observe(base_, read_now(line));
            }
            case AuditCall::flush: return monitor_->flush();
            case AuditCall::enter_stage:
                monitor_->enter_stage(static_cast<int>(read_whole(wanted(line, "stage", ""), "stage")),
                                      read_whole(wanted(line, "at_ms", ""), "at_ms"));
                return monitor_->decision();
            case AuditCall::restart: {
                const ordered_json& arm = wanted(line, "arm", "");
                monitor_->restart(arm == "canary" ? Arm::canary : Arm::baseline,
                                  read_bytes(wanted(line, "instance", ""), "instance"),
                                  read_whole(wanted(line, "at_ms", ""), "at_ms"));
                return monitor_->decision();
            }
            case AuditCall::restore: {
                const std::string bytes = from_hex(wanted(line, "state", "").get<std::string>(), "state");
                monitor_->restore(decode<MonitorState>(std::as_bytes(std::span(bytes))));
                return monitor_->decision();
            }
            case AuditCall::plan: break;
        }
        return monitor_->decision();
    }

    static void compare(const ordered_json& line, const Decision& made, AuditedLine& told, std::string& what) {
        const ordered_json& written = wanted(line, "decision", "");
        const std::string text = write_decision(made, -1);
        told.reproduced = Reproduced::exactly;
        if (written.dump() == text) return;
        const ordered_json again = parse_ordered_json(text, "the decision");
        told.reproduced = Reproduced::nearly;
        if (told.same_build) {
            what = difference(written, again, true, "decision").value_or("decision is written in another way");
        } else if (const auto different = difference(written, again, false, "decision")) {
            if (at_threshold(written) || at_threshold(again)) return;
            what = *different;
        } else {
            return;
        }
        told.reproduced = Reproduced::no;
    }

    std::string build_;
    std::optional<Plan> plan_;
    std::optional<Monitor> monitor_;
    Batch base_;
};

}  // namespace

AuditReport replay(std::string_view log, const ReplayOptions& options) {
    const Chain chain = chain_of(log, options.key);
    if (chain.lines.empty() && chain.findings.empty())
        raise(Code::data_empty, "the log has no line; allowed: one that judge or a Monitor wrote");
    AuditReport report{.sealed = chain.sealed,
                       .mended = chain.mended,
                       .last = chain.lines.empty() ? "" : chain.last(),
                       .lines = {},
                       .findings = chain.findings};
    std::optional<std::int64_t> rests;  // the first line that cannot be made again
    for (const AuditFinding& finding : chain.findings) {
        if (finding.problem != AuditProblem::torn) rests = std::min(rests.value_or(finding.line), finding.line);
    }
    const Build build = this_build();
    Replay again(build.id.empty() ? std::string() : build_json(build).dump());
    for (const ChainLine& line : chain.lines) {
        std::string what;
        const std::string where = "line " + std::to_string(line.line);
        try {
            const bool tried = !rests || line.line < *rests;
            report.lines.push_back(tried ? again.line(line, what) : again.outline(line));
            if (report.lines.back().reproduced == Reproduced::no)
                report.findings.push_back(
                    {line.line, AuditProblem::different, where + " is reproduced otherwise: " + what});
        } catch (const std::exception& error) {
            report.findings.push_back(
                {line.line, AuditProblem::unreadable, where + " cannot be made again: " + error.what()});
            rests = std::min(rests.value_or(line.line), line.line);
        }
    }
    if (!options.last.empty() && std::none_of(chain.lines.begin(), chain.lines.end(),
                                              [&](const ChainLine& line) { return line.hash == options.last; })) {
        const std::int64_t end = chain.lines.empty() ? 1 : chain.lines.back().line + 1;
        report.findings.push_back({end, AuditProblem::missing,
                                   "the line with the hash " + printable(options.last, 64) +
                                       " is not there: the log was cut off, or begun anew"});
    }
    std::stable_sort(report.findings.begin(), report.findings.end(),
                     [](const AuditFinding& a, const AuditFinding& b) { return a.line < b.line; });
    return report;
}

std::string write_replay(const AuditReport& report, int indent) {
    ordered_json lines = ordered_json::array(), findings = ordered_json::array();
    const auto time = [](const std::optional<Time>& of) { return of ? time_json(to_ms(*of)) : ordered_json(nullptr); };
    for (const AuditedLine& line : report.lines) {
        lines.push_back({{"line", line.line},
                         {"call", word(line.call)},
                         {"asked", time(line.asked)},
                         {"time", time(line.time)},
                         {"deployment", line.deployment},
                         {"decision", line.decision.empty() ? ordered_json(nullptr) : ordered_json(line.decision)},
                         {"reproduced", word(line.reproduced)},
                         {"same_build", line.same_build}});
    }
    for (const AuditFinding& finding : report.findings)
        findings.push_back({{"line", finding.line}, {"problem", word(finding.problem)}, {"what", finding.what}});
    const ordered_json document{{"good", report.good()},
                                {"sealed", report.sealed},
                                {"mended", report.mended},
                                {"last", report.last},
                                {"exactly", report.count(Reproduced::exactly)},
                                {"nearly", report.count(Reproduced::nearly)},
                                {"different", report.count(Reproduced::no)},
                                {"not_tried", report.count(Reproduced::not_tried)},
                                {"findings", findings},
                                {"lines", lines}};
    return document_text(document, indent);
}

}  // namespace io
}  // namespace v0
}  // namespace serinus
