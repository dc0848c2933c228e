#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/report/html.hpp>
#include <serinus/report/record.hpp>

#include "support/two_stages.hpp"

namespace serinus::report {
namespace {

/// Whether every element that is opened is closed in its turn, and every attribute is in quotes: hostile names that broke out
/// would break this.
bool well_formed(std::string_view page) {
    const std::vector<std::string_view> empty{"meta", "link", "line", "circle", "polyline", "!DOCTYPE"};
    std::vector<std::string> open;
    for (std::size_t at = page.find('<'); at != std::string_view::npos; at = page.find('<', at)) {
        const std::size_t end = page.find('>', at);
        if (end == std::string_view::npos) return false;
        const std::string_view tag = page.substr(at + 1, end - at - 1);
        if (std::count(tag.begin(), tag.end(), '"') % 2 != 0) return false;
        const std::string name(tag.substr(0, tag.find_first_of(" /", 1)));
        at = end;
        if (name.starts_with('/')) {
            if (open.empty() || open.back() != name.substr(1)) return false;
            open.pop_back();
        } else if (std::find(empty.begin(), empty.end(), name) == empty.end()) {
            open.push_back(name);
        }
    }
    return open.empty();
}

std::size_t count_of(std::string_view text, std::string_view part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++count;
    return count;
}

TEST(Html, OnePageWithAllOfIt) {
    const Record record = recorded(two_stages::plan(), two_stages::batch(0.04));
    const std::string page = html(record);
    EXPECT_TRUE(page.starts_with("<!DOCTYPE html>\n<html lang=\"en\">")) << page.substr(0, 200);
    EXPECT_TRUE(page.ends_with("</html>\n"));
    EXPECT_TRUE(well_formed(page));
    for (const char* part :
         {"<title>ROLLBACK payments</title>", "<p class=\"word\">ROLLBACK</p>", "<p>errors: fail, evidence ",
          "<strong>Next:</strong> roll back", "<h2>Why</h2>", "<h3>errors <b class=\"bad\">fail</b></h3>",
          "<h2>Data</h2>", "<h2>Promise</h2>", "<summary>All numbers</summary>", "errors.harm_proven (1000)"})
        EXPECT_NE(page.find(part), std::string::npos) << part;
    EXPECT_LT(page.find("<h3>errors"), page.find("<h3>memory"));
    // Of each metric two drawings over time and one of its range, each with words for who does not see it.
    EXPECT_EQ(count_of(page, "<svg "), 6U);
    EXPECT_EQ(count_of(page, "<svg "), count_of(page, "role=\"img\" aria-label=\""));
    EXPECT_EQ(count_of(page, "<svg "), count_of(page, "<figcaption>"));
    EXPECT_EQ(page, html(record));
    EXPECT_EQ(html(Record{}), "");
}

TEST(Html, NothingLeavesThePage) {
    const std::string page = html(recorded(two_stages::plan(), two_stages::batch(0.01)));
    for (const char* part : {"<script", "http:", "https:", "//", "@import", "url(", " on", "src="}) {
        const std::size_t found = page.find(part);
        // "on" is a word of sentences.
        if (std::string_view(part) == " on" && found != std::string::npos &&
            page.substr(found, 8).find('=') == std::string::npos)
            continue;
        EXPECT_EQ(found, std::string::npos) << part << " in " << page.substr(found, 80);
    }
}

TEST(Html, NamesAreShownAndNeverObeyed) {
    for (const std::string name : {"</title><script>alert(1)</script>", "\"><img src=x onerror=alert(1)>",
                                   "' onload='x", "&lt;b&gt;", "a\nb\x01"}) {
        Plan plan = two_stages::plan(name);
        plan.deployment = name;
        const std::string page = html(recorded(plan, two_stages::batch(0.04)));
        EXPECT_TRUE(well_formed(page)) << name;
        EXPECT_EQ(page.find("<script"), std::string::npos) << name;
        EXPECT_EQ(page.find("<img"), std::string::npos) << name;
        EXPECT_EQ(page.find('\x01'), std::string::npos) << name;
    }
}

TEST(Html, TwentyMetricsAreNoLargePage) {
    Plan plan = two_stages::plan();
    const Metric errors = plan.metrics[0];
    plan.metrics.clear();
    for (int i = 0; i < 20; ++i) {
        plan.metrics.push_back(errors);
        plan.metrics.back().name = "errors " + std::to_string(i);
    }
    EXPECT_LE(html(recorded(plan, two_stages::batch(0.04), std::nullopt, 360)).size(), 400'000U);
}

TEST(Html, NumbersThatAreNoneAreShown) {
    Decision decision;
    decision.metrics.resize(3);
    constexpr double infinity = std::numeric_limits<double>::infinity(),
                     none = std::numeric_limits<double>::quiet_NaN();
    for (MetricResult& metric : decision.metrics) {
        metric.verdict = Verdict::inconclusive;
        metric.margin = {.ratio = 2.0, .difference = {}};
        metric.evidence.confidence = 0.9;
    }
    decision.metrics[0].evidence.estimate = decision.metrics[0].evidence.log_e_value = none;
    decision.metrics[1].evidence.upper = decision.metrics[1].evidence.estimate = infinity;
    decision.metrics[2].evidence.lower = decision.metrics[2].evidence.upper = none;
    const std::string page = html(decision);
    EXPECT_TRUE(well_formed(page));
    EXPECT_EQ(page.find("nan"), std::string::npos) << page;
    // One decision has no curves.
    EXPECT_EQ(page.find("<polyline"), std::string::npos);
}

}  // namespace
}  // namespace serinus::report
