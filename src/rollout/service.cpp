#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include <serinus/core/counts.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/core/text.hpp>
#include <serinus/rollout/service.hpp>
#include <serinus/series/time.hpp>
#include <serinus/slo/burn_report.hpp>

namespace serinus {
inline namespace v0 {
namespace {

using Roles = std::array<std::pair<std::string_view, slo::Role>, 3>;

void require_two(const Roles& roles, std::string_view prefix) {
    if (std::count_if(roles.begin(), roles.end(), [](const auto& role) { return !role.first.empty(); }) == 2) return;
    std::vector<std::string> words;
    for (const auto& role : roles) words.push_back(std::string(prefix) + std::string(word(role.second)));
    raise(Code::argument_range, joined(words) + " must name series; allowed: two of the three");
}

void require_known(const Batch& batch, const Roles& roles, std::string_view prefix) {
    std::vector<std::string> known;
    for (const ArmSeries& series : batch.series) known.push_back(series.name);
    std::sort(known.begin(), known.end());
    known.erase(std::unique(known.begin(), known.end()), known.end());
    for (const auto& [name, role] : roles) {
        if (name.empty() || std::binary_search(known.begin(), known.end(), name)) continue;
        constexpr std::size_t most = 12;
        std::vector<std::string> shown;
        for (std::size_t i = 0; i < std::min(known.size(), most); ++i) shown.push_back(in_quotes(known[i]));
        if (known.size() > most) shown.push_back(std::to_string(known.size() - most) + " more");
        raise(Code::argument_word, std::string(prefix) + std::string(word(role)) + " is " + in_quotes(name) +
                                       ", which is no series of the data; allowed: " + listed(shown));
    }
}

void require_counts(const ArmSeries& series, slo::Role role, std::string_view prefix) {
    for (std::size_t i = 0; i < series.series.values.size(); ++i) {
        const double value = series.series.values[i];
        if (!(value < 0)) continue;
        raise(Code::argument_count, std::string(prefix) + std::string(word(role)) + ": " + in_quotes(series.name) +
                                        " is " + number_text(value) + " at " + format_time(series.series.times_ms[i]) +
                                        "; allowed: 0 or more");
    }
}

}  // namespace

std::vector<slo::ServiceSeries> service_series(const Batch& batch, const ServiceNames& names, std::string_view prefix) {
    const Roles roles{{{names.bad, slo::Role::bad}, {names.good, slo::Role::good}, {names.total, slo::Role::total}}};
    require_two(roles, prefix);
    require_known(batch, roles, prefix);
    std::vector<slo::ServiceSeries> all;
    // A counter that goes on in another series of the batch, as in the next of several files, is one counter.
    std::map<std::tuple<slo::Role, Arm, std::string>, std::size_t> places;
    for (const ArmSeries& series : batch.series) {
        if (names.arm && series.arm != *names.arm) continue;
        for (const auto& [name, role] : roles) {
            if (name.empty() || series.name != name) continue;
            require_counts(series, role, prefix);
            const auto [place, fresh] = places.try_emplace({role, series.arm, series.series.instance}, all.size());
            if (fresh) all.push_back({role, names.kind, {{}, {}, series.series.instance}});
            Series& whole = all[place->second].series;
            whole.times_ms.insert(whole.times_ms.end(), series.series.times_ms.begin(), series.series.times_ms.end());
            whole.values.insert(whole.values.end(), series.series.values.begin(), series.series.values.end());
        }
    }
    return all;
}

}  // namespace v0
}  // namespace serinus
