#pragma once
/// \file
/// A decision in any of the forms that a report has.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <serinus/core/words.hpp>
#include <serinus/report/record.hpp>
#include <serinus/report/text.hpp>

namespace serinus {
inline namespace v0 {
namespace report {

/// For people `text`, `markdown` and `html`; for pipelines the others (report/pipelines.hpp).
enum class Form : std::uint8_t { text = 1, markdown, html, github, junit, openmetrics, cdevents };

struct DocumentOptions {
    TextOptions text{};  ///< colour and width are of text alone; who reads it, of all three for people
    std::string_view environment = "production";  ///< of `cdevents`
};

/// What the function of that name gives. Raises what that raises. Cost: that of the function.
std::string document(const Record& record, Form form, const DocumentOptions& options = {});

}  // namespace report

template <>
struct Words<report::Form> {
    static constexpr std::array<std::pair<report::Form, std::string_view>, 7> table{
        {{report::Form::text, "text"},
         {report::Form::markdown, "markdown"},
         {report::Form::html, "html"},
         {report::Form::github, "github"},
         {report::Form::junit, "junit"},
         {report::Form::openmetrics, "openmetrics"},
         {report::Form::cdevents, "cdevents"}}};
};

}  // namespace v0
}  // namespace serinus
