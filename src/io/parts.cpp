#include "parts.hpp"

#include <cstdint>

#include "json.hpp"

namespace serinus {
inline namespace v0 {
namespace io {

using nlohmann::ordered_json;

ordered_json numbers_json(const std::vector<NamedNumber>& numbers) {
    ordered_json out = ordered_json::object();
    for (const NamedNumber& number : numbers) out[number.name] = number_json(number.value);
    return out;
}

ordered_json reasons_json(const std::vector<Reason>& reasons) {
    ordered_json out = ordered_json::array();
    for (const Reason& reason : reasons) {
        ordered_json entry{{"code", name(reason.code)}, {"number", static_cast<std::int32_t>(reason.code)}};
        if (!reason.metric.empty()) entry["metric"] = reason.metric;
        entry["sentence"] = sentence(reason);
        entry["numbers"] = numbers_json(reason.numbers);
        for (const NamedText& text : reason.texts) entry["texts"][text.name] = text.value;
        if (reason.outside_alpha) entry["outside_alpha"] = true;
        if (reason.severity != Severity::info) entry["severity"] = word(reason.severity);
        out.push_back(std::move(entry));
    }
    return out;
}

}  // namespace io
}  // namespace v0
}  // namespace serinus
