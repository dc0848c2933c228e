// Which instances take part, and the rotation test between them.

#include "rollout/kinds/instances.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

#include <serinus/core/digest.hpp>
#include <serinus/core/error.hpp>
#include <serinus/numeric/elementary.hpp>
#include <serinus/numeric/median.hpp>
#include <serinus/numeric/rotation.hpp>
#include <serinus/sequential/noise/paired_noise.hpp>
#include <serinus/series/time.hpp>

#include "rollout/kinds/metric_kind.hpp"
#include "rollout/limits.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {
namespace {

/// The least error rate that the virtual canaries can tell.
constexpr double least = 1.0 / static_cast<double>(rotation::canaries + 1);
constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

/// The virtual canaries are fixed before the data: by the names of the deployment, of the metric and of the stay.
std::uint64_t seed_of(const std::string& deployment, const std::string& metric, std::size_t stage, std::int64_t stay) {
    const std::string text = deployment + '\n' + metric + '\n' + std::to_string(stage) + '\n' + std::to_string(stay);
    const std::string hex = sha256(std::as_bytes(std::span(text)));
    std::uint64_t seed = 0;
    for (std::size_t i = 0; i < 16; ++i) {
        const char c = hex[i];
        seed = seed << 4U | static_cast<std::uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return seed;
}

}  // namespace

double stay_share(std::size_t stage, std::size_t stages, std::int64_t stay) {
    const auto n = static_cast<double>(stay);
    return (stay == 0 ? 0.9 : 0.1 / (n * (n + 1))) * stage_weight(static_cast<int>(stage), stages);
}

InstanceTests::InstanceTests(const Plan& plan, const Metric& metric, double alpha) : stays_(plan.stages.size()) {
    auto setup = std::make_shared<Setup>();
    setup->metric = metric;
    setup->deployment = plan.deployment;
    setup->alpha = alpha;
    setup->alpha_promote = plan.alpha_promote.value_or(plan.alpha);
    setup->beta = plan.beta;
    setup->promote_when = effective_promote_when(metric);
    setup->warm_up_ms = plan.warm_up.count();
    if (FloorLine::of(metric)) {
        setup->floor.emplace(metric.margin, metric.harm);
        setup->floor_detect.emplace(*effective_detect(metric), metric.harm);
    }
    for (const Stage& stage : plan.stages) {
        const std::int64_t warm = (plan.warm_up + plan.interval - std::chrono::milliseconds(1)) / plan.interval;
        const std::int64_t least_time = stage.min / plan.interval - warm;
        const std::int64_t last = longest(plan, stage);
        setup->last.push_back(last);
        setup->since.push_back(std::min(last, std::max(least_time, fewest_to_pass)));
    }
    if (const auto found = plan.noise.find(metric.name); found != plan.noise.end()) {
        const Noise& noise = found->second;
        setup->known = noise.instances;
        if (noise.floored) setup->slope = noise.floored->slope;
        if (noise.instances) setup->level = noise.instances->level;
        if (!noise.stages.empty()) {
            const sequential::PairedNoise& first = noise.stages.front();
            if (!noise.instances) setup->level = first.level;
            // A pair of arms knows its own offset; between turns the number of instances tells how well they are known.
            setup->history_can_judge = first.instances == 0 || first.instances >= fewest_instances;
            const bool long_stages = std::all_of(plan.stages.begin(), plan.stages.end(), [&](const Stage& stage) {
                return !stage.max || longest(plan, stage) >= long_stage;
            });
            setup->history_judges_better = setup->history_can_judge && first.size >= long_history && long_stages;
        }
    }
    setup_ = std::move(setup);
}

void InstanceTests::enter_stage(std::size_t stage, bool fresh) {
    if (fresh) {
        // What was seen beside another load counts for nothing, now as then; a stay without tests has spent nothing.
        if (may_fail() && !unequal_load() && impossible_ == 0) carried_ = log_largest();
        if (tests_) ++stays_[stage_];
        instances_[0].clear();
        for (InstanceState& canary : instances_[1]) canary.seen = canary.zeros = 0;
        intervals_ = 0;
        waiting_.clear();
        zero_ = 0;
        requests_ = requesting_ = {};
        n_ = 0;
        sums_ = {};
        impossible_ = 0;
        tests_.reset();
    }
    stage_ = stage;
}

std::size_t InstanceTests::find(Arm arm, const std::string& name, std::int64_t from_ms) {
    auto& all = instances_[static_cast<std::size_t>(arm)];
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (all[i].name == name) return i;
    }
    InstanceState& fresh = all.emplace_back();
    fresh.name = name;
    fresh.first_ms = from_ms;
    return all.size() - 1;
}

