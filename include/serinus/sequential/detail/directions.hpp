#pragma once
/// \file
/// The directions in which a canary may be worse, and what the e-processes of two of them are worth together.

#include <algorithm>
#include <cstddef>
#include <numbers>
#include <vector>

#include <serinus/core/words.hpp>
#include <serinus/numeric/elementary.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {
namespace detail {

/// One `Process` a direction of harm: that of an increase, of a decrease, or of both, an increase first.
///
/// Together, of both: evidence of harm is the mean of the two e-values (a mean of e-values is one), evidence of safety
/// the smaller one (it must be there in both directions).
template <class Process>
class Directions {
  public:
    /// `make(bool increase)` makes the process of a direction.
    template <class Make>
    Directions(Harm harm, Side side, const Make& make) : side_(side) {
        if (harm != Harm::decrease) each_.push_back(make(true));
        if (harm != Harm::increase) each_.push_back(make(false));
    }

    /// The log e-value of all directions, from that of each: `log(process)`.
    template <class Log>
    double together(const Log& log) const {
        return joined(*this, log);
    }
    /// The same for a `log` that changes its process.
    template <class Log>
    double together(const Log& log) {
        return joined(*this, log);
    }
    /// No less than `together`, from what is no less than the log e-value of each; without a logarithm.
    template <class Log>
    double at_most(const Log& log) const {
        const double up = log(each_.front());
        if (each_.size() == 1) return up;
        const double down = log(each_.back());
        return side_ == Side::safe ? std::min(up, down) : std::max(up, down);
    }

    std::size_t size() const noexcept { return each_.size(); }
    Side side() const noexcept { return side_; }
    const Process& front() const noexcept { return each_.front(); }
    const Process& back() const noexcept { return each_.back(); }
    Process& operator[](std::size_t i) noexcept { return each_[i]; }
    const Process& operator[](std::size_t i) const noexcept { return each_[i]; }
    auto begin() noexcept { return each_.begin(); }
    auto end() noexcept { return each_.end(); }
    auto begin() const noexcept { return each_.begin(); }
    auto end() const noexcept { return each_.end(); }

  private:
    template <class Self, class Log>
    static double joined(Self& self, const Log& log) {
        const double up = log(self.each_.front());
        if (self.each_.size() == 1) return up;
        const double down = log(self.each_.back());
        if (self.side_ == Side::safe) return std::min(up, down);
        return elementary::log_add_exp(up, down) - std::numbers::ln2;
    }

    std::vector<Process> each_;
    Side side_;
};

}  // namespace detail
}  // namespace sequential
}  // namespace v0
}  // namespace serinus
