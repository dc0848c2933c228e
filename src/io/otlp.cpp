#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
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
#include <serinus/io/otlp.hpp>
#include <serinus/series/time.hpp>

#include "json.hpp"
#include "label_sets.hpp"

namespace serinus {
inline namespace v0 {
namespace io {

using nlohmann::json;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

/// What a metric's points are since.
enum class Temporality : std::uint8_t { unspecified = 0, delta = 1, cumulative = 2 };

using Pair = std::pair<std::string_view, std::string_view>;

/// How Prometheus spells the units of UCUM (its OTLP translator).
constexpr std::array<Pair, 29> units{{{"d", "days"},
                                      {"h", "hours"},
                                      {"min", "minutes"},
                                      {"s", "seconds"},
                                      {"ms", "milliseconds"},
                                      {"us", "microseconds"},
                                      {"ns", "nanoseconds"},
                                      {"By", "bytes"},
                                      {"KiBy", "kibibytes"},
                                      {"MiBy", "mebibytes"},
                                      {"GiBy", "gibibytes"},
                                      {"TiBy", "tibibytes"},
                                      {"KBy", "kilobytes"},
                                      {"MBy", "megabytes"},
                                      {"GBy", "gigabytes"},
                                      {"TBy", "terabytes"},
                                      {"m", "meters"},
                                      {"V", "volts"},
                                      {"A", "amperes"},
                                      {"J", "joules"},
                                      {"W", "watts"},
                                      {"g", "grams"},
                                      {"Cel", "celsius"},
                                      {"Hz", "hertz"},
                                      {"1", ""},
                                      {"%", "percent"},
                                      {"{}", ""},
                                      {"bit", "bits"},
                                      {"kBy", "kilobytes"}}};
constexpr std::array<Pair, 7> per_units{
    {{"s", "second"}, {"m", "minute"}, {"h", "hour"}, {"d", "day"}, {"w", "week"}, {"mo", "month"}, {"y", "year"}}};

template <std::size_t N>
std::string spelled(const std::array<Pair, N>& table, std::string_view unit) {
    if (unit.find('{') != std::string_view::npos) return {};  // an annotation: "{request}"
    for (const auto& [short_form, word] : table) {
        if (short_form == unit) return std::string(word);
    }
    return std::string(unit);
}

/// "seconds", "bytes_per_second", nothing for none.
std::string unit_suffix(std::string_view unit) {
    const std::size_t slash = unit.find('/');
    std::string suffix = spelled(units, unit.substr(0, slash));
    if (slash != std::string_view::npos) {
        const std::string per = spelled(per_units, unit.substr(slash + 1));
        if (!per.empty()) suffix += (suffix.empty() ? "per_" : "_per_") + per;
    }
    return suffix;
}

/// Without doubled and outer underscores, as Prometheus' translator leaves names.
std::string tidy(const std::string& name) {
    std::string out;
    for (const char c : name) {
        if (c != '_' || (!out.empty() && out.back() != '_')) out += c;
    }
    while (!out.empty() && out.back() == '_') out.pop_back();
    return out;
}

/// What a plan may call a metric: as it is, then as Prometheus may call it.
std::vector<std::string> names_of(const std::string& name, std::string_view unit, bool counter, bool gauge) {
    std::vector<std::string> suffixes{""};
    const std::string spelled_unit = unit_suffix(unit);
    if (!spelled_unit.empty() && !name.ends_with(spelled_unit)) suffixes.insert(suffixes.begin(), "_" + spelled_unit);
    if (gauge && unit == "1" && !name.ends_with("ratio")) suffixes.insert(suffixes.begin(), "_ratio");
    std::vector<std::string> all{name};
    for (const bool legacy : {false, true}) {
        for (const std::string& suffix : suffixes) {
            std::string base = name;
            const bool says_total = counter && base.ends_with("_total");
            if (says_total) base.resize(base.size() - 6);
            base += suffix;
            if (legacy) base = tidy(prometheus_name(base));
            if (counter) all.push_back(base + "_total");
            all.push_back(base);
        }
    }
    return all;
}

/// The place of a point, told only when something is wrong with it.
struct Place {
    std::string line;
    std::size_t resource = 0;
    std::size_t scope = 0;
    std::size_t metric = 0;
    std::string_view kind;
    std::size_t point = 0;

    std::string text() const {
        std::string at = line + "resourceMetrics[" + std::to_string(resource) + "].scopeMetrics[" +
                         std::to_string(scope) + "].metrics[" + std::to_string(metric) + "]";
        if (!kind.empty()) at += "." + std::string(kind) + ".dataPoints[" + std::to_string(point) + "]";
        return at;
    }
};

class Reader {
  public:
    explicit Reader(const ReadOptions& options) : sets_(options, LabelNames::opentelemetry) {}

    void read(const json& request, const std::string& line) {
        place_ = {};
        place_.line = line;
        if (!request.is_object()) refuse(Code::data_document, "the request", request, request_allowed);
        if (const json* resources = array(request, "resourceMetrics")) {
            for (place_.resource = 0; place_.resource < resources->size(); ++place_.resource)
                read_resource((*resources)[place_.resource]);
            return;
        }
        for (const Pair& other : {Pair{"resourceSpans", "traces"}, Pair{"resourceLogs", "logs"}}) {
            if (!request.contains(std::string(other.first))) continue;
            raise(Code::data_format, place_.line + "the request holds OpenTelemetry " + std::string(other.second) +
                                         ", which are not read; allowed: " + std::string(request_allowed));
        }
        if (!request.empty()) refuse(Code::data_document, "the request", request, request_allowed);
    }

    Batch take() {
        if (points_ == 0) {
            raise(Code::data_empty,
                  "the text has no data point; allowed: " + std::string(request_allowed) + " with data points");
        }
        return sets_.take();
    }

  private:
    static constexpr std::string_view request_allowed =
        "OTLP/JSON metrics: {\"resourceMetrics\": [{\"resource\": {...}, \"scopeMetrics\": [...]}]}";

    [[noreturn]] void refuse(Code code, const std::string& what, const json& value, std::string_view allowed) const {
        raise(code, what + " is " + in_quotes(json_text(value)) + "; allowed: " + std::string(allowed));
    }
    [[noreturn]] void refuse_member(Code code, const char* key, const json& value, std::string_view allowed) const {
        refuse(code, place_.text() + "." + key, value, allowed);
    }

    /// A member that is an array, nothing where it is absent or null.
    const json* array(const json& object, const char* key) const {
        const json* found = json_member(object, key);
        if (found == nullptr || found->is_null()) return nullptr;
        if (!found->is_array()) refuse_member(Code::data_document, key, *found, "an array");
        return found;
    }

    /// A whole number, a text of digits as well; nothing for all else.
    static std::optional<double> whole(const json& value) {
        if (value.is_number_integer()) return value.get<double>();
        if (value.is_number()) {
            const double number = value.get<double>();
            if (number == std::floor(number)) return number;
            return std::nullopt;
        }
        if (!value.is_string()) return std::nullopt;
        const std::string& text = value.get_ref<const std::string&>();
        const char* const end = text.data() + text.size();
        std::int64_t small = 0;
        if (const auto [stop, problem] = std::from_chars(text.data(), end, small);
            problem == std::errc{} && stop == end) {
            return static_cast<double>(small);
        }
        std::uint64_t large = 0;
        if (const auto [stop, problem] = std::from_chars(text.data(), end, large);
            problem == std::errc{} && stop == end) {
            return static_cast<double>(large);
        }
        return std::nullopt;
    }

    double count_at(const json& object, const char* key) const {
        const json* value = json_member(object, key);
        return value == nullptr || value->is_null() ? 0 : count(*value, key);
    }
    double count(const json& value, const char* key) const {
        const auto number = whole(value);
        if (!number || *number < 0) refuse_member(Code::data_value, key, value, "a whole number, 0 or more");
        return *number;
    }
    std::int64_t small(const json& object, const char* key, std::int64_t most) const {
        const json* value = json_member(object, key);
        if (value == nullptr || value->is_null()) return 0;
        const auto number = whole(*value);
        if (!number || !(std::fabs(*number) <= static_cast<double>(most))) {
            refuse_member(Code::data_value, key, *value,
                          "a whole number from -" + std::to_string(most) + " to " + std::to_string(most));
        }
        return static_cast<std::int64_t>(*number);
    }
    double decimal(const json& value, const char* key) const {
        if (value.is_number()) return value.get<double>();
        const auto number = value.is_string() ? parse_number(value.get_ref<const std::string&>()) : std::nullopt;
        if (!number) refuse_member(Code::data_value, key, value, number_allowed);
        return *number;
    }
    double decimal_at(const json& object, const char* key, double otherwise) const {
        const json* value = json_member(object, key);
        return value == nullptr || value->is_null() ? otherwise : decimal(*value, key);
    }
    bool is_true(const json& object, const char* key) const {
        const json* value = json_member(object, key);
        return value != nullptr && *value == true;
    }
    std::string text(const json& object, const char* key) const {
        const json* value = json_member(object, key);
        if (value == nullptr || value->is_null()) return {};
        if (!value->is_string()) refuse_member(Code::data_document, key, *value, "a text");
        return value->get<std::string>();
    }

    /// Unix nanoseconds as milliseconds; 0 for none.
    std::int64_t time(const json& point, const char* key) const {
        const json* value = json_member(point, key);
        if (value == nullptr || value->is_null()) return 0;
        std::uint64_t ns = 0;
        bool possible = false;
        if (value->is_string()) {
            const std::string& digits = value->get_ref<const std::string&>();
            const auto [stop, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), ns);
            possible = problem == std::errc{} && stop == digits.data() + digits.size();
        } else if (value->is_number_unsigned()) {
            ns = value->get<std::uint64_t>();
            possible = true;
        } else if (value->is_number_float()) {
            const double number = value->get<double>();
            possible = number >= 0 && number < 1.8e19;
            if (possible) ns = static_cast<std::uint64_t>(number);
        }
        if (!possible) refuse_member(Code::data_timestamp, key, *value, "Unix nanoseconds, as a text of digits");
        return static_cast<std::int64_t>(ns / 1'000'000);
    }
    std::int64_t time_of(const json& point) const {
        const std::int64_t ms = time(point, "timeUnixNano");
        if (ms == 0) {
            raise(Code::data_timestamp, place_.text() +
                                            " has no timeUnixNano; allowed: Unix nanoseconds, as a text of "
                                            "digits");
        }
        return ms;
    }

    Temporality temporality(const json& data, const std::string& name, bool told) {
        const json* value = json_member(data, "aggregationTemporality");
        Temporality read = Temporality::unspecified;
        if (value != nullptr && !value->is_null()) {
            const std::string word = json_text(*value);
            if (word == "1" || word == "AGGREGATION_TEMPORALITY_DELTA") {
                read = Temporality::delta;
            } else if (word == "2" || word == "AGGREGATION_TEMPORALITY_CUMULATIVE") {
                read = Temporality::cumulative;
            } else if (word != "0" && word != "AGGREGATION_TEMPORALITY_UNSPECIFIED") {
                place_.kind = {};
                refuse_member(Code::data_value, "aggregationTemporality", *value, "0, 1, 2 and their names");
            }
        }
        if (read == Temporality::unspecified && told) {
            sets_.note(Code::source_warning, "text",
                       name + " does not say whether it is cumulative or delta: it is read as it is");
        }
        return read;
    }

    /// The value of an attribute as a text: lists and maps as JSON; empty for none.
    static std::string attribute(const json& value) {
        if (!value.is_object()) return {};
        for (const char* const key : {"stringValue", "intValue", "boolValue", "doubleValue", "bytesValue"}) {
            if (const json* found = json_member(value, key)) return found->is_null() ? "" : json_text(*found);
        }
        for (const char* const key : {"arrayValue", "kvlistValue"}) {
            if (value.contains(key)) return json_text(plain(value));
        }
        return {};
    }
    static json plain(const json& value) {
        if (const json* list = json_member(value, "arrayValue")) {
            json out = json::array();
            if (const json* values = json_member(*list, "values"); values != nullptr && values->is_array())
                for (const json& one : *values) out.push_back(plain(one));
            return out;
        }
        if (const json* map = json_member(value, "kvlistValue")) {
            json out = json::object();
            if (const json* values = json_member(*map, "values"); values != nullptr && values->is_array()) {
                for (const json& one : *values) {
                    const json* key = json_member(one, "key");
                    const json* of = json_member(one, "value");
                    if (key != nullptr && key->is_string())
                        out[key->get<std::string>()] = of == nullptr ? json(nullptr) : plain(*of);
                }
            }
            return out;
        }
        return value.is_object() && !value.empty() ? value.front() : json(nullptr);
    }
    void add_attributes(const json& of, Labels& labels) const {
        const json* attributes = array(of, "attributes");
        if (attributes == nullptr) return;
        for (const json& one : *attributes) {
            const json* key = json_member(one, "key");
            if (key == nullptr || !key->is_string()) {
                refuse_member(Code::data_document, "attributes", one, "{\"key\": NAME, \"value\": {...}}");
            }
            const json* value = json_member(one, "value");
            labels[key->get<std::string>()] = value == nullptr ? std::string() : attribute(*value);
        }
    }

    void read_resource(const json& resource) {
        place_.scope = place_.metric = 0;
        place_.kind = {};
        resource_ = {};
        if (const json* told = json_member(resource, "resource")) add_attributes(*told, resource_);
        const json* scopes = array(resource, "scopeMetrics");
        for (place_.scope = 0; scopes != nullptr && place_.scope < scopes->size(); ++place_.scope) {
            const json& scope = (*scopes)[place_.scope];
            place_.metric = 0;
            scope_ = resource_;
            if (const json* told = json_member(scope, "scope")) {
                const std::string name = text(*told, "name");
                if (!name.empty()) scope_["otel_scope_name"] = name;
            }
            source_ = labels_text(scope_);
            const json* metrics = array(scope, "metrics");
            for (place_.metric = 0; metrics != nullptr && place_.metric < metrics->size(); ++place_.metric) {
                place_.kind = {};
                read_metric((*metrics)[place_.metric]);
            }
        }
    }

    void read_metric(const json& metric) {
        const std::string name = text(metric, "name");
        const std::string unit = text(metric, "unit");
        for (const std::string_view kind : {"gauge", "sum", "histogram", "exponentialHistogram", "summary"}) {
            const json* data = json_member(metric, std::string(kind).c_str());
            if (data == nullptr || data->is_null()) continue;
            if (name.empty()) {
                raise(Code::data_document, place_.text() + " has no name; allowed: a name");
            }
            const json* points = array(*data, "dataPoints");
            const bool gauge = kind == "gauge";
            const bool some = points != nullptr && !points->empty();
            const Temporality since =
                gauge || kind == "summary" ? Temporality::unspecified : temporality(*data, name, some);
            const bool monotonic = kind == "sum" && is_true(*data, "isMonotonic");
            names_ = names_of(name, unit, monotonic, gauge);
            name_ = sets_.pick(names_);
            place_.kind = kind;
            for (place_.point = 0; some && place_.point < points->size(); ++place_.point) {
                const json& point = (*points)[place_.point];
                if (!point.is_object()) refuse(Code::data_document, place_.text(), point, "an object");
                Labels labels = scope_;
                add_attributes(point, labels);
                ++points_;
                if (gauge || kind == "sum") {
                    read_number(point, std::move(labels), since, monotonic);
                } else if (kind == "histogram") {
                    read_explicit(point, labels, since);
                } else if (kind == "exponentialHistogram") {
                    read_exponential(point, labels, since);
                } else {
                    read_summary(point, labels);
                }
            }
        }
    }

    bool recorded(const json& point) const { return (small(point, "flags", 0xFFFFFFFFLL) & 1) == 0; }

    void put(const std::string& name, Labels labels, Temporality since, std::int64_t at, double value,
             std::int64_t start, double le = not_a_number) {
        const auto [set, fresh] = sets_.add(name, std::move(labels), le);
        if (set == nullptr) return;
        const bool delta = since == Temporality::delta;
        if (fresh) {
            set->delta = delta;
            set->source = source_;
        } else if (set->delta != delta) {
            raise(Code::data_value, place_.text() +
                                        " is of a stream whose earlier points are of another "
                                        "aggregationTemporality; allowed: one a stream");
        }
        if (delta && std::isnan(value)) return;  // nothing was recorded, so there is nothing to add
        push(set->samples, at, value, start);
    }

    void read_number(const json& point, Labels labels, Temporality since, bool monotonic) {
        double value = not_a_number;
        if (recorded(point)) {
            if (const json* whole_number = json_member(point, "asInt"); whole_number && !whole_number->is_null()) {
                const auto number = whole(*whole_number);
                if (!number) refuse_member(Code::data_value, "asInt", *whole_number, "a whole number of 64 bits");
                value = *number;
            } else {
                value = decimal_at(point, "asDouble", not_a_number);
            }
        }
        put(name_, std::move(labels), since, time_of(point), value, monotonic ? time(point, "startTimeUnixNano") : 0);
    }

    /// NAME_count, NAME_sum ... under the name that the plan has for it; empty where it asks for none.
    std::string derived(std::string_view suffix) const {
        std::vector<std::string> all;
        for (const std::string& name : names_) all.push_back(name + std::string(suffix));
        std::string picked = sets_.pick(all);
        return sets_.wanted(picked) ? picked : std::string();
    }

    void put_count_and_sum(const json& point, const Labels& labels, Temporality since, std::int64_t at,
                           std::int64_t start, bool some) {
        if (const std::string name = derived("_count"); !name.empty())
            put(name, labels, since, at, some ? count_at(point, "count") : not_a_number, start);
        const json* sum = json_member(point, "sum");
        if (const std::string name = derived("_sum"); !name.empty() && (sum != nullptr || !some))
            put(name, labels, since, at, some ? decimal(*sum, "sum") : not_a_number, start);
    }

    void put_histogram(const Labels& labels, Temporality since, std::int64_t at, std::int64_t start,
                       HistogramSample sample) {
        LabelSet* const set = sets_.add(name_, labels).first;
        if (set == nullptr) return;
        set->histograms.delta = since == Temporality::delta;
        set->read_otherwise = sets_.known(derived("_bucket")) || sets_.known(derived("_count"));
        push(set->histograms, at, std::move(sample), start);
    }

    void read_explicit(const json& point, const Labels& labels, Temporality since) {
        const std::int64_t at = time_of(point);
        const std::int64_t start = time(point, "startTimeUnixNano");
        const bool some = recorded(point);
        put_count_and_sum(point, labels, since, at, start, some);
        if (!some) return;
        HistogramSample sample;
        sample.layout = HistogramLayout::classic;
        sample.count = count_at(point, "count");
        sample.sum = decimal_at(point, "sum", not_a_number);
        std::vector<double> ends;
        if (const json* bounds = array(point, "explicitBounds")) {
            for (const json& bound : *bounds) {
                const double end = decimal(bound, "explicitBounds");
                if (!(end > (ends.empty() ? -infinity : ends.back()) && end < infinity)) {
                    refuse_member(Code::data_value, "explicitBounds", *bounds, "finite ends that ascend");
                }
                ends.push_back(end);
            }
        }
        const json* counts = array(point, "bucketCounts");
        if (counts != nullptr && !counts->empty()) {
            if (counts->size() != ends.size() + 1) {
                refuse_member(Code::data_value, "bucketCounts", *counts,
                              "one entry more than explicitBounds has, so " + std::to_string(ends.size() + 1));
            }
            for (std::size_t i = 0; i < counts->size(); ++i) {
                sample.buckets.push_back({i == 0 ? -infinity : ends[i - 1], i < ends.size() ? ends[i] : infinity,
                                          count((*counts)[i], "bucketCounts"), BucketEnds::upper});
            }
        }
        if (const std::string name = derived("_bucket"); !name.empty()) {
            double below = 0;
            for (const HistogramBucket& bucket : sample.buckets) {
                below += bucket.count;
                put(name, labels, since, at, below, start, bucket.upper);
            }
            if (sample.buckets.empty()) put(name, labels, since, at, sample.count, start, infinity);
        }
        put_histogram(labels, since, at, start, std::move(sample));
    }

    void read_exponential(const json& point, const Labels& labels, Temporality since) {
        constexpr std::int64_t most_scale = 64;
        constexpr std::int64_t most_offset = std::numeric_limits<std::int32_t>::max();
        const std::int64_t at = time_of(point);
        const std::int64_t start = time(point, "startTimeUnixNano");
        const bool some = recorded(point);
        put_count_and_sum(point, labels, since, at, start, some);
        if (!some) return;
        HistogramSample sample;
        sample.count = count_at(point, "count");
        sample.sum = decimal_at(point, "sum", not_a_number);
        const int scale = static_cast<int>(small(point, "scale", most_scale));
        // An end beyond a double's range is the last that there is.
        const auto end = [&](std::int64_t index) {
            return std::clamp(exponential_bucket_end(scale, index), std::numeric_limits<double>::denorm_min(),
                              infinity);
        };
        const auto read = [&](const char* key, bool negative) {
            const json* side = json_member(point, key);
            const json* counts = side == nullptr ? nullptr : array(*side, "bucketCounts");
            if (counts == nullptr) return;
            const std::int64_t offset = small(*side, "offset", most_offset);
            for (std::size_t i = 0; i < counts->size(); ++i) {
                const std::size_t from = negative ? counts->size() - 1 - i : i;
                const double number = count((*counts)[from], "bucketCounts");
                if (number == 0) continue;
                const std::int64_t index = offset + static_cast<std::int64_t>(from);
                const double inner = std::fmin(end(index), std::numeric_limits<double>::max());
                const double outer = end(index + 1);
                if (negative) {
                    sample.buckets.push_back({-outer, -inner, number, BucketEnds::lower});
                } else {
                    sample.buckets.push_back({inner, outer, number, BucketEnds::upper});
                }
            }
        };
        read("negative", true);
        if (const double zeros = count_at(point, "zeroCount"); zeros > 0) {
            const double within = decimal_at(point, "zeroThreshold", 0.0);
            if (!(within >= 0)) {
                refuse_member(Code::data_value, "zeroThreshold", *json_member(point, "zeroThreshold"), "0 or more");
            }
            sample.buckets.push_back({-within, within, zeros, BucketEnds::both});
        }
        read("positive", false);
        put_histogram(labels, since, at, start, std::move(sample));
    }

    void read_summary(const json& point, const Labels& labels) {
        const std::int64_t at = time_of(point);
        const std::int64_t start = time(point, "startTimeUnixNano");
        const bool some = recorded(point);
        put_count_and_sum(point, labels, Temporality::cumulative, at, start, some);
        const json* quantiles = array(point, "quantileValues");
        if (quantiles == nullptr) return;
        for (const json& one : *quantiles) {
            Labels with = labels;
            with["quantile"] = given_text(decimal_at(one, "quantile", 0.0));
            put(name_, std::move(with), Temporality::unspecified, at,
                some ? decimal_at(one, "value", 0.0) : not_a_number, 0);
        }
    }

    LabelSets sets_;
    Place place_;
    Labels resource_;
    std::string source_;
    Labels scope_;  ///< the resource's as well
    std::vector<std::string> names_;
    std::string name_;
    std::int64_t points_ = 0;
};

}  // namespace

bool looks_like_otlp(std::string_view text) {
    const std::vector<std::string_view> keys = first_keys(text);
    return std::any_of(keys.begin(), keys.end(), [](std::string_view key) {
        return key == "resourceMetrics" || key == "resourceSpans" || key == "resourceLogs";
    });
}

Batch read_otlp(std::string_view text, const ReadOptions& options) {
    if (text.size() > options.max_bytes) {
        raise(Code::data_size, "the text has " + std::to_string(text.size()) + " bytes; allowed: at most " +
                                   std::to_string(options.max_bytes));
    }
    Reader reader(options);
    std::int64_t number = 1;
    for (std::string_view request = take_json(text, number); !request.empty(); request = take_json(text, number)) {
        const std::string where = "line " + std::to_string(number);
        reader.read(parse_json(request, where), where + ": ");
        number += std::count(request.begin(), request.end(), '\n');
    }
    return reader.take();
}

}  // namespace io
}  // namespace v0
}  // namespace serinus
