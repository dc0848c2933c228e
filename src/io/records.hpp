#pragma once
/// \file
/// A text cut into records and cells; inside the library only.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>

namespace serinus {
inline namespace v0 {
namespace io {

inline std::string line_name(std::int64_t line) { return "line " + std::to_string(line); }

constexpr bool is_space(char c) noexcept { return c == ' ' || c == '\t'; }

/// Cuts a text into records and cells. Cells are views of the text; those with escapes in them are views of a copy that
/// lives until the next record.
class Records {
  public:
    explicit Records(std::string_view text, char separator = ',') : text_(text), separator_(separator) {
        for (const char c : {separator, '\n', '\r', '"'}) stops_[static_cast<unsigned char>(c)] = true;
    }

    /// Quotes within quoted cells are written \" and not "", as VictoriaMetrics does.
    void escape_by_backslash() { backslash_ = true; }

    /// Whether a cell is a view of the text itself, which outlives the record.
    bool lasting(std::string_view cell) const noexcept {
        return std::less_equal<>()(text_.data(), cell.data()) &&
               std::less<>()(cell.data(), text_.data() + text_.size());
    }

    /// The line that the record read last begins on.
    std::int64_t line() const noexcept { return line_; }

    /// The next record that is not blank; false at the end of the text.
    bool next(std::vector<std::string_view>& cells, std::size_t most_cells) {
        cells.clear();
        if (!unescaped_.empty()) unescaped_.clear();
        for (;; end_line()) {
            // A line of tabs alone is blank where they separate nothing.
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
            if (text_[at_] == separator_) continue;
            end_line();
            return true;
        }
    }

  private:
    bool ends_cell(char c) const noexcept { return c == separator_ || c == '\n' || c == '\r'; }
    void skip_spaces() {
        while (at_ < text_.size() && is_space(text_[at_]) && text_[at_] != separator_) ++at_;
    }
    void end_line() {
        if (text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n') ++at_;
        ++at_;
        ++next_line_;
    }
    std::string_view plain_cell() {
        const char* const begin = text_.data() + at_;
        const char* const last = text_.data() + text_.size();
        const char* at = begin;
        while (at != last && !stops_[static_cast<unsigned char>(*at)]) ++at;  // most of what reading costs
        if (at != last && *at == '"') {
            raise(Code::data_document,
                  line_name(line_) + " has a quote inside the cell " + in_quotes(text_.substr(at_, 60)) +
                      "; allowed: cells with quotes are quoted as a whole, the quotes in them doubled");
        }
        at_ += static_cast<std::size_t>(at - begin);
        while (at != begin && is_space(*(at - 1))) --at;
        return {begin, static_cast<std::size_t>(at - begin)};
    }
    std::string_view quoted_cell() {
        const std::size_t begin = ++at_;
        std::string* copy = nullptr;
        std::size_t part = begin;
        std::string_view cell;
        for (;;) {
            const std::size_t mark = backslash_ ? text_.find_first_of("\"\\", at_) : text_.find('"', at_);
            if (mark == std::string_view::npos || (text_[mark] == '\\' && mark + 1 == text_.size())) {
                raise(Code::data_document, line_name(line_) + " has a quoted cell that never ends: " +
                                               in_quotes(text_.substr(begin, 61)) + "; allowed: a closing quote");
            }
            at_ = mark + 1;
            const bool doubled = text_[mark] == '"' && at_ < text_.size() && text_[at_] == '"' && !backslash_;
            if (doubled || text_[mark] == '\\') {
                if (copy == nullptr) copy = &unescaped_.emplace_back();
                copy->append(text_.substr(part, mark - part));
                *copy += text_[at_] == 'n' ? '\n' : text_[at_];
                part = ++at_;
                continue;
            }
            if (copy == nullptr) {
                cell = text_.substr(begin, mark - begin);
            } else {
                copy->append(text_.substr(part, mark - part));
                cell = *copy;
            }
            break;
        }
        next_line_ += std::count(text_.begin() + static_cast<std::ptrdiff_t>(begin),
                                 text_.begin() + static_cast<std::ptrdiff_t>(at_), '\n');
        skip_spaces();
        if (at_ < text_.size() && !ends_cell(text_[at_])) {
            raise(Code::data_document, line_name(line_) + " has text after the quoted cell " + in_quotes(cell) +
                                           "; allowed: a " + (separator_ == ',' ? "comma" : "separator") +
                                           " or the line's end");
        }
        return cell;
    }

    std::string_view text_;
    char separator_;
    bool backslash_ = false;
    std::array<bool, 256> stops_{};  ///< what ends a cell without quotes, or must not be in one
    std::size_t at_ = 0;
    std::int64_t line_ = 1;
    std::int64_t next_line_ = 1;
    std::deque<std::string> unescaped_;
};

}  // namespace io
}  // namespace v0
}  // namespace serinus
