#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <iterator>
#include <numeric>
#include <string>
#include <utility>

#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/core/text.hpp>
#include <serinus/io/columns.hpp>
#include <serinus/series/time.hpp>

namespace serinus {
inline namespace v0 {
namespace io {

namespace {

using Labels = std::map<std::string, std::string>;

constexpr std::string_view columns_allowed =
    "timestamp (or time), series, arm, value, and if you like instance, le, stage, labels, start, replica; one sample "
    "a "
    "row; or timestamp and one column a series (\"columns\" can say what they are called)";

constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = lower(c);
    return out;
}

constexpr bool is_word(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80) != 0;
}

/// A metric's name goes on in these: "http_errors" does not stand in "http_errors_ratio".
constexpr bool is_name(char c) noexcept { return is_word(c) || c == '_' || c == ':'; }

constexpr std::string_view separators = " \t,;:./|_-";

std::string_view trimmed(std::string_view text, std::string_view what = " \t") {
    const std::size_t begin = text.find_first_not_of(what);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(what) - begin + 1);
}

/// Where `word` stands alone in `text`, in any case of its letters.
template <class Inside>
std::size_t find_alone(std::string_view text, std::string_view word, Inside inside) {
    if (word.empty()) return std::string_view::npos;
    const auto equal = [](char a, char b) { return lower(a) == lower(b); };
    for (auto from = text.begin();; ++from) {
        from = std::search(from, text.end(), word.begin(), word.end(), equal);
        if (from == text.end()) return std::string_view::npos;
        const auto end = from + static_cast<std::ptrdiff_t>(word.size());
        if ((from == text.begin() || !inside(*(from - 1))) && (end == text.end() || !inside(*end)))
            return static_cast<std::size_t>(from - text.begin());
    }
}

/// Takes a piece out, and what separated it from what follows.
std::string without(std::string_view text, std::size_t at, std::size_t length) {
    std::string rest(text.substr(0, at));
    std::string_view after = text.substr(at + length);
    after.remove_prefix(std::min(after.find_first_not_of(separators), after.size()));
    rest += after;
    return std::string(trimmed(rest, separators));
}

/// The one arm whose word stands in a text; the word is taken out.
std::optional<Arm> take_arm(std::string& text, const Arms& arms) {
    std::optional<Arm> found;
    std::size_t at = 0, length = 0;
    const auto look = [&](std::string_view word, Arm arm) {
        const std::size_t place = find_alone(text, word, is_word);
        if (place == std::string_view::npos) return true;
        if (found && *found != arm) return false;
        if (!found || word.size() > length) at = place, length = word.size();
        found = arm;
        return true;
    };
    // The told words say it; only where none of them stands, ours do.
    if (!look(arms.baseline, Arm::baseline) || !look(arms.canary, Arm::canary)) return std::nullopt;
    if (!found && (!look(word(Arm::baseline), Arm::baseline) || !look(word(Arm::canary), Arm::canary)))
        return std::nullopt;
    if (found) text = without(text, at, length);
    return found;
}

/// The longest of the plan's names that stands in a text; it is taken out.
std::string take_name(std::string& text, const std::vector<std::string>& names) {
    std::string best;
    std::size_t at = 0;
    for (const std::string& name : names) {
        const std::size_t place = find_alone(text, name, is_name);
        if (place == std::string_view::npos || name.size() <= best.size()) continue;
        best = name;
        at = place;
    }
    if (!best.empty()) text = without(text, at, best.size());
    return best;
}

std::string read_quoted(std::string_view& rest, std::string_view whole) {
    std::string text;
    for (rest.remove_prefix(1); !rest.empty() && rest.front() != '"'; rest.remove_prefix(1)) {
        if (rest.front() == '\\' && rest.size() > 1) {
            rest.remove_prefix(1);
            text += rest.front() == 'n' ? '\n' : rest.front();
        } else {
            text += rest.front();
        }
    }
    if (rest.empty()) {
        raise(Code::data_value,
              "labels are " + in_quotes(whole) + "; allowed: {name=\"value\",...}, every quote closed");
    }
    rest.remove_prefix(1);
    return text;
}

std::string header_text(std::span<const std::string_view> header) {
    std::string text;
    constexpr std::size_t most = 12;
    for (std::size_t i = 0; i < std::min(header.size(), most); ++i) text += (i ? ", " : "") + in_quotes(header[i]);
    return header.size() > most ? text + ", ..." : text;
}

/// Finds the columns of one header.
class Finder {
  public:
    Finder(std::span<const std::string_view> header, const ReadOptions& options)
        : header_(header), options_(options), taken_(header.size(), false) {
        for (const std::string_view name : header) lower_.push_back(lower(name.substr(0, 64)));
    }

