#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/core/text.hpp>
#include <serinus/core/words.hpp>
#include <serinus/io/columns.hpp>
#include <serinus/io/csv.hpp>
#include <serinus/series/time.hpp>

#include "encoding.hpp"
#include "records.hpp"

namespace serinus {
inline namespace v0 {
namespace io {

namespace {

constexpr std::size_t most_columns = 100'000;

/// When a stage was seen, and on which line last.
struct StageSpan {
    std::int64_t first_ms;
    std::int64_t last_ms;
    std::int64_t last_line;
};

std::vector<StageStart> stage_starts(const std::map<int, StageSpan>& spans) {
    std::vector<StageStart> starts;
    const StageSpan* before = nullptr;
    for (const auto& [number, span] : spans) {
        if (before != nullptr && before->last_ms >= span.first_ms) {
            raise(Code::data_order,
                  line_name(before->last_line) + ", column stage: stage " + std::to_string(starts.back().stage) +
                      " is still there at " + format_time(before->last_ms) + ", but stage " + std::to_string(number) +
                      " began at " + format_time(span.first_ms) + "; allowed: stages that follow one another in time");
        }
        starts.push_back({number, span.first_ms});
        before = &span;
    }
    return starts;
}

constexpr std::string_view name_of(Column column) noexcept { return column_names[static_cast<std::size_t>(column)]; }

[[noreturn]] void refuse(Code code, std::int64_t line, std::string_view column, std::string_view cell,
                         std::string_view allowed) {
    raise(code, line_name(line) + ", column " + printable(column, 80) + " is " + in_quotes(cell) +
                    "; allowed: " + std::string(allowed));
}

int read_stage(std::string_view cell, std::int64_t line) {
    int number = 0;
    const auto [end, problem] = std::from_chars(cell.data(), cell.data() + cell.size(), number);
    if (problem != std::errc{} || end != cell.data() + cell.size() || number < 1) {
        refuse(Code::data_value, line, name_of(Column::stage), cell,
               "a whole number from 1 (the first stage), or an empty cell");
    }
    return number;
}

/// What tables write where there is no value.
bool is_missing(std::string_view cell) noexcept {
    if (cell.empty()) return true;
    if (cell.size() > 9) return false;
    constexpr std::array<std::string_view, 7> words{"undefined", "null", "none", "na", "n/a", "#n/a", "<na>"};
    return std::any_of(words.begin(), words.end(), [cell](std::string_view word) {
        return cell.size() == word.size() && std::equal(cell.begin(), cell.end(), word.begin(), [](char a, char b) {
                   return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b;
               });
    });
}

/// What errors say of a text that is no number: most often it is one that was made for reading.
std::string value_allowed(std::string_view cell) {
    double number = 0;
    const auto [end, problem] = std::from_chars(cell.data(), cell.data() + cell.size(), number);
    const std::string_view unit(end, static_cast<std::size_t>(cell.data() + cell.size() - end));
    std::string usual = std::string(number_allowed) + ", or an empty cell where the value is missing";
    if (problem != std::errc{} || unit.empty() || !(unit.front() == ' ' || unit == "%")) return usual;
    return usual +
           "; a value with a unit is rounded for reading, and its unit changes from row to row: in Grafana switch "
           "\"Formatted data\" off (Inspect, Data options)";
}

/// Which of the separators stands between a header's cells: the one that makes a column of times appear, else the most
/// frequent one.
char find_separator(std::string_view text, const ReadOptions& options) {
    constexpr std::array<char, 3> known{',', ';', '\t'};
    std::array<std::size_t, 3> counts{};
    bool quoted = false;
    for (const char c : text) {
        if (c == '"') quoted = !quoted;
        if (quoted) continue;
        if (c == '\n' || c == '\r') break;
        for (std::size_t i = 0; i < known.size(); ++i) counts[i] += c == known[i] ? 1U : 0U;
    }
    std::array<std::size_t, 3> order{0, 1, 2};
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return counts[a] > counts[b]; });
    const auto told = options.columns.find("timestamp");
    for (const std::size_t i : order) {
        if (counts[i] == 0 || counts[i] >= most_columns) continue;
        Records records(text, known[i]);  // cells with doubled quotes are views of what it keeps
        std::vector<std::string_view> cells;
        try {
            records.next(cells, most_columns);
        } catch (const Error&) {
            continue;  // it is no separator of this text
        }
        for (const std::string_view cell : cells) {
            std::string name(cell.substr(0, 13));
            for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
            if (name == "timestamp" || name == "time" || name == "_time" || name == "__timestamp__" ||
                (told != options.columns.end() && told->second == cell))
                return known[i];
        }
    }
    return known[order[0]];
}

/// Takes the line "sep=;" off the front, which tells Excel what separates the cells.
std::optional<char> take_separator_line(std::string_view& text) {
    const std::size_t begin = std::min(text.find_first_not_of("\r\n"), text.size());
    const std::string_view line = text.substr(begin, 8);
    if (line.size() < 5 || !(line.starts_with("sep=") || line.starts_with("SEP="))) return std::nullopt;
    const char separator = line[4];
    if ((line.size() > 5 && line[5] != '\n' && line[5] != '\r') ||
        (separator != ',' && separator != ';' && separator != '\t'))
        raise(Code::data_document,
              "the first line is " + in_quotes(line) + "; allowed: sep=, or sep=; or sep= and a tab");
    text.remove_prefix(begin + 5);
    return separator;
}

/// Today's Unix seconds and milliseconds, which most tables have, read without looking for anything else.
std::optional<std::int64_t> usual_time(std::string_view text) noexcept {
    if ((text.size() != 10 && text.size() != 13) || text.front() == '0') return std::nullopt;
    std::int64_t number = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        number = number * 10 + (c - '0');
    }
    return text.size() == 10 ? number * 1000 : number;
}

bool has_zone(std::string_view time) noexcept {
    return time.size() > 10 && time.find_first_of("Zz+-", 10) != std::string_view::npos;
}

enum class Form : std::uint8_t { plain, influx, influx_statements, victoria_metrics };

/// Puts a piece of a key behind it, its length first, so that no two lists of pieces make one key.
void append_key(std::string& key, std::string_view piece) {
    const auto length = static_cast<std::uint32_t>(piece.size());
    key.append({static_cast<char>(length), static_cast<char>(length >> 8U), static_cast<char>(length >> 16U),
                static_cast<char>(length >> 24U)});
    key.append(piece);
}

/// Reads one table, or the several tables of InfluxDB's answers.
class TableReader {
  public:
    TableReader(std::string_view text, char separator, const ReadOptions& options)
        : records_(text, separator), options_(options), decimal_comma_(separator == ';') {}

