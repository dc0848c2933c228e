#pragma once
/// \file
/// What an audit log tells when it is read again: whether it is what was written, and whether its decisions come out of
/// it again. Logs are written and replayed by io/audit.hpp.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/describe.hpp>
#include <serinus/core/words.hpp>
#include <serinus/series/time.hpp>

namespace serinus {
inline namespace v0 {

/// What made a decision.
struct Build {
    std::string version;   ///< of Serinus
    std::string compiler;  ///< "gcc 12.2.0"
    std::string target;    ///< "linux x86_64"
    /// Of the very file that the program ran (the GNU build id of its ELF object); empty where there is none. Builds
    /// without it are never taken for the same.
    std::string id;

    friend bool operator==(const Build&, const Build&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("version", self.version);
        visit("compiler", self.compiler);
        visit("target", self.target);
        visit("id", self.id);
    }
};
static_assert(described_whole<Build>());

/// The build that this function is part of. Cost: O(objects of the process).
Build this_build();

/// What happened at a line of a log.
enum class AuditCall : std::uint8_t {
    plan = 1,         ///< a plan stands here, and a new Monitor of it begins
    judge = 2,        ///< all data were judged at once
    observe = 3,      ///< a Monitor was handed data
    flush = 4,        ///< it was told that they are complete
    enter_stage = 5,  ///< it was told that a stage began
    restart = 6,      ///< it was told that an instance began again
    restore = 7       ///< it took over a state
};

template <>
struct Words<AuditCall> {
    static constexpr std::array<std::pair<AuditCall, std::string_view>, 7> table{
        {{AuditCall::plan, "plan"},
         {AuditCall::judge, "judge"},
         {AuditCall::observe, "observe"},
         {AuditCall::flush, "flush"},
         {AuditCall::enter_stage, "enter_stage"},
         {AuditCall::restart, "restart"},
         {AuditCall::restore, "restore"}}};
};

/// Whether a line's decision came out again.
enum class Reproduced : std::uint8_t {
    exactly = 1,    ///< bit for bit
    nearly = 2,     ///< as another build may have it: the same words, numbers to 1e-9 (docs/how-to/audit.md)
    no = 3,         ///< another decision
    not_tried = 4,  ///< what it rests on was changed or is missing
    nothing = 5     ///< there is no decision in the line
};

template <>
struct Words<Reproduced> {
    static constexpr std::array<std::pair<Reproduced, std::string_view>, 5> table{{{Reproduced::exactly, "exactly"},
                                                                                   {Reproduced::nearly, "nearly"},
                                                                                   {Reproduced::no, "no"},
                                                                                   {Reproduced::not_tried, "not_tried"},
                                                                                   {Reproduced::nothing, "nothing"}}};
};

/// One line of a log that is what was written.
struct AuditedLine {
    std::int64_t line = 0;  ///< in the file, from 1
    AuditCall call = AuditCall::plan;
    std::optional<Time> asked = std::nullopt;  ///< when, by the clock of who asked
    std::optional<Time> time = std::nullopt;   ///< that the decision was made for
    std::string deployment;
    std::string decision;  ///< "rollback"; empty where there is none
    Reproduced reproduced = Reproduced::nothing;
    bool same_build = true;  ///< it was written by the build that reads it

    friend bool operator==(const AuditedLine&, const AuditedLine&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("line", self.line);
        visit("call", self.call);
        visit("asked", self.asked);
        visit("time", self.time);
        visit("deployment", self.deployment);
        visit("decision", self.decision);
        visit("reproduced", self.reproduced);
        visit("same_build", self.same_build);
    }
};
static_assert(described_whole<AuditedLine>());

enum class AuditProblem : std::uint8_t {
    changed = 1,    ///< the line is not what was written
    missing = 2,    ///< lines before it are not there
    misplaced = 3,  ///< it does not follow the line before: put in, repeated or moved
    torn = 4,       ///< the last line's writing did not end: a process was killed, or somebody cut it off
    different = 5,  ///< its decision does not come out again
    unreadable = 6  ///< it is what was written, and this version cannot read it
};

template <>
struct Words<AuditProblem> {
    static constexpr std::array<std::pair<AuditProblem, std::string_view>, 6> table{
        {{AuditProblem::changed, "changed"},
         {AuditProblem::missing, "missing"},
         {AuditProblem::misplaced, "misplaced"},
         {AuditProblem::torn, "torn"},
         {AuditProblem::different, "different"},
         {AuditProblem::unreadable, "unreadable"}}};
};

struct AuditFinding {
    std::int64_t line = 0;  ///< in the file, from 1
    AuditProblem problem = AuditProblem::changed;
    std::string what;  ///< a sentence

    friend bool operator==(const AuditFinding&, const AuditFinding&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("line", self.line);
        visit("problem", self.problem);
        visit("what", self.what);
    }
};
static_assert(described_whole<AuditFinding>());

/// All that a log tells.
struct AuditReport {
    bool sealed = false;                 ///< by a key
    std::int64_t mended = 0;             ///< torn lines after which the log went on
    std::string last;                    ///< hash of the last line that is what was written
    std::vector<AuditedLine> lines;      ///< those that are what was written
    std::vector<AuditFinding> findings;  ///< in the order of the file

    friend bool operator==(const AuditReport&, const AuditReport&) = default;

    /// How many lines have it.
    std::int64_t count(Reproduced what) const {
        std::int64_t found = 0;
        for (const AuditedLine& line : lines) found += line.reproduced == what ? 1 : 0;
        return found;
    }
    /// A torn last line apart, is everything as it was written, and does every decision come out again?
    bool good() const {
        for (const AuditFinding& finding : findings) {
            if (finding.problem != AuditProblem::torn) return false;
        }
        return true;
    }

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("sealed", self.sealed);
        visit("mended", self.mended);
        visit("last", self.last);
        visit("lines", self.lines);
        visit("findings", self.findings);
    }
};
static_assert(described_whole<AuditReport>());

}  // namespace v0
}  // namespace serinus
