#pragma once
/// \file
/// The kinds of metrics, and the facts of each as data.
///
/// Whoever reads a plan, writes it or tells of a metric looks a fact up here instead of asking which kind it is. What a
/// kind *does* with its data is a file of its own in src/rollout/kinds.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <serinus/core/words.hpp>

namespace serinus {
inline namespace v0 {

/// What a metric's data are. Plans may name every kind; `check` refuses those that this version cannot judge yet.
enum class Kind : std::uint8_t { proportion = 1, rate = 2, gauge = 3, sample = 4, histogram = 5, ratio = 6 };

/// A key of a metric that names a series.
struct SeriesKey {
    std::string_view key;           ///< as the plan has it, "bad"
    std::string_view allowed;       ///< what belongs there, for an error message
    std::string_view instead = {};  ///< the key of a series that may be given in its place, "good"
};

/// What is known of a kind before any data.
struct KindFacts {
    Kind kind = {};
    std::string_view word = "unknown";    ///< its name in a plan
    std::string_view about = {};          ///< its data in a few words
    std::string_view instead = {};        ///< what can be judged today in its place; empty: it can be judged itself
    std::array<SeriesKey, 2> named = {};  ///< the series that it is made of; see `series`
    std::string_view own_key = {};        ///< a further key that no other kind has
    bool counts = false;        ///< it counts events: its noise is a dispersion, and an arm without any says something
    bool share = false;         ///< differences are of shares, between -1 and 1, and told in percentage points
    bool added_up = false;      ///< values of one interval are added up, else averaged
    bool bad_of_total = false;  ///< it has `bad` and `total`, so that an objective may be about it
    bool divides = false;       ///< what is judged is its first series over its second one
    bool quantiles = false;     ///< its margins are on quantiles of many observations an interval
    std::string_view difference_allowed = {};  ///< of a margin that is a difference, for an error message
    std::string_view floor_allowed = {};       ///< of a margin's floor; empty: its margins have none
    /// How this stage's data are told, `MetricResult::observed` filled in: {x} as a number, {x noun} as so many nouns.
    /// Empty: as bad of total.
    std::string_view told = {};

    /// Can this version judge it?
    constexpr bool built() const { return kind != Kind{} && instead.empty(); }

    constexpr std::span<const SeriesKey> series() const {
        std::size_t size = 0;
        while (size < named.size() && !named[size].key.empty()) ++size;
        return std::span(named).first(size);
    }
    constexpr bool reads(std::string_view key) const {
        for (const SeriesKey& of : series()) {
            if (of.key == key || (!of.instead.empty() && of.instead == key)) return true;
        }
        return false;
    }
};

inline constexpr std::array<KindFacts, 6> kind_facts{{
    {.kind = Kind::proportion,
     .word = "proportion",
     .about = "bad of total",
     .named = {{{"bad", "the name of the series that counts bad requests", "good"},
                {"total", "the name of the series that counts all requests"}}},
     .own_key = "method",
     .counts = true,
     .share = true,
     .added_up = true,
     .bad_of_total = true,
     .difference_allowed = "0 or more, below 1 (0: any harm counts; 0.002: two bad requests more in a thousand)",
     .floor_allowed = "0 or more, below 1 (0.001: one bad request more in a thousand is never harm)"},
    {.kind = Kind::rate,
     .word = "rate",
     .about = "events for an exposure",
     .named = {{{"events", "the name of the series that counts events"},
                {"exposure", "the name of the series that measures what they happen in, such as hours or bytes"}}},
     .counts = true,
     .added_up = true,
     .difference_allowed =
         "a ratio: given the sum of events, only the ratio of rates is left (or a ratio of 1 with the "
         "difference as its floor)",
     .floor_allowed = "0 or more, finite, in events for one unit of exposure",
     .told = "canary {events_canary event} in {exposure_canary}, baseline {events_baseline event} in "
             "{exposure_baseline}"},
    {.kind = Kind::gauge,
     .word = "gauge",
     .about = "one value an interval",
     .named = {{{"series", "the name of the series that is read"}}},
     .own_key = "instances_differ",
     .difference_allowed = "0 or more, finite, in the gauge's own unit (0: any harm counts)",
     .floor_allowed = "above 0, finite, in the gauge's own unit (a floor of 0 is the ratio alone)",
     .told = "canary reads {mean_canary} on average, baseline {mean_baseline}, over {intervals interval}"},
    {.kind = Kind::sample,
     .word = "sample",
     .about = "many observations an interval",
     .named = {{{"series", "the name of the series whose values are single observations"}}},
     .own_key = "quantile",
     .counts = true,
     .added_up = true,
     .quantiles = true,
     .difference_allowed = "0 or more, finite, in the observations' own unit (0: any harm counts)",
     .told = "canary {observations_canary observation}, baseline {observations_baseline observation}"},
    {.kind = Kind::histogram,
     .word = "histogram",
     .about = "observations in buckets",
     .named = {{{"series", "the name of the histogram, or of the series of its buckets"}}},
     .own_key = "quantile",
     .counts = true,
     .added_up = true,
     .quantiles = true,
     .difference_allowed = "0 or more, finite, in the observations' own unit (0: any harm counts)",
     .told = "canary {observations_canary observation}, baseline {observations_baseline observation}"},
    {.kind = Kind::ratio,
     .word = "ratio",
     .about = "one quantity for another",
     .named = {{{"numerator", "the name of the series that is spent, such as seconds of CPU or money"},
                {"denominator", "the name of the series that it is spent on, such as requests"}}},
     .own_key = "instances_differ",
     .added_up = true,
     .divides = true,
     .difference_allowed = "0 or more, finite, in units of numerator/denominator (0: any harm counts)",
     .floor_allowed = "above 0, finite, in units of numerator/denominator (a floor of 0 is the ratio alone)",
     .told = "canary takes {mean_canary} on average, baseline {mean_baseline}, over {intervals interval}"},
}};

namespace detail {
inline constexpr KindFacts no_kind{};
}

/// The facts of a kind; of a number that is none's those of "unknown", which has no series.
constexpr const KindFacts& facts_of(Kind kind) {
    for (const KindFacts& facts : kind_facts) {
        if (facts.kind == kind) return facts;
    }
    return detail::no_kind;
}

template <>
struct Words<Kind> {
    static constexpr auto table = [] {
        std::array<std::pair<Kind, std::string_view>, kind_facts.size()> words{};
        for (std::size_t i = 0; i < words.size(); ++i) words[i] = {kind_facts[i].kind, kind_facts[i].word};
        return words;
    }();
};

/// The kinds that can be judged, for an error message: "\"proportion\" (bad of total), \"gauge\" (one value an
/// interval)"; without `about` the words alone.
inline std::string judged_kinds(bool about = true) {
    std::string all;
    for (const KindFacts& facts : kind_facts) {
        if (!facts.built()) continue;
        if (!all.empty()) all += ", ";
        all += '"' + std::string(facts.word) + '"';
        if (about) all += " (" + std::string(facts.about) + ')';
    }
    return all;
}

}  // namespace v0
}  // namespace serinus
