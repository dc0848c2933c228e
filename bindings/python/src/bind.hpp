#pragma once
/// \file
/// Python's face of a struct or a test, from its one description (core/describe.hpp): how its members look as Python's
/// values, keywords that fill it, properties, dicts, pickles, equality. A member that is described is in Python;
/// nothing else names it there.

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <serinus/core/describe.hpp>
#include <serinus/core/evidence.hpp>
#include <serinus/core/reason.hpp>
#include <serinus/core/state.hpp>
#include <serinus/core/text.hpp>
#include <serinus/series/duration.hpp>
#include <serinus/series/time.hpp>

#include "arguments.hpp"

namespace serinus {
inline namespace v0 {
struct Plan;
}  // namespace v0
}  // namespace serinus

namespace serinus::python {

// ---- values

/// A name as Python keeps names.
py::str interned(std::string_view name);
/// fields[name] = value.
void put(py::dict& fields, const py::str& name, const py::object& value);
/// An object of a class of `serinus._results.Struct`, whose fields are in that dict.
py::object made(py::handle type, const py::dict& fields);
/// Raises TypeError, as Python's own functions do, where the names that were given are not those of the fields.
void refuse_others(std::string_view callee, const py::dict& given, const std::vector<py::str>& fields);
/// A type of a duration or a time, of its milliseconds: "dict[str, datetime | None]" is "dict[str, int | None]".
std::string in_milliseconds(std::string type);
/// A class of `serinus._results.Struct` in the module, of these fields; `times` are those that have milliseconds beside
/// them.
void define_struct(py::module_& module, std::string_view name, const std::vector<py::str>& fields,
                   const std::vector<py::str>& times, py::dict (*types)());

/// How a value looks in Python: `type()` as a type checker reads it, `give` hands one to Python, `take` takes what was
/// given for a field of that name, and raises `serinus.argument.*` for what cannot be one.
template <class T>
struct Value;

template <>
struct Value<double> {
    static std::string type() { return "float"; }
    static py::object give(double value) { return py::float_(value); }
    static void take(const std::string& field, py::handle given, double& value) {
        value = number_argument(field, given);
    }
};

template <>
struct Value<bool> {
    static std::string type() { return "bool"; }
    static py::object give(bool value) { return py::bool_(value); }
    static void take(const std::string&, py::handle given, bool& value) { value = truth_argument(given); }
};

template <std::integral T>
struct Value<T> {
    static std::string type() { return "int"; }
    static py::object give(T value) { return py::int_(value); }
    static void take(const std::string& field, py::handle given, T& value) {
        if constexpr (std::is_unsigned_v<T>) {
            value = static_cast<T>(whole_argument(field, given));
        } else {
            value = static_cast<T>(count_argument(field.c_str(), given));
        }
    }
};

template <>
struct Value<std::string> {
    static std::string type() { return "str"; }
    static py::object give(const std::string& value) { return py::str(value); }
    static void take(const std::string& field, py::handle given, std::string& value) {
        value = std::string(text_argument(field, given));
    }
};

/// The name of a method. It points into memory that stays: Python's own store of words, which keeps each once.
template <>
struct Value<std::string_view> {
    static std::string type() { return "str"; }
    static py::object give(std::string_view value) { return py::str(value.data(), value.size()); }
    static void take(const std::string& field, py::handle given, std::string_view& value) {
        const std::string_view text = text_argument(field, given);
        PyObject* kept = PyUnicode_FromStringAndSize(text.data(), static_cast<Py_ssize_t>(text.size()));
        PyUnicode_InternInPlace(&kept);
        value = text_argument(field, kept);
    }
};

/// A member of an enum in serinus._words where it has a class there, else its word as a text.
template <class Enum>
    requires std::is_enum_v<Enum>
struct Value<Enum> {
    static std::string type() {
        return py::cast<std::string>(py::type::of(members_of<Enum>().front()).attr("__name__"));
    }
    static py::object give(Enum value) { return member(value); }
    static void take(const std::string& field, py::handle given, Enum& value) {
        value = word_argument<Enum>(field, given);
    }
};

/// A code by its name, "harm_proven".
template <>
struct Value<Code> {
    static std::string type() { return "str"; }
    static py::object give(Code value) { return py::str(std::string(name(value))); }
    static void take(const std::string& field, py::handle given, Code& value) { value = code_argument(field, given); }
};

/// {"ratio": 1.1} or {"difference": 0.002}; {} when it is empty.
template <>
struct Value<Margin> {
    static std::string type() { return "dict[str, float]"; }
    static py::object give(const Margin& value) { return margin_dict(value); }
    static void take(const std::string& field, py::handle given, Margin& value) {
        value = margin_argument(given, field.c_str());
    }
};

/// A duration as a text, "1h30m"; `x_ms` beside it is the number of milliseconds.
template <>
struct Value<std::chrono::milliseconds> {
    static std::string type() { return "str"; }
    static py::object give(std::chrono::milliseconds value) { return py::str(format_duration(value.count())); }
    static void take(const std::string& field, py::handle given, std::chrono::milliseconds& value) {
        value = duration_argument(field, given);
    }
};

/// A time as a datetime in UTC; `x_ms` beside it is in Unix milliseconds.
template <>
struct Value<Time> {
    static std::string type() { return "datetime"; }
    static py::object give(Time value) {
        return from_python("serinus._inputs", "moment")(value.time_since_epoch().count());
    }
    static void take(const std::string& field, py::handle given, Time& value) {
        const auto ms = from_python("serinus._inputs", "milliseconds")(field, given);
        value = Time(std::chrono::milliseconds(py::cast<std::int64_t>(ms)));
    }
};

template <class T>
struct Value<std::optional<T>> {
    static std::string type() { return Value<T>::type() + " | None"; }
    static py::object give(const std::optional<T>& value) { return value ? Value<T>::give(*value) : py::none(); }
    static void take(const std::string& field, py::handle given, std::optional<T>& value) {
        value.reset();
        if (!given.is_none()) Value<T>::take(field, given, value.emplace());
    }
};

/// Elements that have a name are found by it too, where `found_by_name` says so.
template <class T>
inline constexpr bool found_by_name = false;

template <class T>
struct Value<std::vector<T>> {
    static std::string type() { return (found_by_name<T> ? "ByName[" : "list[") + Value<T>::type() + "]"; }
    static py::object give(const std::vector<T>& value) {
        py::list all;
        for (const T& one : value) all.append(Value<T>::give(one));
        if constexpr (found_by_name<T>) return from_python("serinus._results", "ByName")(all);
        return all;
    }
    static void take(const std::string& field, py::handle given, std::vector<T>& value) {
        value.clear();
        if (!py::isinstance<py::iterable>(given)) {
            raise(Code::argument_type, field + " is " + shown(given) + "; allowed: a list");
        }
        for (const py::handle one : given) {
            T next{};
            Value<T>::take(field + "[" + std::to_string(value.size()) + "]", one, next);
            value.push_back(std::move(next));
        }
    }
};

template <class T>
struct Value<std::map<std::string, T>> {
    static std::string type() { return "dict[str, " + Value<T>::type() + "]"; }
    static py::object give(const std::map<std::string, T>& value) {
        py::dict out;
        for (const auto& [key, one] : value) out[py::str(key)] = Value<T>::give(one);
        return out;
    }
    static void take(const std::string& field, py::handle given, std::map<std::string, T>& value) {
        value.clear();
        for (const auto& [key, one] : dict_argument(field, given)) {
            const std::string known(text_argument(field, key));
            Value<T>::take(field + "." + known, one, value[known]);
        }
    }
};

/// One of each arm: {"baseline": 1, "canary": 2}.
template <class T>
struct Value<std::array<T, 2>> {
    static std::string type() { return "dict[str, " + Value<T>::type() + "]"; }
    static py::object give(const std::array<T, 2>& value) {
        py::dict out;
        for (const auto& [arm, text] : Words<Arm>::table) {
            out[py::str(std::string(text))] = Value<T>::give(value[static_cast<std::size_t>(arm)]);
        }
        return out;
    }
    static void take(const std::string& field, py::handle given, std::array<T, 2>& value) {
        for (const auto& [key, one] : dict_argument(field, given)) {
            const auto arm = word_argument<Arm>(field, key);
            Value<T>::take(field + "." + std::string(word(arm)), one, value[static_cast<std::size_t>(arm)]);
        }
    }
};

/// What has a name and a value: a dict.
template <class Named>
    requires std::same_as<Named, NamedNumber> || std::same_as<Named, NamedText>
struct Value<std::vector<Named>> {
    using Of = decltype(Named::value);
    static std::string type() { return "dict[str, " + Value<Of>::type() + "]"; }
    static py::object give(const std::vector<Named>& value) {
        py::dict out;
        for (const Named& one : value) out[py::str(one.name)] = Value<Of>::give(one.value);
        return out;
    }
    static void take(const std::string& field, py::handle given, std::vector<Named>& value) {
        value.clear();
        for (const auto& [key, one] : dict_argument(field, given)) {
            Named next{.name = std::string(text_argument(field, key)), .value = {}};
            Value<Of>::take(field + "." + next.name, one, next.value);
            value.push_back(std::move(next));
        }
    }
};

// ---- structs

/// Where people meet a struct in Python: in the module of its namespace.
template <class T>
consteval std::string_view home_of() {
    const std::string_view text = __PRETTY_FUNCTION__;
    if (text.find("::slo::") != std::string_view::npos) return "serinus.slo";
    return text.find("::sequential::") != std::string_view::npos ? "serinus.sequential" : "serinus";
}

/// Described structs that Python keeps as they are, behind a class of pybind11.
template <class T>
inline constexpr bool kept_whole = false;
template <>
inline constexpr bool kept_whole<Plan> = true;
/// Structs that are values in Python: frozen dataclasses of their fields (serinus._results.Struct). Their classes are
/// called as in C++, and are looked up where people meet them, since Python may add to what is made here.
template <class T>
concept PlainStruct = Described<T> && std::is_aggregate_v<T> && !kept_whole<T>;

/// What Python has otherwise than C++ in the fields of a struct; nothing, unless the part that has it says so.
template <class T>
struct Amended {
    static void give(const T&, py::dict&) {}
    static void take(py::dict&) {}
    static void types(py::dict&) {}
};

/// Calls `use(name, member)` for each member, in the order of the description. What is a keyword of Python has a "_"
/// behind it.
template <class T, class Use>
void each_field(T&& value, Use use) {
    const auto visit = [&](std::string_view name, auto& member) { use(name == "for" ? "for_" : name, member); };
    std::remove_cvref_t<T>::describe(visit, value);
}

/// The names of the fields, as Python keeps names.
template <Described T>
const std::vector<py::str>& names_of() {
    PYBIND11_CONSTINIT static py::gil_safe_call_once_and_store<std::vector<py::str>> storage;
    return storage
        .call_once_and_store_result([] {
            std::vector<py::str> names;
            each_field(T{}, [&](std::string_view name, const auto&) { names.push_back(interned(name)); });
            return names;
        })
        .get_stored();
}

/// All fields as Python's values.
template <Described T>
py::dict fields_of(const T& value) {
    py::dict out;
    auto name = names_of<T>().begin();
    each_field(value, [&]<class Member>(std::string_view, const Member& member) {
        put(out, *name++, Value<Member>::give(member));
    });
    return out;
}

/// A struct whose fields are those of a dict, which has them all and no other. What errors say is wrong begins with
/// `path`.
template <Described T>
T from_fields(const py::dict& given, const std::string& path = {}) {
    T value{};
    const std::vector<py::str>& names = names_of<T>();
    refuse_others(name_of<T>(), given, names);
    auto name = names.begin();
    each_field(value, [&]<class Member>(std::string_view field, Member& member) {
        Value<Member>::take(path + std::string(field), PyDict_GetItemWithError(given.ptr(), (name++)->ptr()), member);
    });
    return value;
}

template <PlainStruct T>
py::handle class_of() {
    PYBIND11_CONSTINIT static py::gil_safe_call_once_and_store<py::object> storage;
    return storage
        .call_once_and_store_result(
            [] { return from_python(std::string(home_of<T>()).c_str(), std::string(name_of<T>()).c_str()); })
        .get_stored();
}

/// "serinus.slo.Condition", for the signatures that pybind11 writes.
template <PlainStruct T>
constexpr auto place_of() {
    constexpr std::string_view home = home_of<T>(), own = name_of<T>();
    char text[home.size() + 1 + own.size() + 1]{};
    std::copy(home.begin(), home.end(), text);
    text[home.size()] = '.';
    std::copy(own.begin(), own.end(), text + home.size() + 1);
    return py::detail::descr<home.size() + 1 + own.size()>(text);
}

/// A duration or a time, or one an arm: Python has the number of milliseconds too, as `x_ms`.
template <class T>
inline constexpr bool is_timed = false;
template <>
inline constexpr bool is_timed<std::chrono::milliseconds> = true;
template <>
inline constexpr bool is_timed<Time> = true;
template <class T>
inline constexpr bool is_timed<std::optional<T>> = is_timed<T>;
template <class T>
inline constexpr bool is_timed<std::array<T, 2>> = is_timed<T>;

template <PlainStruct T>
struct Value<T> {
    static std::string type() { return std::string(home_of<T>()) + "." + std::string(name_of<T>()); }
    static py::object give(const T& value) {
        py::dict fields = fields_of(value);
        Amended<T>::give(value, fields);
        return made(class_of<T>(), fields);
    }
    static void take(const std::string& field, py::handle given, T& value) {
        if (!py::isinstance(given, class_of<T>())) {
            raise(Code::argument_type, field + " is " + shown(given) + "; allowed: a " + std::string(name_of<T>()));
        }
        py::dict fields;
        for (const py::str& name : names_of<T>()) put(fields, name, given.attr(name));
        Amended<T>::take(fields);
        value = from_fields<T>(fields, field.empty() ? field : field + ".");
    }
};

/// What type checkers are told of a struct: its fields in order, those in milliseconds behind them.
template <Described T>
py::dict types_of() {
    py::dict fields, times;
    each_field(T{}, [&]<class Member>(std::string_view name, const Member&) {
        const std::string field(name);
        fields[py::str(field)] = Value<Member>::type();
        if constexpr (is_timed<Member>) times[py::str(field + "_ms")] = in_milliseconds(Value<Member>::type());
    });
    Amended<T>::types(fields);
    for (const auto& [name, type] : times) fields[name] = type;
    return fields;
}

/// Makes the classes of these structs in `_core`, for serinus to build on.
template <PlainStruct... Structs>
void define_structs(py::module_& module) {
    const auto define = [&]<class T>(const T& any) {
        std::vector<py::str> times;
        each_field(any, [&]<class Member>(std::string_view name, const Member&) {
            if (is_timed<Member> && !name.ends_with("_seconds")) times.push_back(interned(name));
        });
        define_struct(module, name_of<T>(), names_of<T>(), times, &types_of<T>);
    };
    (define(Structs{}), ...);
}

// ---- tests

/// `state` and `restore`.
template <class Test, class Class>
void bind_state(Class& type) {
    type.def(
            "state", [](const Test& test) { return to_bytes(encode(test.state())); },
            "All that it remembers, as bytes; for a process that may be stopped at any time.")
        .def(
            "restore",
            [](Test& test, py::handle state) { test.restore(decode<decltype(test.state())>(state_argument(state))); },
            py::arg("state"),
            R"(Takes over the bytes that `state` gave.

Raises `serinus.Error` with code "serinus.state.*" for anything else, and for a state that was taken under other
options or with other noise; nothing changes then.)");
}

/// `_options`: the keywords of its constructor.
template <class Test, class Class>
void bind_options(Class& type) {
    type.def_property_readonly("_options", [](const Test& test) { return fields_of(test.options()); });
}

/// What every test of many looks has beside its updates, where it has it: evidence, merging, state.
template <class Test, class Class>
void bind_evidence(Class& type) {
    if constexpr (requires(const Test& test) { test.evidence(); }) {
        type.def_property_readonly("log_e_value", &Test::log_e_value,
                                   "Natural log of the e-value; decided once it reached log(1/alpha), with "
                                   "side=\"safe\" log(1/alpha_safe) where the test has that option.")
            .def_property_readonly("decided", &Test::decided,
                                   "True once the e-value has reached 1/alpha, with side=\"safe\" 1/alpha_safe "
                                   "where the test has that option.")
            .def("evidence", &Test::evidence, "All that is known now; see `serinus.Evidence`.");
    }
    if constexpr (requires(Test& test) { test.merge(test); }) {
        type.def(
            "merge",
            [](Test& test, py::handle other) {
                if (!py::isinstance<Test>(other)) {
                    raise(Code::argument_type, "other is " + shown(other) + "; allowed: a " +
                                                   py::cast<std::string>(py::type::of<Test>().attr("__name__")));
                }
                test.merge(py::cast<const Test&>(other));
            },
            py::arg("other"),
            R"(Takes over what another test of the same options has seen of other, independent data.

The largest e-value that the other test has seen is not taken over, since two tests look twice. Whether to merge must be
decided without looking at the other's data. Raises `serinus.Error` with code "serinus.state.options", and changes
nothing, where options differ.)");
    }
    bind_state<Test>(type);
}

/// A test whose constructor takes its options, each by its keyword, and nothing else.
template <class Test>
py::class_<Test> bind_test(py::module_& module, const char* name) {
    using Options = std::decay_t<decltype(std::declval<const Test&>().options())>;
    py::class_<Test> type(module, name);
    if constexpr (std::is_constructible_v<Test, Options>) {
        type.def(py::init([](const py::kwargs& given) { return Test(from_fields<Options>(given)); }));
    }
    bind_options<Test>(type);
    bind_evidence<Test>(type);
    return type;
}

}  // namespace serinus::python

/// Functions take and return these structs as any other value.
template <serinus::python::PlainStruct T>
class pybind11::detail::type_caster<T> {
  public:
    PYBIND11_TYPE_CASTER(T, serinus::python::place_of<T>());

    bool load(handle given, bool) {
        if (!isinstance(given, serinus::python::class_of<T>())) return false;
        serinus::python::Value<T>::take({}, given, value);
        return true;
    }
    static handle cast(const T& given, return_value_policy, handle) {
        return serinus::python::Value<T>::give(given).release();
    }
};
