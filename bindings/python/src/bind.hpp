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
#include <typeinfo>
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
#include "functions.hpp"

namespace serinus {
inline namespace v0 {
struct Plan;
}  // namespace v0
}  // namespace serinus

namespace serinus::python {

// ---- values

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

/// The Value of a type, for code that does not know the type.
struct Face {
    std::string (*type)();
    py::object (*give)(const void* value);
    void (*take)(const std::string& field, py::handle given, void* value);
    bool timed;
};
template <class T>
std::string type_of() {
    if constexpr (requires { Value<T>::type(); }) return Value<T>::type();
    return {};
}
template <class T>
inline constexpr Face face_of{
    &type_of<T>, [](const void* value) -> py::object { return Value<T>::give(*static_cast<const T*>(value)); },
    [](const std::string& field, py::handle given, void* value) {
        Value<T>::take(field, given, *static_cast<T*>(value));
    },
    is_timed<T>};

/// The description of a struct, as a table: what Python does with structs is done over it, by the same code for all.
struct Description {
    struct Field {
        py::str name;
        std::ptrdiff_t place;  // in bytes, from the beginning of the struct
        const Face* face;
    };
    std::string_view name, home;
    void (*amend)(const void* value, py::dict& fields);  // these three as in Amended
    void (*amend_taken)(py::dict& fields);
    void (*amend_types)(py::dict& types);
    std::vector<Field> fields = {};
    mutable py::object type = {};  // its class, once somebody asked for it

    void add(std::string_view field, std::ptrdiff_t place, const Face& face);
};

template <Described T>
const Description& description_of() {
    static const Description* known = nullptr;  // made once, and kept; the GIL is held
    if (known == nullptr) {
        auto* made = new Description{
            name_of<T>(), home_of<T>(),
            [](const void* value, py::dict& fields) { Amended<T>::give(*static_cast<const T*>(value), fields); },
            &Amended<T>::take, &Amended<T>::types};
        const T any{};
        const auto add = [&]<class Member>(std::string_view name, const Member& member) {
            made->add(name, reinterpret_cast<const char*>(&member) - reinterpret_cast<const char*>(&any),
                      face_of<Member>);
        };
        T::describe(add, any);
        known = made;
    }
    return *known;
}

/// "serinus.slo.Condition".
std::string place_of(std::string_view home, std::string_view name);
py::dict give_fields(const Description& of, const void* value);
void take_fields(const Description& of, const py::dict& given, const std::string& path, void* value);
py::object give_struct(const Description& of, const void* value);
void take_struct(const Description& of, const std::string& field, py::handle given, void* value);
bool is_struct(const Description& of, py::handle given);
void define_struct(Module& module, const Description& of);

/// All fields as Python's values.
template <Described T>
py::dict fields_of(const T& value) {
    return give_fields(description_of<T>(), &value);
}

/// A struct whose fields are those of a dict, which has them all and no other. What errors say is wrong begins with
/// `path`.
template <Described T>
T from_fields(const py::dict& given, const std::string& path = {}) {
    T value{};
    take_fields(description_of<T>(), given, path, &value);
    return value;
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

template <PlainStruct T>
struct Value<T> {
    static std::string type() { return place_of(home_of<T>(), name_of<T>()); }
    static py::object give(const T& value) { return give_struct(description_of<T>(), &value); }
    static void take(const std::string& field, py::handle given, T& value) {
        take_struct(description_of<T>(), field, given, &value);
    }
};

/// Makes the classes of these structs in `_core`, for serinus to build on.
template <PlainStruct... Structs>
void define_structs(Module& module) {
    (define_struct(module, description_of<Structs>()), ...);
}

// ---- tests

/// Another test of that type; raises `serinus.argument.type` for anything else.
const void* other_test(py::handle given, const std::type_info& type);

/// `state` and `restore`.
template <class Test>
void bind_state(Class<Test>& type) {
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
template <class Test>
void bind_options(Class<Test>& type) {
    type.def_property_readonly("_options", [](const Test& test) { return fields_of(test.options()); });
}

/// What every test of many looks has beside its updates, where it has it: evidence, merging, state.
template <class Test>
void bind_evidence(Class<Test>& type) {
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
                test.merge(*static_cast<const Test*>(other_test(other, typeid(Test))));
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
Class<Test> bind_test(Module& module, const char* name) {
    using Options = std::decay_t<decltype(std::declval<const Test&>().options())>;
    Class<Test> type(module, name);
    if constexpr (std::is_constructible_v<Test, Options>) {
        type.init([](const py::kwargs& given) { return Test(from_fields<Options>(given)); });
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
        if (!serinus::python::is_struct(serinus::python::description_of<T>(), given)) return false;
        serinus::python::Value<T>::take({}, given, value);
        return true;
    }
    static handle cast(const T& given, return_value_policy, handle) {
        return serinus::python::Value<T>::give(given).release();
    }
};
