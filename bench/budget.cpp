// Kernels whose instructions are counted (`./dev check`): `serinus_budget KERNEL` prepares data, warms up, and runs the
// kernel with counting on; run by budget.py under callgrind. Data and flags are the same on every machine, so the count
// is too, whatever else the machine does.
//
//   serinus_budget --list    the kernels, one a line
//   serinus_budget --build   what the count depends on, as JSON

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <valgrind/callgrind.h>
#include <vector>

#include <boost/version.hpp>

#include <serinus/batch/sort_kernel.hpp>
#include <serinus/fixed/hodges_lehmann.hpp>
#include <serinus/fixed/label_swap.hpp>
#include <serinus/fixed/mann_whitney.hpp>
#include <serinus/fixed/proportion.hpp>
#include <serinus/fixed/rolling_mann_whitney.hpp>
#include <serinus/sequential/detail/likelihood_curve.hpp>
#include <serinus/sequential/noise/learn_paired_noise.hpp>
#include <serinus/sequential/paired.hpp>
#include <serinus/sequential/proportion.hpp>
#include <serinus/sequential/rotation.hpp>

#include "data.hpp"

namespace {

using serinus::MannWhitneyMethod;
using serinus::SortKernel;
using serinus::bench::Pair;
using serinus::bench::Values;

/// What a kernel computed, so that no compiler leaves it out.
double computed = 0;

/// Runs `work` once to warm up, then counted.
template <class Work>
void count(Work&& work) {
    work();
    CALLGRIND_TOGGLE_COLLECT;
    work();
    CALLGRIND_TOGGLE_COLLECT;
}

/// A few pairs: enough that no single one decides.
std::vector<Pair> some(std::vector<Pair> pairs) {
    pairs.resize(4);
    return pairs;
}

/// Copying is counted with it; both arms of every pair.
void sort(std::size_t size, SortKernel kernel) {
    const auto data = some(serinus::bench::pairs(size));
    std::vector<double> scratch(size);
    count([&] {
        for (const Pair& pair : data) {
            for (const std::vector<double>* arm : {&pair.baseline, &pair.canary}) {
                for (std::size_t i = 0; i < size; ++i) scratch[i] = (*arm)[i];
                kernel(scratch);
                computed += scratch[size / 2];
            }
        }
    });
}

void merge(std::size_t size, Values kind) {
    const auto data = some(serinus::bench::sorted_pairs(size, kind));
    count([&] {
        for (const Pair& pair : data)
            computed += static_cast<double>(serinus::compare_ranks(pair.canary, pair.baseline).twice_u);
    });
}

void whole_pair(std::size_t size, Values kind, MannWhitneyMethod method, bool keep_tables) {
    const auto data = some(serinus::bench::pairs(size, kind));
    serinus::Workspace workspace{.sort = serinus::fastest_sort()};
    count([&] {
        for (const Pair& pair : data) {
            if (!keep_tables) {
                workspace.tables.clear();
                workspace.next_table = 0;
            }
            computed += serinus::mann_whitney(pair.baseline, pair.canary, {.method = method}, workspace).p_value;
        }
    });
}

void hodges_lehmann(std::size_t size) {
    const auto data = some(serinus::bench::pairs(size));
    serinus::Workspace workspace{.sort = serinus::fastest_sort()};
    count([&] {
        for (const Pair& pair : data)
            computed += serinus::hodges_lehmann(pair.baseline, pair.canary, {.confidence = 0.98}, workspace).lower;
    });
}

void rolling(std::size_t window) {
    const auto data = serinus::bench::pairs(4 * window);
    serinus::RollingMannWhitney rolling(window);
    count([&] {
        for (std::size_t i = 0; i < 4 * window; ++i) {
            rolling.push_baseline(data[0].baseline[i]);
            rolling.push_canary(data[0].canary[i]);
            computed += rolling.u();
        }
    });
}

/// Errors of 100 intervals, of 900 and 100 requests.
struct Interval {
    std::int64_t bad_b, bad_c;
};
std::vector<Interval> intervals() {
    serinus::RandomStream random(1, 0);
    std::vector<Interval> made;
    for (int i = 0; i < 100; ++i) {
        made.push_back({static_cast<std::int64_t>(random.below(19)), static_cast<std::int64_t>(random.below(4))});
    }
    return made;
}

void proportion_interval() {
    const auto data = intervals();
    count([&] {
        for (const Interval& one : data) {
            computed += serinus::proportion_test({.bad = one.bad_b, .total = 900}, {.bad = one.bad_c, .total = 100},
                                                 {.method = serinus::ProportionTestMethod::score})
                            .upper;
        }
    });
}

/// `more_bad`: requests of the baseline that are bad besides, and a ninth as many of the canary.
void proportion_update(const serinus::sequential::ProportionOptions& options, std::int64_t more_bad = 0) {
    const auto data = intervals();
    serinus::sequential::ProportionTest test(options);
    count([&] {
        for (const Interval& one : data) test.update({one.bad_b + more_bad, 900}, {one.bad_c + more_bad / 9, 100});
        computed += test.log_e_value();
    });
}

void likelihood_bounds() {
    const auto data = intervals();
    serinus::sequential::LikelihoodCurve curve;
    count([&] {
        for (const Interval& one : data) {
            curve.update(static_cast<double>(one.bad_b), 900, static_cast<double>(one.bad_c), 100, 1);
            const auto [lower, upper] = curve.bounds(0.05, 0.05);
            computed += lower + (upper < 1e300 ? upper : 0);
        }
    });
}

void paired_update(bool interval) {
    const std::vector<std::vector<double>> history{serinus::bench::series(2000, 1)};
    const auto noise =
        std::make_shared<const serinus::sequential::PairedNoise>(serinus::sequential::paired_noise(history, 5, false));
    const auto data = serinus::bench::series(100, 2);
    serinus::sequential::PairedTest test({.noise = noise, .interval = interval});
    count([&] {
        for (const double difference : data) test.update(difference);
        computed += interval ? test.evidence().lower : test.log_e_value();
    });
}

/// The last look of twelve, with nine instances in the baseline, and the eleven updates before it.
void rotation_look() {
    constexpr std::size_t instances = 9, last = 60, before = 48;
    const auto values = serinus::bench::series(last * (instances + 1), 3);
    serinus::sequential::RotationTest test(
        {.margin = {.ratio = std::nullopt, .difference = 0.0}, .last = last, .interval = false});
    std::size_t n = 0;
    count([&] {
        for (const std::size_t until = n < before ? before : last; n < until; ++n) {
            const std::span all = std::span(values).subspan(n * (instances + 1), instances + 1);
            test.update(all.first(instances), all.last(1));
        }
        computed += test.p_value();
    });
}

/// One look at 31 intervals, 1,999 swaps, and its intervals; a canary that fails is asked twice.
void label_swap_look(bool harmful) {
    auto baseline = serinus::bench::series(31, 4), canary = serinus::bench::series(31, 5);
    for (double& value : baseline) value += 20;
    for (double& value : canary) value += harmful ? 23 : 20;
    count([&] { computed += serinus::label_swap_test(baseline, canary).p_value; });
}

using Kernel = std::pair<std::string_view, std::function<void()>>;
const std::vector<Kernel>& kernels() {
    static const std::vector<Kernel> all{
        {"sort_60_portable", [] { sort(60, &serinus::sort_ascending); }},
        {"sort_60_avx2", [] { sort(60, serinus::fastest_sort()); }},
        {"sort_1440_portable", [] { sort(1440, &serinus::sort_ascending); }},
        {"sort_1440_avx2", [] { sort(1440, serinus::fastest_sort()); }},
        {"merge_1440", [] { merge(1440, Values::lognormal); }},
        {"merge_1440_ties", [] { merge(1440, Values::counts); }},
        {"mann_whitney_60", [] { whole_pair(60, Values::lognormal, MannWhitneyMethod::edgeworth, true); }},
        {"exact_50_cold", [] { whole_pair(50, Values::lognormal, MannWhitneyMethod::exact, false); }},
        {"exact_50_cached", [] { whole_pair(50, Values::lognormal, MannWhitneyMethod::exact, true); }},
        {"exact_20_ties", [] { whole_pair(20, Values::counts, MannWhitneyMethod::exact, true); }},
        {"hodges_lehmann_1440", [] { hodges_lehmann(1440); }},
        {"rolling_1440", [] { rolling(1440); }},
        {"proportion_test_score", proportion_interval},
        {"sequential_proportion_conditional", [] { proportion_update({.interval = false}); }},
        {"sequential_proportion_half_bad", [] { proportion_update({.interval = false}, 450); }},
        {"sequential_proportion_block",
         [] { proportion_update({.method = serinus::sequential::ProportionMethod::block, .interval = false}); }},
        {"sequential_proportion_floor",
         [] { proportion_update({.margin = {.ratio = 1.5, .difference = {}, .floor = 0.001}, .interval = false}); }},
        {"sequential_proportion_bounds", likelihood_bounds},
        {"sequential_paired", [] { paired_update(false); }},
        {"sequential_paired_interval", [] { paired_update(true); }},
        {"sequential_rotation_look", rotation_look},
        {"label_swap_31", [] { label_swap_look(false); }},
        {"label_swap_31_harmful", [] { label_swap_look(true); }},
    };
    return all;
}

#if defined(__clang__)
constexpr const char* compiler = "clang " __clang_version__;
#else
constexpr const char* compiler = "gcc " __VERSION__;
#endif
#if defined(__x86_64__)
constexpr const char* processor = "x86_64";
#else
constexpr const char* processor = "other";
#endif

}  // namespace

int main(int argc, char** argv) {
    const std::string_view asked = argc == 2 ? argv[1] : "";
    if (asked == "--list") {
        for (const auto& [name, run] : kernels()) std::printf("%s\n", std::string(name).c_str());
        return 0;
    }
    if (asked == "--build") {
        const bool avx2 = serinus::fastest_sort() != &serinus::sort_ascending;
        std::printf("{\"compiler\": \"%s\", \"boost\": \"%s\", \"processor\": \"%s\", \"avx2\": %s}\n", compiler,
                    BOOST_LIB_VERSION, processor, avx2 ? "true" : "false");
        return 0;
    }
    for (const auto& [name, run] : kernels()) {
        if (name == asked) {
            run();
            std::printf("%.17g\n", computed);
            return 0;
        }
    }
    std::fprintf(stderr, "serinus_budget KERNEL | --list | --build\n");
    return 2;
}
