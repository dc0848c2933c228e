// Samples that look like something else than the plan says: counters taken for counts, counts taken for counters, one
// series that comes twice.

#include <algorithm>
#include <bit>
#include <string_view>
#include <tuple>
#include <utility>

#include "rollout/limits.hpp"
#include "rollout/metric_intake.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {
namespace {

/// Ten values of independent counts rise strictly once in 10! times.
constexpr std::int64_t rising_values = 10;
/// With one fall among them so many are needed to be as rare.
constexpr std::int64_t rising_values_and_a_fall = 14;
/// A cumulative counter of processes that come and go falls less often than this in 20 steps; counts do in ten of them.
constexpr int most_falls_of_a_counter = 8;

int ones(std::int64_t steps, int newest) {
    return std::popcount(static_cast<std::uint64_t>(steps) & ((std::uint64_t{1} << newest) - 1));
}

}  // namespace

/// `fall`: a value below the last one is a fall, and no restart.
void MetricIntake::watch_steps(Track& track, double value, bool fall) {
    SeriesTrackState& kept = track.kept;
    if (kept.steps == 0 && kept.rising == 0) {
        kept.rising = 1;
    } else if (value != kept.last) {  // a counter that is asked for more often than it is scraped repeats its value
        const bool fell = fall && value < kept.last;
        kept.descents = ((kept.descents << 1) | (fell ? 1 : 0)) & 0xFFFFF;
        kept.steps = std::min<std::int64_t>(kept.steps + 1, 20);
        if (value > kept.last) {
            ++kept.rising;
        } else {
            kept.rose_before = fell ? kept.rising : 0;
            kept.rising = 1;
        }
    }
    kept.last = value;
}

/// A counter whose whole falls, again and again, is none.
void MetricIntake::watch_falls(const Unit& unit, std::int64_t cut_ms) {
    for (const Track* const track : unit.whole) {
        const int falls = ones(track->kept.descents, 20);
        if (falls < most_falls_of_a_counter) continue;
        kept_.looked_ms = cut_ms;
        happened(kept_.looked, *track, cut_ms, 0, 0);
        kept_.looked.before = falls;
    }
}

/// Counts whose whole rises and rises, while no part of them falls, are cumulative.
void MetricIntake::watch_counts(const Unit& unit, std::int64_t time_ms) {
    for (const Track* const track : unit.whole) {
        if (track->samples == 0) continue;
        const std::int64_t run = track->kept.rising, all = run + track->kept.rose_before;
        const bool straight = run >= rising_values;
        const bool with_a_fall = track->kept.rose_before >= 4 && all >= rising_values_and_a_fall;
        if (!straight && !with_a_fall) continue;
        const int steps = static_cast<int>(std::min<std::int64_t>(straight ? run - 1 : all - 1, 20));
        const int allowed = straight ? 0 : 1;
        const bool parts_rise = std::all_of(unit.part.begin(), unit.part.end(), [&](const Track* part) {
            return ones(part->kept.descents, steps) <= allowed;
        });
        if (!parts_rise) continue;
        kept_.looked_ms = time_ms;
        happened(kept_.looked, *track, time_ms, 0, 0);
        kept_.looked.before = static_cast<double>(straight ? run : all);
    }
}

/// The series of the whole that has risen for longest, where nothing of either arm has ever fallen: as long as that is
/// so, nobody knows whether these are counts.
const MetricIntake::Track* MetricIntake::only_risen() const {
    const Track* longest = nullptr;
    for (const auto& [key, track] : tracks_) {
        const SeriesTrackState& kept = track.kept;
        if (kept.descents != 0) return nullptr;
        if (is_whole(track) && kept.rising > std::max<std::int64_t>(1, longest ? longest->kept.rising : 0))
            longest = &track;
    }
    return longest;
}

/// Two series of one arm that bring the same, at the same times, are one.
void MetricIntake::watch_twins(std::int64_t time_ms) {
    if (!counts()) return;  // values of one instance are averaged, which the same value does not change
    constexpr int role = 1;
    for (const Arm arm : both_arms) {
        std::vector<Track*> brought;
        for (auto at_ = tracks_.lower_bound(Key{role, arm, "", ""});
             at_ != tracks_.end() && std::get<int>(at_->first) == role && std::get<Arm>(at_->first) == arm; ++at_) {
            if (at_->second.samples > 0) brought.push_back(&at_->second);
        }
        std::stable_sort(brought.begin(), brought.end(), [](const Track* a, const Track* b) {
            return std::tie(a->sequence, a->kept.instance) < std::tie(b->sequence, b->kept.instance);
        });
        // A target that is read twice shows all of its series twice; of several series two may be equal by chance.
        std::map<std::string_view, std::pair<std::size_t, std::size_t>> of_instance;  // series, and those with a twin
        const auto same_as_before = [&](std::size_t i) {
            return i > 0 && brought[i - 1]->sequence == brought[i]->sequence &&
                   brought[i - 1]->kept.instance == brought[i]->kept.instance;
        };
        for (std::size_t i = 0; i < brought.size(); ++i) {
            auto& [all, twins] = of_instance[brought[i]->kept.instance];
            ++all;
            twins += same_as_before(i) ? 1U : 0U;
        }
        for (std::size_t i = 0; i < brought.size(); ++i) {
            SeriesTrackState& kept = brought[i]->kept;
            const Track* same = nullptr;
            // Two instances may well be equal: of one instance two series with the same requests are one.
            const auto& [all, twins] = of_instance[kept.instance];
            if (same_as_before(i) && 2 * twins >= all) same = brought[i - 1];
            if (!same) {
                kept.twin.clear();
                kept.twin_intervals = kept.twin_changes = 0;
                continue;
            }
            const std::string name = series_text(*same);
            if (name != kept.twin) kept.twin_intervals = kept.twin_changes = 0;
            kept.twin = name;
            ++kept.twin_intervals;
            if (brought[i]->brought != kept.twin_last) ++kept.twin_changes;
            kept.twin_last = brought[i]->brought;
            const bool many = brought[i]->brought >= enough_to_differ;
            const std::int64_t needed = many ? equal_intervals : equal_intervals_of_few;
            if (kept.twin_intervals < needed || kept.twin_changes < equal_changes) continue;
            kept_.twin_ms = time_ms;
            happened(kept_.twin, *brought[i], time_ms, 0, 0);
            kept_.twin_other = name;
        }
    }
}

}  // namespace detail
}  // namespace v0
}  // namespace serinus
