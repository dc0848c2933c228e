#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/core/text.hpp>
#include <serinus/io/delivery.hpp>
#include <serinus/report/delivery.hpp>

#include "cli/options.hpp"

namespace serinus {
inline namespace v0 {
namespace cli {
namespace {

/// "deployment_success_rate=0.99", "budget_consumed=10%"
std::pair<delivery::IndicatorKind, double> target_of(const std::string& text) {
    const std::size_t sign = text.find('=');
    const auto kind = parse_word<delivery::IndicatorKind>(std::string_view(text).substr(0, sign));
    if (!kind) {
        std::vector<std::string> names;
        for (const auto& entry : Words<delivery::IndicatorKind>::table) names.emplace_back(entry.second);
        raise(Code::argument_word,
              "--target is " + in_quotes(text) + "; allowed: NAME=NUMBER, NAME one of " + joined(names));
    }
    std::string number = sign == std::string::npos ? "" : text.substr(sign + 1);
    const bool percent = number.ends_with('%');
    if (percent) number.pop_back();
    const auto value = parse_number(number);
    if (!value)
        raise(Code::argument_range,
              "--target is " + in_quotes(text) + "; allowed: NAME=NUMBER, such as 0.99, 99% or, of times, seconds");
    return {*kind, percent ? *value / 100 : *value};
}

Exit exit_of(const delivery::Report& report) {
    const auto any = [&](Verdict verdict) {
        return std::any_of(report.indicators.begin(), report.indicators.end(),
                           [&](const delivery::Indicator& of) { return of.verdict == verdict; });
    };
    if (any(Verdict::fail)) return Exit::rollback;
    if (any(Verdict::inconclusive)) return Exit::hold;
    return any(Verdict::pass) ? Exit::promote : Exit::no_data;
}

}  // namespace

Exit indicators_command(const IndicatorsCommandOptions& options) {
    delivery::IndicatorOptions asked;
    for (const std::string& target : options.targets) asked.targets.push_back(target_of(target));
    delivery::Log log;
    for (const std::string& path : options.logs) {
        try {
            delivery::Log more = io::read_delivery(read_file(path));
            log.events.insert(log.events.end(), std::make_move_iterator(more.events.begin()),
                              std::make_move_iterator(more.events.end()));
            log.notes.insert(log.notes.end(), more.notes.begin(), more.notes.end());
        } catch (const Error& error) {
            raise(error.within(shown_file(path)));
        }
    }
    const delivery::Report report = delivery::indicators(log, asked);
    switch (options.format) {
        case DashboardFormat::text:
            write_output(report::text(report, {.color = colored(options.color), .width = output_width()}));
            break;
        case DashboardFormat::json: write_output(io::write_indicators(report) + "\n"); break;
        case DashboardFormat::html: write_output(report::html(report)); break;
    }
    return exit_of(report);
}

}  // namespace cli
}  // namespace v0
}  // namespace serinus
