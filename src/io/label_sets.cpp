#include "label_sets.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/core/text.hpp>
#include <serinus/series/time.hpp>

namespace serinus {
inline namespace v0 {
namespace io {

namespace {

constexpr std::size_t most_values = 10;
constexpr std::size_t most_notes = 10;  ///< of one code; a source may warn of each of a thousand series

bool is_identifier(std::string_view name) {
    if (name.empty() || (name.front() >= '0' && name.front() <= '9')) return false;
    return std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    });
}

std::string escaped(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        if (c == '\n') {
            out += "\\n";
        } else {
            out += c;
        }
    }
    return out + '"';
}

std::string listed(const std::vector<std::string>& values, std::size_t most) {
    std::string text;
    for (std::size_t i = 0; i < std::min(values.size(), most); ++i) text += (i > 0 ? ", " : "") + in_quotes(values[i]);
    return values.size() > most ? text + ", ..." : text;
}

std::string series_count(std::int64_t count) { return std::to_string(count) + " series"; }

/// What counts in a series of that name: `http_requests` for http_requests_total, and so on.
std::string_view base_of(std::string_view name) {
    for (const std::string_view end : {"_total", "_bucket", "_count", "_sum"}) {
        if (name.size() > end.size() && name.ends_with(end)) return name.substr(0, name.size() - end.size());
    }
    return name;
}

}  // namespace

std::string labels_text(const Labels& labels) {
    std::string text;
    for (const auto& [name, value] : labels) {
        text += text.empty() ? "{" : ",";
        text += (is_identifier(name) ? name : escaped(name)) + "=" + escaped(value);
    }
    return text.empty() ? text : text + "}";
}

std::string prometheus_name(std::string_view name) {
    std::string out(name);
    for (char& c : out) {
        if (!is_identifier(std::string_view(&c, 1)) && !(c >= '0' && c <= '9') && c != ':') c = '_';
    }
    if (!out.empty() && out.front() >= '0' && out.front() <= '9') out.insert(out.begin(), '_');
    return out;
}

void push(Series& series, std::int64_t time_ms, double value, std::int64_t start_ms) {
    if (start_ms != 0 && series.starts_ms.empty()) series.starts_ms.assign(series.values.size(), 0);
    series.times_ms.push_back(time_ms);
    series.values.push_back(value);
    if (start_ms != 0 || !series.starts_ms.empty()) series.starts_ms.push_back(start_ms);
}

void push(HistogramSeries& series, std::int64_t time_ms, HistogramSample sample, std::int64_t start_ms) {
    if (start_ms != 0 && series.starts_ms.empty()) series.starts_ms.assign(series.samples.size(), 0);
    series.times_ms.push_back(time_ms);
    series.samples.push_back(std::move(sample));
    if (start_ms != 0 || !series.starts_ms.empty()) series.starts_ms.push_back(start_ms);
}

LabelSets::LabelSets(const ReadOptions& options, LabelNames names)
    : options_(options), form_(names), names_(options.names.begin(), options.names.end()) {
    const Arms& arms = options.arms;
    if (arms.label.empty()) raise(Code::argument_word, "label is \"\"; allowed: the name of a label");
    if (arms.baseline == arms.canary) {
        raise(Code::argument_word, "baseline and canary are both " + in_quotes(arms.baseline) +
                                       "; allowed: two different values of the label " + in_quotes(arms.label));
    }
}

const std::string* LabelSets::find(const Labels& labels, std::string_view name, std::string* key) const {
    if (name.empty()) return nullptr;
    auto found = labels.find(std::string(name));
    if (found == labels.end() && form_ == LabelNames::opentelemetry) {
        found = std::find_if(labels.begin(), labels.end(),
                             [&](const auto& label) { return prometheus_name(label.first) == name; });
    }
    if (found == labels.end()) return nullptr;
    if (key != nullptr) *key = found->first;
    return &found->second;
}