    Batch read() {
        bool header_comes = true;
        while (records_.next(cells_, form_ == Form::plain && !header_comes ? width_ : most_columns)) {
            if (header_comes && !any_header_) form_ = form_of_header();
            if (form_ == Form::influx && cells_[0].starts_with('#')) {
                annotation();
                header_comes = true;
            } else if (header_comes || begins_table()) {
                header();
                header_comes = false;
            } else {
                row();
            }
        }
        return finish();
    }

  private:
    static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

    /// What rows with the same cells beside time, stage, start and values have in common.
    struct Group {
        SeriesText of;
        std::vector<std::size_t> series;  ///< of each column of values, its place in the batch
        std::vector<std::string> cells;   ///< that make it this group
        Group* next = nullptr;            ///< the group of the row that came behind its last one
        bool known = false;
    };

    bool has(std::string_view name) const { return std::find(cells_.begin(), cells_.end(), name) != cells_.end(); }

    Form form_of_header() {
        if (cells_[0].starts_with("#datatype") || cells_[0].starts_with("#group") ||
            cells_[0].starts_with("#default") || (has("result") && has("table")) || (has("error") && has("reference")))
            return Form::influx;
        if (cells_.size() > 2 && cells_[0] == "name" && cells_[1] == "tags") return Form::influx_statements;
        if (!has("__value__")) return Form::plain;
        records_.escape_by_backslash();
        return Form::victoria_metrics;
    }

    bool begins_table() const {
        if (form_ == Form::influx)
            return (cells_.size() > 2 && cells_[1] == "result" && cells_[2] == "table") ||
                   (has("error") && has("reference"));
        return form_ == Form::influx_statements && cells_.size() > 2 && cells_[0] == "name" && cells_[1] == "tags";
    }

