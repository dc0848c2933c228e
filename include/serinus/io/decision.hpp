#pragma once
/// \file
/// A decision as JSON: what programs read, and what an audit keeps.

#include <string>
#include <string_view>

#include <serinus/core/version.hpp>
#include <serinus/rollout/decision.hpp>

namespace serinus {
inline namespace v0 {
namespace io {

/// The decision as a JSON object (data/schema/decision.schema.json), with what follows from it filled in: the sentence
/// of each reason, the e-value and the log e-value that it needs.
///
/// Keys stand in a fixed order, so that equal decisions are equal texts. A number that is not known (an estimate before
/// any event) is null; an interval's open end is the text "Infinity" or "-Infinity"; an e-value beyond the largest
/// double is left out, its logarithm never is. Times are RFC 3339 in UTC, null where there is none. `indent` blanks a
/// level; -1 puts all on one line. Text that is no UTF-8 has U+FFFD in the place of what cannot be shown. Never raises
/// for a Decision that a Monitor gave.
std::string write_decision(const Decision& decision, int indent = 2);

/// The decision that `write_decision` wrote: `write_decision` of it is the same text again. What follows from the rest
/// (sentences, e-values) is passed over; what JSON cannot say stays lost (a time beyond the year 9999, bytes that are
/// no UTF-8). Raises `serinus.data.document`, naming the path of what is wrong, for every other text: a key that is
/// missing or unknown, a value of another type, a word that does not exist; `serinus.data.size` for one nested more
/// than 64 deep or larger than 1 GiB. Cost: linear in the text.
Decision read_decision(std::string_view json);

}  // namespace io
}  // namespace v0
}  // namespace serinus
