#include "formats.hpp"

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>

namespace serinus {
inline namespace v0 {
namespace io {

namespace {

constexpr std::string_view as_csv =
    "; allowed: CSV (timestamp,series,arm,value), answers of the Prometheus API and others that docs/how-to/data.md "
    "lists";

[[noreturn]] void refuse(std::string_view name, std::string_view remedy) {
    raise(Code::data_format, "the data are " + std::string(name) + ", which is not read" + std::string(as_csv) + "; " +
                                 std::string(remedy));
}

[[noreturn]] void failed(std::string_view who, const std::string& said) {
    raise(Code::data_query, std::string(who) + " says that the query failed: " + printable(said, 200) +
                                "; allowed: an answer without an error");
}

/// Collects the keys of a document's first levels, and the text of its key "error", without building the document.
class Keys {
  public:
    using json = nlohmann::json;

    bool has(std::size_t level, std::initializer_list<std::string_view> keys) const {
        if (level >= levels_.size()) return false;
        const auto& found = levels_[level];
        return std::all_of(keys.begin(), keys.end(), [&](std::string_view key) {
            return std::find(found.begin(), found.end(), key) != found.end();
        });
    }
    const std::string& error() const { return error_; }

    bool null() { return value(); }
    bool boolean(bool) { return value(); }
    bool number_integer(json::number_integer_t) { return value(); }
    bool number_unsigned(json::number_unsigned_t) { return value(); }
    bool number_float(json::number_float_t, const std::string&) { return value(); }
    bool string(std::string& text) {
        if (key_ == "error" && depth_ == 1) error_ = text;
        return value();
    }
    bool binary(json::binary_t&) { return value(); }
    bool start_object(std::size_t) { return ++depth_, true; }
    bool end_object() { return --depth_, true; }
    bool start_array(std::size_t) { return ++depth_ <= most_depth; }
    bool end_array() { return --depth_, true; }
    bool key(std::string& name) {
        key_ = name;
        const std::size_t level = depth_ - 1;
        if (level < most_levels) {
            if (levels_.size() <= level) levels_.resize(level + 1);
            auto& found = levels_[level];
            if (found.size() < most_keys && std::find(found.begin(), found.end(), name) == found.end())
                found.push_back(name);
        }
        return depth_ <= most_depth;
    }
    bool parse_error(std::size_t, const std::string&, const json::exception&) { return false; }

  private:
    static constexpr std::size_t most_levels = 6, most_keys = 40, most_depth = 64, most_values = 2000;
    bool value() {
        key_.clear();
        return ++values_ < most_values;  // the keys that tell a format stand near its beginning
    }
    std::vector<std::vector<std::string>> levels_;
    std::string key_, error_;
    std::size_t depth_ = 0, values_ = 0;
};

void refuse_json(std::string_view text) {
    Keys keys;
    // A document that is no JSON, or the first of several, has said enough by then; who reads it says what is wrong.
    nlohmann::json::sax_parse(text, &keys, nlohmann::json::input_format_t::json, false);
    if (keys.has(0, {"res_type"}) || (keys.has(0, {"series"}) && keys.has(2, {"pointlist"}))) {
        if (!keys.error().empty()) failed("Datadog", keys.error());
        refuse("an answer of Datadog (/api/v1/query)",
               "write each point of \"pointlist\" (milliseconds, value) as a row");
    }
    if (keys.has(0, {"MetricDataResults"}) || (keys.has(0, {"Datapoints", "Label"})))
        refuse("an answer of CloudWatch (GetMetricData or GetMetricStatistics)",
               "write each pair of \"Timestamps\" and \"Values\" as a row");
    if (keys.has(3, {"nrql"}) || keys.has(2, {"nrql"}) || (keys.has(0, {"facets"}) && keys.has(2, {"timeSeries"})) ||
        keys.has(1, {"beginTimeSeconds"}))
        refuse("an answer of New Relic", "write each time window of each facet as a row");
    if (keys.has(0, {"results"}) && (keys.has(2, {"statement_id"}) || keys.has(1, {"statement_id"})))
        refuse("an answer of InfluxDB in JSON", "ask for it as CSV: curl -H 'Accept: application/csv' ...");
    if (keys.has(0, {"error"}) && !keys.has(0, {"status"}) && !keys.error().empty())
        failed("the data's source", keys.error());
    // A series may be called so as well: then its answer is the value.
    const std::size_t row = text.starts_with('[') ? 1 : 0;
    const bool answers = keys.has(row + 1, {"data"}) || keys.has(row + 1, {"result"});
    for (const std::string_view time :
         {"timestamp", "time", "ts", "date", "datetime", "@timestamp", "Timestamp", "Time"}) {
        if (!answers && keys.has(row, {time}))
            refuse("rows of JSON, an object each",
                   "write them as CSV, or hand the DataFrame of them to serinus.judge: pandas.read_json(FILE" +
                       std::string(row == 0 ? ", lines=True)" : ")"));
    }
    if (keys.has(0, {"columns", "index", "data"}))
        refuse("a table that pandas wrote as JSON (orient=\"split\")",
               "write it as CSV (DataFrame.to_csv), or hand the DataFrame to serinus.judge");
}

}  // namespace

void refuse_by_name(std::string_view text) {
    const std::size_t first = std::min(text.find_first_not_of(" \t\r\n"), text.size());
    text.remove_prefix(first);
    if (text.starts_with('{') || text.starts_with('[')) return refuse_json(text);
    if (text.substr(0, 300).find("METRICDATARESULTS\t") != std::string_view::npos || text.starts_with("DATAPOINTS\t"))
        refuse("an answer of CloudWatch as text", "write each pair of TIMESTAMPS and VALUES as a row");
    if (text.starts_with('<'))
        refuse("HTML or XML", "is it the page of a sign-in or of an error in place of the data?");
}

}  // namespace io
}  // namespace v0
}  // namespace serinus
