#include "cli/audit_file.hpp"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <system_error>

#if defined(__unix__) || defined(__APPLE__)
#include <sys/file.h>
#include <unistd.h>
#endif

#include <serinus/core/error.hpp>

#include "cli/files.hpp"

namespace serinus {
inline namespace v0 {
namespace cli {
namespace {

struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
};

[[noreturn]] void failed(const std::string& path, int error) {
    raise(Code::file_write, shown_file(path) + ": " + std::generic_category().message(error));
}

/// Until the file is closed nobody else appends.
void lock(std::FILE* file) {
#if defined(__unix__) || defined(__APPLE__)
    while (flock(fileno(file), LOCK_EX) != 0 && errno == EINTR) {
    }
#else
    static_cast<void>(file);
#endif
}

void write_through(std::FILE* file, const std::string& path) {
    if (std::fflush(file) != 0) failed(path, errno);
#if defined(__unix__) || defined(__APPLE__)
    // What has no disk behind it, a pipe, cannot be written through.
    if (fsync(fileno(file)) != 0 && errno != EINVAL && errno != ENOTSUP) failed(path, errno);
#endif
}

}  // namespace

std::string read_key_file(const std::string& path) {
    std::string key = read_file(path);
    while (key.ends_with('\n') || key.ends_with('\r')) key.pop_back();
    if (key.empty()) raise(Code::argument_range, shown_file(path) + " holds no key; allowed: 16 bytes or more");
    return key;
}

std::int64_t clock_ms() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

void AuditFile::append(const std::function<void(io::AuditLog&)>& write) {
    errno = 0;
    const std::unique_ptr<std::FILE, Close> file(std::fopen(path_.c_str(), "ab"));
    if (!file) failed(path_, errno);
    lock(file.get());
    if (std::fseek(file.get(), 0, SEEK_END) != 0) failed(path_, errno);
    if (!log_ || static_cast<std::uint64_t>(std::ftell(file.get())) != size_) {
        const std::string text = read_file(path_);
        try {
            log_.emplace(text, key_);
        } catch (const Error& error) {
            raise(error.within(shown_file(path_)));
        }
        size_ = text.size();
    }
    try {
        write(*log_);
        const std::string lines = log_->take();
        if (std::fwrite(lines.data(), 1, lines.size(), file.get()) != lines.size()) failed(path_, errno);
        write_through(file.get(), path_);
        size_ += lines.size();
    } catch (...) {
        log_.reset();  // it may be ahead of the file
        throw;
    }
}

}  // namespace cli
}  // namespace v0
}  // namespace serinus