std::pair<LabelSet*, bool> LabelSets::add(const std::string& name, Labels labels, double le) {
    std::erase_if(labels, [](const auto& label) { return label.second.empty(); });
    std::string key = name;
    key += '\0';
    for (const auto& [label, value] : labels) {
        key += label;
        key += '\0';
        key += value;
        key += '\0';
    }
    if (!std::isnan(le)) key += given_text(le);
    const auto [place, fresh] = places_.try_emplace(std::move(key), nullptr);
    if (!fresh) return {place->second, false};

    const Arms& arms = options_.arms;
    std::string arm_label;
    const std::string* found = find(labels, arms.label, &arm_label);
    const bool one_service = found == nullptr && std::find(options_.without_arms.begin(), options_.without_arms.end(),
                                                           name) != options_.without_arms.end();
    const std::string arm = found == nullptr ? one_service ? arms.baseline : "" : *found;
    if (arm != arms.baseline && arm != arms.canary) {
        if (found == nullptr) {
            if (without_label_++ == 0) {
                without_name_ = name;
                without_labels_ = labels_text(labels);
            }
            for (const auto& label : labels) {
                if (label_names_.size() < most_values) label_names_.insert(label.first);
            }
        } else {
            ++other_value_;
            if (values_.size() <= most_values && std::find(values_.begin(), values_.end(), arm) == values_.end()) {
                values_.push_back(arm);
            }
        }
        return {nullptr, true};
    }
    LabelSet& set = sets_.emplace_back();
    set.name = name;
    set.arm = arm == arms.baseline ? Arm::baseline : Arm::canary;
    set.le = le;
    if (found != nullptr) labels.erase(arm_label);
    set.labels = std::move(labels);
    place->second = &set;
    return {&set, true};
}

std::string LabelSets::pick(const std::vector<std::string>& candidates) const {
    for (const std::string& name : candidates) {
        if (known(name)) return name;
    }
    return candidates.front();
}

std::string LabelSets::pick_total(const std::string& name) const {
    if (!known(name) && name.ends_with("_total")) {
        if (std::string base = name.substr(0, name.size() - 6); known(base)) return base;
    }
    return name;
}

void LabelSets::note(Code code, std::string_view key, std::string_view text) {
    for (const Reason& told : notes_) {
        if (told.code == code && !told.texts.empty() && told.texts.front().value == text) return;
    }
    if (++told_[code] > most_notes) return;
    Reason& reason = notes_.emplace_back();
    reason.code = code;
    reason.texts.push_back({std::string(key), std::string(text)});
}

void LabelSets::note_rows(std::int64_t count, std::string_view why) {
    if (count == 0) return;
    Reason& reason = notes_.emplace_back();
    reason.code = Code::rows_ignored;
    reason.numbers.push_back({"count", static_cast<double>(count)});
    reason.texts.push_back({"why", std::string(why)});
}

/// Where not one label set belongs to an arm, there is nothing to judge, and a likely cause.
void LabelSets::refuse_arms() const {
    const Arms& arms = options_.arms;
    const std::string allowed = "; allowed: " + in_quotes(arms.baseline) + " for the baseline, " +
                                in_quotes(arms.canary) + " for the canary (the plan's \"arms\" can name others)";
    if (other_value_ > 0) {
        raise(Code::data_arm, "the label " + in_quotes(arms.label) + " of all " +
                                  series_count(other_value_ + without_label_) + " is " + listed(values_, most_values) +
                                  (without_label_ > 0 ? " or not there" : "") + allowed);
    }
    std::string has;
    for (const std::string& label : label_names_) has += (has.empty() ? "" : ", ") + printable(label);
    raise(Code::data_arm, "none of " + series_count(without_label_) + " has the label " + in_quotes(arms.label) +
                              (has.empty() ? ": they have no labels" : "; they have " + has) + allowed);
}

void LabelSets::tell_outside() {
    if (without_label_ + other_value_ == 0) return;
    const std::string& label = options_.arms.label;
    std::string why;
    if (without_label_ > 0) {
        why = series_count(without_label_) + (without_label_ == 1 ? " has" : " have") + " no label " + label +
              (without_label_ == 1 ? ": " : ", such as ") +
              (without_labels_.empty() ? "{}" : printable(without_labels_, 80)) + " of " + without_name_;
        if (without_labels_.empty()) why += " (`or vector(0)` is the usual cause)";
    }
    if (other_value_ > 0) {
        why += (why.empty() ? "" : "; ") + series_count(other_value_) + (other_value_ == 1 ? " has" : " have") +
               " another " + label + ": " + listed(values_, 5);
    }
    Reason& reason = notes_.emplace_back();
    reason.code = Code::series_of_neither_arm;
    reason.numbers.push_back({"count", static_cast<double>(without_label_ + other_value_)});
    reason.texts.push_back({"why", std::move(why)});
}