    TableColumns find() {
        told();
        known(Column::timestamp, {"timestamp", "time"});
        for (const char* const name : {"_time", "datetime", "date", "ts", "@timestamp"})
            known(Column::timestamp, {name});
        timestamp_of_victoria_metrics();
        known(Column::value, {"value"});
        own_form_ = has("__value__") || has("_value") || has("_field") || (has("result") && has("table"));
        known(Column::value, {"_value"});
        known(Column::value, {"__value__"});
        for (const char* const name : {"series", "__name__", "_field", "metric", "variable"})
            known(Column::series, {name});
        known(Column::arm, {"arm"});
        known(Column::arm, {options_.arms.label});
        if (!options_.instance_label.empty()) known(Column::instance, {options_.instance_label});
        known(Column::instance, {"instance"});
        known(Column::instance, {"pod"});
        known(Column::le, {"le"});
        known(Column::stage, {"stage"});
        known(Column::labels, {"labels"});
        known(Column::start, {"start"});
        replicas();
        if (header_.size() > 2 && lower_[0] == "name" && lower_[1] == "tags" && !taken_[0] && !taken_[1]) {
            found_.measurement = 0;
            found_.tags = 1;
            taken_[0] = taken_[1] = true;
        }
        if (!found_.at(Column::timestamp) && !own_form_ && !header_.empty() && header_[0].empty() && !taken_[0] &&
            header_.size() > 1)
            take(Column::timestamp, 0);  // pandas writes a nameless index so
        if (!found_.at(Column::timestamp)) missing("timestamp");
        rest();
        return std::move(found_);
    }

  private:
    bool has(std::string_view name) const { return std::find(lower_.begin(), lower_.end(), name) != lower_.end(); }

    void take(Column column, std::size_t place) {
        taken_[place] = true;
        auto& at = found_.places[static_cast<std::size_t>(column)];
        if (!at) at = place;
        if (column == Column::replica) found_.replicas.push_back(place);
    }

    std::size_t find_told(std::string_view theirs, std::string_view ours) const {
        std::size_t place =
            static_cast<std::size_t>(std::find(header_.begin(), header_.end(), theirs) - header_.begin());
        for (std::size_t i = 0; place == header_.size() && i < header_.size(); ++i) {
            if (lower(header_[i]) == lower(theirs)) place = i;
        }
        if (place == header_.size()) {
            raise(Code::data_column, "there is no column " + in_quotes(theirs) + ", which is told to be " +
                                         std::string(ours) + "; allowed: one of " + header_text(header_));
        }
        return place;
    }

    void told() {
        for (const auto& [ours, theirs] : options_.columns) {
            const auto known = std::find(column_names.begin(), column_names.end(), ours);
            if (known == column_names.end()) continue;
            const auto column = static_cast<Column>(known - column_names.begin());
            const bool exact = std::find(header_.begin(), header_.end(), theirs) != header_.end();
            const bool many = (column == Column::labels || column == Column::replica) && !exact;
            for (std::string_view left = theirs; !left.empty();) {  // labels="code,path"
                const std::size_t comma = many ? std::min(left.find(','), left.size()) : left.size();
                const std::size_t place = find_told(trimmed(left.substr(0, comma)), ours);
                left.remove_prefix(std::min(left.size(), comma + 1));
                if (column == Column::labels && lower_[place] != "labels") {
                    taken_[place] = true;
                    found_.labels.push_back(place);
                } else {
                    take(column, place);
                }
            }
        }
    }

    void known(Column column, std::initializer_list<std::string_view> names) {
        if (found_.at(column)) return;
        std::optional<std::size_t> place;
        for (std::size_t i = 0; i < header_.size(); ++i) {
            const auto same = [&](std::string_view name) { return lower_[i] == name || header_[i] == name; };
            if (taken_[i] || header_[i].empty() || std::none_of(names.begin(), names.end(), same)) continue;
            if (place) {
                raise(Code::data_column, "columns " + std::to_string(*place + 1) + " and " + std::to_string(i + 1) +
                                             " are both " + in_quotes(column_names[static_cast<std::size_t>(column)]) +
                                             "; allowed: once");
            }
            place = i;
        }
        if (place) take(column, *place);
    }

    void timestamp_of_victoria_metrics() {
        for (std::size_t i = 0; i < lower_.size() && !found_.at(Column::timestamp); ++i) {
            if (lower_[i].starts_with("__timestamp__")) take(Column::timestamp, i);
        }
    }

