/// \file
/// Samples for Python: a Batch from a text, or from the columns of a table in long form.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include <pybind11/stl.h>

#include <serinus/core/reason.hpp>
#include <serinus/core/text.hpp>
#include <serinus/io/columns.hpp>
#include <serinus/io/csv.hpp>
#include <serinus/io/data.hpp>
#include <serinus/rollout/batch.hpp>
#include <serinus/rollout/plan.hpp>
#include <serinus/series/time.hpp>

#include "arguments.hpp"
#include "bind.hpp"

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

/// Unix seconds, milli-, micro- or nanoseconds, told apart by their size.
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
};

void check_length(const char* name, std::size_t size, std::size_t rows) {
    if (size == rows) return;
    raise(Code::argument_length, "column " + std::string(name) + " has " + std::to_string(size) +
                                     " values; allowed: " + std::to_string(rows) + ", as many as column timestamp");
}
void check_codes(const char* name, const Column<std::int32_t>& codes, std::size_t meanings, std::size_t rows) {
    const auto all = view(codes);
    check_length(name, all.size(), rows);
    for (const std::int32_t code : all) {
        if (code < 0 || static_cast<std::size_t>(code) >= meanings) {
            raise(Code::data_value, "column " + std::string(name) + " has a code without meaning");
        }
    }
}

/// What a row says of its series beside its own columns.
using Labels = std::map<std::string, std::string>;

struct Table {
    std::span<const std::int64_t> times;
    std::span<const double> values;
    Coded<io::SeriesText> series;
    Coded<std::string> arm;  // its word; without a column: what the series says
    Coded<std::string> instance;
    Coded<double> le;
    Coded<int> stage;  // -1: nobody said
    Coded<Labels> labels;
    Coded<std::string> replica;
    std::span<const std::int64_t> starts;  // empty, or one a row; 0: nobody said
};

constexpr std::uint32_t no_group = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint32_t of_neither_arm = no_group - 1;

/// What one row says of its series, all of it together.
io::SeriesText series_of(const Table& table, std::size_t row, const io::ReadOptions& options) {
    io::SeriesText of = table.series.meanings[table.series.at(row)];
    const std::string& instance = table.instance.meanings[table.instance.at(row)];
    const std::string& replica = table.replica.meanings[table.replica.at(row)];
    const std::string& arm = table.arm.meanings[table.arm.at(row)];
    const double le = table.le.meanings[table.le.at(row)];
    if (table.arm.codes) of.arm = io::arm_of(arm, options.arms);
    if (!instance.empty()) of.instance = instance;
    if (!replica.empty()) of.replica = replica;
    if (!std::isnan(le)) of.le = le;
    const Labels& labels = table.labels.meanings[table.labels.at(row)];
    if (!labels.empty()) io::take_labels(of, labels, options);
    if (table.arm.codes) of.neither = "column arm is " + in_quotes(arm);
    if (!of.arm && options.service && arm.empty()) of.arm = Arm::baseline;
    if (of.arm && of.name.empty()) {
        raise(Code::data_value,
              "row " + std::to_string(row) + " names no series; allowed: the plan's name of a series in column series");
    }
    return of;
}