    void annotation() {
        if (cells_[0] == "#datatype") types_.assign(cells_.begin(), cells_.end());
        if (cells_[0] == "#default") defaults_.assign(cells_.begin(), cells_.end());
        if (cells_[0] == "#datatype") defaults_.clear();
    }

    void header() {
        if (!any_header_ || form_ != Form::plain) {
            header_.assign(cells_.begin(), cells_.end());
            width_ = cells_.size();
        }
        any_header_ = true;
        groups_.clear();
        last_ = nullptr;
        left_aside_.clear();
        error_table_ = form_ == Form::influx && has("error") && has("reference");
        if (error_table_) return;
        try {
            columns_ = find_columns(cells_, options_);
        } catch (const Error& error) {
            if (form_ != Form::influx) throw;
            if (!first_problem_) first_problem_ = error;
            left_aside_ = "their table has no column of times, series or arms that is known";
            return;
        }
        if (form_ == Form::influx && columns_.at(Column::value) && types_.size() == width_) {
            const std::string& type = types_[*columns_.at(Column::value)];
            if (type == "string" || type == "boolean" || type.starts_with("dateTime"))
                left_aside_ = "their values are of the type " + type;
        }
        if (form_ == Form::influx_statements) {
            for (const ValueColumn& value : columns_.values) {
                if (!statement_fields_.insert(header_[value.place]).second) {
                    raise(Code::data_document, line_name(records_.line()) +
                                                   " begins another statement's table with the column " +
                                                   in_quotes(header_[value.place]) +
                                                   ", which an earlier one has; allowed: one file a statement");
                }
            }
        }
        long_ = columns_.values.empty();
        if (long_) columns_.values = {{*columns_.at(Column::value), {}}};
        keys_.clear();
        for (const Column column : {Column::series, Column::arm, Column::instance, Column::le, Column::labels}) {
            if (const auto place = columns_.at(column)) keys_.push_back(*place);
        }
        keys_.insert(keys_.end(), columns_.replicas.begin(), columns_.replicas.end());
        keys_.insert(keys_.end(), columns_.labels.begin(), columns_.labels.end());
        if (columns_.measurement) keys_.push_back(*columns_.measurement);
        if (columns_.tags) keys_.push_back(*columns_.tags);
        for (const std::string& name : columns_.ignored) aside_.columns.push_back(name);
        if (!columns_.neither.empty()) aside_.neither[columns_.neither_why] += columns_.neither.size();
    }

    std::string_view cell(Column column) const {
        const auto& place = columns_.places[static_cast<std::size_t>(column)];
        return place ? cells_[*place] : std::string_view();
    }

    void row() {
        const std::int64_t line = records_.line();
        if (error_table_) {
            std::string said;
            for (const std::string_view text : cells_)
                said += (said.empty() || text.empty() ? "" : " ") + std::string(text);
            raise(Code::data_query, line_name(line) + ": InfluxDB says that the query failed: " + printable(said, 200) +
                                        "; allowed: an answer without an error");
        }
        if (cells_.size() != width_) {
            raise(Code::data_column, line_name(line) + " has " + std::to_string(cells_.size()) +
                                         " cells; allowed: as many as the header, " + std::to_string(width_));
        }
        if (!left_aside_.empty()) {
            ++aside_.rows[left_aside_];
            return;
        }
        for (std::size_t i = 0; i < std::min(cells_.size(), defaults_.size()); ++i) {
            if (cells_[i].empty()) cells_[i] = defaults_[i];
        }
        if (cell(Column::timestamp).empty() &&
            std::all_of(cells_.begin(), cells_.end(), [](std::string_view text) { return text.empty(); }))
            return;  // Excel ends its files with rows of separators
        empty_ = false;
        const std::int64_t time = time_of(Column::timestamp, line);
        if (const std::string_view number = cell(Column::stage); !number.empty()) stage(number, time, line);
        Group& group = group_of_row(line);
        std::int64_t start = 0;
        if (!cell(Column::start).empty()) {
            const auto parsed = try_parse_time(cell(Column::start));
            if (!parsed) refuse(Code::data_timestamp, line, name_of(Column::start), cell(Column::start), time_allowed);
            start = parsed->time_since_epoch().count();
        }
        for (std::size_t i = 0; i < columns_.values.size(); ++i) {
            const std::string_view text = cells_[columns_.values[i].place];
            if (!long_ && is_missing(text)) continue;  // a gap of the join, no sample
            std::size_t& place = group.series[i];
            if (place == none) {
                place = series_of(group, columns_.values[i].series, line);
                if (place == none) place = neither_arm;
            }
            if (place == neither_arm) continue;
            const auto number = number_of(text, line, columns_.values[i].place, place);
            if (!number) continue;
            Series& samples = batch_.series[place].series;
            samples.times_ms.push_back(time);
            samples.values.push_back(*number);
            if (start != 0)
                samples.starts_ms.resize(samples.times_ms.size() - 1, 0), samples.starts_ms.push_back(start);
        }
    }

