#pragma once
/// \file
/// An audit log: one line of JSON a decision, with all that is needed to make the decision again, each line chained to
/// the one before by a hash. And its replay, which does make them again.
///
/// A line is `{"n":3,"before":"<hash of line 2>","call":"judge",...,"hash":"<64 digits>"}`
/// (data/schema/audit.schema.json): its own hash is the SHA-256 (FIPS 180-4) of the bytes before `,"hash":`, so that
/// `sha256sum` can check it, or with a key `"hmac"`, their HMAC-SHA-256 (RFC 2104), which nobody makes without the key.
/// What that finds, and what it cannot find, is in docs/how-to/audit.md.
///
/// Nothing here opens a file or reads a clock: a log is taken as text, and given as the text that is to be appended.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <serinus/rollout/audit.hpp>
#include <serinus/rollout/batch.hpp>
#include <serinus/rollout/decision.hpp>
#include <serinus/rollout/monitor.hpp>
#include <serinus/rollout/plan.hpp>

namespace serinus {
inline namespace v0 {
namespace io {

/// A log that is being written.
///
///     io::AuditLog log(text_of_the_file, key);
///     const Decision decision = judge(plan, batch, now_ms);
///     log.judged(plan, batch, now_ms, decision);
///     append(file, log.take());
///
/// Samples that the line before has already are not written again, so that a log of growing or sliding data grows with
/// what is new. After a torn last line the next one goes on, and says what was torn: nothing is ever taken away.
class AuditLog {
  public:
    /// Goes on after `text`, what the log has so far; empty for a new one. `key`: of HMAC, 16 bytes or more; empty for
    /// hashes alone. Raises `serinus.audit.changed`, naming the line, for a log that is not what was written,
    /// `serinus.audit.key` for one that was sealed with another key, or not at all, and `serinus.argument.range` for a
    /// short key. Cost: linear in the text.
    explicit AuditLog(std::string_view text = {}, std::string_view key = {});
    AuditLog(AuditLog&&) noexcept;
    AuditLog& operator=(AuditLog&&) noexcept;
    ~AuditLog();

    /// `serinus::judge(plan, batch, now_ms)` gave this decision. `asked_ms`: the time on the caller's clock, told and not
    /// read again. The plan is written before it unless it is the log's already.
    void judged(const Plan& plan, const Batch& batch, std::optional<std::int64_t> now_ms, const Decision& decision,
                std::optional<std::int64_t> asked_ms = std::nullopt);

    /// A new Monitor of this plan began; what follows is told of it. AuditedMonitor calls all of these.
    void began(const Plan& plan, std::optional<std::int64_t> asked_ms = std::nullopt);
    void observed(const Batch& batch, std::optional<std::int64_t> now_ms, const Decision& decision,
                  std::optional<std::int64_t> asked_ms = std::nullopt);
    void flushed(const Decision& decision, std::optional<std::int64_t> asked_ms = std::nullopt);
    void entered_stage(int stage, std::int64_t at_ms, const Decision& decision,
                       std::optional<std::int64_t> asked_ms = std::nullopt);
    void restarted(Arm arm, std::string_view instance, std::int64_t at_ms, const Decision& decision,
                   std::optional<std::int64_t> asked_ms = std::nullopt);
    void restored(const MonitorState& state, const Decision& decision,
                  std::optional<std::int64_t> asked_ms = std::nullopt);

    /// What is to be appended to the file since the last call, in one piece; empty when there is nothing.
    std::string take();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// A Monitor whose calls are written down.
///
///     io::AuditLog log(text_of_the_file, key);
///     io::AuditedMonitor monitor(plan, log);
///     const Decision decision = monitor.observe(batch, now_ms);
///     append(file, log.take());
///
/// Its calls are those of Monitor, and raise what they raise; a call that raises leaves no line. `asked_ms` as above.
class AuditedMonitor {
  public:
    /// The log must live as long as the monitor.
    AuditedMonitor(Plan plan, AuditLog& log, std::optional<std::int64_t> asked_ms = std::nullopt);

    Decision observe(const Batch& batch, std::optional<std::int64_t> now_ms = std::nullopt,
                     std::optional<std::int64_t> asked_ms = std::nullopt);
    Decision flush(std::optional<std::int64_t> asked_ms = std::nullopt);
    void enter_stage(int stage, std::int64_t at_ms, std::optional<std::int64_t> asked_ms = std::nullopt);
    void restart(Arm arm, std::string_view instance, std::int64_t at_ms,
                 std::optional<std::int64_t> asked_ms = std::nullopt);
    void restore(const MonitorState& state, std::optional<std::int64_t> asked_ms = std::nullopt);
    Decision decision() const;
    MonitorState state() const;
    const Plan& plan() const;

  private:
    Monitor monitor_;
    AuditLog* log_;
};

struct ReplayOptions {
    std::string key = {};  ///< of a sealed log
    /// The hash of a line that the log must have, noted elsewhere: a log that was cut off before it is found.
    std::string last = {};
};

/// Reads a log and makes every decision again, each from what the log holds.
///
/// What was changed, left out, put in or moved is a finding with its line, never an exception, and so is a decision that
/// does not come out again; lines after the first such place are checked and not made again, for they rest on it. On the
/// build that wrote a line its decision comes out bit for bit; on another the words are the same and the numbers agree to
/// 1e-9 of their size, unless evidence lies within 1e-9 of its threshold, where the decision may fall the other way
/// (docs/architecture.md, "What is promised about bits"). Raises `serinus.data.empty` for a text without a whole line,
/// `serinus.data.document` for one that is no audit log, `serinus.audit.key` for a sealed log without its key and for
/// the reverse, `serinus.argument.range` for a key of less than 16 bytes. Cost: that of the decisions.
AuditReport replay(std::string_view log, const ReplayOptions& options = {});

/// What replay found, as JSON: data/schema/replay.schema.json.
std::string write_replay(const AuditReport& report, int indent = 2);

}  // namespace io
}  // namespace v0
}  // namespace serinus