/// A series `x_created` says in Unix seconds since when `x_total`, `x_bucket`, `x_count`, `x_sum` or `x` of the same
/// labels has counted. It is no series itself then, unless the plan asks for it.
void LabelSets::take_starts() {
    constexpr std::string_view created = "_created";
    std::map<std::pair<std::string, Labels>, LabelSet*> all;
    for (LabelSet& set : sets_) {
        if (set.name.size() <= created.size() || !set.name.ends_with(created)) continue;
        all.insert({{set.name.substr(0, set.name.size() - created.size()), set.labels}, &set});
    }
    if (all.empty()) return;

    std::map<const LabelSet*, std::map<std::int64_t, double>> starts;  // seconds by the time at which they were told
    for (LabelSet& set : sets_) {
        if (set.samples.values.empty() || set.name.ends_with(created)) continue;
        auto found = all.find({set.name, set.labels});
        if (found == all.end()) found = all.find({std::string(base_of(set.name)), set.labels});
        if (found == all.end()) continue;
        LabelSet& told = *found->second;
        const auto [place, fresh] = starts.try_emplace(&told);
        std::map<std::int64_t, double>& by_time = place->second;
        if (fresh) {
            for (std::size_t i = 0; i < told.samples.values.size(); ++i)
                by_time.emplace(told.samples.times_ms[i], told.samples.values[i]);
            if (by_time.empty() && told.timeless) by_time.emplace(earliest_ms, *told.timeless);
            told.timeless.reset();
            told.left_out = !known(told.name);
        }
        if (by_time.empty()) continue;
        set.samples.starts_ms.assign(set.samples.values.size(), 0);
        for (std::size_t i = 0; i < set.samples.values.size(); ++i) {
            const std::int64_t time = set.samples.times_ms[i];
            auto last = by_time.upper_bound(time);
            if (last != by_time.begin()) --last;  // else nobody had said yet: the first that was
            const auto start = last->second > 0 ? try_time_from_number(last->second) : std::nullopt;
            if (start && to_ms(*start) <= time) set.samples.starts_ms[i] = to_ms(*start);
        }
    }
}

/// Deltas become what a counter would read that began at the first of them. At the times at which their source exports
/// anything, those of its streams that are not exported have had no event since, so they get a sample too. A delta told
/// twice (a repeated export) counts once.
void LabelSets::sum_deltas() {
    std::map<std::string, std::set<std::int64_t>> exports;
    for (const LabelSet& set : sets_) {
        if (set.delta) exports[set.source];
    }
    if (exports.empty()) return;
    for (const LabelSet& set : sets_) {
        if (const auto found = exports.find(set.source); found != exports.end())
            found->second.insert(set.samples.times_ms.begin(), set.samples.times_ms.end());
    }
    for (LabelSet& set : sets_) {
        if (!set.delta) continue;
        std::map<std::int64_t, std::size_t> at;  // the first of each time
        for (std::size_t i = 0; i < set.samples.values.size(); ++i) {
            if (!at.emplace(set.samples.times_ms[i], i).second) ++deltas_twice_;
        }
        Series summed;
        double sum = 0;
        if (at.empty()) continue;
        const bool started = !set.samples.starts_ms.empty();
        const std::int64_t start = started ? set.samples.starts_ms[at.begin()->second] : 0;
        const std::set<std::int64_t>& times = exports[set.source];
        for (auto time = times.lower_bound(at.begin()->first); time != times.end(); ++time) {
            if (const auto delta = at.find(*time); delta != at.end()) {
                const double value = set.samples.values[delta->second];
                if (!std::isnan(value)) sum += value;
            }
            push(summed, *time, sum, start);
        }
        set.samples = std::move(summed);
    }
    note_rows(deltas_twice_, "they tell a delta of a time again that was told before");
}