    void replicas() {
        if (!found_.replicas.empty()) return;
        for (std::size_t i = 0; i < header_.size(); ++i) {
            const bool ours = lower_[i] == "replica";
            const auto& theirs = options_.replica_labels;
            const bool is_theirs = std::find(theirs.begin(), theirs.end(), header_[i]) != theirs.end();
            if (!taken_[i] && (ours || is_theirs)) take(Column::replica, i);
        }
    }

    [[noreturn]] void missing(std::string_view column) const {
        std::string hint;
        const bool looks_like_data = std::any_of(header_.begin(), header_.end(), [](std::string_view cell) {
            return cell.size() >= 9 && try_parse_time(cell).has_value();
        });
        if (looks_like_data) {
            hint = "the first line looks like data, not like a header: " + header_text(header_) +
                   "; put one in front (older VictoriaMetrics writes none: put the export's format there, such as "
                   "__name__,track,__value__,__timestamp__:unix_s); ";
        }
        if (column == "series")
            hint = "a table that does not name its series is read for a plan of a single one, and this plan has " +
                   (options_.names.empty() ? std::string("none") : std::to_string(options_.names.size())) + "; ";
        raise(Code::data_column, hint + "column " + in_quotes(column) +
                                     " is missing from the header; allowed: " + std::string(columns_allowed));
    }

    /// What the columns are whose names are not ours.
    void rest() {
        if (own_form_) return labels_of_own_form();
        if (!found_.at(Column::value)) {
            wide();
            if (!found_.values.empty()) return;
            missing(found_.at(Column::series) || found_.at(Column::arm) || header_.size() < 2 ? "value" : "series");
        }
        for (std::size_t i = 0; i < header_.size(); ++i) {
            if (!taken_[i]) ignore(i);
        }
        long_form();
    }

    void labels_of_own_form() {
        for (std::size_t i = 0; i < header_.size(); ++i) {
            const bool about = lower_[i].empty() || lower_[i] == "result" || lower_[i] == "table" ||
                               lower_[i] == "_start" || lower_[i] == "_stop";
            if (taken_[i] || about) continue;
            if (lower_[i] == "_measurement") {
                found_.measurement = i;
            } else {
                found_.labels.push_back(i);
            }
        }
        if (!found_.at(Column::value)) missing("value");
        long_form();
    }

    void long_form() {
        if (!found_.at(Column::series)) {
            if (options_.names.size() != 1) missing("series");
            found_.one_name = true;
        }
        const bool told_elsewhere = found_.at(Column::series) || found_.at(Column::labels);
        if (!found_.at(Column::arm) && !options_.service && !told_elsewhere) missing("arm");
    }

    void ignore(std::size_t place) {
        found_.ignored.push_back(header_[place].empty() ? "column " + std::to_string(place + 1)
                                                        : std::string(header_[place]));
    }

    void wide() {
        if (found_.at(Column::series)) return;
        const bool arm_in_row = found_.at(Column::arm) || found_.tags;
        std::map<std::string, std::size_t> seen;
        for (std::size_t i = 0; i < header_.size(); ++i) {
            if (taken_[i]) continue;
            if (header_[i].empty()) {
                ignore(i);
                continue;
            }
            SeriesText series = read_series_text(header_[i], options_);
            const bool asked =
                std::find(options_.names.begin(), options_.names.end(), series.name) != options_.names.end();
            if (arm_in_row) {
                series.arm.reset();  // a column says it
                if (!asked &&
                    std::find(options_.names.begin(), options_.names.end(), header_[i]) != options_.names.end())
                    series = {.name = std::string(header_[i])};
                else if (!asked && !options_.names.empty()) {
                    ignore(i);
                    continue;
                } else if (!asked) {
                    series.name = header_[i];
                }
            } else if (!series.arm && !options_.service) {
                found_.neither.emplace_back(header_[i]);
                if (found_.neither_why.empty()) found_.neither_why = series.neither;
                continue;
            } else if (!series.arm && !options_.names.empty() && !asked) {
                ignore(i);
                continue;
            }
            if (series.name.empty()) nameless(i);
            const auto [before, fresh] = seen.try_emplace(std::string(header_[i]), i);
            if (!fresh) {
                raise(Code::data_column, "columns " + std::to_string(before->second + 1) + " and " +
                                             std::to_string(i + 1) + " are both " + in_quotes(header_[i]) +
                                             "; allowed: once");
            }
            found_.values.push_back({i, std::move(series)});
        }
        if (found_.values.empty() && !found_.neither.empty()) {
            raise(Code::data_arm,
                  "none of the columns " + header_text(header_) + " belongs to an arm, and there is no column arm: " +
                      found_.neither_why + "; allowed: " + std::string(columns_allowed) + "; of series: names with " +
                      in_quotes(options_.arms.baseline) + " or " + in_quotes(options_.arms.canary) +
                      " in them, or label sets with " + in_quotes(options_.arms.label) + " (\"arms\" can say others)");
        }
    }

