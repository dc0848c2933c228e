/// \file
/// Samples for Python: a Batch from a text, or from the columns of a table in long form.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <pybind11/stl.h>

#include <serinus/io/csv.hpp>
#include <serinus/io/data.hpp>
#include <serinus/rollout/batch.hpp>
#include <serinus/rollout/plan.hpp>
#include <serinus/series/time.hpp>

#include "arguments.hpp"

namespace serinus::python {
namespace {

template <class T>
using Column = py::array_t<T, py::array::c_style>;

template <class T>
std::span<const T> view(const Column<T>& column) {
    return {column.data(), static_cast<std::size_t>(column.size())};
}

template <class T>
Column<T> to_column(std::vector<T> values) {
    auto owner = std::make_unique<std::vector<T>>(std::move(values));
    const auto size = static_cast<py::ssize_t>(owner->size());
    const T* data = owner->data();
    const py::capsule keeper(owner.release(), [](void* p) { delete static_cast<std::vector<T>*>(p); });
    return Column<T>(size, data, keeper);
}

/// A code for each element and the different elements in order of first appearance. None and NaN are one element, None.
py::tuple factorize(py::handle sequence) {
    const auto fast = py::reinterpret_steal<py::object>(PySequence_Fast(sequence.ptr(), "a column must be a sequence"));
    if (!fast) throw py::error_already_set();
    const Py_ssize_t size = PySequence_Fast_GET_SIZE(fast.ptr());
    PyObject** items = PySequence_Fast_ITEMS(fast.ptr());
    std::vector<std::int32_t> codes(static_cast<std::size_t>(size));
    py::dict known;
    py::list different;
    PyObject* last = nullptr;  // neighbours are often the same object
    std::int32_t last_code = 0;
    for (Py_ssize_t i = 0; i < size; ++i) {
        PyObject* item = items[i];
        if (item != last) {
            const bool missing = item == Py_None || (PyFloat_Check(item) && std::isnan(PyFloat_AS_DOUBLE(item)));
            PyObject* key = missing ? Py_None : item;
            if (PyObject* found = PyDict_GetItemWithError(known.ptr(), key)) {
                last_code = static_cast<std::int32_t>(PyLong_AsLong(found));
            } else {
                if (PyErr_Occurred() != nullptr) throw py::error_already_set();
                last_code = static_cast<std::int32_t>(different.size());
                known[py::handle(key)] = last_code;
                different.append(py::handle(key));
            }
            last = item;
        }
        codes[static_cast<std::size_t>(i)] = last_code;
    }
    return py::make_tuple(to_column(std::move(codes)), different);
}

/// Unix seconds or milliseconds, told apart by their size.
Column<std::int64_t> times_from_numbers(const Column<double>& numbers, const std::string& field) {
    std::vector<std::int64_t> times;
    times.reserve(static_cast<std::size_t>(numbers.size()));
    for (const double number : view(numbers)) {
        const auto time = try_time_from_number(number);
        times.push_back(to_ms(time ? *time : time_from_number(number, field)));
    }
    return to_column(std::move(times));
}

/// What a coded column says: a code a row, and what each code stands for.
template <class T>
struct Coded {
    std::optional<Column<std::int32_t>> codes;  // none: the first meaning throughout
    std::vector<T> meanings;

    std::size_t at(std::size_t row) const { return codes ? static_cast<std::size_t>(codes->data()[row]) : 0; }

