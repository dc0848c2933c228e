#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <serinus/core/code_named.hpp>
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
        if (margin.floor) out["floor"] = number_json(*margin.floor);
        return out;
    }
    /// With the e-value itself, where it can be said, and the one that decides at error rate `alpha`.
    static ordered_json of(const Evidence& evidence, double alpha) {
        ordered_json out = ordered_json::object();
        const auto member = [&](std::string_view name, const auto& value) {
            out[std::string(name)] = of(value);
            if (name != "log_e_value") return;
            const double e_value = elementary::exp(evidence.log_e_value);
            // Between instances it is one over a p-value: it must not be multiplied. One look has a p-value alone.
            constexpr std::array<std::string_view, 5> without{"rotation", "before_after", "label_swap",
                                                              "proportion_test", "rate_test"};
            const bool none = std::find(without.begin(), without.end(), evidence.method) != without.end();
            if (std::isfinite(e_value) && !none) out["e_value"] = number_json(e_value);
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
    static ordered_json of(const Decision& decision) {
        ordered_json out = of<Decision>(decision);
        if (decision.dedupe_key.empty()) out["dedupe_key"] = nullptr;
        return out;
    }
    static ordered_json of(const BurnResult& burn) {
        ordered_json out = of<BurnResult>(burn);
        if (burn.dedupe_key.empty()) out["dedupe_key"] = nullptr;
        return out;
    }
};

[[noreturn]] void refuse(const std::string& path, const ordered_json& value, std::string_view allowed) {
    raise(Code::data_document,
          (path.empty() ? "the decision" : path) + " is " + shown(value) + "; allowed: " + std::string(allowed));
}

/// The members of an object, each taken once; what is left over is refused.
class Members {
  public:
    Members(std::string path, const ordered_json& object) : path_(std::move(path)), object_(object) {
        if (!object.is_object()) refuse(path_, object, "an object");
    }

    std::string path(std::string_view key) const { return member(path_, key); }
    /// The value of a key; null where it may be left out and is.
    const ordered_json* find(std::string_view key) {
        keys_.push_back(key);
        const auto at = object_.find(std::string(key));
        return at == object_.end() ? nullptr : &*at;
    }
    const ordered_json& at(std::string_view key) {
        const ordered_json* const value = find(key);
        if (value == nullptr)
            raise(Code::data_document, path(key) + " is missing; allowed: a decision with all of its keys");
        return *value;
    }
    /// What follows from the rest is written, and not read.
    void pass(std::initializer_list<std::string_view> keys) { keys_.insert(keys_.end(), keys); }
    void end() const {
        for (const auto& [key, value] : object_.items()) {
            if (std::find(keys_.begin(), keys_.end(), key) != keys_.end()) continue;
            raise(Code::data_document, path(key) + " is unknown; allowed: the keys of a decision");
        }
    }

  private:
    std::string path_;
    const ordered_json& object_;
    std::vector<std::string_view> keys_;
};

/// The values that `Told` wrote.
struct Taken {
    static void of(const std::string& path, const ordered_json& value, bool& out) {
        if (!value.is_boolean()) refuse(path, value, "true, false");
        out = value.get<bool>();
    }
    static void of(const std::string& path, const ordered_json& value, double& out) {
        if (value.is_number()) {
            out = value.get<double>();
        } else if (value.is_null()) {
            out = std::numeric_limits<double>::quiet_NaN();
        } else if (is_text(value, "Infinity") || is_text(value, "-Infinity")) {
            out = std::numeric_limits<double>::infinity() * (is_text(value, "Infinity") ? 1 : -1);
        } else {
            refuse(path, value, R"(a number, null, "Infinity", "-Infinity")");
        }
    }
    template <std::integral Whole>
    static void of(const std::string& path, const ordered_json& value, Whole& out) {
        const bool fits = value.is_number_unsigned()  ? std::in_range<Whole>(value.get<std::uint64_t>())
                          : value.is_number_integer() ? std::in_range<Whole>(value.get<std::int64_t>())
                                                      : false;
        if (!fits) refuse(path, value, "a whole number");
        out = value.get<Whole>();
    }
    static void of(const std::string& path, const ordered_json& value, std::string& out) { out = text(path, value); }
    /// The name of a method.
    static void of(const std::string& path, const ordered_json& value, std::string_view& out) {
        const auto known = std::find(evidence_methods.begin(), evidence_methods.end(), text(path, value));
        if (known == evidence_methods.end()) refuse(path, value, "the name of a method");
        out = *known;
    }
    static void of(const std::string& path, const ordered_json& value, Code& out) {
        const auto known = code_named(text(path, value));
        if (!known) refuse(path, value, "the name of a code");
        out = *known;
    }
    static void of(const std::string& path, const ordered_json& value, std::chrono::milliseconds& out) {
        const auto length = try_parse_duration(text(path, value));
        if (!length) refuse(path, value, duration_allowed);
        out = *length;
    }
    static void of(const std::string& path, const ordered_json& value, Time& out) {
        const auto time = try_parse_time(text(path, value));
        if (!time) refuse(path, value, "a time such as \"2026-11-22T21:21:29Z\"");
        out = *time;
    }
    template <class Enum>
        requires std::is_enum_v<Enum>
    static void of(const std::string& path, const ordered_json& value, Enum& out) {
        const auto known = parse_word<Enum>(text(path, value));
        if (!known) refuse(path, value, allowed_words<Enum>());
        out = *known;
    }
    template <class T>
    static void of(const std::string& path, const ordered_json& value, std::optional<T>& out) {
        if (!value.is_null()) of(path, value, out.emplace());
    }
    template <class T>
    static void of(const std::string& path, const ordered_json& value, std::vector<T>& out) {
        if (!value.is_array()) refuse(path, value, "a list");
        for (std::size_t i = 0; i < value.size(); ++i) of(element(path, i), value[i], out.emplace_back());
    }
    template <class T>
    static void of(const std::string& path, const ordered_json& value, std::array<T, 2>& arms) {
        Members members(path, value);
        of(members.path("baseline"), members.at("baseline"), arms[0]);
        of(members.path("canary"), members.at("canary"), arms[1]);
        members.end();
    }
    /// Named numbers, or texts.
    template <class Named>
        requires std::same_as<Named, NamedNumber> || std::same_as<Named, NamedText>
    static void of(const std::string& path, const ordered_json& value, std::vector<Named>& out) {
        if (!value.is_object()) refuse(path, value, "an object");
        for (const auto& [name, of_it] : value.items()) {
            Named& named = out.emplace_back();
            named.name = name;
            of(member(path, name), of_it, named.value);
        }
    }

    /// A described struct: `own(name, its value, the member)` says whether it took the member.
    template <Described T>
    static void members_of(Members& members, T& out, const auto& own) {
        const auto take = [&](std::string_view name, auto& field) {
            if (!own(name, field)) of(members.path(name), members.at(name), field);
        };
        T::describe(take, out);
        members.end();
    }
    template <Described T>
    static void of(const std::string& path, const ordered_json& value, T& out) {
        Members members(path, value);
        if constexpr (std::same_as<T, Evidence>) members.pass({"e_value", "needed_e_value", "needed_log_e_value"});
        if constexpr (std::same_as<T, BurnHalt>) members.pass({"needed_e_value"});
        if constexpr (std::same_as<T, Reason>) members.pass({"number", "sentence"});
        members_of(members, out, [&](std::string_view name, auto& field) {
            const bool may_lack = left_out<T>(name);
            const ordered_json* const there = may_lack ? members.find(name) : nullptr;
            if (there != nullptr && !there->is_null()) of(members.path(name), *there, field);
            return may_lack;
        });
    }

  private:
    /// A member that is left out, or null, where it is empty.
    template <class T>
    static bool left_out(std::string_view name) {
        if constexpr (std::same_as<T, Margin>) return true;
        if constexpr (std::same_as<T, MetricResult>) return name == "detect" || name == "severity";
        if constexpr (std::same_as<T, BurnResult>) return name == "dedupe_key";
        if constexpr (std::same_as<T, Reason>)
            return name == "metric" || name == "outside_alpha" || name == "texts" || name == "severity";
        return false;
    }
    static const std::string& text(const std::string& path, const ordered_json& value) {
        if (!value.is_string()) refuse(path, value, "a text");
        return value.get_ref<const std::string&>();
    }
};

}  // namespace