    [[noreturn]] void nameless(std::size_t place) const {
        std::string asked;
        for (const std::string& name : options_.names) asked += (asked.empty() ? "" : ", ") + in_quotes(name);
        raise(Code::data_column,
              "column " + std::to_string(place + 1) + " is " + in_quotes(header_[place]) + ", which names no series" +
                  (asked.empty() ? "" : ", and the plan reads " + asked) +
                  "; allowed: a series' name in every column (in Grafana: a legend such as \"http_requests "
                  "{{track}}\" for each query), or one file a series and a plan of one");
    }

    std::span<const std::string_view> header_;
    const ReadOptions& options_;
    std::vector<std::string> lower_;
    std::vector<bool> taken_;
    TableColumns found_;
    bool own_form_ = false;
};

/// The first eight.
std::string listed(std::vector<std::string> names) {
    constexpr std::size_t most = 8;
    const bool more = names.size() > most;
    if (more) names.resize(most);
    return joined(names) + (more ? ", ..." : "");
}

/// Rows of one series and time that differ in their value and in a column that is not read are of several series.
void check_what_tells_apart(const Batch& batch, const std::vector<std::string>& ignored) {
    for (const ArmSeries& one : batch.series) {
        const auto& times = one.series.times_ms;
        if (std::adjacent_find(times.begin(), times.end(), std::greater_equal<>()) == times.end()) continue;
        std::vector<std::size_t> order(times.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return times[a] < times[b]; });
        for (std::size_t i = 1; i < order.size(); ++i) {
            const double a = one.series.values[order[i - 1]], b = one.series.values[order[i]];
            if (times[order[i - 1]] != times[order[i]] || a == b || std::isnan(a) || std::isnan(b)) continue;
            raise(Code::data_column, "the " + std::string(word(one.arm)) + "'s " + in_quotes(one.name) + " is " +
                                         given_text(a) + " and " + given_text(b) + " at " +
                                         format_time(times[order[i]]) +
                                         ", and what may tell the two apart is not read: column " + listed(ignored) +
                                         "; allowed: one value a time and series; say \"columns\": labels=" +
                                         printable(ignored.front(), 60) + " (or instance=) to read it");
        }
    }
}

}  // namespace

std::optional<Arm> arm_of(std::string_view text, const Arms& arms) noexcept {
    if (text == arms.baseline) return Arm::baseline;
    if (text == arms.canary) return Arm::canary;
    return parse_word<Arm>(text);
}

Labels read_labels(std::string_view text) {
    const auto refuse = [&] {
        raise(Code::data_value, "labels are " + in_quotes(text) + "; allowed: {name=\"value\",...}");
    };
    Labels labels;
    std::string_view rest = trimmed(text);
    if (!rest.empty() && rest.front() == '{') {
        if (rest.back() != '}') refuse();
        rest = rest.substr(1, rest.size() - 2);
    }
    for (rest = trimmed(rest); !rest.empty(); rest = trimmed(rest)) {
        std::string name;
        if (rest.front() == '"') {
            name = read_quoted(rest, text);
        } else {
            const std::size_t end = rest.find_first_of("=,\"");
            if (end == std::string_view::npos || rest[end] != '=') refuse();
            name = trimmed(rest.substr(0, end));
            rest.remove_prefix(end);
        }
        rest = trimmed(rest);
        if (name.empty() || rest.empty() || rest.front() != '=') refuse();
        rest = trimmed(rest.substr(1));
        if (rest.empty() || rest.front() != '"') refuse();
        if (!labels.emplace(std::move(name), read_quoted(rest, text)).second) refuse();
        rest = trimmed(rest);
        if (!rest.empty() && rest.front() != ',') refuse();
        if (!rest.empty()) rest.remove_prefix(1);
    }
    return labels;
}