void InstanceTests::update(const InstanceInterval& interval, std::int64_t from_ms, bool warming) {
    if (!listens()) return;
    Row row;
    std::array<bool, 2> any{};
    for (const Arm arm : {Arm::baseline, Arm::canary}) {
        const auto at = static_cast<std::size_t>(arm);
        for (const auto& [name, value] : interval.arms[at]) {
            if (name.empty() && open()) {
                chosen_ = false;  // nobody knows whose values these are
                waiting_.clear();
                return;
            }
            const std::size_t i = find(arm, name, from_ms);
            InstanceState& of = instances_[at][i];
            const bool young = arm == Arm::canary && from_ms < of.first_ms + setup_->warm_up_ms;
            if (warming || young || std::isnan(value)) continue;
            row[at].resize(std::max(row[at].size(), i + 1), nothing);
            row[at][i] = value;
            ++of.seen;
            if (value == 0) ++of.zeros;
            any[at] = true;
        }
    }
    if (warming) return;
    for (std::size_t arm = 0; arm < 2; ++arm) {
        requests_[arm] += interval.requests[arm];
        requesting_[arm] += interval.requesting[arm];
    }
    if (!any[0]) return;
    ++intervals_;
    if (tests_) {
        for (InstanceState& of : instances_[0]) of.left = of.left || !is_present(of);
        if (any[1]) feed(std::move(row));
        return;
    }
    if (any[1]) waiting_.push_back(std::move(row));
    if (intervals_ >= settling && !waiting_.empty()) settle();
}

bool InstanceTests::is_present(const InstanceState& of) const {
    return static_cast<double>(of.seen) >= present * static_cast<double>(intervals_);
}

void InstanceTests::settle() {
    double baseline = 0;
    for (InstanceState& of : instances_[0]) {
        of.counted = is_present(of);
        baseline += of.counted ? 1 : 0;
    }
    if (!chosen_) {
        const double others = baseline > 0 ? baseline - 1 : 0;
        double canary = 0;
        for (const InstanceState& of : instances_[1])
            canary += static_cast<double>(of.seen) >= present * static_cast<double>(waiting_.size()) ? 1 : 0;
        const double degrees = others + std::max(canary - 1, 0.0) + known().degrees;
        only_one_ = baseline > 0 && !(degrees >= 1);
        // One degree may pass and never fails: history's noise says more, if there is any.
        const double enough = setup_->history_can_judge ? 2 : 1;
        chosen_ = baseline > 0 && degrees >= enough && !setup_->history_judges_better;
    }
    std::vector<Row> rows = std::exchange(waiting_, {});
    if (!*chosen_) return;
    if (setup_->metric.margin.ratio) {
        // Under a floor the noise of the logarithms depends on the level, and the rollout's own is asked.
        double level = setup_->floor ? 0 : setup_->level;
        if (!(level > 0)) {
            std::vector<double> values;
            for (const Row& row : rows) {
                for (std::size_t i = 0; i < row[0].size(); ++i) {
                    if (instances_[0][i].counted && !std::isnan(row[0][i])) values.push_back(row[0][i]);
                }
            }
            level = median_of(std::move(values));
        }
        zero_ = std::isfinite(level) && level > 0 ? part_for_zero * level : 0;
    }
    make_tests();
    for (Row& row : rows) feed(std::move(row));
}

