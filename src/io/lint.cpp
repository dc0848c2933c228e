#include <optional>

#include <serinus/io/lint.hpp>
#include <serinus/series/time.hpp>

#include "json.hpp"
#include "parts.hpp"

namespace serinus {
inline namespace v0 {
namespace io {

using nlohmann::ordered_json;

namespace {

ordered_json time_json(const std::optional<Time>& time) {
    return time && in_time_range(to_ms(*time)) ? ordered_json(format_time(to_ms(*time))) : ordered_json(nullptr);
}

ordered_json series_json(const SeriesSeen& seen) {
    ordered_json spacing = nullptr;
    if (seen.spacing.count() > 0) spacing = number_json(static_cast<double>(seen.spacing.count()) / 1000);
    return {{"metric", seen.metric},       {"key", seen.key},
            {"name", seen.name},           {"arm", word(seen.arm)},
            {"series", seen.series},       {"instances", seen.instances},
            {"replicas", seen.replicas},   {"samples", seen.samples},
            {"spacing_seconds", spacing},  {"first", time_json(seen.first)},
            {"last", time_json(seen.last)}};
}

}  // namespace

std::string write_understood(const Understood& understood, int indent) {
    ordered_json out{{"version", version()},
                     {"plan", understood.plan},
                     {"mend", reasons_json(understood.mend)},
                     {"notes", reasons_json(understood.notes)},
                     {"series", ordered_json::array()}};
    for (const SeriesSeen& seen : understood.series) out["series"].push_back(series_json(seen));
    return document_text(out, indent);
}

}  // namespace io
}  // namespace v0
}  // namespace serinus
