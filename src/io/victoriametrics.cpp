#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/core/text.hpp>
#include <serinus/io/victoriametrics.hpp>
#include <serinus/series/time.hpp>

#include "json.hpp"
#include "label_sets.hpp"

namespace serinus {
inline namespace v0 {
namespace io {

using nlohmann::json;

namespace {

/// Puts bare `+Inf`, `-Inf`, `Inf` and `NaN` in quotes, which makes JSON of a line; nothing where there are none.
std::optional<std::string> with_quoted_numbers(std::string_view line) {
    constexpr std::array<std::string_view, 4> words{"+Inf", "-Inf", "Inf", "NaN"};
    std::string out;
    std::size_t copied = 0;
    for (std::size_t i = 0; i < line.size();) {
        if (line[i] == '"') {
            for (++i; i < line.size() && line[i] != '"'; ++i) {
                if (line[i] == '\\') ++i;
            }
            ++i;
            continue;
        }
        const auto found = std::find_if(words.begin(), words.end(),
                                        [&](std::string_view word) { return line.substr(i).starts_with(word); });
        if (found == words.end()) {
            ++i;
            continue;
        }
        out.append(line.substr(copied, i - copied)).append(1, '"').append(*found).append(1, '"');
        i += found->size();
        copied = i;
    }
    if (copied == 0) return std::nullopt;
    return out.append(line.substr(copied));
}

void read_line(const json& line, const std::string& where, LabelSets& sets) {
    const auto refuse = [&](Code code, const std::string& what, std::string_view allowed) {
        raise(code, where + what + "; allowed: " + std::string(allowed));
    };
    const auto show = [](const json& value) { return in_quotes(json_text(value)); };
    const json* metric = json_member(line, "metric");
    const json* values = json_member(line, "values");
    const json* timestamps = json_member(line, "timestamps");
    const auto is_array = [](const json* of) { return of != nullptr && of->is_array(); };
    if (metric == nullptr || !metric->is_object() || !is_array(values) || !is_array(timestamps) ||
        values->size() != timestamps->size()) {
        refuse(Code::data_document, " is no line of an export",
               "{\"metric\": {...}, \"values\": [...], \"timestamps\": [...]}, with as many values as timestamps");
    }
    Labels labels;
    std::string name;
    double bound = std::numeric_limits<double>::quiet_NaN();
    for (const auto& [label, text] : metric->items()) {
        if (!text.is_string()) {
            refuse(Code::data_document, ".metric." + printable(label) + " is " + show(text), "a text");
        }
        const std::string& value = text.get_ref<const std::string&>();
        if (label == "__name__") {
            name = value;
        } else if (label == "le") {
            const auto number = parse_number(value);
            if (!number || !(*number > -std::numeric_limits<double>::infinity())) {
                refuse(Code::data_value, ".metric.le is " + show(text), "a number, +Inf");
            }
            bound = *number + 0.0;
        } else {
            labels.emplace(label, value);
        }
    }
    if (name.empty() && sets.names().size() == 1) name = *sets.names().begin();
    if (name.empty()) {
        refuse(Code::data_document, ".metric has no __name__", "a __name__, or a plan that reads a single series");
    }
    LabelSet* const set = sets.add(sets.pick_total(name), std::move(labels), bound).first;
    if (set == nullptr) return;
    for (std::size_t i = 0; i < values->size(); ++i) {
        const json& time = (*timestamps)[i];
        const bool whole = time.is_number_integer() && time.get<double>() < 1e18;
        const std::int64_t ms = whole ? time.get<std::int64_t>() : latest_ms + 1;
        if (!in_time_range(ms)) {
            refuse(Code::data_timestamp, ".timestamps has " + show(time),
                   "Unix milliseconds within the years 1 to 9999");
        }
        const json& value = (*values)[i];
        std::optional<double> number;
        if (value.is_number()) number = value.get<double>();
        if (value.is_null()) number = std::numeric_limits<double>::quiet_NaN();
        if (value.is_string()) number = parse_number(value.get_ref<const std::string&>());
        if (!number) refuse(Code::data_value, ".values has " + show(value), std::string(number_allowed) + ", null");
        push(set->samples, ms, *number);
    }
}

}  // namespace

bool looks_like_victoriametrics(std::string_view text) {
    const std::vector<std::string_view> keys = first_keys(text);
    const auto has = [&](std::string_view key) { return std::find(keys.begin(), keys.end(), key) != keys.end(); };
    return has("metric") && has("values") && has("timestamps");
}

Batch read_victoriametrics(std::string_view text, const ReadOptions& options) {
    if (text.size() > options.max_bytes) {
        raise(Code::data_size, "the text has " + std::to_string(text.size()) + " bytes; allowed: at most " +
                                   std::to_string(options.max_bytes));
    }
    LabelSets sets(options, LabelNames::prometheus);
    std::int64_t number = 1;
    bool any = false;
    for (std::string_view line = take_json(text, number); !line.empty(); line = take_json(text, number)) {
        const std::string where = "line " + std::to_string(number);
        const std::optional<std::string> mended = with_quoted_numbers(line);
        read_line(parse_json(mended ? *mended : line, where), where, sets);
        number += std::count(line.begin(), line.end(), '\n');
        any = true;
    }
    if (!any) {
        raise(Code::data_empty,
              "the text has no line; allowed: {\"metric\": {...}, \"values\": [...], "
              "\"timestamps\": [...]}, a series a line");
    }
    return sets.take();
}

}  // namespace io
}  // namespace v0
}  // namespace serinus
