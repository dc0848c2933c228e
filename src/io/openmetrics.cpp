#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/core/text.hpp>
#include <serinus/io/openmetrics.hpp>
#include <serinus/series/time.hpp>

#include "label_sets.hpp"

namespace serinus {
inline namespace v0 {
namespace io {

namespace {

constexpr std::string_view line_allowed =
    "NAME{LABEL=\"VALUE\",...} NUMBER [TIMESTAMP], {\"NAME\",LABEL=\"VALUE\",...} NUMBER [TIMESTAMP], or a comment "
    "that begins with #";

/// A line in pieces, or what is wrong with it.
struct Line {
    std::string name;
    Labels labels;
    std::string_view value;
    std::string_view time;   ///< empty: none
    std::string_view start;  ///< of `st@...`; empty: none
    std::string_view problem;
    bool braces = false;
};

void pass_blanks(std::string_view& rest) { rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size())); }

std::string_view take_word(std::string_view& rest) {
    pass_blanks(rest);
    const std::string_view word = rest.substr(0, rest.find_first_of(" \t"));
    rest.remove_prefix(word.size());
    return word;
}

bool is_name_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == ':' ||
           c == '.';
}

std::string_view take_name(std::string_view& rest) {
    std::size_t end = 0;
    while (end < rest.size() && is_name_character(rest[end])) ++end;
    const std::string_view name = rest.substr(0, end);
    rest.remove_prefix(end);
    return name;
}

/// Takes a text in quotes off the front; false when it does not end.
bool take_quoted(std::string_view& rest, std::string& text) {
    for (std::size_t i = 1; i < rest.size(); ++i) {
        if (rest[i] == '"') {
            rest.remove_prefix(i + 1);
            return true;
        }
        if (rest[i] != '\\' || i + 1 >= rest.size()) {
            text += rest[i];
            continue;
        }
        ++i;
        if (rest[i] == 'n') {
            text += '\n';
        } else {
            if (rest[i] != '\\' && rest[i] != '"') text += '\\';
            text += rest[i];
        }
    }
    return false;
}

/// What is between braces; what is wrong with it, or nothing.
std::string_view take_labels(std::string_view& rest, Line& line) {
    rest.remove_prefix(1);
    while (true) {
        pass_blanks(rest);
        if (rest.empty()) return "its labels do not end";
        if (rest.front() == '}') {
            rest.remove_prefix(1);
            return {};
        }
        std::string name;
        const bool quoted = rest.front() == '"';
        if (quoted) {
            if (!take_quoted(rest, name)) return "a text in quotes does not end";
        } else {
            name = take_name(rest);
        }
        pass_blanks(rest);
        if (!rest.empty() && rest.front() == '=') {
            rest.remove_prefix(1);
            pass_blanks(rest);
            std::string value;
            if (name.empty()) return "a label has no name";
            if (rest.empty() || rest.front() != '"') return "the value of a label is not in quotes";
            if (!take_quoted(rest, value)) return "a text in quotes does not end";
            if (!line.labels.emplace(std::move(name), std::move(value)).second) return "a label is given twice";
        } else {
            if (!quoted || !line.name.empty()) return "a label has no value";
            line.name = std::move(name);
        }
        pass_blanks(rest);
        if (!rest.empty() && rest.front() == ',') {
            rest.remove_prefix(1);
        } else if (rest.empty() || rest.front() != '}') {
            return "its labels do not end";
        }
    }
}

Line split(std::string_view rest) {
    Line line;
    pass_blanks(rest);
    line.name = take_name(rest);
    pass_blanks(rest);
    line.braces = !rest.empty() && rest.front() == '{';
    if (line.braces) {
        line.problem = take_labels(rest, line);
        if (!line.problem.empty()) return line;
        if (const auto name = line.labels.find("__name__"); name != line.labels.end()) {
            if (line.name.empty()) line.name = name->second;
            line.labels.erase(name);
        }
    }
    line.value = take_word(rest);
    line.time = take_word(rest);
    if (line.time == "#") {  // an exemplar
        line.time = {};
        rest = {};
    }
    if (line.time.starts_with("st@")) {
        line.start = line.time.substr(3);
        line.time = {};
    }
    std::string_view more = take_word(rest);
    if (more.starts_with("st@")) {
        line.start = more.substr(3);
        more = take_word(rest);
    }
    if (line.name.empty()) {
        line.problem = "it has no name";
    } else if (line.value.empty()) {
        line.problem = "it has no value";
    } else if (!more.empty() && more != "#") {
        line.problem = "there is more behind the timestamp";
    }
    return line;
}

/// Unix seconds or milliseconds; nothing for other forms of a time.
std::optional<Time> unix_time(std::string_view text) {
    if (!parse_number(text)) return std::nullopt;
    return try_parse_time(text);
}

/// Takes a line off a text; without its end, and the CR before it.
std::string_view take_line(std::string_view& text) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

bool is_comment(std::string_view line) {
    pass_blanks(line);
    return line.empty() || line.front() == '#';
}

}  // namespace

