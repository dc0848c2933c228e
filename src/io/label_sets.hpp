#pragma once
/// \file
/// From labelled samples, as every monitoring system has them, to a Batch: which arm and instance they are of, what is
/// left of their labels, since when their counters count, and what is left aside. Inside the library only.

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <serinus/io/read_options.hpp>
#include <serinus/rollout/batch.hpp>

namespace serinus {
inline namespace v0 {
namespace io {

/// Labels by name. One whose value is empty is one that is not there, as in PromQL.
using Labels = std::map<std::string, std::string>;

/// Labels in Prometheus' notation, `{code="500",path="/"}`; nothing for none. Names that are no identifiers are quoted.
std::string labels_text(const Labels& labels);

/// A name as Prometheus writes it: what is neither letter, digit, "_" nor ":" becomes "_".
std::string prometheus_name(std::string_view name);

/// Whose names labels have.
enum class LabelNames : std::uint8_t {
    prometheus,
    opentelemetry  ///< `service.instance.id`; who asks for a label may call it as Prometheus does
};

/// One label set of an arm, while it is gathered.
struct LabelSet {
    std::string name;
    Arm arm = Arm::baseline;
    double le = std::numeric_limits<double>::quiet_NaN();
    Labels labels;  ///< without the arm's
    Series samples;
    HistogramSeries histograms;
    std::string source = {};              ///< of OTLP: what is exported together
    bool delta = false;                   ///< `samples` count what came since the one before
    std::optional<double> timeless = {};  ///< the last value that came without a time
    std::int64_t timeless_count = 0;
    bool read_otherwise = false;  ///< the plan reads what was made of the histograms
    bool left_out = false;        ///< it has served its purpose, or none of its samples has a time
};

/// Adds one sample; `start_ms` is 0 where nobody said.
void push(Series& series, std::int64_t time_ms, double value, std::int64_t start_ms = 0);
void push(HistogramSeries& series, std::int64_t time_ms, HistogramSample sample, std::int64_t start_ms = 0);

/// Gathers label sets of one document.
class LabelSets {
  public:
    /// Raises `serinus.argument.word` for options that cannot tell the arms apart.
    LabelSets(const ReadOptions& options, LabelNames names);

    /// The label set of that name and those labels, and whether it is new; nothing when it is in neither arm, which is
    /// told once in the batch.
    std::pair<LabelSet*, bool> add(const std::string& name, Labels labels,
                                   double le = std::numeric_limits<double>::quiet_NaN());

    /// Whether a series of that name is to be read, where it is made from something else.
    bool wanted(std::string_view name) const { return names_.empty() || names_.contains(name); }
    bool known(std::string_view name) const { return names_.contains(name); }
    const std::set<std::string, std::less<>>& names() const { return names_; }
    /// The first of several names for one series that the plan knows, else the first of all.
    std::string pick(const std::vector<std::string>& candidates) const;
    /// What the plan may call a series of that name: with or without `_total`.
    std::string pick_total(const std::string& name) const;

    void note(Code code, std::string_view key, std::string_view text);
    void note_rows(std::int64_t count, std::string_view why);

    /// The batch. Raises `serinus.data.arm` when not one of the label sets belongs to an arm, `serinus.data.timestamp`
    /// when not one sample has a time.
    Batch take();

  private:
    const std::string* find(const Labels& labels, std::string_view name, std::string* key = nullptr) const;
    void refuse_arms() const;
    void tell_outside();
    void take_starts();
    void sum_deltas();
    void take_timeless();
    std::string instance_label() const;

    const ReadOptions& options_;
    LabelNames form_;
    std::set<std::string, std::less<>> names_;
    std::deque<LabelSet> sets_;
    std::unordered_map<std::string, LabelSet*> places_;  ///< by name, labels and bucket; null: of neither arm
    std::vector<Reason> notes_;
    std::map<Code, std::size_t> told_;

    // Of neither arm.
    std::int64_t without_label_ = 0;
    std::int64_t other_value_ = 0;
    std::string without_name_;
    std::string without_labels_;
    std::set<std::string> label_names_;
    std::vector<std::string> values_;
    std::int64_t deltas_twice_ = 0;
};

}  // namespace io
}  // namespace v0
}  // namespace serinus
