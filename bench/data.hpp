#pragma once
// Data for the benchmarks: the same on every machine, and so many different samples that no branch predictor learns one
// by heart.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <serinus/numeric/elementary.hpp>
#include <serinus/numeric/random.hpp>

namespace serinus::bench {

/// What a metric's values look like.
enum class Values {
    lognormal,  // continuous, skewed, as latencies are
    counts,     // whole numbers, 40 +- 6: heavy ties
};

/// A number that is nearly normal: the sum of twelve uniform ones (no function of the C library, whose last bit
/// differs from machine to machine).
inline double normal(RandomStream& random) {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += static_cast<double>(random.next() >> 11) * 0x1p-53;
    return sum;
}

inline std::vector<double> sample(std::size_t size, Values kind, std::uint64_t stream) {
    RandomStream random(size, stream);
    std::vector<double> values(size);
    for (double& value : values) {
        const double z = normal(random);
        value = kind == Values::lognormal ? elementary::exp(z) : std::max(0.0, std::round(40 + 6.3 * z));
    }
    return values;
}

/// A series whose neighbours depend on each other: lag-1 autocorrelation 0.6, variance 1.
inline std::vector<double> series(std::size_t size, std::uint64_t stream) {
    RandomStream random(size, stream);
    std::vector<double> values(size);
    double level = 0;
    for (double& value : values) value = level = 0.6 * level + 0.8 * normal(random);
    return values;
}

struct Pair {
    std::vector<double> baseline, canary;
};

/// How many samples of a size are enough: some 200,000 values an arm, at least 4.
inline std::size_t enough(std::size_t size) { return std::max<std::size_t>(4, 200'000 / size); }

inline std::vector<Pair> pairs(std::size_t size, Values kind = Values::lognormal) {
    std::vector<Pair> made;
    for (std::size_t i = 0; i < enough(size); ++i)
        made.push_back({sample(size, kind, 2 * i), sample(size, kind, 2 * i + 1)});
    return made;
}

/// Both arms sorted.
inline std::vector<Pair> sorted_pairs(std::size_t size, Values kind = Values::lognormal) {
    std::vector<Pair> made = pairs(size, kind);
    for (Pair& pair : made) {
        std::sort(pair.baseline.begin(), pair.baseline.end());
        std::sort(pair.canary.begin(), pair.canary.end());
    }
    return made;
}

/// One after the other, and again from the first.
template <class T>
class InTurn {
  public:
    explicit InTurn(std::vector<T> items) : items_(std::move(items)) {}
    const T& next() {
        const T& item = items_[at_];
        at_ = at_ + 1 == items_.size() ? 0 : at_ + 1;
        return item;
    }
    const std::vector<T>& all() const { return items_; }

  private:
    std::vector<T> items_;
    std::size_t at_ = 0;
};

}  // namespace serinus::bench
