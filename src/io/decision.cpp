#include <array>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <serinus/io/decision.hpp>
#include <serinus/numeric/elementary.hpp>
#include <serinus/series/duration.hpp>
#include <serinus/series/time.hpp>

#include "json.hpp"
#include "parts.hpp"

namespace serinus {
inline namespace v0 {
namespace io {

using nlohmann::ordered_json;

namespace {

/// A decision's values in JSON: of a described struct every member, in the order of its description.
struct Told {
    static ordered_json of(bool value) { return value; }
    static ordered_json of(double value) { return number_json(value); }
    template <std::integral Whole>
    static ordered_json of(Whole value) {
        return value;
    }
    static ordered_json of(std::string_view text) { return text; }
    static ordered_json of(Code code) { return name(code); }
    static ordered_json of(std::chrono::milliseconds length) { return format_duration(length.count()); }
    /// Null outside the years 1 to 9999, which RFC 3339 cannot say.
    static ordered_json of(Time time) {
        const std::int64_t ms = time.time_since_epoch().count();
        return in_time_range(ms) ? ordered_json(format_time(ms)) : ordered_json(nullptr);
    }
    template <class Enum>
        requires std::is_enum_v<Enum>
    static ordered_json of(Enum value) {
        return word(value);
    }
    template <class T>
    static ordered_json of(const std::optional<T>& value) {
        return value ? of(*value) : ordered_json(nullptr);
    }
    template <class T>
    static ordered_json of(const std::vector<T>& values) {
        ordered_json out = ordered_json::array();
        for (const T& value : values) out.push_back(of(value));
        return out;
    }
    template <class T>
    static ordered_json of(const std::array<T, 2>& arms) {
        return {{"baseline", of(arms[0])}, {"canary", of(arms[1])}};
    }
    static ordered_json of(const std::vector<NamedNumber>& numbers) { return numbers_json(numbers); }
    static ordered_json of(const std::vector<Reason>& reasons) { return reasons_json(reasons); }
    static ordered_json of(const Margin& margin) {
        ordered_json out = ordered_json::object();
        if (margin.ratio) out["ratio"] = number_json(*margin.ratio);
        if (margin.difference) out["difference"] = number_json(*margin.difference);
        return out;
    }
    /// With the e-value itself, where it can be said, and the one that decides at error rate `alpha`.
    static ordered_json of(const Evidence& evidence, double alpha) {
        ordered_json out = ordered_json::object();
        const auto member = [&](std::string_view name, const auto& value) {
            out[std::string(name)] = of(value);
            if (name != "log_e_value") return;
            const double e_value = elementary::exp(evidence.log_e_value);
            // Between instances it is one over a p-value: it must not be multiplied.
            if (std::isfinite(e_value) && evidence.method != "rotation") out["e_value"] = number_json(e_value);
            put_needed(out, 1 / alpha, -elementary::log(alpha));
        };
        Evidence::describe(member, evidence);
        return out;
    }
    static void put_needed(ordered_json& out, double e_value, double log_e_value) {
        out["needed_e_value"] = number_json(e_value);
        out["needed_log_e_value"] = number_json(log_e_value);
    }
    static ordered_json of(const BurnHalt& halt) {
        ordered_json out = ordered_json::object();
        const auto member = [&](std::string_view name, const auto& value) {
            if (name == "needed_log_e_value")
                return put_needed(out, elementary::exp(halt.needed_log_e_value), halt.needed_log_e_value);
            out[std::string(name)] = of(value);
        };
        BurnHalt::describe(member, halt);
        return out;
    }
    template <Described T>
    static ordered_json of(const T& value) {
        ordered_json out = ordered_json::object();
        const auto member = [&](std::string_view name, const auto& of_it) { out[std::string(name)] = of(of_it); };
        T::describe(member, value);
        return out;
    }
    static ordered_json of(const MetricResult& metric) {
        ordered_json out = ordered_json::object();
        const auto member = [&]<class T>(std::string_view name, const T& value) {
            if constexpr (std::same_as<T, Evidence>) {
                out[std::string(name)] = of(value, name == "mirror" ? metric.alpha_mirror : metric.alpha);
            } else if (name != "detect" || metric.detect != Margin{}) {
                out[std::string(name)] = of(value);
            }
        };
        MetricResult::describe(member, metric);
        return out;
    }
    static ordered_json of(const BurnResult& burn) {
        ordered_json out = of<BurnResult>(burn);
        if (burn.dedupe_key.empty()) out["dedupe_key"] = nullptr;
        return out;
    }
};

}  // namespace

std::string write_decision(const Decision& decision, int indent) {
    ordered_json out = Told::of(decision);
    out["elapsed_seconds"] = number_json(static_cast<double>(decision.elapsed.count()) / 1000);
    return document_text(out, indent);
}

}  // namespace io
}  // namespace v0
}  // namespace serinus
