#include <string>

#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/io/csv.hpp>
#include <serinus/io/data.hpp>
#include <serinus/io/prometheus.hpp>

namespace serinus {
inline namespace v0 {
namespace io {

namespace {

PrometheusOptions labels_of(const ReadOptions& options) {
    return {.label = options.arms.label,
            .baseline = options.arms.baseline,
            .canary = options.arms.canary,
            .instance_label = options.instance_label,
            .max_bytes = options.max_bytes};
}

}  // namespace

DataFormat guess_format(std::string_view text) noexcept {
    if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
    const auto first = text.find_first_not_of(" \t\r\n");
    const bool json = first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
    return json ? DataFormat::prometheus : DataFormat::csv;
}

Batch read_data(std::string_view text, const ReadOptions& options) {
    if (guess_format(text) == DataFormat::csv) return read_csv(text, {.max_bytes = options.max_bytes});
    const Arms& arms = options.arms;
    PrometheusAnswer answer = read_prometheus_document(text, labels_of(options));
    if (answer.batch.series.empty() && answer.ignored_series > 0) {
        std::string seen;
        for (const std::string& value : answer.ignored_values) seen += (seen.empty() ? "" : ", ") + in_quotes(value);
        raise(Code::data_arm, "the label " + in_quotes(arms.label) + " of all " +
                                  std::to_string(answer.ignored_series) + " series is " + seen +
                                  "; allowed: " + in_quotes(arms.baseline) + " for the baseline, " +
                                  in_quotes(arms.canary) + " for the canary (the plan's \"arms\" can name others)");
    }
    return std::move(answer.batch);
}

Batch read_service_data(std::string_view text, const ReadOptions& options) {
    try {
        return read_data(text, options);
    } catch (const Error& error) {
        if (error.code() != Code::data_arm || guess_format(text) == DataFormat::csv) throw;
        ReadOptions whole = options;
        whole.arms.baseline = "";
        return read_data(text, whole);
    }
}

}  // namespace io
}  // namespace v0
}  // namespace serinus
