#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/core/text.hpp>
#include <serinus/core/words.hpp>
#include <serinus/io/csv.hpp>
#include <serinus/series/time.hpp>

namespace serinus {
inline namespace v0 {
namespace io {

namespace {

enum Column : std::size_t { timestamp, series, arm, value, instance, le, stage, column_count };

constexpr std::array<std::string_view, column_count> column_names{"timestamp", "series", "arm",  "value",
                                                                  "instance",  "le",     "stage"};
constexpr std::string_view columns_allowed =
    "timestamp (or time), series, arm, value, and if you like instance, le, stage; one sample a row";
constexpr std::size_t needed_columns = 4;
constexpr std::size_t most_columns = 1000;

std::string line_name(std::int64_t line) { return "line " + std::to_string(line); }

constexpr bool is_space(char c) noexcept { return c == ' ' || c == '\t'; }

/// Cuts a text into records and cells. Cells are views of the text; those with doubled quotes are views of a copy that
/// lives until the next record.
class Records {
  public:
    explicit Records(std::string_view text) : text_(text) {}

    /// The line that the record read last begins on.
    std::int64_t line() const noexcept { return line_; }

    /// The next record that is not blank; false at the end of the text.
    bool next(std::vector<std::string_view>& cells, std::size_t most_cells) {
        cells.clear();
        if (!unescaped_.empty()) unescaped_.clear();
        for (;; end_line()) {
            skip_spaces();
            if (at_ == text_.size()) return false;
            if (text_[at_] != '\n' && text_[at_] != '\r') break;
        }
        line_ = next_line_;
        for (;; ++at_) {
            if (cells.size() == most_cells) {
                raise(Code::data_column, line_name(line_) + " has more than " + std::to_string(most_cells) +
                                             " cells; allowed: as many as the header");
            }
            skip_spaces();
            cells.push_back(at_ < text_.size() && text_[at_] == '"' ? quoted_cell() : plain_cell());
            if (at_ == text_.size()) return true;
            if (text_[at_] == ',') continue;
            end_line();
            return true;
        }
    }

  private:
    void skip_spaces() {
        while (at_ < text_.size() && is_space(text_[at_])) ++at_;
    }
    void end_line() {
        if (text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n') ++at_;
        ++at_;
        ++next_line_;
    }
    std::string_view plain_cell() {
        const std::size_t begin = at_;
        while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '\n' && text_[at_] != '\r') {
            if (text_[at_] == '"') {
                raise(Code::data_document,
                      line_name(line_) + " has a quote inside the cell " + in_quotes(text_.substr(begin, 60)) +
                          "; allowed: cells with quotes are quoted as a whole, the quotes in them doubled");
            }
            ++at_;
        }
        std::size_t end = at_;
        while (end > begin && is_space(text_[end - 1])) --end;
        return text_.substr(begin, end - begin);
    }
    std::string_view quoted_cell() {
        const std::size_t begin = ++at_;
        std::string* copy = nullptr;
        std::size_t part = begin;
        std::string_view cell;
        for (;;) {
            const std::size_t quote = text_.find('"', at_);
            if (quote == std::string_view::npos) {
                raise(Code::data_document, line_name(line_) + " has a quoted cell that never ends: " +
                                               in_quotes(text_.substr(begin, 61)) + "; allowed: a closing quote");
            }
            at_ = quote + 1;
            if (at_ < text_.size() && text_[at_] == '"') {  // "" stands for one quote
                if (copy == nullptr) copy = &unescaped_.emplace_back();
                copy->append(text_.substr(part, at_ - part));
                part = ++at_;
                continue;
            }
            if (copy == nullptr) {
                cell = text_.substr(begin, quote - begin);
            } else {
                copy->append(text_.substr(part, quote - part));
                cell = *copy;
            }
            break;
        }
        next_line_ += std::count(cell.begin(), cell.end(), '\n');
        skip_spaces();
        if (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '\n' && text_[at_] != '\r') {
            raise(Code::data_document, line_name(line_) + " has text after the quoted cell " + in_quotes(cell) +
                                           "; allowed: a comma or the line's end");
        }
        return cell;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::int64_t line_ = 1;
    std::int64_t next_line_ = 1;
    std::deque<std::string> unescaped_;
};

/// Where each column stands in a row; nothing for the columns that the text does not have.
using Places = std::array<std::optional<std::size_t>, column_count>;

Places read_header(const std::vector<std::string_view>& cells) {
    Places places;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        std::string name(cells[i].substr(0, 32));
        for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        if (name == "time") name = "timestamp";
        const auto found = std::find(column_names.begin(), column_names.end(), name);
        if (found == column_names.end()) {
            raise(Code::data_column, "column " + std::to_string(i + 1) + " is " + in_quotes(cells[i]) +
                                         "; allowed: " + std::string(columns_allowed));
        }
        auto& place = places[static_cast<std::size_t>(found - column_names.begin())];
        if (place) {
            raise(Code::data_column, "columns " + std::to_string(*place + 1) + " and " + std::to_string(i + 1) +
                                         " are both " + in_quotes(*found) + "; allowed: once");
        }
        place = i;
    }
    for (std::size_t column = 0; column < needed_columns; ++column) {
        if (!places[column]) {
            raise(Code::data_column, "column " + in_quotes(column_names[column]) +
                                         " is missing from the header; allowed: " + std::string(columns_allowed));
        }
    }
    return places;
}

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

[[noreturn]] void refuse(Code code, std::int64_t line, Column column, std::string_view cell, std::string_view allowed) {
    raise(code, line_name(line) + ", column " + std::string(column_names[column]) + " is " + in_quotes(cell) +
                    "; allowed: " + std::string(allowed));
}

int read_stage(std::string_view cell, std::int64_t line) {
    int number = 0;
    const auto [end, problem] = std::from_chars(cell.data(), cell.data() + cell.size(), number);
    if (problem != std::errc{} || end != cell.data() + cell.size() || number < 1) {
        refuse(Code::data_value, line, stage, cell, "a whole number from 1 (the first stage), or an empty cell");
    }
    return number;
}

/// Finds the series of a row. Rows of one series often follow one another, so the last one found is tried first.
class Groups {
  public:
    explicit Groups(Batch& batch) : batch_(batch) {}

    Series& find(std::string_view name, Arm which, double bound, std::string_view from, std::int64_t line) {
        key_.assign(name);
        key_.append(1, static_cast<char>(which));
        key_.append(std::bit_cast<std::array<char, sizeof bound>>(bound).data(), sizeof bound);
        key_.append(from);
        const std::size_t length = name.size();  // without it, a name's end could pass for an instance's beginning
        key_.append(std::bit_cast<std::array<char, sizeof length>>(length).data(), sizeof length);
        if (key_ != last_key_) {
            const auto [place, fresh] = indices_.try_emplace(key_, batch_.series.size());
            if (fresh) add(name, which, bound, from, line);
            last_ = place->second;
            last_key_ = key_;
        }
        return batch_.series[last_].series;
    }

  private:
    void add(std::string_view name, Arm which, double bound, std::string_view from, std::int64_t line) {
        constexpr std::string_view allowed = "UTF-8";
        if (!valid_utf8(name)) refuse(Code::data_value, line, series, name, allowed);
        if (!valid_utf8(from)) refuse(Code::data_value, line, instance, from, allowed);
        ArmSeries& fresh = batch_.series.emplace_back();
        fresh.name = name;
        fresh.arm = which;
        fresh.le = bound;
        fresh.series.instance = from;
    }

    Batch& batch_;
    std::unordered_map<std::string, std::size_t> indices_;
    std::string key_;
    std::string last_key_;
    std::size_t last_ = 0;
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

Batch read_csv(std::string_view text, const CsvOptions& options) {
    if (text.size() > options.max_bytes) {
        raise(Code::data_size, "the CSV text has " + std::to_string(text.size()) + " bytes; allowed: at most " +
                                   std::to_string(options.max_bytes));
    }
    if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
    Records records(text);
    std::vector<std::string_view> cells;
    if (!records.next(cells, most_columns)) {
        raise(Code::data_empty, "the CSV text is empty; allowed: a header and at least one row");
    }
    const Places places = read_header(cells);
    const std::size_t width = cells.size();

    Batch batch;
    Groups groups(batch);
    std::map<int, StageSpan> stages;
    bool empty = true;
    while (records.next(cells, width)) {
        empty = false;
        const std::int64_t line = records.line();
        if (cells.size() != width) {
            raise(Code::data_column, line_name(line) + " has " + std::to_string(cells.size()) +
                                         " cells; allowed: as many as the header, " + std::to_string(width));
        }
        const auto cell = [&](Column column) { return places[column] ? cells[*places[column]] : std::string_view(); };

        const auto parsed_time = try_parse_time(cell(timestamp));
        if (!parsed_time) refuse(Code::data_timestamp, line, timestamp, cell(timestamp), time_allowed);
        const std::int64_t time = to_ms(*parsed_time);
        const auto which = parse_word<Arm>(cell(arm));
        if (!which) refuse(Code::data_arm, line, arm, cell(arm), allowed_words<Arm>());
        if (cell(series).empty()) refuse(Code::data_value, line, series, cell(series), "the plan's name of a series");

        double number = std::numeric_limits<double>::quiet_NaN();
        if (!cell(value).empty()) {
            const auto parsed = parse_number(cell(value));
            if (!parsed) {
                refuse(Code::data_value, line, value, cell(value),
                       std::string(number_allowed) + ", or an empty cell where the value is missing");
            }
            number = *parsed;
        }
        double bound = std::numeric_limits<double>::quiet_NaN();
        if (!cell(le).empty()) {
            const auto parsed = parse_number(cell(le));
            if (!parsed || !(*parsed > -std::numeric_limits<double>::infinity())) {
                refuse(Code::data_value, line, le, cell(le), "a number, +Inf, or an empty cell where it is no bucket");
            }
            bound = *parsed + 0.0;  // -0 is 0
        }
        if (!cell(stage).empty()) {
            const auto [place, fresh] = stages.try_emplace(read_stage(cell(stage), line), StageSpan{time, time, line});
            StageSpan& span = place->second;
            if (!fresh && time < span.first_ms) span.first_ms = time;
            if (!fresh && time > span.last_ms) {
                span.last_ms = time;
                span.last_line = line;
            }
        }
        Series& samples = groups.find(cell(series), *which, bound, cell(instance), line);
        samples.times_ms.push_back(time);
        samples.values.push_back(number);
    }
    if (empty) raise(Code::data_empty, "the CSV text has a header, but no row; allowed: at least one row");
    batch.stages = stage_starts(stages);
    return batch;
}

std::string write_csv(const Batch& batch) {
    const auto any = [&](auto has) { return std::any_of(batch.series.begin(), batch.series.end(), has); };
    const bool with_instance = any([](const ArmSeries& s) { return !s.series.instance.empty(); });
    const bool with_le = any([](const ArmSeries& s) { return !std::isnan(s.le); });
    const bool with_stage = !batch.stages.empty();

    std::string out = "timestamp,series,arm,value";
    if (with_instance) out += ",instance";
    if (with_le) out += ",le";
    if (with_stage) out += ",stage";
    out += '\n';
    for (const ArmSeries& s : batch.series) {
        for (std::size_t i = 0; i < s.series.times_ms.size(); ++i) {
            const std::int64_t time = s.series.times_ms[i];
            const std::string readable = format_time(time);
            out += time > -100'000'000'000 && time < 100'000'000'000 ? readable : std::to_string(time);
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
            out += '\n';
        }
    }
    return out;
}

}  // namespace io
}  // namespace v0
}  // namespace serinus
