#pragma once
/// \file
/// How the options of a test get into its state, and how a state, or another test, is held against them. Options and
/// states are described (core/describe.hpp); an option is kept by the state's field of its name, the parts of a margin
/// by fields of theirs. An option that no field keeps does not compile, unless the state says that it is kept
/// elsewhere: `static constexpr std::array<std::string_view, 1> beside{"noise"};`.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include <serinus/core/describe.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/state.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {
namespace detail {

/// Calls `act(outer, name, value)` for every option; the parts of a margin have "margin" as `outer`.
template <class Options, class Act>
constexpr void each_option(const Options& options, const Act& act) {
    const auto visit = [&]<class Value>(std::string_view name, const Value& value) {
        if constexpr (Described<Value> && !StateStruct<Value>) {
            const auto inside = [&](std::string_view part, const auto& leaf) { act(name, part, leaf); };
            Value::describe(inside, value);
        } else {
            act(std::string_view(), name, value);
        }
    };
    Options::describe(visit, options);
}

template <class T>
struct Bare {
    using type = T;
};
template <class T>
struct Bare<std::optional<T>> {
    using type = T;
};
/// Whether a field can keep an option.
template <class Option, class Field>
inline constexpr bool keeps = [] {
    using A = typename Bare<std::remove_cvref_t<Option>>::type;
    using B = typename Bare<std::remove_cvref_t<Field>>::type;
    return std::is_same_v<A, B> || (std::is_same_v<A, std::uint64_t> && std::is_same_v<B, std::int64_t>);
}();

/// Calls `act(outer, name, option, field)` for every option that a field of the state keeps.
template <class State, class Options, class Act>
constexpr void each_kept(State& state, const Options& options, const Act& act) {
    each_option(options, [&](std::string_view outer, std::string_view name, const auto& option) {
        const auto meet = [&](std::string_view field_name, auto& field) {
            if constexpr (keeps<decltype(option), decltype(field)>) {
                if (field_name == name) act(outer, name, option, field);
            }
        };
        std::remove_const_t<State>::describe(meet, state);
    });
}

/// Whether every option is kept by the state, or said to be kept beside it.
template <class State, class Options>
consteval bool keeps_options() {
    bool all = true;
    each_option(serinus::detail::unmade_object<Options>(),
                [&](std::string_view, std::string_view name, const auto& option) {
                    bool kept = false;
                    const auto meet = [&](std::string_view field_name, const auto& field) {
                        kept = kept || (keeps<decltype(option), decltype(field)> && field_name == name);
                    };
                    State::describe(meet, serinus::detail::unmade_object<State>());
                    if constexpr (requires { State::beside; }) {
                        for (const std::string_view other : State::beside) kept = kept || other == name;
                    }
                    all = all && kept;
                });
    return all;
}

/// Writes the options, checked, into a state.
template <class State, class Options>
void save_options(State& state, const Options& options) {
    static_assert(keeps_options<State, Options>(), "an option is kept by no field of the state");
    each_kept(state, options, [](std::string_view, std::string_view, const auto& option, auto& field) {
        using Field = std::remove_cvref_t<decltype(field)>;
        if constexpr (
            requires { option.has_value(); } && !requires { field.has_value(); }) {
            field = static_cast<Field>(option.value());
        } else {
            field = static_cast<Field>(option);
        }
    });
}

template <class Value, class Given>
std::optional<Value> as_optional(const Given& given) {
    if constexpr (requires { given.has_value(); }) {
        return given ? std::optional<Value>(static_cast<Value>(*given)) : std::nullopt;
    } else {
        return static_cast<Value>(given);
    }
}

[[noreturn]] inline void other_option(std::string_view who, const std::string& name, const std::string& there,
                                      const std::string& here) {
    raise(Code::state_options,
          std::string(who) + " has " + name + " " + there + "; allowed: " + here + ", as this one has");
}

/// Raises `serinus.state.options` unless something is the same there and here. `who` has it, "the state of a RateTest".
template <class Value>
void require_same(std::string_view who, std::string_view name, const Value& there, const Value& here) {
    if (!(there == here))
        other_option(who, std::string(name), serinus::detail::value_text(there), serinus::detail::value_text(here));
}

/// Raises `serinus.state.options`, naming the first option that differs, unless a state was taken under the options
/// that there are here.
template <class State, class Options>
void require_same_options(std::string_view who, const State& state, const Options& own) {
    static_assert(keeps_options<State, Options>(), "an option is kept by no field of the state");
    each_kept(state, own, [&](std::string_view outer, std::string_view name, const auto& option, const auto& field) {
        // As the option is shown and as the field holds it: one of them may be optional, a seed is a signed number.
        using Value = typename Bare<std::remove_cvref_t<decltype(option)>>::type;
        const auto there = as_optional<Value>(field), here = as_optional<Value>(option);
        if (there == here) return;
        std::string path(outer);
        path.append(path.empty() ? "" : ".").append(name);
        other_option(who, path, serinus::detail::value_text(there), serinus::detail::value_text(here));
    });
}
/// The same for the options of another test.
template <class Options>
void require_same_options(std::string_view who, const Options& given, const Options& own) {
    if (const auto other = first_difference(given, own)) other_option(who, other->name, other->first, other->second);
}

}  // namespace detail
}  // namespace sequential
}  // namespace v0
}  // namespace serinus
