#include "rollout/roles.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/core/text.hpp>

namespace serinus {
inline namespace v0 {
namespace detail {

bool reads(const Metric& metric, const std::vector<std::string>& names, std::size_t role, const ArmSeries& series) {
    if (series.name != names[role]) return false;
    if (!metric.le) return std::isnan(series.le);
    if (role == 0) return series.le == *metric.le;
    // The whole is a series without buckets, or the last bucket, which has all.
    return std::isnan(series.le) ? names[0] != names[1] : series.le == std::numeric_limits<double>::infinity();
}

void require_bucket(const Metric& metric, const Batch& batch) {
    const std::vector<std::string> names = series_of(metric);
    if (names.empty()) return;
    const std::string& part = names[0];
    std::vector<double> bounds;
    bool asked = false;
    for (const ArmSeries& series : batch.series) {
        if (std::isnan(series.le) || series.name != part) continue;
        asked = asked || series.le == metric.le;
        if (std::find(bounds.begin(), bounds.end(), series.le) == bounds.end()) bounds.push_back(series.le);
    }
    if (bounds.empty() || asked) return;
    std::sort(bounds.begin(), bounds.end());
    std::vector<std::string> shown;
    for (const double bound : bounds) shown.push_back(std::isinf(bound) ? "+Inf" : number_text(bound, 6));
    const std::string of = "series " + in_quotes(part) + " has the buckets " + listed(shown);
    if (metric.le) {
        raise(Code::data_bucket, of + ", and metric " + in_quotes(metric.name) + " asks for le " +
                                     number_text(*metric.le, 6) + "; allowed: one of them");
    }
    raise(Code::data_bucket, of + ", and metric " + in_quotes(metric.name) + " reads one series; allowed: \"good\": " +
                                 in_quotes(part) + " with \"le\", one of these bounds: what is above it is bad");
}

std::string name_of_values(const Metric& metric) {
    // What has arms and what has none may read one series, and must not be added up.
    if (metric.arm == MetricArm::none) return metric.name + " without arms";
    return facts_of(metric.kind).divides ? metric.numerator + "/" + metric.denominator : metric.series;
}

Series joined_replicas(std::map<std::string, Series> replicas) {
    if (replicas.size() == 1) return std::move(replicas.begin()->second);
    std::vector<std::vector<std::pair<std::int64_t, double>>> all;
    for (const auto& [name, series] : replicas) {
        auto& samples = all.emplace_back();
        for (std::size_t i = 0; i < series.values.size(); ++i)
            if (std::isfinite(series.values[i])) samples.emplace_back(series.times_ms[i], series.values[i]);
        std::stable_sort(samples.begin(), samples.end(),
                         [](const auto& x, const auto& y) { return x.first < y.first; });
    }
    Series whole{{}, {}, replicas.begin()->second.instance};
    std::vector<std::size_t> next(all.size(), 0);
    std::size_t followed = all.size();
    for (std::int64_t at = std::numeric_limits<std::int64_t>::min();;) {
        for (std::size_t r = 0; r < all.size(); ++r)
            while (next[r] < all[r].size() && all[r][next[r]].first <= at) ++next[r];
        // The one that speaks next; the one that is followed speaks before it for as long as its spacing allows.
        std::size_t soonest = all.size();
        for (std::size_t r = 0; r < all.size(); ++r) {
            if (next[r] == all[r].size()) continue;
            if (soonest == all.size() || all[r][next[r]].first < all[soonest][next[soonest]].first) soonest = r;
        }
        if (soonest == all.size()) break;
        if (followed != all.size() && next[followed] < all[followed].size()) {
            const std::int64_t waits = all[followed][next[followed]].first - at;
            const std::int64_t usual =
                next[followed] >= 2 ? all[followed][next[followed] - 1].first - all[followed][next[followed] - 2].first
                                    : waits;
            if (waits <= 2 * usual + usual / 2) soonest = followed;
        }
        followed = soonest;
        at = all[followed][next[followed]].first;
        whole.times_ms.push_back(at);
        whole.values.push_back(all[followed][next[followed]].second);
    }
    return whole;
}

}  // namespace detail
}  // namespace v0
}  // namespace serinus
