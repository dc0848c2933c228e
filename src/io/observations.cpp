#include "observations.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <serinus/core/code_named.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/core/words.hpp>

#include "json.hpp"

namespace serinus {
inline namespace v0 {
namespace io {

using nlohmann::ordered_json;

namespace {

[[noreturn]] void refuse(const std::string& path, const ordered_json& value, std::string_view allowed) {
    raise(Code::data_document, path + " is " + shown(value) + "; allowed: " + std::string(allowed));
}

bool same_bits(double a, double b) { return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b); }
bool same_bits(const HistogramSample& a, const HistogramSample& b) {
    return a.layout == b.layout && same_bits(a.count, b.count) && same_bits(a.sum, b.sum) && a.buckets == b.buckets;
}

/// Every double comes back as it was. Whole numbers are written without a decimal point, but for -0.
ordered_json exact(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
    if (std::abs(value) < 1e15 && value == std::floor(value) && !(value == 0 && std::signbit(value)))
        return static_cast<std::int64_t>(value);
    return value;
}

double read_exact(const ordered_json& value, const std::string& path) {
    if (value.is_number()) return value.get<double>();
    if (value == "NaN") return std::numeric_limits<double>::quiet_NaN();
    if (value == "Infinity") return std::numeric_limits<double>::infinity();
    if (value == "-Infinity") return -std::numeric_limits<double>::infinity();
    refuse(path, value, "a number, \"NaN\", \"Infinity\", \"-Infinity\"");
}

template <class Enum>
Enum read_word(const ordered_json& value, const std::string& path) {
    const auto found = value.is_string() ? parse_word<Enum>(value.get_ref<const std::string&>()) : std::nullopt;
    if (!found) refuse(path, value, "a word of an audit log");
    return *found;
}

template <class Of, class Read>
std::vector<Of> read_list(const ordered_json& value, const std::string& path, Read read) {
    if (!value.is_array()) refuse(path, value, "a list");
    std::vector<Of> list;
    list.reserve(value.size());
    for (std::size_t i = 0; i < value.size(); ++i) list.push_back(read(value[i], element(path, i)));
    return list;
}

// ---- one sample of either kind

ordered_json sample_json(double value) { return exact(value); }
ordered_json sample_json(const HistogramSample& sample) {
    ordered_json buckets = ordered_json::array();
    for (const HistogramBucket& bucket : sample.buckets)
        buckets.push_back({exact(bucket.lower), exact(bucket.upper), exact(bucket.count), word(bucket.ends)});
    return {{"layout", word(sample.layout)},
            {"count", exact(sample.count)},
            {"sum", exact(sample.sum)},
            {"buckets", std::move(buckets)}};
}

void read_sample(const ordered_json& value, const std::string& path, double& out) { out = read_exact(value, path); }
void read_sample(const ordered_json& value, const std::string& path, HistogramSample& out) {
    out.layout = read_word<HistogramLayout>(wanted(value, "layout", path), member(path, "layout"));
    out.count = read_exact(wanted(value, "count", path), member(path, "count"));
    out.sum = read_exact(wanted(value, "sum", path), member(path, "sum"));
    out.buckets = read_list<HistogramBucket>(
        wanted(value, "buckets", path), member(path, "buckets"), [](const ordered_json& of, const std::string& at) {
            if (!of.is_array() || of.size() != 4) refuse(at, of, "lower, upper, count, ends");
            return HistogramBucket{read_exact(of[0], at), read_exact(of[1], at), read_exact(of[2], at),
                                   read_word<BucketEnds>(of[3], at)};
        });
}

// ---- a series of either kind

const std::vector<double>& samples_of(const Series& series) { return series.values; }
std::vector<double>& samples_of(Series& series) { return series.values; }
const std::vector<HistogramSample>& samples_of(const HistogramSeries& series) { return series.samples; }
std::vector<HistogramSample>& samples_of(HistogramSeries& series) { return series.samples; }

double bound_of(const ArmSeries& of) { return of.le; }
double bound_of(const ArmHistogram&) { return std::numeric_limits<double>::quiet_NaN(); }
bool delta_of(const ArmSeries&) { return false; }
bool delta_of(const ArmHistogram& of) { return of.series.delta; }

/// What a series is known by, in one text: each part with its length before it.
template <class Of>
std::string identity(const Of& of) {
    std::string key;
    for (const std::string* part : {&of.name, &of.series.instance, &of.labels, &of.replica})
        key += std::to_string(part->size()) + ":" + *part;
    return key + (of.arm == Arm::canary ? "c" : "b") + (delta_of(of) ? "d" : "t") +
           std::to_string(std::bit_cast<std::uint64_t>(bound_of(of)));
}

template <class Of>
std::map<std::string, const Of*> by_identity(const std::vector<Of>& all) {
    std::map<std::string, const Of*> known;
    for (const Of& of : all) known.emplace(identity(of), &of);
    return known;
}

template <class Of>
bool same_sample(const Of& a, std::size_t i, const Of& b, std::size_t j) {
    const bool starts = !a.starts_ms.empty();
    return a.times_ms[i] == b.times_ms[j] && same_bits(samples_of(a)[i], samples_of(b)[j]) &&
           (!starts || a.starts_ms[i] == b.starts_ms[j]);
}

/// How many samples at the front of `fresh` stand in `known` from `from` on, one after the other.
template <class Of>
std::pair<std::size_t, std::size_t> common(const Of& fresh, const Of& known) {
    const auto whole = [](const Of& of) {
        return samples_of(of).size() == of.times_ms.size() &&
               (of.starts_ms.empty() || of.starts_ms.size() == of.times_ms.size());
    };
    if (fresh.times_ms.empty() || !whole(fresh) || !whole(known) || fresh.starts_ms.empty() != known.starts_ms.empty())
        return {0, 0};
    const auto begin =
        std::find(known.times_ms.begin(), known.times_ms.end(), fresh.times_ms.front()) - known.times_ms.begin();
    const auto from = static_cast<std::size_t>(begin);
    std::size_t count = 0;
    while (count < fresh.times_ms.size() && from + count < known.times_ms.size() &&
           same_sample(fresh, count, known, from + count))
        ++count;
    return {from, count};
}

template <class Of>
ordered_json series_json(const Of& of, const Of* base) {
    ordered_json out{{"name", bytes_json(of.name)}, {"arm", word(of.arm)}};
    if (!std::isnan(bound_of(of))) out["le"] = exact(bound_of(of));
    if (!of.series.instance.empty()) out["instance"] = bytes_json(of.series.instance);
    if (!of.labels.empty()) out["labels"] = bytes_json(of.labels);
    if (!of.replica.empty()) out["replica"] = bytes_json(of.replica);
    if (delta_of(of)) out["delta"] = true;
    const auto [from, count] = base ? common(of.series, base->series) : std::pair<std::size_t, std::size_t>{0, 0};
    if (count > 0) out["same"] = {from, count};
    const auto rest = static_cast<std::ptrdiff_t>(count);
    const auto& times = of.series.times_ms;
    out["times_ms"] = std::vector<std::int64_t>(times.begin() + rest, times.end());
    ordered_json values = ordered_json::array();
    const auto& samples = samples_of(of.series);
    for (std::size_t i = count; i < samples.size(); ++i) values.push_back(sample_json(samples[i]));
    out["values"] = std::move(values);
    const auto& starts = of.series.starts_ms;
    if (!starts.empty()) out["starts_ms"] = std::vector<std::int64_t>(starts.begin() + rest, starts.end());
    return out;
}

template <class Of>
Of read_series(const ordered_json& value, const std::string& path, const std::map<std::string, const Of*>& base) {
    const auto text = [&](std::string_view key) {
        const auto found = value.find(std::string(key));
        return found == value.end() ? std::string() : read_bytes(*found, member(path, key));
    };
    Of of;
    of.name = read_bytes(wanted(value, "name", path), member(path, "name"));
    of.arm = read_word<Arm>(wanted(value, "arm", path), member(path, "arm"));
    if constexpr (std::is_same_v<Of, ArmSeries>) {
        if (value.contains("le")) of.le = read_exact(value["le"], member(path, "le"));
    } else {
        of.series.delta = value.contains("delta");
    }
    of.series.instance = text("instance");
    of.labels = text("labels");
    of.replica = text("replica");
    auto& times = of.series.times_ms;
    auto& samples = samples_of(of.series);
    auto& starts = of.series.starts_ms;
    const bool with_starts = value.contains("starts_ms");
    if (const auto same = value.find("same"); same != value.end()) {
        const std::string at = member(path, "same");
        const auto known = base.find(identity(of));
        const auto range = read_list<std::int64_t>(*same, at, read_whole);
        if (known == base.end() || range.size() != 2 || range[0] < 0 || range[1] < 0 ||
            range[1] > static_cast<std::int64_t>(known->second->series.times_ms.size()) - range[0])
            refuse(at, *same, "samples of the line before");
        const auto& from = known->second->series;
        const auto take = [&](auto& out, const auto& all) {
            out.assign(all.begin() + range[0], all.begin() + range[0] + range[1]);
        };
        take(times, from.times_ms);
        take(samples, samples_of(from));
        if (with_starts && !from.starts_ms.empty()) take(starts, from.starts_ms);
    }
    for (const std::int64_t time :
         read_list<std::int64_t>(wanted(value, "times_ms", path), member(path, "times_ms"), read_whole))
        times.push_back(time);
    const ordered_json& values = wanted(value, "values", path);
    if (!values.is_array()) refuse(member(path, "values"), values, "a list");
    for (std::size_t i = 0; i < values.size(); ++i)
        read_sample(values[i], element(member(path, "values"), i), samples.emplace_back());
    if (with_starts) {
        for (const std::int64_t start :
             read_list<std::int64_t>(value["starts_ms"], member(path, "starts_ms"), read_whole))
            starts.push_back(start);
    }
    return of;
}

// ---- what was left aside while the data were read

ordered_json note_json(const Reason& note) {
    ordered_json numbers = ordered_json::array(), texts = ordered_json::array();
    for (const NamedNumber& number : note.numbers) numbers.push_back({bytes_json(number.name), exact(number.value)});
    for (const NamedText& text : note.texts) texts.push_back({bytes_json(text.name), bytes_json(text.value)});
    return {{"code", name(note.code)},
            {"metric", bytes_json(note.metric)},
            {"numbers", std::move(numbers)},
            {"texts", std::move(texts)},
            {"outside_alpha", note.outside_alpha}};
}

Reason read_note(const ordered_json& value, const std::string& path) {
    const ordered_json& code = wanted(value, "code", path);
    const auto known = code.is_string() ? code_named(code.get_ref<const std::string&>()) : std::nullopt;
    if (!known) refuse(member(path, "code"), code, "the name of a reason");
    const auto pair = [](const ordered_json& of, const std::string& at) -> const ordered_json& {
        if (!of.is_array() || of.size() != 2) refuse(at, of, "a name and a value");
        return of;
    };
    Reason note;
    note.code = *known;
    note.metric = read_bytes(wanted(value, "metric", path), member(path, "metric"));
    note.numbers = read_list<NamedNumber>(
        wanted(value, "numbers", path), member(path, "numbers"), [&](const ordered_json& of, const std::string& at) {
            return NamedNumber{read_bytes(pair(of, at)[0], at), read_exact(of[1], at)};
        });
    note.texts = read_list<NamedText>(wanted(value, "texts", path), member(path, "texts"),
                                      [&](const ordered_json& of, const std::string& at) {
                                          return NamedText{read_bytes(pair(of, at)[0], at), read_bytes(of[1], at)};
                                      });
    note.outside_alpha = wanted(value, "outside_alpha", path) == true;
    return note;
}

}  // namespace

std::string hex_text(std::string_view bytes) {
    std::string hex;
    hex.reserve(2 * bytes.size());
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        hex += "0123456789abcdef"[byte >> 4];
        hex += "0123456789abcdef"[byte & 15];
    }
    return hex;
}

std::string from_hex(std::string_view hex, const std::string& path) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string bytes;
    bytes.reserve(hex.size() / 2);
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        const std::size_t high = digits.find(hex[i]);
        const std::size_t low = i + 1 < hex.size() ? digits.find(hex[i + 1]) : std::string_view::npos;
        if (high == std::string_view::npos || low == std::string_view::npos)
            raise(Code::data_document, path + " is no text of hexadecimal digits; allowed: pairs of 0-9 and a-f");
        bytes += static_cast<char>(high << 4 | low);
    }
    return bytes;
}

