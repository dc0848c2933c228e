#pragma once
/// \file
/// The level that both arms of a count share, as far as it is known before an interval.

#include <algorithm>

#include <serinus/core/version.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

/// The level so far: events and requests of both arms, those of 20 intervals ago counting half. (A level that has
/// moved, from 30 % to 80 %, is then known after a few intervals: harm is found in 23 intervals instead of 31; where it
/// stays, and where it swings, the half-life makes no difference from 10 intervals to infinity.)
struct SharedLevel {
    double events = 0, n_b = 0, n_c = 0;

    void add(double more_events, double more_b, double more_c) {
        constexpr double kept = 0.96593632892484555;  // 2^(-1/20)
        events = kept * events + more_events;
        n_b = kept * n_b + more_b;
        n_c = kept * n_c + more_c;
    }
    /// What another test has seen besides.
    void join(const SharedLevel& other) {
        events += other.events;
        n_b += other.n_b;
        n_c += other.n_c;
    }
    SharedLevel swapped() const { return {events, n_c, n_b}; }
    bool empty() const { return n_b + n_c == 0; }

    /// The baseline's share if the canary's is `ratio` times it; both are kept below 1.
    double share(double ratio) const {
        constexpr double prior = 0.18;  // as BlockCounts'
        const double n = n_b + ratio * n_c;
        const double most = std::min(1 - 1e-9, (n + prior) / (n + 2 * prior));
        return std::min((events + prior) / (n + 2 * prior), most / std::max(1.0, ratio));
    }
};

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
