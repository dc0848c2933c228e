#pragma once
/// \file
/// A rollout on one page, for a browser: what was decided and why, and how it came about.

#include <string>

#include <serinus/report/record.hpp>
#include <serinus/report/text.hpp>

namespace serinus {
inline namespace v0 {
namespace report {

/// One HTML document that needs nothing else: no script, no font, no address outside. The verdict with the metric that
/// decides, why, and what to do next; then a block a metric, those that fail first: what was read of both arms, the
/// evidence against what it needs, both over time, and the estimate with its range against the margin; then the error
/// budget, the data and the promise; at the end all numbers. Every drawing is also told in words. It follows the
/// browser's light or dark mode, fits a telephone, and prints.
///
/// The drawings are made of the record's decisions (`recorded` makes them of data); of one decision alone there are no
/// curves. Times are minutes since the first of them. Whatever the names in it are, they are shown and never obeyed. A
/// record without any decision gives an empty text. The same record gives the same bytes under every locale. Cost: linear
/// in decisions x metrics, of which each drawing shows at most 120 points.
std::string html(const Record& record, Face face = Face::program, View view = View::on_call);
std::string html(const Decision& decision, Face face = Face::program, View view = View::on_call);

}  // namespace report
}  // namespace v0
}  // namespace serinus
