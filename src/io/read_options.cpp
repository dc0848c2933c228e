#include <algorithm>
#include <array>
#include <cstddef>
#include <set>
#include <string>
#include <utility>

#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/core/text.hpp>
#include <serinus/io/read_options.hpp>

namespace serinus {
inline namespace v0 {
namespace io {

namespace {

/// The columns that a table can have, by our names (io/csv.hpp).
constexpr std::array<std::string_view, 10> columns_known{"timestamp", "series", "arm",    "value", "instance",
                                                         "le",        "stage",  "labels", "start", "replica"};

/// Takes a text without commas, or one in double quotes, off the front.
std::string take_word(std::string_view& rest, std::string_view until) {
    std::string word;
    if (!rest.empty() && rest.front() == '"') {
        for (rest.remove_prefix(1); !rest.empty(); rest.remove_prefix(1)) {
            if (rest.front() == '"') {
                rest.remove_prefix(1);
                if (rest.empty() || rest.front() != '"') return word;
            }
            word += rest.front();
        }
        return word;
    }
    const std::size_t end = std::min(rest.find_first_of(until), rest.size());
    word = rest.substr(0, end);
    rest.remove_prefix(end);
    return word;
}

/// Calls `put` with each KEY=VALUE of a list; refuses what is none with `allowed`.
template <class Put>
void each_pair(std::string_view text, std::string_view option, std::string_view allowed, Put put) {
    const auto refuse = [&](const std::string& what) {
        raise(Code::argument_word, std::string(option) + ' ' + what + "; allowed: " + std::string(allowed));
    };
    std::set<std::string> seen;
    std::string_view rest = text;
    do {
        const std::string key = take_word(rest, "=,");
        if (rest.empty() || rest.front() != '=') refuse("is " + in_quotes(text));
        rest.remove_prefix(1);
        const std::string value = take_word(rest, ",");
        if (!rest.empty() && rest.front() != ',') refuse("is " + in_quotes(text));
        if (value.empty()) refuse("names nothing for " + in_quotes(key));
        if (!seen.insert(key).second) refuse("names " + in_quotes(key) + " twice");
        if (!put(key, value)) refuse("names " + in_quotes(key));
        if (rest.empty()) return;
        rest.remove_prefix(1);
    } while (true);
}

}  // namespace

ReadOptions read_options(const Plan& plan) {
    ReadOptions options;
    options.arms = plan.arms;
    options.replica_labels = plan.replica_labels;
    std::set<std::string> names;
    for (const Metric& metric : plan.metrics) {
        for (const std::string& name : series_of(metric)) names.insert(name);
        if (facts_of(metric.kind).quantiles) options.histograms.push_back(metric.series);
    }
    options.names.assign(names.begin(), names.end());
    std::set<std::string> told_apart;
    for (const Metric& metric : plan.metrics) {
        if (metric.arm == MetricArm::none) continue;
        for (const std::string& name : series_of(metric)) told_apart.insert(name);
    }
    for (const std::string& name : names) {
        if (!told_apart.contains(name)) options.without_arms.push_back(name);
    }
    return options;
}

void tell_arms(ReadOptions& options, std::string_view text) {
    Arms& arms = options.arms;
    each_pair(text, "arms", "label=NAME, baseline=VALUE, canary=VALUE, separated by commas",
              [&](const std::string& key, const std::string& value) {
                  if (key == "label") arms.label = value;
                  if (key == "baseline") arms.baseline = value;
                  if (key == "canary") arms.canary = value;
                  return key == "label" || key == "baseline" || key == "canary";
              });
    if (arms.baseline == arms.canary) {
        raise(Code::argument_word, "arms: baseline and canary are both " + in_quotes(arms.baseline) +
                                       "; allowed: two different values of the label " + in_quotes(arms.label));
    }
}

void tell_columns(ReadOptions& options, std::string_view text) {
    std::string known;
    for (const std::string_view name : columns_known) known += (known.empty() ? "" : ", ") + std::string(name);
    each_pair(text, "columns",
              "OURS=THEIRS, separated by commas, where OURS is one of " + known + " (time is timestamp)",
              [&](const std::string& key, const std::string& value) {
                  const std::string ours = key == "time" ? "timestamp" : key;
                  if (std::find(columns_known.begin(), columns_known.end(), ours) == columns_known.end()) return false;
                  options.columns[ours] = value;
                  return true;
              });
}

}  // namespace io
}  // namespace v0
}  // namespace serinus