void take_labels(SeriesText& series, Labels labels, const ReadOptions& options) {
    const auto take = [&](const std::string& name) {
        std::string value;
        if (const auto found = labels.find(name); found != labels.end()) {
            value = std::move(found->second);
            labels.erase(found);
        }
        return value;
    };
    const std::string name = take("__name__");
    if (series.name.empty()) series.name = name;
    const bool named = labels.contains(options.arms.label);
    const std::string arm = take(options.arms.label);
    if (!series.arm) {
        series.arm = arm_of(arm, options.arms);
        if (!series.arm) {
            series.neither = named ? "the label " + in_quotes(options.arms.label) + " is " + in_quotes(arm)
                                   : "no label " + in_quotes(options.arms.label);
        }
    }
    if (const std::string le = take("le"); !le.empty()) {
        const auto bound = parse_number(le);
        if (!bound || !(*bound > -std::numeric_limits<double>::infinity()))
            raise(Code::data_value, "the label le is " + in_quotes(le) + "; allowed: a number, +Inf");
        if (std::isnan(series.le)) series.le = *bound + 0.0;  // -0 is 0
    }
    if (series.instance.empty() && !options.instance_label.empty()) series.instance = take(options.instance_label);
    if (series.instance.empty()) series.instance = take("pod");
    for (const std::string& label : options.replica_labels) {
        const std::string value = take(label);
        if (!value.empty()) series.replica += (series.replica.empty() ? "" : ",") + value;
    }
    series.labels.merge(labels);
}

SeriesText read_series_text(std::string_view given, const ReadOptions& options) {
    SeriesText series;
    const std::string_view text = trimmed(given);
    const auto the_only_name = [&] {
        if (series.name.empty() && options.names.size() == 1) series.name = options.names.front();
    };
    if (const std::size_t brace = text.find('{'); brace != std::string_view::npos && text.back() == '}') {
        series.name = trimmed(text.substr(0, brace));
        take_labels(series, read_labels(text.substr(brace)), options);
        the_only_name();
        return series;
    }
    std::string left(text);
    if (std::find(options.names.begin(), options.names.end(), left) == options.names.end()) {
        std::string name = take_name(left, options.names);
        series.arm = take_arm(left, options.arms);
        if (name.empty()) name = take_name(left, options.names);
        if (name.empty()) {
            series.name = std::move(left);
        } else {
            series.name = std::move(name);
            if (!left.empty()) series.labels.emplace("legend", std::move(left));
        }
        the_only_name();
    } else {
        series.name = std::move(left);
    }
    if (!series.arm) {
        series.neither = "no " + in_quotes(options.arms.baseline) + " or " + in_quotes(options.arms.canary) +
                         " alone in " + in_quotes(text);
    }
    return series;
}

TableColumns find_columns(std::span<const std::string_view> header, const ReadOptions& options) {
    return Finder(header, options).find();
}

void tell_left_aside(Batch& batch, const LeftAside& aside, bool long_form, const ReadOptions& options) {
    if (batch.series.empty() && !aside.neither.empty()) {
        raise(Code::data_arm,
              (aside.first_neither.empty() ? "no series belongs to an arm: " + aside.neither.begin()->first
                                           : aside.first_neither) +
                  "; allowed: " + in_quotes(options.arms.baseline) + " or \"baseline\", and " +
                  in_quotes(options.arms.canary) + " (\"arms\" can say others)");
    }
    std::vector<std::string> columns = aside.columns;
    if (long_form && !columns.empty()) check_what_tells_apart(batch, columns);
    const auto note = [&](Code code, std::vector<NamedNumber> numbers, std::vector<NamedText> texts) {
        Reason reason;
        reason.code = code;
        reason.numbers = std::move(numbers);
        reason.texts = std::move(texts);
        batch.notes.push_back(std::move(reason));
    };
    std::sort(columns.begin(), columns.end());
    columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
    if (!columns.empty()) note(Code::columns_ignored, {}, {{"names", listed(columns)}});
    for (const auto& [why, count] : aside.rows)
        note(Code::rows_ignored, {{"count", static_cast<double>(count)}}, {{"why", why}});
    if (!aside.neither.empty()) {
        std::size_t count = 0;
        std::vector<std::string> whys;
        for (const auto& [why, times] : aside.neither) {
            count += times;
            whys.push_back(std::to_string(times) + " series, " + why);
        }
        note(Code::series_of_neither_arm, {{"count", static_cast<double>(count)}}, {{"why", listed(whys)}});
    }
    if (!aside.without_zone.empty()) note(Code::zone_not_said, {}, {{"text", aside.without_zone}});
    if (!aside.fine.empty()) note(Code::times_finer, {}, {{"text", aside.fine}, {"unit", aside.fine_unit}});
}

}  // namespace io
}  // namespace v0
}  // namespace serinus
