/// \file
/// How arguments are read, and what is said of those that cannot be.

#include "arguments.hpp"

#include <serinus/core/code_named.hpp>

namespace serinus::python {

py::object from_python(const char* module, const char* name) { return py::module_::import(module).attr(name); }

std::string shown(py::handle value) {
    if (py::isinstance<py::str>(value)) return in_quotes(py::cast<std::string>(value));
    const auto text = py::cast<std::string>(py::repr(value));
    return text.size() <= 60 ? text : std::string("a ") + Py_TYPE(value.ptr())->tp_name;
}

std::string_view text_argument(std::string_view field, py::handle value) {
    Py_ssize_t size = 0;
    const char* text = PyUnicode_Check(value.ptr()) ? PyUnicode_AsUTF8AndSize(value.ptr(), &size) : nullptr;
    if (text == nullptr) {
        PyErr_Clear();
        raise(Code::argument_type, std::string(field) + " is " + shown(value) + "; allowed: a text");
    }
    return {text, static_cast<std::size_t>(size)};
}

double number_argument(std::string_view field, py::handle value) {
    const double number = PyFloat_AsDouble(value.ptr());
    if (number != -1.0 || PyErr_Occurred() == nullptr) return number;
    PyErr_Clear();
    raise(Code::argument_type, std::string(field) + " is " + shown(value) + "; allowed: a number");
}

std::optional<double> optional_number_argument(std::string_view field, py::handle value) {
    if (value.is_none()) return std::nullopt;
    return number_argument(field, value);
}

bool truth_argument(py::handle value) {
    const int truth = PyObject_IsTrue(value.ptr());
    if (truth < 0) throw py::error_already_set();
    return truth == 1;
}

std::int64_t count_argument(const char* name, py::handle value) {
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

std::uint64_t whole_argument(std::string_view field, py::handle value) {
    const auto index = py::reinterpret_steal<py::object>(PyNumber_Index(value.ptr()));
    if (index) {
        const auto number = static_cast<std::uint64_t>(PyLong_AsUnsignedLongLong(index.ptr()));
        if (PyErr_Occurred() == nullptr) return number;
    }
    PyErr_Clear();
    raise(index ? Code::argument_count : Code::argument_type,
          std::string(field) + " is " + shown(value) + "; allowed: a whole number from 0 to 2^64 - 1");
}

py::dict dict_argument(std::string_view field, py::handle value) {
    if (!py::isinstance<py::dict>(value)) {
        raise(Code::argument_type, std::string(field) + " is " + shown(value) + "; allowed: a dict");
    }
    return py::reinterpret_borrow<py::dict>(value);
}

Margin margin_argument(py::handle given, const char* field) {
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

std::chrono::milliseconds duration_argument(const std::string& field, py::handle value) {
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

py::dict margin_dict(const Margin& margin) {
    py::dict out;
    if (margin.ratio) out["ratio"] = *margin.ratio;
    if (margin.difference) out["difference"] = *margin.difference;
    if (margin.floor) out["floor"] = *margin.floor;
    return out;
}

std::span<const std::byte> state_argument(py::handle state) {
    if (!PyBytes_Check(state.ptr()))
        raise(Code::argument_type, "state is " + shown(state) + "; allowed: the bytes that state() gave");
    return from_bytes(py::reinterpret_borrow<py::bytes>(state));
}

Code code_argument(std::string_view field, py::handle value) {
    const std::string_view text = text_argument(field, value);
    if (const auto known = code_named(text)) return *known;
    raise(Code::argument_word, std::string(field) + " is " + in_quotes(text) + "; allowed: the name of a code");
}

void refuse_word(std::string_view field, py::handle value, const std::string& allowed) {
    const bool text = PyUnicode_Check(value.ptr());
    raise(text ? Code::argument_word : Code::argument_type,
          std::string(field) + " is " + (text ? in_quotes(text_argument(field, value)) : shown(value)) +
              "; allowed: " + allowed);
}

std::vector<py::object> members_of_words(std::string_view name, const std::vector<std::string_view>& words) {
    const py::module_ module = py::module_::import("serinus._words");
    const py::object type = py::getattr(module, py::str(name.data(), name.size()), py::type::of(py::str()));
    std::vector<py::object> all;
    for (const std::string_view text : words) all.push_back(type(py::str(text.data(), text.size())));
    return all;
}

}  // namespace serinus::python
