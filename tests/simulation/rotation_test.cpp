// The rotation test between instances, simulated: how often a good canary is ever rejected, over all looks, where its
// promise is proved and where it is not; how often harm is found. Fixed seeds. SERINUS_SIMULATION_SCALE multiplies the
// repetitions (2,000 a cell at 1). The tables are in docs/concepts/sequential.md.
//
// A share that must stay below a level is asserted by the binomial distribution: so many rejections or more must have a
// probability of at least 1e-5 at that level.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/numeric/special.hpp>
#include <serinus/sequential/rotation.hpp>

#include "support/repetitions.hpp"

namespace serinus::sequential {
namespace {

using Column = std::vector<double>;
using Random = std::mt19937_64;

int repetitions(double at_one = 2000) { return support::repetitions(0.1 * at_one, at_one); }

constexpr Margin ratio(double value) { return {.ratio = value, .difference = {}}; }
constexpr Margin difference(double value) { return {.ratio = {}, .difference = value}; }

/// What a rollout is made of. Values are logs until `values` is taken of them.
struct Setting {
    std::string name = {};
    std::size_t kb = 3, kc = 1;
    double tau = 0.1;        // standard deviation of the instances' levels
    double rho = 0.6;        // autocorrelation of their noise
    double deviation = 0.2;  // its standard deviation
    std::int64_t last = 17;
    int replaced = 0;        // instances of history that the rollout has not
    std::size_t former = 0;  // former releases, of three instances each
    Margin margin = ratio(1);
    std::optional<double> guard = std::nullopt;
    std::int64_t since = 0;
    Side side = Side::harm;
    Harm harm = Harm::increase;
    // What is another law than the proof's.
    double level_df = 0;      // Student's t of so many degrees for the levels (over its standard deviation); 0: normal
    double noise_df = 0;      // the same for the noise
    double two_kinds = 0;     // the share of instances that read 2 x as much
    double own_noise = 0;     // each instance its own noise deviation, x exp(N(0, this))
    double canary_noise = 1;  // the canary's noise times this
    double walk = 0;          // each step of a random walk that an instance's level takes beside
    double bursts = 0;        // share of the values that are multiplied by exp(Exp(mean 2))
    double fractional = 0;    // memory d of the noise, instead of an autoregression
    double come_and_go = 0;   // share of the instances' stretches (of three intervals) that are missing
    double load = 0;          // a common swing of the load
    bool exponentiate = false;  // a difference margin on values 40 exp(log)
};

/// Noise of unit variance.
class Noise {
  public:
    explicit Noise(const Setting& setting) : setting_(setting) {
        if (setting.fractional == 0) return;
        // The moving average of (1 - B)^-d, to 200 steps.
        weights_.push_back(1);
        double squares = 1;
        for (int k = 1; k < 200; ++k) {
            weights_.push_back(weights_.back() * (k - 1 + setting.fractional) / k);
            squares += weights_.back() * weights_.back();
        }
        for (double& weight : weights_) weight /= std::sqrt(squares);
    }

    Column draw(Random& random, std::size_t n) {
        std::normal_distribution<double> law;
        const auto step = [&] {
            if (setting_.noise_df == 0) return law(random);
            std::student_t_distribution<double> heavy(setting_.noise_df);
            return heavy(random) / std::sqrt(setting_.noise_df / (setting_.noise_df - 2));
        };
        Column values(n);
        if (!weights_.empty()) {
            Column steps(n + weights_.size());
            for (double& value : steps) value = step();
            for (std::size_t i = 0; i < n; ++i)
                for (std::size_t k = 0; k < weights_.size(); ++k)
                    values[i] += weights_[k] * steps[i + weights_.size() - 1 - k];
            return values;
        }
        values[0] = step();
        for (std::size_t i = 1; i < n; ++i)
            values[i] = setting_.rho * values[i - 1] + std::sqrt(1 - setting_.rho * setting_.rho) * step();
        return values;
    }

