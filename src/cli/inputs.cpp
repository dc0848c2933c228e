#include "cli/inputs.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/io/data.hpp>
#include <serinus/io/decision.hpp>
#include <serinus/io/plan.hpp>
#include <serinus/series/time.hpp>

#include "cli/files.hpp"

namespace serinus {
inline namespace v0 {
namespace cli {
namespace {

/// Calls `read` with the bytes of a file; errors get the file's name in front.
template <class Read>
auto read_named(const std::string& path, Read read) {
    try {
        return read(read_file(path));
    } catch (const Error& error) {
        raise(error.within(shown_file(path)));
    }
}

/// The data of several files as if they were one: series of one name, arm and instance continue one another, a stage
/// begins where the first file says so.
class Merge {
  public:
    void add(Batch batch) {
        for (ArmSeries& series : batch.series) all_.series.push_back(std::move(series));
        for (ArmHistogram& histogram : batch.histograms) all_.histograms.push_back(std::move(histogram));
        for (Reason& note : batch.notes) {
            if (std::find(all_.notes.begin(), all_.notes.end(), note) == all_.notes.end())
                all_.notes.push_back(std::move(note));
        }
        for (const StageStart& start : batch.stages) {
            const auto [known, fresh] = starts_.emplace(start.stage, start.at_ms);
            if (!fresh) known->second = std::min(known->second, start.at_ms);
        }
    }

    Batch take() {
        for (const auto& [stage, at_ms] : starts_) {
            if (!all_.stages.empty() && at_ms < all_.stages.back().at_ms) {
                raise(Code::data_order, "stage " + std::to_string(stage) + " begins at " + format_time(at_ms) +
                                            ", before stage " + std::to_string(all_.stages.back().stage) + " at " +
                                            format_time(all_.stages.back().at_ms) +
                                            "; allowed: stages that follow one another in all files together");
            }
            all_.stages.push_back({stage, at_ms});
        }
        return std::move(all_);
    }

  private:
    Batch all_;
    std::map<int, std::int64_t> starts_;
};

void tell(io::ReadOptions& options, const DataWords& words) {
    if (!words.arms.empty()) io::tell_arms(options, words.arms);
    if (!words.columns.empty()) io::tell_columns(options, words.columns);
}

}  // namespace

Plan read_plan_file(const std::string& path) {
    return read_named(path, [](const std::string& bytes) { return io::read_plan(bytes); });
}

std::vector<Decision> read_decision_file(const std::string& path) {
    return read_named(path, [](std::string_view bytes) {
        // A document whose first line is whole is one of lines.
        const std::string_view first = bytes.substr(0, bytes.find('\n'));
        const std::size_t last = first.find_last_not_of(" \r\t");
        if (last == std::string_view::npos || last == 0 || first[last] != '}')
            return std::vector{io::read_decision(bytes)};
        std::vector<Decision> decisions;
        for (std::size_t line = 1; !bytes.empty(); ++line) {
            const std::string_view text = bytes.substr(0, bytes.find('\n'));
            bytes.remove_prefix(std::min(text.size() + 1, bytes.size()));
            if (text.find_first_not_of(" \r\t") == std::string_view::npos) continue;
            try {
                decisions.push_back(io::read_decision(text));
            } catch (const Error& error) {
                raise(error.within("line " + std::to_string(line)));
            }
        }
        return decisions;
    });
}

slo::Policy read_policy_file(const std::string& path) {
    return read_named(path, [](const std::string& bytes) { return io::read_policy(bytes); });
}

Batch read_data_files(const std::vector<std::string>& paths, const Plan& plan, const DataWords& words) {
    io::ReadOptions options = io::read_options(plan);
    tell(options, words);
    Merge merge;
    for (const std::string& path : paths)
        merge.add(read_named(path, [&](const std::string& bytes) { return io::read_data(bytes, options); }));
    return merge.take();
}

Batch read_service_files(const std::vector<std::string>& paths, io::ReadOptions options,
                         const std::vector<std::string>& names, const DataWords& words) {
    options.names.clear();
    for (const std::string& name : names) {
        if (!name.empty()) options.names.push_back(name);
    }
    tell(options, words);
    Merge merge;
    for (const std::string& path : paths)
        merge.add(read_named(path, [&](const std::string& bytes) { return io::read_service_data(bytes, options); }));
    return merge.take();
}

void note_counters(const Batch& batch, const std::vector<std::string>& counts, std::string_view remedy) {
    std::vector<std::string_view> said;
    for (const ArmSeries& part : batch.series) {
        const std::string& name = part.name;
        const Series& series = part.series;
        if (std::find(counts.begin(), counts.end(), name) == counts.end()) continue;
        if (std::find(said.begin(), said.end(), name) != said.end()) continue;
        std::vector<std::pair<std::int64_t, double>> samples;
        for (std::size_t i = 0; i < series.values.size(); ++i)
            samples.emplace_back(series.times_ms[i], series.values[i]);
        std::sort(samples.begin(), samples.end());
        std::size_t rises = 0;
        bool falls = false;
        for (std::size_t i = 1; i < samples.size(); ++i) {
            falls = falls || samples[i].second < samples[i - 1].second;
            rises += samples[i].second > samples[i - 1].second ? 1U : 0U;
        }
        if (samples.size() < 30 || falls || rises * 10 < (samples.size() - 1) * 9) continue;
        said.push_back(name);
        write_error("note: " + in_quotes(name) + " never falls in " + std::to_string(samples.size()) +
                    " samples; if it is a cumulative counter, " + std::string(remedy));
    }
}

void note_counters(const Batch& batch, const Plan& plan) {
    std::vector<std::string> counts;
    for (const Metric& metric : plan.metrics) {
        if (!facts_of(metric.kind).added_up || metric.counter) continue;
        for (const std::string& series : series_of(metric)) counts.push_back(series);
    }
    note_counters(batch, counts, "its metric needs \"counter\": true");
}

}  // namespace cli
}  // namespace v0
}  // namespace serinus
