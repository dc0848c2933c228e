#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/core/text.hpp>
#include <serinus/io/prometheus.hpp>
#include <serinus/series/time.hpp>

#include "json.hpp"
#include "label_sets.hpp"

namespace serinus {
inline namespace v0 {
namespace io {

using nlohmann::json;

namespace {

constexpr std::string_view answer_allowed =
    "the answer of /api/v1/query_range or /api/v1/query: {\"status\": \"success\", \"data\": {\"resultType\": ..., "
    "\"result\": [...]}}";
constexpr std::string_view document_allowed =
    "{\"SERIES\": ANSWER, ...}, with the plan's name of each series and the answer of /api/v1/query_range or "
    "/api/v1/query to its query";

/// Answers of the same API that hold no samples.
struct OtherAnswer {
    std::string_view key;
    std::string_view name;
};
constexpr std::array<OtherAnswer, 4> other_answers{{{"alerts", "list of alerts (/api/v1/alerts)"},
                                                    {"groups", "list of rules (/api/v1/rules)"},
                                                    {"activeTargets", "list of targets (/api/v1/targets)"},
                                                    {"headStats", "state of its database (/api/v1/status/tsdb)"}}};

std::string show(const json& value) { return in_quotes(json_text(value)); }

/// Reads the answers to one document's queries.
class Reader {
  public:
    explicit Reader(const ReadOptions& options) : options_(options), sets_(options, LabelNames::prometheus) {}

    /// The answer to the query of one series; without a name each label set's `__name__` is the series.
    void read(const json& answer, std::string_view series) {
        series_ = series;
        const json& result = result_of(answer);
        read_result(result);
    }

    /// The same of a document of answers, where clients have often taken off what is around the label sets: `data`
    /// alone, or the list of `result` alone.
    void read_part(const json& part, std::string_view series) {
        series_ = series;
        if (part.is_array()) {
            read_result(part);
        } else if (part.is_object() && !part.contains("status") && part.contains("resultType")) {
            read_result(result_of_data(part));
        } else {
            read_result(result_of(part));
        }
    }

    Batch take() { return sets_.take(); }

  private:
    void read_result(const json& result) {
        take_names(result);
        const bool named = !series_.empty() || name_series(result);
        std::set<std::string> seen;
        for (std::size_t i = 0; i < result.size(); ++i) read_label_set(result[i], i, named, seen);
    }

    [[noreturn]] void refuse(Code code, const std::string& path, const std::string& sentence) const {
        std::string where = printable(series_);
        if (!path.empty()) where += (where.empty() ? "" : ".") + path;
        raise(code, (where.empty() ? "the answer" : where) + sentence);
    }

    static std::string entry_path(std::size_t index) { return "data.result[" + std::to_string(index) + "]"; }

    const json& result_of(const json& answer) {
        const std::string allowed = "; allowed: " + std::string(answer_allowed);
        if (!answer.is_object()) refuse(Code::data_document, "", " is " + show(answer) + allowed);
        const json* status = json_member(answer, "status");
        if (status == nullptr) refuse(Code::data_document, "", " has no \"status\"" + allowed);
        if (*status == "error") {
            const auto said = [&](const char* key) {
                const json* what = json_member(answer, key);
                return what != nullptr && what->is_string() ? printable(what->get_ref<const std::string&>(), 300)
                                                            : std::string("not said");
            };
            refuse(Code::data_query, "",
                   ": the query failed: " + said("errorType") + ": " + said("error") +
                       "; allowed: an answer with status success");
        }
        if (*status != "success") {
            refuse(Code::data_document, "status", " is " + show(*status) + "; allowed: \"success\", \"error\"");
        }
        take_notes(answer, "warnings", Code::source_warning);
        take_notes(answer, "infos", Code::source_information);
        if (const json* partial = json_member(answer, "isPartial"); partial != nullptr && *partial == true) {
            sets_.note(Code::source_warning, "text", "the answer is partial: some of the data could not be reached");
        }
        const json* data = json_member(answer, "data");
        if (data == nullptr || !data->is_object()) {
            if (data != nullptr && data->is_array()) {
                refuse(Code::data_format, "",
                       " is a Prometheus list of names or label sets, which has no samples" + allowed);
            }
            refuse(Code::data_document, "data", " is no object" + allowed);
        }
        return result_of_data(*data);
    }

    const json& result_of_data(const json& data) const {
        const std::string allowed = "; allowed: " + std::string(answer_allowed);
        const json* type = json_member(data, "resultType");
        if (type == nullptr) {
            for (const OtherAnswer& other : other_answers) {
                if (!data.contains(std::string(other.key))) continue;
                refuse(Code::data_format, "",
                       " is Prometheus' " + std::string(other.name) + ", which has no samples" + allowed);
            }
            refuse(Code::data_document, "data", " has no \"resultType\"" + allowed);
        }
        if (*type == "scalar" || *type == "string") {
            refuse(Code::data_document, "data.resultType",
                   " is " + show(*type) + ", which has no labels and so belongs to no arm; allowed: matrix, vector " +
                       "(a query whose result keeps the label " + in_quotes(options_.arms.label) + ")");
        }
        if (*type != "matrix" && *type != "vector") {
            refuse(Code::data_document, "data.resultType", " is " + show(*type) + "; allowed: matrix, vector");
        }
        const json* result = json_member(data, "result");
        if (result == nullptr || !result->is_array()) {
            refuse(Code::data_document, "data.result", " is no array" + allowed);
        }
        return *result;
    }

    void take_names(const json& result) {
        names_.clear();
        for (const json& entry : result) {
            const json* metric = json_member(entry, "metric");
            const json* name = metric == nullptr ? nullptr : json_member(*metric, "__name__");
            if (name != nullptr && name->is_string()) names_.insert(name->get_ref<const std::string&>());
        }
    }

    void take_notes(const json& answer, const char* key, Code code) {
        const json* notes = json_member(answer, key);
        if (notes == nullptr || !notes->is_array()) return;
        for (const json& note : *notes) sets_.note(code, "text", json_text(note));
    }

    /// How the series of an answer are called that stands alone: false where each has a `__name__`; true where the plan
    /// knows one name only, which is then `series_`.
    bool name_series(const json& result) {
        if (result.empty()) return false;
        const std::string allowed = "; allowed: " + std::string(document_allowed);
        if (names_.empty()) {
            if (sets_.names().size() != 1) {
                raise(Code::data_document,
                      "the document is a single answer that does not say which series it is: its "
                      "label sets have no __name__" +
                          allowed);
            }
            series_ = *sets_.names().begin();
            return true;
        }
        const auto known = [&](const std::string& name) { return sets_.known(sets_.pick_total(name)); };
        if (!sets_.names().empty() && std::none_of(names_.begin(), names_.end(), known)) {
            std::string theirs;
            std::string ours;
            for (const std::string& name : names_) theirs += (theirs.empty() ? "" : ", ") + in_quotes(name);
            for (const std::string& name : sets_.names()) ours += (ours.empty() ? "" : ", ") + in_quotes(name);
            raise(Code::data_document,
                  "the document is a single answer that does not say which series it is: its "
                  "label sets are called " +
                      printable(theirs, 200) + ", the plan's series " + printable(ours, 200) + allowed);
        }
        return false;
    }

    void read_label_set(const json& entry, std::size_t index, bool named, std::set<std::string>& seen) {
        const json* metric = json_member(entry, "metric");
        if (metric == nullptr || !metric->is_object()) {
            refuse(Code::data_document, entry_path(index), " has no \"metric\"; allowed: an object of labels");
        }
        Labels labels;
        for (const auto& [name, text] : metric->items()) {
            if (!text.is_string()) {
                refuse(Code::data_document, entry_path(index) + ".metric." + printable(name),
                       " is " + show(text) + "; allowed: a text");
            }
            labels.emplace(name, text.get_ref<const std::string&>());
        }
        std::string name = series_;
        if (!named) {
            const auto found = labels.find("__name__");
            if (found == labels.end() || found->second.empty()) {
                refuse(Code::data_document, entry_path(index),
                       " has no __name__, as others of this single answer; allowed: " + std::string(document_allowed));
            }
            name = sets_.pick_total(found->second);
        }
        if (!named || names_.size() < 2) labels.erase("__name__");
        std::string le;
        if (const auto bucket = labels.find("le"); bucket != labels.end()) {
            le = bucket->second;
            labels.erase(bucket);
        }
        const bool is_bucket = metric->contains("le");
        double bound = std::numeric_limits<double>::quiet_NaN();
        bool possible = true;
        if (is_bucket) {
            const auto number = parse_number(le);
            possible = number && *number > -std::numeric_limits<double>::infinity();
            if (possible) bound = *number + 0.0;  // -0 is 0
        }
        const auto [set, fresh] = sets_.add(name, std::move(labels), bound);
        if (set == nullptr) return;
        if (!possible) {
            refuse(Code::data_value, entry_path(index) + ".metric.le",
                   " is " + in_quotes(le) + "; allowed: a number, +Inf");
        }
        if (!seen.insert(metric->dump()).second) {
            refuse(Code::data_document, entry_path(index), " has the labels of an earlier one; allowed: each set once");
        }
        read_samples(entry, index, *set);
    }

    void read_samples(const json& entry, std::size_t index, LabelSet& set) const {
        bool any = false;
        if (const json* value = json_member(entry, "value")) {
            read_sample(*value, index, "value", set.samples);
            any = true;
        } else if (const json* values = json_member(entry, "values"); values != nullptr && values->is_array()) {
            set.samples.times_ms.reserve(set.samples.times_ms.size() + values->size());
            set.samples.values.reserve(set.samples.values.size() + values->size());
            for (const json& sample : *values) read_sample(sample, index, "values", set.samples);
            any = true;
        }
        if (const json* single = json_member(entry, "histogram")) {
            read_histogram(*single, index, "histogram", set.histograms);
            any = true;
        } else if (const json* histograms = json_member(entry, "histograms");
                   histograms != nullptr && histograms->is_array()) {
            for (const json& pair : *histograms) read_histogram(pair, index, "histograms", set.histograms);
            any = true;
        }
        if (!any) {
            refuse(Code::data_document, entry_path(index),
                   " has neither \"values\" nor \"value\"; allowed: [[time, \"value\"], ...] or [time, \"value\"]");
        }
        tell_layouts(set.histograms);
    }

    /// A histogram without buckets has the layout of the last that had some, or of the first.
    static void tell_layouts(HistogramSeries& series) {
        const auto has = [](const HistogramSample& sample) { return !sample.buckets.empty(); };
        const auto first = std::find_if(series.samples.begin(), series.samples.end(), has);
        if (first == series.samples.end()) return;
        HistogramLayout layout = first->layout;
        for (HistogramSample& sample : series.samples) {
            if (has(sample)) {
                layout = sample.layout;
            } else {
                sample.layout = layout;
            }
        }
    }

    std::int64_t time_of(const json& time, std::size_t index, const char* key) const {
        const double seconds = time.get<double>();
        const bool possible = std::fabs(seconds) < 1e12;
        const std::int64_t ms = possible ? std::llround(seconds * 1000) : 0;
        if (!possible || !in_time_range(ms)) {
            refuse(Code::data_timestamp, entry_path(index) + "." + key,
                   " has the time " + show(time) + "; allowed: Unix seconds within the years 1 to 9999");
        }
        return ms;
    }

    void read_sample(const json& sample, std::size_t index, const char* key, Series& series) const {
        const auto path = [&] { return entry_path(index) + "." + key; };
        if (!sample.is_array() || sample.size() != 2 || !sample[0].is_number() || !sample[1].is_string()) {
            refuse(Code::data_value, path(), " has " + show(sample) + "; allowed: [seconds, \"value\"]");
        }
        const std::int64_t ms = time_of(sample[0], index, key);
        const auto number = parse_number(sample[1].get_ref<const std::string&>());
        if (!number) {
            refuse(Code::data_value, path(),
                   " has the value " + show(sample[1]) + "; allowed: " + std::string(number_allowed));
        }
        push(series, ms, *number);
    }

    /// [seconds, {"count": "7", "sum": "1.5", "buckets": [[ends, "lower", "upper", "count"], ...]}], counts not
    /// cumulative, buckets left out where there is none.
    void read_histogram(const json& pair, std::size_t index, const char* key, HistogramSeries& series) const {
        const auto path = [&] { return entry_path(index) + "." + key; };
        const json* count = nullptr;
        const json* sum = nullptr;
        if (pair.is_array() && pair.size() == 2 && pair[0].is_number()) {
            count = json_member(pair[1], "count");
            sum = json_member(pair[1], "sum");
        }
        if (count == nullptr || sum == nullptr) {
            refuse(Code::data_value, path(),
                   " has " + show(pair) +
                       "; allowed: [seconds, {\"count\": \"7\", \"sum\": \"1.5\", \"buckets\": [...]}]");
        }
        const auto number = [&](const json& of) {
            const auto value = of.is_string() ? parse_number(of.get_ref<const std::string&>()) : std::nullopt;
            if (!value) {
                refuse(Code::data_value, path(),
                       " has the number " + show(of) + "; allowed: " + std::string(number_allowed) + ", as a text");
            }
            return *value;
        };
        HistogramSample sample;
        sample.count = number(*count);
        sample.sum = number(*sum);
        if (const json* buckets = json_member(pair[1], "buckets"); buckets != nullptr && buckets->is_array()) {
            sample.buckets.reserve(buckets->size());
            for (const json& bucket : *buckets) {
                const bool four = bucket.is_array() && bucket.size() == 4 && bucket[0].is_number_integer();
                const std::int64_t ends = four ? bucket[0].get<std::int64_t>() : -1;
                if (ends < 0 || ends > 3) {
                    refuse(Code::data_value, path(),
                           " has the bucket " + show(bucket) +
                               "; allowed: [0 to 3, \"lower end\", \"upper end\", \"count\"]");
                }
                const HistogramBucket read{number(bucket[1]), number(bucket[2]), number(bucket[3]),
                                           static_cast<BucketEnds>(ends)};
                if (!(read.lower <= read.upper) || std::isnan(read.count)) {
                    refuse(
                        Code::data_value, path(),
                        " has the bucket " + show(bucket) + "; allowed: a lower end up to the upper one, and a count");
                }
                sample.buckets.push_back(read);
            }
            std::stable_sort(sample.buckets.begin(), sample.buckets.end(),
                             [](const auto& a, const auto& b) { return a.lower < b.lower; });
        }
        sample.layout = guess_layout(sample.buckets);
        push(series, time_of(pair[0], index, key), std::move(sample));
    }

    const ReadOptions& options_;
    LabelSets sets_;
    std::string series_;
    std::set<std::string> names_;  ///< what the label sets of an answer are called
};

bool is_answer(const std::vector<std::string_view>& keys) {
    return std::find(keys.begin(), keys.end(), "status") != keys.end();
}

}  // namespace

bool looks_like_prometheus(std::string_view text) {
    const std::vector<std::string_view> keys = first_keys(text, 1);
    if (keys.empty()) return false;
    if (is_answer(first_keys(text))) return true;
    const std::size_t colon = text.find(':', static_cast<std::size_t>(keys[0].data() - text.data()) + keys[0].size());
    return colon != std::string_view::npos && is_answer(first_keys(text.substr(colon + 1)));
}

Batch read_prometheus(std::string_view text, const ReadOptions& options, std::string_view series) {
    Reader reader(options);
    if (!series.empty()) {
        reader.read(parse_json(text, "the answer", {.max_bytes = options.max_bytes}), series);
        return reader.take();
    }
    const json document = parse_json(text, "the document", {.max_bytes = options.max_bytes});
    const std::string allowed = "; allowed: " + std::string(document_allowed);
    if (!document.is_object()) raise(Code::data_document, "the document is " + show(document) + allowed);
    if (document.empty()) raise(Code::data_empty, "the document has no series" + allowed);
    if (const json* status = json_member(document, "status"); status != nullptr && status->is_string()) {
        reader.read(document, "");
        return reader.take();
    }
    for (const auto& [name, answer] : document.items()) {
        if (name.empty()) raise(Code::data_document, "the document has the key \"\"" + allowed);
        reader.read_part(answer, name);
    }
    return reader.take();
}

}  // namespace io
}  // namespace v0
}  // namespace serinus
