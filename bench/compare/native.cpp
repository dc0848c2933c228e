// The C++ side of the comparison, loaded by Python so that everybody is timed in one process and in turn: ours, and
// what a C++ programmer would pick instead. Each entry makes its data, then does its work so many times.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <time.h>
#include <utility>
#include <vector>

#ifdef SERINUS_HAVE_VQSORT
#include <hwy/contrib/sort/vqsort.h>
#include <hwy/targets.h>
#endif

#include <serinus/batch/mann_whitney_batch.hpp>
#include <serinus/batch/sort_kernel.hpp>
#include <serinus/fixed/hodges_lehmann.hpp>
#include <serinus/fixed/mann_whitney.hpp>
#include <serinus/fixed/rolling_mann_whitney.hpp>
#include <serinus/numeric/normal.hpp>
#include <serinus/sequential/boundaries.hpp>
#include <serinus/sequential/mean.hpp>
#include <serinus/sequential/noise/learn_paired_noise.hpp>
#include <serinus/sequential/paired.hpp>
#include <serinus/sequential/proportion.hpp>
#include <serinus/sequential/quantile.hpp>

#include "../data.hpp"

namespace {

using serinus::MannWhitneyMethod;
using serinus::MannWhitneyResult;
using serinus::SortKernel;
using serinus::Workspace;
using serinus::bench::InTurn;
using serinus::bench::Pair;
using serinus::bench::Values;
using serinus::sequential::GammaExponentialMixture;
using serinus::sequential::NormalMixture;

/// Does its work once.
using Work = std::function<void()>;
/// Makes the data of one size.
using Make = std::function<Work(std::size_t size)>;

/// What was computed: no compiler may leave it out.
volatile double kept = 0;

double two_sided(double twice_u, double m, double n, double tie_term) {
    const double total = m + n, mean = m * n / 2;
    const double deviation = std::sqrt(m * n / 12 * (total + 1 - tie_term / (total * (total - 1))));
    const double z = (std::fabs(twice_u / 2 - mean) - 0.5) / deviation;
    return deviation > 0 ? std::min(1.0, std::erfc(z / std::sqrt(2.0))) : 1;
}

/// As most libraries do it: all values with their arm, sorted, midranks summed.
double ranks_of_merged(const Pair& pair, std::vector<std::pair<double, bool>>& all) {
    all.clear();
    for (const double value : pair.baseline) all.emplace_back(value, false);
    for (const double value : pair.canary) all.emplace_back(value, true);
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    double twice_ranks = 0, tie_term = 0;
    for (std::size_t i = 0; i < all.size();) {
        std::size_t end = i, of_canary = 0;
        for (; end < all.size() && all[end].first == all[i].first; ++end) of_canary += all[end].second ? 1U : 0U;
        const auto t = static_cast<double>(end - i);
        twice_ranks += static_cast<double>(of_canary) * static_cast<double>(i + end + 1);
        tie_term += t * t * t - t;
        i = end;
    }
    const auto m = static_cast<double>(pair.canary.size()), n = static_cast<double>(pair.baseline.size());
    return two_sided(twice_ranks - m * (m + 1), m, n, tie_term);
}

/// The usual merge of two sorted arrays, a branch a value.
double walk(std::span<const double> y, std::span<const double> x) {
    double twice_u = 0, tie_term = 0;
    std::size_t i = 0, j = 0;
    while (i < x.size() || j < y.size()) {
        const double value = j == y.size() || (i < x.size() && x[i] < y[j]) ? x[i] : y[j];
        std::size_t in_x = 0, in_y = 0;
        while (i + in_x < x.size() && x[i + in_x] == value) ++in_x;
        while (j + in_y < y.size() && y[j + in_y] == value) ++in_y;
        twice_u += static_cast<double>(in_x) * static_cast<double>(2 * j + in_y);
        const auto t = static_cast<double>(in_x + in_y);
        tie_term += t * t * t - t;
        i += in_x;
        j += in_y;
    }
    return two_sided(twice_u, static_cast<double>(x.size()), static_cast<double>(y.size()), tie_term);
}

void std_sort(std::span<double> values) { std::sort(values.begin(), values.end()); }
#ifdef SERINUS_HAVE_VQSORT
void vqsort(std::span<double> values) {
    static const hwy::Sorter sorter;
    sorter(values.data(), values.size(), hwy::SortAscending());
}
/// Lets vqsort have AVX-512 where there is, or AVX2 at best.
void allow_wide_vqsort(bool wide) {
    constexpr std::int64_t narrow = HWY_AVX2 | HWY_SSE4 | HWY_SSSE3 | HWY_STATIC_TARGET;
    hwy::SetSupportedTargetsForTest(wide ? 0 : narrow);
    hwy::GetChosenTarget().DeInit();
}
#else
void allow_wide_vqsort(bool) {}
#endif

// ---- one pair

template <class Test>
Work of_pairs(std::vector<Pair> pairs, Test test) {
    auto turn = std::make_shared<InTurn<Pair>>(std::move(pairs));
    return [turn, test = std::move(test)]() mutable { kept = test(turn->next()); };
}

Work mann_whitney(std::size_t size, Values kind, MannWhitneyMethod method, SortKernel sort) {
    return of_pairs(serinus::bench::pairs(size, kind), [=, workspace = Workspace{.sort = sort}](const Pair& p) mutable {
        return serinus::mann_whitney(p.baseline, p.canary, {.method = method}, workspace).p_value;
    });
}

Work merged_ranks(std::size_t size) {
    return of_pairs(serinus::bench::pairs(size), [all = std::vector<std::pair<double, bool>>()](const Pair& p) mutable {
        return ranks_of_merged(p, all);
    });
}

Work two_sorts_and_walk(std::size_t size) {
    return of_pairs(serinus::bench::pairs(size),
                    [x = std::vector<double>(), y = std::vector<double>()](const Pair& p) mutable {
                        x = p.canary;
                        y = p.baseline;
                        std_sort(x);
                        std_sort(y);
                        return walk(y, x);
                    });
}

Work exact_cold(std::size_t size) {
    return of_pairs(serinus::bench::pairs(size), [workspace = Workspace()](const Pair& p) mutable {
        workspace = Workspace{.sort = serinus::fastest_sort()};
        return serinus::mann_whitney(p.baseline, p.canary, {.method = MannWhitneyMethod::exact}, workspace).p_value;
    });
}

/// The look-up alone: arms sorted, U counted before.
Work exact_table(std::size_t size) {
    const auto n = static_cast<std::int64_t>(size);
    return [n, u = std::int64_t{0}, workspace = Workspace()]() mutable {
        u = u + 37 > n * n ? u + 37 - n * n : u + 37;
        kept = serinus::rank_sum_tails(n, n, u, workspace).at_most;
    };
}

Work sort_alone(std::size_t size, SortKernel sort) {
    return of_pairs(serinus::bench::pairs(size), [sort, scratch = std::vector<double>()](const Pair& p) mutable {
        scratch = p.canary;
        sort(scratch);
        return scratch.front();
    });
}

// ---- arms that are sorted already

/// One baseline for 128 canaries; what one of them costs is a 128th.
Work shared_baseline(std::size_t size) {
    auto data = std::make_shared<std::vector<Pair>>(serinus::bench::pairs(size));
    std::vector<serinus::MannWhitneyPair> pairs;
    for (std::size_t i = 0; i < 128; ++i) pairs.push_back({data->front().baseline, (*data)[i % data->size()].canary});
    return [data, pairs, results = std::vector<MannWhitneyResult>(128),
            workspace = Workspace{.sort = serinus::fastest_sort()}]() mutable {
        serinus::mann_whitney_batch(pairs, results, {.method = MannWhitneyMethod::normal}, workspace);
        kept = results.back().p_value;
    };
}

Work both_sorted(std::size_t size) {
    auto windows = std::make_shared<std::vector<serinus::RollingMannWhitney>>();
    for (const Pair& pair : serinus::bench::pairs(size)) {
        serinus::RollingMannWhitney& window = windows->emplace_back(size);
        for (const double value : pair.baseline) window.push_baseline(value);
        for (const double value : pair.canary) window.push_canary(value);
    }
    return [windows, at = std::size_t{0}, workspace = Workspace()]() mutable {
        at = at + 1 == windows->size() ? 0 : at + 1;
        kept = (*windows)[at].result({.method = MannWhitneyMethod::normal}, workspace).p_value;
    };
}

Work both_sorted_walk(std::size_t size) {
    return of_pairs(serinus::bench::sorted_pairs(size), [](const Pair& p) { return walk(p.baseline, p.canary); });
}

/// One new value an arm.
Work rolling(std::size_t size) {
    auto data = std::make_shared<std::vector<Pair>>(serinus::bench::pairs(200'000));
    auto window = std::make_shared<serinus::RollingMannWhitney>(size);
    const auto push = [data, window, at = std::size_t{0}]() mutable {
        const Pair& pair = data->front();
        window->push_baseline(pair.baseline[at]);
        window->push_canary(pair.canary[at]);
        at = at + 1 == pair.canary.size() ? 0 : at + 1;
        kept = window->u();
    };
    Work step = push;
    for (std::size_t i = 0; i < size; ++i) step();
    return step;
}

// ---- many pairs

Work ten_thousand(std::size_t size, std::size_t threads) {
    // Fewer arms than pairs would leave them in the cache: all are there.
    auto values = std::make_shared<std::vector<Pair>>();
    for (std::size_t i = 0; i < 10'000; ++i)
        values->push_back({serinus::bench::sample(size, Values::lognormal, 2 * i),
                           serinus::bench::sample(size, Values::lognormal, 2 * i + 1)});
    std::vector<serinus::MannWhitneyPair> pairs;
    for (const Pair& pair : *values) pairs.push_back({pair.baseline, pair.canary});
    return [values, pairs, threads, results = std::vector<MannWhitneyResult>(10'000)]() mutable {
        serinus::mann_whitney_batch(pairs, results, {}, threads);
        kept = results.back().p_value;
    };
}

// ---- Hodges-Lehmann

Work hodges_lehmann(std::size_t size) {
    return of_pairs(serinus::bench::pairs(size),
                    [workspace = Workspace{.sort = serinus::fastest_sort()}](const Pair& p) mutable {
                        return serinus::hodges_lehmann(p.baseline, p.canary, {.confidence = 0.98}, workspace).upper;
                    });
}

/// All differences written down, the four that are needed selected.
Work all_differences(std::size_t size) {
    return of_pairs(serinus::bench::pairs(size), [all = std::vector<double>()](const Pair& p) mutable {
        all.clear();
        for (const double x : p.canary)
            for (const double y : p.baseline) all.push_back(x - y);
        const auto m = static_cast<double>(p.canary.size()), n = static_cast<double>(p.baseline.size());
        const double reach = 2.3263478740408408 * std::sqrt(m * n * (m + n + 1) / 12);
        const auto end = static_cast<std::ptrdiff_t>(std::max(0.0, m * n / 2 - reach));
        const auto middle = static_cast<std::ptrdiff_t>(all.size() / 2);
        const auto last = static_cast<std::ptrdiff_t>(all.size()) - 1;
        std::nth_element(all.begin(), all.begin() + middle, all.end());
        std::nth_element(all.begin(), all.begin() + end, all.begin() + middle);
        std::nth_element(all.begin() + middle + 1, all.begin() + (last - end), all.end());
        return all[static_cast<std::size_t>(last - end)] - all[static_cast<std::size_t>(end)];
    });
}

// ---- many looks

/// Times from 1 to a million; the boundary at each.
template <class Mixture>
Work boundary(std::size_t size, const Mixture& mixture) {
    std::vector<double> times(size);
    const double step = std::log(1e6) / static_cast<double>(size - 1);
    for (std::size_t i = 0; i < size; ++i) times[i] = std::exp(step * static_cast<double>(i));
    return [times, mixture] {
        double sum = 0;
        for (const double v : times) sum += mixture.bound(v, 0.05);
        kept = sum;
    };
}
/// The log e-value of a walk at each of many times.
template <class Mixture>
Work log_value(std::size_t size, const Mixture& mixture) {
    serinus::RandomStream random(size, 1);
    std::vector<double> sums(size);
    double walk = 0;
    for (double& sum : sums) sum = walk += serinus::bench::normal(random) / 3;
    return [sums, mixture] {
        double total = 0, v = 0;
        for (const double s : sums) total += mixture.log_value(s, v += 1.0 / 9);
        kept = total;
    };
}

struct Counts {
    std::int64_t bad_b, total_b, bad_c, total_c;
};
/// 1 % of some 900 requests and five times as many of some 100: nearly every look is a record.
std::vector<Counts> harmful(std::size_t size) {
    serinus::RandomStream random(size, 2);
    const auto bad = [&](std::int64_t total, std::uint64_t per_thousand) {
        std::int64_t count = 0;
        for (std::int64_t i = 0; i < total; ++i) count += random.below(1000) < per_thousand ? 1 : 0;
        return count;
    };
    std::vector<Counts> counts;
    for (std::size_t i = 0; i < size; ++i) {
        const auto total_b = static_cast<std::int64_t>(880 + random.below(40));
        const auto total_c = static_cast<std::int64_t>(95 + random.below(10));
        counts.push_back({bad(total_b, 10), total_b, bad(total_c, 50), total_c});
    }
    return counts;
}

/// The interval of a proportion, of 1 to 50 % of 20 to 2,000.
Work proportion_interval(std::size_t size) {
    std::vector<std::pair<double, double>> counts;
    serinus::RandomStream random(size, 3);
    for (std::size_t i = 0; i < size; ++i) {
        const auto total = static_cast<double>(20 + random.below(1980));
        const double share = i % 3 == 0 ? 0.01 : i % 3 == 1 ? 0.1 : 0.5;
        counts.emplace_back(std::floor(total * share), total);
    }
    return [counts] {
        double sum = 0;
        for (const auto& [bad, total] : counts)
            sum += serinus::sequential::bernoulli_confidence_interval(bad, total, 0.05, 100).upper;
        kept = sum;
    };
}

/// All intervals, in a test that goes on; `range` too: evidence with its interval after each.
Work counts(std::size_t size, const serinus::sequential::ProportionOptions& options, bool range = false) {
    return [data = harmful(size), test = serinus::sequential::ProportionTest(options), range]() mutable {
        double sum = 0;
        for (const Counts& c : data) {
            test.update({c.bad_b, c.total_b}, {c.bad_c, c.total_c});
            if (range) sum += test.evidence().lower;
        }
        kept = sum + test.p_value();
    };
}

/// Differences of intervals, noise known from history.
Work paired(std::size_t size) {
    const std::vector<std::vector<double>> history{serinus::bench::series(2000, 1)};
    auto noise =
        std::make_shared<const serinus::sequential::PairedNoise>(serinus::sequential::paired_noise(history, 5, false));
    return [data = serinus::bench::series(size, 2),
            test = serinus::sequential::PairedTest({.noise = noise, .interval = false})]() mutable {
        for (const double difference : data) test.update(difference);
        kept = test.p_value();
    };
}

/// One value of each arm and a look.
Work mean(std::size_t size) {
    return
        [pair = Pair{serinus::bench::sample(size, Values::counts, 1), serinus::bench::sample(size, Values::counts, 2)},
         test = serinus::sequential::MeanTest()]() mutable {
            for (std::size_t i = 0; i < pair.baseline.size(); ++i) test.update(pair.baseline[i], pair.canary[i]);
            kept = test.p_value();
        };
}

/// The same from the first value on; the canary is 20 % worse.
Work quantile(std::size_t size) {
    Pair pair{serinus::bench::sample(size, Values::lognormal, 1), serinus::bench::sample(size, Values::lognormal, 2)};
    for (double& value : pair.canary) value *= 1.2;
    return [pair] {
        serinus::sequential::QuantileTest test({.interval = false});
        for (std::size_t i = 0; i < pair.baseline.size(); ++i) test.update(pair.baseline[i], pair.canary[i]);
        kept = test.p_value();
    };
}

struct Entry {
    std::string_view name;
    Make make;
    bool wide_vqsort = true;
};
struct Made {
    Work work;
    bool wide_vqsort;
};

const std::vector<Entry>& entries() {
    constexpr auto normal = MannWhitneyMethod::normal;
    static const std::vector<Entry> all{
        {"mann_whitney",
         [](std::size_t n) { return mann_whitney(n, Values::lognormal, normal, serinus::fastest_sort()); }},
        {"mann_whitney_portable",
         [](std::size_t n) { return mann_whitney(n, Values::lognormal, normal, &serinus::sort_ascending); }},
        {"mann_whitney_std_sort", merged_ranks},
        {"mann_whitney_two_sorts", two_sorts_and_walk},
        {"exact_cold", exact_cold},
        {"exact_cached",
         [](std::size_t n) {
             return mann_whitney(n, Values::lognormal, MannWhitneyMethod::exact, serinus::fastest_sort());
         }},
        {"exact_table", exact_table},
        {"exact_ties",
         [](std::size_t n) {
             return mann_whitney(n, Values::counts, MannWhitneyMethod::exact, serinus::fastest_sort());
         }},
        {"sort", [](std::size_t n) { return sort_alone(n, serinus::fastest_sort()); }},
        {"sort_portable", [](std::size_t n) { return sort_alone(n, &serinus::sort_ascending); }},
        {"sort_std", [](std::size_t n) { return sort_alone(n, &std_sort); }},
#ifdef SERINUS_HAVE_VQSORT
        {"mann_whitney_vqsort", [](std::size_t n) { return mann_whitney(n, Values::lognormal, normal, &vqsort); }},
        {"mann_whitney_vqsort_avx2", [](std::size_t n) { return mann_whitney(n, Values::lognormal, normal, &vqsort); },
         false},
        {"sort_vqsort", [](std::size_t n) { return sort_alone(n, &vqsort); }},
        {"sort_vqsort_avx2", [](std::size_t n) { return sort_alone(n, &vqsort); }, false},
#endif
        {"shared_baseline", shared_baseline},
        {"both_sorted", both_sorted},
        {"both_sorted_walk", both_sorted_walk},
        {"rolling", rolling},
        {"ten_thousand_1", [](std::size_t n) { return ten_thousand(n, 1); }},
        {"ten_thousand_2", [](std::size_t n) { return ten_thousand(n, 2); }},
        {"hodges_lehmann", hodges_lehmann},
        {"hodges_lehmann_all", all_differences},
        {"bound_normal", [](std::size_t n) { return boundary(n, NormalMixture(100)); }},
        {"bound_gamma_exponential", [](std::size_t n) { return boundary(n, GammaExponentialMixture(100, 0.5)); }},
        {"proportion_interval", proportion_interval},
        {"log_normal", [](std::size_t n) { return log_value(n, NormalMixture(100)); }},
        {"log_gamma_exponential", [](std::size_t n) { return log_value(n, GammaExponentialMixture(100, 0.5)); }},
        {"counts_block",
         [](std::size_t n) {
             return counts(n, {.method = serinus::sequential::ProportionMethod::block, .interval = false});
         }},
        {"counts_one_direction", [](std::size_t n) { return counts(n, {.interval = false}); }},
        {"counts_either", [](std::size_t n) { return counts(n, {.harm = serinus::Harm::either, .interval = false}); }},
        {"counts_and_interval", [](std::size_t n) { return counts(n, {}, true); }},
        {"paired", paired},
        {"mean", mean},
        {"quantile", quantile},
    };
    return all;
}

double seconds(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace

extern "C" {

/// The entry of this name with data of this size; null if there is none.
void* serinus_compare_make(const char* name, std::size_t size) {
    for (const Entry& entry : entries()) {
        if (entry.name == name) return new Made{entry.make(size), entry.wide_vqsort};
    }
    return nullptr;
}

/// Does the work so many times; the seconds that took: of this thread's processor time, or by the wall clock.
double serinus_compare_run(void* made, long times, int wall) {
    const auto& [work, wide_vqsort] = *static_cast<Made*>(made);
    allow_wide_vqsort(wide_vqsort);
    const clockid_t clock = wall != 0 ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID;
    const double start = seconds(clock);
    for (long i = 0; i < times; ++i) work();
    return seconds(clock) - start;
}

void serinus_compare_free(void* made) { delete static_cast<Made*>(made); }

/// Is the fastest sort one with AVX2, and could there be AVX-512?
int serinus_compare_avx2() { return serinus::fastest_sort() != &serinus::sort_ascending ? 1 : 0; }
int serinus_compare_avx512() {
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx512f") != 0 ? 1 : 0;
#else
    return 0;
#endif
}

const char* serinus_compare_compiler() {
#if defined(__clang__)
    return "clang " __clang_version__;
#else
    return "gcc " __VERSION__;
#endif
}
}
