#pragma once
/// \file
/// Services that are rolled out together: one answer from the decision of each.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include <serinus/core/describe.hpp>
#include <serinus/core/words.hpp>
#include <serinus/rollout/decision.hpp>
#include <serinus/series/time.hpp>

namespace serinus {
inline namespace v0 {

/// What all services of a coordinated rollout should do now.
struct Together {
    Action action = Action::hold;  ///< `decision` in JSON and Python
    bool finished = false;         ///< every service is promoted out of its last stage
    Severity severity = Severity::info;
    /// Of a rollback those that failed, of a hold those that hold: the deployment of each, or its plan's name.
    std::vector<std::string> decided_by = {};
    /// What whoever passes alerts on knows the incident by: the key of the first of these that has one; empty where nobody
    /// is to be told.
    std::string dedupe_key = {};
    /// As of when: the oldest of the decisions' times; empty where one has none.
    std::optional<Time> time = std::nullopt;
    double alpha = 0;  ///< good services are ever rolled back together with at most this probability: the plans' sum
    /// Of dry runs, which hand out `hold`: what it would be without.
    std::optional<Action> would = std::nullopt;

    friend bool operator==(const Together&, const Together&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("decision", self.action);
        visit("finished", self.finished);
        visit("severity", self.severity);
        visit("decided_by", self.decided_by);
        visit("dedupe_key", self.dedupe_key);
        visit("time", self.time);
        visit("alpha", self.alpha);
        visit("would", self.would);
    }
};
static_assert(described_whole<Together>());

/// One answer for services that are rolled out together, from the decision of each: a rollback of any rolls all of them
/// back, they are promoted only if all are, and are held otherwise.
///
/// For versions that need each other, such as an interface and who calls it: each service is judged by a plan of its
/// own, on its own data, and whoever moves the traffic asks this. That good services are ever rolled back has at most
/// the sum of the plans' alphas as its probability (Boole's inequality; exact for services that are judged on different
/// data or on the same): give each plan its part. A service that has finished before the others keeps its promotion.
///
/// decisions: one a service, in any order; raises `serinus.argument.length` for none. Which stage each is in is its own
/// matter: a promotion means that each goes on to its next one.
/// Cost: linear.
///
///     const Together both = decide_together(std::vector{orders.observe(batch), payments.observe(other)});
Together decide_together(std::span<const Decision> decisions);

}  // namespace v0
}  // namespace serinus
