#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/core/text.hpp>
#include <serinus/io/decision.hpp>
#include <serinus/io/delivery.hpp>
#include <serinus/series/time.hpp>

#include "json.hpp"
#include "parts.hpp"

namespace serinus {
inline namespace v0 {
namespace io {

using delivery::Event;
using delivery::EventKind;
using nlohmann::json;
using nlohmann::ordered_json;

namespace {

constexpr int deepest = 64;

/// A member of an object, by its path; what is in lists is left out.
struct Member {
    std::string path;
    std::string text;
    double number = 0;
    enum class Type { text, number, truth, none } type = Type::none;
};

/// Takes a JSON value down as a list of its members, without building it.
class Flat final : public nlohmann::json_sax<json> {
  public:
    /// False for what is no JSON. What is nested too deeply raises.
    bool read(std::string_view text) {
        size_ = 0;
        depth_ = lists_ = 0;
        path_.clear();
        ends_.clear();
        object_ = false;
        return json::sax_parse(text.begin(), text.end(), this, json::input_format_t::json, true, false) && object_;
    }

    const Member* find(std::string_view path) const {
        for (std::size_t i = 0; i < size_; ++i) {
            if (members_[i].path == path) return &members_[i];
        }
        return nullptr;
    }
    /// The text of a member, or of a number its digits; empty where there is none.
    std::string_view text(std::string_view path) const {
        const Member* const found = find(path);
        return found == nullptr ? std::string_view() : std::string_view(found->text);
    }
    std::size_t size() const { return size_; }
    const Member& operator[](std::size_t i) const { return members_[i]; }

    bool null() override { return put(Member::Type::none, {}, 0); }
    bool boolean(bool value) override { return put(Member::Type::truth, value ? "true" : "false", value ? 1 : 0); }
    bool number_integer(std::int64_t value) override {
        return put(Member::Type::number, std::to_string(value), static_cast<double>(value));
    }
    bool number_unsigned(std::uint64_t value) override {
        return put(Member::Type::number, std::to_string(value), static_cast<double>(value));
    }
    bool number_float(double value, const std::string& text) override { return put(Member::Type::number, text, value); }
    bool string(std::string& value) override { return put(Member::Type::text, value, 0); }
    bool binary(json::binary_t&) override { return true; }
    bool start_object(std::size_t) override {
        object_ = object_ || depth_ == 0;
        return open();
    }
    bool end_object() override { return close(); }
    bool start_array(std::size_t) override {
        ++lists_;
        return open();
    }
    bool end_array() override {
        --lists_;
        return close();
    }
    bool key(std::string& name) override {
        if (lists_ > 0) return true;
        path_.resize(ends_.back());
        if (!path_.empty()) path_ += '.';
        path_ += name;
        return true;
    }
    bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

  private:
    bool open() {
        if (++depth_ > deepest)
            raise(Code::data_size,
                  "an event is nested more than " + std::to_string(deepest) + " deep; allowed: at most that");
        ends_.push_back(path_.size());
        return true;
    }
    bool close() {
        --depth_;
        path_.resize(ends_.back());
        ends_.pop_back();
        return true;
    }
    bool put(Member::Type type, std::string_view text, double number) {
        if (lists_ > 0) return true;
        if (size_ == members_.size()) members_.emplace_back();
        Member& member = members_[size_++];
        member.path = path_;
        member.text = text;
        member.number = number;
        member.type = type;
        return true;
    }

    std::vector<Member> members_;
    std::size_t size_ = 0;
    int depth_ = 0, lists_ = 0;
    std::string path_;
    std::vector<std::size_t> ends_;  ///< of the path before each level
    bool object_ = false;
};

constexpr std::array<std::pair<std::string_view, double delivery::Measures::*>, 9> measures{
    {{"bad_baseline", &delivery::Measures::bad_baseline},
     {"total_baseline", &delivery::Measures::total_baseline},
     {"bad_canary", &delivery::Measures::bad_canary},
     {"total_canary", &delivery::Measures::total_canary},
     {"metrics", &delivery::Measures::metrics},
     {"metrics_with_data", &delivery::Measures::metrics_with_data},
     {"cost_baseline", &delivery::Measures::cost_baseline},
     {"cost_canary", &delivery::Measures::cost_canary},
     {"budget", &delivery::Measures::budget}}};

constexpr std::array<std::string_view, 5> free_words{"service", "environment", "version", "by", "note"};

class LogReader {
  public:
    delivery::Log read(std::string_view text) {
        std::string_view rest = text;
        while (true) {
            const std::size_t begin = std::min(rest.find_first_not_of(" \t\r\n"), rest.size());
            line_ += std::count(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(begin), '\n');
            rest.remove_prefix(begin);
            if (rest.empty()) break;
            value(rest);
        }
        if (unread_ > 0)
            log_.notes.push_back(
                {Code::log_unread,
                 "",
                 {{"count", static_cast<double>(unread_)}, {"line", static_cast<double>(unread_line_)}},
                 false,
                 {{"what", unread_what_}}});
        return std::move(log_);
    }

  private:
    /// Takes one value off the text: most are a line.
    void value(std::string_view& rest) {
        const std::string_view one = rest.substr(0, rest.find('\n'));
        if (flat_.read(one)) {
            rest.remove_prefix(one.size());
            return event(one);
        }
        std::string_view after = rest;
        std::int64_t line = line_;
        const std::string_view several = take_json(after, line);
        if (several.size() > one.size() && flat_.read(several)) {
            event(several);
            line_ += std::count(several.begin(), several.end(), '\n');
            rest = after;
            return;
        }
        if (one.size() == rest.size()) {  // the last line, and it has no end
            log_.notes.push_back({Code::log_torn, "", {{"line", static_cast<double>(line_)}}});
            rest.remove_prefix(rest.size());
            return;
        }
        const json document = parse_json(one, where());  // says what is wrong with it
        raise(Code::data_document, where() + " is " + shown(document) + "; allowed: an object, an event");
    }

    std::string where() const { return "line " + std::to_string(line_); }

    [[noreturn]] void refuse(std::string_view key, const Member& member, std::string_view allowed) const {
        raise(Code::data_document, where() + ": " + printable(key) + " is " +
                                       (member.type == Member::Type::text   ? in_quotes(member.text) + ", a text"
                                        : member.type == Member::Type::none ? "null"
                                                                            : printable(member.text)) +
                                       "; allowed: " + std::string(allowed));
    }

    void event(std::string_view text) {
        if (flat_.find("event")) return own_event();
        if (const Member* type = flat_.find("context.type")) return cd_event("", type->text);
        if (const Member* type = flat_.find("data.context.type")) return cd_event("data.", type->text);
        if (flat_.find("deployment_status.state")) return github_status();
        if (flat_.find("workflow_run.id")) return github_run();
        if (flat_.find("decision.decision") || (flat_.find("decision") && flat_.find("digest") && flat_.find("stage")))
            return decision(text);
        // Lines of an audit log without a decision, and what tells nothing.
        if (flat_.find("before") && flat_.find("call")) return;
        unread("none of the kinds that are read");
    }

    void unread(std::string what) {
        if (unread_++ > 0) return;
        unread_line_ = line_;
        unread_what_ = std::move(what);
    }

    std::int64_t time_of(std::string_view path) const {
        const Member* const found = flat_.find(path);
        if (found == nullptr)
            raise(Code::data_document, where() + " has no " + std::string(path) + "; allowed: an event with its time");
        if (found->type == Member::Type::number)
            return to_ms(time_from_number(found->number, where() + ": " + std::string(path)));
        return to_ms(parse_time(found->text, where() + ": " + std::string(path)));
    }

    Event& add(EventKind kind, std::int64_t time_ms, std::string_view deployment) {
        Event& fresh = log_.events.emplace_back();
        fresh.kind = kind;
        fresh.time_ms = time_ms;
        fresh.deployment = deployment;
        fresh.line = line_;
        return fresh;
    }

    // ---- our own

    void own_event() {
        const Member& word_of = *flat_.find("event");
        const auto kind = word_of.type == Member::Type::text ? parse_word<EventKind>(word_of.text) : std::nullopt;
        if (!kind) refuse("event", word_of, allowed_words<EventKind>());
        Event& fresh = add(*kind, time_of("time"), {});
        for (std::size_t i = 0; i < flat_.size(); ++i) {
            const Member& member = flat_[i];
            if (flat_.find(member.path) != &member)
                raise(Code::data_document,
                      where() + " has the key " + in_quotes(member.path) + " twice; allowed: once");
            if (member.path == "event" || member.path == "time") continue;
            own_member(fresh, member);
        }
        const bool run = *kind == EventKind::pipeline_finished;
        const bool judged = run || *kind == EventKind::canary_verified;
        const auto needs = [&](bool missing, std::string_view key) {
            if (missing)
                raise(Code::data_document, where() + " is " + std::string(word(*kind)) + " and has no " +
                                               std::string(key) + "; allowed: one with it");
        };
        needs(!run && fresh.deployment.empty(), "deployment");
        needs(run && fresh.pipeline.empty(), "pipeline");
        needs(judged && flat_.find("passed") == nullptr, "passed");
    }

    void own_member(Event& fresh, const Member& member) {
        const auto take_text = [&](std::string& to) {
            if (member.type != Member::Type::text && member.type != Member::Type::number)
                refuse(member.path, member, "a text");
            to = member.text;
        };
        if (member.path == "deployment") return take_text(fresh.deployment);
        if (member.path == "pipeline") return take_text(fresh.pipeline);
        if (member.path == "commit") return take_text(fresh.commit);
        if (member.path == "passed") {
            if (member.type != Member::Type::truth) refuse(member.path, member, "true, false");
            fresh.passed = member.number > 0;
            return;
        }
        for (const auto& [name, at] : measures) {
            if (member.path != name) continue;
            if (member.type != Member::Type::number || !(member.number >= 0) || !std::isfinite(member.number))
                refuse(member.path, member, "a number, 0 or more");
            fresh.measures.*at = member.number;
            return;
        }
        const std::string_view first = std::string_view(member.path).substr(0, member.path.find('.'));
        if (std::find(free_words.begin(), free_words.end(), first) != free_words.end()) return;
        raise(Code::data_document,
              where() + " has the key " + in_quotes(member.path) +
                  ", which no event has; allowed: event, time, deployment, pipeline, commit, passed, bad_baseline, "
                  "total_baseline, bad_canary, total_canary, metrics, metrics_with_data, cost_baseline, cost_canary, "
                  "budget, and for people service, environment, version, by, note");
    }

    template <class Enum>
    static std::string allowed_words() {
        std::vector<std::string> words;
        for (const auto& entry : Words<Enum>::table) words.emplace_back(entry.second);
        return joined(words);
    }

    // ---- CDEvents

    /// "dev.cdevents.service.deployed.0.3.0": its subject and predicate, without the version.
    void cd_event(const std::string& within, std::string_view type) {
        constexpr std::string_view prefix = "dev.cdevents.";
        const auto at = [&](std::string_view path) { return within + std::string(path); };
        const std::string_view chain = flat_.text(at("context.chainId"));
        std::string deployment(flat_.text(at("customData.deployment.id")));
        if (!chain.empty()) {
            const auto [known, fresh] =
                chains_.try_emplace(std::string(chain), deployment.empty() ? std::string(chain) : deployment);
            if (deployment.empty()) deployment = known->second;
        }
        if (!type.starts_with(prefix)) return unread("the type " + printable(type));
        const std::string_view what = type.substr(prefix.size());
        const auto is = [&](std::string_view name) { return what.starts_with(name); };
        const bool deployed = is("service.deployed.") || is("service.upgraded."), back = is("service.rolledback."),
                   incident = is("incident.detected."), run = is("pipelinerun.finished.");
        if (!(deployed || back || incident || run) || (incident && deployment.empty())) return unread(printable(type));
        const std::int64_t time = time_of(at("context.timestamp"));
        if (run) {
            Event& fresh = add(EventKind::pipeline_finished, time, {});
            fresh.passed = flat_.text(at("subject.content.outcome")) == "success";
            fresh.pipeline = flat_.text(at("subject.content.pipelineName"));
            fresh.commit = flat_.text(at("customData.commit"));
            return;
        }
        // Of events without an id and without a chain: what was deployed where.
        if (deployment.empty())
            deployment = std::string(flat_.text(at("subject.id"))) + " " +
                         std::string(flat_.text(at("subject.content.artifactId")));
        add(deployed   ? EventKind::deployment_succeeded
            : incident ? EventKind::rollback_started
                       : EventKind::rollback_finished,
            time, deployment);
    }

    // ---- GitHub

    void github_status() {
        const std::string_view state = flat_.text("deployment_status.state");
        const std::string deployment(flat_.text("deployment.id"));
        if (deployment.empty()) return unread("a deployment_status without its deployment.id");
        if (begun_.insert(deployment).second && flat_.find("deployment.created_at"))
            add(EventKind::deployment_started, time_of("deployment.created_at"), deployment);
        const std::int64_t time = time_of("deployment_status.created_at");
        if (state == "waiting") {
            add(EventKind::deployment_waiting, time, deployment);
        } else if (state == "in_progress" || state == "queued") {
            add(EventKind::deployment_resumed, time, deployment);
        } else if (state == "success") {
            add(EventKind::deployment_succeeded, time, deployment);
        } else if (state == "failure" || state == "error") {
            add(EventKind::deployment_failed, time, deployment);
        } else if (state != "pending" && state != "inactive") {
            unread("the state " + printable(state));
        }
    }

    void github_run() {
        const std::string_view conclusion = flat_.text("workflow_run.conclusion");
        const bool failed = conclusion == "failure" || conclusion == "timed_out" || conclusion == "startup_failure";
        if (conclusion != "success" && !failed) return;  // it runs, was cancelled or skipped
        Event& fresh = add(EventKind::pipeline_finished, time_of("workflow_run.updated_at"), {});
        fresh.passed = !failed;
        fresh.pipeline = flat_.text("workflow_run.name");
        fresh.commit = flat_.text("workflow_run.head_sha");
    }

    // ---- decisions of ours

    void decision(std::string_view text) {
        Decision found;
        try {
            ordered_json document = parse_ordered_json(text, where());
            found = read_decision((document["decision"].is_object() ? document["decision"] : document).dump());
        } catch (const Error& error) {
            raise(error.within(where()));
        }
        const std::string& id = found.deployment.empty() ? found.plan : found.deployment;
        if (!found.time) return;
        const std::int64_t time = to_ms(*found.time);
        add(EventKind::canary_started, time - found.elapsed.count(), id);
        const bool promoted = found.action == Action::promote && found.finished;
        if (!promoted && found.action != Action::rollback) return;
        Event& fresh = add(EventKind::canary_verified, time, id);
        fresh.passed = promoted;
        fresh.measures = measured(found);
    }

    static delivery::Measures measured(const Decision& decision) {
        delivery::Measures found;
        found.metrics = found.metrics_with_data = 0;
        bool critical = false;
        for (const MetricResult& metric : decision.metrics) {
            if (metric.muted) continue;
            ++found.metrics;
            found.metrics_with_data += metric.verdict != Verdict::no_data ? 1 : 0;
            if (metric.kind != Kind::proportion || critical || (!std::isnan(found.total_canary) && !metric.critical))
                continue;
            critical = metric.critical;
            const auto number = [&](std::string_view name) {
                for (const NamedNumber& of : metric.observed) {
                    if (of.name == name) return of.value;
                }
                return std::numeric_limits<double>::quiet_NaN();
            };
            found.bad_baseline = number("bad_baseline");
            found.total_baseline = number("total_baseline");
            found.bad_canary = number("bad_canary");
            found.total_canary = number("total_canary");
        }
        for (const BurnResult& burn : decision.burn) {
            const double share = burn.share.estimate;
            if (!(found.budget >= share)) found.budget = share;
        }
        return found;
    }

    delivery::Log log_;
    Flat flat_;
    std::int64_t line_ = 1;
    std::int64_t unread_ = 0, unread_line_ = 0;
    std::string unread_what_;
    std::unordered_map<std::string, std::string> chains_;  ///< the deployment of each chain of CDEvents
    std::unordered_set<std::string> begun_;                ///< GitHub's deployments whose beginning was told
};

}  // namespace

delivery::Log read_delivery(std::string_view text) { return LogReader().read(text); }

std::string write_indicators(const delivery::Report& report, int indent) {
    const auto time = [](const std::optional<Time>& of) {
        return of && in_time_range(to_ms(*of)) ? ordered_json(format_time(*of)) : ordered_json(nullptr);
    };
    ordered_json all = ordered_json::array();
    for (const delivery::Indicator& of : report.indicators) {
        ordered_json history = ordered_json::array();
        for (const delivery::TrendPoint& point : of.history)
            history.push_back(
                {{"time", time(point.time)}, {"value", number_json(point.value)}, {"count", point.count}});
        all.push_back({{"indicator", word(of.kind)},
                       {"unit", word(of.unit)},
                       {"verdict", word(of.verdict)},
                       {"estimate", number_json(of.estimate)},
                       {"lower", number_json(of.lower)},
                       {"upper", number_json(of.upper)},
                       {"confidence", number_json(of.confidence)},
                       {"count", of.count},
                       {"target", number_json(of.target)},
                       {"at_least", of.at_least},
                       {"trend", word(of.trend)},
                       {"trend_p_value", number_json(of.trend_p_value)},
                       {"halves", {number_json(of.halves[0]), number_json(of.halves[1])}},
                       {"beside", numbers_json(of.beside)},
                       {"reasons", reasons_json(of.reasons)},
                       {"history", std::move(history)}});
    }
    const ordered_json document{{"from", time(report.from)},         {"to", time(report.to)},
                                {"deployments", report.deployments}, {"runs", report.runs},
                                {"indicators", std::move(all)},      {"notes", reasons_json(report.notes)}};
    return document_text(document, indent);
}

}  // namespace io
}  // namespace v0
}  // namespace serinus
