#pragma once
/// \file
/// What a decision says, sentence by sentence, before it is laid out: text, Markdown and HTML say the same. Inside the
/// library only.

#include <string>
#include <vector>

#include <serinus/report/record.hpp>
#include <serinus/report/text.hpp>
#include <serinus/rollout/decision.hpp>

#include "report/page.hpp"

namespace serinus {
inline namespace v0 {
namespace report {

/// One metric, in the words of a table.
struct MetricTold {
    std::string name;
    Style style = Style::open;
    std::string verdict;   ///< "fail", "no data"
    std::string estimate;  ///< "3.15x baseline"
    std::string range;     ///< "2.21x to 4.43x"
    std::string allowed;   ///< "allowed 2x"
    std::string status;    ///< "evidence 412, needs 20"
    std::string safe;      ///< "safe so far: 1.7 of 5 needed to rule out harm of 4x"; empty where it is not asked
    std::string counts;    ///< "canary: 374 of 9,120 requests failed (4.1 %); baseline: ..."
};

/// One decision.
struct Told {
    Style style = Style::open;
    std::string verdict;  ///< "ROLLBACK"
    std::string who;      ///< the deployment, or the plan
    std::string where;    ///< "stage 1 of 3, 1 % of traffic, after 12m 40s"
    std::vector<MetricTold> metrics;
    std::vector<std::string> why, budget, data, noise, promise;
    std::string next;
    std::vector<std::string> reached;  ///< what the users had of the canary; not of on-call's view
    std::vector<std::string> all;      ///< every reason with its code, and what became of the samples: of debug's view
};

/// Those that fail first, then those that are open, then those that pass; each as the plan orders them.
std::vector<const MetricTold*> by_gravity(const std::vector<MetricTold>& metrics);

Told told(const Decision& decision, Face face, View view = View::on_call);
/// Of the last decision of a record, which has one. It also knows the plan and the names of the data, where there are
/// any.
Told told(const Record& record, Face face, View view = View::on_call);

/// How much worse the canary may be, on the scale of the estimate: 2, 0.5 (of a decrease), 0.002; of a margin with a
/// floor 1 or -1.
double bound_of(const MetricResult& metric);

}  // namespace report
}  // namespace v0
}  // namespace serinus
