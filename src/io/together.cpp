#include <serinus/io/together.hpp>
#include <serinus/series/time.hpp>

#include "json.hpp"

namespace serinus {
inline namespace v0 {
namespace io {

using nlohmann::ordered_json;

std::string write_together(const Together& together, std::span<const Decision> decisions, int indent) {
    const auto text = [](const std::string& key) { return key.empty() ? ordered_json(nullptr) : ordered_json(key); };
    ordered_json out{{"decision", word(together.action)},
                     {"finished", together.finished},
                     {"severity", word(together.severity)},
                     {"decided_by", together.decided_by},
                     {"dedupe_key", text(together.dedupe_key)},
                     {"time", nullptr},
                     {"alpha", number_json(together.alpha)},
                     {"would", nullptr},
                     {"version", version()},
                     {"decisions", ordered_json::array()}};
    if (together.time && in_time_range(to_ms(*together.time))) out["time"] = format_time(to_ms(*together.time));
    if (together.would) out["would"] = word(*together.would);
    for (const Decision& one : decisions) {
        out["decisions"].push_back({{"plan", one.plan},
                                    {"deployment", one.deployment},
                                    {"decision", word(one.action)},
                                    {"stage", one.stage},
                                    {"stages", one.stages},
                                    {"severity", word(one.severity)},
                                    {"failed", one.failed},
                                    {"digest", one.digest}});
    }
    return document_text(out, indent);
}

}  // namespace io
}  // namespace v0
}  // namespace serinus