bool looks_like_openmetrics(std::string_view text) {
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    for (int lines = 0; lines < 100 && !text.empty(); ++lines) {
        const std::string_view line = take_line(text);
        for (const std::string_view word : {"# TYPE ", "# HELP ", "# UNIT ", "# EOF"}) {
            if (line.starts_with(word)) return true;
        }
        if (is_comment(line)) continue;
        const Line found = split(line.substr(0, 1 << 16));
        return found.problem.empty() && parse_number(found.value) && (found.time.empty() || unix_time(found.time)) &&
               (found.braces || !(found.name.front() >= '0' && found.name.front() <= '9'));
    }
    return false;
}

Batch read_openmetrics(std::string_view text, const ReadOptions& options) {
    if (text.size() > options.max_bytes) {
        raise(Code::data_size, "the text has " + std::to_string(text.size()) + " bytes; allowed: at most " +
                                   std::to_string(options.max_bytes));
    }
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    LabelSets sets(options, LabelNames::prometheus);
    std::int64_t number = 0;
    std::int64_t samples = 0;
    while (!text.empty()) {
        const std::string_view whole = take_line(text);
        ++number;
        if (is_comment(whole)) continue;
        const auto refuse = [&](Code code, const std::string& what, std::string_view allowed) {
            raise(code, "line " + std::to_string(number) + ": " + what + "; allowed: " + std::string(allowed));
        };
        Line line = split(whole);
        if (!line.problem.empty()) {
            refuse(Code::data_document, in_quotes(whole) + " is no sample: " + std::string(line.problem), line_allowed);
        }
        const auto value = parse_number(line.value);
        if (!value) refuse(Code::data_value, "the value is " + in_quotes(line.value), number_allowed);
        std::optional<Time> time = options.at;
        const auto moment = [&](std::string_view of, const char* what) {
            const auto found = unix_time(of);
            if (!found) {
                refuse(Code::data_timestamp, std::string(what) + " is " + in_quotes(of),
                       "Unix seconds or milliseconds, within the years 1 to 9999");
            }
            return found;
        };
        if (!line.time.empty()) time = moment(line.time, "the timestamp");
        const std::int64_t start = line.start.empty() ? 0 : to_ms(*moment(line.start, "the start timestamp"));
        double bound = std::numeric_limits<double>::quiet_NaN();
        if (const auto le = line.labels.find("le"); le != line.labels.end()) {
            const auto end = parse_number(le->second);
            if (!end || !(*end > -std::numeric_limits<double>::infinity())) {
                refuse(Code::data_value, "the label le is " + in_quotes(le->second), "a number, +Inf");
            }
            bound = *end + 0.0;  // -0 is 0
            line.labels.erase(le);
        }
        ++samples;
        LabelSet* const set = sets.add(sets.pick_total(line.name), std::move(line.labels), bound).first;
        if (set == nullptr) continue;
        if (time) {
            push(set->samples, to_ms(*time), *value, start);
        } else {
            set->timeless = *value;
            ++set->timeless_count;
        }
    }
    if (samples == 0) raise(Code::data_empty, "the text has no sample; allowed: lines " + std::string(line_allowed));
    return sets.take();
}

}  // namespace io
}  // namespace v0
}  // namespace serinus
