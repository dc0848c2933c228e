#include <string>

#include <serinus/core/error.hpp>
#include <serinus/io/csv.hpp>
#include <serinus/io/data.hpp>
#include <serinus/io/openmetrics.hpp>
#include <serinus/io/otlp.hpp>
#include <serinus/io/prometheus.hpp>
#include <serinus/io/victoriametrics.hpp>

#include "encoding.hpp"
#include "formats.hpp"

namespace serinus {
inline namespace v0 {
namespace io {

DataFormat guess_format(std::string_view text) {
    if (looks_like_openmetrics(text)) return DataFormat::openmetrics;
    if (looks_like_otlp(text)) return DataFormat::otlp;
    if (looks_like_victoriametrics(text)) return DataFormat::victoriametrics;
    if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
    const auto first = text.find_first_not_of(" \t\r\n");
    const bool json = first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
    return json ? DataFormat::prometheus : DataFormat::csv;
}

Batch read_data(std::string_view bytes, const ReadOptions& options) {
    std::string storage;
    const std::string_view text = to_utf8(bytes, storage, options.max_bytes);
    switch (guess_format(text)) {
        case DataFormat::openmetrics: return read_openmetrics(text, options);
        case DataFormat::otlp: return read_otlp(text, options);
        case DataFormat::victoriametrics: return read_victoriametrics(text, options);
        case DataFormat::prometheus: refuse_by_name(text); return read_prometheus(text, options);
        case DataFormat::csv: break;
    }
    refuse_by_name(text);
    return read_csv(text, options);
}

Batch read_service_data(std::string_view text, const ReadOptions& options) {
    ReadOptions service = options;
    service.service = true;
    try {
        return read_data(text, service);
    } catch (const Error& error) {
        if (error.code() != Code::data_arm) throw;
        std::string storage;
        if (guess_format(to_utf8(text, storage, options.max_bytes)) == DataFormat::csv) throw;
        service.arms.baseline = "";
        return read_data(text, service);
    }
}

}  // namespace io
}  // namespace v0
}  // namespace serinus
