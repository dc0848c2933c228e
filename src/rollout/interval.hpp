#pragma once
/// \file
/// What goes from the intake to the metrics: an interval with all that it brought; inside the library only.

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include <serinus/core/words.hpp>

namespace serinus {
inline namespace v0 {
namespace detail {

using TrackKey = std::tuple<std::string, Arm, std::string>;  // series, arm, instance

/// What one series of one instance brought.
struct Brought {
    double sum = 0;
    double samples = 0;
};

/// What all of them brought in an interval that is closed.
struct Interval {
    std::map<TrackKey, Brought> brought;
    std::vector<TrackKey> excused;        // warming up again: their samples count for nothing
    std::int64_t from_ms = 0, to_ms = 0;  // [from, to)

    /// `what(instance, brought)` for each instance of an arm that has the series.
    template <class What>
    void each(const std::string& series, Arm arm, const What& what) const {
        for (auto at = brought.lower_bound(TrackKey{series, arm, ""}); at != brought.end(); ++at) {
            const auto& [of_series, of_arm, instance] = at->first;
            if (of_series != series || of_arm != arm) break;
            what(instance, at->second);
        }
    }
    const Brought* find(const std::string& series, Arm arm, const std::string& instance) const {
        const auto at = brought.find(TrackKey{series, arm, instance});
        return at == brought.end() ? nullptr : &at->second;
    }
};

}  // namespace detail
}  // namespace v0
}  // namespace serinus
