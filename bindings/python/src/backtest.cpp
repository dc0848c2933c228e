/// \file
/// Former releases for Python: read from a folder, replayed through a plan.

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <pybind11/stl.h>

#include <serinus/core/words.hpp>
#include <serinus/io/backtest.hpp>
#include <serinus/report/backtest.hpp>
#include <serinus/rollout/backtest.hpp>

#include "arguments.hpp"
#include "cli/options.hpp"
#include "functions.hpp"

namespace serinus::python {
namespace {

/// A list that Python fills and hands back.
struct Releases {
    std::vector<FormerRelease> all;
};

}  // namespace

void register_backtest(Module& module) {
    Class<Releases>(module, "Releases")
        .init([] { return Releases(); })
        .def("add",
             [](Releases& releases, const std::string& name, const Batch& rollout, const Batch& history,
                const std::string& label, std::optional<std::int64_t> since_ms, std::optional<std::int64_t> until_ms) {
                 std::optional<ReleaseLabel> known;
                 if (!label.empty()) known = require_word<ReleaseLabel>("label", label);
                 releases.all.push_back({name, history, rollout, known, since_ms, until_ms});
             });
    module.def("read_releases", [](const std::string& folder, const Plan& plan, const std::string& since,
                                   const std::string& until, const std::string& arms, const std::string& columns) {
        const py::gil_scoped_release release;
        cli::BacktestOptions options;
        options.releases = folder;
        options.since = since;
        options.until = until;
        options.arms = arms;
        options.columns = columns;
        return Releases{cli::read_releases(options, plan)};
    });
    module.def("backtest", [](const Plan& plan, const Releases& releases, const std::vector<std::string>& tries,
                              const py::object& progress) {
        const double all = static_cast<double>(tries.size() + 1);
        std::vector<Backtest> runs;
        const auto add = [&](const Plan& tried, const std::string& change) {
            const double before = static_cast<double>(runs.size());
            const auto tell = [&](double share) {
                if (!progress.is_none()) progress((before + share) / all);
                if (PyErr_CheckSignals() != 0) throw py::error_already_set();
            };
            runs.push_back(backtest(tried, releases.all, tell));
            runs.back().change = change;
        };
        std::vector<Plan> plans;
        for (const std::string& change : tries) plans.push_back(io::changed_plan(plan, change));
        add(plan, "");
        for (std::size_t i = 0; i < plans.size(); ++i) add(plans[i], tries[i]);
        return std::make_pair(io::write_backtest(runs, -1), report::text(runs));
    });
}

}  // namespace serinus::python