sequential::InstanceSpread InstanceTests::known() const {
    sequential::InstanceSpread spread;
    spread.looks = rotation::looks(setup_->last[stage_]);
    if (!setup_->known) return spread;
    const KnownInstances& history = *setup_->known;
    std::vector<std::size_t> at;  // the looks of this stage among history's
    for (const std::int64_t look : spread.looks) {
        const auto place = std::lower_bound(history.looks.begin(), history.looks.end(), look);
        at.push_back(static_cast<std::size_t>(place - history.looks.begin()));
    }
    // Those that still run come first: only what the others add to them is new.
    std::vector<std::vector<double>> levels;
    std::size_t running = 0;
    for (const bool wanted : {true, false}) {
        for (std::size_t i = 0; i < history.names.size(); ++i) {
            const bool runs = std::any_of(instances_[0].begin(), instances_[0].end(), [&](const InstanceState& of) {
                return of.counted && of.name == history.names[i];
            });
            if (runs != wanted) continue;
            running += runs ? 1 : 0;
            auto& of = levels.emplace_back();
            for (const std::size_t j : at) of.push_back(history.levels[i][j]);
        }
    }
    if (levels.size() > 1) spread.add_instances(levels, std::max<std::size_t>(running, 1));
    if (history.former_degrees > 0) {
        const std::size_t size = at.size();
        spread.gram.resize(size * size);
        for (std::size_t i = 0; i < size; ++i) {
            for (std::size_t j = 0; j < size; ++j) {
                // The half above the diagonal, row by row.
                const std::size_t row = std::min(at[i], at[j]), column = std::max(at[i], at[j]);
                const std::size_t before = row * history.looks.size() - row * (row + 1) / 2;
                spread.gram[i * size + j] += history.former[before + column];
            }
        }
        spread.degrees += history.former_degrees;
    }
    if (setup_->floor) {
        const double steeper = setup_->floor->steeper(zero_ / part_for_zero, setup_->slope);
        for (double& product : spread.gram) product *= steeper * steeper;
    }
    return spread;
}

void InstanceTests::make_tests() {
    const Setup& setup = *setup_;
    sequential::RotationOptions options;
    // An error rate below one of the virtual canaries cannot be spent: `may_fail` and `mirror_decided` say no.
    options.alpha = std::max(stay_alpha(), least_alpha());
    options.alpha_safe = std::max(setup.alpha_promote, least);
    options.harm = setup.metric.harm;
    const Metric edge = FloorLine::edge(setup.metric);
    options.margin = edge.margin;
    options.last = setup.last[stage_];
    options.seed = seed_of(setup.deployment, setup.metric.name, stage_, stays_[stage_]);
    options.instances_differ = setup.metric.instances_differ;
    options.zero = setup.floor ? setup.floor->least() : zero_;
    options.known = known();
    options.interval = false;
    const auto normals =
        std::make_shared<const rotation::Normals>(options.seed, rotation::looks(options.last).size() + 1);
    RotationTest harm(options, normals);
    options.side = Side::safe;
    options.since = setup.since[stage_];
    options.interval = true;
    RotationTest stage(options, normals);
    std::optional<RotationTest> detect;
    if (setup.promote_when == PromoteWhen::no_harm_found) {
        options.margin = *effective_detect(edge);
        options.alpha_safe = std::max(setup.beta, least);
        options.interval = false;
        detect.emplace(options, normals);
    }
    tests_.emplace(Tests{std::move(harm), std::move(stage), std::move(detect)});
}

