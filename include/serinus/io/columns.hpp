#pragma once
/// \file
/// What the columns of a table mean: whose names are ours, whose are told, and which of them are series themselves.
/// Every reader of tables asks here, so that a CSV file and a data frame with one header mean the same.

#include <array>
#include <cstddef>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <serinus/core/version.hpp>
#include <serinus/core/words.hpp>
#include <serinus/io/read_options.hpp>
#include <serinus/rollout/batch.hpp>

namespace serinus {
inline namespace v0 {
namespace io {

/// The columns of a table in long form.
enum class Column : std::size_t { timestamp, series, arm, value, instance, le, stage, labels, start, replica };

/// Their names.
inline constexpr std::array<std::string_view, 10> column_names{"timestamp", "series", "arm",    "value", "instance",
                                                               "le",        "stage",  "labels", "start", "replica"};

/// What a text such as `http_requests{track="canary",code="500"}`, "http_requests canary" or "canary_500" says.
struct SeriesText {
    std::string name{};                                    ///< empty: nothing
    std::optional<Arm> arm{};                              ///< empty: no arm, or both of them
    double le = std::numeric_limits<double>::quiet_NaN();  ///< the bound of a bucket; NaN: none
    std::string instance{};
    std::map<std::string, std::string> labels{};  ///< all labels that are none of the others
    std::string replica{};
    std::string neither{};  ///< where there is no arm: why
};

/// The arm that a word means: the value told for it, or "baseline" or "canary" itself.
std::optional<Arm> arm_of(std::string_view word, const Arms& arms) noexcept;

/// What a text says of a series. A label set in Prometheus' notation is read as one (Grafana writes spaces after its
/// commas); of any other text the plan's name and the word of an arm are looked for, each standing alone, and what
/// is left over is the name, or beside a plan's name the label `legend`. Without a name, and if the plan has only one
/// series, it is that one. Raises `serinus.data.value` for a label set that cannot be read. Cost: linear in the text
/// for each name of the plan.
SeriesText read_series_text(std::string_view text, const ReadOptions& options);

/// A label set in Prometheus' notation, `{code="500",path="/"}`, sorted by name; "" for none.
std::string labels_text(const std::map<std::string, std::string>& labels);

/// The labels of such a text; braces may be missing. Raises `serinus.data.value`. Cost: linear.
std::map<std::string, std::string> read_labels(std::string_view text);

/// Moves what has a place of its own (name, arm, bucket, instance, replica) from labels to it, where it says nothing
/// yet; the others are added to `labels`. Raises `serinus.data.value` for a bound that is no number.
void take_labels(SeriesText& series, std::map<std::string, std::string> labels, const ReadOptions& options);

/// A column that is a series.
struct ValueColumn {
    std::size_t place = 0;
    SeriesText series{};
};

/// Where everything stands in a table's rows.
struct TableColumns {
    std::array<std::optional<std::size_t>, column_names.size()> places{};  ///< by Column; the first for `replica`
    std::vector<std::size_t> replicas{};       ///< columns that only tell collectors of one target apart
    std::vector<std::size_t> labels{};         ///< columns whose name is a label and whose cells are its values
    std::optional<std::size_t> measurement{};  ///< InfluxDB's, which a field's name alone does not say
    std::optional<std::size_t> tags{};         ///< InfluxDB's column of labels, track=canary,host=a
    std::vector<ValueColumn> values{};         ///< of a wide table: the columns that are series; empty: long form
    std::vector<std::string> ignored{};        ///< names of columns that are not read
    std::vector<std::string> neither{};        ///< of a wide table: the columns that belong to neither arm
    std::string neither_why{};                 ///< of the first of them
    bool one_name = false;  ///< long form without a column of series: all rows are the plan's only one

    std::optional<std::size_t> at(Column column) const { return places[static_cast<std::size_t>(column)]; }
};

/// What the columns of a table mean by their names.
///
/// Ours are found in any order and case; `options.columns` says what ours are called instead. Beside our own names these
/// are understood: `time`, `datetime`, `date`, `ts`, `_time` and `__timestamp__:...` (timestamp), `metric`, `variable`,
/// `__name__` and `_field` (series), `_value` and `__value__` (value), the label of the arms (arm), the instance label
/// and `pod` (instance), and the plan's replica labels. A first column without a name holds the times where nothing
/// else does.
///
/// A table without a column of values is wide: a column that names a series (and an arm, unless a column tells it) holds
/// its values. In InfluxDB's and VictoriaMetrics' own tables all further columns are labels. What remains is ignored,
/// and named.
///
/// Raises `serinus.data.column` for a column that is missing, there twice, or told and not there, and `serinus.data.arm`
/// for a wide table none of whose columns belongs to an arm. Cost: linear in the header for each name of the plan.
TableColumns find_columns(std::span<const std::string_view> header, const ReadOptions& options);

/// What of a table is not read, and how its times were understood.
struct LeftAside {
    std::vector<std::string> columns{};            ///< by name
    std::map<std::string, std::size_t> rows{};     ///< how many of them, by what keeps them out
    std::map<std::string, std::size_t> neither{};  ///< how many series belong to neither arm, by why
    std::string first_neither{};                   ///< where the first cell is that is the word of neither; empty: none
    std::string without_zone{};                    ///< a time without a zone, as it was written; empty: none
    std::string fine{};                            ///< a time in micro- or nanoseconds
    std::string fine_unit{};                       ///< which of them
};

/// Tells in a batch's notes what was left aside of its table, once the table is read.
///
/// Raises `serinus.data.arm` where nothing belongs to an arm, and, for a table in long form, `serinus.data.column` where
/// two rows of one series and time differ and a column that is not read may be what tells them apart. Cost: linear, and
/// sorting the times of a series that are not in order.
void tell_left_aside(Batch& batch, const LeftAside& aside, bool long_form, const ReadOptions& options);

}  // namespace io
}  // namespace v0
}  // namespace serinus
