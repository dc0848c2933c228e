#pragma once
/// \file
/// What is said of the indicators of delivery, in words and as a page.

#include <string>

#include <serinus/delivery/indicators.hpp>
#include <serinus/report/text.hpp>

namespace serinus {
inline namespace v0 {
namespace report {

/// A line an indicator, then what so few deployments do not allow to say, and what was made of the log:
///
///     1 FAILS, 3 PASS, 6 OPEN   42 deployments, 180 pipeline runs   2026-11-01T08:00:00Z to 2026-11-30T17:12:00Z
///
///       indicator                 verdict       now       95 % range            target         trend
///       deployment_success_rate   pass          97.6 %    87.4 % to 99.9 %      at least 80 %  steady
///
/// The same report gives the same text under every locale. Cost: linear.
std::string text(const delivery::Report& report, const TextOptions& options = {});

/// The same as one self-contained page: panels of speed, quality, money and telemetry, each indicator with its verdict,
/// its range against the target, and its course drawn in SVG. No script, nothing from outside; whatever the log's names
/// hold is text. Cost: linear.
std::string html(const delivery::Report& report);

}  // namespace report
}  // namespace v0
}  // namespace serinus
