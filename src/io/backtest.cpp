#include <algorithm>
#include <charconv>
#include <cstddef>
#include <map>
#include <utility>

#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/core/text.hpp>
#include <serinus/io/backtest.hpp>
#include <serinus/io/plan.hpp>
#include <serinus/series/time.hpp>

#include "encoding.hpp"
#include "json.hpp"
#include "parts.hpp"
#include "records.hpp"

namespace serinus {
inline namespace v0 {
namespace io {

using nlohmann::ordered_json;

namespace {

[[noreturn]] void refuse_change(std::string_view change, const std::string& why) {
    raise(Code::argument_word, "the change is " + in_quotes(change, 200) + why);
}

/// The element that "[0]" or "[errors]" means.
ordered_json& element_of(ordered_json& list, std::string_view which, std::string_view change) {
    std::size_t index = 0;
    const auto [end, problem] = std::from_chars(which.data(), which.data() + which.size(), index);
    const bool number = problem == std::errc() && end == which.data() + which.size();
    if (list.is_array() && number && index < list.size()) return list[index];
    if (list.is_array() && !number) {
        for (ordered_json& one : list) {
            const auto name = one.find("name");  // end() of what is no object
            if (name != one.end() && *name == std::string(which)) return one;
        }
    }
    refuse_change(change, ", and the plan has no [" + printable(which) +
                              "] there; allowed: an element by its place from 0, or by its name");
}

/// The member that a path means, added where it is not there.
ordered_json& member_of(ordered_json& document, std::string_view path, std::string_view change) {
    constexpr std::string_view allowed = "; allowed: KEY=VALUE, such as metrics[0].margin.ratio=2";
    ordered_json* at = &document;
    while (!path.empty()) {
        const bool bracket = path.front() == '[';
        const std::size_t end = bracket ? path.find(']') : std::min(path.find_first_of(".["), path.size());
        if (end == std::string_view::npos || end == 0) refuse_change(change, std::string(allowed));
        const std::string_view word = path.substr(bracket ? 1 : 0, end - (bracket ? 1 : 0));
        path.remove_prefix(end + (bracket ? 1 : 0));
        if (bracket) {
            at = &element_of(*at, word, change);
        } else {
            if (!at->is_null() && !at->is_object())
                refuse_change(change, ", and what stands before ." + printable(word) + " is " + shown(*at) +
                                          std::string(allowed));
            at = &(*at)[std::string(word)];
        }
        if (path.empty() || path.front() == '[') continue;
        if (path.front() != '.' || path.size() == 1) refuse_change(change, std::string(allowed));
        path.remove_prefix(1);
    }
    return *at;
}

ordered_json share_json(const ReleaseShare& share) {
    return {{"count", share.count},
            {"of", share.of},
            {"lower", number_json(share.lower)},
            {"upper", number_json(share.upper)}};
}

ordered_json label_json(std::optional<ReleaseLabel> label) {
    return label ? ordered_json(word(*label)) : ordered_json(nullptr);
}

ordered_json run_json(const Backtest& run) {
    ordered_json out{{"digest", run.digest},
                     {"promoted", run.promoted},
                     {"held", run.held},
                     {"rolled_back", run.rolled_back},
                     {"confidence", number_json(run.confidence)},
                     {"false_alarms", share_json(run.false_alarms)},
                     {"misses", share_json(run.misses)},
                     {"good_held", share_json(run.good_held)},
                     {"bad_held", share_json(run.bad_held)},
                     {"metrics", ordered_json::array()},
                     {"releases", ordered_json::array()}};
    for (const MetricRecord& metric : run.metrics) {
        out["metrics"].push_back({{"name", metric.name},
                                  {"rolled_back", metric.rolled_back},
                                  {"alone", metric.alone},
                                  {"good", metric.good},
                                  {"held", metric.held},
                                  {"without_data", metric.without_data},
                                  {"never_decided", metric.never_decided()}});
    }
    for (const ReplayedRelease& release : run.releases) {
        out["releases"].push_back({{"name", release.name},
                                   {"label", label_json(release.label)},
                                   {"decision", word(release.decision)},
                                   {"stage", release.stage},
                                   {"minutes", number_json(release.minutes)},
                                   {"unready", release.unready},
                                   {"decided_by", release.decided_by},
                                   {"without_data", release.without_data},
                                   {"reasons", reasons_json(release.reasons)}});
    }
    return out;
}

void require_runs(std::span<const Backtest> runs) {
    if (runs.empty()) raise(Code::argument_length, "there is no back-test; allowed: at least one");
}

/// A cell of CSV that no spreadsheet takes for a formula.
std::string cell(std::string text) {
    if (!text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos)
        text.insert(0, 1, '\'');
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string quoted = "\"";
    for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + '"';
}

}  // namespace

Plan changed_plan(const Plan& plan, std::string_view change) {
    const std::size_t equals = change.find('=');
    if (equals == std::string_view::npos || equals == 0)
        refuse_change(change, "; allowed: KEY=VALUE, such as metrics[0].margin.ratio=2");
    ordered_json document = parse_ordered_json(write_plan(plan), "the plan");
    const std::string_view value = change.substr(equals + 1);
    ordered_json& member = member_of(document, change.substr(0, equals), change);
    try {
        member = parse_ordered_json(value, "the value");
    } catch (const Error&) {
        member = std::string(value);
    }
    return read_plan(document_text(document, -1));
}

std::vector<KnownRelease> read_release_labels(std::string_view bytes, std::string_view since_column,
                                              std::string_view until_column) {
    std::string storage;
    Records records(to_utf8(bytes, storage, std::uint64_t{1} << 30));
    std::vector<std::string_view> cells;
    std::vector<std::string> header;
    if (records.next(cells, 1000)) header.assign(cells.begin(), cells.end());
    const auto place_of = [&](std::string_view name, bool needed) -> std::optional<std::size_t> {
        const auto at = std::find(header.begin(), header.end(), name);
        if (at == header.end() && !needed) return std::nullopt;
        if (at == header.end())
            raise(Code::data_column, "line 1 has no column " + in_quotes(name) +
                                         "; allowed: release, label and, if you like, since and until");
        if (std::find(at + 1, header.end(), name) != header.end())
            raise(Code::data_column, "line 1 has the column " + in_quotes(name) + " twice; allowed: once");
        return static_cast<std::size_t>(at - header.begin());
    };
    const auto release = place_of("release", true), label = place_of("label", true);
    const auto since = place_of(since_column.empty() ? "since" : since_column, !since_column.empty());
    const auto until = place_of(until_column.empty() ? "until" : until_column, !until_column.empty());

    std::vector<KnownRelease> known;
    std::map<std::string, std::string, std::less<>> lines;
    while (records.next(cells, 1000)) {
        const std::string line = line_name(records.line());
        if (cells.size() != header.size())
            raise(Code::data_column, line + " has " + std::to_string(cells.size()) +
                                         " cells; allowed: as many as the header, " + std::to_string(header.size()));
        KnownRelease& row = known.emplace_back();
        row.release = cells[*release];
        if (row.release.empty()) raise(Code::data_value, line + " names no release; allowed: the name of its folder");
        const auto [before, fresh] = lines.emplace(row.release, line);
        if (!fresh)
            raise(Code::data_value, line + " names the release " + in_quotes(row.release) + " again, after " +
                                        before->second + "; allowed: once");
        const std::string_view text = cells[*label];
        row.label = parse_word<ReleaseLabel>(text);
        if (!text.empty() && !row.label)
            raise(Code::data_value, line + ", column label is " + in_quotes(text) +
                                        "; allowed: " + allowed_words<ReleaseLabel>() + ", or empty");
        const auto time = [&](std::optional<std::size_t> place) -> std::optional<std::int64_t> {
            if (!place || cells[*place].empty()) return std::nullopt;
            return to_ms(parse_time(cells[*place], line + ", column " + printable(header[*place])));
        };
        row.since_ms = time(since);
        row.until_ms = time(until);
    }
    return known;
}

std::string write_backtest(std::span<const Backtest> runs, int indent) {
    require_runs(runs);
    const Backtest& first = runs.front();
    ordered_json out{{"version", version()}, {"plan", first.plan}};
    out.update(run_json(first));
    out["tries"] = ordered_json::array();
    for (const Backtest& run : runs.subspan(1)) {
        ordered_json tried{{"change", run.change}, {"changed", ordered_json::array()}};
        for (const std::size_t i : changed_releases(first, run)) {
            const ReplayedRelease& release = run.releases[i];
            tried["changed"].push_back({{"name", release.name},
                                        {"label", label_json(release.label)},
                                        {"before", word(first.releases[i].decision)},
                                        {"after", word(release.decision)}});
        }
        tried.update(run_json(run));
        out["tries"].push_back(std::move(tried));
    }
    return document_text(out, indent);
}

std::string write_backtest_csv(std::span<const Backtest> runs) {
    require_runs(runs);
    std::string out = "try,release,label,decision,stage,minutes,decided_by,reasons\n";
    for (const Backtest& run : runs) {
        for (const ReplayedRelease& release : run.releases) {
            std::vector<std::string> reasons;
            for (const Reason& reason : release.reasons) reasons.push_back(name(reason));
            out += cell(run.change) + ',' + cell(release.name) + ',' +
                   (release.label ? std::string(word(*release.label)) : std::string()) + ',' +
                   std::string(word(release.decision)) + ',' + std::to_string(release.stage) + ',' +
                   number_text(release.minutes, 17) + ',' + cell(joined(release.decided_by, ";")) + ',' +
                   cell(joined(reasons, ";")) + '\n';
        }
    }
    return out;
}

}  // namespace io
}  // namespace v0
}  // namespace serinus
