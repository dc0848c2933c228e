#pragma once
/// \file
/// Texts as markup languages take them; inside the library only.

#include <string>
#include <string_view>

#include <serinus/core/version.hpp>

namespace serinus {
inline namespace v0 {
namespace report {

/// For the text and the attributes of HTML and XML.
inline std::string in_markup(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            case '\'': out += "&#39;"; break;
            default: out += c;
        }
    }
    return out;
}

}  // namespace report
}  // namespace v0
}  // namespace serinus