    void check(const char* name, std::size_t rows) const {
        if (!codes) return;
        const auto all = view(*codes);
        if (all.size() != rows) {
            raise(Code::argument_length, "column " + std::string(name) + " has " + std::to_string(all.size()) +
                                             " values; allowed: " + std::to_string(rows) +
                                             ", as many as column timestamp");
        }
        for (const std::int32_t code : all) {
            if (code < 0 || static_cast<std::size_t>(code) >= meanings.size()) {
                raise(Code::data_value, "column " + std::string(name) + " has a code without meaning");
            }
        }
    }
};

struct Table {
    std::span<const std::int64_t> times;
    std::span<const double> values;
    Coded<std::string> series;
    Coded<Arm> arm;
    Coded<std::string> instance;
    Coded<double> le;
    Coded<int> stage;  // -1: nobody said
};

/// Which series of the batch each row belongs to. Touches no Python object but the columns' memory.
std::vector<std::uint32_t> group_rows(const Table& table, Batch& batch, std::vector<std::size_t>& sizes) {
    const std::size_t rows = table.times.size();
    const std::size_t arms = table.arm.meanings.size(), bounds = table.le.meanings.size(),
                      instances = table.instance.meanings.size();
    const double combinations = static_cast<double>(table.series.meanings.size()) * static_cast<double>(arms) *
                                static_cast<double>(bounds) * static_cast<double>(instances);
    constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();
    constexpr double most_dense = 4e6;
    std::vector<std::uint32_t> dense(combinations <= most_dense ? static_cast<std::size_t>(combinations) : 0, none);
    std::unordered_map<std::size_t, std::uint32_t> sparse;

    std::vector<std::uint32_t> group(rows);
    for (std::size_t row = 0; row < rows; ++row) {
        const std::size_t s = table.series.at(row), a = table.arm.at(row), l = table.le.at(row),
                          i = table.instance.at(row);
        const std::size_t key = ((s * arms + a) * bounds + l) * instances + i;
        std::uint32_t& place = dense.empty() ? sparse.try_emplace(key, none).first->second : dense[key];
        if (place == none) {
            place = static_cast<std::uint32_t>(batch.series.size());
            ArmSeries& fresh = batch.series.emplace_back();
            fresh.name = table.series.meanings[s];
            fresh.arm = table.arm.meanings[a];
            fresh.le = table.le.meanings[l];
            fresh.series.instance = table.instance.meanings[i];
            sizes.push_back(0);
        }
        ++sizes[place];
        group[row] = place;
    }
    return group;
}

/// The first time of each stage; stages must follow one another in time.
std::vector<StageStart> stage_starts(const Table& table) {
    struct Span {
        std::int64_t first, last;
    };
    std::map<int, Span> spans;
    for (std::size_t row = 0; row < table.times.size(); ++row) {
        const int stage = table.stage.meanings[table.stage.at(row)];
        if (stage < 0) continue;
        const std::int64_t time = table.times[row];
        const auto [place, fresh] = spans.try_emplace(stage, Span{time, time});
        if (!fresh) place->second = {std::min(place->second.first, time), std::max(place->second.last, time)};
    }
    std::vector<StageStart> starts;
    for (const auto& [stage, span] : spans) {
        if (!starts.empty() && spans.at(starts.back().stage).last >= span.first) {
            raise(Code::data_order, "column stage: stage " + std::to_string(starts.back().stage) +
                                        " is still there at " + format_time(spans.at(starts.back().stage).last) +
                                        ", but stage " + std::to_string(stage) + " began at " +
                                        format_time(span.first) + "; allowed: stages that follow one another in time");
        }
        starts.push_back({stage, span.first});
    }
    return starts;
}

Batch make_batch(const Table& table) {
    Batch batch;
    std::vector<std::size_t> sizes;
    const std::vector<std::uint32_t> group = group_rows(table, batch, sizes);
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        batch.series[i].series.times_ms.reserve(sizes[i]);
        batch.series[i].series.values.reserve(sizes[i]);
    }
    for (std::size_t row = 0; row < group.size(); ++row) {
        Series& samples = batch.series[group[row]].series;
        samples.times_ms.push_back(table.times[row]);
        samples.values.push_back(table.values[row]);
    }
    if (table.stage.codes) batch.stages = stage_starts(table);
    return batch;
}

using Codes = std::optional<Column<std::int32_t>>;

Batch batch_from_columns(const Column<std::int64_t>& times, const Column<double>& values, Codes series,
                         std::vector<std::string> series_names, Codes arms, const std::vector<std::string>& arm_names,
                         Codes instances, std::vector<std::string> instance_names, Codes les,
                         std::vector<double> bounds, Codes stages, std::vector<int> stage_numbers) {
    Table table{.times = view(times),
                .values = view(values),
                .series = {std::move(series), std::move(series_names)},
                .arm = {std::move(arms), {}},
                .instance = {std::move(instances), std::move(instance_names)},
                .le = {std::move(les), std::move(bounds)},
                .stage = {std::move(stages), std::move(stage_numbers)}};
    for (const std::string& name : arm_names) {
        const auto arm = parse_word<Arm>(name);
        if (!arm) {
            raise(Code::data_arm, "column arm has the value " + in_quotes(name) + "; allowed: " + allowed_words<Arm>());
        }
        table.arm.meanings.push_back(*arm);
    }
    const std::size_t rows = table.times.size();
    if (table.values.size() != rows) {
        raise(Code::argument_length, "column value has " + std::to_string(table.values.size()) +
                                         " values; allowed: " + std::to_string(rows) + ", as many as column timestamp");
    }
    table.series.check("series", rows);
    table.arm.check("arm", rows);
    table.instance.check("instance", rows);
    table.le.check("le", rows);
    table.stage.check("stage", rows);
    const py::gil_scoped_release release;
    return make_batch(table);
}

}  // namespace

void register_io(py::module_& module) {
    py::class_<Batch> type(module, "Batch", "Samples, read and sorted into series; what `judge` and `observe` take.");
    type.attr("__module__") = "serinus";
    type.def(py::init<>())
        .def(
            "to_csv", [](const Batch& batch) { return io::write_csv(batch); }, "The samples as CSV text in long form.")
        .def("__len__", [](const Batch& batch) { return batch.series.size(); })
        .def("__repr__", [](const Batch& batch) {
            std::size_t samples = 0;
            for (const ArmSeries& series : batch.series) samples += series.series.times_ms.size();
            return "Batch(" + std::to_string(batch.series.size()) + " series, " + std::to_string(samples) + " samples)";
        });
    module.def("factorize", &factorize);
    module.def("times_from_numbers", &times_from_numbers);
    module.def("batch_from_columns", &batch_from_columns);
    module.def("batch_from_text", [](const std::string& text, const Plan& plan) {
        const py::gil_scoped_release release;
        return io::read_data(text, io::read_options(plan));
    });
}

}  // namespace serinus::python
