#pragma once
/// \file
/// Text for a terminal as it grows: labelled paragraphs, wrapped and painted; inside the library only.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/quote.hpp>
#include <serinus/core/text.hpp>
#include <serinus/report/text.hpp>

#include "report/number.hpp"

namespace serinus {
inline namespace v0 {
namespace report {

constexpr std::size_t widest_name_column = 24;  // a longer name gets a line of its own
constexpr std::size_t label_width = 7;          // "promise"

enum class Style { plain, good, bad, open, quiet };

/// Characters, not bytes: names may be UTF-8.
inline std::size_t length(std::string_view text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

inline std::string padded(std::string text, std::size_t width) {
    const std::size_t shown = length(text);
    if (shown < width) text.append(width - shown, ' ');
    return text;
}

inline std::string shown_name(std::string_view name) { return printable(name, 100); }

inline std::string upper_case(std::string_view text) {
    std::string upper(text);
    for (char& c : upper) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return upper;
}

/// `serinus check PLAN DATA`, or `serinus.check(plan, data)`.
inline std::string call(Face face, const std::string& command, const std::string& data) {
    return face == Face::python ? "serinus." + command + "(plan, " + data + ")"
                                : "serinus " + command + " PLAN " + upper_case(data);
}

/// Words in lines of at most `width` characters. A number keeps its "%"; a word that is longer than a line is cut.
inline std::vector<std::string> wrapped(std::string_view text, std::size_t width) {
    std::vector<std::string> lines(1);
    while (!text.empty()) {
        std::size_t end = std::min(text.find(' '), text.size());
        if (text.substr(end).starts_with(" %")) end = std::min(text.find(' ', end + 1), text.size());
        std::string_view word = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (!lines.back().empty() && length(lines.back()) + 1 + length(word) > width) lines.emplace_back();
        if (!lines.back().empty()) lines.back() += ' ';
        while (length(word) > width) {
            std::size_t cut = 0;
            for (std::size_t taken = 0; taken < width; ++taken)
                cut += std::max<std::size_t>(1, utf8_length(word.substr(cut)));
            lines.back() += word.substr(0, cut);
            lines.emplace_back();
            word.remove_prefix(cut);
        }
        lines.back() += word;
    }
    return lines;
}

/// The text as it grows, line by line.
class Page {
  public:
    /// `width`: the longest line of what is wrapped, in characters; less than 60 counts as 60.
    Page(bool color, int width) : color_(color), width_(static_cast<std::size_t>(std::max(60, width))) {}

    std::size_t width() const { return width_; }

    std::string painted(const std::string& text, Style style) const {
        if (!color_ || text.empty()) return text;
        switch (style) {
            case Style::plain: return text;
            case Style::good: return "\x1b[1;32m" + text + "\x1b[0m";
            case Style::bad: return "\x1b[1;31m" + text + "\x1b[0m";
            case Style::open: return "\x1b[1;33m" + text + "\x1b[0m";
            case Style::quiet: return "\x1b[2m" + text + "\x1b[0m";
        }
        return text;
    }

    void line(std::string text) {
        text.erase(text.find_last_not_of(' ') + 1);
        text_ += text + '\n';
    }

    void wrapped_lines(std::string_view text, std::size_t indent, Style style = Style::plain) {
        for (const std::string& part : wrapped(text, width_ - indent))
            line(std::string(indent, ' ') + painted(part, style));
    }

    /// "  why      sentence", each sentence on lines of its own.
    void paragraph(std::string_view label, const std::vector<std::string>& sentences) {
        const std::size_t indent = 2 + label_width + 2;
        std::string head =
            "  " + painted(std::string(label), Style::quiet) + std::string(indent - 2 - label.size(), ' ');
        for (const std::string& sentence : sentences) {
            for (const std::string& part : wrapped(sentence, width_ - indent)) {
                line(head + part);
                head.assign(indent, ' ');
            }
        }
    }

    std::string take() { return std::move(text_); }

  private:
    bool color_;
    std::size_t width_;
    std::string text_;
};

inline std::string plural(std::int64_t number, std::string_view noun) {
    return count(static_cast<double>(number)) + " " + std::string(noun) + (number == 1 ? "" : "s");
}

}  // namespace report
}  // namespace v0
}  // namespace serinus