  private:
    const Setting& setting_;
    Column weights_;
};

/// The logs of some instances over n intervals, twice where history has them too: the same levels, other noise.
struct Instances {
    std::vector<Column> now, history;
};

Instances instances(Random& random, Noise& noise, const Setting& s, std::size_t many, std::size_t first_canary,
                    const Column& load) {
    Instances made;
    std::normal_distribution<double> law;
    std::uniform_real_distribution<double> unit;
    const std::size_t n = load.size();
    for (std::size_t i = 0; i < many; ++i) {
        double level = s.tau * law(random);
        if (s.level_df > 0) {
            std::student_t_distribution<double> heavy(s.level_df);
            level = s.tau * heavy(random) / std::sqrt(s.level_df / (s.level_df - 2));
        }
        if (s.two_kinds > 0 && unit(random) < s.two_kinds) level += std::log(2.0);
        double deviation = s.deviation * (s.own_noise > 0 ? std::exp(s.own_noise * law(random)) : 1);
        if (i >= first_canary) deviation *= s.canary_noise;
        for (std::vector<Column>* place : {&made.now, &made.history}) {
            Column values = noise.draw(random, n);
            double wander = 0;
            for (std::size_t t = 0; t < n; ++t) {
                if (s.walk > 0) wander += s.walk * law(random);
                values[t] = level + wander + deviation * values[t] + load[t];
                if (s.bursts > 0 && unit(random) < s.bursts) values[t] += -2 * std::log(1 - unit(random));
            }
            if (s.come_and_go > 0) {
                for (std::size_t t = 0; t < n; t += 3) {
                    if (unit(random) >= s.come_and_go) continue;
                    for (std::size_t u = t; u < std::min(n, t + 3); ++u) values[u] = std::nan("");
                }
            }
            place->push_back(values);
        }
    }
    return made;
}

/// Virtual canaries of 64 seeds, shared by all rollouts: "one seed for all" costs nothing that is measurable.
std::shared_ptr<const rotation::Normals> numbers(std::uint64_t seed, std::int64_t last) {
    static std::vector<std::shared_ptr<const rotation::Normals>> made;
    const std::size_t dims = rotation::looks(last).size() + 1;
    for (const auto& normals : made)
        if (normals->seed() == seed && normals->dims() == dims) return normals;
    made.push_back(std::make_shared<rotation::Normals>(seed, dims));
    return made.back();
}

/// The error rates that are counted: .05 and two of those that a test of .05 shows beside it, each with virtual
/// canaries of its own, so that they are what tests of .0125 and of .0008 would say.
constexpr std::array<double, 3> rates{0.05, 0.05 / 4, 0.05 / 64};

/// Shares of rollouts that were rejected.
struct Found {
    std::array<double, 3> share{};
    int runs = 0;
};

/// One rollout of a setting, with harm (a log) from an interval on.
RotationTest play(Random& random, Noise& noise, const Setting& s, double alpha, double harm, std::size_t from, int run,
                  bool interval = false) {
    const auto n = static_cast<std::size_t>(s.last);
    std::normal_distribution<double> law;
    Column load(n);
    const double phase = law(random), swing = s.load * law(random);
    for (std::size_t t = 0; t < n; ++t) load[t] = swing * std::sin(static_cast<double>(t) / 5 + phase);
    const auto replaced = static_cast<std::size_t>(s.replaced);
    Instances all = instances(random, noise, s, s.kb + replaced + s.kc, s.kb + replaced, load);
    RotationOptions options{.alpha = alpha,
                            .harm = s.harm,
                            .margin = s.margin,
                            .side = s.side,
                            .last = s.last,
                            .since = s.since,
                            .seed = static_cast<std::uint64_t>(run % 64),
                            .instances_differ = s.guard,
                            .interval = interval};
    options.alpha_safe = alpha;
    options.known.looks = rotation_looks(s.last);
    const auto levels = [&](const Column& logs) {
        Column values = logs;
        if (s.exponentiate) {
            for (double& value : values) value = 40 * std::exp(value);
        }
        return running_levels(values, options.known.looks);
    };
    if (replaced > 0) {
        std::vector<Column> history;
        for (std::size_t i = 0; i < s.kb + replaced; ++i) history.push_back(levels(all.history[i]));
        options.known.add_instances(history, s.kb);
    }
    for (std::size_t r = 0; r < s.former; ++r) {
        std::vector<Column> release;
        for (const Column& logs : instances(random, noise, s, 3, 3, load).now) release.push_back(levels(logs));
        options.known.add_instances(release);
    }
    RotationTest test(options, numbers(options.seed, s.last));
    Column baseline(s.kb), canary(s.kc);
    for (std::size_t t = 0; t < n; ++t) {
        for (std::size_t i = 0; i < s.kb; ++i) baseline[i] = 40 * std::exp(all.now[i][t]);
        for (std::size_t i = 0; i < s.kc; ++i)
            canary[i] = 40 * std::exp(all.now[s.kb + replaced + i][t] + (t >= from ? harm : 0));
        test.update(baseline, canary);
    }
    return test;
}

/// Shares of rollouts that are ever rejected.
Found simulate(const Setting& s, unsigned seed, int runs, double harm = 0, std::size_t from = 0) {
    Found found;
    found.runs = runs;
    Noise noise(s);
    Random random(seed);
    for (int run = 0; run < runs; ++run) {
        const double p_value = play(random, noise, s, rates[0], harm, from, run).p_value();
        for (std::size_t a = 0; a < 3; ++a) found.share[a] += (p_value <= rates[a] * (1 + 1e-9) ? 1.0 : 0.0) / runs;
    }
    return found;
}

/// P(at least `count` of `runs` with probability p each).
double tail(int count, int runs, double p) {
    return count <= 0 ? 1 : p >= 1 ? 1 : incomplete_beta(count, runs - count + 1, p);
}

void expect_at_most(double share, double level, int runs, const std::string& name) {
    EXPECT_GE(tail(static_cast<int>(std::lround(share * runs)), runs, level), 1e-5)
        << name << ": " << share << " of " << runs << " where " << level << " is allowed";
}

/// The note's grid: instances of 2, 3, 4 and 9, one or two canaries, noise that lasts or not, small and large spread.
TEST(RotationTestSimulation, ErrorOverTheGrid) {
    const int runs = repetitions();
    std::array<double, 3> largest{}, mean{};
    std::array<std::string, 3> where;
    int cells = 0;
    unsigned seed = 1000;
    // All cells of the grid at scale 1; one in eleven, spread over it, below.
    const int every = repetitions() < 2000 ? 11 : 1;
    for (const std::int64_t last : {17, 60}) {
        for (const std::size_t kb : {2U, 3U, 4U, 9U}) {
            for (const std::size_t kc : {1U, 2U}) {
                for (const int replaced : {0, 1}) {
                    // With one contrast a test may never fail.
                    if (kb - 1 + kc - 1 + static_cast<std::size_t>(replaced) < 2) continue;
                    for (const double tau : {0.02, 0.1, 0.3}) {
                        for (const double rho : {0.6, 0.95}) {
                            if (++seed % static_cast<unsigned>(every) != 0) continue;
                            const Setting s{
                                .kb = kb, .kc = kc, .tau = tau, .rho = rho, .last = last, .replaced = replaced};
                            const Found found = simulate(s, seed, runs);
                            char name[100];
                            std::snprintf(
                                name, sizeof name, "%d intervals, k_b %d, k_c %d, replaced %d, tau %.2f, AR %.2f",
                                static_cast<int>(last), static_cast<int>(kb), static_cast<int>(kc), replaced, tau, rho);
                            std::printf("| %s |", name);
                            ++cells;
                            for (std::size_t a = 0; a < 3; ++a) {
                                std::printf(" %.4f |", found.share[a]);
                                expect_at_most(found.share[a], rates[a], runs, name);
                                mean[a] += found.share[a];
                                if (found.share[a] > largest[a]) {
                                    largest[a] = found.share[a];
                                    where[a] = name;
                                }
                            }
                            std::printf("\n");
                            std::fflush(stdout);
                        }
                    }
                }
            }
        }
    }
    for (std::size_t a = 0; a < 3; ++a) {
        std::printf("alpha %.3f: mean %.4f, largest %.4f (%s); %d cells of %d\n", rates[a], mean[a] / cells, largest[a],
                    where[a].c_str(), cells, runs);
        // The mean over all cells must lie on alpha to its own error.
        EXPECT_NEAR(mean[a] / cells, rates[a], 5 * std::sqrt(rates[a] / (double(cells) * runs)) + 0.05 * rates[a]);
    }
}

/// One line of a table, and how large its shares may be: `factor` times alpha beside four standard errors.
void family(const Setting& s, unsigned seed, double factor, int runs) {
    const Found found = simulate(s, seed, runs);
    std::printf("| %s | k_b %d |", s.name.c_str(), static_cast<int>(s.kb));
    for (std::size_t a = 0; a < 3; ++a) {
        std::printf(" %.4f |", found.share[a]);
        expect_at_most(found.share[a], factor * rates[a], runs, s.name);
    }
    std::printf("\n");
    std::fflush(stdout);
}

Setting with(const char* name, std::size_t kb, auto&& change) {
    Setting s{.name = name, .kb = kb, .replaced = 1};
    change(s);
    return s;
}

// Other laws than the proof's. `factor`: how many times the error rate is allowed here, from the table in the
// documentation, which is of 20 times as many runs.
TEST(RotationTestSimulation, ErrorWhereTheLawIsAnother) {
    const int runs = repetitions(4000) / 2;
    unsigned seed = 3000;
    for (const std::size_t kb : {2U, 4U, 9U}) {
        const auto play_family = [&](const char* name, double factor, auto&& change) {
            family(with(name, kb, change), ++seed, factor, runs);
        };
        play_family("t4 levels", 2, [](Setting& s) { s.level_df = 4; });
        play_family("t3 levels, tau .3", 2, [](Setting& s) {
            s.level_df = 3;
            s.tau = 0.3;
        });
        play_family("t4 noise", 1.5, [](Setting& s) { s.noise_df = 4; });
        play_family("each its own noise, x exp(N(0, .5))", 2, [](Setting& s) { s.own_noise = 0.5; });
        play_family("fractional noise, d .4", 1.2, [](Setting& s) { s.fractional = 0.4; });
        play_family("random walks, .05 a step", 1.2, [](Setting& s) { s.walk = 0.05; });
        play_family("random walks, 60 intervals", 1.2, [](Setting& s) {
            s.walk = 0.05;
            s.last = 60;
        });
        play_family("a swing of the load", 1.2, [](Setting& s) { s.load = 0.5; });
        play_family("come and go: a fifth missing", 1.2, [](Setting& s) { s.come_and_go = 0.2; });
        play_family("come and go: two fifths missing, k_c 2", 1.2, [](Setting& s) {
            s.come_and_go = 0.4;
            s.kc = 2;
        });
        play_family("log-normal levels, tau .3, difference margin", 2.5, [](Setting& s) {
            s.margin = difference(0);
            s.exponentiate = true;
            s.tau = 0.3;
        });
        play_family("decrease", 1.2, [](Setting& s) { s.harm = Harm::decrease; });
        play_family("either", 1.2, [](Setting& s) { s.harm = Harm::either; });
    }
    for (const std::size_t former : {1U, 5U, 20U}) {
        Setting s{.name = "one baseline instance, former releases", .kb = 1, .former = former};
        s.name += ": " + std::to_string(former);
        family(s, ++seed, 1.2, runs);
    }
}

// Where it breaks: what the documentation says to beware of, and what the margin and the guard make of it.
TEST(RotationTestSimulation, ErrorWhereItBreaks) {
    const int runs = repetitions();
    unsigned seed = 5000;
    for (const std::size_t kb : {2U, 4U, 9U}) {
        const auto play_family = [&](const char* name, double factor, auto&& change) {
            family(with(name, kb, change), ++seed, factor, runs);
        };
        const auto kinds = [](double margin, double guard) {
            return [=](Setting& s) {
                s.two_kinds = 0.2;
                s.tau = 0.02;
                s.margin = ratio(margin);
                if (guard > 0) s.guard = guard;
            };
        };
        // .05 times 4 is .2, which is the share of the slow ones: no more can be rejected for it.
        play_family("one in five reads 2 x, margin 1", 100, kinds(1, 0));
        play_family("margin 1.5", 25, kinds(1.5, 0));
        play_family("margin 2", 4, kinds(2, 0));
        play_family("margin 1.5, guard .5", 2, kinds(1.5, 0.5));
        play_family("margin 2, guard .5", 1, kinds(2, 0.5));
        play_family("margin 1, guard 1", 1.5, kinds(1, 1));
        play_family("canary noise doubled", 60, [](Setting& s) {
            s.canary_noise = 2;
            s.replaced = 0;
        });
        play_family("canary noise doubled, margin 1.25", 2, [](Setting& s) {
            s.canary_noise = 2;
            s.replaced = 0;
            s.margin = ratio(1.25);
        });
        play_family("3 % bursts of exp(Exp(2))", 60, [](Setting& s) { s.bursts = 0.03; });
        play_family("bursts, margin 1.5, guard .5", 20, [](Setting& s) {
            s.bursts = 0.03;
            s.margin = ratio(1.5);
            s.guard = 0.5;
        });
    }
}

// A rollout of three stages, each with a third of alpha and a test of its own; instances keep their levels.
TEST(RotationTestSimulation, ThreeStagesShareAlpha) {
    const int runs = repetitions();
    for (const std::size_t kb : {2U, 4U}) {
        const Setting s{.name = "three stages", .kb = kb, .last = 51, .replaced = 1};
        Noise noise(s);
        Random random(7000);
        int found = 0;
        for (int run = 0; run < runs; ++run) {
            const Instances all = instances(random, noise, s, kb + 2, kb + 1, Column(51));
            bool any = false;
            for (std::size_t stage = 0; stage < 3; ++stage) {
                RotationOptions options{.alpha = 0.05 / 3,
                                        .margin = ratio(1),
                                        .last = 17,
                                        .seed = static_cast<std::uint64_t>(run % 64),
                                        .interval = false};
                options.known.looks = rotation_looks(17);
                std::vector<Column> history;
                for (std::size_t i = 0; i <= kb; ++i)
                    history.push_back(running_levels(all.history[i], options.known.looks));
                options.known.add_instances(history, kb);
                RotationTest test(options, numbers(options.seed, 17));
                for (std::size_t t = 17 * stage; t < 17 * (stage + 1); ++t) {
                    Column baseline;
                    for (std::size_t i = 0; i < kb; ++i) baseline.push_back(std::exp(all.now[i][t]));
                    test.update(baseline, Column{std::exp(all.now[kb + 1][t])});
                }
                any = any || test.decided();
            }
            found += any ? 1 : 0;
        }
        std::printf("| three stages | k_b %d | %.4f |\n", static_cast<int>(kb), double(found) / runs);
        expect_at_most(double(found) / runs, 0.05, runs, s.name);
    }
}

// Safety: harm of exactly the margin passes with at most alpha_safe; an interval misses with at most both errors.
TEST(RotationTestSimulation, SafetyAndIntervalKeepTheirErrors) {
    const int runs = repetitions();
    for (const std::size_t kb : {3U, 4U}) {
        Setting s{.name = "harm of exactly 1.5",
                  .kb = kb,
                  .replaced = 1,
                  .margin = ratio(1.5),
                  .since = 8,
                  .side = Side::safe};
        Noise noise(s);
        Random random(8000);
        int passed = 0, good = 0, covered = 0;
        for (int run = 0; run < runs; ++run)
            passed += play(random, noise, s, 0.2, std::log(1.5), 0, run).decided() ? 1 : 0;
        for (int run = 0; run < runs; ++run) good += play(random, noise, s, 0.2, 0, 0, run).decided() ? 1 : 0;
        const int intervals = std::max(1, runs / 4);
        Setting both{.name = "interval", .kb = kb, .replaced = 1};
        for (int run = 0; run < intervals; ++run) {
            const Evidence evidence = play(random, noise, both, 0.05, std::log(1.3), 0, run, true).evidence();
            covered += evidence.lower <= 1.3 && evidence.upper >= 1.3 ? 1 : 0;
        }
        std::printf(
            "| k_b %d | harm of exactly 1.5 passes %.4f | good canaries pass %.4f | 90 %% intervals hold %.4f |\n",
            static_cast<int>(kb), double(passed) / runs, double(good) / runs, double(covered) / intervals);
        expect_at_most(double(passed) / runs, 0.2, runs, s.name);
        EXPECT_GE(good, runs * 6 / 10);
        expect_at_most(1 - double(covered) / intervals, 0.1, intervals, both.name);
    }
}

// How much is found. The bounds are the table's shares less five standard errors.
TEST(RotationTestSimulation, HarmIsFound) {
    const int runs = repetitions(1000);
    const auto found = [&](const Setting& s, double harm, std::size_t from, double least) {
        const Found shares = simulate(s, 9000, runs, std::log(harm), from);
        std::printf("| %s, k_b %d, replaced %d, tau %.2f, x %.2f from %d of %d | %.3f | %.3f |\n", s.name.c_str(),
                    static_cast<int>(s.kb), s.replaced, s.tau, harm, static_cast<int>(from + 1),
                    static_cast<int>(s.last), shares.share[0], shares.share[1]);
        std::fflush(stdout);
        EXPECT_GE(shares.share[0], least - 5 * std::sqrt(least * (1 - least) / runs)) << s.name << ' ' << harm;
    };
    for (const auto& [kb, shares] :
         {std::pair<std::size_t, std::array<double, 4>>{2, {0.39, 0.77, 0.13, 0.57}}, {4, {0.68, 0.98, 0.35, 0.98}}}) {
        const Setting s{.name = "harm", .kb = kb, .replaced = 1};
        found(s, 1.5, 0, shares[0] - 0.03);
        found(s, 2, 0, shares[1] - 0.03);
        found(s, 2, 7, shares[2] - 0.03);
        found(s, 8, 7, shares[3] - 0.03);
    }
    found({.name = "long", .kb = 4, .last = 60, .replaced = 1}, 2, 19, 0.69);
    found({.name = "long", .kb = 4, .last = 60, .replaced = 1}, 8, 39, 0.80);
    found({.name = "former 5", .kb = 1, .former = 5}, 2, 0, 0.90);
}

}  // namespace
}  // namespace serinus::sequential
