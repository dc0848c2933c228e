#pragma once
/// \file
/// An audit log in a file: read, continued under a lock, and written through to the disk.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <serinus/io/audit.hpp>

namespace serinus {
inline namespace v0 {
namespace cli {

/// The key in a file: its bytes without the ends of line behind them. Raises `serinus.file.read`, and
/// `serinus.argument.range` for an empty one.
std::string read_key_file(const std::string& path);

/// Milliseconds of the system's clock.
std::int64_t clock_ms();

class AuditFile {
  public:
    /// The file need not be there yet. Nothing is read before `append`.
    AuditFile(std::string path, std::string key) : path_(std::move(path)), key_(std::move(key)) {}

    /// Appends what `write` tells the log. Several processes may append to one file: each waits for the others, and
    /// takes in what they wrote. Raises what `io::AuditLog` raises, its text beginning with the file's name, and
    /// `serinus.file.*`.
    void append(const std::function<void(io::AuditLog&)>& write);

  private:
    std::string path_;
    std::string key_;
    std::optional<io::AuditLog> log_;
    std::uint64_t size_ = 0;  ///< of the file when the log knew all of it
};

}  // namespace cli
}  // namespace v0
}  // namespace serinus