    std::int64_t time_of(Column column, std::int64_t line) {
        const std::string_view text = cell(column);
        if (const auto usual = usual_time(text)) return *usual;
        if (text == last_time_text_ && !text.empty()) return last_time_;  // rows of one time follow one another
        const auto parsed = try_parse_time(text);
        if (!parsed) refuse(Code::data_timestamp, line, name_of(column), text, time_allowed);
        if (text.size() > 4 && text[4] == '-') {
            const bool zone = has_zone(text);
            auto& seen = zone ? with_zone_ : without_zone_;
            if (seen.empty()) seen = line_name(line) + " has " + in_quotes(text);
            if (!zone && aside_.without_zone.empty()) aside_.without_zone = text;
            if (!with_zone_.empty() && !without_zone_.empty()) {
                raise(Code::data_timestamp, "some times have a zone and some have none: " + with_zone_ + ", " +
                                                without_zone_ +
                                                "; allowed: a zone in all of them, or in none (which is UTC)");
            }
        } else if (text.size() >= 16 && aside_.fine.empty()) {
            const std::size_t digits =
                std::min(text.find_first_not_of("0123456789", text.front() == '-' ? 1 : 0), text.size()) -
                (text.front() == '-' ? 1 : 0);
            if (digits >= 16) {
                aside_.fine = text;
                aside_.fine_unit = digits >= 18 ? "nanoseconds" : "microseconds";
            }
        }
        last_time_text_ = records_.lasting(text) ? text : std::string_view();
        last_time_ = parsed->time_since_epoch().count();
        return last_time_;
    }

    void stage(std::string_view number, std::int64_t time, std::int64_t line) {
        const auto [place, fresh] = stages_.try_emplace(read_stage(number, line), StageSpan{time, time, line});
        StageSpan& span = place->second;
        if (!fresh && time < span.first_ms) span.first_ms = time;
        if (!fresh && time > span.last_ms) {
            span.last_ms = time;
            span.last_line = line;
        }
    }

    bool is_group_of_row(const Group* group) const {
        if (group == nullptr) return false;
        for (std::size_t i = 0; i < keys_.size(); ++i) {
            if (cells_[keys_[i]] != group->cells[i]) return false;
        }
        return true;
    }

    /// Finds the group of a row. Rows come series by series or time by time, so the group that followed the last one the
    /// time before is tried first.
    Group& group_of_row(std::int64_t line) {
        if (last_ != nullptr && is_group_of_row(last_->next)) return *(last_ = last_->next);
        key_.clear();
        for (const std::size_t place : keys_) append_key(key_, cells_[place]);
        Group& group = groups_[key_];
        if (!group.known) {
            group.of = text_of_row(line);
            group.series.assign(columns_.values.size(), none);
            for (const std::size_t place : keys_) group.cells.emplace_back(cells_[place]);
            group.known = true;
        }
        if (last_ != nullptr) last_->next = &group;
        last_ = &group;
        return group;
    }

    void check_utf8(std::string_view column, std::string_view text, std::int64_t line) const {
        if (!valid_utf8(text)) refuse(Code::data_value, line, column, text, "UTF-8");
    }

