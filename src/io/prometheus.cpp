#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/core/text.hpp>
#include <serinus/core/words.hpp>
#include <serinus/io/prometheus.hpp>
#include <serinus/series/time.hpp>

#include "json.hpp"

namespace serinus {
inline namespace v0 {
namespace io {

using nlohmann::json;

namespace {

constexpr std::string_view answer_allowed =
    "the answer of /api/v1/query_range or /api/v1/query: {\"status\": \"success\", \"data\": {\"resultType\": ..., "
    "\"result\": [...]}}";
constexpr std::size_t most_ignored_values = 10;

using Labels = std::map<std::string, std::string>;

/// A label set of one of the arms: what is left of its labels when arm and bucket are taken away, and its samples.
struct LabelSet {
    Arm arm;
    double le;
    Labels labels;
    const json* entry;
    std::size_t index;
};

std::string show(const json& value) {
    return in_quotes(value.is_string() ? value.get_ref<const std::string&>()
                                       : value.dump(-1, ' ', false, json::error_handler_t::replace));
}

/// The member `key` of an object, or nothing.
const json* member(const json& object, const char* key) {
    const auto found = object.find(key);
    return found == object.end() ? nullptr : &*found;
}

std::string value_of(const Labels& labels, const std::string& name) {
    const auto found = labels.find(name);
    return found == labels.end() ? std::string() : found->second;
}

/// A label set in Prometheus' own notation, of the labels in `names` only.
std::string text_of(const Labels& labels, const std::set<std::string>& names) {
    std::string text;
    for (const auto& [name, value] : labels) {
        if (!names.contains(name)) continue;
        text += text.empty() ? "{" : ",";
        text += name + "=\"";
        for (const char c : value) {
            if (c == '"' || c == '\\') text += '\\';
            text += c;
        }
        text += '"';
    }
    return text.empty() ? text : text + "}";
}

/// The labels that must be named to tell the label sets of each arm apart; empty when `instance_label` does so.
std::set<std::string> telling_labels(const std::vector<LabelSet>& sets, const std::string& instance_label) {
    std::set<std::string> differing;
    bool instance_is_enough = true;
    for (const Arm arm : {Arm::baseline, Arm::canary}) {
        std::set<Labels> distinct;  // buckets of one instance differ in `le` only, which is gone
        for (const LabelSet& set : sets) {
            if (set.arm == arm) distinct.insert(set.labels);
        }
        std::set<std::string> instances;
        std::set<std::string> names;
        for (const Labels& labels : distinct) {
            instances.insert(value_of(labels, instance_label));
            for (const auto& label : labels) names.insert(label.first);
        }
        instance_is_enough = instance_is_enough && instances.size() == distinct.size();
        for (const std::string& name : names) {
            const auto differs = [&](const Labels& labels) {  // a label that is not there is empty, as in PromQL
                return value_of(labels, name) != value_of(*distinct.begin(), name);
            };
            if (std::any_of(distinct.begin(), distinct.end(), differs)) differing.insert(name);
        }
    }
    return instance_is_enough ? std::set<std::string>() : differing;
}

/// Reads the answers to one document's queries into one result.
class Reader {
  public:
    explicit Reader(const PrometheusOptions& options) : options_(options) {
        if (options.label.empty()) raise(Code::argument_word, "label is \"\"; allowed: the name of a label");
        if (options.baseline == options.canary) {
            raise(Code::argument_word, "baseline and canary are both " + in_quotes(options.baseline) +
                                           "; allowed: two different values of the label " + in_quotes(options.label));
        }
    }

    void read(const json& answer, const std::string& series) {
        series_ = series;
        const json& result = result_of(answer);
        std::vector<LabelSet> sets;
        std::set<std::string> seen;
        for (std::size_t i = 0; i < result.size(); ++i) add_label_set(result[i], i, sets, seen);
        const std::set<std::string> telling = telling_labels(sets, options_.instance_label);

        std::map<std::tuple<Arm, double, std::string>, std::size_t> places;  // NaN is no key, so "no bucket" is -inf
        for (const LabelSet& set : sets) {
            const std::string instance =
                telling.empty() ? value_of(set.labels, options_.instance_label) : text_of(set.labels, telling);
            const double bound = std::isnan(set.le) ? -std::numeric_limits<double>::infinity() : set.le;
            const auto [place, fresh] = places.try_emplace({set.arm, bound, instance}, found_.batch.series.size());
            if (fresh) {
                ArmSeries& added = found_.batch.series.emplace_back();
                added.name = series;
                added.arm = set.arm;
                added.le = set.le;
                added.series.instance = instance;
            }
            read_samples(set, found_.batch.series[place->second].series);
        }
    }

    PrometheusAnswer take() { return std::move(found_); }

  private:
    [[noreturn]] void refuse(Code code, const std::string& path, const std::string& sentence) const {
        std::string where = printable(series_);
        if (!path.empty()) where += (where.empty() ? "" : ".") + path;
        raise(code, (where.empty() ? "the answer" : where) + sentence);
    }

    static std::string entry_path(std::size_t index) { return "data.result[" + std::to_string(index) + "]"; }

    const json& result_of(const json& answer) const {
        const std::string allowed = "; allowed: " + std::string(answer_allowed);
        if (!answer.is_object()) refuse(Code::data_document, "", " is " + show(answer) + allowed);
        const json* status = member(answer, "status");
        if (status == nullptr) refuse(Code::data_document, "", " has no \"status\"" + allowed);
        if (*status == "error") {
            const json* type = member(answer, "errorType");
            const json* text = member(answer, "error");
            const auto said = [](const json* what) {
                return what != nullptr && what->is_string() ? printable(what->get_ref<const std::string&>(), 300)
                                                            : std::string("not said");
            };
            refuse(
                Code::data_query, "",
                ": the query failed: " + said(type) + ": " + said(text) + "; allowed: an answer with status success");
        }
        if (*status != "success") {
            refuse(Code::data_document, "status", " is " + show(*status) + "; allowed: \"success\", \"error\"");
        }
        const json* data = member(answer, "data");
        if (data == nullptr || !data->is_object()) refuse(Code::data_document, "data", " is no object" + allowed);
        const json* type = member(*data, "resultType");
        if (type == nullptr) refuse(Code::data_document, "data", " has no \"resultType\"" + allowed);
        if (*type == "scalar" || *type == "string") {
            refuse(Code::data_document, "data.resultType",
                   " is " + show(*type) + ", which has no labels and so belongs to no arm; allowed: matrix, vector " +
                       "(a query whose result keeps the label " + in_quotes(options_.label) + ")");
        }
        if (*type != "matrix" && *type != "vector") {
            refuse(Code::data_document, "data.resultType", " is " + show(*type) + "; allowed: matrix, vector");
        }
        const json* result = member(*data, "result");
        if (result == nullptr || !result->is_array()) {
            refuse(Code::data_document, "data.result", " is no array" + allowed);
        }
        return *result;
    }

    void add_label_set(const json& entry, std::size_t index, std::vector<LabelSet>& sets, std::set<std::string>& seen) {
        const json* metric = entry.is_object() ? member(entry, "metric") : nullptr;
        if (metric == nullptr || !metric->is_object()) {
            refuse(Code::data_document, entry_path(index), " has no \"metric\"; allowed: an object of labels");
        }
        if (entry.contains("histogram") || entry.contains("histograms")) {
            refuse(Code::data_document, entry_path(index),
                   " holds native histograms; allowed: plain samples (classic buckets with the label le, or a query "
                   "with histogram_quantile, histogram_count or histogram_fraction)");
        }
        LabelSet set{Arm::baseline, std::numeric_limits<double>::quiet_NaN(), {}, &entry, index};
        for (const auto& [name, text] : metric->items()) {
            if (!text.is_string()) {
                refuse(Code::data_document, entry_path(index) + ".metric." + printable(name),
                       " is " + show(text) + "; allowed: a text");
            }
            set.labels.emplace(name, text.get_ref<const std::string&>());
        }
        const std::string arm = value_of(set.labels, options_.label);
        if (arm != options_.baseline && arm != options_.canary) {
            ++found_.ignored_series;
            auto& values = found_.ignored_values;
            if (values.size() < most_ignored_values && std::find(values.begin(), values.end(), arm) == values.end()) {
                values.push_back(arm);
            }
            return;
        }
        if (!seen.insert(metric->dump()).second) {
            refuse(Code::data_document, entry_path(index), " has the labels of an earlier one; allowed: each set once");
        }
        set.arm = arm == options_.baseline ? Arm::baseline : Arm::canary;
        set.labels.erase(options_.label);
        if (const auto bucket = set.labels.find("le"); bucket != set.labels.end()) {
            const auto bound = parse_number(bucket->second);
            if (!bound || !(*bound > -std::numeric_limits<double>::infinity())) {
                refuse(Code::data_value, entry_path(index) + ".metric.le",
                       " is " + in_quotes(bucket->second) + "; allowed: a number, +Inf");
            }
            set.le = *bound + 0.0;  // -0 is 0
            set.labels.erase(bucket);
        }
        sets.push_back(std::move(set));
    }

    void read_samples(const LabelSet& set, Series& series) const {
        if (const json* value = member(*set.entry, "value")) return read_sample(*value, set, "value", series);
        const json* values = member(*set.entry, "values");
        if (values == nullptr || !values->is_array()) {
            refuse(Code::data_document, entry_path(set.index),
                   " has neither \"values\" nor \"value\"; allowed: [[time, \"value\"], ...] or [time, \"value\"]");
        }
        series.times_ms.reserve(series.times_ms.size() + values->size());
        series.values.reserve(series.values.size() + values->size());
        for (const json& sample : *values) read_sample(sample, set, "values", series);
    }

    void read_sample(const json& sample, const LabelSet& set, const char* key, Series& series) const {
        const auto path = [&] { return entry_path(set.index) + "." + key; };
        if (!sample.is_array() || sample.size() != 2 || !sample[0].is_number() || !sample[1].is_string()) {
            refuse(Code::data_value, path(), " has " + show(sample) + "; allowed: [seconds, \"value\"]");
        }
        const double seconds = sample[0].get<double>();
        const bool possible = std::fabs(seconds) < 1e12;
        const std::int64_t ms = possible ? std::llround(seconds * 1000) : 0;
        if (!possible || !in_time_range(ms)) {
            refuse(Code::data_timestamp, path(),
                   " has the time " + show(sample[0]) + "; allowed: Unix seconds within the years 1 to 9999");
        }
        const auto number = parse_number(sample[1].get_ref<const std::string&>());
        if (!number) {
            refuse(Code::data_value, path(),
                   " has the value " + show(sample[1]) + "; allowed: " + std::string(number_allowed));
        }
        series.times_ms.push_back(ms);
        series.values.push_back(*number);
    }

    const PrometheusOptions& options_;
    std::string series_;
    PrometheusAnswer found_;
};

}  // namespace

PrometheusAnswer read_prometheus(std::string_view text, const PrometheusOptions& options) {
    Reader reader(options);
    reader.read(parse_json(text, "the answer", {.max_bytes = options.max_bytes}), options.series);
    return reader.take();
}

PrometheusAnswer read_prometheus_document(std::string_view text, const PrometheusOptions& options) {
    Reader reader(options);
    const json document = parse_json(text, "the document", {.max_bytes = options.max_bytes});
    const std::string allowed =
        "; allowed: {\"SERIES\": ANSWER, ...}, with the plan's name of each series and " + std::string(answer_allowed);
    if (!document.is_object()) raise(Code::data_document, "the document is " + show(document) + allowed);
    if (document.empty()) raise(Code::data_empty, "the document has no series" + allowed);
    if (const json* status = member(document, "status"); status != nullptr && status->is_string()) {
        raise(Code::data_document, "the document is a single answer that does not say which series it is" + allowed);
    }
    for (const auto& [series, answer] : document.items()) {
        if (series.empty()) raise(Code::data_document, "the document has the key \"\"" + allowed);
        reader.read(answer, series);
    }
    return reader.take();
}

}  // namespace io
}  // namespace v0
}  // namespace serinus
