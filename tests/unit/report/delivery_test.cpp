#include <algorithm>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include <serinus/delivery/indicators.hpp>
#include <serinus/report/delivery.hpp>

namespace serinus::report {
namespace {

delivery::Log log_of(int n, const std::string& name) {
    delivery::Log log;
    for (int i = 0; i < n; ++i) {
        delivery::Event event;
        event.kind = delivery::EventKind::deployment_started;
        event.deployment = name + std::to_string(i);
        event.time_ms = 3'600'000LL * i;
        log.events.push_back(event);
        event.kind = i == 1 ? delivery::EventKind::deployment_failed : delivery::EventKind::deployment_succeeded;
        event.time_ms += 60'000LL * (i == 0 ? -1 : 7 + i % 3);
        log.events.push_back(event);
    }
    return log;
}

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

TEST(DeliveryText, ALineAnIndicatorAndWhatCannotBeSaid) {
    const std::string told = text(delivery::indicators(log_of(12, "pay-")));
    EXPECT_TRUE(told.starts_with("0 FAIL, 1 PASSES, 1 OPEN, 8 WITHOUT DATA\n")) << told;
    EXPECT_TRUE(has(told, "  deployment_success_rate"));
    EXPECT_TRUE(has(told, "at least 95 %"));
    EXPECT_TRUE(has(told, "clocks disagree"));
    EXPECT_TRUE(has(told, "nothing in the log tells it"));
    for (const char c : told) EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
}

TEST(DeliveryHtml, IsOnePageInWhichNamesAreText) {
    const std::string hostile = "</p><script>alert(1)</script>\" onload='x' \x1b[31m";
    const std::string page = html(delivery::indicators(log_of(12, hostile)));
    EXPECT_TRUE(page.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"));
    EXPECT_TRUE(page.ends_with("</html>\n"));
    EXPECT_FALSE(has(page, "<script"));
    EXPECT_FALSE(has(page, "\x1b"));
    EXPECT_TRUE(has(page, "&lt;script&gt;"));
    for (const char* part : {"<h2>Speed</h2>", "<h2>Quality</h2>", "<h2>Money and budget</h2>", "<h2>Telemetry</h2>",
                             "mean time to deploy", "role=\"img\"", "<h2>The log</h2>"})
        EXPECT_TRUE(has(page, part)) << part;
    for (const char* outside : {"http:", "https:", "src=", "@import", "url("})
        EXPECT_FALSE(has(page, outside)) << outside;
    const std::string body = page.substr(page.find("<body>"));  // the style sheet has a > of its own
    EXPECT_EQ(std::count(body.begin(), body.end(), '<'), std::count(body.begin(), body.end(), '>'));
}

}  // namespace
}  // namespace serinus::report