    /// What the cells of a row say of its series.
    SeriesText text_of_row(std::int64_t line) {
        SeriesText of;
        for (const std::size_t place : keys_) check_utf8(header_[place], cells_[place], line);
        const bool arm_known = columns_.at(Column::arm).has_value();
        try {
            if (columns_.at(Column::series)) {
                const std::string_view text = cell(Column::series);
                if (text.empty())
                    refuse(Code::data_value, line, header_[*columns_.at(Column::series)], text,
                           "the plan's name of a series");
                if (arm_known) {
                    of.name = text;
                } else {
                    of = read_series_text(text, options_);
                }
            } else if (columns_.one_name) {
                of.name = options_.names.front();
            }
            if (arm_known) of.arm = arm_of(cell(Column::arm), options_.arms);
            if (columns_.at(Column::instance)) of.instance = cell(Column::instance);
            if (const std::string_view le = cell(Column::le); !le.empty()) {
                const auto parsed = parse_number(le);
                if (!parsed || !(*parsed > -std::numeric_limits<double>::infinity())) {
                    refuse(Code::data_value, line, name_of(Column::le), le,
                           "a number, +Inf, or an empty cell where it is no bucket");
                }
                of.le = *parsed + 0.0;  // -0 is 0
            }
            for (const std::size_t place : columns_.replicas) {
                if (!cells_[place].empty()) of.replica += (of.replica.empty() ? "" : ",") + std::string(cells_[place]);
            }
            std::map<std::string, std::string> labels;
            if (!cell(Column::labels).empty()) labels = read_labels(cell(Column::labels));
            for (const std::size_t place : columns_.labels) {
                if (!cells_[place].empty()) labels[header_[place]] = cells_[place];
            }
            if (columns_.tags) tags(cells_[*columns_.tags], labels);
            if (!labels.empty()) take_labels(of, std::move(labels), options_);
        } catch (const Error& error) {
            if (error.sentence().starts_with("line ")) throw;
            raise(error.within(line_name(line)));
        }
        if (arm_known && !of.arm) {
            if (options_.service && cell(Column::arm).empty()) of.arm = Arm::baseline;
            of.neither = "column " + header_[*columns_.at(Column::arm)] + " is " + in_quotes(cell(Column::arm));
            if (!of.arm && aside_.first_neither.empty()) aside_.first_neither = line_name(line) + ", " + of.neither;
        }
        if (!arm_known && columns_.tags && !of.arm && of.neither.empty())
            of.neither = "no tag " + in_quotes(options_.arms.label);
        if (columns_.measurement && long_) measured(of.name, cells_[*columns_.measurement], line);
        if (columns_.measurement && !long_) {
            for (const ValueColumn& value : columns_.values)
                measured(value.series.name, cells_[*columns_.measurement], line);
        }
        return of;
    }

    /// One field of two measurements would be added up under one name.
    void measured(const std::string& field, std::string_view measurement, std::int64_t line) {
        const auto [place, fresh] = measurements_.try_emplace(field, measurement);
        if (fresh || place->second == measurement) return;
        raise(Code::data_document, line_name(line) + ": the field " + in_quotes(field) + " is of the measurement " +
                                       in_quotes(measurement) + ", and of " + in_quotes(place->second) +
                                       " before; allowed: fields of one measurement a file");
    }

    static void tags(std::string_view text, std::map<std::string, std::string>& labels) {
        while (!text.empty()) {
            const std::size_t end = std::min(text.find(','), text.size());
            const std::string_view tag = text.substr(0, end);
            const std::size_t equals = std::min(tag.find('='), tag.size());
            if (equals < tag.size()) labels[std::string(tag.substr(0, equals))] = tag.substr(equals + 1);
            text.remove_prefix(std::min(text.size(), end + 1));
        }
    }