void InstanceTests::feed(Row row) {
    row[1].resize(instances_[1].size(), nothing);
    row[0].resize(instances_[0].size(), nothing);
    std::vector<double> baseline;
    for (std::size_t i = 0; i < row[0].size(); ++i) {
        const InstanceState& of = instances_[0][i];
        if (!of.counted) continue;
        if (!of.left && std::isnan(row[0][i])) return;  // not all are there
        baseline.push_back(of.left ? nothing : row[0][i]);
    }
    const bool ratio = setup_->metric.margin.ratio.has_value();
    std::array<double, 2> sum{}, count{};
    for (std::size_t arm = 0; arm < 2; ++arm) {
        for (double& value : arm == 0 ? baseline : row[1]) {
            if (std::isnan(value)) continue;
            if (!(std::fabs(value) <= RotationTest::largest_value) || (ratio && value < 0)) {
                ++impossible_;  // dropping it for its value would be choosing
                return;
            }
            sum[arm] += value;
            count[arm] += 1;
            if (ratio) value = std::max(value, zero_);
        }
    }
    if (count[0] == 0 || count[1] == 0 || no_level()) return;
    n_ += 1;
    for (std::size_t arm = 0; arm < 2; ++arm) sums_[arm] += sum[arm] / count[arm];
    const auto on = [&](const std::optional<FloorLine>& line, std::array<std::vector<double>, 2> arms) {
        if (!line) return arms;
        for (double& value : arms[0]) value = line->baseline(value);
        for (double& value : arms[1]) value = line->canary(value);
        return arms;
    };
    const auto values = on(setup_->floor, {baseline, row[1]});
    tests_->harm.update(values[0], values[1]);
    tests_->stage.update(values[0], values[1]);
    if (!tests_->detect) return;
    const auto beside = on(setup_->floor_detect, {std::move(baseline), std::move(row[1])});
    tests_->detect->update(beside[0], beside[1]);
}

double InstanceTests::mean(Arm arm) const { return sums_[static_cast<std::size_t>(arm)] / n_; }

double InstanceTests::taking_part(Arm arm) const {
    double count = 0;
    for (const InstanceState& of : instances_[static_cast<std::size_t>(arm)])
        count += (arm == Arm::baseline ? of.counted && !of.left : of.seen > 0) ? 1 : 0;
    return count;
}

double InstanceTests::stay_alpha() const { return setup_->alpha * stay_share(stage_, stays_.size(), stays_[stage_]); }

double InstanceTests::least_alpha() const { return setup_->metric.harm == Harm::either ? 2 * least : least; }

Evidence InstanceTests::evidence() const {
    if (tests_) return tests_->stage.evidence();
    Evidence none;
    none.method = "rotation";
    return none;
}

double InstanceTests::log_largest() const {
    if (!tests_ || stay_alpha() < least_alpha()) return carried_;
    // What is shown beside the stay's part of alpha counts beside all of it as if they were one. Error rates are halves
    // of each other; one below alpha never counts before alpha itself does.
    double beyond = tests_->harm.log_largest() - tests_->harm.log_needed();
    if (!tests_->harm.decided()) beyond = std::min(beyond, elementary::log(0.5));
    return std::max({0.0, carried_, log_needed() + beyond});
}

double InstanceTests::log_needed() const { return -elementary::log(setup_->alpha); }

double InstanceTests::mirror_alpha() const {
    return setup_->promote_when == PromoteWhen::no_harm_found ? setup_->beta : setup_->alpha_promote;
}

bool InstanceTests::mirror_decided() const {
    return tests_ && mirror_alpha() >= least && degrees() >= 1 && n_ >= static_cast<double>(fewest_to_pass) &&
           tests_->mirror().decided();
}

bool InstanceTests::may_fail() const {
    return tests_ && stay_alpha() >= least_alpha() && degrees() >= 2 &&
           (!at_floor() || setup_->metric.instances_differ);
}

std::optional<double> InstanceTests::load_ratio() const {
    constexpr double enough = static_cast<double>(settling);
    if (requesting_[0] < enough || requesting_[1] < enough) return std::nullopt;
    const double b = requests_[0] / requesting_[0], c = requests_[1] / requesting_[1];
    if (!(b > 0) && !(c > 0)) return std::nullopt;
    const double ratio = std::max(b, c) / std::min(b, c);
    return std::isnan(ratio) ? std::nullopt : std::optional(ratio);
}

