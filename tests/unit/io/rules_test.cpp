// write_rules, as the real promtool reads it: valid, and firing when our own Alerts fire.

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/error.hpp>
#include <serinus/io/rules.hpp>
#include <serinus/slo/alerts.hpp>
#include <serinus/slo/burn_rate.hpp>

namespace serinus {
using namespace std::chrono_literals;
namespace {

constexpr std::int64_t minute = 60'000;

/// A folder of its own, gone afterwards.
class Folder {
  public:
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "serinus-rules-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    std::string file(const std::string& name, const std::string& text) const {
        const std::string path = (path_ / name).string();
        std::ofstream(path, std::ios::binary) << text;
        return path;
    }
    /// Runs promtool; what it said is in `output`.
    bool promtool(const std::string& arguments, std::string& output) const {
        const std::string log = (path_ / "log").string();
        const int status = std::system(("promtool " + arguments + " >" + log + " 2>&1").c_str());
        std::ifstream in(log);
        output.assign(std::istreambuf_iterator<char>(in), {});
        return status == 0;
    }

  private:
    std::filesystem::path path_;
};

slo::Policy quick_policy() {
    slo::Policy policy;
    policy.conditions = {{.name = "page",
                          .long_window = 30min,
                          .short_window = 5min,
                          .factor = 14.4,
                          .severity = Severity::page,
                          .pending_for = 2min},
                         {.name = "ticket",
                          .long_window = 60min,
                          .short_window = 10min,
                          .factor = 3,
                          .severity = Severity::ticket,
                          .keep_firing_for = 7min}};
    return policy;
}

const slo::Objective objective{.name = "availability", .budget = 0.001};
const io::RulesOptions selectors{.bad = "errors_total{job=\"api\"}", .total = "requests_total{job=\"api\"}"};

TEST(WriteRules, PromtoolAcceptsThem) {
    const Folder folder;
    for (slo::Policy policy : {slo::sre_workbook_policy(), quick_policy()}) {
        for (const bool more : {false, true}) {
            policy.min_events = more ? 100 : 0;
            io::RulesOptions options = selectors;
            slo::Objective named = objective;
            if (more) {
                options.interval = std::chrono::seconds(30);
                options.no_data = Severity::ticket;
                named.name = "the \"best\" : one\\";
            }
            std::string output;
            const std::string text = io::write_rules(named, policy, options);
            EXPECT_TRUE(folder.promtool("check rules " + folder.file("rules.yaml", text), output)) << output << text;
        }
    }
}

/// Two counters in a sample a minute, an outage in the middle, a slow burn later, and a reset.
struct Scenario {
    std::vector<std::int64_t> times;
    std::vector<double> bad, total;
};

Scenario scenario() {
    Scenario s;
    std::mt19937_64 random(17);
    double bad = 0, total = 0;
    for (int t = 0; t < 300; ++t) {
        const double rate = t >= 70 && t < 84 ? 0.2 : t >= 170 && t < 215 ? 0.008 : 0.0003;
        if (t == 150) bad = total = 0;
        total += 500;
        bad += std::binomial_distribution<int>(500, rate)(random);
        s.times.push_back(t * minute);
        s.bad.push_back(bad);
        s.total.push_back(total);
    }
    return s;
}

std::string listed(const std::vector<double>& values) {
    std::string text;
    for (const double value : values) text += std::to_string(static_cast<long long>(value)) + " ";
    return text;
}

TEST(WriteRules, PrometheusFiresWhenAlertsDoes) {
    const Folder folder;
    const slo::Policy policy = quick_policy();
    const Scenario s = scenario();
    slo::BurnRate burn(
        {.budget = objective.budget, .windows = slo::windows_of(policy), .semantics = slo::Semantics::prometheus2});
    burn.add(burn.add_series(slo::Role::bad), s.times, s.bad);
    burn.add(burn.add_series(slo::Role::total), s.times, s.total);
    const slo::AlertHistory history = slo::alerts_over(policy, objective, burn, s.times);

    const std::string rules = io::write_rules(objective, policy, selectors);
    folder.file("rules.yaml", rules);
    const auto annotation = [&](const slo::Condition& condition) {
        const std::size_t at = rules.find("summary: \"", rules.find("condition: \"" + condition.name)) + 9;
        return rules.substr(at, rules.find('\n', at) - at);
    };
    // At every minute, both alerts: what promtool must see and nothing more.
    const auto expected = [&](bool shifted) {
        std::string text =
            "rule_files: [rules.yaml]\nevaluation_interval: 1m\ntests:\n  - interval: 1m\n"
            "    input_series:\n      - series: 'errors_total{job=\"api\"}'\n        values: '" +
            listed(s.bad) + "'\n      - series: 'requests_total{job=\"api\"}'\n        values: '" + listed(s.total) +
            "'\n    alert_rule_test:\n";
        for (std::size_t i = 0; i < s.times.size(); ++i) {
            text += "      - eval_time: " + std::to_string(i) + "m\n        alertname: ErrorBudgetBurn\n";
            std::string alerts;
            for (std::size_t c = 0; c < policy.conditions.size(); ++c) {
                const slo::Condition& condition = policy.conditions[c];
                for (const slo::FiringInterval& fired : history.by_condition[c]) {
                    const std::int64_t first = to_ms(fired.first) + (shifted ? minute : 0);
                    if (s.times[i] < first || s.times[i] > to_ms(fired.last)) continue;
                    alerts += "          - exp_labels: {severity: " + std::string(word(condition.severity)) +
                              ", slo: availability, condition: " + condition.name +
                              "}\n            exp_annotations: {summary: " + annotation(condition) + "}\n";
                }
            }
            if (!alerts.empty()) text += "        exp_alerts:\n" + alerts;
        }
        return text;
    };
    for (const auto& fired : history.by_condition) EXPECT_GE(fired.size(), 1U);
    EXPECT_GE(history.by_condition[1].size(), 2U);
    std::string output;
    EXPECT_TRUE(folder.promtool("test rules " + folder.file("test.yaml", expected(false)), output)) << output;
    // The test can fail: an edge a minute later is seen.
    EXPECT_FALSE(folder.promtool("test rules " + folder.file("test.yaml", expected(true)), output));
}

TEST(WriteRules, RefusesWhatPromqlCannotSay) {
    const auto code = [](const slo::Policy& policy, const io::RulesOptions& options) {
        try {
            io::write_rules(objective, policy, options);
        } catch (const Error& error) {
            EXPECT_NE(std::string(error.what()).find("allowed"), std::string::npos) << error.what();
            return error.code();
        }
        return Code::none;
    };
    slo::Policy policy = quick_policy();
    EXPECT_EQ(code(policy, selectors), Code::none);
    EXPECT_EQ(code(policy, {.bad = "", .total = "a"}), Code::argument_word);
    EXPECT_EQ(code(policy, {.bad = "a", .total = "b\nc"}), Code::argument_word);
    policy.min_probability = 0.95;
    EXPECT_EQ(code(policy, selectors), Code::argument_word);
    policy = quick_policy();
    policy.conditions[0].factor = 1000;
    EXPECT_EQ(code(policy, selectors), Code::slo_never_fires);
}

TEST(WriteRules, FindsTheSelectorThatAQuerySums) {
    const auto selector = [](std::string_view query) { return io::selector_of(query).value_or("none"); };
    EXPECT_EQ(selector("http_requests_total"), "http_requests_total");
    EXPECT_EQ(selector(R"( sum by (track) (n{job="JOB",code=~"5.."}) )"), R"(n{job="JOB",code=~"5.."})");
    EXPECT_EQ(selector(R"(sum(n{a=")}("}) by (track, le))"), R"(n{a=")}("})");
    EXPECT_EQ(selector("sum without(instance)((job:n:sum))"), "job:n:sum");
    EXPECT_EQ(selector("sum by (track) (sum by (track, pod) (n{}))"), "n");
    EXPECT_EQ(selector(R"({__name__="n"})"), R"({__name__="n"})");
    EXPECT_EQ(selector("summary_total"), "summary_total");
    for (const char* more : {"", "rate(n[5m])", "n or vector(0)", "sum(n) or sum(m) * 0", "sum(n", "a + b", "n{", "1n",
                             "sum(n) / sum(m)", "n[5m]", "n offset 5m"}) {
        EXPECT_EQ(selector(more), "none") << more;
    }
    EXPECT_EQ(io::selector_of(R"(sum by (track, le) (t_bucket{job="a"}))", 0.3), R"(t_bucket{job="a",le="0.3"})");
    EXPECT_EQ(io::selector_of("t_bucket", 2), R"(t_bucket{le=~"2|2[.]0"})");
}

TEST(WriteRules, TakesGoodEventsInPlaceOfBadOnes) {
    io::RulesOptions options;
    options.total = "all";
    options.good = R"(t_bucket{le="0.3"})";
    const std::string text = io::write_rules(objective, quick_policy(), options);
    EXPECT_NE(text.find(R"(1 - sum(increase(t_bucket{le=\"0.3\"}[5m])) / sum(increase(all[5m])))"), std::string::npos)
        << text;
    options.bad = "errors";
    EXPECT_THROW(io::write_rules(objective, quick_policy(), options), Error);
}

}  // namespace
}  // namespace serinus