    /// The place in the batch of what a row and a column of values say together; none for neither arm.
    std::size_t series_of(const Group& group, const SeriesText& column, std::int64_t line) {
        SeriesText of = group.of;
        if (!column.name.empty()) of.name = column.name;
        if (column.arm) of.arm = column.arm;
        if (std::isnan(of.le)) of.le = column.le;
        if (of.instance.empty()) of.instance = column.instance;
        if (of.replica.empty()) of.replica = column.replica;
        of.labels.insert(column.labels.begin(), column.labels.end());
        if (!of.arm && options_.service && !columns_.at(Column::arm)) of.arm = Arm::baseline;
        const bool unsaid = !columns_.at(Column::arm) || cell(Column::arm).empty();
        if (!of.arm && unsaid &&
            std::find(options_.without_arms.begin(), options_.without_arms.end(), of.name) !=
                options_.without_arms.end()) {
            of.arm = Arm::baseline;
        }
        if (!of.arm) {
            ++aside_.neither[of.neither];
            return none;
        }
        if (of.name.empty()) {
            refuse(Code::data_value, line, header_[columns_.at(Column::series).value_or(0)], cell(Column::series),
                   "the plan's name of a series in it");
        }
        std::string key;
        append_key(key, of.name);
        append_key(key, word(*of.arm));
        append_key(key, std::isnan(of.le) ? std::string() : number_text(of.le, 17));
        append_key(key, of.instance);
        const std::string labels = labels_text(of.labels);
        append_key(key, labels);
        append_key(key, of.replica);
        const auto [place, fresh] = series_at_.try_emplace(std::move(key), batch_.series.size());
        if (fresh) {
            check_utf8(name_of(Column::series), of.name, line);
            ArmSeries& added = batch_.series.emplace_back();
            added.name = of.name;
            added.arm = *of.arm;
            added.le = of.le;
            added.series.instance = of.instance;
            added.labels = labels;
            added.replica = of.replica;
        }
        return place->second;
    }

    /// The number of a cell; nothing where a column turns out to hold something else that nobody asked for.
    std::optional<double> number_of(std::string_view text, std::int64_t line, std::size_t place, std::size_t series) {
        if (const auto number = parse_number(text)) {
            if (decimal_comma_ && point_.empty() && text.find('.') != std::string_view::npos)
                point_ = line_name(line) + " has " + in_quotes(text);
            return number;
        }
        if (is_missing(text)) return std::numeric_limits<double>::quiet_NaN();
        if (decimal_comma_ && text.find('.') == std::string_view::npos) {
            std::string with_point(text.substr(0, 64));
            if (const std::size_t comma = with_point.find(','); comma != std::string::npos) {
                with_point[comma] = '.';
                if (const auto number = parse_number(with_point); number && text.size() <= 64) {
                    if (comma_.empty()) comma_ = line_name(line) + " has " + in_quotes(text);
                    return number;
                }
            }
        }
        const std::string& name = batch_.series[series].name;
        const bool asked = std::find(options_.names.begin(), options_.names.end(), name) != options_.names.end();
        const bool many =
            form_ == Form::influx || form_ == Form::influx_statements || (!long_ && columns_.at(Column::arm));
        if (many && !asked) {
            if (no_numbers_.try_emplace(name, text).second && !long_) aside_.columns.push_back(header_[place]);
            return std::nullopt;
        }
        refuse(Code::data_value, line, long_ ? name_of(Column::value) : std::string_view(header_[place]), text,
               value_allowed(text));
    }

    Batch finish() {
        if (!any_header_) raise(Code::data_empty, "the text is empty; allowed: a header and at least one row");
        if (batch_.series.empty() && first_problem_) throw Error(*first_problem_);
        if (empty_ && aside_.rows.empty())
            raise(Code::data_empty, "the text has a header, but no row; allowed: at least one row");
        if (!comma_.empty() && !point_.empty()) {
            raise(Code::data_value, "some values have a comma and some have a point: " + comma_ + ", " + point_ +
                                        "; allowed: one of the two for decimals, and no thousands separators");
        }
        if (!no_numbers_.empty()) drop_texts();
        tell_left_aside(batch_, aside_, long_, options_);
        batch_.stages = stage_starts(stages_);
        for (ArmSeries& series : batch_.series) {
            if (!series.series.starts_ms.empty()) series.series.starts_ms.resize(series.series.times_ms.size(), 0);
        }
        return std::move(batch_);
    }

    void drop_texts() {
        std::erase_if(batch_.series, [&](const ArmSeries& series) { return no_numbers_.contains(series.name); });
        if (!long_) return;
        for (const auto& [name, text] : no_numbers_)
            ++aside_.rows[in_quotes(name) + " is " + in_quotes(text) + ", no number"];
    }

    static constexpr std::size_t neither_arm = none - 1;

    Records records_;
    const ReadOptions& options_;
    bool decimal_comma_;
    Form form_ = Form::plain;
    std::vector<std::string_view> cells_;
    Batch batch_;

    // of the table that is read
    std::vector<std::string> header_, types_, defaults_;
    std::size_t width_ = most_columns;
    TableColumns columns_;
    bool long_ = true;
    bool error_table_ = false;
    std::string left_aside_;  ///< why its rows are not read
    std::vector<std::size_t> keys_;
    std::unordered_map<std::string, Group> groups_;
    std::string key_;
    Group* last_ = nullptr;