/// Which series of the batch each row belongs to. Touches no Python object but the columns' memory.
std::vector<std::uint32_t> group_rows(const Table& table, const io::ReadOptions& options, Batch& batch,
                                      std::vector<std::size_t>& sizes, io::LeftAside& aside) {
    const std::size_t rows = table.times.size();
    const std::size_t arms = table.arm.meanings.size(), bounds = table.le.meanings.size(),
                      instances = table.instance.meanings.size(), labels = table.labels.meanings.size(),
                      replicas = table.replica.meanings.size();
    const double combinations = static_cast<double>(table.series.meanings.size()) * static_cast<double>(arms) *
                                static_cast<double>(bounds) * static_cast<double>(instances) *
                                static_cast<double>(labels) * static_cast<double>(replicas);
    constexpr double most_dense = 4e6;
    std::vector<std::uint32_t> dense(combinations <= most_dense ? static_cast<std::size_t>(combinations) : 0, no_group);
    std::unordered_map<std::size_t, std::uint32_t> sparse;
    std::map<std::tuple<std::string, Arm, std::string, std::string, std::string, std::string>, std::uint32_t> known;

    std::vector<std::uint32_t> group(rows);
    for (std::size_t row = 0; row < rows; ++row) {
        const std::size_t s = table.series.at(row), a = table.arm.at(row), l = table.le.at(row),
                          i = table.instance.at(row), k = table.labels.at(row), r = table.replica.at(row);
        const std::size_t key = ((((s * arms + a) * bounds + l) * instances + i) * labels + k) * replicas + r;
        std::uint32_t& place = dense.empty() ? sparse.try_emplace(key, no_group).first->second : dense[key];
        if (place == no_group) {
            const io::SeriesText of = series_of(table, row, options);
            if (of.arm) {
                const std::string bucket = std::isnan(of.le) ? std::string() : number_text(of.le, 17);
                const std::string text = io::labels_text(of.labels);
                const auto [found, fresh] = known.try_emplace({of.name, *of.arm, bucket, of.instance, text, of.replica},
                                                              static_cast<std::uint32_t>(batch.series.size()));
                place = found->second;
                if (fresh) {
                    ArmSeries& added = batch.series.emplace_back();
                    added.name = of.name;
                    added.arm = *of.arm;
                    added.le = of.le;
                    added.series.instance = of.instance;
                    added.labels = text;
                    added.replica = of.replica;
                    sizes.push_back(0);
                }
            } else {
                place = of_neither_arm;
                ++aside.neither[of.neither];
                if (table.arm.codes && aside.first_neither.empty())
                    aside.first_neither = "row " + std::to_string(row) + ", " + of.neither;
            }
        }
        if (place != of_neither_arm) ++sizes[place];
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

Batch make_batch(const Table& table, const io::ReadOptions& options, io::LeftAside aside, bool long_form) {
    Batch batch;
    std::vector<std::size_t> sizes;
    const std::vector<std::uint32_t> group = group_rows(table, options, batch, sizes, aside);
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        batch.series[i].series.times_ms.reserve(sizes[i]);
        batch.series[i].series.values.reserve(sizes[i]);
    }
    for (std::size_t row = 0; row < group.size(); ++row) {
        if (group[row] == of_neither_arm) continue;
        Series& samples = batch.series[group[row]].series;
        samples.times_ms.push_back(table.times[row]);
        samples.values.push_back(table.values[row]);
        if (!table.starts.empty()) samples.starts_ms.push_back(table.starts[row]);
    }
    io::tell_left_aside(batch, aside, long_form, options);
    if (table.stage.codes) batch.stages = stage_starts(table);
    return batch;
}

/// What a header says, for serinus._inputs to take the columns by.
py::dict table_columns(const std::vector<std::string>& names, const io::ReadOptions& options) {
    using namespace py::literals;
    const std::vector<std::string_view> header(names.begin(), names.end());
    const io::TableColumns found = io::find_columns(header, options);
    py::dict places;
    for (std::size_t i = 0; i < io::column_names.size(); ++i) {
        if (found.places[i]) places[py::str(std::string(io::column_names[i]))] = *found.places[i];
    }
    std::vector<std::pair<std::size_t, io::SeriesText>> values;
    for (const io::ValueColumn& column : found.values) values.emplace_back(column.place, column.series);
    if (found.one_name) values.emplace_back(*found.at(io::Column::value), io::SeriesText{options.names.front()});
    io::LeftAside aside{.columns = found.ignored};
    if (!found.neither.empty()) aside.neither[found.neither_why] = found.neither.size();
    return py::dict("places"_a = places, "labels"_a = found.labels, "replicas"_a = found.replicas, "values"_a = values,
                    "long"_a = found.values.empty(), "aside"_a = aside);
}

/// The codes of a column, none where it says the same in every row, and what they mean.
template <class T>
using Codes = std::pair<std::optional<Column<std::int32_t>>, std::vector<T>>;

template <class T>
Coded<T> coded(const char* name, Codes<T> codes, std::size_t rows) {
    Coded<T> column{std::move(codes.first), std::move(codes.second)};
    if (column.codes) check_codes(name, *column.codes, column.meanings.size(), rows);
    return column;
}

Batch batch_from_columns(const Column<std::int64_t>& times, const Column<double>& values, Codes<io::SeriesText> series,
                         Codes<std::string> arm, Codes<std::string> instance, Codes<double> le, Codes<int> stage,
                         Codes<Labels> labels, Codes<std::string> replica,
                         const std::optional<Column<std::int64_t>>& starts, const io::LeftAside& aside, bool long_form,
                         const io::ReadOptions& options) {
    const auto rows = static_cast<std::size_t>(times.size());
    check_length("value", static_cast<std::size_t>(values.size()), rows);
    if (starts) check_length("start", static_cast<std::size_t>(starts->size()), rows);
    const Table table{.times = view(times),
                      .values = view(values),
                      .series = coded("series", std::move(series), rows),
                      .arm = coded("arm", std::move(arm), rows),
                      .instance = coded("instance", std::move(instance), rows),
                      .le = coded("le", std::move(le), rows),
                      .stage = coded("stage", std::move(stage), rows),
                      .labels = coded("labels", std::move(labels), rows),
                      .replica = coded("replica", std::move(replica), rows),
                      .starts = starts ? view(*starts) : std::span<const std::int64_t>()};
    const py::gil_scoped_release release;
    return make_batch(table, options, aside, long_form);
}

}  // namespace

void register_io(Module& module) {
    Class<Batch> type(module, "Batch", "Samples, read and sorted into series; what `judge` and `observe` take.");
    type.attr("__module__") = "serinus";
    type.init([] { return Batch(); })
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
    Class<io::SeriesText>(module, "SeriesText");
    Class<io::LeftAside>(module, "LeftAside")
        .def_readwrite("without_zone", &io::LeftAside::without_zone)
        .def_readwrite("fine", &io::LeftAside::fine)
        .def_readwrite("fine_unit", &io::LeftAside::fine_unit);
    Class<io::ReadOptions>(module, "ReadOptions")
        .init([](const std::optional<Plan>& plan, const std::vector<std::string>& names, const std::string& arms,
                 const std::string& columns) {
            io::ReadOptions options;
            if (plan) {
                options = io::read_options(*plan);
            } else {
                options.service = true;
                options.names = names;
            }
            if (!arms.empty()) io::tell_arms(options, arms);
            if (!columns.empty()) io::tell_columns(options, columns);
            return options;
        });
    module.def("batch_from_text", [](const std::string& text, const io::ReadOptions& options) {
        const py::gil_scoped_release release;
        return options.service ? io::read_service_data(text, options) : io::read_data(text, options);
    });
    module.def("table_columns", &table_columns);
    module.def("series_text", [](const std::string& text, bool named, const io::ReadOptions& options) {
        return named ? io::SeriesText{.name = text} : io::read_series_text(text, options);
    });
    module.def("read_labels", &io::read_labels);
    module.def("batch_notes", [](const Batch& batch) { return Value<std::vector<Reason>>::give(batch.notes); });
}

}  // namespace serinus::python