std::optional<double> InstanceTests::idle_share() const {
    double seen = 0, zeros = 0, largest = 0;
    for (const InstanceState& of : instances_[0]) {
        if (!of.counted) continue;
        seen += static_cast<double>(of.seen);
        zeros += static_cast<double>(of.zeros);
    }
    if (zeros > idle * seen) return std::nullopt;
    for (const InstanceState& of : instances_[1]) {
        if (of.seen > 0) largest = std::max(largest, static_cast<double>(of.zeros) / static_cast<double>(of.seen));
    }
    return largest > idle ? std::optional(largest) : std::nullopt;
}

InstancesState InstanceTests::state() const {
    InstancesState state;
    state.chosen = chosen_;
    state.only_one = only_one_;
    state.stays = stays_;
    state.carried = carried_;
    state.instances = instances_;
    state.intervals = intervals_;
    for (std::size_t arm = 0; arm < 2; ++arm) {
        for (const Row& row : waiting_) state.waiting[arm].push_back(row[arm]);
    }
    state.zero = zero_;
    state.requests = requests_;
    state.requesting = requesting_;
    state.n = n_;
    state.sums = sums_;
    state.impossible = impossible_;
    if (tests_) {
        state.harm = tests_->harm.state();
        state.stage = tests_->stage.state();
        if (tests_->detect) state.detect = tests_->detect->state();
    }
    return state;
}

void InstanceTests::restore(const InstancesState& state, std::size_t stage) {
    const auto& require = require_state;
    stage_ = stage;
    require(state.stays.size() == stays_.size() &&
                std::all_of(state.stays.begin(), state.stays.end(), [](std::int64_t n) { return n >= 0; }),
            "another number of stages, or stays in one that cannot be");
    require(state.intervals >= 0 && state.impossible >= 0 && state.n >= 0 && std::isfinite(state.n) &&
                state.carried >= 0 && !std::isnan(state.carried) && state.zero >= 0 && std::isfinite(state.zero),
            "a gauge with numbers that cannot be");
    for (const auto& arm : state.instances) {
        for (const InstanceState& of : arm) {
            require(of.seen >= 0 && of.zeros >= 0 && of.zeros <= of.seen, "an instance with counts that cannot be");
            require(of.first_ms >= earliest_ms && of.first_ms <= latest_ms, "a time beyond the years 1 to 9999");
        }
    }
    require(state.waiting[0].size() == state.waiting[1].size(), "waiting intervals of one arm alone");
    chosen_ = state.chosen;
    only_one_ = state.only_one;
    stays_ = state.stays;
    carried_ = state.carried;
    instances_ = state.instances;
    intervals_ = state.intervals;
    for (std::size_t i = 0; i < state.waiting[0].size(); ++i) {
        Row& row = waiting_.emplace_back();
        for (std::size_t arm = 0; arm < 2; ++arm) {
            row[arm] = state.waiting[arm][i];
            require(row[arm].size() <= instances_[arm].size(), "a waiting interval with unknown instances");
        }
    }
    zero_ = state.zero;
    requests_ = state.requests;
    requesting_ = state.requesting;
    n_ = state.n;
    sums_ = state.sums;
    impossible_ = state.impossible;
    require(state.harm.has_value() == state.stage.has_value(), "one of a gauge's tests alone");
    require(!state.harm || chosen(), "tests of instances that do not judge");
    if (!state.harm) return;
    make_tests();
    require(state.detect.has_value() == tests_->detect.has_value(), "a metric with another promote_when");
    tests_->harm.restore(*state.harm);
    tests_->stage.restore(*state.stage);
    if (tests_->detect) tests_->detect->restore(*state.detect);
}

}  // namespace detail
}  // namespace v0
}  // namespace serinus
