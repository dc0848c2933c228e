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

class Module;
void register_fixed(Module& module);
void register_sequential_boundaries(Module& module);
void register_sequential_values(Module& module);
void register_sequential_counts(Module& module);
void register_slo_burn(Module& module);
void register_slo_release(Module& module);
void register_slo_report(Module& module);
void register_io(Module& module);
void register_rollout(Module& module);
void register_command(Module& module);

/// Something that is written in Python: `from_python("serinus._words", "Verdict")`.
py::object from_python(const char* module, const char* name);

/// What a value looks like, cut to a length that fits an error message.
std::string shown(py::handle value);

/// The text of a Python str, borrowed from it; raises `serinus.argument.type` for anything else.
std::string_view text_argument(std::string_view field, py::handle value);

/// The number of anything that Python takes for a float; raises `serinus.argument.type` for anything else.
double number_argument(std::string_view field, py::handle value);
/// The same where None stands for a default.
std::optional<double> optional_number_argument(std::string_view field, py::handle value);
/// What Python takes for true.
bool truth_argument(py::handle value);

/// A count is a whole number: an int, or a float that is one (sums of counts often come as floats). Raises
/// `serinus.argument.type` for what is no number, `serinus.argument.count` for a number that is no count.
std::int64_t count_argument(const char* name, py::handle value);

/// A whole number without a sign.
std::uint64_t whole_argument(std::string_view field, py::handle value);

/// A dict, for one value a key.
py::dict dict_argument(std::string_view field, py::handle value);

/// The code that a Python str names.
Code code_argument(std::string_view field, py::handle value);

/// Raises `serinus.argument.word` for a text, `serinus.argument.type` for anything else.
[[noreturn]] void refuse_word(std::string_view field, py::handle value, const std::string& allowed);

/// The enum value that a Python str names.
template <class Enum>
Enum word_argument(std::string_view field, py::handle value) {
    if (PyUnicode_Check(value.ptr())) {
        if (const auto known = parse_word<Enum>(text_argument(field, value))) return *known;
    }
    refuse_word(field, value, allowed_words<Enum>());
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
std::vector<py::object> members_of_words(std::string_view name, const std::vector<std::string_view>& words);
template <class Enum>
const std::vector<py::object>& members_of() {
    static const std::vector<py::object>* known = nullptr;  // made once, and kept; the GIL is held
    if (known == nullptr) {
        std::vector<std::string_view> words;
        for (const auto& entry : Words<Enum>::table) words.push_back(entry.second);
        known = new std::vector<py::object>(members_of_words(name_of<Enum>(), words));
    }
    return *known;
}
template <class Enum>
py::object member(Enum value) {
    const auto& members = members_of<Enum>();
    for (std::size_t i = 0; i < members.size(); ++i) {
        if (Words<Enum>::table[i].first == value) return members[i];
    }
    raise(Code::argument_range, std::string(name_of<Enum>()) + " has no such value");
}

Margin margin_argument(py::handle given, const char* field = "margin");

/// A text ("1h30m"), a timedelta, or a number of seconds.
std::chrono::milliseconds duration_argument(const std::string& field, py::handle value);

/// A margin as Python writes it: {"ratio": 1.1}, {"difference": 0.002} or {"ratio": 1.5, "floor": 0.001}; {} when it is
/// empty.
py::dict margin_dict(const Margin& margin);

/// `bytes` of a state, and the state of `bytes`.
inline py::bytes to_bytes(std::span<const std::byte> state) {
    return {reinterpret_cast<const char*>(state.data()), state.size()};
}
inline std::span<const std::byte> from_bytes(const py::bytes& state) {
    const auto text = static_cast<std::string_view>(state);
    return std::as_bytes(std::span(text.data(), text.size()));
}
/// The same for whatever `restore` was given; raises `serinus.argument.type` for anything but bytes.
std::span<const std::byte> state_argument(py::handle state);

}  // namespace serinus::python