    // of all tables
    std::map<std::string, std::size_t> series_at_;
    std::map<int, StageSpan> stages_;
    std::string_view last_time_text_;
    std::int64_t last_time_ = 0;
    bool any_header_ = false;
    bool empty_ = true;
    std::optional<Error> first_problem_;
    std::set<std::string> statement_fields_;
    std::map<std::string, std::string> measurements_;
    std::map<std::string, std::string> no_numbers_;
    LeftAside aside_;
    std::string with_zone_, without_zone_, comma_, point_;
};

void append_cell(std::string& out, std::string_view cell) {
    const bool plain = cell.find_first_of(",\"\r\n") == std::string_view::npos &&
                       (cell.empty() || (!is_space(cell.front()) && !is_space(cell.back())));
    if (plain) {
        out += cell;
        return;
    }
    out += '"';
    for (const char c : cell) out.append(c == '"' ? 2 : 1, c);
    out += '"';
}

void append_number(std::string& out, double number) {
    if (std::isnan(number)) {
        out += "NaN";
    } else if (std::isinf(number)) {
        out += number > 0 ? "+Inf" : "-Inf";
    } else {
        std::array<char, 32> digits{};
        out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
    }
}

}  // namespace

Batch read_csv(std::string_view bytes, const ReadOptions& options) {
    std::string storage;
    std::string_view text = to_utf8(bytes, storage, options.max_bytes);
    const auto told = take_separator_line(text);
    return TableReader(text, told ? *told : find_separator(text, options), options).read();
}

std::string write_csv(const Batch& batch) {
    const auto any = [&](auto has) { return std::any_of(batch.series.begin(), batch.series.end(), has); };
    const bool with_instance = any([](const ArmSeries& s) { return !s.series.instance.empty(); });
    const bool with_le = any([](const ArmSeries& s) { return !std::isnan(s.le); });
    const bool with_stage = !batch.stages.empty();
    const bool with_labels = any([](const ArmSeries& s) { return !s.labels.empty(); });
    const bool with_replica = any([](const ArmSeries& s) { return !s.replica.empty(); });
    const bool with_start = any([](const ArmSeries& s) { return !s.series.starts_ms.empty(); });
    const auto written_time = [](std::int64_t time) {
        // A small number would be taken for seconds.
        const std::string readable = format_time(time);  // raises outside of the years that can be written
        return time > -100'000'000'000 && time < 100'000'000'000 ? readable : std::to_string(time);
    };

    std::string out = "timestamp,series,arm,value";
    if (with_instance) out += ",instance";
    if (with_le) out += ",le";
    if (with_stage) out += ",stage";
    if (with_labels) out += ",labels";
    if (with_replica) out += ",replica";
    if (with_start) out += ",start";
    out += '\n';
    for (const ArmSeries& s : batch.series) {
        for (std::size_t i = 0; i < s.series.times_ms.size(); ++i) {
            const std::int64_t time = s.series.times_ms[i];
            out += written_time(time);
            out += ',';
            append_cell(out, s.name);
            out += ',';
            out += word(s.arm);
            out += ',';
            append_number(out, s.series.values[i]);
            if (with_instance) {
                out += ',';
                append_cell(out, s.series.instance);
            }
            if (with_le) {
                out += ',';
                if (!std::isnan(s.le)) append_number(out, s.le);
            }
            if (with_stage) {
                out += ',';
                const auto after = std::find_if(batch.stages.begin(), batch.stages.end(),
                                                [&](const StageStart& start) { return start.at_ms > time; });
                if (after != batch.stages.begin()) out += std::to_string((after - 1)->stage);
            }
            if (with_labels) {
                out += ',';
                append_cell(out, s.labels);
            }
            if (with_replica) {
                out += ',';
                append_cell(out, s.replica);
            }
            if (with_start) {
                out += ',';
                const auto& starts = s.series.starts_ms;
                if (i < starts.size() && starts[i] != 0) out += written_time(starts[i]);
            }
            out += '\n';
        }
    }
    return out;
}

}  // namespace io
}  // namespace v0
}  // namespace serinus
