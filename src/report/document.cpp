#include <serinus/report/document.hpp>
#include <serinus/report/html.hpp>
#include <serinus/report/markdown.hpp>
#include <serinus/report/pipelines.hpp>

namespace serinus {
inline namespace v0 {
namespace report {

std::string document(const Record& record, Form form, const DocumentOptions& options) {
    switch (form) {
        case Form::text: break;
        case Form::markdown: return markdown(record, options.text.face, options.text.view);
        case Form::html: return html(record, options.text.face, options.text.view);
        case Form::github: return github(record, options.text.face);
        case Form::junit: return junit(record, options.text.face);
        case Form::openmetrics: return openmetrics(record);
        case Form::cdevents: return cdevents(record, {.environment = options.environment});
    }
    return text(record, options.text);
}

}  // namespace report
}  // namespace v0
}  // namespace serinus
