#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#include <unistd.h>
#endif

#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/core/text.hpp>
#include <serinus/io/backtest.hpp>
#include <serinus/report/backtest.hpp>
#include <serinus/rollout/backtest.hpp>

#include "cli/inputs.hpp"
#include "cli/options.hpp"

namespace serinus {
inline namespace v0 {
namespace cli {
namespace {

/// "[#####.....] 6 of 12", on standard error while it is a terminal; nothing is left of it in the end.
class ProgressBar {
  public:
    explicit ProgressBar(std::size_t steps) : steps_(steps), shown_(on_terminal()) { show(); }
    ~ProgressBar() {
        if (shown_) std::fputs("\r\x1b[K", stderr);
    }
    ProgressBar(const ProgressBar&) = delete;
    ProgressBar& operator=(const ProgressBar&) = delete;

    void step() {
        ++done_;
        show();
    }

  private:
    static bool on_terminal() {
#if defined(__unix__) || defined(__APPLE__)
        return isatty(STDERR_FILENO) != 0;
#else
        return false;
#endif
    }
    void show() const {
        if (!shown_ || steps_ == 0) return;
        constexpr std::size_t width = 30;
        const std::size_t filled = width * std::min(done_, steps_) / steps_;
        const std::string bar = "\r[" + std::string(filled, '#') + std::string(width - filled, '.') + "] " +
                                std::to_string(done_) + " of " + std::to_string(steps_);
        std::fputs(bar.c_str(), stderr);
        std::fflush(stderr);
    }

    std::size_t steps_, done_ = 0;
    bool shown_;
};

/// What a release's folder has of the two kinds of data: "history.csv", "rollout.json.gz" ...
struct Folder {
    std::string name;
    std::vector<std::string> history, rollout;
};

std::vector<Folder> folders_in(const std::string& path) {
    namespace fs = std::filesystem;
    std::error_code problem;
    std::vector<Folder> folders;
    for (fs::directory_iterator at(path, problem), end; !problem && at != end; at.increment(problem)) {
        std::error_code unreadable;
        if (!at->is_directory(unreadable)) continue;
        Folder& folder = folders.emplace_back();
        folder.name = at->path().filename().string();
        for (fs::directory_iterator file(at->path(), problem), last; !problem && file != last;
             file.increment(problem)) {
            const std::string name = file->path().filename().string();
            if (name.starts_with("history.")) folder.history.push_back(file->path().string());
            if (name.starts_with("rollout.")) folder.rollout.push_back(file->path().string());
        }
        if (problem) break;
        if (folder.rollout.empty())
            raise(Code::file_read, shown_file(at->path().string()) +
                                       ": a release without its rollout; allowed: a file rollout.csv, and history.csv "
                                       "where there is one");
        std::sort(folder.history.begin(), folder.history.end());
        std::sort(folder.rollout.begin(), folder.rollout.end());
    }
    if (problem) raise(Code::file_read, shown_file(path) + ": " + problem.message());
    if (folders.empty())
        raise(Code::file_read,
              shown_file(path) +
                  ": no release in it; allowed: a folder with one folder a release, each with a file rollout.csv");
    std::sort(folders.begin(), folders.end(), [](const Folder& x, const Folder& y) { return x.name < y.name; });
    return folders;
}

/// What is known of the releases by their names; a name that no folder has is refused.
std::map<std::string, io::KnownRelease> labels_in(const BacktestOptions& options, const std::vector<Folder>& folders) {
    const std::string path = (std::filesystem::path(options.releases) / "labels.csv").string();
    std::map<std::string, io::KnownRelease> known;
    if (!std::filesystem::exists(path)) {
        if (!options.since.empty() || !options.until.empty())
            raise(
                Code::file_read,
                shown_file(path) + ": is not there; allowed with --since and --until: a table that has their columns");
        return known;
    }
    try {
        for (io::KnownRelease& row : io::read_release_labels(read_file(path), options.since, options.until)) {
            const bool there = std::any_of(folders.begin(), folders.end(),
                                           [&](const Folder& folder) { return folder.name == row.release; });
            if (!there)
                raise(Code::data_value, "the release " + in_quotes(row.release) +
                                            " has a label and no folder; allowed: the releases that are there");
            std::string name = row.release;
            known.emplace(std::move(name), std::move(row));
        }
    } catch (const Error& error) {
        raise(error.within(shown_file(path)));
    }
    return known;
}

}  // namespace

std::vector<FormerRelease> read_releases(const BacktestOptions& options, const Plan& plan) {
    const std::vector<Folder> folders = folders_in(options.releases);
    const std::map<std::string, io::KnownRelease> known = labels_in(options, folders);
    const DataWords words{options.arms, options.columns};
    std::vector<FormerRelease> releases;
    for (const Folder& folder : folders) {
        FormerRelease& release = releases.emplace_back();
        release.name = folder.name;
        if (!folder.history.empty()) release.history = read_data_files(folder.history, plan, words);
        release.rollout = read_data_files(folder.rollout, plan, words);
        const auto label = known.find(folder.name);
        if (label == known.end()) continue;
        release.label = label->second.label;
        release.since_ms = label->second.since_ms;
        release.until_ms = label->second.until_ms;
    }
    return releases;
}

Exit backtest_command(const BacktestOptions& options) {
    const Plan plan = read_plan_file(options.plan);
    std::vector<std::pair<std::string, Plan>> plans{{"", plan}};
    for (const std::string& change : options.tries) {
        try {
            plans.emplace_back(change, io::changed_plan(plan, change));
        } catch (const Error& error) {
            raise(error.within("--try " + printable(change, 200)));
        }
    }
    const std::vector<FormerRelease> releases = read_releases(options, plan);
    std::vector<Backtest> runs;
    {
        ProgressBar bar(plans.size() * releases.size());
        for (const auto& [change, tried] : plans) {
            runs.push_back(backtest(tried, releases, [&](double) { bar.step(); }));
            runs.back().change = change;
        }
    }
    switch (options.format) {
        case TableFormat::text:
            write_output(report::text(runs, {.color = colored(options.color), .width = output_width()}));
            break;
        case TableFormat::json: write_output(io::write_backtest(runs) + "\n"); break;
        case TableFormat::csv: write_output(io::write_backtest_csv(runs)); break;
    }
    const Backtest& first = runs.front();
    return first.false_alarms.count + first.misses.count > 0 ? Exit::rollback : Exit::promote;
}

}  // namespace cli
}  // namespace v0
}  // namespace serinus