Decision read_decision(std::string_view json) {
    const ordered_json document = parse_ordered_json(json, "the decision");
    Decision decision;
    Members members("", document);
    Taken::members_of(members, decision, [&](std::string_view name, auto& field) {
        if constexpr (std::same_as<decltype(field), std::chrono::milliseconds&>) {  // a bare number of seconds
            double seconds = 0;
            Taken::of(members.path(name), members.at(name), seconds);
            if (!(std::fabs(seconds) < 9e15)) refuse(members.path(name), members.at(name), "seconds");
            field = std::chrono::milliseconds(std::llround(seconds * 1000));
            return true;
        }
        // Decisions of before there were such keys have none of them.
        if (name != "dedupe_key" && name != "would" && name != "would_severity" && name != "failed" &&
            name != "reached_seconds") {
            return false;
        }
        if (const ordered_json* const there = members.find(name); there != nullptr && !there->is_null())
            Taken::of(members.path(name), *there, field);
        return true;
    });
    return decision;
}

std::string write_decision(const Decision& decision, int indent) {
    ordered_json out = Told::of(decision);
    out["elapsed_seconds"] = number_json(static_cast<double>(decision.elapsed.count()) / 1000);
    return document_text(out, indent);
}

}  // namespace io
}  // namespace v0
}  // namespace serinus