void LabelSets::take_timeless() {
    std::int64_t count = 0;
    bool timed = false;
    const LabelSet* first = nullptr;
    for (LabelSet& set : sets_) {
        timed = timed || !set.samples.values.empty() || !set.histograms.samples.empty();
        if (!set.timeless || set.left_out) continue;
        if (first == nullptr) first = &set;
        count += set.timeless_count;
        if (set.samples.values.empty()) set.left_out = true;
    }
    if (first == nullptr) return;
    if (!timed) {
        raise(Code::data_timestamp,
              in_quotes(first->name) + " has no timestamp, as in all " + std::to_string(count) +
                  " samples; allowed: samples with a time, such as Prometheus' /federate and /api/v1/query_range have "
                  "them; two scrapes or more, each line with the time of its scrape");
    }
    note_rows(count, "they have no timestamp");
}

/// The first label of those that may name an instance that any series has.
std::string LabelSets::instance_label() const {
    if (options_.instance_label.empty()) return {};
    std::vector<std::string> candidates{options_.instance_label};
    if (form_ == LabelNames::opentelemetry) candidates.push_back("service.instance.id");
    candidates.push_back("pod");
    if (form_ == LabelNames::opentelemetry) candidates.push_back("k8s.pod.name");
    for (const std::string& label : candidates) {
        for (const LabelSet& set : sets_) {
            if (find(set.labels, label) != nullptr) return label;
        }
    }
    return {};
}

Batch LabelSets::take() {
    if (sets_.empty() && without_label_ + other_value_ > 0) refuse_arms();
    take_starts();
    sum_deltas();
    take_timeless();
    tell_outside();

    Batch batch;
    const std::string instance_label = this->instance_label();
    std::map<std::string, std::int64_t> histograms;
    std::map<std::tuple<std::string, Arm, double, std::string, std::string, std::string>, std::size_t> places;
    for (LabelSet& set : sets_) {
        if (set.left_out) continue;
        std::string key;
        std::string instance;
        if (const std::string* found = find(set.labels, instance_label, &key)) {
            instance = *found;
            set.labels.erase(key);
        }
        std::string replica;
        for (const std::string& label : options_.replica_labels) {
            if (const std::string* found = find(set.labels, label, &key)) {
                replica += (replica.empty() ? "" : ",") + *found;
                set.labels.erase(key);
            }
        }
        const std::string labels = labels_text(set.labels);
        if (!set.histograms.samples.empty()) {
            const bool judged = std::find(options_.histograms.begin(), options_.histograms.end(), set.name) !=
                                options_.histograms.end();
            if (!set.read_otherwise && !judged)
                histograms[set.name] += static_cast<std::int64_t>(set.histograms.samples.size());
            ArmHistogram& added = batch.histograms.emplace_back();
            added.name = set.name;
            added.arm = set.arm;
            added.series = std::move(set.histograms);
            added.series.instance = instance;
            added.labels = labels;
            added.replica = replica;
            if (set.samples.values.empty()) continue;
        }
        // Two spellings of one bucket, "1" and "1.0", are one series. NaN is no key, so "no bucket" is -inf.
        const double bound = std::isnan(set.le) ? -std::numeric_limits<double>::infinity() : set.le;
        const auto [place, fresh] =
            places.try_emplace({set.name, set.arm, bound, instance, labels, replica}, batch.series.size());
        if (fresh) {
            ArmSeries& added = batch.series.emplace_back();
            added.name = set.name;
            added.arm = set.arm;
            added.le = set.le;
            added.series = std::move(set.samples);
            added.series.instance = instance;
            added.labels = labels;
            added.replica = replica;
        } else {
            Series& into = batch.series[place->second].series;
            for (std::size_t i = 0; i < set.samples.values.size(); ++i) {
                push(into, set.samples.times_ms[i], set.samples.values[i],
                     set.samples.starts_ms.empty() ? 0 : set.samples.starts_ms[i]);
            }
        }
    }
    for (const auto& [name, count] : histograms) {
        Reason& reason = notes_.emplace_back();
        reason.code = Code::histograms_ignored;
        reason.numbers.push_back({"count", static_cast<double>(count)});
        reason.texts.push_back({"series", name});
    }
    for (const auto& [code, count] : told_) {
        if (count <= most_notes) continue;
        Reason& reason = notes_.emplace_back();
        reason.code = code;
        reason.texts.push_back({"text", std::to_string(count - most_notes) + " more of this kind"});
    }
    batch.notes = std::move(notes_);
    return batch;
}

}  // namespace io
}  // namespace v0
}  // namespace serinus
