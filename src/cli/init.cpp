#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <serinus/core/error.hpp>

#include "cli/options.hpp"

namespace serinus {
inline namespace v0 {
namespace cli {
namespace {

/// A series of a first plan and what Prometheus is asked for it.
struct Asked {
    std::string_view series;
    std::string_view query;
};

/// What first plans differ in. The texts stand in the plan as they are, comments included.
struct FirstPlan {
    std::string_view name;
    std::string_view times;  // the keys interval, warm_up and settle
    std::string_view stage;
    std::string_view what;  // the events: "requests"
    std::string_view bad, total;
    std::string_view bucket, bound, time, count;
    std::string_view memory;  // its series; empty: none
    std::vector<Asked> queries;
};

FirstPlan web() {
    return {
        .name = "my-service",
        .times = R"(  // Data are judged in intervals of this length: the time from one sample to the next, or longer.
  "interval": "15s",
  // New pods are not judged while they warm up; an interval is judged this long after its end.
  "warm_up": "1m",
  "settle": "30s",
)",
        .stage = R"({"traffic": 0.1, "min": "10m", "max": "1h"})",
        .what = "requests",
        .bad = "http_errors",
        .total = "http_requests",
        .bucket = "http_request_duration_seconds_bucket",
        .bound = "0.3",
        .time = "300 ms",
        .count = "http_request_duration_seconds_count",
        .memory = "memory_bytes",
        .queries = {{"http_requests", "sum by (track, instance) (http_requests_total{job='my-service'})"},
                    {"http_errors", "sum by (track, instance) (http_requests_total{job='my-service', code=~'5..'})"},
                    {"http_request_duration_seconds_bucket",
                     "sum by (track, instance, le) (http_request_duration_seconds_bucket{job='my-service', le='0.3'})"},
                    {"http_request_duration_seconds_count",
                     "sum by (track, instance) (http_request_duration_seconds_count{job='my-service'})"},
                    {"memory_bytes", "sum by (track, instance) (process_resident_memory_bytes{job='my-service'})"}}};
}

FirstPlan batch() {
    return {
        .name = "my-worker",
        .times = R"(  // Data are judged in intervals of this length: the time from one sample to the next, or longer.
  "interval": "1m",
  // New workers are not judged while they warm up; an interval is judged this long after its end.
  "warm_up": "5m",
  "settle": "1m",
)",
        .stage = R"({"traffic": 0.2, "min": "2h", "max": "1d"})",
        .what = "jobs",
        .bad = "jobs_failed",
        .total = "jobs_done",
        .bucket = "job_duration_seconds_bucket",
        .bound = "300",
        .time = "5 minutes",
        .count = "job_duration_seconds_count",
        .memory = "memory_bytes",
        .queries = {
            {"jobs_done", "sum by (track, instance) (jobs_total{job='my-worker'})"},
            {"jobs_failed", "sum by (track, instance) (jobs_total{job='my-worker', result='failed'})"},
            {"job_duration_seconds_bucket",
             "sum by (track, instance, le) (job_duration_seconds_bucket{job='my-worker', le='300'})"},
            {"job_duration_seconds_count", "sum by (track, instance) (job_duration_seconds_count{job='my-worker'})"},
            {"memory_bytes", "sum by (track, instance) (process_resident_memory_bytes{job='my-worker'})"}}};
}

FirstPlan serverless() {
    return {
        .name = "my-function",
        .times = R"(  // Data are judged in intervals of this length: the time from one sample to the next, or longer.
  "interval": "1m",
  // Cold starts are not judged; an interval is judged this long after its end, for platforms report late.
  "warm_up": "2m",
  "settle": "3m",
)",
        .stage = R"({"traffic": 0.1, "min": "15m", "max": "2h"})",
        .what = "invocations",
        .bad = "function_errors",
        .total = "function_invocations",
        .bucket = "function_duration_seconds_bucket",
        .bound = "1",
        .time = "1 s",
        .count = "function_duration_seconds_count",
        .memory = "",
        .queries = {
            {"function_invocations", "sum by (track, instance) (function_invocations_total{job='my-function'})"},
            {"function_errors",
             "sum by (track, instance) (function_invocations_total{job='my-function', result='error'})"},
            {"function_duration_seconds_bucket",
             "sum by (track, instance, le) (function_duration_seconds_bucket{job='my-function', le='1'})"},
            {"function_duration_seconds_count",
             "sum by (track, instance) (function_duration_seconds_count{job='my-function'})"}}};
}

FirstPlan first_plan(Service service) {
    switch (service) {
        case Service::web: break;
        case Service::batch: return batch();
        case Service::serverless: return serverless();
    }
    return web();
}

std::string& operator<<(std::string& text, std::string_view more) { return text.append(more); }

std::string written(const FirstPlan& of, bool prometheus) {
    std::string text;
    text << "// A first plan, by `serinus init`. Names, times and margins are yours to change; then\n"
            "//   serinus check plan.json data.csv    says what is wrong, and how data of it are understood,\n"
            "//   serinus judge plan.json data.csv    promotes, holds or rolls back.\n"
            "{\n"
            "  \"name\": \""
         << of.name << "\",\n"
         << "  // A good canary is ever rolled back with at most this probability: all looks and metrics together.\n"
            "  \"alpha\": 0.05,\n"
         << of.times
         << "  // The steps of the rollout: the canary's share of the traffic, and how long a step takes.\n"
            "  \"stages\": ["
         << of.stage << "],\n";
    if (prometheus)
        text << "  // What tells the arms apart.\n"
                "  \"arms\": {\"label\": \"track\", \"baseline\": \"stable\", \"canary\": \"canary\"},\n";
    text << "  \"metrics\": [\n"
            "    // Harm beyond \"margin\" (1.5 times as many, and a thousandth of all more) is proven: roll back.\n"
            "    // Harm as large as \"detect\" is ruled out: promote. Else hold.\n"
            "    // \"missing\": a canary that shows nothing at all is rolled back, too.\n"
            "    // \"counter\": the series only ever grow, as in Prometheus; false: counts of each interval.\n"
            "    {\"name\": \"errors\", \"kind\": \"proportion\", \"counter\": true,\n"
            "     \"bad\": \""
         << of.bad << "\", \"total\": \"" << of.total << "\",\n"
         << "     \"margin\": {\"ratio\": 1.5, \"floor\": 0.001}, \"detect\": {\"ratio\": 3, \"floor\": 0.003},\n"
            "     \"missing\": \"fail\"},\n"
         << "    // Of all " << of.what << " those that took longer than " << of.time
         << ": what is not in the histogram's bucket \"le\".\n"
         << "    {\"name\": \"slow\", \"kind\": \"proportion\", \"counter\": true,\n"
            "     \"good\": \""
         << of.bucket << "\", \"le\": " << of.bound << ",\n     \"total\": \"" << of.count << "\",\n"
         << "     \"margin\": {\"difference\": 0.01}}";
    if (of.memory.empty()) {
        text << "\n    // No memory: instances come and go too soon to be compared. What runs out of it is an error.\n";
    } else {
        text << ",\n"
                "    // Of each pod: three or more of the baseline, one or more of the canary, all under the same "
                "load. Two\n"
                "    // of one version may differ by a fifth.\n"
                "    {\"name\": \"memory\", \"kind\": \"gauge\", \"series\": \""
             << of.memory << "\",\n"
             << "     \"margin\": {\"ratio\": 1.5}, \"instances_differ\": 0.2}\n";
    }
    text << "  ]";
    if (prometheus) {
        text << ",\n"
                "  // What to ask Prometheus for, by series. Counters as they are, without rate(); the labels of the "
                "arms\n"
                "  // and of the pods stay.\n"
                "  \"queries\": {\n";
        for (const Asked& asked : of.queries) {
            text << "    \"" << asked.series << "\":\n      \"" << asked.query << "\"";
            text << (&asked == &of.queries.back() ? "\n" : ",\n");
        }
        text << "  }";
    }
    text << "\n}\n";
    return text;
}

}  // namespace

Exit init_command(const InitOptions& options) {
    const std::string text = written(first_plan(options.kind), options.prometheus);
    if (!options.output) {
        write_output(text);
        return Exit::promote;
    }
    std::error_code problem;
    if (std::filesystem::exists(*options.output, problem))
        raise(Code::file_write, shown_file(*options.output) + ": it is there already; allowed: a new file");
    write_file(*options.output, text);
    return Exit::promote;
}

}  // namespace cli
}  // namespace v0
}  // namespace serinus
