#pragma once
/// \file
/// The lines of an audit log and whether they are a chain; inside the library only.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <serinus/rollout/audit.hpp>

namespace serinus {
inline namespace v0 {
namespace io {

/// Of the line before the first.
inline const std::string no_hash(64, '0');

/// The hash of a line's content; with a key its HMAC.
std::string seal_of(std::string_view content, std::string_view key);
/// `,"hash":"<seal>"}`, or `,"hmac":...`.
std::string seal_text(std::string_view content, std::string_view key);

struct ChainLine {
    std::int64_t line = 0;  ///< in the file, from 1
    std::string_view text;  ///< without its end
    std::int64_t number = 0;
    std::string_view before;
    std::string_view hash;
};

struct Chain {
    std::vector<ChainLine> lines;        ///< those that are what was written, in the order of the file
    std::vector<AuditFinding> findings;  ///< in the order of the file
    std::int64_t mended = 0;
    bool sealed = false;
    std::string_view torn;  ///< what stands behind the last good line
    bool open = false;      ///< the last good line has no end of line

    std::string last() const { return lines.empty() ? no_hash : std::string(lines.back().hash); }
};

/// Looks at every line. Raises `serinus.audit.key`, and `serinus.data.document` for a text that is no audit log. Cost:
/// linear.
Chain chain_of(std::string_view text, std::string_view key);

/// What a line says of the torn text before it: the last member behind "before".
std::string torn_text(std::string_view torn);

/// Raises `serinus.argument.range` for a key that is too short.
void check_key(std::string_view key);

}  // namespace io
}  // namespace v0
}  // namespace serinus