ordered_json bytes_json(std::string_view text) {
    if (valid_utf8(text)) return text;
    return {{"hex", hex_text(text)}};
}

std::string read_bytes(const ordered_json& value, const std::string& path) {
    if (value.is_string()) return value.get<std::string>();
    const auto hex = value.find("hex");  // end() of what is no object
    if (hex == value.end() || !hex->is_string()) refuse(path, value, "a text, or {\"hex\": digits}");
    return from_hex(hex->get_ref<const std::string&>(), path);
}

const ordered_json& wanted(const ordered_json& object, std::string_view key, const std::string& path) {
    const auto found = object.find(std::string(key));
    if (found == object.end())
        raise(Code::data_document, member(path, key) + " is missing; allowed: a line of an audit log");
    return *found;
}

std::int64_t read_whole(const ordered_json& value, const std::string& path) {
    if (!value.is_number_integer()) refuse(path, value, "a whole number");
    return value.get<std::int64_t>();
}

ordered_json observations_json(const Batch& batch, const Batch& base) {
    const auto told = [](const auto& all, const auto& before) {
        const auto known = by_identity(before);
        ordered_json list = ordered_json::array();
        for (const auto& of : all) {
            const auto found = known.find(identity(of));
            list.push_back(series_json(of, found == known.end() ? nullptr : found->second));
        }
        return list;
    };
    ordered_json stages = ordered_json::array(), notes = ordered_json::array();
    for (const StageStart& start : batch.stages) stages.push_back({start.stage, start.at_ms});
    for (const Reason& note : batch.notes) notes.push_back(note_json(note));
    return {{"series", told(batch.series, base.series)},
            {"histograms", told(batch.histograms, base.histograms)},
            {"stages", std::move(stages)},
            {"notes", std::move(notes)}};
}

Batch read_observations(const ordered_json& document, const Batch& base) {
    const std::string path = "observations";
    Batch batch;
    const auto series = by_identity(base.series);
    batch.series = read_list<ArmSeries>(
        wanted(document, "series", path), member(path, "series"),
        [&](const ordered_json& value, const std::string& at) { return read_series<ArmSeries>(value, at, series); });
    const auto histograms = by_identity(base.histograms);
    batch.histograms = read_list<ArmHistogram>(wanted(document, "histograms", path), member(path, "histograms"),
                                               [&](const ordered_json& value, const std::string& at) {
                                                   return read_series<ArmHistogram>(value, at, histograms);
                                               });
    batch.stages = read_list<StageStart>(
        wanted(document, "stages", path), member(path, "stages"), [](const ordered_json& value, const std::string& at) {
            if (!value.is_array() || value.size() != 2) refuse(at, value, "a stage and its time");
            return StageStart{static_cast<int>(read_whole(value[0], at)), read_whole(value[1], at)};
        });
    batch.notes = read_list<Reason>(wanted(document, "notes", path), member(path, "notes"), read_note);
    return batch;
}

}  // namespace io
}  // namespace v0
}  // namespace serinus
