#pragma once
/// \file
/// How a struct says once what it is made of, for everything that walks over its members: bytes, JSON in and out, the
/// digest of a plan, the comparison of options, the faces of other languages.
///
/// A struct that is described has one static function, beside its members:
///
///     struct Stage {
///         double traffic = 0;
///         std::chrono::milliseconds min{0};
///
///         template <class Visitor, class Self>
///         static constexpr void describe(Visitor& visit, Self& self) {
///             visit("traffic", self.traffic);
///             visit("min", self.min);
///         }
///     };
///     static_assert(described_whole<Stage>());
///
/// One line a member, in the order of declaration; the names are the words that a person writes in JSON and in Python.
/// A visitor takes a name and a reference to the member, const where `self` is; by the member's type it tells what to
/// do. The function is static, so that the struct stays an aggregate, and constexpr, so that names can be counted
/// before there is a value. `described_whole` is true when every member is described, once, under a name of its own: a
/// member that somebody forgets does not compile.
///
/// A member that is itself a described struct is handed to the visitor like any other. Structs that are states besides
/// (they have a kind and a version) are told in core/state.hpp.

#include <array>
#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <serinus/core/quote.hpp>
#include <serinus/core/text.hpp>
#include <serinus/core/words.hpp>

namespace serinus {
inline namespace v0 {

namespace detail {

/// Takes down the names that a description gives.
template <std::size_t N>
struct NameList {
    std::array<std::string_view, N> names{};
    std::size_t size = 0;

    template <class T>
    constexpr void operator()(std::string_view name, const T&) {
        if (size < N) names[size] = name;
        ++size;
    }
};

}  // namespace detail

/// A struct, or a class, that lists its members: see above.
template <class T>
concept Described = requires(detail::NameList<0>& visit, const T& self) { T::describe(visit, self); };

namespace detail {

/// Stands for a value of any type where an aggregate is only asked how many it takes.
struct Anything {
    template <class T>
    operator T() const {
        __builtin_unreachable();
    }
};

template <class T, std::size_t... I>
consteval bool takes(std::index_sequence<I...>) {
    return requires { T{(static_cast<void>(I), Anything{})...}; };
}

/// Whether an aggregate has this many members: it can be made of so many values, and of no more. (Asked of the number
/// that is described and not counted up to it: each question is work for the compiler, in every source that includes
/// the struct.)
template <class T, std::size_t N>
consteval bool has_members() {
    return takes<T>(std::make_index_sequence<N>{}) && !takes<T>(std::make_index_sequence<N + 1>{});
}

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wundefined-var-template"
#pragma clang diagnostic ignored "-Wundefined-internal"
#endif
/// An object that is declared and never made: its members can be named, which is all that counting needs.
template <class T>
struct Unmade {
    T value;
};
template <class T>
extern const Unmade<T> unmade;
template <class T>
constexpr const T& unmade_object() {
    return unmade<T>.value;
}

template <std::size_t N, Described T>
consteval NameList<N> name_list() {
    NameList<N> list;
    T::describe(list, unmade_object<T>());
    return list;
}
#if defined(__clang__)
#pragma clang diagnostic pop
#endif

template <std::size_t N>
consteval bool all_different(const std::array<std::string_view, N>& names) {
    for (std::size_t i = 0; i < N; ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (names[i] == names[j]) return false;
        }
    }
    return true;
}

}  // namespace detail

/// The names of a struct's members, in the order of its description.
template <Described T>
consteval auto described_names() {
    return detail::name_list<detail::name_list<0, T>().size, T>().names;
}

/// Whether an aggregate's description names every member, once, and no two alike. It does not compile where it is not
/// so, and the compiler says which of the two it is.
template <Described T>
consteval bool described_whole() {
    static_assert(std::is_aggregate_v<T>, "only the members of an aggregate can be counted");
    static_assert(detail::has_members<T, described_names<T>().size()>(),
                  "describe() does not name every member of the struct, or one twice");
    static_assert(detail::all_different(described_names<T>()), "describe() gives two members the same name");
    return true;
}

namespace detail {

/// Gathers where the members of one struct are, to be met again by the description of another.
struct Places {
    std::vector<const void*> at;

    template <class T>
    void operator()(std::string_view, const T& value) {
        at.push_back(&value);
    }
};

/// Calls `meet(name, a member of first, the same one of second)`, a member after the other.
template <Described T, class Meet>
void side_by_side(const T& first, const T& second, Meet&& meet) {
    Places places;
    T::describe(places, second);
    std::size_t next = 0;
    const auto visit = [&]<class Value>(std::string_view name, const Value& value) {
        meet(name, value, *static_cast<const Value*>(places.at[next++]));
    };
    T::describe(visit, first);
}

}  // namespace detail

/// Whether two values are the same, all described members of them: as `==`, but that NaN is the same as NaN.
template <class T>
bool same(const T& first, const T& second) {
    if constexpr (Described<T>) {
        bool all = true;
        detail::side_by_side(first, second,
                             [&](std::string_view, const auto& a, const auto& b) { all = all && same(a, b); });
        return all;
    } else if constexpr (std::floating_point<T>) {
        return first == second || (first != first && second != second);
    } else if constexpr (requires { first.has_value(); }) {
        return first.has_value() == second.has_value() && (!first || same(*first, *second));
    } else if constexpr (requires { first.begin()->first; }) {
        auto b = second.begin();
        for (auto a = first.begin(); a != first.end(); ++a, ++b) {
            if (b == second.end() || a->first != b->first || !same(a->second, b->second)) return false;
        }
        return b == second.end();
    } else if constexpr (requires { first.begin(); } && !std::convertible_to<T, std::string_view>) {
        auto b = second.begin();
        for (auto a = first.begin(); a != first.end(); ++a, ++b) {
            if (b == second.end() || !same(*a, *b)) return false;
        }
        return b == second.end();
    } else {
        return first == second;
    }
}

/// A member that two structs of one type do not agree on, and what each has, as an error shows it.
struct Difference {
    std::string name;  ///< a nested one with its path: "margin.ratio"
    std::string first;
    std::string second;
};

namespace detail {

template <class T>
std::string value_text(const T& value) {
    if constexpr (std::same_as<T, bool>) {
        return value ? "true" : "false";
    } else if constexpr (std::integral<T>) {
        return std::to_string(value);
    } else if constexpr (std::floating_point<T>) {
        return given_text(value);
    } else if constexpr (requires { Words<T>::table; }) {
        return std::string(word(value));
    } else if constexpr (std::convertible_to<T, std::string_view>) {
        return in_quotes(value);
    } else if constexpr (requires { value.count(); }) {
        return std::to_string(value.count()) + " ms";
    } else if constexpr (requires { value.has_value(); }) {
        return value ? value_text(*value) : "none";
    } else {
        return "another value";
    }
}

}  // namespace detail

/// The first member that is not the same in both, in the order of description; empty when there is none. Described
/// structs inside are entered, so that the name says which of their members it is.
template <Described T>
std::optional<Difference> first_difference(const T& first, const T& second) {
    std::optional<Difference> found;
    detail::side_by_side(first, second, [&]<class Value>(std::string_view name, const Value& a, const Value& b) {
        if (found) return;
        if constexpr (Described<Value>) {
            found = first_difference(a, b);
            if (found) found->name = std::string(name) + '.' + found->name;
        } else if (!same(a, b)) {
            found = Difference{std::string(name), detail::value_text(a), detail::value_text(b)};
        }
    });
    return found;
}

}  // namespace v0
}  // namespace serinus
