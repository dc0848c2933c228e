#pragma once
/// \file
/// What the parts of the Python module share: each part registers its functions, and words, margins and errors look the
/// same in all of them.

#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <serinus/core/counts.hpp>
#include <serinus/core/evidence.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/core/words.hpp>
#include <serinus/series/duration.hpp>

namespace py = pybind11;

namespace serinus::python {

void register_fixed(py::module_& module);
void register_sequential_boundaries(py::module_& module);
void register_sequential_values(py::module_& module);
void register_sequential_counts(py::module_& module);
void register_slo_burn(py::module_& module);
void register_slo_release(py::module_& module);
void register_slo_report(py::module_& module);
void register_io(py::module_& module);
void register_rollout(py::module_& module);
void register_command(py::module_& module);

/// Something that is written in Python: `from_python("serinus._words", "Verdict")`.
inline py::object from_python(const char* module, const char* name) { return py::module_::import(module).attr(name); }

/// What a value looks like, cut to a length that fits an error message.
inline std::string shown(py::handle value) {
    if (py::isinstance<py::str>(value)) return in_quotes(py::cast<std::string>(value));
    const auto text = py::cast<std::string>(py::repr(value));
    return text.size() <= 60 ? text : std::string("a ") + Py_TYPE(value.ptr())->tp_name;
}

/// The text of a Python str, borrowed from it; raises `serinus.argument.type` for anything else.
inline std::string_view text_argument(std::string_view field, py::handle value) {
    Py_ssize_t size = 0;
    const char* text = PyUnicode_Check(value.ptr()) ? PyUnicode_AsUTF8AndSize(value.ptr(), &size) : nullptr;
    if (text == nullptr) {
        PyErr_Clear();
        raise(Code::argument_type, std::string(field) + " is " + shown(value) + "; allowed: a text");
    }
    return {text, static_cast<std::size_t>(size)};
}

/// The number of anything that Python takes for a float; raises `serinus.argument.type` for anything else.
inline double number_argument(std::string_view field, py::handle value) {
    const double number = PyFloat_AsDouble(value.ptr());
    if (number != -1.0 || PyErr_Occurred() == nullptr) return number;
    PyErr_Clear();
    raise(Code::argument_type, std::string(field) + " is " + shown(value) + "; allowed: a number");
}
/// The same where None stands for a default.
inline std::optional<double> optional_number_argument(std::string_view field, py::handle value) {
    if (value.is_none()) return std::nullopt;
    return number_argument(field, value);
}
/// What Python takes for true.
inline bool truth_argument(py::handle value) {
    const int truth = PyObject_IsTrue(value.ptr());
    if (truth < 0) throw py::error_already_set();
    return truth == 1;
}

/// A count is a whole number: an int, or a float that is one (sums of counts often come as floats). Raises
/// `serinus.argument.type` for what is no number, `serinus.argument.count` for a number that is no count.
inline std::int64_t count_argument(const char* name, py::handle value) {
    const auto refuse = [&](Code code) {
        raise(code, std::string(name) + " is " + shown(value) + "; allowed: a whole number from 0 to 2^53");
    };
    if (PyLong_CheckExact(value.ptr())) {
        int overflow = 0;
        const long long number = PyLong_AsLongLongAndOverflow(value.ptr(), &overflow);
        if (overflow != 0) refuse(Code::argument_count);
        return number;
    }
    if (PyBool_Check(value.ptr()) || PyUnicode_Check(value.ptr())) refuse(Code::argument_type);
    const double number = PyFloat_AsDouble(value.ptr());
    if (number == -1.0 && PyErr_Occurred() != nullptr) {
        const bool too_large = PyErr_ExceptionMatches(PyExc_OverflowError) != 0;
        PyErr_Clear();
        refuse(too_large ? Code::argument_count : Code::argument_type);
    }
    if (!(std::abs(number) <= as_double(most_count)) || number != std::floor(number)) refuse(Code::argument_count);
    return static_cast<std::int64_t>(number);
}

/// A whole number without a sign.
inline std::uint64_t whole_argument(std::string_view field, py::handle value) {
    const auto index = py::reinterpret_steal<py::object>(PyNumber_Index(value.ptr()));
    if (index) {
        const auto number = static_cast<std::uint64_t>(PyLong_AsUnsignedLongLong(index.ptr()));
        if (PyErr_Occurred() == nullptr) return number;
    }
    PyErr_Clear();
    raise(index ? Code::argument_count : Code::argument_type,
          std::string(field) + " is " + shown(value) + "; allowed: a whole number from 0 to 2^64 - 1");
}

/// A dict, for one value a key.
inline py::dict dict_argument(std::string_view field, py::handle value) {
    if (!py::isinstance<py::dict>(value)) {
        raise(Code::argument_type, std::string(field) + " is " + shown(value) + "; allowed: a dict");
    }
    return py::reinterpret_borrow<py::dict>(value);
}

/// The code that a Python str names.
Code code_argument(std::string_view field, py::handle value);

/// The enum value that a Python str names.
template <class Enum>
Enum word_argument(std::string_view field, py::handle value) {
    if (!PyUnicode_Check(value.ptr())) {
        raise(Code::argument_type, std::string(field) + " is " + shown(value) + "; allowed: " + allowed_words<Enum>());
    }
    const std::string_view text = text_argument(field, value);
    if (const auto known = parse_word<Enum>(text)) return *known;
    raise(Code::argument_word, std::string(field) + " is " + in_quotes(text) + "; allowed: " + allowed_words<Enum>());
}

/// What a type of ours is called in C++, without its namespaces: Python calls it the same.
template <class T>
consteval std::string_view name_of() {
    std::string_view text = __PRETTY_FUNCTION__;  // "... [with T = serinus::v0::slo::Condition; ...]"
    text.remove_prefix(text.find("T = ") + 4);
    text = text.substr(0, text.find_first_of(";]"));
    return text.substr(text.rfind(':') + 1);
}

/// How each value of an enum looks in Python, in the order of its words: a member of its class in serinus._words, or, of
/// an enum that has none there, its text.
template <class Enum>
const std::vector<py::object>& members_of() {
    PYBIND11_CONSTINIT static py::gil_safe_call_once_and_store<std::vector<py::object>> storage;
    return storage
        .call_once_and_store_result([] {
            constexpr std::string_view name = name_of<Enum>();
            const py::module_ words = py::module_::import("serinus._words");
            const py::object type = py::getattr(words, py::str(name.data(), name.size()), py::type::of(py::str()));
            std::vector<py::object> all;
            for (const auto& [key, text] : Words<Enum>::table) all.push_back(type(py::str(text.data(), text.size())));
            return all;
        })
        .get_stored();
}
template <class Enum>
py::object member(Enum value) {
    const auto& members = members_of<Enum>();
    for (std::size_t i = 0; i < members.size(); ++i) {
        if (Words<Enum>::table[i].first == value) return members[i];
    }
    raise(Code::argument_range, std::string(name_of<Enum>()) + " has no such value");
}

inline Margin margin_argument(py::handle given, const char* field = "margin") {
    const auto refuse = [&] {
        raise(Code::argument_margin,
              std::string(field) + " is " + shown(given) +
                  R"(; allowed: {"ratio": number}, {"difference": number} or {"ratio": number, "floor": number})");
    };
    if (!py::isinstance<py::dict>(given)) refuse();
    Margin margin;
    for (const auto& [key, value] : py::reinterpret_borrow<py::dict>(given)) {
        const double number = PyBool_Check(value.ptr()) ? -1.0 : PyFloat_AsDouble(value.ptr());
        if (PyErr_Occurred() != nullptr || PyBool_Check(value.ptr()) || !py::isinstance<py::str>(key)) {
            PyErr_Clear();
            refuse();
        }
        const std::string_view name = text_argument(field, key);
        if (name == "ratio") {
            margin.ratio = number;
        } else if (name == "difference") {
            margin.difference = number;
        } else if (name == "floor") {
            margin.floor = number;
        } else {
            refuse();
        }
    }
    return margin;
}

/// A text ("1h30m"), a timedelta, or a number of seconds.
inline std::chrono::milliseconds duration_argument(const std::string& field, py::handle value) {
    if (PyUnicode_Check(value.ptr())) return parse_duration(text_argument(field, value), field);
    const auto refuse = [&] {
        raise(Code::data_duration,
              field + " is " + shown(value) + "; allowed: a text such as \"1h30m\", a timedelta, or seconds");
    };
    double seconds = 0;
    if (py::hasattr(value, "total_seconds")) {
        seconds = py::cast<double>(value.attr("total_seconds")());
    } else {
        seconds = PyBool_Check(value.ptr()) ? std::nan("") : PyFloat_AsDouble(value.ptr());
        if (PyErr_Occurred() != nullptr) {
            PyErr_Clear();
            refuse();
        }
    }
    if (!(std::fabs(seconds) <= static_cast<double>(longest_ms) / 1000)) refuse();
    return std::chrono::milliseconds(std::llround(seconds * 1000));
}

/// A margin as Python writes it: {"ratio": 1.1}, {"difference": 0.002} or {"ratio": 1.5, "floor": 0.001}; {} when it is
/// empty.
inline py::dict margin_dict(const Margin& margin) {
    py::dict out;
    if (margin.ratio) out["ratio"] = *margin.ratio;
    if (margin.difference) out["difference"] = *margin.difference;
    if (margin.floor) out["floor"] = *margin.floor;
    return out;
}

/// `bytes` of a state, and the state of `bytes`.
inline py::bytes to_bytes(std::span<const std::byte> state) {
    return {reinterpret_cast<const char*>(state.data()), state.size()};
}
inline std::span<const std::byte> from_bytes(const py::bytes& state) {
    const auto text = static_cast<std::string_view>(state);
    return std::as_bytes(std::span(text.data(), text.size()));
}
/// The same for whatever `restore` was given; raises `serinus.argument.type` for anything but bytes.
inline std::span<const std::byte> state_argument(py::handle state) {
    if (!PyBytes_Check(state.ptr()))
        raise(Code::argument_type, "state is " + shown(state) + "; allowed: the bytes that state() gave");
    return from_bytes(py::reinterpret_borrow<py::bytes>(state));
}

}  // namespace serinus::python
